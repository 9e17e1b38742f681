use operator_core::{HostBackend, WaveFunction};
use sampler::Sampler;

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Elsewhere;

impl HostBackend for Elsewhere {
    const NAME: &'static str = "elsewhere";
}

struct Dice;

fn samples<S: Sampler<Elsewhere, W>, W: WaveFunction<Elsewhere>>() {}

fn run<W: WaveFunction<Elsewhere>>() {
    samples::<Dice, W>();
}

fn main() {}
