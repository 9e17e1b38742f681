//! The control problem of the example `optimal_control`, with its gradient on each backend.

use variational::ndarray::Array1;
use variational::num_complex::Complex64;
use variational::prelude::*;
use variational::{Boundary, Definition, Graph, Result, dynamics, hilbert::Spin, models::Ising};

/// An Ising ring for a fixed duration, in a field that is constant on each of several equal pieces.
pub(crate) struct Problem {
    /// `−h Σ σx − Σ σz σz`; the field h is the control.
    definition: Definition,
    start: Array1<Complex64>,
    target: Array1<Complex64>,
    duration: f64,
}

impl Problem {
    /// Starts with all spins along x; the target is the cat (GHZ) state, (|up … up> + |down … down>) / √2.
    pub(crate) fn cat_state(n_sites: usize, duration: f64) -> Result<Self> {
        let chain = Graph::chain(n_sites, Boundary::Periodic)?;
        let definition = Ising::new(Spin::half(n_sites)?, &chain, 0.0, -1.0)?.definition()?;
        let n_states = definition.hilbert().n_states()?;
        let start = Array1::from_elem(n_states, Complex64::from((n_states as f64).sqrt().recip()));
        let mut target = Array1::zeros(n_states);
        (target[0], target[n_states - 1]) = (Complex64::from(0.5f64.sqrt()), Complex64::from(0.5f64.sqrt()));
        Ok(Problem { definition, start, target, duration })
    }
}

/// A backend's way to compute the gradient.
pub(crate) trait Gradient {
    /// `F = |<target|U_n … U_1|start>|²` and its derivatives in the fields on the n pieces.
    fn fidelity_and_grad(&self, fields: &[f64]) -> Result<(f64, Vec<f64>)>;
}

#[cfg(feature = "flat")]
pub(crate) mod flat {
    use variational::Flat;
    use variational::backend_flat::FlatOperator;

    use super::*;

    /// GRAPE (Khaneja et al., J. Magn. Reson. 172, 296 (2005)) with exact derivatives: evolves the start forwards and
    /// the target backwards, and takes each piece's derivative, from the operator ∂H/∂h, between the two.
    pub(crate) struct Grape {
        problem: Problem,
        operator: FlatOperator,
        derivative: FlatOperator,
    }

    impl Grape {
        pub(crate) fn new(problem: Problem) -> Result<Self> {
            let operator = problem.definition.lower::<Flat>()?;
            let derivative = problem.definition.derivative("h", 0)?.lower::<Flat>()?;
            Ok(Grape { problem, operator, derivative })
        }

        fn at(&self, field: f64) -> Result<FlatOperator> {
            let mut parameters = self.problem.definition.parameters().clone();
            parameters.set("h", field)?;
            Ok(self.operator.with_parameters(parameters)?)
        }
    }

    impl Gradient for Grape {
        fn fidelity_and_grad(&self, fields: &[f64]) -> Result<(f64, Vec<f64>)> {
            let piece = self.problem.duration / fields.len() as f64;
            let (mut psi, mut varied) = (self.problem.start.clone(), Vec::new());
            for &field in fields {
                let (next, derivative) =
                    dynamics::evolve_with_derivative(&self.at(field)?, &self.derivative, &psi, piece)?;
                psi = next;
                varied.push(derivative);
            }
            let overlap = dot(&self.problem.target, &psi);
            let (mut back, mut gradient) = (self.problem.target.clone(), vec![0.0; fields.len()]);
            for (k, &field) in fields.iter().enumerate().rev() {
                gradient[k] = 2.0 * (overlap.conj() * dot(&back, &varied[k])).re;
                back = dynamics::evolve(&self.at(field)?, &back, -piece)?;
            }
            Ok((overlap.norm_sqr(), gradient))
        }
    }

    fn dot(a: &Array1<Complex64>, b: &Array1<Complex64>) -> Complex64 {
        a.iter().zip(b).map(|(a, b)| a.conj() * b).sum()
    }
}

#[cfg(feature = "padded")]
pub(crate) mod padded {
    use variational::Padded;
    use variational::backend_padded::{self, ComplexTensor, PaddedOperator};
    use variational::candle_core::{self, Device, Tensor, Var};

    use super::*;

    /// Automatic differentiation through the evolution, from the fidelity back to the tensor of parameters.
    pub(crate) struct Autograd {
        operator: PaddedOperator,
        start: ComplexTensor,
        target: ComplexTensor,
        duration: f64,
        /// The parameters at h = 0, and their derivatives in h.
        at_zero: Tensor,
        by_field: Tensor,
    }

    impl Autograd {
        pub(crate) fn new(problem: &Problem) -> Result<Self> {
            let device = Padded::default_device();
            let mut parameters = problem.definition.parameters().clone();
            let mut tensor = |field: f64| -> Result<Tensor> {
                parameters.set("h", field)?;
                Tensor::new(parameters.to_vec(), &device).map_err(failed)
            };
            let (at_zero, at_one) = (tensor(0.0)?, tensor(1.0)?);
            Ok(Autograd {
                operator: problem.definition.lower::<Padded>()?,
                start: Padded::amplitudes_from_host(problem.start.clone(), &device)?,
                target: Padded::amplitudes_from_host(problem.target.clone(), &device)?,
                duration: problem.duration,
                by_field: (at_one - &at_zero).map_err(failed)?,
                at_zero,
            })
        }

        fn fidelity(&self, fields: &Tensor) -> Result<Tensor> {
            let n_pieces = fields.elem_count();
            let mut psi = self.start.clone();
            for k in 0..n_pieces {
                let field = fields.narrow(0, k, 1);
                let parameters = field.and_then(|field| self.by_field.broadcast_mul(&field)? + &self.at_zero);
                let operator = self.operator.with_parameter_tensor(&parameters.map_err(failed)?)?;
                psi = variational::padded::evolve_tensor(&operator, &psi, self.duration / n_pieces as f64)?;
            }
            // The target is real.
            let overlap = psi.map(|part| (part * self.target.re())?.sum_all()?.sqr()).map_err(failed)?;
            match overlap.into_parts() {
                (re, Some(im)) => (re + im).map_err(failed),
                (re, None) => Ok(re),
            }
        }
    }

    impl Gradient for Autograd {
        fn fidelity_and_grad(&self, fields: &[f64]) -> Result<(f64, Vec<f64>)> {
            let fields = Var::from_slice(fields, fields.len(), &Device::Cpu).map_err(failed)?;
            let fidelity = self.fidelity(&fields)?;
            let gradient = fidelity.backward().and_then(|gradients| match gradients.get(&fields) {
                Some(gradient) => gradient.to_vec1::<f64>(),
                None => Ok(vec![0.0; fields.elem_count()]),
            });
            Ok((fidelity.to_scalar::<f64>().map_err(failed)?, gradient.map_err(failed)?))
        }
    }

    fn failed(error: candle_core::Error) -> variational::Error {
        backend_padded::failed(error).into()
    }
}
