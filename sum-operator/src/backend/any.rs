use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use enum_dispatch::enum_dispatch;
use ndarray::{Array1, Array2, ArrayView2};
use num_complex::Complex64;
use operator_core::{
    Backend, ConnBatch, Definition, DiscreteOperator, Element, HilbertSpace, HostBackend, Result, Walker,
    WaveFunction,
};

use crate::error::Error;

#[cfg(feature = "flat")]
use backend_flat::{Flat, FlatOperator};
#[cfg(feature = "padded")]
use backend_padded::{Padded, PaddedOperator};

/// Marker of operators whose backend is chosen at run time.
///
/// Batches are passed on the host, whatever the operator's own backend.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Any;

impl HostBackend for Any {
    const NAME: &'static str = "any";
}

/// The backends by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum BackendKind {
    /// Dynamic shapes on ndarray.
    #[default]
    Flat,
    /// Static shapes on candle tensors.
    Padded,
}

impl FromStr for BackendKind {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        match name {
            "flat" => Ok(BackendKind::Flat),
            "padded" => Ok(BackendKind::Padded),
            other => Err(Error::UnknownBackend(other.to_owned())),
        }
    }
}

impl fmt::Display for BackendKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            BackendKind::Flat => "flat",
            BackendKind::Padded => "padded",
        })
    }
}

/// What [`AnyOperator`] asks of each of its variants: the operator with complex elements.
#[enum_dispatch]
trait Erased {
    fn space(&self) -> &HilbertSpace;
    fn bound(&self) -> usize;
    fn hermitian(&self) -> bool;
    fn defined_by(&self) -> Option<&Definition>;
    fn description(&self) -> String;
    fn kind(&self) -> BackendKind;
    fn conn_into(&self, x: ArrayView2<'_, i8>, conn: &mut ConnBatch<Complex64>) -> Result<()>;
}

macro_rules! erased {
    ($operator:ident, $kind:expr) => {
        impl<T: Element> Erased for $operator<T> {
            fn space(&self) -> &HilbertSpace {
                self.hilbert()
            }
            fn bound(&self) -> usize {
                self.max_conn_size()
            }
            fn hermitian(&self) -> bool {
                self.is_hermitian()
            }
            fn defined_by(&self) -> Option<&Definition> {
                self.definition()
            }
            fn description(&self) -> String {
                self.describe()
            }
            fn kind(&self) -> BackendKind {
                $kind
            }
            fn conn_into(&self, x: ArrayView2<'_, i8>, conn: &mut ConnBatch<Complex64>) -> Result<()> {
                complex_conn(&self.get_conn_flattened(x)?, conn);
                Ok(())
            }
        }
    };
}
#[cfg(feature = "flat")]
erased!(FlatOperator, BackendKind::Flat);
#[cfg(feature = "padded")]
erased!(PaddedOperator, BackendKind::Padded);

/// The same elements with the complex element type.
fn complex_conn<T: Element>(from: &ConnBatch<T>, to: &mut ConnBatch<Complex64>) {
    let counts: Vec<usize> = from.offsets().windows(2).map(|pair| pair[1] - pair[0]).collect();
    let (states, mels, _) = to.reset(from.states().ncols(), &counts);
    states.iter_mut().zip(from.states()).for_each(|(to, &from)| *to = from);
    mels.iter_mut().zip(from.mels()).for_each(|(to, from)| *to = from.to_complex());
}

/// An operator on a backend, and with an element type, that are known at run time only.
///
/// Its matrix elements are complex and its marker is [`Any`]. Samplers and local kernels work on it as on
/// any operator; they choose by its variant instead of its type.
#[derive(Clone, Debug)]
#[enum_dispatch(Erased)]
pub enum AnyOperator {
    /// Real, on the flat backend.
    #[cfg(feature = "flat")]
    Flat(FlatOperator<f64>),
    /// Complex, on the flat backend.
    #[cfg(feature = "flat")]
    FlatComplex(FlatOperator<Complex64>),
    /// Real, on the padded backend.
    #[cfg(feature = "padded")]
    Padded(PaddedOperator<f64>),
    /// Complex, on the padded backend.
    #[cfg(feature = "padded")]
    PaddedComplex(PaddedOperator<Complex64>),
}

impl AnyOperator {
    /// Lowers a definition to a backend; elements are real where the operator is.
    ///
    /// # Errors
    /// [`Error::BackendDisabled`]; those of [`Definition::lower`].
    pub fn lower(definition: &Definition, kind: BackendKind) -> Result<Self, Error> {
        match (kind, definition.is_real()) {
            #[cfg(feature = "flat")]
            (BackendKind::Flat, true) => Ok(AnyOperator::Flat(definition.lower::<Flat>()?)),
            #[cfg(feature = "flat")]
            (BackendKind::Flat, false) => {
                Ok(AnyOperator::FlatComplex(definition.lower_as::<Flat, Complex64>()?))
            }
            #[cfg(feature = "padded")]
            (BackendKind::Padded, true) => Ok(AnyOperator::Padded(definition.lower::<Padded>()?)),
            #[cfg(feature = "padded")]
            (BackendKind::Padded, false) => {
                Ok(AnyOperator::PaddedComplex(definition.lower_as::<Padded, Complex64>()?))
            }
            #[cfg(not(feature = "flat"))]
            (BackendKind::Flat, _) => Err(Error::BackendDisabled("flat")),
            #[cfg(not(feature = "padded"))]
            (BackendKind::Padded, _) => Err(Error::BackendDisabled("padded")),
        }
    }

    /// The backend it runs on.
    pub fn backend(&self) -> BackendKind {
        self.kind()
    }
}

impl DiscreteOperator for AnyOperator {
    type Backend = Any;
    type Element = Complex64;

    fn hilbert(&self) -> &HilbertSpace {
        self.space()
    }

    fn max_conn_size(&self) -> usize {
        self.bound()
    }

    fn is_hermitian(&self) -> bool {
        self.hermitian()
    }

    fn definition(&self) -> Option<&Definition> {
        self.defined_by()
    }

    fn describe(&self) -> String {
        self.description()
    }

    fn get_conn_flattened_into(&self, x: ArrayView2<'_, i8>, conn: &mut ConnBatch<Complex64>) -> Result<()> {
        self.conn_into(x, conn)
    }
}

impl fmt::Display for AnyOperator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.describe())
    }
}

/// A wave function of backend `B`, to be used with operators of any backend.
#[derive(Clone, Debug)]
pub struct AnyWaveFunction<B: Backend, W> {
    wave_function: W,
    device: B::Device,
    backend: PhantomData<B>,
}

impl<B: Backend, W: WaveFunction<B>> AnyWaveFunction<B, W> {
    /// Wraps a wave function that runs on its backend's default device.
    pub fn new(wave_function: W) -> Self {
        AnyWaveFunction { wave_function, device: B::default_device(), backend: PhantomData }
    }
}

impl<B: Backend, W: WaveFunction<B>> WaveFunction<Any> for AnyWaveFunction<B, W> {
    fn hilbert(&self) -> &HilbertSpace {
        self.wave_function.hilbert()
    }

    fn log_psi(&self, x: &Array2<i8>) -> Result<Array1<Complex64>> {
        let x = B::from_host(x.view(), &self.device)?;
        B::amplitudes_to_host(&self.wave_function.log_psi(&x)?)
    }

    fn log_psi_connected(
        &self,
        x: &Array2<i8>,
        connected: &Array2<i8>,
        origins: &[usize],
    ) -> Result<Array1<Complex64>> {
        let on_device = |x: &Array2<i8>| B::from_host(x.view(), &self.device);
        let (x, connected) = (on_device(x)?, on_device(connected)?);
        B::amplitudes_to_host(&self.wave_function.log_psi_connected(&x, &connected, origins)?)
    }

    fn walker(&self) -> Option<Box<dyn Walker + '_>> {
        self.wave_function.walker()
    }
}
