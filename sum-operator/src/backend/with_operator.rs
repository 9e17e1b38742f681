//! The macro that opens an operator whose backend is chosen at run time.

/// Opens a reference to an [`AnyOperator`](crate::AnyOperator): runs one expression on the operator inside.
///
/// Crates that do something for the operators of every backend use it. Its arms are the backends that this crate
/// was built with, so it compiles whatever features other crates turn on.
///
/// - `with_operator!(any, operator => …)` has one expression. In it, `operator` is a `&FlatOperator<f64>`, a
///   `&FlatOperator<Complex64>`, a `&PaddedOperator<f64>` or a `&PaddedOperator<Complex64>`.
/// - `with_operator!(any, flat(operator) => …, padded(operator) => …)` has one expression for each backend. The
///   expression of a backend that this crate was built without is not compiled.
///
/// A third crate may turn on a backend here that the calling crate was built without. So the calling crate puts
/// code that names a backend's crate into functions that exist with and without that backend.
///
/// ```
/// use operator_core::{Boundary, DiscreteOperator, Graph, Ising, Model, hilbert::Spin};
/// use sum_operator::{AnyOperator, BackendKind, with_operator};
///
/// let chain = Graph::chain(4, Boundary::Periodic)?;
/// let ising = Ising::new(Spin::half(4)?, &chain, 1.0, 1.0)?.definition()?;
/// let any = AnyOperator::new(&ising, BackendKind::Flat)?;
/// assert_eq!(with_operator!(&any, operator => operator.max_conn_size()), 5);
/// assert_eq!(with_operator!(&any, flat(_o) => "on ndarray", padded(_o) => "on candle"), "on ndarray");
/// # Ok::<(), sum_operator::Error>(())
/// ```
#[cfg(all(feature = "flat", feature = "padded"))]
#[macro_export]
macro_rules! with_operator {
    ($any:expr, flat($flat:ident) => $on_flat:expr, padded($padded:ident) => $on_padded:expr $(,)?) => {
        match $crate::AnyOperator::inner($any) {
            $crate::Inner::Flat($flat) => $on_flat,
            $crate::Inner::FlatComplex($flat) => $on_flat,
            $crate::Inner::Padded($padded) => $on_padded,
            $crate::Inner::PaddedComplex($padded) => $on_padded,
        }
    };
    ($any:expr, $operator:ident => $on_both:expr $(,)?) => {
        $crate::with_operator!($any, flat($operator) => $on_both, padded($operator) => $on_both)
    };
}

/// Opens a reference to an [`AnyOperator`](crate::AnyOperator): runs one expression on the operator inside.
///
/// See the documentation of this crate with both backends.
#[cfg(all(feature = "flat", not(feature = "padded")))]
#[macro_export]
macro_rules! with_operator {
    ($any:expr, flat($flat:ident) => $on_flat:expr, padded($padded:ident) => $on_padded:expr $(,)?) => {
        match $crate::AnyOperator::inner($any) {
            $crate::Inner::Flat($flat) => $on_flat,
            $crate::Inner::FlatComplex($flat) => $on_flat,
        }
    };
    ($any:expr, $operator:ident => $on_both:expr $(,)?) => {
        $crate::with_operator!($any, flat($operator) => $on_both, padded($operator) => $on_both)
    };
}

/// Opens a reference to an [`AnyOperator`](crate::AnyOperator): runs one expression on the operator inside.
///
/// See the documentation of this crate with both backends.
#[cfg(all(feature = "padded", not(feature = "flat")))]
#[macro_export]
macro_rules! with_operator {
    ($any:expr, flat($flat:ident) => $on_flat:expr, padded($padded:ident) => $on_padded:expr $(,)?) => {
        match $crate::AnyOperator::inner($any) {
            $crate::Inner::Padded($padded) => $on_padded,
            $crate::Inner::PaddedComplex($padded) => $on_padded,
        }
    };
    ($any:expr, $operator:ident => $on_both:expr $(,)?) => {
        $crate::with_operator!($any, flat($operator) => $on_both, padded($operator) => $on_both)
    };
}
