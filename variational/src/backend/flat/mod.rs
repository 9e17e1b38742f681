//! The flat backend: ndarray, on the host.

mod estimate;
mod network;
#[cfg(test)]
mod stored_operator_tests;

pub(super) use estimate::{any_local_estimators, any_operator_grad};
