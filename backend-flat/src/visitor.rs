//! Operators whose elements can be visited one by one.

use std::sync::Arc;

use ndarray::ArrayView2;
use operator_core::kernel::{Connected, Engine, Scratch};
use operator_core::{DiscreteOperator, Element, Error, PackedConn, Result};

use crate::Flat;
use crate::custom::{Change, Connector, Emitter, FlatKernel};

/// Operators of the flat backend whose elements can be visited without storing them.
///
/// Write a [`FlatKernel`] for an operator of your own; [`FlatOperator::custom`](crate::FlatOperator::custom) gives
/// it this trait.
pub trait VisitConn: DiscreteOperator<Backend = Flat> {
    /// A visitor of the connected elements of one sample after another, for one thread.
    fn visitor(&self) -> Visitor<'_, Self::Element>;

    /// The engine that the operator was lowered to, which goes through blocks of samples and follows moves; `None`
    /// for custom kernels.
    #[doc(hidden)]
    fn engine(&self) -> Option<&Engine<Self::Element>> {
        None
    }

    /// Connected elements with states packed into words; see
    /// [`FlatOperator::get_conn_packed_into`](crate::FlatOperator::get_conn_packed_into).
    ///
    /// # Errors
    /// [`Error::NoDefinition`] if the operator does not pack.
    fn get_conn_packed_into(
        &self,
        _x: ArrayView2<'_, i8>,
        _conn: &mut PackedConn<Self::Element>,
    ) -> Result<()> {
        Err(Error::NoDefinition { operator: self.describe(), action: "give packed states" })
    }
}

macro_rules! forward {
    ($($pointer:ty),*) => {
        $(impl<O: VisitConn + ?Sized> VisitConn for $pointer {
            fn visitor(&self) -> Visitor<'_, O::Element> {
                (**self).visitor()
            }

            fn engine(&self) -> Option<&Engine<O::Element>> {
                (**self).engine()
            }

            fn get_conn_packed_into(
                &self,
                x: ArrayView2<'_, i8>,
                conn: &mut PackedConn<O::Element>,
            ) -> Result<()> {
                (**self).get_conn_packed_into(x, conn)
            }
        })*
    };
}
forward!(&O, Arc<O>, Box<O>);

/// Visits the connected elements of one sample after another, and keeps its working memory from one to the next.
/// Each thread has its own.
///
/// ```
/// use backend_flat::{Flat, VisitConn};
/// use operator_core::{Boundary, Graph, Ising, Model, hilbert::Spin};
///
/// let chain = Graph::chain(3, Boundary::Periodic)?;
/// let ising = Ising::new(Spin::half(3)?, &chain, 0.5, 1.0)?.lower::<Flat>()?;
/// let mut visitor = ising.visitor();
/// for (x, expected) in [([1, 1, 1], 1.5), ([1, 1, -1], -2.5)] {
///     let mut sum = 0.0;
///     visitor.visit(&x, |_, mel| sum += mel)?;
///     assert_eq!(sum, expected);
/// }
/// # Ok::<(), operator_core::Error>(())
/// ```
pub struct Visitor<'a, T: Element>(Source<'a, T>);

enum Source<'a, T: Element> {
    Terms { engine: &'a Engine<T>, scratch: Scratch<T> },
    Custom { kernel: &'a dyn FlatKernel<T>, connector: Box<dyn Connector<T> + 'a>, change: Change },
}

impl<'a, T: Element> Visitor<'a, T> {
    /// Visits the elements of an engine.
    #[doc(hidden)]
    pub fn of_engine(engine: &'a Engine<T>) -> Self {
        Visitor(Source::Terms { engine, scratch: Scratch::default() })
    }

    /// Visits the elements that a kernel emits.
    #[doc(hidden)]
    pub fn of_kernel(kernel: &'a dyn FlatKernel<T>) -> Self {
        Visitor(Source::Custom { kernel, connector: kernel.connector(), change: Change::default() })
    }

    /// Calls `visit` with the change and the matrix element, for each non-zero element of one sample.
    ///
    /// The sample must be a state of the space
    /// ([`HilbertSpace::check`](operator_core::HilbertSpace::check)); it is not checked. A custom kernel may emit
    /// an x' more than once, and its x' are not checked either.
    ///
    /// # Errors
    /// [`Error::Custom`](operator_core::Error::Custom) if a custom kernel breaks its promises.
    #[inline]
    pub fn visit(&mut self, x: &[i8], mut visit: impl FnMut(Connected<'_>, T)) -> Result<()> {
        match &mut self.0 {
            Source::Terms { engine, scratch } => {
                engine.visit(x, scratch, visit);
                Ok(())
            }
            Source::Custom { kernel, connector, change } => {
                let mut emitter = Emitter::new(x, change, &mut visit);
                connector.connect(x, &mut emitter);
                emitter.finish(*kernel)
            }
        }
    }

    /// Number of elements that [`visit`](Self::visit) visits.
    ///
    /// # Errors
    /// As [`visit`](Self::visit).
    #[inline]
    pub fn n_conn(&mut self, x: &[i8]) -> Result<usize> {
        match &mut self.0 {
            Source::Terms { engine, scratch } => Ok(engine.n_conn(x, scratch)),
            Source::Custom { .. } => {
                let mut n = 0;
                self.visit(x, |_, _| n += 1)?;
                Ok(n)
            }
        }
    }
}
