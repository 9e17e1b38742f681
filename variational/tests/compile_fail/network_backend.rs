use operator_core::HostBackend;
use variational::Rbm;

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Elsewhere;

impl HostBackend for Elsewhere {
    const NAME: &'static str = "elsewhere";
}

fn main() {
    let spins = variational::hilbert::Spin::half(4);
    let _ = spins.and_then(|spins| Rbm::<Elsewhere>::new(spins, 1.0));
}
