//! What the compiler says where a backend lacks what states, gradients and networks need. Run with
//! `--no-default-features`: with a backend it would list what the backend has, too.
#![cfg(not(any(feature = "flat", feature = "padded")))]

#[test]
fn what_is_missing_is_named_with_the_remedy() {
    trybuild::TestCases::new().compile_fail("tests/compile_fail/*.rs");
}
