use operator_core::{HostBackend, Lower};

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Elsewhere;

impl HostBackend for Elsewhere {
    const NAME: &'static str = "elsewhere";
}

fn lowers<B: Lower<f64>>() {}

fn main() {
    lowers::<Elsewhere>();
}
