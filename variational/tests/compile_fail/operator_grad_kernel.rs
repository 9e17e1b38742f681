use operator_core::HostBackend;
use variational::OperatorGradKernel;

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Elsewhere;

impl HostBackend for Elsewhere {
    const NAME: &'static str = "elsewhere";
}

struct Swap;

fn differentiates<B: OperatorGradKernel<Swap>>() {}

fn main() {
    differentiates::<Elsewhere>();
}
