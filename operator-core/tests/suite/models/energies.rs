//! Energies that are known in closed form.

use std::f64::consts::PI;

use operator_core::graph::Lattice;
use operator_core::hilbert::{Fock, Spin, SpinOrbitalFermions};
use operator_core::{
    BoseHubbard, Boundary, FermiHubbard, Graph, Heisenberg, Ising, KitaevHoneycomb, Rydberg, Ssh, TJ, Xyz,
};

use super::matrix::{dense, eigenvalues, ground_energy};

fn assert_energy(got: f64, expected: f64) {
    assert!((got - expected).abs() < 1e-10, "{got} is not {expected}");
}

fn ring(n: usize) -> Graph {
    Graph::chain(n, Boundary::Periodic).unwrap()
}

fn dimer() -> Graph {
    Graph::chain(2, Boundary::Open).unwrap()
}

/// P. Pfeuty, The one-dimensional Ising model with a transverse field, Ann. Phys. 57, 79 (1970).
#[test]
fn critical_ising_chain_has_pfeutys_energy() {
    for n in [4, 7, 8] {
        let model = Ising::new(Spin::half(n).unwrap(), &ring(n), 1.0, -1.0).unwrap();
        assert_energy(ground_energy(&model), -2.0 / (PI / (2 * n) as f64).sin());
    }
}

#[test]
fn hubbard_dimer_at_half_filling_is_a_quadratic_equation() {
    let space = SpinOrbitalFermions::with_spin(2, 0.5).unwrap().with_n_fermions_per_spin(&[1, 1]).unwrap();
    for (t, u) in [(1.0, 4.0), (0.3, -2.0), (1.0, 0.0)] {
        let model = FermiHubbard::new(space.clone(), &dimer(), t, u).unwrap();
        assert_energy(ground_energy(&model), u / 2.0 - ((u / 2.0f64).powi(2) + 4.0 * t * t).sqrt());
    }
}

#[test]
fn bosons_that_cannot_hop_have_the_energies_of_their_sites() {
    let (u, mu) = (1.3, 0.7);
    let space = Fock::new(3, 3).unwrap();
    let model = BoseHubbard::new(space.clone(), &ring(3), u).unwrap().with_j(0.0).with_mu(mu);
    let site = |n: i8| u / 2.0 * f64::from(n * (n - 1)) - mu * f64::from(n);
    let states = operator_core::HilbertSpace::from(space).all_states().unwrap();
    let mut expected: Vec<f64> =
        states.rows().into_iter().map(|row| row.iter().map(|&n| site(n)).sum()).collect();
    expected.sort_by(f64::total_cmp);
    for (got, expected) in eigenvalues(&dense(&model)).into_iter().zip(expected) {
        assert_energy(got, expected);
    }
}

#[test]
fn free_bosons_condense_in_the_lowest_orbital() {
    // Two bosons on a ring of three, with a lowest orbital at −2 J.
    for n_particles in [1, 2, 3] {
        let space = Fock::new(3, 3).unwrap().with_n_particles(n_particles).unwrap();
        let model = BoseHubbard::new(space, &ring(3), 0.0).unwrap().with_j(0.8);
        assert_energy(ground_energy(&model), -2.0 * 0.8 * n_particles as f64);
    }
}

fn one_particle(n: usize, boundary: Boundary, t1: f64, t2: f64) -> Vec<f64> {
    let space = SpinOrbitalFermions::new(n).unwrap().with_n_fermions(1).unwrap();
    eigenvalues(&dense(&Ssh::new(space, boundary, t1, t2).unwrap()))
}

#[test]
fn ssh_ring_has_two_bands() {
    let (t1, t2, n_cells) = (0.6, 1.1, 5);
    let band = |k: usize| {
        let k = 2.0 * PI * k as f64 / n_cells as f64;
        f64::hypot(t1 + t2 * k.cos(), t2 * k.sin())
    };
    let mut expected: Vec<f64> = (0..n_cells).flat_map(|k| [band(k), -band(k)]).collect();
    expected.sort_by(f64::total_cmp);
    for (got, expected) in one_particle(2 * n_cells, Boundary::Periodic, t1, t2).into_iter().zip(expected) {
        assert_energy(got, expected);
    }
}

#[test]
fn ssh_chain_has_states_at_its_ends_where_t2_is_larger() {
    // The splitting is of order t2 (t1 / t2)^n_cells; the other phase has the gap |t1 − t2|.
    let smallest = |t1: f64, t2: f64| {
        let energies = one_particle(20, Boundary::Open, t1, t2);
        energies.iter().fold(f64::INFINITY, |smallest, energy| smallest.min(energy.abs()))
    };
    assert!(smallest(0.2, 1.0) < 1e-6);
    assert!(smallest(1.0, 0.2) > 0.8);
    // An even chain is that of free particles, a chain of odd length has a state at exactly 0.
    for (k, energy) in one_particle(7, Boundary::Open, 1.0, 1.0).into_iter().enumerate() {
        assert_energy(energy, -2.0 * (PI * (k + 1) as f64 / 8.0).cos());
    }
}

/// Pairs that several images join count in each of their orders, as in NetKet: the lattice has 20 pairs of first
/// and 20 of second neighbours.
#[test]
fn small_tori_have_the_energies_of_netket() {
    let triangular = Lattice::triangular([4, 2]).neighbors(2).build().unwrap();
    let model = Heisenberg::new(Spin::half(8).unwrap(), &triangular, [1.0, 0.5]).unwrap();
    assert_energy(ground_energy(&model), -30.0);
    // Three spins that all see each other twice: Σ σ·σ over their pairs is −3 in the lowest states.
    let ring = Lattice::chain(3).neighbors(2).build().unwrap();
    let model = Heisenberg::new(Spin::half(3).unwrap(), &ring, [1.0, 0.5]).unwrap();
    assert_energy(ground_energy(&model), -3.0 * 1.5);
    // A pair with a bond of each colour, the way round a repeated edge.
    let double = Graph::from_colored_edges(2, [([0, 1], 0), ([0, 1], 1)]).unwrap();
    let model = Heisenberg::new(Spin::half(2).unwrap(), &double, 1.0).unwrap();
    assert_energy(ground_energy(&model), -6.0);
}

#[test]
fn two_sites_of_t_j_are_a_singlet_and_a_triplet() {
    let (t, j) = (0.9, 0.4);
    let space = SpinOrbitalFermions::with_spin(2, 0.5).unwrap();
    let energies = |n: usize| {
        let model = TJ::new(space.with_n_fermions(n).unwrap(), &dimer(), t, j).unwrap().with_penalty(7.0);
        eigenvalues(&dense(&model))
    };
    let expected: [&[f64]; 5] =
        [&[0.0], &[-t, -t, t, t], &[-j, 0.0, 0.0, 0.0, 7.0, 7.0], &[7.0, 7.0, 7.0, 7.0], &[14.0]];
    for (n, expected) in expected.into_iter().enumerate() {
        for (got, &expected) in energies(n).into_iter().zip(expected) {
            assert_energy(got, expected);
        }
    }
}

#[test]
fn two_spins_have_the_energies_of_their_total_spin() {
    for two_s in 1..=5 {
        let s = two_s as f64 / 2.0;
        let model = Xyz::xxz(Spin::new(s, 2).unwrap(), &dimer(), 1.0, 1.0).unwrap();
        // 4 S·S = 2 (S (S + 1) − 2 s (s + 1)), 2 S + 1 times.
        let total = |k: usize| 2.0 * ((k * (k + 1)) as f64 - 2.0 * s * (s + 1.0));
        let expected: Vec<f64> = (0..=two_s).flat_map(|k| vec![total(k); 2 * k + 1]).collect();
        for (got, expected) in eigenvalues(&dense(&model)).into_iter().zip(expected) {
            assert_energy(got, expected);
        }
    }
}

/// On a ring of six, the matter Majorana fermions have energies 4 J sin k with antiperiodic k, which Lieb's
/// theorem says is the lower sector, and the ground state has half the sum of the positive ones below 0.
#[test]
fn kitaev_hexagon_has_the_energy_of_its_majorana_fermions() {
    let hexagon = ring(6)
        .edges()
        .iter()
        .map(|&[a, b]| ([a, b], if b == a + 1 { a % 3 } else { 2 }))
        .collect::<Vec<_>>();
    let hexagon = Graph::from_colored_edges(6, hexagon).unwrap();
    let j = 0.7;
    let model = KitaevHoneycomb::new(Spin::half(6).unwrap(), &hexagon, j, j, j).unwrap();
    let expected: f64 = [PI / 6.0, PI / 2.0, 5.0 * PI / 6.0].iter().map(|k| -0.5 * 4.0 * j * k.sin()).sum();
    assert_energy(ground_energy(&model), expected);
}

#[test]
fn blockaded_atoms_share_one_excitation() {
    // A pair under blockade is driven between |gg> and (|ge> + |eg>)/√2 with Ω √2, up to Ω²/V.
    let (omega, c6) = (1.0, 1e9);
    let model = Rydberg::new(Spin::half(2).unwrap(), [[0.0], [1.0]], omega, 0.0, c6).unwrap();
    let energies = eigenvalues(&dense(&model));
    assert!((energies[0] + omega / 2f64.sqrt()).abs() < 1e-8);
    assert!(energies[1].abs() < 1e-8);
}
