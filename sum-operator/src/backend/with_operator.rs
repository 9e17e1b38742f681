//! The macro that opens an operator whose backend is chosen at run time.

/// Opens an [`AnyOperator`](crate::AnyOperator): one expression for the operator inside, whichever it is.
///
/// For crates that do something for operators of every backend. The arms are those that this crate was built
/// with, so a crate that uses the macro needs no `cfg` of its own to name the variants, and compiles whatever
/// features other crates turn on.
///
/// - `with_operator!(any, operator => …)` has one expression, in which `operator` is a `&FlatOperator<f64>`, a
///   `&FlatOperator<Complex64>`, a `&PaddedOperator<f64>` or a `&PaddedOperator<Complex64>`;
/// - `with_operator!(any, flat(operator) => …, padded(operator) => …)` has one for each backend. The expression
///   of a backend that this crate was built without is dropped unread.
///
/// This crate may have a backend that the crate which uses the macro was built without, because a third one
/// turned it on. Code there that names a backend's crate goes into functions that exist with and without it.
///
/// ```
/// # #[cfg(feature = "flat")] {
/// use operator_core::{Boundary, DiscreteOperator, Graph, Ising, Model, hilbert::Spin};
/// use sum_operator::{AnyOperator, BackendKind, with_operator};
///
/// let chain = Graph::chain(4, Boundary::Periodic)?;
/// let ising = Ising::new(Spin::half(4)?, &chain, 1.0, 1.0)?.definition()?;
/// let any = AnyOperator::lower(&ising, BackendKind::Flat)?;
/// assert_eq!(with_operator!(&any, operator => operator.max_conn_size()), 5);
/// assert_eq!(with_operator!(&any, flat(_o) => "on ndarray", padded(_o) => "on candle"), "on ndarray");
/// # }
/// # Ok::<(), sum_operator::Error>(())
/// ```
#[cfg(all(feature = "flat", feature = "padded"))]
#[macro_export]
macro_rules! with_operator {
    ($any:expr, flat($flat:ident) => $on_flat:expr, padded($padded:ident) => $on_padded:expr $(,)?) => {
        match $any {
            $crate::AnyOperator::Flat($flat) => $on_flat,
            $crate::AnyOperator::FlatComplex($flat) => $on_flat,
            $crate::AnyOperator::Padded($padded) => $on_padded,
            $crate::AnyOperator::PaddedComplex($padded) => $on_padded,
        }
    };
    ($any:expr, $operator:ident => $on_both:expr $(,)?) => {
        $crate::with_operator!($any, flat($operator) => $on_both, padded($operator) => $on_both)
    };
}

/// Opens an [`AnyOperator`](crate::AnyOperator): one expression for the operator inside, whichever it is.
///
/// See the documentation of this crate with both backends.
#[cfg(all(feature = "flat", not(feature = "padded")))]
#[macro_export]
macro_rules! with_operator {
    ($any:expr, flat($flat:ident) => $on_flat:expr, padded($padded:ident) => $on_padded:expr $(,)?) => {
        match $any {
            $crate::AnyOperator::Flat($flat) => $on_flat,
            $crate::AnyOperator::FlatComplex($flat) => $on_flat,
        }
    };
    ($any:expr, $operator:ident => $on_both:expr $(,)?) => {
        $crate::with_operator!($any, flat($operator) => $on_both, padded($operator) => $on_both)
    };
}

/// Opens an [`AnyOperator`](crate::AnyOperator): one expression for the operator inside, whichever it is.
///
/// See the documentation of this crate with both backends.
#[cfg(all(feature = "padded", not(feature = "flat")))]
#[macro_export]
macro_rules! with_operator {
    ($any:expr, flat($flat:ident) => $on_flat:expr, padded($padded:ident) => $on_padded:expr $(,)?) => {
        match $any {
            $crate::AnyOperator::Padded($padded) => $on_padded,
            $crate::AnyOperator::PaddedComplex($padded) => $on_padded,
        }
    };
    ($any:expr, $operator:ident => $on_both:expr $(,)?) => {
        $crate::with_operator!($any, flat($operator) => $on_both, padded($operator) => $on_both)
    };
}
