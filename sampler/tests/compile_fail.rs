//! What the compiler says where a backend, a rule or a sampler lacks what is asked of it. Run with
//! `--no-default-features`: with a backend it would list what the backend has, too, and for one whose
//! feature is on there is nothing to show.
#![cfg(not(any(feature = "flat", feature = "padded")))]

#[test]
fn what_is_missing_is_named_with_the_remedy() {
    trybuild::TestCases::new().compile_fail("tests/compile_fail/*.rs");
}
