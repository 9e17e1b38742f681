//! Chains that run one by one, with walkers.

use ndarray::ArrayView1;
use num_complex::Complex64;
use operator_core::{Backend, HilbertSpace, Walker, WaveFunction, metropolis};
use rand::RngExt;
use rayon::prelude::*;

use super::MetropolisSampler;
use crate::chain::Chains;
use crate::changes::{apply, check_changed, check_sites};
use crate::check::expect_count;
use crate::error::{Error, Result};
use crate::rng::ChainRng;
use crate::rule::{Proposer, Rule};
use crate::weights::is_correction;

impl<B: Backend, R: Rule<B>> MetropolisSampler<B, R> {
    /// Whether chains run one by one.
    pub(super) fn is_guided<W: WaveFunction<B> + ?Sized>(&self, wave_function: &W) -> bool {
        wave_function.has_walker() && self.rule.proposer(&self.setup.hilbert).is_some()
    }

    /// A guide of chains, if the wave function has a walker and the rule a proposer.
    fn guide<'a, W: WaveFunction<B> + ?Sized>(
        &'a self,
        wave_function: &'a W,
    ) -> std::result::Result<Guide<'a>, Missing> {
        let walker = wave_function.walker().ok_or(Missing::Walker)?;
        let hilbert = &self.setup.hilbert;
        let proposer = self.rule.proposer(hilbert).ok_or(Missing::Proposer)?;
        let foreign = (!self.rule.is_checked()).then(|| Foreign { hilbert, rule: self.rule.describe() });
        Ok(Guide::new(WalkedWeight::new(walker), proposer, hilbert, foreign))
    }

    /// Takes every chain through `n_discard` sweeps, and one more before each of its samples, in parallel.
    ///
    /// `samples` has the same number of rows for each chain, one chain after another. After an error the chains
    /// are unchanged. The error is that of the earliest step, as in batches.
    pub(super) fn walk<W: WaveFunction<B> + ?Sized>(
        &self,
        wave_function: &W,
        chains: &mut Chains<B>,
        n_discard: usize,
        samples: &mut [i8],
    ) -> Result<()> {
        let start = B::to_host(&chains.configurations)?;
        expect_count("configurations", start.nrows(), self.setup.n_chains)?;
        let (n_of_each, mut left) = (samples.len() / self.setup.n_chains, samples);
        let mut walks: Vec<ChainWalk<'_>> = (start.rows().into_iter().zip(&chains.rngs).enumerate())
            .map(|(chain, (x, rng))| {
                let (own, others) = std::mem::take(&mut left).split_at_mut(n_of_each);
                left = others;
                ChainWalk::new(chain, x.to_vec(), rng.clone(), own)
            })
            .collect();
        let results: Vec<_> = walks
            .par_iter_mut()
            .map_init(
                || self.guide(wave_function),
                |guide, walk| match guide {
                    Ok(guide) => guide.lead(walk, n_discard, self.sweep_size),
                    // The caller has checked that there is one.
                    Err(missing) => Err((0, missing.error::<W, R>())),
                },
            )
            .collect();
        let failures = results.into_iter().filter_map(std::result::Result::err);
        if let Some((_, error)) = failures.min_by_key(|(step, _)| *step) {
            return Err(error);
        }
        let mut x = start;
        for (mut row, walk) in x.rows_mut().into_iter().zip(&walks) {
            row.assign(&ArrayView1::from(walk.configuration()));
        }
        chains.configurations = B::from_host(x.view(), &chains.device)?;
        chains.log_weights = walks.iter().map(ChainWalk::log_weight).collect();
        let n_accepted = walks.iter().map(ChainWalk::n_accepted).sum();
        chains.count_moves(n_accepted, walks.iter().map(ChainWalk::n_proposed).sum());
        chains.rngs = walks.into_iter().map(ChainWalk::into_rng).collect();
        Ok(())
    }
}

/// Why there is no guide.
#[derive(Clone, Copy, Debug)]
enum Missing {
    Walker,
    Proposer,
}

impl Missing {
    /// The error, if there was one before.
    fn error<W: ?Sized, R>(self) -> Error {
        match self {
            Missing::Walker => Error::Gone { what: "walker", of: std::any::type_name::<W>() },
            Missing::Proposer => Error::Gone { what: "proposer", of: std::any::type_name::<R>() },
        }
    }
}

/// A walker starts anew after this number of moves per site, so that rounding does not build up. A start takes
/// about as long as one move per site.
const MOVES_PER_SITE: u64 = 16;

/// Ratios of |ψ|² in this range, and products of two of them, are numbers.
const RATIOS: std::ops::Range<f64> = 1e-150..1e150;

/// |ψ|² of a configuration, and of those nearby, from a walker that stands there.
pub(crate) struct WalkedWeight<'a> {
    walker: Box<dyn Walker + 'a>,
    /// ln |ψ|² at the last evaluation, and the ratio by which |ψ|² has changed since.
    log_weight: f64,
    ratio: f64,
    proposed: Proposed,
    state: Vec<i8>,
}

/// |ψ(x')|², in the form in which it was found.
#[derive(Clone, Copy, Debug)]
enum Proposed {
    /// x' is x.
    Here,
    /// Its ratio to |ψ(x)|².
    Ratio(f64),
    /// Its logarithm, where the ratio is zero or far from 1.
    LogWeight(f64),
    /// Its logarithm. To find it, the walker went to x' and stands there.
    Anew(f64),
}

impl<'a> WalkedWeight<'a> {
    pub(crate) fn new(walker: Box<dyn Walker + 'a>) -> Self {
        let log_weight = f64::NEG_INFINITY;
        WalkedWeight { walker, log_weight, ratio: 1.0, proposed: Proposed::Here, state: Vec::new() }
    }

    /// Goes to x.
    pub(crate) fn start(&mut self, chain: usize, x: &[i8]) -> Result<()> {
        (self.log_weight, self.ratio) = (log_weight(chain, x, self.walker.start(x))?, 1.0);
        Ok(())
    }

    /// ln |ψ(x)|²
    fn log_weight(&self) -> f64 {
        self.log_weight + self.ratio.ln()
    }

    /// The probability of going from x, where it stands, to the x' that differs in these sites.
    pub(crate) fn propose(
        &mut self,
        chain: usize,
        x: &[i8],
        changes: &[(usize, i8)],
        log_correction: f64,
    ) -> Result<f64> {
        self.proposed = self.weigh(chain, x, changes)?;
        let from = self.log_weight;
        Ok(match self.proposed {
            // Without a correction there is no exponential to take.
            Proposed::Ratio(ratio) if log_correction == 0.0 => ratio.min(1.0),
            Proposed::Ratio(ratio) => (ratio * log_correction.exp()).min(1.0),
            Proposed::Here => metropolis::acceptance(from, from, log_correction),
            Proposed::LogWeight(to) | Proposed::Anew(to) => {
                metropolis::acceptance(self.log_weight(), to, log_correction)
            }
        })
    }

    #[inline]
    fn weigh(&mut self, chain: usize, x: &[i8], changes: &[(usize, i8)]) -> Result<Proposed> {
        if changes.is_empty() {
            return Ok(Proposed::Here);
        }
        if self.log_weight > f64::NEG_INFINITY {
            let ratio = self.walker.ratio(changes);
            let squared = ratio.norm_sqr();
            if RATIOS.contains(&squared) {
                return Ok(Proposed::Ratio(squared));
            }
            if ratio.is_finite() {
                return Ok(Proposed::LogWeight(self.log_weight() + 2.0 * ratio.norm().ln()));
            }
        }
        // ψ(x) is zero, or the ratio overflows or is NaN: evaluate x' itself.
        self.state.clear();
        self.state.extend_from_slice(x);
        apply(changes.iter().copied(), &mut self.state);
        Ok(Proposed::Anew(log_weight(chain, &self.state, self.walker.start(&self.state))?))
    }

    /// Goes to the proposed x'.
    fn accept(&mut self) {
        match self.proposed {
            Proposed::Here => {}
            Proposed::Ratio(ratio) => {
                self.walker.accept();
                self.ratio *= ratio;
                if !RATIOS.contains(&self.ratio) {
                    (self.log_weight, self.ratio) = (self.log_weight(), 1.0);
                }
            }
            Proposed::LogWeight(to) => {
                self.walker.accept();
                (self.log_weight, self.ratio) = (to, 1.0);
            }
            Proposed::Anew(to) => (self.log_weight, self.ratio) = (to, 1.0),
        }
    }

    /// Stays at x.
    pub(crate) fn reject(&mut self, x: &[i8]) {
        if let Proposed::Anew(_) = self.proposed {
            self.walker.start(x);
        }
    }
}

fn log_weight(chain: usize, x: &[i8], log_psi: Complex64) -> Result<f64> {
    let refused = || Error::LogPsi { chain, value: log_psi, state: x.to_vec() };
    metropolis::log_weight(log_psi).ok_or_else(refused)
}

/// Leads the chains of one thread, one after another.
pub(crate) struct Guide<'a> {
    weight: WalkedWeight<'a>,
    proposer: Box<dyn Proposer + 'a>,
    changes: Vec<(usize, i8)>,
    /// A rule whose proposals are to be checked.
    foreign: Option<Foreign<'a>>,
    /// Moves between starts of the walker, and how many are left.
    patience: u64,
    left: u64,
}

struct Foreign<'a> {
    hilbert: &'a HilbertSpace,
    rule: String,
}

impl Foreign<'_> {
    fn check(&self, chain: usize, x: &[i8], changes: &[(usize, i8)]) -> Result<()> {
        check_changed(self.hilbert, x, changes).map_err(|reason| Error::Proposed {
            chain,
            rule: self.rule.clone(),
            hilbert: self.hilbert.to_string(),
            reason,
        })
    }
}

/// One chain and its samples.
pub(crate) struct ChainWalk<'a> {
    chain: usize,
    x: Vec<i8>,
    rng: ChainRng,
    /// Where its samples go, row by row.
    samples: &'a mut [i8],
    log_weight: f64,
    n_accepted: u64,
    n_proposed: u64,
}

impl<'a> ChainWalk<'a> {
    pub(crate) fn new(chain: usize, x: Vec<i8>, rng: ChainRng, samples: &'a mut [i8]) -> Self {
        let log_weight = f64::NEG_INFINITY;
        ChainWalk { chain, x, rng, samples, log_weight, n_accepted: 0, n_proposed: 0 }
    }

    pub(crate) fn configuration(&self) -> &[i8] {
        &self.x
    }

    pub(crate) fn log_weight(&self) -> f64 {
        self.log_weight
    }

    pub(crate) fn n_accepted(&self) -> u64 {
        self.n_accepted
    }

    pub(crate) fn n_proposed(&self) -> u64 {
        self.n_proposed
    }

    pub(crate) fn into_rng(self) -> ChainRng {
        self.rng
    }
}

impl<'a> Guide<'a> {
    fn new(
        weight: WalkedWeight<'a>,
        proposer: Box<dyn Proposer + 'a>,
        hilbert: &HilbertSpace,
        foreign: Option<Foreign<'a>>,
    ) -> Self {
        let patience = MOVES_PER_SITE * hilbert.n_sites() as u64;
        Guide { weight, proposer, changes: Vec::new(), foreign, patience, left: patience }
    }

    /// Takes a chain through `n_discard` sweeps, and one more before each sample. An error comes with the number
    /// of the step.
    pub(crate) fn lead(
        &mut self,
        walk: &mut ChainWalk<'_>,
        n_discard: usize,
        sweep_size: usize,
    ) -> Result<(), (u64, Error)> {
        let samples = std::mem::take(&mut walk.samples);
        let result = self.lead_through(walk, samples, n_discard, sweep_size);
        result.map_err(|error| (walk.n_proposed, error))
    }

    fn lead_through(
        &mut self,
        walk: &mut ChainWalk<'_>,
        samples: &mut [i8],
        n_discard: usize,
        sweep_size: usize,
    ) -> Result<()> {
        self.start(walk)?;
        for _ in 0..n_discard {
            (0..sweep_size).try_for_each(|_| self.step(walk))?;
        }
        for row in samples.chunks_exact_mut(walk.x.len().max(1)) {
            (0..sweep_size).try_for_each(|_| self.step(walk))?;
            row.copy_from_slice(&walk.x);
        }
        walk.log_weight = self.weight.log_weight();
        Ok(())
    }

    /// Puts the walker at the chain's configuration.
    fn start(&mut self, walk: &ChainWalk<'_>) -> Result<()> {
        self.left = self.patience;
        self.weight.start(walk.chain, &walk.x)
    }

    fn step(&mut self, walk: &mut ChainWalk<'_>) -> Result<()> {
        let chain = walk.chain;
        if self.left == 0 {
            self.start(walk)?;
        }
        self.left = self.left.saturating_sub(1);
        self.changes.clear();
        let correction = self.proposer.propose(chain, &walk.x, &mut walk.rng, &mut self.changes)?;
        if !is_correction(correction) {
            return Err(Error::Correction { chain, value: correction });
        }
        check_sites(chain, &self.changes, walk.x.len())?;
        if let Some(foreign) = &self.foreign {
            foreign.check(chain, &walk.x, &self.changes)?;
        }
        let probability = self.weight.propose(chain, &walk.x, &self.changes, correction)?;
        // Drawn in every step, as in batches.
        if walk.rng.random::<f64>() < probability {
            self.weight.accept();
            apply(self.changes.iter().copied(), &mut walk.x);
            walk.n_accepted += 1;
        } else {
            self.weight.reject(&walk.x);
        }
        walk.n_proposed += 1;
        Ok(())
    }
}
