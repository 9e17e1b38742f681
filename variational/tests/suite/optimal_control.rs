//! The gradients of the example `optimal_control`.
#![cfg(all(feature = "flat", feature = "padded"))]

#[path = "../../examples/common/control.rs"]
mod control;

use crate::common::TestResult;
use control::{Gradient, Problem};
use operator_core::testing::SplitMix;

/// Of derivative operators, of automatic differentiation, and central differences with step 10⁻⁵, whose error
/// is about 10⁻¹⁰.
#[test]
fn gradients_of_the_fidelity_agree() -> TestResult {
    let problem = || Problem::cat_state(5, 2.0);
    let (grape, autograd) =
        (control::flat::Grape::new(problem()?)?, control::padded::Autograd::new(&problem()?)?);
    let mut rng = SplitMix::new(1);
    let fields: Vec<f64> = (0..6).map(|_| 1.5 * rng.number()).chain([0.0]).collect();
    let (fidelity, gradient) = grape.fidelity_and_grad(&fields)?;
    let (other_fidelity, other_gradient) = autograd.fidelity_and_grad(&fields)?;
    assert!(fidelity > 0.0 && fidelity < 1.0);
    assert!((fidelity - other_fidelity).abs() < 1e-12, "{fidelity} {other_fidelity}");
    for k in 0..fields.len() {
        assert!((gradient[k] - other_gradient[k]).abs() < 1e-12, "{} {}", gradient[k], other_gradient[k]);
        let at = |step: f64| {
            let mut moved = fields.clone();
            moved[k] += step;
            grape.fidelity_and_grad(&moved)
        };
        let difference = (at(1e-5)?.0 - at(-1e-5)?.0) / 2e-5;
        assert!((gradient[k] - difference).abs() < 1e-8, "{k}: {} {difference}", gradient[k]);
        assert!(gradient[k].abs() > 1e-6, "a gradient that is not 0");
    }
    Ok(())
}
