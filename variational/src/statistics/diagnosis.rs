//! Checks whether Markov chains sampled well, with remedies.

use std::fmt;

use super::Stats;

/// R̂ above which chains count as not converged.
const MAX_R_HAT: f64 = 1.02;

/// The autocorrelation time, in samples, above which most samples add little.
const MAX_TAU: f64 = 5.0;

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
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Problem {
    /// Fewer than four samples per chain.
    FewSamples,
    /// R̂ is above 1.02.
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
}

impl Diagnosis {
    /// Whether there are no problems.
    pub fn is_good(&self) -> bool {
        self.problems.is_empty()
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
    /// let halves_apart = ndarray::array![[1.0, 1.1, 0.9, 1.0], [3.0, 3.1, 2.9, 3.0]].mapv(Complex64::from);
    /// let diagnosis = variational::Stats::of_chains(halves_apart.view()).check(Some(0.4));
    /// assert!(!diagnosis.is_good());
    /// assert!(diagnosis.to_string().contains("raise n_discard"));
    /// ```
    pub fn check(&self, acceptance: Option<f64>) -> Diagnosis {
        let exact = self.error_of_mean == 0.0 && self.tau_corr.is_nan();
        let r_hat = self.r_hat;
        let candidates = [
            (r_hat.is_nan() && !exact, Problem::FewSamples),
            (r_hat > MAX_R_HAT, Problem::NotConverged { r_hat }),
            (self.tau_corr > MAX_TAU, Problem::Correlated { tau_corr: self.tau_corr }),
        ];
        let mut problems: Vec<Problem> =
            candidates.into_iter().filter(|(holds, _)| *holds).map(|(_, problem)| problem).collect();
        let low = acceptance.filter(|&acceptance| acceptance < MIN_ACCEPTANCE);
        problems.extend(low.map(|acceptance| Problem::LowAcceptance { acceptance }));
        Diagnosis { problems }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Problem::FewSamples => write!(
                f,
                "fewer than 4 samples a chain show nothing about convergence; raise n_samples or take fewer chains"
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
        assert_eq!(found(&ar1(8, 40_000, 0.95, 2), None), kinds(&[slow]));
        let mut apart = independent;
        apart.row_mut(0).mapv_inplace(|value| value + 3.0);
        assert_eq!(found(&apart, None), kinds(&[Problem::NotConverged { r_hat: 1.5 }, slow]));
        assert_eq!(found(&Array2::zeros((8, 3)), None), kinds(&[Problem::FewSamples]));
    }

    #[test]
    fn exact_means_have_no_chains_to_complain_about() {
        let exact = Stats::exact(&array![Complex64::from(1.0)], &array![1.0]);
        assert!(exact.check(None).is_good());
        assert_eq!(exact.check(None).to_string(), "the chains have converged");
    }

    #[test]
    fn a_diagnosis_prints_a_line_a_problem() {
        let problems = vec![Problem::NotConverged { r_hat: 1.0712 }, Problem::Correlated { tau_corr: 12.0 }];
        let text = Diagnosis { problems }.to_string();
        assert_eq!(text.lines().count(), 2);
        assert!(text.contains("R̂ is 1.071") && text.contains("sweep_size up to 25 times"), "{text}");
    }
}
