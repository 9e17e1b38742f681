//! Exact tests of rules on small spaces, for rules of this crate and of others.

mod transition;

pub use transition::exact_transition_matrix;
