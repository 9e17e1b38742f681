//! Differentiable time evolution on tensors.

use backend_padded::{ComplexTensor, Padded, TensorConn, failed};
use candle_core::{D, DType, Tensor};
use num_complex::Complex64;
use operator_core::{Backend, Error};

use crate::dynamics::{Series, minus_i};
use crate::error::Result;

/// [`evolve`](crate::dynamics::evolve) on tensors. Gradients flow through it to the state, and to the
/// operator's parameters if they come from a tensor
/// ([`with_parameter_tensor`](backend_padded::PaddedOperator::with_parameter_tensor)).
///
/// # Shapes
/// `psi` and the result are `(n_states,)`.
///
/// # Errors
/// As [`evolve`](crate::dynamics::evolve); [`Backend`](Error::Backend) if the device fails.
pub fn evolve_tensor<O: TensorConn>(operator: &O, psi: &ComplexTensor, time: f64) -> Result<ComplexTensor> {
    let matrix = TensorMatrix::new(operator)?;
    if psi.dims() != [matrix.n_states] {
        let (got, expected) = (psi.re().elem_count(), matrix.n_states);
        return Err(Error::VectorLength { got, expected, hilbert: operator.hilbert().to_string() }.into());
    }
    let series = Series::new(matrix.norm_bound().map_err(failed)?, time)?;
    series.sum(
        psi.clone(),
        |term, factor| Ok(matrix.apply(term, minus_i(factor)).map_err(failed)?),
        |sum, term| {
            *sum = sum.add(term).map_err(failed)?;
            Ok(())
        },
    )
}

/// All elements of an operator, padded to equal rows.
struct TensorMatrix {
    n_states: usize,
    /// Shape `(n_states · max_conn_size,)`.
    columns: Tensor,
    /// Shape `(n_states, max_conn_size)`.
    mels: ComplexTensor,
}

impl TensorMatrix {
    fn new<O: TensorConn>(operator: &O) -> Result<Self> {
        let (hilbert, device) = (operator.hilbert(), operator.device());
        let n_states = hilbert.n_states()?;
        let x = Padded::from_host(hilbert.all_states()?.view(), &device)?;
        let conn = operator.conn(&x)?;
        let (states, mels) =
            (conn.states(x.dtype()).and_then(|states| states.flatten(0, 1)), conn.mels().clone());
        let states = Padded::to_host(&states.map_err(failed)?)?;
        let columns = hilbert.states_to_indices(states.view())?;
        let columns: Vec<u32> =
            columns.into_iter().map(u32::try_from).collect::<Result<_, _>>().map_err(|_| {
                Error::TooLarge {
                    what: format!("a tensor of state numbers of {hilbert}"),
                    bytes: 4.0 * n_states as f64,
                    limit: 4.0 * f64::from(u32::MAX),
                    remedy: "use a smaller space",
                }
            })?;
        let n_elements = columns.len();
        let columns = Tensor::from_vec(columns, n_elements, &device).map_err(failed)?;
        Ok(TensorMatrix { n_states, columns, mels })
    }

    /// `factor H ψ`.
    fn apply(&self, psi: &ComplexTensor, factor: Complex64) -> candle_core::Result<ComplexTensor> {
        let shape = self.mels.re().dims2()?;
        let gathered = psi.map(|part| part.index_select(&self.columns, 0)?.reshape(shape))?;
        self.mels.broadcast_mul(&gathered)?.map(|part| part.sum(D::Minus1))?.scaled(factor)
    }

    /// See `Matrix::norm_bound`.
    fn norm_bound(&self) -> candle_core::Result<f64> {
        let squares = |part: &Tensor| part.detach().to_dtype(DType::F64)?.sqr();
        let squares = match self.mels.im() {
            None => squares(self.mels.re())?,
            Some(im) => (squares(self.mels.re())? + squares(im)?)?,
        };
        let sums = squares.sqrt()?.sum(D::Minus1)?.to_vec1::<f64>()?;
        Ok(sums.into_iter().fold(0.0, f64::max))
    }
}
