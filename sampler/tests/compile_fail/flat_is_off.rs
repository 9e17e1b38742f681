use backend_flat::Flat;
use operator_core::hilbert::Spin;
use operator_core::{Boundary, Graph, Ising, Model};
use sampler::HamiltonianSampler;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let chain = Graph::chain(4, Boundary::Periodic)?;
    let ising = Ising::new(Spin::half(4)?, &chain, 1.0, 1.0)?.lower::<Flat>()?;
    HamiltonianSampler::new(&ising)?;
    Ok(())
}
