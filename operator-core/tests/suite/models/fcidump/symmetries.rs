//! Which symmetries a file bears out.

use num_complex::Complex64;
use operator_core::rand::{RngExt as _, SeedableRng as _};
use operator_core::{Boundary, Error, Fcidump, FermiHubbard, Graph, IntegralSymmetry, Model as _};
use rand_xoshiro::Xoshiro256PlusPlus;

use super::files::{Form, file, once};
use super::truth::{One, Truth, Two, orders, random, random_integrals};
use super::{assert_is, electrons, energy, parse};
use crate::models::matrix::{dense, eigenvalues};

/// Hubbard ring in momentum space, U = 4, t = 1, with a phase for each orbital.
fn momentum_ring(n: usize, phases: &[f64]) -> (One, Two) {
    let phase = |p: usize, q: usize| Complex64::cis(phases[q] - phases[p]);
    let one = (0..n).map(|k| {
        let angle = 2.0 * std::f64::consts::PI * k as f64 / n as f64;
        ([k, k], Complex64::from(-2.0 * angle.cos()))
    });
    let mut two = Two::new();
    for p in 0..n {
        for q in 0..n {
            for r in 0..n {
                let s = (p + r + n - q) % n;
                two.insert([p, q, r, s], 4.0 / n as f64 * phase(p, q) * phase(r, s));
            }
        }
    }
    (one.collect(), two)
}

#[test]
fn momentum_space_has_the_spectrum_of_real_space() {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    for (n, per_spin) in [(3, [1, 2]), (4, [2, 2]), (5, [2, 2])] {
        let ring = Graph::chain(n, Boundary::Periodic).unwrap();
        let space = electrons(n).with_n_fermions_per_spin(&per_spin).unwrap();
        let expected = eigenvalues(&dense(&FermiHubbard::new(space, &ring, 1.0, 4.0).unwrap()));
        let check = |dump: Fcidump, what: &str| {
            assert_ne!(dump.integrals().symmetry(), IntegralSymmetry::Real);
            let got = eigenvalues(&dense(&dump.molecular().unwrap()));
            let error = got.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            assert!(error < 1e-10, "{n}, {what}: {error}");
        };
        let n_electrons = per_spin[0] + per_spin[1];
        let header = format!("NORB={n},NELEC={n_electrons},MS2={}", per_spin[1] as i64 - per_spin[0] as i64);
        let (one, two) = momentum_ring(n, &vec![0.0; n]);
        check(parse(&file(&header, Form::Real, 0.0, &one, &two)), "all orders");
        // Each once: nothing tells that (12|12) is 0 and not equal to (12|21).
        let (one, two) = once(&one, &two);
        let text = file(&header, Form::Real, 0.0, &one, &two);
        let error = Fcidump::parse(&text).unwrap_err();
        assert!(matches!(error, Error::ParseLine { .. }), "{error}");
        assert!(error.to_string().contains("neither"), "{error}");
        check(Fcidump::parse_as(&text, IntegralSymmetry::Hermitian).unwrap(), "each once, declared");
        // Complex orbitals are plain to see.
        let phases: Vec<f64> = (0..n).map(|_| rng.random::<f64>() * 6.0).collect();
        let (one, two) = momentum_ring(n, &phases);
        for form in [Form::Brackets, Form::Blanks, Form::Columns] {
            check(parse(&file(&header, form, 0.0, &one, &two)), "complex, all orders");
            let (one, two) = once(&one, &two);
            check(parse(&file(&header, form, 0.0, &one, &two)), "complex, each once");
        }
    }
}

#[test]
fn files_keep_the_symmetry_that_their_integrals_have() {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(2);
    for (n, symmetry, is_complex) in [
        (2, IntegralSymmetry::Real, false),
        (3, IntegralSymmetry::Real, false),
        (2, IntegralSymmetry::Hermitian, false),
        (3, IntegralSymmetry::Hermitian, false),
        (2, IntegralSymmetry::Hermitian, true),
        (3, IntegralSymmetry::Hermitian, true),
        (2, IntegralSymmetry::Exchange, false),
        (3, IntegralSymmetry::Exchange, false),
        (2, IntegralSymmetry::Exchange, true),
    ] {
        let (one, two) = random_integrals(&mut rng, n, symmetry, is_complex, |_| true);
        let truth = Truth::spatial(n, 0.3, &one, &two);
        let header = format!("NORB={n}, NELEC=2, MS2=0, ORBSYM={n}*1, ISYM=1");
        let form = if is_complex { Form::Brackets } else { Form::Real };
        let dump = parse(&file(&header, form, 0.3, &one, &two));
        assert_eq!(dump.integrals().symmetry(), symmetry);
        assert_is(&dump, electrons(n), &truth);
        if symmetry != IntegralSymmetry::Exchange {
            let (one, two) = once(&one, &two);
            let dump = parse(&file(&header, form, 0.3, &one, &two));
            assert_eq!(dump.integrals().symmetry(), symmetry);
            assert_is(&dump, electrons(n), &truth);
            assert!(dump.molecular().unwrap().definition().unwrap().is_hermitian());
        }
    }
}

#[test]
fn orders_that_are_missing_because_they_are_tiny_do_no_harm() {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(3);
    let (one, two) = random_integrals(&mut rng, 3, IntegralSymmetry::Real, false, |_| true);
    let truth = Truth::spatial(3, 0.0, &one, &two);
    // Rounding noise in one order of two integrals, as in files written from arrays with a threshold.
    let mut noisy = two.clone();
    for (orbitals, noise) in [([2, 1, 0, 2], 1e-15), ([0, 1, 2, 1], -3e-16)] {
        noisy.retain(|key, _| orders(IntegralSymmetry::Real, orbitals).iter().all(|(order, _)| key != order));
        noisy.insert(orbitals, Complex64::from(noise));
    }
    let dump = parse(&file("NORB=3,NELEC=2", Form::Real, 0.0, &one, &noisy));
    assert_eq!(dump.integrals().symmetry(), IntegralSymmetry::Real);
    let mut expected = truth;
    for spins in [[0, 0], [0, 3], [3, 0], [3, 3]] {
        for orbitals in [[2, 1, 0, 2], [0, 1, 2, 1]] {
            for ([p, q, r, s], _) in orders(IntegralSymmetry::Real, orbitals) {
                expected.two.remove(&[p + spins[0], q + spins[0], r + spins[1], s + spins[1]]);
            }
        }
    }
    assert_is(&dump, electrons(3), &expected);
}

/// Integrals of orbitals with angular momenta `lz` about an axis, real as those of linear molecules are.
fn linear_molecule(rng: &mut Xoshiro256PlusPlus, lz: &[i64]) -> (One, Two) {
    let n = lz.len();
    let symmetry = |[p, q, r, s]: [usize; 4]| {
        let is_real = lz[p] == lz[q] && lz[r] == lz[s];
        if is_real { IntegralSymmetry::Real } else { IntegralSymmetry::Hermitian }
    };
    let (mut one, mut two) = (One::new(), Two::new());
    for p in 0..n {
        for q in 0..n {
            if lz[p] == lz[q] {
                let value = one.get(&[q, p]).copied().unwrap_or(random(rng, IntegralSymmetry::Real, false));
                one.insert([p, q], value);
            }
            for r in 0..n {
                for s in 0..n {
                    let orbitals = [p, q, r, s];
                    let value = random(rng, IntegralSymmetry::Real, false);
                    if lz[q] + lz[s] == lz[p] + lz[r] && !two.contains_key(&orbitals) {
                        two.extend(
                            orders(symmetry(orbitals), orbitals).into_iter().map(|(order, _)| (order, value)),
                        );
                    }
                }
            }
        }
    }
    (one, two)
}

#[test]
fn orbitals_of_angular_momentum_keep_it() {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(4);
    for lz in [vec![-1, 0, 1], vec![0, -1, 1, 1], vec![1, -1, 1, -1]] {
        let n = lz.len();
        let (one, two) = linear_molecule(&mut rng, &lz);
        let truth = Truth::spatial(n, -0.5, &one, &two);
        let label: Vec<String> = lz.iter().map(i64::to_string).collect();
        let header = format!("NORB={n},NELEC=2,MS2=0,SYML={n}*-20,SYMLZ={}", label.join(","));
        // The orders that NECI's program for such orbitals lists.
        let rank = |i: usize, j: usize| (i + 1) * i / 2 + j + 1;
        let is_listed = |[i, j, k, l]: [usize; 4]| rank(k, l) >= rank(i, j) && (k >= l || i == j);
        let listed: Two =
            two.iter().filter(|(key, _)| is_listed(**key)).map(|(&key, &value)| (key, value)).collect();
        for (one, two) in [(one.clone(), two.clone()), once(&one, &two), (one.clone(), listed)] {
            let dump = parse(&file(&header, Form::Real, -0.5, &one, &two));
            assert_is(&dump, electrons(n), &truth);
        }
        // One of two equal densities is enough.
        let (one, two) = once(&one, &two);
        let is_real = |&[p, q, r, s]: &[usize; 4]| lz[p] == lz[q] && lz[r] == lz[s];
        let fewer: Two = two
            .iter()
            .filter(|(key, _)| {
                !is_real(key)
                    || (key[0] >= key[1]) == (key[2] >= key[3])
                    || key[0] == key[1]
                    || key[2] == key[3]
            })
            .map(|(&key, &value)| (key, value))
            .collect();
        let dump = parse(&file(&header, Form::Real, -0.5, &one, &fewer));
        assert_is(&dump, electrons(n), &truth);
    }
    // Real orbitals carry the label, too, but (xy|xy) does not conserve it.
    let text =
        "&FCI NORB=2,NELEC=2,MS2=0,SYMLZ=-1,1 &END\n0.5 1 1 1 1\n0.1 2 1 2 1\n0.4 2 2 1 1\n0.5 2 2 2 2\n";
    assert_eq!(parse(text).integrals().symmetry(), IntegralSymmetry::Real);
}

/// One integral that is large, such as a penalty, does not make the others noise.
#[test]
fn walls_hide_no_symmetry_and_no_contradiction() {
    for wall in [0.0, 1e3, 1e9] {
        let (mut one, mut two) = momentum_ring(3, &[0.0; 3]);
        one.insert([3, 3], 5.0.into());
        two.insert([3; 4], wall.into());
        let energy = energy(&parse(&file("NORB=4,NELEC=2,MS2=0", Form::Real, 0.0, &one, &two)));
        // By full configuration interaction without the fourth orbital.
        assert!((energy + 3.1231056256).abs() < 1e-9 + 1e-14 * wall, "{wall}: {energy}");
    }
    let contradiction =
        "&FCI NORB=2,NELEC=2,MS2=0 /\n1e9 1 1 1 1\n0.25 1 1 2 2\n0.75 2 2 1 1\n0.3 2 2 2 2\n-1.0 2 2 0 0";
    let error = Fcidump::parse(contradiction).unwrap_err();
    assert!(matches!(error, Error::ParseLine { .. }), "{error}");
    // A hop that differs from its way back is kept as it is.
    let one_way =
        Fcidump::parse("&FCI NORB=3,NELEC=1,MS2=1 /\n-1.0 1 2 0 0\n-5.0 2 1 0 0\n1e9 3 3 0 0").unwrap();
    assert_eq!(one_way.integrals().symmetry(), IntegralSymmetry::Exchange);
    let text = "&FCI NORB=3,NELEC=1,MS2=1 /\n(0,-1.0) 2 1 0 0\n(0,0) 1 1 0 0\n1e15 3 3 0 0\n(1.0,0) 3 2 0 0";
    let dump = Fcidump::parse(text).unwrap();
    assert!(dump.integrals().one_body().any(|(_, value)| value.im.abs() == 1.0), "{dump}");
    // What programs leave of integrals that vanish still says nothing.
    let noisy =
        "&FCI NORB=2,NELEC=2,MS2=0 /\n0.7 1 1 1 1\n3e-10 1 1 1 2\n-2e-10 1 2 1 1\n0.6 2 2 2 2\n-1.0 1 1 0 0";
    assert_eq!(Fcidump::parse(noisy).unwrap().integrals().symmetry(), IntegralSymmetry::Real);
}
