//! What the compiler says of a backend whose feature is off. Run with `--no-default-features`; with the
//! feature on there is nothing to show.
#![cfg(not(feature = "flat"))]

#[test]
fn a_backend_without_its_feature_is_named_with_the_feature() {
    trybuild::TestCases::new().compile_fail("tests/compile_fail/flat_is_off.rs");
}
