//! Operators of every kind that kernels treat differently.

use ndarray::Array2;
use num_complex::Complex64;

use super::SplitMix;
use crate::definition::Definition;
use crate::error::{Error, Result};
use crate::graph::{Boundary, Graph, Lattice};
use crate::hilbert::{Fock, HilbertSpace, Qubit, Spin, SpinOrbitalFermions};
use crate::kernel::Limits;
use crate::models::{
    BoseHubbard, FermiHubbard, FermionOperator2nd, Heisenberg, Ising, KitaevHoneycomb, LocalOperator, Model,
    Molecular, PauliStrings, Rydberg, SignRule, Ssh, TJ, Xyz,
};
use crate::terms::{Ladder, Pauli, SiteMatrix, Terms};

/// An operator of the [`catalogue`].
#[derive(Clone, Debug)]
pub struct Entry {
    /// What it is.
    pub name: &'static str,
    /// The operator.
    pub definition: Definition,
}

/// Operators on all spaces: the models, random Pauli strings and matrices, hops with conserved numbers, fermion
/// strings, tensor products, and operators that cancel or are empty. The list is the same every time.
///
/// # Errors
/// None, unless this crate is broken.
pub fn catalogue() -> Result<Vec<Entry>> {
    let mut entries = Vec::new();
    let mut add = |name, definition| entries.push(Entry { name, definition });
    models(&mut add)?;
    spin_models(&mut add)?;
    particle_models(&mut add)?;
    pauli_strings(&mut add)?;
    local_matrices(&mut add)?;
    conserved(&mut add)?;
    fermions(&mut add)?;
    tensor_products(&mut add)?;
    products(&mut add)?;
    corners(&mut add)?;
    in_other_kernels(&mut entries)?;
    Ok(entries)
}

fn models(add: &mut dyn FnMut(&'static str, Definition)) -> Result<()> {
    let chain = Graph::chain(6, Boundary::Periodic)?;
    let spins = Spin::half(6)?;
    add("Ising chain", Ising::new(spins.clone(), &chain, 0.7, -1.1)?.definition()?);
    let (h, j) = ([0.1, -0.2, 0.3, 0.0, 0.5, 0.6], [1.0, 2.0, -3.0, 0.0, 5.0, 6.0]);
    add("Ising chain on qubits, one value a site", Ising::new(Qubit::new(6)?, &chain, h, j)?.definition()?);
    let large = Graph::square(9, Boundary::Periodic)?;
    add("Ising square of 81 sites", Ising::new(Spin::half(81)?, &large, 3.0, 1.0)?.definition()?);
    add("Heisenberg chain", Heisenberg::new(spins.clone(), &chain, 0.6)?.definition()?);
    let sz0 = spins.with_total_sz(0.0)?;
    let plain = Heisenberg::new(sz0, &chain, 0.6)?.with_sign_rule(SignRule::Plain);
    add("Heisenberg chain at Sz = 0 without sign rule", plain.definition()?);
    let square = Lattice::square([3, 3]).neighbors(2).build()?;
    let j1_j2 = Heisenberg::new(Spin::half(9)?.with_total_sz(0.5)?, &square, [1.0, 0.4])?;
    add(
        "J1-J2 square at Sz = 1/2",
        j1_j2.with_sign_rules([SignRule::Marshall, SignRule::Plain])?.definition()?,
    );
    let large = Lattice::square([8, 10]).neighbors(2).build()?;
    let j1_j2 = Heisenberg::new(Spin::half(80)?.with_total_sz(0.0)?, &large, [1.0, 0.4])?;
    add("J1-J2 rectangle of 80 sites", j1_j2.definition()?);
    Ok(())
}

fn spin_models(add: &mut dyn FnMut(&'static str, Definition)) -> Result<()> {
    let chain = Graph::chain(4, Boundary::Open)?;
    let (jx, jy) = ([0.5, -1.0, 2.0], [1.5, 0.2, -0.3]);
    let xyz = Xyz::new(Spin::half(4)?, &chain, jx, jy, 0.7)?.with_field([0.1, 0.2, -0.3, 0.4]);
    add("XYZ chain in a field", xyz.definition()?);
    add("XYZ chain of spins 1", Xyz::new(Spin::new(1.0, 4)?, &chain, jx, jy, 0.7)?.definition()?);
    let spins = Spin::new(1.0, 4)?.with_total_sz(0.0)?;
    add("XXZ chain of spins 1 at Sz = 0", Xyz::xxz(spins, &chain, jx, 0.4)?.definition()?);
    let torus = Graph::kitaev_honeycomb([2, 2], Boundary::Periodic)?;
    let kitaev = KitaevHoneycomb::new(Spin::half(8)?, &torus, 1.0, [0.5, 0.6, 0.7, 0.8], -0.4)?;
    add("Kitaev honeycomb of 8 sites", kitaev.definition()?);
    let positions = Lattice::triangular([2, 3]).positions()?;
    let atoms = Rydberg::new(Qubit::new(6)?, positions, 1.0, [0.1, 0.2, 0.3, 0.4, 0.5, 0.6], 2.0)?;
    add("Rydberg atoms", atoms.definition()?);
    add("Rydberg atoms with a cutoff", atoms.with_cutoff(1.1)?.definition()?);
    Ok(())
}

fn particle_models(add: &mut dyn FnMut(&'static str, Definition)) -> Result<()> {
    let ring = Graph::chain(4, Boundary::Periodic)?;
    let (per_site, per_bond) = ([0.3, 1.2, -0.5, 2.0], [1.0, 0.5, -0.7, 0.2]);
    let bosons = BoseHubbard::new(Fock::new(2, 4)?, &ring, per_site)?.with_j(per_bond).with_v(0.3);
    add("Bose-Hubbard ring", bosons.with_mu(0.4).definition()?);
    let fixed = Fock::new(2, 4)?.with_n_particles(4)?;
    add("Bose-Hubbard ring of 4 bosons", BoseHubbard::new(fixed, &ring, 2.0)?.definition()?);
    let ring = Graph::chain(3, Boundary::Periodic)?;
    let (per_site, per_bond) = ([0.3, 1.2, -0.5], [1.0, 0.5, -0.7]);
    let electrons = SpinOrbitalFermions::with_spin(3, 0.5)?;
    let fixed = electrons.with_n_fermions_per_spin(&[2, 1])?;
    add("Fermi-Hubbard ring", FermiHubbard::new(electrons.clone(), &ring, per_bond, per_site)?.definition()?);
    add(
        "Fermi-Hubbard ring of 3 electrons",
        FermiHubbard::new(fixed.clone(), &ring, 1.0, 4.0)?.definition()?,
    );
    let square = Graph::square(6, Boundary::Periodic)?;
    let large = SpinOrbitalFermions::with_spin(36, 0.5)?.with_n_fermions_per_spin(&[16, 17])?;
    add("Fermi-Hubbard square of 36 orbitals", FermiHubbard::new(large, &square, 1.0, 8.0)?.definition()?);
    add("t-J ring", TJ::new(electrons, &ring, per_bond, 0.4)?.with_penalty(3.0).definition()?);
    add("t-J ring of 3 electrons", TJ::new(fixed, &ring, 1.0, 0.4)?.definition()?);
    let chain = SpinOrbitalFermions::new(6)?;
    add("SSH ring", Ssh::new(chain.clone(), Boundary::Periodic, 0.6, 1.1)?.definition()?);
    add(
        "three fermions on an SSH chain",
        Ssh::new(chain.with_n_fermions(3)?, Boundary::Open, 0.6, [1.1, 0.9])?.definition()?,
    );
    molecules(add)
}

fn molecules(add: &mut dyn FnMut(&'static str, Definition)) -> Result<()> {
    let mut rng = SplitMix::new(15);
    let mut one = Vec::new();
    for p in 0..2 {
        (0..=p).for_each(|q| one.push(([p, q], rng.number())));
    }
    let two: Vec<([usize; 4], f64)> = one
        .iter()
        .flat_map(|&([p, q], _)| one.iter().map(move |&([r, s], _)| [p, q, r, s]))
        .filter(|[p, q, r, s]| [p, q] >= [r, s])
        .map(|indices| (indices, rng.number()))
        .collect();
    let electrons = SpinOrbitalFermions::with_spin(2, 0.5)?;
    let molecule = Molecular::from_integrals(electrons.clone(), 0.7, one.clone(), two.clone())?;
    add("molecule", molecule.definition()?);
    let fixed = electrons.with_n_fermions_per_spin(&[1, 1])?;
    add("molecule of 2 electrons", Molecular::from_integrals(fixed, 0.7, one, two)?.definition()?);
    let strings = ["0^ 3^ 2 1", "1^ 2^ 3 0", "2^ 2", "", "3^ 0", "0^ 3", "0^ 3"];
    let weights = [Complex64::new(0.5, 1.0), Complex64::new(0.5, -1.0), 2.0.into(), 0.3.into(), Complex64::I]
        .into_iter()
        .chain([-Complex64::I, 0.25.into()]);
    let fixed = SpinOrbitalFermions::new(4)?.with_n_fermions(2)?;
    add("strings of fermions", FermionOperator2nd::new(fixed, strings, weights)?.definition()?);
    Ok(())
}

fn random_strings(rng: &mut SplitMix, n_sites: usize, n_strings: usize, most: usize) -> Vec<String> {
    (0..n_strings)
        .map(|_| {
            let weight = rng.below(most + 1);
            let mut letters = vec!['I'; n_sites];
            rng.distinct(weight, n_sites)
                .into_iter()
                .for_each(|k| letters[k] = ['X', 'Y', 'Z'][rng.below(3)]);
            letters.into_iter().collect()
        })
        .collect()
}

fn pauli_strings(add: &mut dyn FnMut(&'static str, Definition)) -> Result<()> {
    let mut rng = SplitMix::new(1);
    let real = |rng: &mut SplitMix, n: usize| -> Vec<f64> { (0..n).map(|_| rng.number()).collect() };
    let strings = random_strings(&mut rng, 6, 40, 6);
    let weights = real(&mut rng, 40);
    add("Pauli strings", PauliStrings::new(Qubit::new(6)?, &strings, weights)?.definition()?);
    let complex: Vec<Complex64> = (0..40).map(|_| Complex64::new(rng.number(), rng.number())).collect();
    add("Pauli strings, complex", PauliStrings::new(Spin::half(6)?, &strings, complex)?.definition()?);
    let strings = random_strings(&mut rng, 150, 120, 5);
    let weights = real(&mut rng, 120);
    add("Pauli strings on 150 qubits", PauliStrings::new(Qubit::new(150)?, &strings, weights)?.definition()?);
    let strings = random_strings(&mut rng, 64, 60, 64);
    let weights = real(&mut rng, 60);
    add(
        "long Pauli strings on 64 qubits",
        PauliStrings::new(Qubit::new(64)?, &strings, weights)?.definition()?,
    );
    let even = ["XXII", "YYII", "YYZI", "IYYX", "XIYY", "ZZZZ", "XXXX", "YYYY", "XYXY"];
    let weights = [0.5, 0.5, -0.25, 1.0, 1.0, 2.0, 1.0, 1.0, 3.0];
    add(
        "real Pauli strings that cancel in part",
        PauliStrings::new(Qubit::new(4)?, even, weights)?.definition()?,
    );
    Ok(())
}

/// A random matrix with about half of its elements zero.
fn random_matrix(rng: &mut SplitMix, dim: usize, complex: bool) -> Array2<Complex64> {
    Array2::from_shape_simple_fn((dim, dim), || match rng.below(2) {
        0 => Complex64::ZERO,
        _ => Complex64::new(rng.number(), if complex { rng.number() } else { 0.0 }),
    })
}

fn random_local(
    hilbert: HilbertSpace,
    supports: &[&[usize]],
    complex: bool,
    hermitian: bool,
    seed: u64,
) -> Result<Definition> {
    let mut rng = SplitMix::new(seed);
    let mut model = LocalOperator::new(hilbert.clone());
    for &sites in supports {
        let dim = sites.iter().map(|&site| hilbert.local_dim(site)).product();
        let mut matrix = random_matrix(&mut rng, dim, complex);
        if hermitian {
            let adjoint = matrix.t().mapv(|z| z.conj());
            matrix += &adjoint;
        }
        model = model.with_weighted(rng.number(), sites, matrix)?;
    }
    model.definition()
}

fn local_matrices(add: &mut dyn FnMut(&'static str, Definition)) -> Result<()> {
    let mixed: &[&[usize]] = &[&[3, 0], &[1], &[2, 0, 1], &[0, 3], &[0], &[3], &[1, 2]];
    let spins: HilbertSpace = Spin::half(5)?.into();
    add("matrices on spins 1/2", random_local(spins.clone(), mixed, true, false, 2)?);
    add("Hermitian matrices on spins 1/2", random_local(spins.clone(), mixed, true, true, 3)?);
    add("real matrices on spins 1/2", random_local(spins, mixed, false, false, 4)?);
    let spins: HilbertSpace = Spin::new(1.0, 4)?.into();
    add("matrices on spins 1", random_local(spins.clone(), mixed, true, false, 5)?);
    add("Hermitian matrices on spins 1", random_local(spins.clone(), mixed, true, true, 6)?);
    add("real matrices on spins 1", random_local(spins, mixed, false, true, 7)?);
    let pairs: &[&[usize]] = &[&[2, 0], &[1], &[0, 1], &[1, 2], &[2]];
    add("matrices on spins 3/2", random_local(Spin::new(1.5, 3)?.into(), pairs, true, true, 8)?);
    add("matrices on bosons", random_local(Fock::new(2, 4)?.into(), mixed, true, false, 9)?);
    add("Hermitian matrices on bosons", random_local(Fock::new(4, 3)?.into(), pairs, false, true, 10)?);
    let far: &[&[usize]] = &[&[69, 0], &[1, 64], &[63], &[64, 63], &[30, 5]];
    add("matrices on 70 spins 1", random_local(Spin::new(1.0, 70)?.into(), far, true, true, 11)?);
    let many: &[&[usize]] = &[&[69, 0], &[1, 64, 63], &[63], &[64, 63], &[30, 5]];
    add("matrices on 70 qubits", random_local(Qubit::new(70)?.into(), many, true, true, 12)?);
    Ok(())
}

/// A random Hermitian matrix on two sites with `dim` local states that conserves the sum of their indices.
fn exchange(rng: &mut SplitMix, dim: usize) -> Array2<Complex64> {
    let mut matrix = Array2::zeros((dim * dim, dim * dim));
    for (row, column) in (0..dim * dim).flat_map(|row| (row..dim * dim).map(move |column| (row, column))) {
        if row / dim + row % dim == column / dim + column % dim {
            let im = if row == column { 0.0 } else { rng.number() };
            let z = Complex64::new(rng.number(), im);
            (matrix[[row, column]], matrix[[column, row]]) = (z, z.conj());
        }
    }
    matrix
}

fn conserved(add: &mut dyn FnMut(&'static str, Definition)) -> Result<()> {
    let mut rng = SplitMix::new(13);
    let mut ring = |hilbert: HilbertSpace| -> Result<Definition> {
        let (n_sites, dim) = (hilbert.n_sites(), hilbert.local_dim(0));
        let mut terms = Terms::new(hilbert);
        let couplings = terms.parameter("couplings", vec![1.0; n_sites])?;
        for site in 0..n_sites {
            let matrix = exchange(&mut rng, dim);
            terms.local(couplings.at(site)?, &[(site + 1) % n_sites, site], matrix)?;
        }
        Definition::new("exchange", terms)
    };
    add("exchange of spins 1/2 at Sz = 1", ring(Spin::half(6)?.with_total_sz(1.0)?.into())?);
    add("exchange of spins 1 at Sz = 0", ring(Spin::new(1.0, 4)?.with_total_sz(0.0)?.into())?);
    add("exchange of spins 3/2 at Sz = -1/2", ring(Spin::new(1.5, 3)?.with_total_sz(-0.5)?.into())?);
    add("exchange of 5 bosons", ring(Fock::new(3, 4)?.with_n_particles(5)?.into())?);
    add("exchange of 30 bosons on 40 sites", ring(Fock::new(2, 40)?.with_n_particles(30)?.into())?);
    add("exchange of bosons, full space", ring(Fock::new(2, 4)?.into())?);
    add("exchange on the only state", ring(Fock::new(2, 3)?.with_n_particles(6)?.into())?);
    Ok(())
}

fn fermions(add: &mut dyn FnMut(&'static str, Definition)) -> Result<()> {
    let free = SpinOrbitalFermions::new(6)?;
    add("fermion hops", hubbard(free.clone().into(), 1, Complex64::new(-1.0, 0.4))?);
    add("three fermions", hubbard(free.with_n_fermions(3)?.into(), 1, Complex64::new(-1.0, 0.0))?);
    let hubbard_space = SpinOrbitalFermions::with_spin(3, 0.5)?.with_n_fermions_per_spin(&[2, 1])?;
    add("Hubbard ring", hubbard(hubbard_space.into(), 2, Complex64::new(-1.0, 0.0))?);
    let large = SpinOrbitalFermions::with_spin(40, 0.5)?.with_n_fermions_per_spin(&[20, 18])?;
    add("Hubbard ring of 40 orbitals", hubbard(large.into(), 2, Complex64::new(-1.0, 0.2))?);
    let mut rng = SplitMix::new(14);
    let mut terms = Terms::new(free.clone());
    for _ in 0..30 {
        let len = rng.below(6);
        let string: Vec<Ladder> =
            (0..len).map(|_| Ladder { mode: rng.below(6), dagger: rng.below(2) == 0 }).collect();
        terms.fermion(Complex64::new(rng.number(), rng.number()), &string)?;
    }
    add("random fermion strings", Definition::new("fermion strings", terms)?);
    let dilute = SpinOrbitalFermions::new(7)?;
    add("1 of 7 modes filled", two_body(dilute.with_n_fermions(1)?.into(), &mut rng)?);
    add("1 of 7 modes empty", two_body(dilute.with_n_fermions(6)?.into(), &mut rng)?);
    let dilute = SpinOrbitalFermions::with_spin(20, 0.5)?.with_n_fermions_per_spin(&[3, 18])?;
    add("3 electrons down and 2 holes up in 20 orbitals", two_body(dilute.into(), &mut rng)?);
    let dilute = SpinOrbitalFermions::new(70)?.with_n_fermions(3)?;
    add("3 of 70 modes filled", two_body(dilute.into(), &mut rng)?);
    let mut terms = Terms::new(free);
    terms.fermion(0.5, &[Ladder::create(4), Ladder::destroy(1)])?;
    terms.pauli_on_occupations(1.5, &[(2, Pauli::Z)])?;
    terms.pauli_on_occupations(0.5, &[(0, Pauli::X), (5, Pauli::Y)])?;
    terms.local(1.0, &[3], random_matrix(&mut rng, 2, true))?;
    add("all families on fermion modes", Definition::new("mixed", terms)?);
    Ok(())
}

/// Random Hermitian hops of one and two particles, within a spin state or between two densities.
fn two_body(hilbert: HilbertSpace, rng: &mut SplitMix) -> Result<Definition> {
    let blocks: Vec<(usize, usize)> =
        hilbert.blocks().iter().map(|block| (block.start, block.n_sites)).collect();
    let mut terms = Terms::new(hilbert);
    for _ in 0..120 {
        let mut string = Vec::new();
        for _ in 0..1 + rng.below(2) {
            let (start, n) = blocks[rng.below(blocks.len())];
            string.insert(0, Ladder::create(start + rng.below(n)));
            string.push(Ladder::destroy(start + rng.below(n)));
        }
        let weight = Complex64::new(rng.number(), rng.number());
        terms.fermion(weight, &string)?;
        let reversed: Vec<Ladder> = string.iter().rev().map(|l| Ladder { dagger: !l.dagger, ..*l }).collect();
        terms.fermion(weight.conj(), &reversed)?;
    }
    Definition::new("two-body", terms)
}

/// Hops around a ring for each spin state, and interactions between neighbours and between spin states.
fn hubbard(hilbert: HilbertSpace, n_spin_states: usize, hop: Complex64) -> Result<Definition> {
    let n_orbitals = hilbert.n_sites() / n_spin_states;
    let mut terms = Terms::new(hilbert);
    let t = terms.parameter("t", 0.8)?.at(0)?;
    let u = terms.parameter("U", 2.5)?.at(0)?;
    for spin in 0..n_spin_states {
        for orbital in 0..n_orbitals {
            let a = spin * n_orbitals + orbital;
            let b = spin * n_orbitals + (orbital + 1) % n_orbitals;
            terms.fermion(hop * t, &[Ladder::create(a), Ladder::destroy(b)])?;
            terms.fermion(hop.conj() * t, &[Ladder::create(b), Ladder::destroy(a)])?;
            let other = if n_spin_states > 1 { orbital + (1 - spin) * n_orbitals } else { b };
            let density =
                [Ladder::create(a), Ladder::destroy(a), Ladder::create(other), Ladder::destroy(other)];
            terms.fermion(0.5 * u, &density)?;
        }
    }
    Definition::new("hops", terms)
}

fn tensor_products(add: &mut dyn FnMut(&'static str, Definition)) -> Result<()> {
    let spins = HilbertSpace::from(Spin::half(3)?);
    add("Dicke model", dicke((spins * Fock::new(3, 1)?)?)?);
    let spins = HilbertSpace::from(Spin::new(1.0, 2)?);
    add("Dicke model of spins 1 with two modes", dicke((spins * Fock::new(2, 2)?)?)?);
    let electrons = SpinOrbitalFermions::new(4)?;
    let phonons = Fock::new(2, 2)?;
    add("Holstein chain", holstein((HilbertSpace::from(electrons.clone()) * phonons.clone())?)?);
    let electrons = HilbertSpace::from(electrons.with_n_fermions(2)?);
    add("Holstein chain, phonons first", holstein((HilbertSpace::from(phonons) * electrons)?)?);
    let electrons = SpinOrbitalFermions::with_spin(24, 0.5)?.with_n_fermions_per_spin(&[12, 11])?;
    add("Holstein chain of 24 orbitals", holstein((HilbertSpace::from(electrons) * Fock::new(3, 24)?)?)?);
    let two = HilbertSpace::tensor(vec![SpinOrbitalFermions::new(4)?; 2])?;
    add("two species of fermions that commute", all_families(two, 15)?);
    let electrons = HilbertSpace::from(SpinOrbitalFermions::new(4)?.with_n_fermions(2)?);
    add("Kondo chain at fixed numbers", kondo((electrons * Spin::half(4)?.with_total_sz(0.0)?)?)?);
    let electrons = HilbertSpace::from(SpinOrbitalFermions::new(3)?.with_n_fermions(2)?);
    let three = [electrons, Spin::half(3)?.with_total_sz(0.5)?.into(), Fock::new(2, 1)?.into()];
    add("Kondo chain beside a boson", kondo(HilbertSpace::tensor(three)?)?);
    let two_level: [HilbertSpace; 3] =
        [Spin::half(2)?.into(), Qubit::new(2)?.into(), SpinOrbitalFermions::new(3)?.into()];
    add("spins, qubits and fermions", all_families(HilbertSpace::tensor(two_level)?, 16)?);
    let fermions = |n| SpinOrbitalFermions::new(n).map(HilbertSpace::from);
    let mixed = [fermions(3)?, Spin::new(1.0, 1)?.into(), Qubit::new(1)?.into(), fermions(2)?];
    add("fermions on both sides of a spin 1", all_families(HilbertSpace::tensor(mixed)?, 17)?);
    let large: [HilbertSpace; 3] =
        [Fock::new(4, 20)?.into(), SpinOrbitalFermions::new(40)?.into(), Qubit::new(30)?.into()];
    add("all families on 90 sites", all_families(HilbertSpace::tensor(large)?, 18)?);
    Ok(())
}

/// The first site of each factor, and the site after the last one.
fn starts(hilbert: &HilbertSpace) -> Vec<usize> {
    let mut starts = vec![0];
    for factor in hilbert.factors() {
        starts.push(starts[starts.len() - 1] + factor.n_sites());
    }
    starts
}

/// The annihilation operator of a boson; on a spin it leads from one local state to the previous one.
fn lower(dim: usize) -> Array2<Complex64> {
    Array2::from_shape_fn((dim, dim), |(row, column)| {
        if column == row + 1 { (column as f64).sqrt().into() } else { Complex64::ZERO }
    })
}

fn adjoint(matrix: &Array2<Complex64>) -> Array2<Complex64> {
    matrix.t().mapv(|z| z.conj())
}

/// The matrix of n = 0, 1, …
fn number(dim: usize) -> Array2<Complex64> {
    Array2::from_diag(&ndarray::Array1::from_shape_fn(dim, |n| Complex64::from(n as f64)))
}

/// Spins in cavities, `Σ ω b†b + Σ g (σ b† + σ† b)`: excitations move between the factors.
fn dicke(hilbert: HilbertSpace) -> Result<Definition> {
    let (n_spins, n_sites) = (starts(&hilbert)[1], hilbert.n_sites());
    let (spin, boson) = (hilbert.local_dim(0), hilbert.local_dim(n_spins));
    let mut terms = Terms::new(hilbert);
    let omega = terms.parameter("omega", 0.9)?.at(0)?;
    let g = terms.parameter("g", vec![0.3; n_spins])?;
    for mode in n_spins..n_sites {
        terms.local(omega, &[mode], number(boson))?;
        for site in 0..n_spins {
            let absorb = ndarray::linalg::kron(&lower(boson), &adjoint(&lower(spin)));
            terms.local(g.at(site)?, &[mode, site], &absorb + &adjoint(&absorb))?;
        }
    }
    Definition::new("Dicke", terms)
}

/// Electrons that hop between all orbitals of a spin state, and phonons that they create:
/// `Σ t c†_i c_j + Σ n_i (b_k + b_k†) + Σ b†b`.
fn holstein(hilbert: HilbertSpace) -> Result<Definition> {
    let starts = starts(&hilbert);
    let fermions = usize::from(!hilbert.factors()[0].is_fermionic());
    let (modes, phonons) = (starts[fermions], starts[1 - fermions]);
    let n_phonons = hilbert.factors()[1 - fermions].n_sites();
    let dim = hilbert.local_dim(phonons);
    let spin_states: Vec<(usize, usize)> =
        hilbert.factors()[fermions].blocks().iter().map(|block| (block.start, block.n_sites)).collect();
    let mut terms = Terms::new(hilbert);
    let t = terms.parameter("t", 1.1)?.at(0)?;
    let g = terms.parameter("g", 0.4)?.at(0)?;
    let shake = ndarray::linalg::kron(&number(2), &(lower(dim) + adjoint(&lower(dim))));
    for (first, n_orbitals) in spin_states {
        for a in 0..n_orbitals {
            let mode = modes + first + a;
            terms.local(g, &[mode, phonons + a % n_phonons], shake.clone())?;
            for other in mode + 1..modes + first + n_orbitals {
                let hop = Complex64::new(-1.0, 0.3) / (other - mode) as f64;
                terms.fermion(hop * t, &[Ladder::create(mode), Ladder::destroy(other)])?;
                terms.fermion(hop.conj() * t, &[Ladder::create(other), Ladder::destroy(mode)])?;
            }
        }
    }
    for phonon in phonons..phonons + n_phonons {
        terms.local(0.7, &[phonon], number(dim))?;
    }
    Definition::new("Holstein", terms)
}

/// A ring of electrons and a ring of spins 1/2, coupled by `(1 − 2 n_i) σz_i`. If there is a boson, the electrons shake
/// it.
fn kondo(hilbert: HilbertSpace) -> Result<Definition> {
    let (starts, n_sites) = (starts(&hilbert), hilbert.n_sites());
    let n = starts[1];
    let dim = hilbert.local_dim(n_sites - 1);
    let mut terms = Terms::new(hilbert);
    let j = terms.parameter("J", 0.6)?.at(0)?;
    for a in 0..n {
        let b = (a + 1) % n;
        terms.fermion(-1.0, &[Ladder::create(a), Ladder::destroy(b)])?;
        terms.fermion(-1.0, &[Ladder::create(b), Ladder::destroy(a)])?;
        for pauli in [Pauli::X, Pauli::Y, Pauli::Z] {
            terms.pauli(0.5, &[(n + a, pauli), (n + b, pauli)])?;
        }
        terms.pauli_on_occupations(j, &[(a, Pauli::Z), (n + a, Pauli::Z)])?;
        if starts.len() > 3 {
            let shake = ndarray::linalg::kron(&number(2), &(lower(dim) + adjoint(&lower(dim))));
            terms.local(0.2, &[a, n_sites - 1], shake)?;
        }
    }
    Definition::new("Kondo", terms)
}

/// Random fermion strings in every fermion factor, Pauli strings across all two-level sites, and matrices on
/// any two sites.
fn all_families(hilbert: HilbertSpace, seed: u64) -> Result<Definition> {
    let mut rng = SplitMix::new(seed);
    let (starts, n_sites) = (starts(&hilbert), hilbert.n_sites());
    let two_level: Vec<usize> = (0..n_sites).filter(|&site| hilbert.local_dim(site) == 2).collect();
    let mut terms = Terms::new(hilbert.clone());
    let mut coefficient = SplitMix::new(seed + 100);
    let mut coefficient = || Complex64::new(coefficient.number(), coefficient.number());
    for (factor, &start) in hilbert.factors().iter().zip(&starts) {
        for len in [2, 2, 2, 2, 4, 4, 5, 0].into_iter().filter(|_| factor.is_fermionic()) {
            let mode = |rng: &mut SplitMix| start + rng.below(factor.n_sites());
            let string: Vec<Ladder> =
                (0..len).map(|k| Ladder { mode: mode(&mut rng), dagger: k % 2 == 0 }).collect();
            terms.fermion(coefficient(), &string)?;
            // A hop multiplied by the number of a third mode shares a group with the plain hop.
            let counted = Ladder::create(mode(&mut rng));
            let string = [&string[..], &[counted, Ladder { dagger: false, ..counted }]].concat();
            terms.fermion(coefficient(), &string)?;
        }
    }
    for _ in 0..8 {
        let (n_flips, n_signs) = (rng.below(3), rng.below(two_level.len() - 1));
        let sites = rng.distinct(n_flips + n_signs, two_level.len());
        let matrix = |(k, &site): (usize, &usize)| match k {
            k if k >= n_flips => (two_level[site], Pauli::Z),
            k => (two_level[site], [Pauli::X, Pauli::Y][k % 2]),
        };
        // Two strings with equal flips and different signs.
        for n in [sites.len(), sites.len() - sites.len().saturating_sub(n_flips) / 2] {
            let string: Vec<_> = sites[..n].iter().enumerate().map(matrix).collect();
            terms.pauli_on_occupations(coefficient(), &string)?;
        }
        let pair = rng.distinct(2, n_sites);
        let dim = pair.iter().map(|&site| hilbert.local_dim(site)).product();
        terms.local(coefficient(), &pair, random_matrix(&mut rng, dim, true))?;
    }
    Definition::new("all families", terms)
}

/// Ladder operators with many guards, and products of matrices that raise, lower and weigh their sites.
fn products(add: &mut dyn FnMut(&'static str, Definition)) -> Result<()> {
    let raise = SiteMatrix::new(2, [(0, 1, Complex64::ONE)]);
    let everywhere = |matrix: &SiteMatrix, sites: std::ops::Range<usize>| -> Vec<(usize, SiteMatrix)> {
        sites.map(|site| (site, matrix.clone())).collect()
    };
    let mut ladders = Terms::new(Spin::half(9)?);
    ladders.product(0.5, &everywhere(&raise, 0..9))?.product(0.5, &everywhere(&raise.transpose(), 0..9))?;
    ladders.product(0.3, &everywhere(&raise, 1..8))?.pauli(0.7, &[(0, Pauli::X)])?;
    ladders.product(Complex64::I, &[(0, raise.clone()), (1, raise.clone()), (8, raise.transpose())])?;
    add("ladders on nine spins", Definition::new("ladders", ladders)?);
    let spaces: [HilbertSpace; 3] = [
        Fock::new(3, 4)?.into(),
        (HilbertSpace::from(Spin::half(3)?) * Fock::new(4, 2)?)?,
        (HilbertSpace::from(SpinOrbitalFermions::new(3)?) * Spin::new(1.0, 3)?)?,
    ];
    for (seed, space) in (60..).zip(spaces) {
        let mut rng = SplitMix::new(seed);
        let mut terms = Terms::new(space.clone());
        let g = terms.parameter("g", 0.8)?.at(0)?;
        for _ in 0..8 {
            let n = rng.below(space.n_sites() + 1);
            let factors: Vec<_> = (rng.distinct(n, space.n_sites()).into_iter())
                .map(|site| (site, random_site_matrix(&mut rng, space.local_dim(site))))
                .collect();
            let factor = Complex64::new(rng.number(), rng.number());
            terms.product(factor, &factors)?.product(factor * g, &factors)?;
        }
        add("random products", Definition::new("products", terms)?);
    }
    Ok(())
}

fn random_site_matrix(rng: &mut SplitMix, dim: usize) -> SiteMatrix {
    let by = rng.below(3);
    let is_general = rng.below(4) == 0;
    let elements: Vec<_> = (0..dim * dim)
        .map(|k| (k / dim, k % dim))
        .filter(|(row, column)| is_general || row.abs_diff(*column) == by)
        .map(|(row, column)| {
            (row, column, Complex64::new(rng.number(), if is_general { rng.number() } else { 0.0 }))
        })
        .collect();
    SiteMatrix::new(dim, elements)
}

/// The operators on sites of more than two states once more, without joint tables. Strings that keep to a constrained
/// space only together need these.
/// The same operators in other kernels, which large spaces need. Small ones are enough to compare.
fn in_other_kernels(entries: &mut Vec<Entry>) -> Result<()> {
    for k in 0..entries.len() {
        let definition = &entries[k].definition;
        let others = match (definition.hilbert().is_two_level(), definition.hilbert().log2_n_states()) {
            (true, ..=6.0) => &[("in tables", Limits::TABLES), ("in steps", Limits::STEPS)][..],
            (false, ..=8.0) => &[("split by steps", Limits::STEPS)],
            _ => &[],
        };
        for &(name, limits) in others {
            match entries[k].definition.lowered_with(limits) {
                Ok(definition) => entries.push(Entry { name, definition }),
                Err(Error::LeavesHilbert { .. }) => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(())
}

fn corners(add: &mut dyn FnMut(&'static str, Definition)) -> Result<()> {
    add("nothing on qubits", Definition::new("zero", Terms::new(Qubit::new(3)?))?);
    add("nothing on bosons", Definition::new("zero", Terms::new(Fock::new(2, 3)?))?);
    let mut identity = Terms::new(Qubit::new(3)?);
    identity.pauli(2.0, &[])?;
    add("a multiple of the identity", Definition::new("identity", identity)?);
    let one = Graph::from_edges(1, [])?;
    add("one spin", Ising::new(Spin::half(1)?, &one, 1.0, 1.0)?.definition()?);
    let mut cancelled = Terms::new(Qubit::new(2)?);
    cancelled.pauli(1.0, &[(0, Pauli::X)])?.pauli(-1.0, &[(0, Pauli::X)])?;
    cancelled.pauli(0.1, &[(1, Pauli::X)])?.pauli(0.2, &[(1, Pauli::X)])?.pauli(-0.3, &[(1, Pauli::X)])?;
    cancelled.pauli(1.0, &[(1, Pauli::Z)])?;
    add("terms that cancel", Definition::new("cancelled", cancelled)?);
    let mut lowering = Terms::new(Spin::half(3)?);
    lowering.pauli(1.0, &[(1, Pauli::X)])?.pauli(Complex64::I, &[(1, Pauli::Y)])?;
    add("a raising operator", Definition::new("raising", lowering)?);
    Ok(())
}
