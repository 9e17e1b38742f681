//! The flat backend: operators as dynamic, flattened kernels on ndarray, parallel by rayon.
//!
//! Only elements that exist are stored, the rows of all samples one after another, as in a CSR matrix. There
//! is no padding and no device; shapes depend on the data.
//!
//! ```
//! use backend_flat::Flat;
//! use operator_core::{Boundary, DiscreteOperator, Graph, Ising, Model, hilbert::Spin};
//!
//! let chain = Graph::chain(3, Boundary::Periodic)?;
//! let ising = Ising::new(Spin::half(3)?, &chain, 0.5, 1.0)?.lower::<Flat>()?;
//! let conn = ising.get_conn_flattened(ndarray::aview2(&[[1, 1, -1]]))?;
//! assert_eq!(conn.offsets(), [0, 4]);
//! assert_eq!(conn.mels().to_vec(), [-1.0, -0.5, -0.5, -0.5]);
//! # Ok::<(), operator_core::Error>(())
//! ```
//!
//! Operators of third parties implement [`FlatKernel`] (two methods) and become a [`FlatOperator`] by
//! [`FlatOperator::custom`].

mod custom;
mod engine;
mod local_kernel;
mod operator;
mod parallel;

pub use custom::{Emitter, FlatKernel};
pub use local_kernel::local_estimators;
pub use operator::{FlatOperator, VisitConn};

use std::ops::Range;

use ndarray::{Array1, Array2, ArrayView2, Axis, Slice};
use num_complex::Complex64;
use operator_core::{Backend, Definition, Element, Lower, Result};

/// Marker of this backend.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flat;

impl Backend for Flat {
    const NAME: &'static str = "flat";
    /// Always the CPU.
    type Device = ();
    /// Shape `(batch, n_sites)`.
    type Configurations = Array2<i8>;
    /// Shape `(batch,)`.
    type Amplitudes = Array1<Complex64>;

    fn default_device() -> Self::Device {}

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

    fn batch_len(x: &Array2<i8>) -> usize {
        x.nrows()
    }

    fn rows(x: &Array2<i8>, range: Range<usize>) -> Result<Array2<i8>> {
        let end = range.end.min(x.nrows());
        let start = range.start.min(end);
        Ok(x.slice_axis(Axis(0), Slice::from(start..end)).to_owned())
    }

    fn replace_rows(x: &mut Array2<i8>, y: &Array2<i8>, replace: &[bool]) -> Result<()> {
        for ((mut to, from), _) in
            x.rows_mut().into_iter().zip(y.rows()).zip(replace).filter(|(_, replace)| **replace)
        {
            to.assign(&from);
        }
        Ok(())
    }
}

impl<T: Element> Lower<T> for Flat {
    type Operator = FlatOperator<T>;

    fn lower(definition: &Definition, (): &()) -> Result<FlatOperator<T>> {
        FlatOperator::new(definition.clone())
    }
}
