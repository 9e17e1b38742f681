//! Parameters of wave functions in files.

use std::collections::HashSet;
use std::path::Path;

use ndarray::{Array1, ArrayView, IxDyn};
use operator_core::Backend;

use super::snapshot::Snapshot;
use crate::derivatives::{ParameterArray, Trainable};
use crate::error::{Error, Result};

/// Writes the parameters to a safetensors file, each array of the [layout](Trainable::layout) under its name,
/// in double precision.
///
/// ```
/// use operator_core::hilbert::Spin;
/// use variational::{Flat, Rbm, Trainable, load_parameters, save_parameters};
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

/// Reads parameters from a safetensors file, as [`save_parameters`] writes it; single precision is read too,
/// and so are the checkpoints of a run. After an error the parameters are as before.
///
/// # Errors
/// [`Error::File`] if the file cannot be read; [`Error::Content`] if an array is missing, has another shape
/// than the wave function's, or holds NaN or infinity; [`Error::Core`] if the device fails.
pub fn load_parameters<B, W>(path: impl AsRef<Path>, wave_function: &mut W) -> Result<()>
where
    B: Backend,
    W: Trainable<B> + ?Sized,
{
    let parameters = read_parameters(&Snapshot::read(path)?, wave_function)?;
    Ok(wave_function.set_parameters(&parameters)?)
}

/// Adds the arrays of the layout to a snapshot.
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

/// All parameters of a wave function with this layout, shape `(n_parameters,)`.
pub(crate) fn read_parameters<B, W>(snapshot: &Snapshot, wave_function: &W) -> Result<Array1<f64>>
where
    B: Backend,
    W: Trainable<B> + ?Sized,
{
    let n_parameters = wave_function.n_parameters();
    let mut parameters = Vec::with_capacity(n_parameters);
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

/// The layout, if its names are unique and its sizes add up.
fn checked_layout<B, W>(wave_function: &W, n_parameters: usize) -> Result<Vec<ParameterArray>>
where
    B: Backend,
    W: Trainable<B> + ?Sized,
{
    let layout = wave_function.layout();
    let n_values: usize = layout.iter().map(ParameterArray::n_values).sum();
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
