//! Walkers of networks that have at most one hidden layer per branch.

mod branches;
mod grouped_moves;
mod ln_cosh;
mod unit_loops;
mod weights;

pub(super) use weights::WalkerWeights;

use num_complex::Complex64;
use operator_core::{ChangeSets, Element, Walker};

use super::architecture::Output;
use super::numbers::Scalar;
use branches::BranchWalker;

/// Beyond this magnitude of `log`, e^log is not multiplied with other numbers.
const MAX_LOG: f64 = 300.0;

/// Follows all branches of a network through changes of a few sites.
pub(super) struct NetworkWalker<'a, S: Scalar> {
    x: Vec<i8>,
    branches: Vec<(BranchWalker<'a, S>, Output)>,
    /// The last proposed move.
    changes: Vec<Change>,
    /// Working memory for the ratios of several moves.
    ratios: Vec<Ratio>,
}

/// A site and its new quantum number.
type Change = (usize, i8);

/// The difference between a site's new quantum number and the one in `x`.
#[inline]
fn step(x: &[i8], &(site, value): &Change) -> f64 {
    f64::from(value) - f64::from(x[site])
}

/// `e^log · factor`
#[derive(Clone, Copy)]
struct Ratio {
    log: Complex64,
    factor: f64,
}

impl Ratio {
    const ONE: Ratio = Ratio { log: Complex64::ZERO, factor: 1.0 };

    /// Adds the change of a branch: a difference plus the logarithm of a factor.
    #[inline]
    fn add(&mut self, difference: Complex64, factor: f64, output: Output) {
        match output {
            Output::LogPsi => {
                self.log += difference;
                self.factor *= factor;
            }
            Output::Phase => self.log += with_phase(difference + factor.ln(), Output::Phase),
        }
    }

    #[inline]
    fn value(self) -> Complex64 {
        // Both may overflow or underflow although their product does not.
        let (log, factor) = if self.log.re.abs() < MAX_LOG {
            (self.log, self.factor)
        } else {
            (self.log + self.factor.ln(), 1.0)
        };
        if log.im == 0.0 { Complex64::from(log.re.exp() * factor) } else { log.exp() * factor }
    }
}

fn with_phase(value: Complex64, output: Output) -> Complex64 {
    match output {
        Output::LogPsi => value,
        Output::Phase => Complex64::i() * value,
    }
}

impl<'a, S: Scalar> NetworkWalker<'a, S> {
    pub(super) fn new(weights: &'a WalkerWeights<S>) -> Self {
        let branches = weights.branches.iter().map(|(branch, output)| (branch.follow(), *output));
        NetworkWalker {
            x: vec![0; weights.n_sites],
            branches: branches.collect(),
            changes: Vec::new(),
            ratios: Vec::new(),
        }
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

    fn ratio(&mut self, changes: &[Change]) -> Complex64 {
        self.changes.clear();
        self.changes.extend_from_slice(changes);
        let mut ratio = Ratio::ONE;
        for (branch, output) in &mut self.branches {
            let (difference, factor) = branch.difference(&self.x, changes);
            ratio.add(difference.to_complex(), factor, *output);
        }
        ratio.value()
    }

    fn ratios(&mut self, changes: &ChangeSets, out: &mut [Complex64]) {
        let NetworkWalker { x, branches, ratios, .. } = self;
        ratios.clear();
        ratios.resize(changes.len(), Ratio::ONE);
        for (branch, output) in branches {
            branch.differences(x, changes, |k, difference, factor| {
                ratios[k].add(difference.to_complex(), factor, *output);
            });
        }
        out.iter_mut().zip(ratios).for_each(|(out, ratio)| *out = ratio.value());
    }

    fn accept(&mut self) {
        for (branch, _) in &mut self.branches {
            branch.accept(&self.x, &self.changes);
        }
        for &(site, value) in &self.changes {
            self.x[site] = value;
        }
    }
}
