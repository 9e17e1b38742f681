//! Two operators of your own: one written as terms, which runs on every backend, and one written as a kernel with two
//! methods. Both are sampled and measured like any other.
//!
//! ```text
//! cargo run --release --example custom_operator
//! cargo run --release --example custom_operator --features padded
//! ```

use variational::hilbert::{HilbertSpace, Spin};
use variational::operator_core::Result;
use variational::operator_core::terms::{Pauli, Terms};
use variational::prelude::*;
use variational::{FullSumState, HamiltonianSampler, MonteCarloState, Rbm};

const N_SITES: usize = 10;

/// The cluster ring, `−Σ_i σz_{i−1} σx_i σz_{i+1}`, whose ground state is a resource for measurement-based
/// quantum computing (Briegel and Raussendorf, PRL 86, 910 (2001)).
#[derive(Debug)]
struct Cluster;

impl Model for Cluster {
    fn hilbert(&self) -> Result<HilbertSpace> {
        Ok(Spin::half(N_SITES)?.into())
    }

    fn terms(&self, terms: &mut Terms) -> Result<()> {
        for site in 0..N_SITES {
            let (left, right) = ((site + N_SITES - 1) % N_SITES, (site + 1) % N_SITES);
            terms.pauli(-1.0, &[(left, Pauli::Z), (site, Pauli::X), (right, Pauli::Z)])?;
        }
        Ok(())
    }
}

/// Prints the mean of an operator in a random state, sampled and exact. The operator determines the backend.
fn measure<B, O>(name: &str, operator: &O) -> std::result::Result<(), Box<dyn std::error::Error>>
where
    B: NetworkBackend + LocalKernel<O> + HamiltonianBackend<O>,
    O: DiscreteOperator<Backend = B> + Clone,
{
    let rbm =
        || Rbm::<B>::new(operator.hilbert().clone(), 1.0).and_then(|rbm| rbm.with_seed(1).with_sigma(0.2));
    let sampler = HamiltonianSampler::new(operator)?.with_seed(1);
    let sampled = MonteCarloState::new(sampler, rbm()?, 4096)?.expect(operator)?;
    let exact = FullSumState::new(rbm()?)?.expect(operator)?.mean.re;
    println!("{name:<8} on {:<7} {sampled}, exact {exact:.5}", B::NAME);
    Ok(())
}

fn cluster<B: RunsVmc>() -> std::result::Result<(), Box<dyn std::error::Error>> {
    measure::<B, _>("cluster", &Cluster.lower::<B>()?)
}

#[cfg(feature = "flat")]
mod kernel {
    use variational::backend_flat::{Emitter, FlatOperator};

    use super::*;

    /// Moves the whole chain by one site in either direction. As terms this would be a product over all sites.
    #[derive(Debug)]
    struct Translations(HilbertSpace);

    impl FlatKernel<f64> for Translations {
        fn hilbert(&self) -> &HilbertSpace {
            &self.0
        }

        fn connect(&self, x: &[i8], emit: &mut Emitter<'_, f64>) {
            let mut moved = x.to_vec();
            moved.rotate_right(1);
            emit.state(&moved, 0.5);
            moved.rotate_left(2);
            emit.state(&moved, 0.5);
        }
    }

    pub(super) fn translations() -> Result<FlatOperator> {
        FlatOperator::custom(Translations(Spin::half(N_SITES)?.into()))
    }
}

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    #[cfg(feature = "flat")]
    {
        use variational::sum_operator::SumOperator;
        cluster::<variational::Flat>()?;
        let cluster = Cluster.lower::<variational::Flat>()?;
        let sum = SumOperator::new([(1.0, cluster), (0.5, kernel::translations()?)])?;
        measure::<variational::Flat, _>("sum", &sum)?;
    }
    #[cfg(feature = "padded")]
    cluster::<variational::Padded>()?;
    Ok(())
}
