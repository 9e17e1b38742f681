//! Calls that have to fail.

/// Checks that each call fails with the error named before it, and panics with the call that does not.
///
/// ```
/// use operator_core::{Error, hilbert::Spin, refused};
///
/// refused! {
///     Error::InvalidHilbert(_) => Spin::half(0), Spin::new(0.3, 2);
/// }
/// ```
#[macro_export]
macro_rules! refused {
    ($($error:pat => $($call:expr),+;)+) => {
        $($(
            match $call.map(|_| ()) {
                Err($error) => {}
                other => panic!("{} gave {other:?}", stringify!($call)),
            }
        )+)+
    };
}
