//! Follows one configuration after another, as a walker does: how many moves each has, and which.

mod dependents;
mod follow;
mod sum_tree;

pub(crate) use dependents::Dependents;
pub use follow::Moves;
