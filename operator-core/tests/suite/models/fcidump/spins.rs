//! Integrals by spin, over spin orbitals, and through files.

use std::path::Path;

use num_complex::Complex64;
use operator_core::hilbert::SpinOrbitalFermions;
use operator_core::rand::{Rng as _, SeedableRng as _};
use operator_core::{Fcidump, IntegralSymmetry, Molecular, MolecularIntegrals, OrbitalKind};
use rand_xoshiro::Xoshiro256PlusPlus;

use super::files::{Form, file, line};
use super::truth::{One, Truth, Two, random_integrals};
use super::{assert_is, electrons, parse, read};

/// Integrals that conserve the spin of modes, of which the first `n` are down.
fn by_spin(
    rng: &mut Xoshiro256PlusPlus,
    n: usize,
    symmetry: IntegralSymmetry,
    is_complex: bool,
) -> (One, Two) {
    let keep = |[p, q, r, s]: [usize; 4]| (p < n) == (q < n) && (r < n) == (s < n);
    random_integrals(rng, 2 * n, symmetry, is_complex, keep)
}

/// The file in six parts, each integral in all orders.
fn in_parts(header: &str, form: Form, n: usize, core: f64, one: &One, two: &Two) -> String {
    let mut text = format!("&FCI {header}\n/\n");
    for [first, second] in [[n, n], [0, 0], [n, 0]] {
        for (&[p, q, r, s], &value) in two {
            if (p < n) == (first == 0) && (r < n) == (second == 0) {
                line(
                    &mut text,
                    form,
                    value,
                    [p - first, q - first, r - second, s - second].map(|orbital| orbital + 1),
                );
            }
        }
        line(&mut text, form, Complex64::ZERO, [0; 4]);
    }
    for first in [n, 0] {
        for (&[p, q], &value) in one.iter().filter(|([p, _], _)| (*p < n) == (first == 0)) {
            line(&mut text, form, value, [p - first + 1, q - first + 1, 0, 0]);
        }
        line(&mut text, form, Complex64::ZERO, [0; 4]);
    }
    line(&mut text, form, core.into(), [0; 4]);
    text
}

#[test]
fn integrals_by_spin_are_read_from_parts_and_from_spin_orbitals() {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(5);
    for (symmetry, form) in [
        (IntegralSymmetry::Real, Form::Real),
        (IntegralSymmetry::Real, Form::Columns),
        (IntegralSymmetry::Hermitian, Form::Brackets),
        (IntegralSymmetry::Hermitian, Form::Columns),
        (IntegralSymmetry::Exchange, Form::Brackets),
    ] {
        let n = 2;
        let (one, two) = by_spin(&mut rng, n, symmetry, true);
        let truth = Truth { core: 1.5, one: one.clone(), two: two.clone() };
        for switch in ["IUHF=1", "UHF=.TRUE.", ""] {
            let header = format!("NORB={n},NELEC=3,MS2=1,{switch}");
            let dump = parse(&in_parts(&header, form, n, 1.5, &one, &two));
            assert_eq!(dump.integrals().symmetry(), symmetry);
            assert_eq!(dump.n_electrons_per_spin().unwrap(), [1, 2]);
            assert_is(&dump, electrons(n), &truth);
            assert_is(&dump, dump.hilbert().unwrap(), &truth);
            // The last part may be ended by zeros as the others are.
            let mut ended = in_parts(&header, form, n, 1.5, &one, &two);
            line(&mut ended, form, Complex64::ZERO, [0; 4]);
            assert_is(&parse(&ended), electrons(n), &truth);
            line(&mut ended, form, 2.5.into(), [0; 4]);
            let error = Fcidump::parse(&ended).unwrap_err().to_string();
            assert!(error.contains("a second core energy; on line"), "{error}");
        }
        // Up and down in turn.
        let odd = |mode: usize| if mode >= n { 2 * (mode - n) } else { 2 * mode + 1 };
        let one: One = one.iter().map(|(key, &value)| (key.map(odd), value)).collect();
        let two: Two = two.iter().map(|(key, &value)| (key.map(odd), value)).collect();
        let text = file("NORB=4,NELEC=3,MS2=1,UHF=.TRUE.", form, 1.5, &one, &two);
        let dump = parse(&text);
        assert_eq!((dump.n_orbitals(), dump.n_electrons_per_spin().unwrap()), (2, [1, 2]));
        assert_is(&dump, electrons(n), &truth);
    }
}

#[test]
fn general_spin_orbitals_are_modes() {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(6);
    for (symmetry, switch) in [
        (IntegralSymmetry::Hermitian, "TREL=.TRUE."),
        (IntegralSymmetry::Hermitian, "TREL=T"),
        (IntegralSymmetry::Real, "GHF=.true."),
        (IntegralSymmetry::Exchange, "trel=.t."),
    ] {
        let (one, two) = random_integrals(&mut rng, 4, symmetry, true, |_| true);
        let truth = Truth { core: -2.0, one: one.clone(), two: two.clone() };
        let text = file(&format!("NORB=4,NELEC=2,{switch}"), Form::Brackets, -2.0, &one, &two);
        let dump = parse(&text);
        assert_eq!((dump.n_orbitals(), dump.integrals().orbitals()), (4, OrbitalKind::Spin));
        let space = dump.hilbert().unwrap();
        assert_eq!((space.s(), space.n_fermions()), (None, Some(2)));
        assert_is(&dump, space, &truth);
        assert_is(&dump, SpinOrbitalFermions::new(4).unwrap(), &truth);
        assert!(dump.n_electrons_per_spin().unwrap_err().to_string().contains("mix up and down"));
    }
    // Molecules of spin 1/2 whose integrals mix the spins are written so.
    let one = [([0, 3], Complex64::new(0.0, 0.5)), ([1, 1], Complex64::ONE)];
    let two = [([0, 2, 3, 1], Complex64::new(0.1, 0.2))];
    let integrals =
        MolecularIntegrals::new(OrbitalKind::Spin, IntegralSymmetry::Hermitian, 0.0, one, two).unwrap();
    let molecule = Molecular::with_integrals(electrons(2).with_n_fermions(2).unwrap(), integrals).unwrap();
    let text = Fcidump::of(&molecule).to_string();
    assert!(text.contains("TREL=.TRUE.") && text.contains("NORB=4,NELEC=2,\n"), "{text}");
    let again = parse(&text).molecular_on(electrons(2).with_n_fermions(2).unwrap()).unwrap();
    assert_eq!(again, molecule);
}

#[test]
fn molecules_go_through_files_to_the_bit() {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(7);
    let mut bits = || f64::from_bits(rng.next_u64());
    let mut number = || loop {
        let number = bits();
        if number.is_finite() && number.abs() < 1e300 {
            return number;
        }
    };
    // The numbers are as different as can be, so that only one order of each can be listed.
    let one: Vec<_> = [[0, 0], [1, 0], [2, 2]].map(|key| (key, number())).to_vec();
    let two: Vec<_> =
        [[0; 4], [1, 0, 0, 0], [1, 0, 1, 0], [2, 1, 1, 0], [2, 2, 1, 1]].map(|key| (key, number())).to_vec();
    let space = electrons(3).with_n_fermions_per_spin(&[1, 2]).unwrap();
    let molecule = Molecular::from_integrals(space, number(), one, two).unwrap();
    let dump = Fcidump::of(&molecule);
    assert_eq!(parse(&dump.to_string()), dump);
    assert_eq!(dump.molecular().unwrap(), molecule);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("molecule.fcidump");
    dump.to_file(&folder).unwrap();
    assert_eq!(Fcidump::from_file(&folder).unwrap().molecular().unwrap(), molecule);
    for name in ["h2.fcidump", "h2_uhf.fcidump", "hubbard_ring4_momentum.fcidump"] {
        let dump = read(name);
        assert_eq!(parse(&dump.to_string()), dump);
        assert_eq!(Fcidump::of(&dump.molecular().unwrap()), dump);
    }
}
