//! FCIDUMP files, against energies of other programs and matrices made bit by bit.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use num_complex::Complex64;
use operator_core::hilbert::SpinOrbitalFermions;
use operator_core::rand::{Rng as _, RngExt as _, SeedableRng as _};
use operator_core::{
    Boundary, Error, Fcidump, FermiHubbard, Graph, HilbertSpace, IntegralSymmetry, Model, Molecular,
    MolecularIntegrals, OrbitalKind,
};

use proptest::prelude::*;
use rand_xoshiro::Xoshiro256PlusPlus;

use super::matrix::{Matrix, assert_close, dense, eigenvalues, ground_energy};

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/fcidump").join(name)
}

fn read(name: &str) -> Fcidump {
    Fcidump::from_file(data(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn energy(dump: &Fcidump) -> f64 {
    ground_energy(&dump.molecular().unwrap())
}

/// Full CI energy of `h2.fcidump` with two electrons.
const H2: f64 = -1.1358861929199058;

#[test]
fn hydrogen_in_all_its_forms_has_its_energy() {
    for (name, expected) in [
        ("h2.fcidump", H2),
        ("h2_cr_only.fcidump", H2),
        ("h2_complex_zero_imaginary.fcidump", H2),
        ("h2_printed_precision.fcidump", H2),
        ("h2_byte_order_mark.fcidump", H2),
        ("h2_trailing_comment.fcidump", H2),
        ("h2_uhf.fcidump", -1.1258538500998294),
        ("h2_uhf_without_flag.fcidump", -1.1235996564860922),
        ("hubbard_ring4_momentum.fcidump", -2.1027484834620775),
    ] {
        let energy = energy(&read(name));
        assert!((energy - expected).abs() < 1e-12, "{name}: {energy}, not {expected}");
    }
}

// ---- operators made bit by bit ----

type Two = BTreeMap<[usize; 4], Complex64>;
type One = BTreeMap<[usize; 2], Complex64>;

/// Integrals over modes, each order by itself; those that are left out are 0.
#[derive(Clone, Debug)]
struct Truth {
    core: f64,
    one: One,
    two: Two,
}

/// Applies c† (true) or c to a state, a bit a mode, with a sign for each filled mode before it.
fn apply(state: u64, sign: f64, mode: usize, creates: bool) -> Option<(u64, f64)> {
    let bit = 1 << mode;
    let is_filled = state & bit != 0;
    let sign = if (state & (bit - 1)).count_ones() % 2 == 1 { -sign } else { sign };
    (is_filled != creates).then_some((state ^ bit, sign))
}

impl Truth {
    /// Spatial orbitals, the same for both spins.
    fn spatial(n: usize, core: f64, one: &One, two: &Two) -> Self {
        let mut truth = Truth { core, one: One::new(), two: Two::new() };
        for a in [0, n] {
            truth.one.extend(one.iter().map(|(&[p, q], &value)| ([p + a, q + a], value)));
            for b in [0, n] {
                truth
                    .two
                    .extend(two.iter().map(|(&[p, q, r, s], &value)| ([p + a, q + a, r + b, s + b], value)));
            }
        }
        truth
    }

    fn matrix(&self, hilbert: &HilbertSpace) -> Matrix {
        let rows = hilbert.all_states().unwrap();
        let bits =
            |row: ndarray::ArrayView1<'_, i8>| row.iter().rev().fold(0u64, |bits, &n| 2 * bits + n as u64);
        let states: Vec<u64> = rows.rows().into_iter().map(bits).collect();
        let places: BTreeMap<u64, usize> = states.iter().enumerate().map(|(k, &state)| (state, k)).collect();
        let mut matrix = Matrix::zeros((states.len(), states.len()));
        let mut add = |column: usize, image: Option<(u64, f64)>, value: Complex64| {
            if let Some((state, sign)) = image {
                matrix[[places[&state], column]] += sign * value;
            }
        };
        for (column, &state) in states.iter().enumerate() {
            add(column, Some((state, 1.0)), self.core.into());
            for (&[p, q], &value) in &self.one {
                let image = apply(state, 1.0, q, false).and_then(|(state, sign)| apply(state, sign, p, true));
                add(column, image, value);
            }
            for (&[p, q, r, s], &value) in &self.two {
                let steps = [(q, false), (s, false), (r, true), (p, true)];
                let image = steps.into_iter().try_fold((state, 1.0), |(state, sign), (mode, creates)| {
                    apply(state, sign, mode, creates)
                });
                add(column, image, 0.5 * value);
            }
        }
        matrix
    }
}

/// The orders of an integral that a symmetry makes equal, and whether each is conjugated.
fn orders(symmetry: IntegralSymmetry, [p, q, r, s]: [usize; 4]) -> Vec<([usize; 4], bool)> {
    let half = match symmetry {
        IntegralSymmetry::Exchange => vec![([p, q, r, s], false)],
        IntegralSymmetry::Hermitian => vec![([p, q, r, s], false), ([q, p, s, r], true)],
        IntegralSymmetry::Real => {
            vec![([p, q, r, s], false), ([q, p, s, r], false), ([q, p, r, s], false), ([p, q, s, r], false)]
        }
    };
    half.into_iter().flat_map(|([p, q, r, s], c)| [([p, q, r, s], c), ([r, s, p, q], c)]).collect()
}

fn random(rng: &mut Xoshiro256PlusPlus, symmetry: IntegralSymmetry, is_complex: bool) -> Complex64 {
    let mut number = || rng.random::<f64>() * 2.0 - 1.0;
    let (re, im) = (number(), number());
    Complex64::new(re, if is_complex && symmetry != IntegralSymmetry::Real { im } else { 0.0 })
}

/// Random integrals over `n` orbitals, those that `keep` keeps.
fn random_integrals(
    rng: &mut Xoshiro256PlusPlus,
    n: usize,
    symmetry: IntegralSymmetry,
    is_complex: bool,
    keep: impl Fn([usize; 4]) -> bool,
) -> (One, Two) {
    let (mut one, mut two) = (One::new(), Two::new());
    for p in 0..n {
        for q in 0..n {
            let value = random(rng, symmetry, is_complex);
            if !keep([p, q, 0, 0]) || one.contains_key(&[p, q]) {
                continue;
            }
            let is_hermitian = symmetry != IntegralSymmetry::Exchange;
            one.insert([p, q], if p == q && is_hermitian { value.re.into() } else { value });
            if p != q && is_hermitian {
                one.insert([q, p], value.conj());
            }
            for r in 0..n {
                for s in 0..n {
                    let value = random(rng, symmetry, is_complex);
                    let orders = orders(symmetry, [p, q, r, s]);
                    if !keep([p, q, r, s]) || two.contains_key(&[p, q, r, s]) {
                        continue;
                    }
                    let is_real = orders.contains(&([p, q, r, s], true));
                    let value = if is_real { value.re.into() } else { value };
                    two.extend(
                        orders.into_iter().map(|(order, c)| (order, if c { value.conj() } else { value })),
                    );
                }
            }
        }
    }
    (one, two)
}

/// How values are written.
#[derive(Clone, Copy, Debug)]
enum Form {
    Brackets,
    Blanks,
    Columns,
    Real,
}

fn line(text: &mut String, form: Form, value: Complex64, orbitals: [usize; 4]) {
    let Complex64 { re, im } = value;
    match form {
        Form::Brackets => write!(text, " ({re:?},{im:?})"),
        Form::Blanks => write!(text, "( {re:?} , {im:?} )"),
        Form::Columns => write!(text, "  {re:?}  {im:?}"),
        Form::Real => write!(text, "  {re:?}"),
    }
    .unwrap();
    let [i, j, k, l] = orbitals;
    writeln!(text, " {i} {j} {k} {l}").unwrap();
}

fn file(header: &str, form: Form, core: f64, one: &One, two: &Two) -> String {
    let mut text = format!("&FCI {header}\n&END\n");
    for (orbitals, &value) in two {
        line(&mut text, form, value, orbitals.map(|orbital| orbital + 1));
    }
    for (&[p, q], &value) in one {
        line(&mut text, form, value, [p + 1, q + 1, 0, 0]);
    }
    line(&mut text, form, core.into(), [0; 4]);
    text
}

/// The first of the orders that complex orbitals make equal.
fn once(one: &One, two: &Two) -> (One, Two) {
    let first = |orbitals: &[usize; 4]| {
        orders(IntegralSymmetry::Hermitian, *orbitals).into_iter().all(|(order, _)| *orbitals <= order)
    };
    let one = one.iter().filter(|([p, q], _)| p <= q).map(|(&key, &value)| (key, value)).collect();
    (one, two.iter().filter(|(key, _)| first(key)).map(|(&key, &value)| (key, value)).collect())
}

fn electrons(n: usize) -> SpinOrbitalFermions {
    SpinOrbitalFermions::with_spin(n, 0.5).unwrap()
}

fn assert_is(dump: &Fcidump, hilbert: SpinOrbitalFermions, truth: &Truth) {
    let model = dump.molecular_on(hilbert.clone()).unwrap();
    assert_close(&dense(&model), &truth.matrix(&hilbert.into()));
}

/// Reads a text, writes it, and reads it again.
fn parse(text: &str) -> Fcidump {
    let dump = Fcidump::parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    assert_eq!(Fcidump::parse(&dump.to_string()).as_ref().ok(), Some(&dump), "{text}\n{dump}");
    dump
}

// ---- symmetries ----

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

// ---- spins ----

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

// ---- the text ----

const HEADER: &str = "&FCI NORB=2, NELEC=2, MS2=0, ORBSYM=2*1, ISYM=1 &END\n";

fn with_header(lines: &str) -> Result<Fcidump, Error> {
    Fcidump::parse(&format!("{HEADER}{lines}"))
}

#[test]
fn files_may_be_written_in_all_the_usual_ways() {
    let expected = with_header("0.25 1 1 2 2\n-1.5 1 1 0 0\n0.125 0 0 0 0").unwrap();
    for text in [
        "&fci norb=2,\n nelec=2,\n ms2=0\n uhf=.FALSE.\n orbsym=1,1,\n isym=1,\n /\n0.25 1 1 2 2\n-1.5 1 1 0 0\n0.125 0 0 0 0\n",
        "\n  $FCI NELEC = 2 NORB = 2 MS2=0\n $END\n  2.5D-01 1 1 2 2 \n\n -0.15d1 1 1 0 0\r\n 9.9 2 0 0 0\n.125 0 0 0 0",
        "&FCI NORB=2 NELEC=2 IUHF=0 MS2=0 /\n+0.25E0 1 1 2 2\n-1.5 1 1 0 0\n0.125 0 0 0 0",
        // Values on the line that ends the header.
        "&FCI NORB=2 NELEC=2 MS2=0 &END 0.25 1 1 2 2\n-1.5 1 1 0 0\n0.125 0 0 0 0",
        "&FCI NORB=2 NELEC=2 MS2=0 / 0.25 1 1 2 2\n-1.5 1 1 0 0\n0.125 0 0 0 0",
        "&FCI NORB=2\rNELEC=2\rMS2=0\r/\r0.25 1 1 2 2\r-1.5 1 1 0 0\r0.125 0 0 0 0\r",
        // Comments.
        "! a title\n# another\n&FCI NORB=2, ! orbitals / and &END\n NELEC=2,MS2=0, TITLE='H2 / STO-3G' &END ! integrals\n\
         0.25 1 1 2 2 ! one\n# two\n-1.5 1 1 0 0 # three\n0.125 0 0 0 0!",
        // Commas, repeated values, Fortran's exponents.
        "&FCI NORB=2,NELEC=2,MS2=0,&END\n0.25,1,1,2,2\n-1.5, 1, 1, 2*0\n0.125 ,0 ,0 ,0 ,0,\n",
        "&FCI NORB=2,NELEC=2,MS2=0,&END\n2.5-1 1 1 2 2\n-1.5q0 1 1 0 0\n125-003 4*0",
        // Complex values with no imaginary part.
        "&FCI NORB=2,NELEC=2,MS2=0,&END\n(0.25,0.0) 1 1 2 2\n( -1.5 , 0 ), 1,1,0,0\n(1.25D-1 0.0)0 0 0 0",
        "&FCI NORB=2,NELEC=2,MS2=0,&END\n0.25 0.0 1 1 2 2\n-1.5 0 1 1 0 0\n0.3 0.0 2 0 0 0\n0.125 1e-20 0 0 0 0",
        "&FCI NORB=2,NELEC=2,MS2=0,&END\n0.25 0.0 1 1 2 2\n-1.5 0.0 1 1 0 0\n0.125 0 0 0 0",
        // The core energy anywhere, and again.
        "\u{feff}&FCI NORB=2,NELEC=2,MS2=0,MS2=0 &END\n0.125 0 0 0 0\n0.25 2 2 1 1\n-1.5 1 1 0 0",
        "&FCI NORB=2,NELEC=2,MS2=0 &\n0.25 2 2 1 1\n-1.5 1 1 0 0\n0.125 0 0 0 0\n0.125 0 0 0 0",
    ] {
        let dump = Fcidump::parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        assert_eq!(dump, expected, "{text}");
    }
    // Another encoding in a comment.
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("latin_1.fcidump");
    std::fs::write(
        &path,
        [HEADER.as_bytes(), b"! \xe9nergie\n0.25 1 1 2 2\n-1.5 1 1 0 0\n0.125 0 0 0 0"].concat(),
    )
    .unwrap();
    assert_eq!(Fcidump::from_file(&path).unwrap(), expected);
    std::fs::write(&path, b"\xff\xfe&\0F\0").unwrap();
    assert!(Fcidump::from_file(&path).unwrap_err().to_string().contains("UTF-16"));
}

#[test]
fn values_that_should_be_equal_may_differ_in_the_last_digits() {
    let read = |lines: &str| with_header(&format!("0.67 1 1 1 1\n0.66 2 2 1 1\n0.69 2 2 2 2\n{lines}"));
    for lines in [
        "0.18130000 2 1 2 1\n0.18130002 1 2 1 2",
        "0.1813 2 1 2 1\n0.1814 1 2 2 1",
        "0.18130000000001 2 1 2 1\n0.1813 1 2 1 2",
        "1.81300000E-01 2 1 2 1\n1.81300001E-01 1 2 1 2",
    ] {
        let dump = read(lines).unwrap_or_else(|error| panic!("{error}\n{lines}"));
        let first: f64 = lines.split(' ').next().unwrap().parse().unwrap();
        let value = dump.integrals().two_body().find(|(key, _)| *key == [1, 0, 1, 0]).unwrap().1;
        assert_eq!((value, dump.integrals().symmetry()), (first.into(), IntegralSymmetry::Real));
    }
    for lines in ["0.1813 2 1 2 1\n0.1819 1 2 1 2", "1 2 1 2 1\n2 1 2 1 2", "0.1 2 1 2 1\n0.2 1 2 1 2"] {
        let error = read(lines).unwrap_err().to_string();
        assert!(error.starts_with("cannot read line 6, "), "{error}");
        assert!(error.contains("its complex conjugate (2 1|2 1) on line 5 is "), "{error}");
    }
}

fn message(result: Result<Fcidump, Error>) -> String {
    result.map(|dump| dump.to_string()).expect_err("a bad file").to_string()
}

#[test]
fn bad_files_are_refused_with_the_line_and_the_reason() {
    for (lines, expected) in [
        ("0.25 1 1 2", "cannot read line 2, \"0.25 1 1 2\": 4 numbers; expected a value and four orbitals"),
        (
            "0.25 1 1 2 2 7 8",
            "cannot read line 2, \"0.25 1 1 2 2 7 8\": 7 numbers; expected a value and four orbitals",
        ),
        (
            "0.25 1 1 2 2 1",
            "cannot read line 2, \"0.25 1 1 2 2 1\": 6 numbers; expected a value and four orbitals, or re, im and four orbitals",
        ),
        (
            "1 1 1 2 2 3",
            "cannot read line 2, \"1 1 1 2 2 3\": 6 numbers; expected a value and four orbitals, or re, im and four orbitals",
        ),
        (
            "0.25 1 1 2 2\r0.25 1 1 2 3",
            "cannot read line 3, \"0.25 1 1 2 3\": orbital \"3\"; expected 0 to 2, which is NORB",
        ),
        (
            "0.25 1 1 2 -1",
            "cannot read line 2, \"0.25 1 1 2 -1\": orbital \"-1\"; expected 0 to 2, which is NORB",
        ),
        (
            "0.25 1 1 2 1.0",
            "cannot read line 2, \"0.25 1 1 2 1.0\": orbital \"1.0\"; expected 0 to 2, which is NORB",
        ),
        ("inf 1 1 2 2", "cannot read line 2, \"inf 1 1 2 2\": \"inf\" is not a finite number"),
        ("1e999 1 1 2 2", "cannot read line 2, \"1e999 1 1 2 2\": \"1e999\" is not a finite number"),
        (
            "******** 1 1 2 2",
            "cannot read line 2, \"******** 1 1 2 2\": a value is missing between two commas",
        ),
        ("0.25,,1,1,2,2", "cannot read line 2, \"0.25,,1,1,2,2\": a value is missing between two commas"),
        ("(0.2,0.1 1 1 2 2", "cannot read line 2, \"(0.2,0.1 1 1 2 2\": a ( has no )"),
        (
            "(0.2) 1 1 2 2",
            "cannot read line 2, \"(0.2) 1 1 2 2\": (0.2) is no complex number; expected (re, im)",
        ),
        ("(0.2,x) 1 1 2 2", "cannot read line 2, \"(0.2,x) 1 1 2 2\": \"x\" is not a finite number"),
        (
            "(0.2,0.1) 1 1 2 2 1",
            "cannot read line 2, \"(0.2,0.1) 1 1 2 2 1\": 5 orbitals after the value; expected four",
        ),
        (
            "(0.2,0.1) 1 1 2 2",
            "cannot read line 2, \"(0.2,0.1) 1 1 2 2\": it must be real, as only an operator has that is not Hermitian, and of such a one all orders must be listed",
        ),
        ("(0.2,0.1) 0 0 0 0", "cannot read line 2, \"(0.2,0.1) 0 0 0 0\": the core energy must be real"),
        (
            "0.5 1 0 2 2",
            "cannot read line 2, \"0.5 1 0 2 2\": orbitals 0 stand at the end, all four, three or two of them",
        ),
        (
            "0.5 0 0 2 2",
            "cannot read line 2, \"0.5 0 0 2 2\": orbitals 0 stand at the end, all four, three or two of them",
        ),
        (
            "0.5 1 1 2 2 left over",
            "cannot read line 2, \"0.5 1 1 2 2 left over\": 7 numbers; expected a value and four orbitals",
        ),
        (
            "0.5 1 1 2 2 /",
            "cannot read line 2, \"0.5 1 1 2 2 /\": 6 numbers; expected a value and four orbitals, or re, im and four orbitals",
        ),
        (
            "0.25 1 1 2 2\n0.5 2 2 1 1",
            "cannot read line 3, \"0.5 2 2 1 1\": it is 0.5, but the same integral (1 1|2 2) on line 2 is 0.25, and exchange of electrons changes nothing",
        ),
        (
            "0.25 1 2 0 0\n0.5 2 1 0 0\n0.5 2 2 1 1",
            "cannot read line 3, \"0.5 2 1 0 0\": it is 0.5, but its complex conjugate (1 2|1 1) on line 2 is 0.25",
        ),
        (
            "0.25 1 2 1 1\n0.5 1 1 2 1",
            "cannot read line 3, \"0.5 1 1 2 1\": it is 0.5, but its complex conjugate (1 2|1 1) on line 2 is 0.25, as only an operator has that is not Hermitian, and of such a one all orders must be listed",
        ),
        (
            "0.7 0 0 0 0\n0.8 0 0 0 0",
            "cannot read line 3, \"0.8 0 0 0 0\": a second core energy; on line 2 it is 0.7",
        ),
        (
            "0 0 0 0 0\n0.2 1 1 2 2\n0 0 0 0 0",
            "cannot read line 3, \"0.2 1 1 2 2\": a second block begins after the core energy on line 2, and another core energy follows on line 4",
        ),
        ("(0.2,0.1) 1 2 1 2", "(1 2|2 1) nor (2 1|1 2)"),
    ] {
        let message = message(with_header(lines));
        assert!(message.contains(expected), "{message}\n{expected}");
    }
    for (text, expected) in [
        ("", "cannot read \"\": an FCIDUMP file begins with &FCI"),
        ("\n! nothing\n", "an FCIDUMP file begins with &FCI"),
        ("NORB=2", "cannot read line 1, \"NORB=2\": an FCIDUMP file begins with &FCI"),
        ("\n&FCINORB=2 &END", "cannot read line 2, \"&FCINORB=2 &END\": an FCIDUMP file begins with &FCI"),
        ("&FCI NORB=2", "the header has no end; expected &END or / after it"),
        ("&FCI NELEC=2 &END", "the header has no NORB"),
        ("&FCI NORB 2 &END", "cannot read line 1, \"NORB\": no key stands before it; expected KEY = value"),
        ("&FCI = 2 &END", "cannot read line 1, \"=\": no key stands before it; expected KEY = value"),
        ("&FCI NORB=2 3 &END", "cannot read line 1, \"NORB = 2, 3\": NORB has 2 values; expected one"),
        ("&FCI NORB=two NELEC=2 &END", "NORB is \"two\"; expected a whole number"),
        (
            "&FCI\nNORB=2\nNELEC=2.5 &END",
            "cannot read line 3, \"NELEC = 2.5\": NELEC is \"2.5\"; expected a whole number",
        ),
        ("&FCI NORB=-2 NELEC=2 &END", "NORB is -2; expected a whole number, 0 or more"),
        ("&FCI NORB=2 NORB=3 &END", "NORB stands there twice, with other values"),
        ("&FCI NORB=2 UHF=maybe &END", "UHF is \"maybe\"; expected .TRUE., .FALSE. or a number"),
        ("&FCI NORB=2 SPINORB=.TRUE. &END", "SPINORB is on, which is not known"),
        ("&FCI NORB=2 TITLE='H2 &END\n", "a text without its closing '"),
        ("&FCI NORB=2 &FOO &END\n", "& in the header; expected &END or / after it"),
        ("&FCI NORB=2 SYMLZ=1,-1,0 &END", "SYMLZ has 3 values; expected 2, one an orbital"),
        (
            "&FCI NORB=2 SYMLZ=18446744073709551615*1,18446744073709551615*1 &END",
            "expected 2, one an orbital",
        ),
        ("&FCI NORB=2 IUHF=1 &END\n0.5 1 1 2 2", "IUHF is on, but the file does not have its six parts"),
        (
            "&FCI NORB=3 UHF=T &END\n0.5 1 1 2 2",
            "UHF is on and NORB is 3; spin orbitals, up and down in turn, are an even number",
        ),
        (
            "&FCI NORB=2 UHF=T &END\n0.0 1 2 0 0\n0.5 1 2 1 2",
            "cannot read line 3, \"0.5 1 2 1 2\": UHF is on, but the integral mixes spins",
        ),
        (
            "&FCI NORB=2 IGENERAL=1 &END\n0.5 1 1 2 2",
            "IGENERAL is on, but it is not listed with the electrons exchanged",
        ),
        (
            "&FCI NORB=18446744073709551615 &END\n0.5 1 1 2 2",
            "NORB is 18446744073709551615; at most 2147483647 orbitals can be numbered",
        ),
        ("&FCI NORB=99999999999999999999 &END\n0.5 1 1 2 2", "expected a whole number"),
    ] {
        let message = message(Fcidump::parse(text));
        assert!(message.contains(expected), "{message}\n{expected}");
    }
    let message = message(Fcidump::from_file("no such file"));
    assert!(message.starts_with("cannot read \"no such file\": "), "{message}");
}

#[test]
fn a_declared_symmetry_completes_or_contradicts_the_file() {
    let text = format!("{HEADER}0.5 1 2 2 1\n0.4 1 1 1 1\n");
    assert!(
        message(Fcidump::parse(&text))
            .contains("list all orders, or name the symmetry with Fcidump::parse_as")
    );
    let real = Fcidump::parse_as(&text, IntegralSymmetry::Real).unwrap();
    assert_eq!(real.integrals().two_body().map(|(key, _)| key).collect::<Vec<_>>(), [[0; 4], [1, 0, 1, 0]]);
    let hermitian = Fcidump::parse_as(&text, IntegralSymmetry::Hermitian).unwrap();
    assert_eq!(
        hermitian.integrals().two_body().map(|(key, _)| key).collect::<Vec<_>>(),
        [[0; 4], [1, 0, 0, 1]]
    );
    let text = format!("{HEADER}0.5 1 2 2 1\n0.4 1 2 1 2\n");
    let error = message(Fcidump::parse_as(&text, IntegralSymmetry::Real));
    assert!(error.starts_with("cannot read line 3, \"0.4 1 2 1 2\": it is 0.4, but the same integral (1 2|2 1) on line 2 is 0.5, which contradicts the symmetry that was asked for"), "{error}");
}

#[test]
fn numbers_of_electrons_are_those_of_the_file_or_of_the_user() {
    for (header, expected) in [
        ("NORB=2,NELEC=2,MS2=2", [0, 2]),
        ("NORB=2,NELEC=2,MS2=-2", [2, 0]),
        ("NORB=2,NELEC=2", [1, 1]),
        ("NORB=2,NELEC=2,MS2=", [1, 1]),
    ] {
        let dump = Fcidump::parse(&format!("&FCI {header} &END")).unwrap();
        assert_eq!(dump.n_electrons_per_spin().unwrap(), expected);
    }
    let h2 = std::fs::read_to_string(data("h2.fcidump")).unwrap();
    for (numbers, expected) in [
        ("NELEC=3", "NELEC is 3 and MS2 is 0; NELEC - MS2 and NELEC + MS2 must be even"),
        ("NELEC=3,MS2=0", "NELEC is 3 and MS2 is 0"),
        ("NELEC=2,MS2=1", "NELEC is 2 and MS2 is 1"),
        ("NELEC=6,MS2=0", "from 0 to twice the 2 orbitals"),
        ("NELEC=18446744073709551615,MS2=-9223372036854775808", "must be even"),
        ("MS2=0", "the header has no NELEC"),
    ] {
        let dump = Fcidump::parse(&h2.replace("NELEC=2,MS2=0", numbers)).unwrap();
        for error in [dump.n_electrons_per_spin().unwrap_err(), dump.molecular().unwrap_err()] {
            let error = error.to_string();
            assert!(error.contains(expected), "{error}");
            assert!(error.ends_with("give the electrons with Fcidump::molecular_on"), "{error}");
        }
        let space = electrons(2).with_n_fermions_per_spin(&[1, 1]).unwrap();
        assert!((ground_energy(&dump.molecular_on(space).unwrap()) - H2).abs() < 1e-12);
    }
    let dump = read("h2.fcidump");
    let error = dump.molecular_on(electrons(3)).unwrap_err().to_string();
    assert_eq!(
        error,
        "integrals: the file has 2 orbitals, but SpinOrbitalFermions(3 orbitals, s = 1/2) has 3"
    );
    let error = dump.molecular_on(SpinOrbitalFermions::new(4).unwrap()).unwrap_err();
    assert!(matches!(error, Error::WrongHilbert { .. }), "{error}");
}

// ---- sizes ----

#[test]
fn many_orbitals_take_no_more_than_their_integrals() {
    let text = "&FCI NORB=100000,NELEC=2,MS2=0 &END\n0.5 100000 1 2 1\n-1.5 99999 1 0 0\n0.125 0 0 0 0";
    let dump = parse(text);
    let definition = dump.molecular().unwrap().definition().unwrap();
    assert_eq!(definition.hilbert().n_sites(), 200_000);
    assert!(definition.max_conn_size() > 1);
    // As many as can be numbered.
    let dump = parse(&text.replace("100000", "2147483647"));
    assert!(matches!(dump.molecular(), Err(Error::InvalidHilbert(_))));
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused_without_panic(
        text in "[&$]FCI[ A-Z=,0-9\\-\n]{0,40}(&END|/)?[ 0-9dDeE.,()!\r\n+\\-é]{0,60}", cut in any::<usize>(),
    ) {
        let _ = Fcidump::parse(&text).map(|dump| dump.molecular().map(|model| model.definition().is_ok()));
        let file = "&FCI NORB=2,NELEC=2,MS2=0,\n &END\n 0.25 1 1 2 2\n 0.5D0 0 0 0 0\n";
        let _ = Fcidump::parse(&file[..cut % file.len()]);
    }
}
