//! The matrix of a Metropolis step.

use ndarray::Array2;
use operator_core::{Backend, Error as CoreError, HilbertSpace, WaveFunction};

use super::Enumerate;
use crate::changes::differences;
use crate::error::Result;
use crate::metropolis::walk::WalkedWeight;
use crate::rule::Place;
use crate::weights::log_weights;
use operator_core::metropolis::acceptance;

/// The largest number of states. The matrix then has 128 MiB.
const MAX_STATES: usize = 4096;

/// The matrix of a Metropolis step, for tests on small spaces.
///
/// Entry `(i, j)` is the probability that a step takes state `i` to state `j`, in the order of
/// [`HilbertSpace::all_states`]. It follows from the rule's proposals and the acceptance that sampling uses, with
/// ratios from the wave function's walker if it has one. The chains sample |ψ|² if `|ψ_i|² P_ij = |ψ_j|² P_ji` and
/// if every state can be reached from every other. Everything is on the wave function's device.
///
/// # Errors
/// [`TooLarge`](CoreError::TooLarge) beyond 4096 states; [`NotIndexable`](CoreError::NotIndexable);
/// [`HilbertMismatch`](CoreError::HilbertMismatch); [`DeviceMismatch`](CoreError::DeviceMismatch); errors of the rule
/// and of the wave function. The row of a state where ψ is zero is that of a chain which is there.
pub fn exact_transition_matrix<B, R, W>(
    rule: &R,
    hilbert: &HilbertSpace,
    wave_function: &W,
) -> Result<Array2<f64>>
where
    B: Backend,
    R: Enumerate<B>,
    W: WaveFunction<B> + ?Sized,
{
    hilbert.expect_same(wave_function.hilbert())?;
    let device = &wave_function.device();
    rule.check(hilbert)?;
    rule.check_device(device)?;
    let n_states = hilbert.n_states()?;
    if n_states > MAX_STATES {
        let side = n_states as f64;
        return Err(CoreError::TooLarge {
            what: format!("the transition matrix on {hilbert}"),
            bytes: 8.0 * side * side,
            limit: 8.0 * (MAX_STATES * MAX_STATES) as f64,
            remedy: "test the rule on a smaller space",
        }
        .into());
    }
    let states = hilbert.all_states()?;
    let weights = log_weights::<B, W>(wave_function, &B::from_host(states.view(), device)?, n_states)?;
    let mut walked = wave_function.walker().map(WalkedWeight::new);
    let mut matrix = Array2::zeros((n_states, n_states));
    for (from, x) in states.rows().into_iter().enumerate() {
        let x = x.to_vec();
        let mut stays = 1.0;
        if let Some(walked) = &mut walked {
            walked.start(from, &x)?;
        }
        for step in rule.moves(Place { hilbert, device }, &x)? {
            let to = hilbert.index_of(&step.state)?;
            let probability = match &mut walked {
                None => acceptance(weights[from], weights[to], step.log_correction),
                Some(walked) => {
                    let changes: Vec<(usize, i8)> = differences(&x, &step.state).collect();
                    let probability = walked.propose(from, &x, &changes, step.log_correction)?;
                    walked.reject(&x);
                    probability
                }
            };
            let accepted = step.probability * probability;
            if to != from {
                matrix[[from, to]] += accepted;
                stays -= accepted;
            }
        }
        matrix[[from, from]] = stays;
    }
    Ok(matrix)
}
