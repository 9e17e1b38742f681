//! The conformance suite: checks the promises of every operator against independent code.
//!
//! [`check_backend`] runs the suite on a backend, and [`check_backend_on`] on one of its devices. Authors of
//! operators run [`check_operator`] on them, or [`check_custom_operator`] for an operator with its own kernel.
//! [`check_agree`] compares two forms of one operator. A check returns the first fault as a message.
//!
//! The references share no code with the kernels: [`kronecker_dense`] multiplies out full matrices, and
//! [`reference_row`] applies one term at a time, on spaces of any size. Authors of wave functions run
//! [`check_walker`]. [`on_backends!`](crate::on_backends) runs generic tests on several backends,
//! and [`refused!`](crate::refused) checks which calls fail.

mod agree;
mod backend;
mod catalogue;
mod kronecker;
mod on_backends;
mod operator;
mod random;
mod reference;
mod refused;
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

/// The result of a check; an error says what is wrong.
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

/// Puts a name in front of an error's message.
fn within<T, E: std::fmt::Display>(name: &str, result: Result<T, E>) -> Result<T, String> {
    result.map_err(|error| format!("{name}: {error}"))
}

/// Whether two matrix elements are equal up to rounding, for an operator with elements of size `scale`.
fn close<T: Element>(a: Complex64, b: Complex64, scale: f64) -> bool {
    let epsilon = if size_of::<T::Real>() == 4 { 1e-5 } else { 1e-11 };
    (a - b).norm() <= epsilon * scale.max(1.0)
}
