//! The works to compare, one per file.

mod conn;
mod first_energy;
mod local_energy;
mod matrix;
mod operator_gradient;
mod sampling;
mod vmc_step;

use backend_flat::Flat;
use backend_padded::Padded;
use variational::Rbm;
use variational::wave_functions::network::Scalar;

use super::contender::Contender;
use super::error::Result;
use super::peer::PeerItem;
use super::place::{Place, Placed, Places};
use super::unit::Unit;
use crate::systems::{Size, System};

pub use first_energy::{FLAG as FIRST_ENERGY, first_energy};

/// Standard deviation of its parameters, NetKet's default. Samples are nearly uniform.
const SIGMA: f64 = 0.01;

const SEED: u64 = 1;

/// Makes the contenders of a work at their places.
type Prepare = fn(&System, &Places) -> Result<Vec<Contender>>;

/// A work on a system.
pub struct Work {
    /// Name of the work.
    pub what: &'static str,
    /// The system.
    pub system: System,
    /// Unit of its times.
    pub unit: Unit,
    /// The same work for the peers.
    pub peers: Vec<PeerItem>,
    prepare: Prepare,
}

impl Work {
    /// The contenders at these places.
    ///
    /// # Errors
    /// Errors of the work; [`Error::Threads`](super::Error::Threads).
    pub fn contenders(&self, places: &Places) -> Result<Vec<Contender>> {
        (self.prepare)(&self.system, places)
    }
}

/// Prints as `conn heisenberg_10x10_sz0`.
impl std::fmt::Display for Work {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.what, self.system.name)
    }
}

/// All works.
///
/// # Errors
/// None for these systems; in general, errors of the models.
pub fn works(size: Size) -> Result<Vec<Work>> {
    let (ising, heisenberg) = (System::ising_chain(size)?, System::heisenberg(size)?);
    let ring = System::heisenberg_chain(size)?;
    let mut works: Vec<Work> =
        System::for_connected_elements(size)?.into_iter().map(conn::elements).collect();
    works.extend([
        local_energy::of_rbm(ising.clone()),
        local_energy::of_rbm(heisenberg.clone()),
        local_energy::of_mlp(ising.clone()),
        local_energy::of_mlp(heisenberg.clone()),
        operator_gradient::of_rbm(System::ising_square(size)?),
        operator_gradient::of_rbm(System::ising_square_by_bonds(size)?),
        sampling::local(ising.clone()),
        sampling::exchange(heisenberg.clone()),
        sampling::hamiltonian(ising.clone()),
        sampling::hamiltonian(heisenberg.clone()),
        vmc_step::step(ising),
        vmc_step::step(heisenberg.clone()),
        first_energy::from_start(heisenberg),
        matrix::to_sparse(ring.clone()),
        matrix::apply(ring),
    ]);
    Ok(works)
}

/// Makes the contender of a backend at a place.
type Make = fn(&System, &Place) -> Result<Contender>;

/// Both backends, each at all of its places.
fn side_by_side(system: &System, places: &Places, flat: Make, padded: Make) -> Result<Vec<Contender>> {
    let flat = Flat::places(places).iter().map(|place| flat(system, place));
    flat.chain(Padded::places(places).iter().map(|place| padded(system, place))).collect()
}

fn rbm<B: Placed, T: Scalar>(system: &System, place: &Place) -> operator_core::Result<Rbm<B, T>> {
    let rbm = Rbm::new(system.definition.hilbert().clone(), system.size.alpha() as f64)?;
    Ok(rbm.with_seed(SEED).with_sigma(SIGMA)?.with_device(B::device(place)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peers_are_told_the_size() -> Result<()> {
        for (size, n_samples, alpha) in [(Size::Full, 1024, 1), (Size::Large, 16_384, 4)] {
            for work in works(size)? {
                let (key, expected) = match work.what.split(' ').next() {
                    Some("conn") => ("batch", n_samples),
                    Some("local_energy" | "operator_gradient") => ("samples", n_samples),
                    Some("sampling") => ("chains", n_samples / 4),
                    Some("vmc_sr_step" | "first_energy") => ("alpha", alpha),
                    _ => continue,
                };
                assert!(!work.peers.is_empty());
                for PeerItem { item, .. } in &work.peers {
                    assert_eq!(item[key], expected, "{work}: {item}");
                    assert!(work.what == "conn" || item["alpha"] == alpha, "{work}: {item}");
                }
            }
        }
        Ok(())
    }
}
