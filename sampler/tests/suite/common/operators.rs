//! Hermitian operators on small spaces of every kind.

use ndarray::Array2;
use num_complex::Complex64;
use operator_core::graph::Lattice;
use operator_core::hilbert::{Fock, Qubit, Spin, SpinOrbitalFermions};
use operator_core::terms::{Ladder, Terms, real_matrix};
use operator_core::{
    Boundary, Definition, Graph, Heisenberg, HilbertSpace, Ising, LocalOperator, Model, PauliStrings, Result,
};
use rand::{RngExt, SeedableRng};
use sampler::ChainRng;

/// An operator, and what its chains are like.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) definition: Definition,
    /// Sets of states that the operator does not connect.
    pub(crate) n_classes: usize,
    /// Whether some states have more connected states than others.
    pub(crate) varies: bool,
}

/// Operators with and without constraints, with real and complex elements, on masks and on tables.
pub(crate) fn all() -> Result<Vec<Case>> {
    let case =
        |name, definition, n_classes, varies| Ok(Case { name, definition: definition?, n_classes, varies });
    [
        case("Ising ring", ising(5), 1, false),
        case("Heisenberg chain at Sz = 0", heisenberg(6), 1, true),
        case("J1-J2 chain at Sz = 1", j1_j2(), 1, true),
        case("Pauli strings", pauli_strings(), 1, true),
        case("Pauli strings that keep parity", parity(), 2, false),
        case("random matrices on spins 1", random_matrices(), 1, true),
        case("Heisenberg chain of spins 1 at Sz = 0", spins_one(), 1, true),
        case("hops of 4 bosons", bosons(), 1, true),
        case("hops of fermions with spin", fermions(), 1, true),
        case("fermions that shake a boson", holstein(), 1, true),
    ]
    .into_iter()
    .collect()
}

pub(crate) fn ising(n_sites: usize) -> Result<Definition> {
    let ring = Graph::chain(n_sites, Boundary::Periodic)?;
    Ising::new(Spin::half(n_sites)?, &ring, 0.7, -1.1)?.definition()
}

pub(crate) fn heisenberg(n_sites: usize) -> Result<Definition> {
    let chain = Graph::chain(n_sites, Boundary::Open)?;
    Heisenberg::new(Spin::half(n_sites)?.with_total_sz(0.0)?, &chain, 1.0)?.definition()
}

pub(crate) fn j1_j2() -> Result<Definition> {
    let chain = Lattice::chain(6).boundary(Boundary::Open).neighbors(2).build()?;
    assert_eq!(chain.n_colors(), 2);
    Heisenberg::new(Spin::half(6)?.with_total_sz(1.0)?, &chain, [1.0, 0.4])?.definition()
}

/// Sums of strings with one flip mask vanish on half of the states.
pub(crate) fn pauli_strings() -> Result<Definition> {
    let strings = ["XXII", "YYII", "IXXI", "IYYI", "IIIX", "IIZX", "YZII", "ZZZZ"];
    let weights = [1.0, 1.0, 0.5, -0.5, 0.7, 0.7, 0.4, 2.0];
    PauliStrings::new(Qubit::new(4)?, strings, weights)?.definition()
}

fn parity() -> Result<Definition> {
    PauliStrings::new(Spin::half(4)?, ["XXII", "IXXI", "IIXX", "ZZII"], [1.0, -0.5, 0.3, 1.0])?.definition()
}

/// Matrices with about half of their elements zero.
fn random_matrices() -> Result<Definition> {
    let mut rng = ChainRng::seed_from_u64(5);
    let spins: HilbertSpace = Spin::new(1.0, 3)?.into();
    let mut model = LocalOperator::new(spins);
    for sites in [&[0, 1][..], &[2, 0], &[1]] {
        let dim = 3usize.pow(sites.len() as u32);
        let matrix = Array2::from_shape_simple_fn((dim, dim), || match rng.random::<f64>() {
            x if x < 0.7 => Complex64::ZERO,
            _ => Complex64::new(rng.random(), rng.random()),
        });
        let adjoint = matrix.t().mapv(|z| z.conj());
        model = model.with(sites, matrix + adjoint)?;
    }
    model.definition()
}

fn spins_one() -> Result<Definition> {
    let mut model = LocalOperator::new(Spin::new(1.0, 4)?.with_total_sz(0.0)?);
    let sz = [1.0, 0.0, -1.0];
    for site in 0..3 {
        // S·S, where S+ and S− of neighbours are √2 each.
        let matrix = Array2::from_shape_fn((9, 9), |(row, column)| {
            let ((a, b), (c, d)) = ((row / 3, row % 3), (column / 3, column % 3));
            match row == column {
                true => sz[a] * sz[b],
                false if a + b == c + d && a.abs_diff(c) == 1 => 1.0,
                false => 0.0,
            }
        });
        model = model.with(&[site, site + 1], matrix)?;
    }
    model.definition()
}

fn bosons() -> Result<Definition> {
    let s = 2.0_f64.sqrt();
    let lower = real_matrix([[0.0, 1.0, 0.0], [0.0, 0.0, s], [0.0, 0.0, 0.0]]);
    let mut model = LocalOperator::new(Fock::new(2, 4)?.with_n_particles(4)?);
    for site in 0..3 {
        let hop = Array2::from_shape_fn((9, 9), |(row, column)| {
            let there = lower[[column / 3, row / 3]] * lower[[row % 3, column % 3]];
            let back = lower[[row / 3, column / 3]] * lower[[column % 3, row % 3]];
            -(there + back)
        });
        model = model.with(&[site, site + 1], hop)?;
    }
    model.definition()
}

pub(crate) fn fermion_space() -> Result<HilbertSpace> {
    Ok(SpinOrbitalFermions::with_spin(4, 0.5)?.with_n_fermions_per_spin(&[2, 1])?.into())
}

fn fermions() -> Result<Definition> {
    let mut terms = Terms::new(fermion_space()?);
    let hop = Complex64::new(-1.0, 0.3);
    for spin in 0..2 {
        for orbital in 0..3 {
            let (a, b) = (4 * spin + orbital, 4 * spin + orbital + 1);
            terms.fermion(hop, &[Ladder::create(a), Ladder::destroy(b)])?;
            terms.fermion(hop.conj(), &[Ladder::create(b), Ladder::destroy(a)])?;
        }
    }
    Definition::new("hops", terms)
}

/// Two fermions on three modes, with a hop past another mode, beside a boson.
fn holstein() -> Result<Definition> {
    let electrons = HilbertSpace::from(SpinOrbitalFermions::new(3)?.with_n_fermions(2)?);
    let mut terms = Terms::new((electrons * Fock::new(2, 1)?)?);
    let s = 2.0_f64.sqrt();
    let shake = real_matrix([[0.0, 1.0, 0.0], [1.0, 0.0, s], [0.0, s, 0.0]]);
    let number = real_matrix([[0.0, 0.0], [0.0, 1.0]]);
    for (mode, other) in [(0, 1), (1, 2), (2, 0)] {
        terms.fermion(-1.0, &[Ladder::create(mode), Ladder::destroy(other)])?;
        terms.fermion(-1.0, &[Ladder::create(other), Ladder::destroy(mode)])?;
        terms.local(0.4 + mode as f64, &[mode, 3], ndarray::linalg::kron(&number, &shake))?;
    }
    Definition::new("Holstein", terms)
}
