//! Replaces a backend that this crate was built without; its functions return errors. Another crate may have turned it on in `sum-operator`.
#![allow(dead_code, reason = "which backends sum-operator has cannot be seen from here")]

use ndarray::Array2;
use operator_core::{Backend, DiscreteOperator, Error, Result};

use super::Connections;

fn error<O: DiscreteOperator>() -> Error {
    let name = <O::Backend as Backend>::NAME;
    Error::backend(name, format!("the sampler was built without it; turn on its feature {name:?}"))
}

pub(super) fn n_off_diagonal<O: DiscreteOperator>(_: &O, _: &Array2<i8>) -> Result<Vec<usize>> {
    Err(error::<O>())
}

pub(super) fn select_off_diagonal<O: DiscreteOperator>(
    _: &O,
    _: &Array2<i8>,
    _: &[usize],
) -> Result<Array2<i8>> {
    Err(error::<O>())
}

pub(super) fn connections<O: DiscreteOperator>(_: &O) -> Option<Box<dyn Connections + '_>> {
    None
}
