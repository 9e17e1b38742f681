//! Operators of your own: one written as terms, which has every backend, and one written as a kernel of two
//! methods. Both are sampled from and measured like any other.
//!
//! ```text
//! cargo run --release --example custom_operator
//! cargo run --release --example custom_operator --features padded
//! ```

use operator_core::hilbert::{HilbertSpace, Spin};
use operator_core::terms::{Pauli, Terms};
use operator_core::{DiscreteOperator, Lower, Model, Result};
use sampler::{HamiltonianBackend, HamiltonianSampler};
use variational::wave_functions::network::NetworkBackend;
use variational::{FullSumState, LocalKernel, MonteCarloState, Rbm, VariationalState};

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

/// The mean of an operator in a random state, sampled and exact. The backend comes from the operator.
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

fn cluster<B>() -> std::result::Result<(), Box<dyn std::error::Error>>
where
    B: Lower<f64> + NetworkBackend + LocalKernel<B::Operator> + HamiltonianBackend<B::Operator>,
{
    measure::<B, _>("cluster", &Cluster.lower::<B>()?)
}

#[cfg(feature = "flat")]
mod kernel {
    use backend_flat::{Emitter, FlatKernel, FlatOperator};

    use super::*;

    /// Moves the whole chain by one site, either way: as terms it would be a product over all sites.
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
        use sum_operator::SumOperator;
        cluster::<variational::Flat>()?;
        let cluster = Cluster.lower::<variational::Flat>()?;
        let sum = SumOperator::new([(1.0, cluster), (0.5, kernel::translations()?)])?;
        measure::<variational::Flat, _>("sum", &sum)?;
    }
    #[cfg(feature = "padded")]
    cluster::<variational::Padded>()?;
    Ok(())
}
