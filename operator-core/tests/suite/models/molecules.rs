//! Molecular integrals and FCIDUMP files.

use std::path::Path;

use ndarray::{Array2, Array4};
use num_complex::Complex64;
use operator_core::hilbert::SpinOrbitalFermions;
use operator_core::{Error, Fcidump, HilbertSpace, Model, Molecular};
use proptest::prelude::*;

use super::matrix::{Matrix, assert_close, block, dagger, dense, destroy, ground_energy};

fn hydrogen() -> Fcidump {
    Fcidump::from_file(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/h2_sto3g.fcidump")).unwrap()
}

#[test]
fn hydrogen_molecule_has_its_full_configuration_interaction_energy() {
    let dump = hydrogen();
    assert_eq!((dump.n_orbitals(), dump.n_electrons_per_spin()), (2, [1, 1]));
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
        "integrals: integral [0, 2] names orbital 2; there are 2, numbered from 0"
    );
    assert_eq!(
        message(Molecular::from_integrals(
            space.clone(),
            0.0,
            [],
            [([0, 1, 0, 0], 1.0), ([0, 0, 1, 0], 2.0)]
        )),
        "integrals: integral [0, 0, 1, 0] is 2, but 1 with its orbitals in another order; \
         integrals of real orbitals do not depend on it"
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

const HEADER: &str = "&FCI NORB=2, NELEC=2, MS2=0, ORBSYM=2*1, ISYM=1 &END\n";

fn parse(lines: &str) -> Result<Fcidump, Error> {
    Fcidump::parse(&format!("{HEADER}{lines}"))
}

#[test]
fn files_may_be_written_in_all_the_usual_ways() {
    let expected = parse("0.25 1 1 2 2\n-1.5 1 1 0 0\n0.125 0 0 0 0").unwrap();
    for text in [
        "&fci norb=2,\n nelec=2,\n ms2=0\n uhf=.FALSE.\n orbsym=1,1,\n isym=1,\n /\n0.25 1 1 2 2\n-1.5 1 1 0 0\n0.125 0 0 0 0\n",
        "\n  $FCI NELEC = 2 NORB = 2\n $END\n  2.5D-01 1 1 2 2 \n\n -0.15d1 1 1 0 0\r\n 9.9 2 0 0 0\n.125 0 0 0 0",
        "&FCI NORB=2 NELEC=2 IUHF=0 /\n+0.25E0 1 1 2 2\n-1.5 1 1 0 0\n0.125 0 0 0 0",
    ] {
        assert_eq!(Fcidump::parse(text).unwrap(), expected, "{text}");
    }
    let triplet = Fcidump::parse("&FCI NORB=2,NELEC=2,MS2=2 &END").unwrap();
    assert_eq!(triplet.n_electrons_per_spin(), [0, 2]);
    assert_eq!(Fcidump::parse("&FCI NORB=2,NELEC=2,MS2=-2 &END").unwrap().n_electrons_per_spin(), [2, 0]);
}

#[test]
fn repeated_integrals_must_agree() {
    let twice = parse("0.25 1 2 1 1\n0.25 1 1 2 1").unwrap().molecular().unwrap();
    assert_eq!(twice.two_body_indices(), [[1, 0, 0, 0]]);
    let error = parse("0.25 1 2 1 1\n0.5 1 1 2 1").unwrap().molecular().unwrap_err();
    assert!(matches!(error, Error::Integrals(_)), "{error}");
}

#[test]
fn bad_files_are_refused_with_the_line_and_the_reason() {
    let message = |result: Result<Fcidump, Error>| result.expect_err("a bad file").to_string();
    for (lines, expected) in [
        ("0.25 1 1 2", "cannot read \"0.25 1 1 2\": 4 numbers; expected a value and four orbitals"),
        ("0.25 1 1 2 3", "cannot read \"0.25 1 1 2 3\": orbital \"3\"; expected 0 to 2"),
        ("0.25 1 1 2 -1", "cannot read \"0.25 1 1 2 -1\": orbital \"-1\"; expected 0 to 2"),
        ("inf 1 1 2 2", "cannot read \"inf 1 1 2 2\": \"inf\" is not a finite real number"),
        ("(0.2,0.1) 1 1 2 2", "cannot read \"(0.2,0.1) 1 1 2 2\": \"(0.2,0.1)\" is not a finite real number"),
        (
            "0.5 1 0 2 2",
            "cannot read \"0.5 1 0 2 2\": orbitals 0 stand at the end, all four, three or two of them",
        ),
    ] {
        assert_eq!(message(parse(lines)), expected);
    }
    for (text, expected) in [
        ("NORB=2", "cannot read \"NORB=2\": an FCIDUMP file begins with &FCI"),
        ("&FCI NORB=2", "the header has no end; expected &END or / after it"),
        ("&FCI NORB=2 &END", "cannot read \"NORB=2\": the header has no NELEC"),
        ("&FCI NELEC=2 &END", "the header has no NORB"),
        ("&FCI NORB=two NELEC=2 &END", "NORB is \"two\"; expected a whole number"),
        ("&FCI NORB=-2 NELEC=2 &END", "NORB is -2; expected a whole number, 0 or more"),
        (
            "&FCI NORB=2 NELEC=2 MS2=1 &END",
            "NELEC is 2 and MS2 is 1; NELEC - MS2 and NELEC + MS2 must be even",
        ),
        ("&FCI NORB=1 NELEC=4 &END", "from 0 to twice the 1 orbitals"),
        ("&FCI NORB=2 NELEC=2 UHF=.TRUE. &END", "UHF is .TRUE.; orbitals must be the same for both spins"),
        ("&FCI NORB=2 NELEC=2 IUHF=1 &END", "IUHF is 1; orbitals must be the same for both spins"),
    ] {
        let message = message(Fcidump::parse(text));
        assert!(message.contains(expected), "{message}");
    }
    let message = message(Fcidump::from_file("no such file"));
    assert!(message.starts_with("cannot read \"no such file\": "), "{message}");
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused_without_panic(
        text in "[&$]FCI[ A-Z=,0-9\\-\n]{0,40}(&END|/)?[ 0-9dDeE.\n+\\-é]{0,60}", cut in any::<usize>(),
    ) {
        let _ = Fcidump::parse(&text).map(|dump| dump.molecular().map(|model| model.definition().is_ok()));
        let file = "&FCI NORB=2,NELEC=2,MS2=0,\n &END\n 0.25 1 1 2 2\n 0.5D0 0 0 0 0\n";
        let _ = Fcidump::parse(&file[..cut % file.len()]);
    }
}
