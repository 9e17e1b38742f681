use operator_core::HostBackend;
use sampler::Rule;

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Elsewhere;

impl HostBackend for Elsewhere {
    const NAME: &'static str = "elsewhere";
}

struct Dice;

fn proposes<R: Rule<Elsewhere>>() {}

fn main() {
    proposes::<Dice>();
}
