use operator_core::{DiscreteOperator, HostBackend};
use sum_operator::Combine;

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Elsewhere;

impl HostBackend for Elsewhere {
    const NAME: &'static str = "elsewhere";
}

fn combines<B: Combine<O>, O: DiscreteOperator<Backend = B>>() {}

fn sum<O: DiscreteOperator<Backend = Elsewhere>>() {
    combines::<Elsewhere, O>();
}

fn main() {}
