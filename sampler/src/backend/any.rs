use ndarray::Array2;
use operator_core::Result;
use sum_operator::{Any, AnyOperator};

use super::{Connections, HamiltonianBackend};

#[cfg(feature = "flat")]
use backend_flat::Flat;
#[cfg(feature = "padded")]
use {
    backend_padded::{Padded, TensorConn},
    operator_core::Backend,
};

/// The operator's variant chooses the backend; batches are on the host.
impl HamiltonianBackend<AnyOperator> for Any {
    fn n_off_diagonal(operator: &AnyOperator, x: &Array2<i8>) -> Result<Vec<usize>> {
        match operator {
            #[cfg(feature = "flat")]
            AnyOperator::Flat(operator) => Flat::n_off_diagonal(operator, x),
            #[cfg(feature = "flat")]
            AnyOperator::FlatComplex(operator) => Flat::n_off_diagonal(operator, x),
            #[cfg(feature = "padded")]
            AnyOperator::Padded(operator) => padded_counts(operator, x),
            #[cfg(feature = "padded")]
            AnyOperator::PaddedComplex(operator) => padded_counts(operator, x),
        }
    }

    fn select_off_diagonal(operator: &AnyOperator, x: &Array2<i8>, numbers: &[usize]) -> Result<Array2<i8>> {
        match operator {
            #[cfg(feature = "flat")]
            AnyOperator::Flat(operator) => Flat::select_off_diagonal(operator, x, numbers),
            #[cfg(feature = "flat")]
            AnyOperator::FlatComplex(operator) => Flat::select_off_diagonal(operator, x, numbers),
            #[cfg(feature = "padded")]
            AnyOperator::Padded(operator) => padded_choice(operator, x, numbers),
            #[cfg(feature = "padded")]
            AnyOperator::PaddedComplex(operator) => padded_choice(operator, x, numbers),
        }
    }

    fn connections(operator: &AnyOperator) -> Option<Box<dyn Connections + '_>> {
        match operator {
            #[cfg(feature = "flat")]
            AnyOperator::Flat(operator) => Flat::connections(operator),
            #[cfg(feature = "flat")]
            AnyOperator::FlatComplex(operator) => Flat::connections(operator),
            #[cfg(feature = "padded")]
            AnyOperator::Padded(_) | AnyOperator::PaddedComplex(_) => None,
        }
    }
}

#[cfg(feature = "padded")]
fn padded_counts<O: TensorConn>(operator: &O, x: &Array2<i8>) -> Result<Vec<usize>> {
    Padded::n_off_diagonal(operator, &Padded::from_host(x.view(), TensorConn::device(operator))?)
}

#[cfg(feature = "padded")]
fn padded_choice<O: TensorConn>(operator: &O, x: &Array2<i8>, numbers: &[usize]) -> Result<Array2<i8>> {
    let x = Padded::from_host(x.view(), TensorConn::device(operator))?;
    Padded::to_host(&Padded::select_off_diagonal(operator, &x, numbers)?)
}
