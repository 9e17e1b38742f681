use backend_padded::{Padded, TensorConn};
use candle_core::{DType, Device, Tensor};
use operator_core::{Error, Result};

use super::HamiltonianBackend;

/// Counts and choices are made on the operator's device; only `(batch,)` numbers go to and from the host.
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
        let numbers = Tensor::from_vec(numbers, n, operator.device()).map_err(failed)?;
        operator.select_off_diagonal(x, &numbers)
    }

    fn device(operator: &O) -> Device {
        operator.device().clone()
    }
}

fn failed(error: candle_core::Error) -> Error {
    Error::backend("padded", error)
}
