use ndarray::{Array1, Array2, ArrayView2};
use num_complex::Complex64;
use operator_core::{DiscreteOperator, Error, Result, WaveFunction};

use crate::local_kernel::for_blocks;
use crate::{Flat, FlatOperator, VisitConn};

/// Local estimators `O_loc(x)`, as [`local_estimators`](crate::local_estimators) gives them, and their
/// derivatives in the operator's parameters, `∂O_loc(x)/∂λ_k = Σ_x' <x|∂O/∂λ_k|x'> ψ(x') / ψ(x)`.
///
/// All derivatives come from one pass over the connected elements: an element is a sum of slots, and these
/// are linear in the parameters.
///
/// # Shapes
/// `x` is `(batch, n_sites)`; returns `(batch,)` and `(batch, n_values)`, the values of the parameters as in
/// [`Parameters::to_vec`](operator_core::Parameters::to_vec).
///
/// # Errors
/// [`Error::NoDefinition`] for a custom kernel; otherwise as [`local_estimators`](crate::local_estimators).
pub fn local_estimators_and_operator_grad<O, W>(
    operator: &O,
    wave_function: &W,
    x: ArrayView2<'_, i8>,
    chunk_size: Option<usize>,
) -> Result<(Array1<Complex64>, Array2<Complex64>)>
where
    O: DiscreteOperator<Backend = Flat> + ?Sized,
    W: WaveFunction<Flat> + ?Sized,
{
    let definition = operator.definition().ok_or_else(|| Error::NoDefinition {
        operator: operator.describe(),
        action: "be differentiated in its parameters",
    })?;
    let (pattern, forms) = (FlatOperator::pattern(definition), definition.forms());
    let parameters = definition.parameters().to_vec();
    let slots: Vec<Complex64> = forms.values(&parameters);
    let mut local = Array1::zeros(x.nrows());
    let mut derivatives = Array2::zeros((x.nrows(), parameters.len()));
    let mut scratch = Default::default();
    for_blocks(&pattern, wave_function, x, chunk_size, |block, _, ratios| {
        let mut ratios = ratios.iter();
        for sample in block {
            let (estimator, mut gradient) = (&mut local[sample], derivatives.row_mut(sample));
            pattern.visit_conn(&x.row(sample).to_vec(), &mut scratch, &mut |connected, _| {
                let ratio = ratios.next().copied().unwrap_or_default();
                connected.for_each_slot(|slot, negative| {
                    let ratio = if negative { -ratio } else { ratio };
                    *estimator += slots[slot] * ratio;
                    for (parameter, factor) in forms.form(slot) {
                        if let Some(k) = parameter {
                            gradient[k] += factor * ratio;
                        }
                    }
                });
            })?;
        }
        Ok(())
    })?;
    Ok((local, derivatives))
}
