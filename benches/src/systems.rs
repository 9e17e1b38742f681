//! The systems on which backends and peers are compared.
//!
//! Names, couplings and the recipe of the random strings match the peers' side, `peers/systems.py`.

use ndarray::{Array1, Array2};
use operator_core::graph::Lattice;
use operator_core::hilbert::{Fock, Qubit, Spin, SpinOrbitalFermions};
use operator_core::terms::Pauli;
use operator_core::testing::SplitMix;
use operator_core::{
    BoseHubbard, Boundary, Definition, FermiHubbard, Graph, Heisenberg, HilbertSpace, Ising, Model,
    PauliStrings, Result,
};

/// Seed of the random samples.
const SAMPLES_SEED: u64 = 1234;

/// Seed of the random strings.
const STRINGS_SEED: u64 = 42;

/// Seed of an RBM that the peers have, too.
const RBM_SEED: u64 = 1;

/// Size of systems and works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// The size for comparisons.
    Full,
    /// The same systems with many samples and wide RBMs, for accelerators.
    Large,
    /// As small as possible, to try a program.
    Small,
}

impl Size {
    /// The value for this size.
    pub fn pick<T>(self, full: T, small: T) -> T {
        match self {
            Size::Full | Size::Large => full,
            Size::Small => small,
        }
    }

    /// Number of samples of which connected elements and local energies are computed.
    pub fn n_samples(self) -> usize {
        match self {
            Size::Full => 1024,
            Size::Large => 16_384,
            Size::Small => 16,
        }
    }

    /// Hidden units for each site of an RBM.
    pub fn alpha(self) -> usize {
        match self {
            Size::Large => 4,
            Size::Full | Size::Small => 1,
        }
    }
}

/// A Hamiltonian with its name and the graph of its sites.
#[derive(Clone, Debug)]
pub struct System {
    /// The name; the peers' side knows it unless the size is [`Size::Small`].
    pub name: String,
    /// The Hamiltonian.
    pub definition: Definition,
    /// Bonds between the sites; none if the terms have no lattice.
    pub graph: Option<Graph>,
    /// Its size.
    pub size: Size,
}

impl System {
    /// Random states of the space, always the same ones, shape `(n, n_sites)`. Their distribution matches the
    /// peers' side: uniform, except that bosons are placed on `n_max` places for each site.
    ///
    /// # Errors
    /// None for these systems; in general, errors of the space of places.
    pub fn samples(&self, n: usize) -> Result<Array2<i8>> {
        let mut numbers = SplitMix::new(SAMPLES_SEED);
        let hilbert = self.definition.hilbert();
        match hilbert {
            HilbertSpace::Fock(bosons) if bosons.n_particles().is_some() => {
                let (n_max, n_particles) = (bosons.n_max(), bosons.n_particles().unwrap_or(0));
                let places = SpinOrbitalFermions::new(n_max * hilbert.n_sites())?;
                let filled = places.with_n_fermions(n_particles)?;
                let filled = HilbertSpace::from(filled).random_states(n, &mut numbers)?;
                let site = |(sample, site): (usize, usize)| {
                    (n_max * site..n_max * (site + 1)).map(|place| filled[[sample, place]]).sum()
                };
                Ok(Array2::from_shape_fn((n, hilbert.n_sites()), site))
            }
            _ => hilbert.random_states(n, &mut numbers),
        }
    }

    /// Random spins, shape `(n, n_sites)`, the same ones as the peers'.
    pub fn shared_spins(&self, n: usize) -> Array2<i8> {
        let mut numbers = Lcg(SAMPLES_SEED);
        let spin = || if numbers.next() < 1 << 30 { -1 } else { 1 };
        Array2::from_shape_simple_fn((n, self.definition.hilbert().n_sites()), spin)
    }

    /// Parameters of an RBM of this [size](Size::alpha), as [`Rbm`](variational::Rbm) orders them, the same ones as the
    /// peers'. They are uniform with standard deviation `sigma`.
    pub fn shared_rbm(&self, sigma: f64) -> Array1<f64> {
        let mut numbers = Lcg(RBM_SEED);
        let n_sites = self.definition.hilbert().n_sites();
        let n_hidden = self.size.alpha() * n_sites;
        let n_parameters = n_sites + n_hidden + n_hidden * n_sites;
        Array1::from_shape_simple_fn(n_parameters, || 3f64.sqrt() * sigma * numbers.next_signed())
    }

    /// Ising chain of 100 spins, `h = J = 1`.
    ///
    /// # Errors
    /// None for these sizes; in general, errors of the model.
    pub fn ising_chain(size: Size) -> Result<Self> {
        let n = size.pick(100, 6);
        let chain = Graph::chain(n, Boundary::Periodic)?;
        let ising = Ising::new(Spin::half(n)?, &chain, 1.0, 1.0)?.definition()?;
        Ok(System { name: format!("ising_chain_{n}"), definition: ising, graph: Some(chain), size })
    }

    /// Ising model on a square of 10 × 10 spins, `h = J = 1`.
    ///
    /// # Errors
    /// As for [`ising_chain`](Self::ising_chain).
    pub fn ising_square(size: Size) -> Result<Self> {
        let l = size.pick(10, 3);
        let square = Graph::square(l, Boundary::Periodic)?;
        let ising = Ising::new(Spin::half(l * l)?, &square, 1.0, 1.0)?.definition()?;
        Ok(System { name: format!("ising_square_{l}x{l}"), definition: ising, graph: Some(square), size })
    }

    /// The same with a separate coupling on each bond, between 0.5 and 1.5, which depends on its sites: 201 parameters in
    /// all.
    ///
    /// # Errors
    /// As for [`ising_chain`](Self::ising_chain).
    pub fn ising_square_by_bonds(size: Size) -> Result<Self> {
        let l = size.pick(10, 3);
        let square = Graph::square(l, Boundary::Periodic)?;
        let n = l * l;
        let couplings: Vec<f64> =
            square.edges().iter().map(|[a, b]| 0.5 + ((a + b) % n) as f64 / n as f64).collect();
        let ising = Ising::new(Spin::half(l * l)?, &square, 1.0, couplings)?.definition()?;
        let name = format!("ising_square_{l}x{l}_by_bonds");
        Ok(System { name, definition: ising, graph: Some(square), size })
    }

    /// Heisenberg model on a square of 10 × 10 spins at zero magnetisation, `J = 1`.
    ///
    /// # Errors
    /// As for [`ising_chain`](Self::ising_chain).
    pub fn heisenberg(size: Size) -> Result<Self> {
        let l = size.pick(10, 2);
        let square = Graph::square(l, Boundary::Periodic)?;
        let spins = Spin::half(l * l)?.with_total_sz(0.0)?;
        let definition = Heisenberg::new(spins, &square, 1.0)?.definition()?;
        Ok(System { name: format!("heisenberg_{l}x{l}_sz0"), definition, graph: Some(square), size })
    }

    /// Heisenberg model with next-nearest neighbours on the same square, `J1 = 1`, `J2 = 0.5`.
    ///
    /// # Errors
    /// As for [`ising_chain`](Self::ising_chain).
    pub fn j1_j2(size: Size) -> Result<Self> {
        let l = size.pick(10, 4);
        let square = Lattice::square([l, l]).neighbors(2).build()?;
        let spins = Spin::half(l * l)?.with_total_sz(0.0)?;
        let definition = Heisenberg::new(spins, &square, [1.0, 0.5])?.definition()?;
        Ok(System { name: format!("j1j2_{l}x{l}_sz0"), definition, graph: Some(square), size })
    }

    /// Bosons on a square of 8 × 8 sites at unit filling, at most four on each site, `J = 1`, `U = 4`.
    ///
    /// # Errors
    /// As for [`ising_chain`](Self::ising_chain).
    pub fn bose_hubbard(size: Size) -> Result<Self> {
        let l = size.pick(8, 2);
        let square = Graph::square(l, Boundary::Periodic)?;
        let bosons = Fock::new(4, l * l)?.with_n_particles(l * l)?;
        let definition = BoseHubbard::new(bosons, &square, 4.0)?.definition()?;
        Ok(System { name: format!("bose_hubbard_{l}x{l}_nmax4"), definition, graph: Some(square), size })
    }

    /// Electrons on a square of 6 × 6 at half filling, `t = 1`, `U = 4`. The graph joins orbitals.
    ///
    /// # Errors
    /// As for [`ising_chain`](Self::ising_chain).
    pub fn fermi_hubbard(size: Size) -> Result<Self> {
        let l = size.pick(6, 2);
        let square = Graph::square(l, Boundary::Periodic)?;
        let half = l * l / 2;
        let electrons =
            SpinOrbitalFermions::with_spin(l * l, 0.5)?.with_n_fermions_per_spin(&[half, half])?;
        let definition = FermiHubbard::new(electrons, &square, 1.0, 4.0)?.definition()?;
        Ok(System { name: format!("fermi_hubbard_{l}x{l}"), definition, graph: Some(square), size })
    }

    /// A thousand random strings of four Pauli matrices on 40 qubits.
    ///
    /// # Errors
    /// As for [`ising_chain`](Self::ising_chain).
    pub fn pauli_strings(size: Size) -> Result<Self> {
        let (n_strings, n_qubits) = size.pick((1000, 40), (20, 6));
        let (strings, weights) = random_strings(n_strings, n_qubits, STRINGS_SEED);
        let definition = PauliStrings::from_factors(Qubit::new(n_qubits)?, strings, weights)?.definition()?;
        Ok(System { name: format!("pauli_{n_strings}_4local_{n_qubits}q"), definition, graph: None, size })
    }

    /// Heisenberg ring of 20 spins at zero magnetisation, 184 756 states, `J = 1`.
    ///
    /// # Errors
    /// As for [`ising_chain`](Self::ising_chain).
    pub fn heisenberg_chain(size: Size) -> Result<Self> {
        let n = size.pick(20, 6);
        let chain = Graph::chain(n, Boundary::Periodic)?;
        let spins = Spin::half(n)?.with_total_sz(0.0)?;
        let definition = Heisenberg::new(spins, &chain, 1.0)?.definition()?;
        Ok(System { name: format!("heisenberg_chain_{n}_sz0"), definition, graph: Some(chain), size })
    }

    /// The systems on which connected elements are compared.
    ///
    /// # Errors
    /// As for [`ising_chain`](Self::ising_chain).
    pub fn for_connected_elements(size: Size) -> Result<Vec<Self>> {
        [
            Self::ising_chain,
            Self::ising_square,
            Self::heisenberg,
            Self::j1_j2,
            Self::bose_hubbard,
            Self::fermi_hubbard,
            Self::pauli_strings,
        ]
        .into_iter()
        .map(|system| system(size))
        .collect()
    }
}

/// Knuth's linear congruential generator, with which the peers make the same numbers. It gives the upper 31 bits of each
/// state.
struct Lcg(u64);

impl Lcg {
    /// A number below 2³¹.
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    /// A number from −1 to 1.
    fn next_signed(&mut self) -> f64 {
        self.next() as f64 / f64::from(1 << 30) - 1.0
    }
}

/// Random strings of four letters on different sites, with weights from −1 to 1.
///
/// They come only from [`Lcg`], so that the peers have the same ones. Each letter
/// takes a random site, drawn again until it is free, and then a random letter; after the four letters comes
/// the weight.
fn random_strings(n_strings: usize, n_qubits: usize, seed: u64) -> (Vec<Vec<(usize, Pauli)>>, Vec<f64>) {
    let mut numbers = Lcg(seed);
    let string = |_| {
        let mut letters: Vec<(usize, Pauli)> = Vec::with_capacity(4);
        while letters.len() < n_qubits.min(4) {
            let site = numbers.next() as usize % n_qubits;
            if letters.iter().all(|&(taken, _)| taken != site) {
                letters.push((site, [Pauli::X, Pauli::Y, Pauli::Z][numbers.next() as usize % 3]));
            }
        }
        (letters, numbers.next_signed())
    };
    (0..n_strings).map(string).unzip()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compares with what `peers/systems.py` makes from the seed.
    #[test]
    fn random_strings_are_those_of_the_peers() {
        use Pauli::{X, Y, Z};
        let (strings, weights) = random_strings(1000, 40, 42);
        assert_eq!(sorted(&strings[0]), [(14, Z), (18, X), (30, Z), (36, Z)]);
        assert_eq!(sorted(&strings[999]), [(21, Z), (22, Z), (31, Z), (35, Z)]);
        assert!(strings.iter().flatten().any(|&(_, pauli)| pauli == Y));
        assert_eq!(weights[0], -0.950_401_368_550_956_2);
        assert_eq!(weights[999], 0.287_004_989_571_869_4);
    }

    fn sorted(string: &[(usize, Pauli)]) -> Vec<(usize, Pauli)> {
        let mut sorted = string.to_vec();
        sorted.sort_unstable_by_key(|&(site, _)| site);
        sorted
    }

    #[test]
    fn samples_are_states_of_their_spaces() -> Result<()> {
        for size in [Size::Full, Size::Small] {
            for system in System::for_connected_elements(size)? {
                let samples = system.samples(50)?;
                assert_eq!(samples.nrows(), 50);
                system.definition.hilbert().check(samples.view())?;
            }
        }
        Ok(())
    }

    /// A site is empty if none of its 4 of the 256 places holds one of the 64 particles. For independent places
    /// the probability would be (1 − 1/4)⁴ = 0.316. The exact value is C(252, 64) / C(256, 64) = 0.314. For 12
    /// 800 independent sites, a deviation of five standard errors occurs once in a million seeds.
    #[test]
    fn bosons_are_put_on_places() -> Result<()> {
        let samples = System::bose_hubbard(Size::Full)?.samples(200)?;
        let empty = samples.iter().filter(|&&n| n == 0).count() as f64 / samples.len() as f64;
        let expected: f64 = (0..4).map(|k| f64::from(192 - k) / f64::from(256 - k)).product();
        let error = (expected * (1.0 - expected) / samples.len() as f64).sqrt();
        assert!((empty - expected).abs() < 5.0 * error, "{empty}, expected {expected}");
        Ok(())
    }

    #[test]
    fn full_systems_have_the_sizes_in_their_names() -> Result<()> {
        let sizes: Vec<(String, usize)> = (System::for_connected_elements(Size::Full)?.into_iter())
            .map(|system| (system.name, system.definition.hilbert().n_sites()))
            .collect();
        let expected = [
            ("ising_chain_100", 100),
            ("ising_square_10x10", 100),
            ("heisenberg_10x10_sz0", 100),
            ("j1j2_10x10_sz0", 100),
            ("bose_hubbard_8x8_nmax4", 64),
            ("fermi_hubbard_6x6", 72),
            ("pauli_1000_4local_40q", 40),
        ];
        assert_eq!(sizes, expected.map(|(name, n_sites)| (name.to_owned(), n_sites)));
        let ring = System::heisenberg_chain(Size::Full)?;
        assert_eq!(ring.definition.hilbert().n_states()?, 184_756);
        Ok(())
    }
}
