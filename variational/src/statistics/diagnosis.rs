//! Checks whether Markov chains sampled well, with remedies.

use std::fmt;

use sampler::Sector;

use super::{Stats, piece_length};

/// R̂ above which chains count as not converged.
const MAX_R_HAT: f64 = 1.02;

/// How far above R̂ may be by chance, in its standard deviations.
const MAX_DEVIATIONS: f64 = 2.0;

/// Chains whose R̂ is not known to this show nothing about convergence.
const MAX_R_HAT_NOISE: f64 = 0.02;

/// The number of independent samples below which an error is too uncertain to judge by.
const MIN_EFFECTIVE: f64 = 50.0;

/// The autocorrelation time, in samples, above which most samples add little.
const MAX_TAU: f64 = 5.0;

/// How far outside of the operator's range a mean may be by chance, in parts of the range.
const MAX_OUTSIDE: f64 = 0.05;

/// Relative rounding errors of sums.
const ROUNDING: f64 = 1e-9;

/// The fraction of accepted moves below which chains barely move.
const MIN_ACCEPTANCE: f64 = 0.05;

/// Whether Markov chains sampled well, and what to change if not. Prints one line per problem.
///
/// From [`Stats::check`] or [`MonteCarloState::check`](crate::MonteCarloState::check).
#[derive(Clone, Debug, PartialEq)]
pub struct Diagnosis {
    problems: Vec<Problem>,
}

/// A problem with a set of Markov chains. Prints with its remedy.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Problem {
    /// The mean is NaN or infinite, because some of the numbers are.
    NotFinite {
        /// Its real part.
        mean: f64,
    },
    /// Too few samples to say whether chains have converged: fewer than 50 independent ones, or R̂ is not known to 0.02.
    FewSamples {
        /// Number of samples of all chains together.
        n_samples: usize,
        /// How many independent ones have the same error.
        n_effective: f64,
    },
    /// R̂ is above 1.02 by more than chance.
    NotConverged {
        /// R̂.
        r_hat: f64,
    },
    /// The autocorrelation time is above 5 samples.
    Correlated {
        /// The time.
        tau_corr: f64,
    },
    /// Fewer than 5 % of the moves are accepted.
    LowAcceptance {
        /// The fraction.
        acceptance: f64,
    },
    /// A mean that the operator cannot have.
    OutsideRange {
        /// The mean's real part.
        mean: f64,
        /// The largest size of an expectation value.
        bound: f64,
    },
    /// A variance that the operator cannot have: a few samples have nearly all of it.
    Variance {
        /// The variance.
        variance: f64,
        /// The largest size of an expectation value, whose square the variance stays below.
        bound: f64,
    },
    /// Chains cannot leave a part of the space, although it is larger.
    Sector(Sector),
}

impl Diagnosis {
    /// Whether there are no problems.
    pub fn is_good(&self) -> bool {
        self.problems.is_empty()
    }

    /// These problems and another one.
    pub(crate) fn and(mut self, problem: Problem) -> Self {
        self.problems.push(problem);
        self
    }

    /// Compares the statistics with the largest size of the operator's expectation values, if that is known.
    ///
    /// Samples may leave the range by chance: by two errors, but by no more than 5 % of it.
    pub(crate) fn with_bound(mut self, stats: &Stats, bound: Option<f64>) -> Self {
        let Some(bound) = bound else { return self };
        let chance = (2.0 * stats.error_of_mean).min(MAX_OUTSIDE * bound).max(ROUNDING * bound);
        let (mean, variance) = (stats.mean.re, stats.variance);
        if stats.mean.norm() > bound + chance {
            self.problems.push(Problem::OutsideRange { mean, bound });
        }
        if variance > bound * bound * (1.0 + ROUNDING) {
            self.problems.push(Problem::Variance { variance, bound });
        }
        self
    }

    /// The problems, as [`problems`](Self::problems).
    pub(crate) fn into_problems(self) -> Vec<Problem> {
        self.problems
    }

    /// The problems.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

impl Stats {
    /// Judges the chains by these statistics and, if known, by the fraction of accepted moves.
    ///
    /// ```
    /// # use num_complex::Complex64;
    /// // Two chains of 100 samples that stay around 1 and around 3.
    /// let near = |(chain, k): (usize, usize)| 1.0 + 2.0 * chain as f64 + 0.1 * ((k * k) as f64).sin();
    /// let apart = ndarray::Array2::from_shape_fn((2, 100), near).mapv(Complex64::from);
    /// let diagnosis = variational::Stats::of_chains(apart.view()).check(Some(0.4));
    /// assert!(!diagnosis.is_good());
    /// assert!(diagnosis.to_string().contains("raise n_discard"));
    /// ```
    pub fn check(&self, acceptance: Option<f64>) -> Diagnosis {
        let mut problems: Vec<Problem> = self.of_numbers().into_iter().collect();
        if self.tau_corr > MAX_TAU && self.n_samples as f64 >= MIN_EFFECTIVE {
            problems.push(Problem::Correlated { tau_corr: self.tau_corr });
        }
        let low = acceptance.filter(|&acceptance| acceptance < MIN_ACCEPTANCE);
        problems.extend(low.map(|acceptance| Problem::LowAcceptance { acceptance }));
        Diagnosis { problems }
    }

    /// The gravest problem of the numbers.
    fn of_numbers(&self) -> Option<Problem> {
        let (r_hat, n_samples) = (self.r_hat, self.n_samples);
        if !self.mean.is_finite() {
            Some(Problem::NotFinite { mean: self.mean.re })
        } else if n_samples as f64 >= MIN_EFFECTIVE
            && (r_hat > MAX_R_HAT + MAX_DEVIATIONS * self.r_hat_noise() || r_hat == f64::INFINITY)
        {
            Some(Problem::NotConverged { r_hat })
        } else if !self.has_enough_samples() {
            Some(Problem::FewSamples { n_samples, n_effective: self.n_effective() })
        } else {
            None
        }
    }

    /// Whether there are enough samples to believe the error and to judge the chains.
    pub(crate) fn has_enough_samples(&self) -> bool {
        self.is_exact() || (self.n_effective() >= MIN_EFFECTIVE && self.r_hat_noise() <= MAX_R_HAT_NOISE)
    }

    /// The standard deviation of R̂ of chains that agree, of independent numbers; infinite if there is no R̂.
    ///
    /// For m pieces of length n, `R̂² = (n − 1)/n + F/n`, where F has Fisher's distribution with m − 1 and m (n − 1)
    /// degrees of freedom.
    fn r_hat_noise(&self) -> f64 {
        let n_per_chain = self.n_samples / self.n_chains.max(1);
        let length = piece_length(n_per_chain);
        let n_pieces = if length < n_per_chain { 2 * self.n_chains } else { self.n_chains };
        if n_pieces < 2 || length < 2 {
            return f64::INFINITY;
        }
        let (m, n) = (n_pieces as f64, length as f64);
        (2.0 / (m - 1.0) + 2.0 / (m * (n - 1.0))).sqrt() / (2.0 * n)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Problem::NotFinite { mean } => write!(
                f,
                "the mean is {mean}: some of the numbers are no numbers; lower the learning rate, or check the wave function's parameters"
            ),
            Problem::FewSamples { n_samples, n_effective } => write!(
                f,
                "{n_samples} samples, which count as {n_effective:.0}, are too few to say whether the chains have converged; raise n_samples"
            ),
            Problem::NotConverged { r_hat } if *r_hat == f64::INFINITY => write!(
                f,
                "R̂ is infinite: each chain is stuck at a number of its own; choose a rule with smaller moves, lower the learning rate, or start again from smaller parameters"
            ),
            Problem::NotConverged { r_hat } => write!(
                f,
                "R̂ is {r_hat:.3}, above {MAX_R_HAT}: chains have not forgotten where they started; raise n_discard, or n_samples for longer chains"
            ),
            Problem::Correlated { tau_corr } => {
                let apart = 1.0 + 2.0 * tau_corr;
                write!(
                    f,
                    "τ is {tau_corr:.1} samples: one of {apart:.0} counts; raise sweep_size up to {apart:.0} times"
                )
            }
            Problem::LowAcceptance { acceptance } => write!(
                f,
                "{:.1} % of the moves are accepted; choose a rule with smaller moves, or smaller initial parameters",
                100.0 * acceptance
            ),
            Problem::OutsideRange { mean, bound } => write!(
                f,
                "the mean is {mean:.6e}, but the operator has means from -{bound:.6e} to {bound:.6e} only: samples miss where the wave function is large; lower the learning rate, raise the diagonal shift, or take more samples"
            ),
            Problem::Variance { variance, bound } => write!(
                f,
                "the variance is {variance:.2e}, but the operator has at most {:.2e}: a few samples outweigh all others; lower the learning rate, raise the diagonal shift, or take more samples",
                bound * bound
            ),
            Problem::Sector(sector) => write!(
                f,
                "the moves keep {sector}, which the space does not fix: each chain stays in the sector where it starts; fix it in the space, as with_total_sz and with_n_fermions do, or mix in a rule that changes it"
            ),
        }
    }
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_good() {
            return f.write_str("the chains have converged");
        }
        for (k, problem) in self.problems.iter().enumerate() {
            let newline = if k == 0 { "" } else { "\n" };
            write!(f, "{newline}{problem}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, array};
    use num_complex::Complex64;

    use super::super::testing::ar1;
    use super::*;

    #[test]
    fn each_problem_is_found_where_it_is_and_only_there() {
        let found = |values: &Array2<Complex64>, acceptance| {
            let diagnosis = Stats::of_chains(values.view()).check(acceptance);
            diagnosis.problems().iter().map(std::mem::discriminant).collect::<Vec<_>>()
        };
        let kinds = |problems: &[Problem]| problems.iter().map(std::mem::discriminant).collect::<Vec<_>>();
        let independent = ar1(8, 4000, 0.0, 1);
        assert_eq!(found(&independent, Some(0.5)), []);
        assert_eq!(found(&independent, Some(f64::NAN)), [], "no move was proposed");
        let low = Problem::LowAcceptance { acceptance: 0.01 };
        assert_eq!(found(&independent, Some(0.01)), kinds(&[low]));
        let slow = Problem::Correlated { tau_corr: 20.0 };
        assert_eq!(found(&ar1(8, 40_000, 0.95, 2), None), kinds(std::slice::from_ref(&slow)));
        let mut apart = independent;
        apart.row_mut(0).mapv_inplace(|value| value + 3.0);
        assert_eq!(found(&apart, None), kinds(&[Problem::NotConverged { r_hat: 1.5 }, slow.clone()]));
        let few = Problem::FewSamples { n_samples: 24, n_effective: 24.0 };
        assert_eq!(found(&Array2::zeros((8, 3)), None), kinds(&[few]));
        let mut one_nan = ar1(8, 4000, 0.0, 1);
        one_nan[[3, 17]] = f64::NAN.into();
        assert_eq!(found(&one_nan, None), kinds(&[Problem::NotFinite { mean: f64::NAN }]));
        let stuck = Array2::from_shape_fn((4, 100), |(chain, _)| Complex64::from(chain as f64));
        assert_eq!(found(&stuck, None), kinds(&[Problem::NotConverged { r_hat: f64::INFINITY }, slow]));
    }

    /// Independent numbers: chains that are too short are said to be, and no others; and none is said to disagree in
    /// more than 5 % of the runs, which are as many as two deviations leave, and chance.
    #[test]
    fn short_chains_say_that_they_are_too_short() {
        for (n_chains, n_per_chain, few) in [
            (1, 5, true),
            (1, 16, true),
            (1, 60, true),
            (1, 100, false),
            (2, 8, true),
            (16, 2, true),
            (16, 10, true),
            (16, 64, false),
            (64, 1, true),
            (64, 4, true),
            (1024, 8, false),
        ] {
            let mut counts = [0; 3];
            for seed in 0..200 {
                let stats = Stats::of_chains(ar1(n_chains, n_per_chain, 0.0, seed).view());
                match stats.check(None).problems() {
                    [] => counts[0] += 1,
                    [Problem::FewSamples { .. }] => counts[1] += 1,
                    _ => counts[2] += 1,
                }
            }
            let [good, too_few, wrong] = counts;
            assert!(
                wrong <= 14 && if few { good == 0 } else { too_few <= 10 },
                "{n_chains} x {n_per_chain}: {counts:?}"
            );
        }
    }

    #[test]
    fn exact_means_have_no_chains_to_complain_about() {
        let exact = Stats::exact(&array![Complex64::from(1.0)], &array![1.0]).unwrap();
        assert!(exact.check(None).is_good());
        assert_eq!(exact.check(None).to_string(), "the chains have converged");
    }

    #[test]
    fn messages_are_of_what_was_found() {
        let text = |values: Array2<Complex64>| Stats::of_chains(values.view()).check(None).to_string();
        let five = text(ar1(1, 5, 0.0, 1));
        assert!(five.starts_with("5 samples, which count as "), "{five}");
        assert!(
            five.ends_with("are too few to say whether the chains have converged; raise n_samples"),
            "{five}"
        );
        let mut values = ar1(8, 100, 0.0, 1);
        values[[0, 0]] = f64::NAN.into();
        assert!(text(values).starts_with("the mean is NaN: some of the numbers are no numbers"));
        let stuck = text(Array2::from_shape_fn((4, 100), |(chain, _)| Complex64::from(chain as f64)));
        assert!(stuck.starts_with("R̂ is infinite: each chain is stuck"), "{stuck}");
    }

    #[test]
    fn a_diagnosis_prints_a_line_a_problem() {
        let problems = vec![Problem::NotConverged { r_hat: 1.0712 }, Problem::Correlated { tau_corr: 12.0 }];
        let text = Diagnosis { problems }.to_string();
        assert_eq!(text.lines().count(), 2);
        assert!(text.contains("R̂ is 1.071") && text.contains("sweep_size up to 25 times"), "{text}");
    }
}
