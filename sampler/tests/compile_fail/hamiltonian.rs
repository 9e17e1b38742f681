use operator_core::{DiscreteOperator, HostBackend};
use sampler::HamiltonianBackend;

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Elsewhere;

impl HostBackend for Elsewhere {
    const NAME: &'static str = "elsewhere";
}

fn proposes<B: HamiltonianBackend<O>, O: DiscreteOperator<Backend = B>>() {}

fn chain<O: DiscreteOperator<Backend = Elsewhere>>() {
    proposes::<Elsewhere, O>();
}

fn main() {}
