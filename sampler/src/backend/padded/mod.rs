//! Moves of operators of the padded backend, batch by batch, and chains that stay on a device.

mod chains;

use std::any::Any;

use backend_padded::{Padded, TensorConn, failed};
use candle_core::{DType, Device, Tensor};
use ndarray::Array2;
use operator_core::{Backend, Error, HilbertSpace, Result};

use self::chains::{BySites, ByStates, TensorChains};
use super::{Connections, DeviceChains, HamiltonianBackend};
use crate::rule::SiteMoves;

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

    fn device_chains<'a>(operator: &'a O, x: &Tensor) -> Result<Option<Box<dyn DeviceChains<Self> + 'a>>> {
        let Some(origins) = operator.origins(x)? else { return Ok(None) };
        let chains = TensorChains::new(x, ByStates::new(origins)).map_err(failed)?;
        Ok(Some(Box::new(chains)))
    }
}

/// The device, if it is one of this backend.
pub(super) fn device<D: 'static>(device: &D) -> Option<&Device> {
    (device as &dyn Any).downcast_ref()
}

/// The batch, if it is one of this backend.
pub(super) fn tensor<X: 'static>(x: &X) -> Option<&Tensor> {
    (x as &dyn Any).downcast_ref()
}

/// Elsewhere, kernels run on the host.
pub(super) fn has_chains_of_its_own(device: &Device) -> bool {
    device.is_cuda()
}

/// Chains at `x` that change sites.
pub(super) fn device_chains(
    hilbert: &HilbertSpace,
    moves: &SiteMoves,
    x: &Tensor,
) -> Result<Box<dyn DeviceChains<Padded>>> {
    let moves = backend_padded::SiteMoves::new(hilbert, moves.kinds(), x.device()).map_err(failed)?;
    Ok(Box::new(TensorChains::new(x, BySites(moves)).map_err(failed)?))
}

/// The same chains for code that does not know that its backend is this one; `None` if it is another.
pub(super) fn of_backend<B: Backend>(
    chains: Box<dyn DeviceChains<Padded>>,
) -> Option<Box<dyn DeviceChains<B>>> {
    let chains: Box<dyn Any> = Box::new(chains);
    chains.downcast().ok().map(|chains| *chains)
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
