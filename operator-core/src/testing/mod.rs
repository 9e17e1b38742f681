//! The conformance suite: what every operator promises, checked against independent code.
//!
//! It is written once and run on each backend by [`check_backend`], on each device by [`check_backend_on`];
//! authors of operators run [`check_operator`] (or [`check_custom_operator`] for a kernel of their own) on
//! what they made, and [`check_agree`] on the same operator in two forms. A check returns what it found
//! wrong as a message.
//!
//! References come from code that shares nothing with the kernels: [`kronecker_dense`] multiplies out full
//! matrices, and [`reference_row`] applies one term at a time, on spaces of any size. Authors of wave
//! functions run [`check_walker`]. Tests that are generic in the backend are run on several by
//! [`on_backends!`](crate::on_backends).

mod agree;
mod backend;
mod catalogue;
mod kronecker;
mod on_backends;
mod operator;
mod random;
mod reference;
mod table;
mod walker;

pub use agree::check_agree;
pub use backend::{
    check_backend, check_backend_on, check_definition, check_definition_on, check_single_precision_on,
};
pub use catalogue::{Entry, catalogue};
pub use kronecker::kronecker_dense;
pub use on_backends::TestResult;
pub use operator::{check_custom_operator, check_operator};
pub use random::{SplitMix, test_samples};
pub use reference::{check_against_reference, reference_row};
pub use table::Table;
pub use walker::{check_walker, check_walker_within};

use num_complex::Complex64;

use crate::element::Element;

/// The result of a check: what is wrong, if anything is.
pub type Checked = Result<(), String>;

/// Fails with a message unless the condition holds.
macro_rules! ensure {
    ($condition:expr, $($message:tt)+) => {
        if !$condition {
            return Err(format!($($message)+));
        }
    };
}
pub(crate) use ensure;

/// Puts a name before the message of an error.
fn within<T, E: std::fmt::Display>(name: &str, result: Result<T, E>) -> Result<T, String> {
    result.map_err(|error| format!("{name}: {error}"))
}

/// Whether two matrix elements of an operator whose elements are of the size `scale` are equal to rounding.
fn close<T: Element>(a: Complex64, b: Complex64, scale: f64) -> bool {
    let epsilon = if size_of::<T::Real>() == 4 { 1e-5 } else { 1e-11 };
    (a - b).norm() <= epsilon * scale.max(1.0)
}
