//! Runs generic tests on several backends.

/// What a generic test returns.
pub type TestResult = Result<(), Box<dyn std::error::Error>>;

/// Runs generic tests on several backends. It makes a module for each test, with one test for each backend.
///
/// List the backends first, each with the name of its tests. A backend's attributes, such as the feature that
/// enables it, apply to all its tests; a test's attributes apply to it on all backends. A test is a function
/// `fn name<B>() ->` [`TestResult`](crate::testing::TestResult) in scope where the macro is called.
///
/// A crate lists its backends once, in its own macro:
///
/// ```
/// use operator_core::testing::TestResult;
/// use operator_core::{Backend, HostBackend};
///
/// #[derive(Clone, Copy, Debug, Default, PartialEq)]
/// struct Mine;
///
/// impl HostBackend for Mine {
///     const NAME: &'static str = "mine";
/// }
///
/// macro_rules! on_backends {
///     ($($tests:tt)*) => {
///         operator_core::on_backends! {
///             [#[cfg(test)] mine: crate::Mine]
///             $($tests)*
///         }
///     };
/// }
///
/// fn names_are_short<B: Backend>() -> TestResult {
///     assert!(B::NAME.len() < 8);
///     Ok(())
/// }
///
/// on_backends!(names_are_short);
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! on_backends {
    (@of_backend [$($test_meta:tt)*] $test:ident, [$($backend_meta:tt)*] $name:ident, $backend:ty) => {
        $($backend_meta)*
        #[test]
        $($test_meta)*
        fn $name() -> $crate::testing::TestResult {
            super::$test::<$backend>()
        }
    };
    (@of_test [$($(#[$meta:meta])* $name:ident: $backend:ty),+ $(,)?] $test_meta:tt $test:ident) => {
        mod $test {
            $($crate::on_backends! { @of_backend $test_meta $test, [$(#[$meta])*] $name, $backend })+
        }
    };
    ($backends:tt $($(#[$meta:meta])* $test:ident),* $(,)?) => {
        $($crate::on_backends! { @of_test $backends [$(#[$meta])*] $test })*
    };
}
