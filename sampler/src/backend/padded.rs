//! Moves of operators of the padded backend, batch by batch.

use backend_padded::{Padded, TensorConn, failed};
use candle_core::{DType, Tensor};
use ndarray::Array2;
use operator_core::{Backend, Error, Result};

use super::{Connections, HamiltonianBackend};

/// Batches are counted and chosen from on the host, over all threads, and the chosen states go to the operator's
/// device. On the CPU, chains follow the operator's moves one by one.
impl<O: TensorConn> HamiltonianBackend<O> for Padded {
    fn n_off_diagonal(operator: &O, x: &Tensor) -> Result<Vec<usize>> {
        let counts = operator.n_off_diagonal(x)?;
        let counts =
            counts.to_dtype(DType::U32).and_then(|counts| counts.to_vec1::<u32>()).map_err(failed)?;
        Ok(counts.into_iter().map(|n| n as usize).collect())
    }

    fn select_off_diagonal(operator: &O, x: &Tensor, numbers: &[usize]) -> Result<Tensor> {
        let narrow = |&number: &usize| {
            u32::try_from(number).map_err(|_| Error::Count {
                what: "as number of a connected state".into(),
                got: number,
                expected: format!("at most {}", u32::MAX),
            })
        };
        let numbers = numbers.iter().map(narrow).collect::<Result<Vec<u32>>>()?;
        let n = numbers.len();
        let numbers = Tensor::from_vec(numbers, n, &operator.device()).map_err(failed)?;
        operator.select_off_diagonal(x, &numbers)
    }

    fn connections(operator: &O) -> Option<Box<dyn Connections + '_>> {
        let engine = operator.engine().filter(|_| operator.device().is_cpu())?;
        Some(Box::new(engine.moves()))
    }
}

/// Counts of a batch on the host.
pub(super) fn n_off_diagonal<O: TensorConn>(operator: &O, x: &Array2<i8>) -> Result<Vec<usize>> {
    Padded::n_off_diagonal(operator, &Padded::from_host(x.view(), &operator.device())?)
}

/// Choices for a batch on the host.
pub(super) fn select_off_diagonal<O: TensorConn>(
    operator: &O,
    x: &Array2<i8>,
    numbers: &[usize],
) -> Result<Array2<i8>> {
    let x = Padded::from_host(x.view(), &operator.device())?;
    Padded::to_host(&Padded::select_off_diagonal(operator, &x, numbers)?)
}

pub(super) fn connections<O: TensorConn>(operator: &O) -> Option<Box<dyn Connections + '_>> {
    Padded::connections(operator)
}
