//! Files with the parameters of wave functions.

use std::collections::HashSet;
use std::path::Path;

use ndarray::{Array1, ArrayView, IxDyn};
use operator_core::Backend;

use super::snapshot::Snapshot;
use crate::derivatives::{ParameterArray, Trainable};
use crate::error::{Error, Result};

/// Writes the parameters to a safetensors file in double precision, each array of the
/// [layout](Trainable::layout) under its own name.
///
/// ```
/// use variational::prelude::*;
/// use variational::{Flat, Rbm, hilbert::Spin, load_parameters, save_parameters};
///
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("rbm.safetensors");
/// let rbm = Rbm::<Flat>::new(Spin::half(4)?, 1.0)?.with_seed(1).with_sigma(0.1)?;
/// save_parameters(&path, &rbm)?;
/// let mut other = Rbm::<Flat>::new(Spin::half(4)?, 1.0)?.with_seed(2).with_sigma(0.1)?;
/// load_parameters(&path, &mut other)?;
/// assert_eq!(other.parameters(), rbm.parameters());
/// # Ok::<(), variational::Error>(())
/// ```
///
/// # Errors
/// [`Error::File`] if the file cannot be written; [`Error::Layout`] if the wave function's layout does not
/// fit its parameters.
pub fn save_parameters<B, W>(path: impl AsRef<Path>, wave_function: &W) -> Result<()>
where
    B: Backend,
    W: Trainable<B> + ?Sized,
{
    let mut snapshot = Snapshot::new();
    insert_parameters(&mut snapshot, wave_function)?;
    snapshot.write(path)
}

/// Reads parameters from a safetensors file written by [`save_parameters`], or from a run's checkpoint. Arrays may be
/// in single precision. An error leaves the parameters as they were.
///
/// # Errors
/// [`Error::File`] if the file cannot be read; [`Error::Content`] if an array is missing, has the wrong shape, or
/// holds NaN or infinity; [`Error::Core`] if the device fails.
pub fn load_parameters<B, W>(path: impl AsRef<Path>, wave_function: &mut W) -> Result<()>
where
    B: Backend,
    W: Trainable<B> + ?Sized,
{
    let parameters = read_parameters(&Snapshot::read(path)?, wave_function)?;
    Ok(wave_function.set_parameters(&parameters)?)
}

/// Adds the arrays of the wave function's layout to a snapshot.
pub(crate) fn insert_parameters<B, W>(snapshot: &mut Snapshot, wave_function: &W) -> Result<()>
where
    B: Backend,
    W: Trainable<B> + ?Sized,
{
    let parameters = wave_function.parameters().to_vec();
    let mut rest = parameters.as_slice();
    for layout in checked_layout(wave_function, parameters.len())? {
        let (values, behind) = rest.split_at(layout.n_values());
        rest = behind;
        let array = ArrayView::from_shape(IxDyn(layout.shape()), values);
        snapshot.insert(layout.name(), array.map_err(|error| Error::Layout { reason: error.to_string() })?);
    }
    Ok(())
}

/// Reads all parameters of a wave function, shape `(n_parameters,)`.
pub(crate) fn read_parameters<B, W>(snapshot: &Snapshot, wave_function: &W) -> Result<Array1<f64>>
where
    B: Backend,
    W: Trainable<B> + ?Sized,
{
    let n_parameters = wave_function.n_parameters();
    let mut parameters = Vec::new();
    for layout in checked_layout(wave_function, n_parameters)? {
        let name = layout.name();
        let array = snapshot.array_of_shape::<f64, IxDyn>(name, layout.shape())?;
        if let Some(value) = array.iter().find(|value| !value.is_finite()) {
            return Err(snapshot.error(format!("array {name:?} holds {value}; parameters must be finite")));
        }
        parameters.extend(array);
    }
    Ok(parameters.into())
}

/// The layout, after checking that its names are unique and its sizes add up.
fn checked_layout<B, W>(wave_function: &W, n_parameters: usize) -> Result<Vec<ParameterArray>>
where
    B: Backend,
    W: Trainable<B> + ?Sized,
{
    let layout = wave_function.layout();
    let n_values = layout.iter().map(ParameterArray::n_values).fold(0, usize::saturating_add);
    if n_values != n_parameters {
        let reason = format!("its arrays hold {n_values} values; expected {n_parameters}, one a parameter");
        return Err(Error::Layout { reason });
    }
    let mut names = HashSet::new();
    match layout.iter().find(|array| !names.insert(array.name())) {
        Some(array) => Err(Error::Layout { reason: format!("two arrays are named {:?}", array.name()) }),
        None => Ok(layout),
    }
}
