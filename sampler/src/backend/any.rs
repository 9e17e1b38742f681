//! Operators whose backend is chosen at run time: their own backend does the work.

use ndarray::Array2;
use operator_core::Result;
use sum_operator::{Any, AnyOperator, with_operator};

use super::{Connections, HamiltonianBackend};

/// The operator inside chooses the backend; batches are on the host.
impl HamiltonianBackend<AnyOperator> for Any {
    fn n_off_diagonal(operator: &AnyOperator, x: &Array2<i8>) -> Result<Vec<usize>> {
        with_operator!(
            operator,
            flat(operator) => super::flat::n_off_diagonal(operator, x),
            padded(operator) => super::padded::n_off_diagonal(operator, x)
        )
    }

    fn select_off_diagonal(operator: &AnyOperator, x: &Array2<i8>, numbers: &[usize]) -> Result<Array2<i8>> {
        with_operator!(
            operator,
            flat(operator) => super::flat::select_off_diagonal(operator, x, numbers),
            padded(operator) => super::padded::select_off_diagonal(operator, x, numbers)
        )
    }

    fn connections(operator: &AnyOperator) -> Option<Box<dyn Connections + '_>> {
        with_operator!(
            operator,
            flat(operator) => super::flat::connections(operator),
            padded(operator) => super::padded::connections(operator)
        )
    }
}
