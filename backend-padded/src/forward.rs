//! References and smart pointers to operators of this backend give tensors too.

use std::sync::Arc;

use candle_core::Tensor;
use operator_core::Result;
use operator_core::kernel::Engine;

use crate::conn::{ConnTensors, TensorConn};
use crate::differentiable::Differentiable;
use crate::origins::Origins;

macro_rules! forward {
    ($($pointer:ty),*) => {
        $(impl<O: TensorConn + ?Sized> TensorConn for $pointer {
            fn conn(&self, x: &Tensor) -> Result<ConnTensors> {
                (**self).conn(x)
            }

            fn conn_into(&self, x: &Tensor, conn: &mut ConnTensors) -> Result<()> {
                (**self).conn_into(x, conn)
            }

            fn conn_unchecked(&self, x: &Tensor) -> Result<ConnTensors> {
                (**self).conn_unchecked(x)
            }

            fn n_off_diagonal(&self, x: &Tensor) -> Result<Tensor> {
                (**self).n_off_diagonal(x)
            }

            fn select_off_diagonal(&self, x: &Tensor, k: &Tensor) -> Result<Tensor> {
                (**self).select_off_diagonal(x, k)
            }

            fn origins(&self, x: &Tensor) -> Result<Option<Origins<O::Element>>> {
                (**self).origins(x)
            }

            fn engine(&self) -> Option<&Engine<O::Element>> {
                (**self).engine()
            }

            fn parameters_as_tensor(&self) -> Option<&Tensor> {
                (**self).parameters_as_tensor()
            }

            fn differentiable(&self) -> Result<&Differentiable> {
                (**self).differentiable()
            }
        })*
    };
}
forward!(&O, Arc<O>, Box<O>);
