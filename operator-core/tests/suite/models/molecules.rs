//! Molecular integrals and FCIDUMP files.

use std::path::Path;

use ndarray::{Array2, Array4};
use num_complex::Complex64;
use operator_core::hilbert::SpinOrbitalFermions;
use operator_core::{
    Error, Fcidump, HilbertSpace, IntegralSymmetry, Model, Molecular, MolecularIntegrals, OrbitalKind,
};
use proptest::prelude::*;

use super::matrix::{Matrix, assert_close, block, dagger, dense, destroy, ground_energy};

fn hydrogen() -> Fcidump {
    Fcidump::from_file(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/h2_sto3g.fcidump")).unwrap()
}

#[test]
fn hydrogen_molecule_has_its_full_configuration_interaction_energy() {
    let dump = hydrogen();
    assert_eq!((dump.n_orbitals(), dump.n_electrons_per_spin().unwrap()), (2, [1, 1]));
    assert!((ground_energy(&dump.molecular().unwrap()) + 1.13727).abs() < 1e-5);
    // The ion has one electron in the lower orbital.
    let ion = SpinOrbitalFermions::with_spin(2, 0.5).unwrap().with_n_fermions_per_spin(&[0, 1]).unwrap();
    let energy = ground_energy(&dump.molecular_on(ion).unwrap());
    assert!((energy - (0.713_753_993_664_688_4 - 1.252_463_574_323_733_8)).abs() < 1e-12);
    // Over all numbers of electrons, two of them are best.
    let free = SpinOrbitalFermions::with_spin(2, 0.5).unwrap();
    assert!((ground_energy(&dump.molecular_on(free).unwrap()) + 1.13727).abs() < 1e-5);
}

/// Random integrals with the symmetry of real orbitals.
fn symmetric(n: usize, seeds: &[f64]) -> (Array2<f64>, Array4<f64>) {
    let pair = |p: usize, q: usize| p.max(q) * (p.max(q) + 1) / 2 + p.min(q);
    let one = Array2::from_shape_fn((n, n), |(p, q)| seeds[pair(p, q)]);
    let two = Array4::from_shape_fn((n, n, n, n), |(p, q, r, s)| {
        let (a, b) = (pair(p, q), pair(r, s));
        seeds[10 + pair(a, b)]
    });
    (one, two)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    #[test]
    fn molecules_are_the_sums_over_all_their_integrals(
        seeds in proptest::collection::vec(-2.0..2.0f64, 40), core in -2.0..2.0f64,
    ) {
        let n = 3;
        let (one, two) = symmetric(n, &seeds);
        let c: Vec<Matrix> = (0..2 * n).map(|mode| destroy(2 * n, mode)).collect();
        let mut expected = Matrix::eye(64).mapv(|z| z * core);
        let spins = [0, n];
        for ((p, q), &h) in one.indexed_iter() {
            for s in spins {
                expected.scaled_add(Complex64::from(h), &dagger(&c[p + s]).dot(&c[q + s]));
            }
        }
        for ((p, q, r, s), &g) in two.indexed_iter() {
            for (a, b) in [(0, 0), (0, n), (n, 0), (n, n)] {
                let create = dagger(&c[p + a]).dot(&dagger(&c[r + b]));
                let string = create.dot(&c[s + b].dot(&c[q + a]));
                expected.scaled_add(Complex64::from(0.5 * g), &string);
            }
        }
        let free = SpinOrbitalFermions::with_spin(n, 0.5).unwrap();
        let model = Molecular::new(free.clone(), core, &one, &two).unwrap();
        prop_assert!(model.definition().unwrap().is_hermitian());
        assert_close(&dense(&model), &expected);
        let part = free.with_n_fermions_per_spin(&[2, 1]).unwrap();
        let model = Molecular::new(part.clone(), core, &one, &two).unwrap();
        let (free, part): (HilbertSpace, HilbertSpace) = (free.into(), part.into());
        assert_close(&dense(&model), &block(&expected, &free, &part));
    }
}

#[test]
fn integrals_may_be_listed_in_any_order_and_more_than_once() {
    let space = SpinOrbitalFermions::with_spin(2, 0.5).unwrap();
    let listed = |one: [usize; 2], two: [usize; 4]| {
        Molecular::from_integrals(
            space.clone(),
            0.5,
            [(one, 0.3), ([1, 0], 0.3)],
            [(two, 0.2), ([1, 1, 1, 0], 0.2)],
        )
    };
    let first = listed([0, 1], [0, 1, 1, 1]).unwrap();
    assert_eq!((first.one_body_indices(), first.two_body_indices()), (&[[1, 0]][..], &[[1, 1, 1, 0]][..]));
    let second = listed([1, 0], [1, 1, 0, 1]).unwrap();
    assert_eq!(first.definition().unwrap(), second.definition().unwrap());
    // Arrays give the same, without their zeros.
    let one = Array2::from_shape_fn((2, 2), |(p, q)| if p != q { 0.3 } else { 0.0 });
    let two = Array4::from_shape_fn((2, 2, 2, 2), |(p, q, r, s)| if p + q + r + s == 3 { 0.2 } else { 0.0 });
    let arrays = Molecular::new(space, 0.5, &one, &two).unwrap();
    assert_eq!(first.definition().unwrap(), arrays.definition().unwrap());
}

#[test]
fn integrals_that_do_not_fit_are_refused() {
    let space = SpinOrbitalFermions::with_spin(2, 0.5).unwrap();
    let message = |result: Result<Molecular, Error>| result.expect_err("bad integrals").to_string();
    assert_eq!(
        message(Molecular::from_integrals(space.clone(), 0.0, [([0, 2], 1.0)], [])),
        "integrals: an integral names orbital 2; SpinOrbitalFermions(2 orbitals, s = 1/2) has 2, numbered from 0"
    );
    assert_eq!(
        message(Molecular::from_integrals(
            space.clone(),
            0.0,
            [],
            [([0, 1, 0, 0], 1.0), ([0, 0, 1, 0], 2.0)]
        )),
        "integrals: integral [0, 0, 1, 0] is 2, but 1 with its orbitals in the order [0, 1, 0, 0]; \
         integrals of real orbitals are real and do not depend on it"
    );
    assert_eq!(
        message(Molecular::new(space.clone(), 0.0, &Array2::zeros((2, 3)), &Array4::zeros((2, 2, 2, 2)))),
        "integrals: shape [2, 3]; expected [2, 2]"
    );
    let nan = Molecular::from_integrals(space, 0.0, [([0, 0], f64::NAN)], []).unwrap();
    assert!(matches!(nan.definition(), Err(Error::NotFinite { .. })));
    let spinless = SpinOrbitalFermions::new(2).unwrap();
    assert!(message(Molecular::from_integrals(spinless, 0.0, [], [])).contains("need spin 1/2"));
}

#[test]
fn arrays_by_spin_are_their_listed_integrals() {
    let n = 2;
    let seeds: Vec<f64> = (0..40).map(|k| ((k * k + 3) % 17) as f64 / 8.0 - 1.0).collect();
    let (h_up, up_up) = symmetric(n, &seeds);
    let (h_down, down_down) = symmetric(n, &seeds[3..]);
    // (pq|rs) of electrons of different spin is not (rs|pq).
    let up_down = Array4::from_shape_fn((n, n, n, n), |(p, q, r, s)| {
        0.3 + (p + q) as f64 + 0.1 * (r + s) as f64 * (1 + p * q) as f64
    });
    let integrals = MolecularIntegrals::by_spin(
        IntegralSymmetry::Real,
        0.7,
        [&h_up, &h_down],
        [&up_up, &down_down, &up_down],
    )
    .unwrap();
    let c: Vec<Matrix> = (0..2 * n).map(|mode| destroy(2 * n, mode)).collect();
    let mut expected = Matrix::eye(16).mapv(|z| z * 0.7);
    for (h, first) in [(&h_up, n), (&h_down, 0)] {
        for ((p, q), &h) in h.indexed_iter() {
            expected.scaled_add(h.into(), &dagger(&c[first + p]).dot(&c[first + q]));
        }
    }
    for (g, a, b) in [(&up_up, n, n), (&down_down, 0, 0), (&up_down, n, 0)] {
        // Both orders of electrons of different spin.
        let factor = if a == b { 0.5 } else { 1.0 };
        for ((p, q, r, s), &g) in g.indexed_iter() {
            let create = dagger(&c[p + a]).dot(&dagger(&c[r + b]));
            expected.scaled_add((factor * g).into(), &create.dot(&c[s + b].dot(&c[q + a])));
        }
    }
    let space = SpinOrbitalFermions::with_spin(n, 0.5).unwrap();
    assert_close(&dense(&Molecular::with_integrals(space.clone(), integrals).unwrap()), &expected);
    // The same orbitals for both spins, with the integrals of one of them.
    let orbitals = [&h_up; 2];
    let same = MolecularIntegrals::by_spin(IntegralSymmetry::Real, 0.7, orbitals, [&up_up; 3]).unwrap();
    let restricted = Molecular::new(space.clone(), 0.7, &h_up, &up_up).unwrap();
    assert_close(&dense(&Molecular::with_integrals(space, same).unwrap()), &dense(&restricted));
}

#[test]
fn complex_integrals_need_a_symmetry_that_allows_them() {
    let new = |symmetry, one: Vec<([usize; 2], Complex64)>, two: Vec<([usize; 4], Complex64)>| {
        MolecularIntegrals::new(OrbitalKind::Spin, symmetry, 0.0, one, two).map(|_| ())
    };
    let message = |result: Result<(), Error>| result.expect_err("bad integrals").to_string();
    let z = Complex64::new(0.5, 0.25);
    assert_eq!(
        message(new(IntegralSymmetry::Real, vec![([1, 0], z)], vec![])),
        "integrals: integral [1, 0] is 0.5+0.25i, but must be real; \
         integrals of real orbitals are real and do not depend on it"
    );
    assert!(message(new(IntegralSymmetry::Hermitian, vec![([1, 1], z)], vec![])).contains("must be real"));
    assert!(
        message(new(IntegralSymmetry::Hermitian, vec![], vec![([1, 0, 0, 1], z)])).contains("must be real")
    );
    assert_eq!(
        message(new(IntegralSymmetry::Hermitian, vec![([1, 0], z), ([0, 1], z)], vec![])),
        "integrals: integral [1, 0] is 0.5+0.25i, but 0.5+0.25i with its orbitals in the order [0, 1]; \
         exchange of electrons does not change it, and h_pq = h_qp*, (pq|rs) = (qp|sr)*"
    );
    assert!(new(IntegralSymmetry::Hermitian, vec![([1, 0], z), ([0, 1], z.conj())], vec![]).is_ok());
    let twice = vec![([1, 0, 2, 2], z), ([2, 2, 1, 0], z.conj())];
    assert!(message(new(IntegralSymmetry::Exchange, vec![], twice)).contains("exchange of electrons"));
    let far = MolecularIntegrals::new(
        OrbitalKind::Spin,
        IntegralSymmetry::Hermitian,
        0.0,
        [([4, 0], z)],
        [([0; 4], 1.0)],
    );
    let space = SpinOrbitalFermions::with_spin(2, 0.5).unwrap();
    assert_eq!(
        Molecular::with_integrals(space, far.unwrap()).unwrap_err().to_string(),
        "integrals: an integral names spin orbital 4; SpinOrbitalFermions(2 orbitals, s = 1/2) has 4, numbered from 0"
    );
}
