use operator_core::HostBackend;
use variational::wave_functions::network::NetworkBackend;

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Elsewhere;

impl HostBackend for Elsewhere {
    const NAME: &'static str = "elsewhere";
}

fn evaluates<B: NetworkBackend>() {}

fn main() {
    evaluates::<Elsewhere>();
}
