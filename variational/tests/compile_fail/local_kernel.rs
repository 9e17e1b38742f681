use operator_core::HostBackend;
use variational::LocalKernel;

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Elsewhere;

impl HostBackend for Elsewhere {
    const NAME: &'static str = "elsewhere";
}

struct Swap;

fn measures<B: LocalKernel<Swap>>() {}

fn main() {
    measures::<Elsewhere>();
}
