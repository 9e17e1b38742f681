//! Sums, products and embeddings on the padded backend, as tensors. Gradients flow through them.

use std::fmt;
use std::ops::Range;

use backend_padded::{ComplexTensor, ConnTensors, Padded, PaddedKernel, PaddedOperator, TensorConn};
use candle_core::{Error as CandleError, Result as CandleResult, Tensor};
use num_complex::Complex64;
use operator_core::{Definition, DiscreteOperator, Element, HilbertSpace, Result};

use crate::combine::Combine;
use crate::describe::{describe_embedded, describe_product, describe_sum, sum_is_hermitian};

impl<T: Element> Combine<PaddedOperator<T>> for Padded {
    /// An operator whose parameters are a tensor remains a separate kernel, so that gradients flow into it.
    fn terms_of(operator: &PaddedOperator<T>) -> Option<&Definition> {
        operator.definition().filter(|_| operator.parameter_tensor().is_none())
    }

    fn lower_like(definition: &Definition, like: &PaddedOperator<T>) -> Result<PaddedOperator<T>> {
        PaddedOperator::new(definition.clone(), like.device())
    }

    fn sum(summands: &[(T, PaddedOperator<T>)]) -> Result<PaddedOperator<T>> {
        let device = summands[0].1.device();
        PaddedOperator::custom_on(Sum(summands.to_vec()), device)
    }

    fn product(left: &PaddedOperator<T>, right: &PaddedOperator<T>) -> Result<PaddedOperator<T>> {
        let device = left.device();
        PaddedOperator::custom_on(Product { left: left.clone(), right: right.clone() }, device)
    }

    fn embed(
        operator: &PaddedOperator<T>,
        hilbert: &HilbertSpace,
        sites: Range<usize>,
    ) -> Result<PaddedOperator<T>> {
        let device = operator.device();
        let embedded = Embedded { operator: operator.clone(), hilbert: hilbert.clone(), sites };
        PaddedOperator::custom_on(embedded, device)
    }
}

fn conn<T: Element>(operator: &PaddedOperator<T>, x: &Tensor) -> CandleResult<ConnTensors> {
    operator.conn(x).map_err(CandleError::wrap)
}

/// At least one summand.
struct Sum<T: Element>(Vec<(T, PaddedOperator<T>)>);

impl<T: Element> PaddedKernel<T> for Sum<T> {
    fn hilbert(&self) -> &HilbertSpace {
        self.0[0].1.hilbert()
    }

    fn max_conn_size(&self) -> usize {
        self.0.iter().map(|(_, operator)| operator.max_conn_size()).sum()
    }

    fn connect(&self, x: &Tensor) -> CandleResult<ConnTensors> {
        let (mut states, mut mels) = (Vec::new(), Vec::new());
        for (coefficient, operator) in &self.0 {
            let own = conn(operator, x)?;
            states.push(own.states(x.dtype())?);
            mels.push(own.mels().scaled(coefficient.to_complex())?);
        }
        Ok(ConnTensors::new(Tensor::cat(&states, 1)?, ComplexTensor::cat(&mels, 1)?))
    }

    fn is_hermitian(&self) -> Option<bool> {
        sum_is_hermitian(&self.0)
    }
}

impl<T: Element> fmt::Debug for Sum<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&describe_sum(&self.0))
    }
}

struct Product<T: Element> {
    left: PaddedOperator<T>,
    right: PaddedOperator<T>,
}

impl<T: Element> PaddedKernel<T> for Product<T> {
    fn hilbert(&self) -> &HilbertSpace {
        self.left.hilbert()
    }

    fn max_conn_size(&self) -> usize {
        self.left.max_conn_size().saturating_mul(self.right.max_conn_size())
    }

    /// For each slot of the left operator, the slots of the right one. Several slots may hold the same x'.
    fn connect(&self, x: &Tensor) -> CandleResult<ConnTensors> {
        let (batch, n_sites) = x.dims2()?;
        let (n_left, n_right) = (self.left.max_conn_size(), self.right.max_conn_size());
        let left = conn(&self.left, x)?;
        let right = conn(&self.right, &left.states(x.dtype())?.reshape((batch * n_left, n_sites))?)?;
        let states = right.states(x.dtype())?.reshape((batch, n_left * n_right, n_sites))?;
        let left = left.mels().map(|part| part.unsqueeze(2))?;
        let right = right.mels().map(|part| part.reshape((batch, n_left, n_right)))?;
        let mels = left.broadcast_mul(&right)?.map(|part| part.reshape((batch, n_left * n_right)))?;
        Ok(ConnTensors::new(states, mels))
    }
}

impl<T: Element> fmt::Debug for Product<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&describe_product(&self.left, &self.right))
    }
}

struct Embedded<T: Element> {
    operator: PaddedOperator<T>,
    hilbert: HilbertSpace,
    sites: Range<usize>,
}

impl<T: Element> PaddedKernel<T> for Embedded<T> {
    fn hilbert(&self) -> &HilbertSpace {
        &self.hilbert
    }

    fn max_conn_size(&self) -> usize {
        self.operator.max_conn_size()
    }

    fn connect(&self, x: &Tensor) -> CandleResult<ConnTensors> {
        let (batch, n_sites) = x.dims2()?;
        let Range { start, end } = self.sites;
        let width = self.max_conn_size();
        let own = conn(&self.operator, &x.narrow(1, start, end - start)?.contiguous()?)?;
        let (own_states, mels) = (own.states(x.dtype())?, own.mels().clone());
        let beside = |from: usize, to: usize| {
            x.narrow(1, from, to - from)?.unsqueeze(1)?.expand((batch, width, to - from))
        };
        let mut states = Vec::with_capacity(3);
        // Candle's `cat` panics on tensors without elements.
        if start > 0 {
            states.push(beside(0, start)?);
        }
        states.push(own_states);
        if end < n_sites {
            states.push(beside(end, n_sites)?);
        }
        Ok(ConnTensors::new(Tensor::cat(&states, 2)?, mels))
    }

    fn is_hermitian(&self) -> Option<bool> {
        Some(self.operator.is_hermitian())
    }
}

impl<T: Element> fmt::Debug for Embedded<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&describe_embedded(&self.operator, &self.sites, &self.hilbert))
    }
}

/// A real operator with complex elements.
pub(crate) struct Complexified(pub(crate) PaddedOperator<f64>);

impl PaddedKernel<Complex64> for Complexified {
    fn hilbert(&self) -> &HilbertSpace {
        self.0.hilbert()
    }

    fn max_conn_size(&self) -> usize {
        self.0.max_conn_size()
    }

    fn connect(&self, x: &Tensor) -> CandleResult<ConnTensors> {
        conn(&self.0, x)
    }

    fn is_hermitian(&self) -> Option<bool> {
        Some(self.0.is_hermitian())
    }
}

impl fmt::Debug for Complexified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.describe())
    }
}
