//! Backend markers, and lowering to them.

use std::fmt::Debug;
use std::ops::Range;

use ndarray::{Array1, Array2, ArrayView2, Axis, Slice};
use num_complex::Complex64;

use crate::definition::Definition;
use crate::element::Element;
use crate::error::{Error, Result};
use crate::operator::DiscreteOperator;

/// Marks where and how an operator runs.
///
/// Markers are zero-sized types, `Flat` in `backend-flat` and `Padded` in `backend-padded`. An operator
/// names its marker as [`DiscreteOperator::Backend`]. Everything that works on operators (samplers, local
/// kernels, expectation values, sums) finds its implementation through the marker. Code that is generic over
/// `B: Backend` runs on every backend.
pub trait Backend: Copy + Debug + Default + PartialEq + Send + Sync + 'static {
    /// Name for messages and tables.
    const NAME: &'static str;

    /// Where the backend can run.
    type Device: Clone + Debug + Send + Sync;

    /// A batch of configurations of quantum numbers, shape `(batch, n_sites)`.
    type Configurations: Clone + Debug + Send + Sync;

    /// A complex number for each configuration of a batch, shape `(batch,)`.
    type Amplitudes: Clone + Debug + Send + Sync;

    /// The states that an operator connects to a batch of samples, as operators of this backend hold them: equally many
    /// for each sample.
    type ConnStates: Debug + Send + Sync;

    /// Where to run unless a device is given.
    fn default_device() -> Self::Device;

    /// Whether two devices are the same.
    fn same_device(left: &Self::Device, right: &Self::Device) -> bool;

    /// Checks that two things live on the same device; `what` names them in the error.
    ///
    /// # Errors
    /// [`Error::DeviceMismatch`].
    fn expect_same_device(what: [&'static str; 2], left: &Self::Device, right: &Self::Device) -> Result<()> {
        if Self::same_device(left, right) {
            return Ok(());
        }
        let device = |device: &Self::Device| format!("{device:?}");
        Err(Error::DeviceMismatch { what, left: device(left), right: device(right) })
    }

    /// Brings a batch from the host.
    ///
    /// # Errors
    /// [`Error::Backend`] if the device fails.
    fn from_host(x: ArrayView2<'_, i8>, device: &Self::Device) -> Result<Self::Configurations>;

    /// Brings a batch to the host.
    ///
    /// # Errors
    /// [`Error::Backend`] if the device fails.
    fn to_host(x: &Self::Configurations) -> Result<Array2<i8>>;

    /// Brings amplitudes to the host.
    ///
    /// # Errors
    /// [`Error::Backend`] if the device fails.
    fn amplitudes_to_host(amplitudes: &Self::Amplitudes) -> Result<Array1<Complex64>>;

    /// Brings amplitudes from the host. Wave functions that are evaluated there need it.
    ///
    /// # Errors
    /// [`Error::Backend`] if the device fails.
    fn amplitudes_from_host(amplitudes: Array1<Complex64>, device: &Self::Device)
    -> Result<Self::Amplitudes>;

    /// The sum of two batches of ln ψ: ln of the product of two wave functions.
    ///
    /// # Errors
    /// [`Error::Backend`] if the batches do not match or the device fails.
    fn add_amplitudes(left: &Self::Amplitudes, right: &Self::Amplitudes) -> Result<Self::Amplitudes>;

    /// Joins batches of amplitudes, one after another.
    ///
    /// # Errors
    /// [`Error::Backend`] if the batches do not match or the device fails.
    fn concat_amplitudes(parts: &[Self::Amplitudes]) -> Result<Self::Amplitudes>;

    /// Number of amplitudes in a batch.
    fn amplitudes_len(amplitudes: &Self::Amplitudes) -> usize;

    /// Number of configurations in a batch.
    fn batch_len(x: &Self::Configurations) -> usize;

    /// Consecutive configurations of a batch.
    ///
    /// # Errors
    /// [`Error::Count`] for a range beyond the batch; see [`check_row_range`]. [`Error::Backend`] if the device fails.
    fn rows(x: &Self::Configurations, range: Range<usize>) -> Result<Self::Configurations>;

    /// Replaces each row of `x` whose entry in `replace` is true by the same row of `y`.
    ///
    /// # Errors
    /// [`Error::Count`] unless there is one entry for each row; [`Error::Backend`] if the batches do not match or
    /// the device fails.
    fn replace_rows(x: &mut Self::Configurations, y: &Self::Configurations, replace: &[bool]) -> Result<()>;

    /// Connected states as a batch of configurations, those of the first sample first.
    ///
    /// # Errors
    /// [`Error::Backend`] if the device fails.
    fn conn_rows(states: &Self::ConnStates) -> Result<Self::Configurations>;
}

/// A backend whose batches are arrays on the host. Implement this, and [`Backend`] follows.
pub trait HostBackend: Copy + Debug + Default + PartialEq + Send + Sync + 'static {
    /// Name for messages and tables.
    const NAME: &'static str;
}

impl<B: HostBackend> Backend for B {
    const NAME: &'static str = <B as HostBackend>::NAME;
    /// Always the CPU.
    type Device = ();
    /// Shape `(batch, n_sites)`.
    type Configurations = Array2<i8>;
    /// Shape `(batch,)`.
    type Amplitudes = Array1<Complex64>;
    /// One state a row.
    type ConnStates = Array2<i8>;

    fn default_device() -> Self::Device {}

    fn conn_rows(states: &Array2<i8>) -> Result<Array2<i8>> {
        Ok(states.clone())
    }

    fn same_device((): &(), (): &()) -> bool {
        true
    }

    fn from_host(x: ArrayView2<'_, i8>, (): &()) -> Result<Array2<i8>> {
        Ok(x.as_standard_layout().into_owned())
    }

    fn to_host(x: &Array2<i8>) -> Result<Array2<i8>> {
        Ok(x.clone())
    }

    fn amplitudes_to_host(amplitudes: &Array1<Complex64>) -> Result<Array1<Complex64>> {
        Ok(amplitudes.clone())
    }

    fn amplitudes_from_host(amplitudes: Array1<Complex64>, (): &()) -> Result<Array1<Complex64>> {
        Ok(amplitudes)
    }

    fn add_amplitudes(left: &Array1<Complex64>, right: &Array1<Complex64>) -> Result<Array1<Complex64>> {
        if left.len() != right.len() {
            let message = format!("{} amplitudes to be added to {}", right.len(), left.len());
            return Err(Error::backend(<B as HostBackend>::NAME, message));
        }
        Ok(left + right)
    }

    fn concat_amplitudes(parts: &[Array1<Complex64>]) -> Result<Array1<Complex64>> {
        Ok(parts.iter().flatten().copied().collect())
    }

    fn amplitudes_len(amplitudes: &Array1<Complex64>) -> usize {
        amplitudes.len()
    }

    fn batch_len(x: &Array2<i8>) -> usize {
        x.nrows()
    }

    fn rows(x: &Array2<i8>, range: Range<usize>) -> Result<Array2<i8>> {
        check_row_range(&range, x.nrows())?;
        Ok(x.slice_axis(Axis(0), Slice::from(range)).to_owned())
    }

    fn replace_rows(x: &mut Array2<i8>, y: &Array2<i8>, replace: &[bool]) -> Result<()> {
        if replace.len() != x.nrows() {
            return Err(Error::Count {
                what: "choices of rows to replace".into(),
                got: replace.len(),
                expected: format!("{}, one for each row", x.nrows()),
            });
        }
        if x.dim() != y.dim() {
            let message =
                format!("rows of a {:?} batch to be replaced by those of a {:?} one", x.dim(), y.dim());
            return Err(Error::backend(<B as HostBackend>::NAME, message));
        }
        let rows = x.rows_mut().into_iter().zip(y.rows()).zip(replace);
        rows.filter(|(_, replace)| **replace).for_each(|((mut to, from), _)| to.assign(&from));
        Ok(())
    }
}

/// Checks a range of rows against the size of their batch, for authors of a [`Backend`].
///
/// # Errors
/// [`Error::Count`].
pub fn check_row_range(range: &Range<usize>, n_rows: usize) -> Result<()> {
    if range.start <= range.end && range.end <= n_rows {
        return Ok(());
    }
    let what = format!("rows in a batch; rows {} to {} were asked for", range.start, range.end);
    Err(Error::Count { what, got: n_rows, expected: "a range within the batch".into() })
}

/// A backend that can run operators with matrix elements of type `T`.
#[diagnostic::on_unimplemented(
    message = "backend `{Self}` cannot lower operators with `{T}` matrix elements",
    note = "the backends are `backend_flat::Flat` and `backend_padded::Padded`; elements are f32, f64, Complex32, Complex64"
)]
pub trait Lower<T: Element>: Backend {
    /// The backend's operator.
    type Operator: DiscreteOperator<Backend = Self, Element = T> + Clone + Debug + 'static;

    /// Lowers a definition to this backend.
    ///
    /// # Errors
    /// [`Error::ComplexElements`] if `T` is real and the operator is not;
    /// [`Error::Backend`] if the device fails.
    fn lower(definition: &Definition, device: &Self::Device) -> Result<Self::Operator>;
}

#[cfg(test)]
mod tests {
    use ndarray::{array, aview2};

    use super::*;

    #[derive(Clone, Copy, Debug, Default, PartialEq)]
    struct Host;

    impl HostBackend for Host {
        const NAME: &'static str = "host";
    }

    #[test]
    fn rows_are_replaced_where_they_are_chosen_and_shapes_are_checked() {
        let mut x = array![[1, 1], [1, 1]];
        let y = aview2(&[[0, 2], [3, 4]]).to_owned();
        Host::replace_rows(&mut x, &y, &[false, true]).unwrap();
        assert_eq!(x, array![[1, 1], [3, 4]]);
        let wrong = Host::replace_rows(&mut x, &y, &[true]);
        assert!(matches!(wrong, Err(Error::Count { got: 1, .. })));
        let wrong = Host::replace_rows(&mut x, &array![[0, 2]], &[true, true]);
        assert!(matches!(wrong, Err(Error::Backend { .. })));
        assert_eq!(x, array![[1, 1], [3, 4]]);
    }

    #[test]
    #[allow(clippy::reversed_empty_ranges, reason = "it is to be refused")]
    fn rows_beyond_the_batch_are_refused() {
        let x = aview2(&[[0, 2], [3, 4]]).to_owned();
        assert_eq!(Host::rows(&x, 1..2).unwrap(), array![[3, 4]]);
        assert_eq!(Host::rows(&x, 2..2).unwrap().dim(), (0, 2));
        for range in [1..3, 3..3, 2..1, 0..usize::MAX] {
            assert!(matches!(Host::rows(&x, range), Err(Error::Count { got: 2, .. })));
        }
    }
}
