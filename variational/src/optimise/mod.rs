//! Optimisers: from what a batch says about the energy to a step of the parameters.

mod sgd;
mod sr;
mod vmc;

pub use sgd::Sgd;
pub use sr::Sr;
pub use vmc::{Step, Vmc};

use ndarray::Array1;

use crate::error::Result;
use crate::response::Response;

/// A rule for the next step of the parameters.
pub trait Optimiser {
    /// What is added to the parameters, shape `(n_parameters,)`.
    ///
    /// # Errors
    /// Whatever keeps the step from being found.
    fn step(&mut self, response: &Response) -> Result<Array1<f64>>;
}

/// Refuses learning rates and the like that are not positive numbers.
fn check_positive(what: &'static str, value: f64) -> Result<f64> {
    match value > 0.0 && value.is_finite() {
        true => Ok(value),
        false => Err(crate::Error::Setting {
            what,
            value: value.to_string(),
            expected: "it must be a positive number",
        }),
    }
}
