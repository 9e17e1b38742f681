//! Exact tests of rules on small spaces, for rules of this crate and of others. Needs the feature `testing`.

mod enumerate;
mod rules;
mod transition;

pub use enumerate::{Enumerate, EnumerateHost, Move};
pub use transition::exact_transition_matrix;
