//! Stands for a backend that this crate was built without, although another crate may have turned it on in
//! `sum-operator`.
#![allow(dead_code, reason = "this crate cannot see which backends sum-operator has")]

use std::num::NonZeroUsize;

use ndarray::{Array1, Array2};
use num_complex::Complex64;
use operator_core::{Backend, DiscreteOperator, Error, Result};

fn error<O: DiscreteOperator>() -> Error {
    let name = <O::Backend as Backend>::NAME;
    Error::backend(name, format!("variational was built without it; turn on its feature {name:?}"))
}

pub(super) fn any_local_estimators<O: DiscreteOperator, W>(
    _: &O,
    _: &W,
    _: &Array2<i8>,
    _: Option<NonZeroUsize>,
) -> Result<Array1<Complex64>> {
    Err(error::<O>())
}

pub(super) fn any_operator_grad<O: DiscreteOperator, W>(
    _: &O,
    _: &W,
    _: &Array2<i8>,
    _: Option<NonZeroUsize>,
) -> Result<(Array1<Complex64>, Array2<Complex64>)> {
    Err(error::<O>())
}
