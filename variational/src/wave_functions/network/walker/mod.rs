//! Networks without deep layers, followed from one configuration to the next.

mod followed;
mod lanes;
mod ln_cosh;
mod prepared;

pub(super) use prepared::Prepared;

use num_complex::Complex64;
use operator_core::{Element, Walker};

use super::architecture::Output;
use super::scalar::Scalar;
use followed::Followed;

/// Beyond this, e^log is not multiplied with other numbers.
const MAX_LOG: f64 = 300.0;

/// What changes of a few sites do to each branch.
pub(super) struct NetworkWalker<'a, S: Scalar> {
    x: Vec<i8>,
    branches: Vec<(Followed<'a, S>, Output)>,
    /// The last move that was asked for: sites, new quantum numbers and the differences to the present ones.
    changes: Vec<(usize, i8, f64)>,
}

impl<'a, S: Scalar> NetworkWalker<'a, S> {
    pub(super) fn new(prepared: &'a Prepared<S>) -> Self {
        let branches = prepared.branches.iter().map(|(branch, output)| (branch.follow(), *output));
        NetworkWalker { x: vec![0; prepared.n_sites], branches: branches.collect(), changes: Vec::new() }
    }
}

fn with_phase(value: Complex64, output: Output) -> Complex64 {
    match output {
        Output::LogPsi => value,
        Output::Phase => Complex64::i() * value,
    }
}

/// `e^log · factor`
fn ratio(log: Complex64, factor: f64) -> Complex64 {
    // Both may be beyond all numbers where their product is not.
    let (log, factor) = match log.re.abs() < MAX_LOG {
        true => (log, factor),
        false => (log + factor.ln(), 1.0),
    };
    match log.im == 0.0 {
        true => Complex64::from(log.re.exp() * factor),
        false => log.exp() * factor,
    }
}

impl<S: Scalar> Walker for NetworkWalker<'_, S> {
    fn start(&mut self, x: &[i8]) -> Complex64 {
        self.x.clear();
        self.x.extend_from_slice(x);
        self.branches
            .iter_mut()
            .map(|(branch, output)| with_phase(branch.start(x).to_complex(), *output))
            .sum()
    }

    fn ratio(&mut self, changes: &[(usize, i8)]) -> Complex64 {
        let NetworkWalker { x, branches, changes: noted } = self;
        let by = |site: usize, value: i8| f64::from(value) - f64::from(x[site]);
        noted.clear();
        noted.extend(changes.iter().map(|&(site, value)| (site, value, by(site, value))));
        let (mut log, mut factor) = (Complex64::ZERO, 1.0);
        for (branch, output) in branches {
            let (difference, part) = branch.difference(x, noted);
            match output {
                Output::LogPsi => {
                    log += difference.to_complex();
                    factor *= part;
                }
                Output::Phase => log += with_phase(difference.to_complex() + part.ln(), Output::Phase),
            }
        }
        ratio(log, factor)
    }

    fn accept(&mut self) {
        for (branch, _) in &mut self.branches {
            branch.accept(&self.changes);
        }
        for &(site, value, _) in &self.changes {
            self.x[site] = value;
        }
    }
}
