//! Operators on very many sites: definitions and connected elements grow with the terms, not with terms times sites.

use num_complex::Complex64;
use operator_core::expression::spin::{sigmax, sigmay};
use operator_core::hilbert::{HilbertSpace, Qubit, Spin, SpinOrbitalFermions};
use operator_core::kernel::Scratch;
use operator_core::terms::{Ladder, Pauli, Terms};
use operator_core::testing::{SplitMix, TestResult};
use operator_core::{
    Boundary, Definition, Expression, FermiHubbard, Graph, Heisenberg, Ising, Model, PauliStrings,
};

const N: usize = 100_000;

/// What each element changes, in ascending order of sites, and the element.
fn elements(definition: &Definition, x: &[i8]) -> Vec<(Vec<(usize, i8)>, Complex64)> {
    let mut out = Vec::new();
    let engine = definition.engine::<Complex64>().expect("complex numbers hold every element");
    engine.visit(x, &mut Scratch::default(), |connected, mel| {
        let mut changes: Vec<_> = connected.changes(x).collect();
        changes.sort_unstable();
        out.push((changes, mel));
    });
    out
}

fn flips(x: &[i8], sites: &[usize]) -> Vec<(usize, i8)> {
    let mut changes: Vec<_> = sites.iter().map(|&site| (site, -x[site])).collect();
    changes.sort_unstable();
    changes
}

/// H = −h Σ X_i + J Σ Z_i Z_{i+1}.
#[test]
fn ising_chain() -> TestResult {
    let chain = Graph::chain(N, Boundary::Periodic)?;
    let ising = Ising::new(Spin::half(N)?, &chain, 0.5, 2.0)?.definition()?;
    assert!(ising.is_hermitian());
    let x = ising.hilbert().random_states(1, &mut SplitMix::new(11))?.into_raw_vec_and_offset().0;
    let aligned: i32 = (0..N).map(|i| i32::from(x[i] * x[(i + 1) % N])).sum();
    let mut found = elements(&ising, &x);
    assert_eq!(found.remove(0), (vec![], Complex64::from(2.0 * f64::from(aligned))));
    found.sort_by_key(|(changes, _)| changes[0].0);
    let flipped = |site| (flips(&x, &[site]), Complex64::from(-0.5));
    assert!(found.into_iter().eq((0..N).map(flipped)));
    Ok(())
}

/// H = J Σ σ_i · σ_{i+1}, by its sign rule −2 J for each pair of opposite spins.
#[test]
fn heisenberg_chain_in_a_sector() -> TestResult {
    let chain = Graph::chain(N, Boundary::Periodic)?;
    let space = Spin::half(N)?.with_total_sz(0.0)?;
    let heisenberg = Heisenberg::new(space, &chain, 1.5)?.definition()?;
    assert!(heisenberg.is_hermitian());
    let x = heisenberg.hilbert().random_states(1, &mut SplitMix::new(12))?.into_raw_vec_and_offset().0;
    let mut found = elements(&heisenberg, &x);
    found.retain(|(changes, _)| !changes.is_empty());
    found.sort_by_key(|(changes, _)| (changes[1].0 - changes[0].0 > 1, changes[0].0));
    let pairs = (0..N).map(|i| (i, (i + 1) % N)).filter(|&(i, j)| x[i] != x[j]);
    assert!(found.into_iter().eq(pairs.map(|(i, j)| (flips(&x, &[i, j]), Complex64::from(-3.0)))));
    Ok(())
}

/// H = −t Σ (c†_i c_{i+1} + h.c.) + U Σ n_i↑ n_i↓. A hop round the ring passes all other fermions of its spin.
#[test]
fn hubbard_chain() -> TestResult {
    let n = N / 2;
    let chain = Graph::chain(n, Boundary::Periodic)?;
    let space = SpinOrbitalFermions::with_spin(n, 0.5)?.with_n_fermions_per_spin(&[n / 2, n / 2 - 1])?;
    let hubbard = FermiHubbard::new(space, &chain, 1.0, 4.0)?.definition()?;
    assert!(hubbard.is_hermitian());
    let x = hubbard.hilbert().random_states(1, &mut SplitMix::new(13))?.into_raw_vec_and_offset().0;
    let mut found = elements(&hubbard, &x);
    let doubly = (0..n).filter(|&i| x[i] == 1 && x[n + i] == 1).count();
    assert_eq!(found.remove(0), (vec![], Complex64::from(4.0 * doubly as f64)));
    let mut expected = Vec::new();
    for (start, n_fermions) in [(0, n / 2), (n, n / 2 - 1)] {
        for i in 0..n {
            let (a, b) = (start + i, start + (i + 1) % n);
            if x[a] != x[b] {
                let passed = if b < a { n_fermions - 1 } else { 0 };
                let mel = if passed % 2 == 1 { 1.0 } else { -1.0 };
                let mut changes = vec![(a, x[b]), (b, x[a])];
                changes.sort_unstable();
                expected.push((changes, Complex64::from(mel)));
            }
        }
    }
    let by_sites = |(changes, _): &(Vec<(usize, i8)>, _)| changes.clone();
    found.sort_by_key(by_sites);
    expected.sort_by_key(by_sites);
    assert!(found == expected);
    Ok(())
}

/// Whether a string is Hermitian does not depend on its length, on either side of the limit of masks.
#[test]
fn long_strings_are_hermitian_or_not() -> TestResult {
    let of = |terms: Terms| Definition::new("string", terms).map(|definition| definition.is_hermitian());
    for n in [2000, 4096, 4097, 9000] {
        let mixed = |k: usize| [Pauli::X, Pauli::Y, Pauli::Z][k % 3];
        for k in [14, 1200, n / 2] {
            let strings: [Vec<(usize, Pauli)>; 2] = [
                (0..n).map(|site| (site, if site < k { Pauli::X } else { Pauli::Z })).collect(),
                (0..n).map(|site| (site, mixed(site))).collect(),
            ];
            for string in strings {
                let mut terms = Terms::new(Qubit::new(n)?);
                terms.pauli(1.0, &string)?;
                assert!(of(terms.clone())?, "{n} {k}");
                terms.pauli(Complex64::new(0.0, 1e-3), &string[..n - 1])?;
                assert!(!of(terms)?, "{n} {k}");
            }
        }
        // Ladder operators far apart have guards and long signs; alone they are not Hermitian.
        let modes = SpinOrbitalFermions::new(n)?;
        for n_ladders in [2, 15, 16, 1800] {
            let far = |k: usize| k * (n - 1) / n_ladders;
            let string: Vec<Ladder> = (0..n_ladders).map(|k| Ladder::create(far(k))).collect();
            let adjoint: Vec<Ladder> = string.iter().rev().map(|ladder| ladder.adjoint()).collect();
            let mut terms = Terms::new(modes.clone());
            terms.fermion(1.0, &string)?;
            assert!(!of(terms.clone())?, "{n} {n_ladders}");
            terms.fermion(1.0, &adjoint)?;
            assert!(of(terms.clone())?, "{n} {n_ladders}");
            terms.pauli_on_occupations(
                0.5,
                &string.iter().map(|c| (c.mode(), Pauli::X)).collect::<Vec<_>>(),
            )?;
            assert!(of(terms)?, "{n} {n_ladders}");
        }
    }
    Ok(())
}

/// Products whose terms keep a sector together are not refused on more sites than masks take.
#[test]
fn products_keep_their_sector() -> TestResult {
    for n in [4096, 4097, 20_000] {
        let space = HilbertSpace::from(Spin::half(n)?.with_total_sz(if n % 2 == 0 { 0.0 } else { 0.5 })?);
        let bond = |k: usize| {
            let [i, j] = [k * n / 16, k * n / 16 + n / 20];
            sigmax(i) * sigmax(j) + sigmay(i) * sigmay(j)
        };
        let sum: Expression = (0..14).map(bond).sum();
        let cube = sum.definition(space.clone())?.pow(3)?;
        assert_eq!((cube.max_conn_size(), cube.is_hermitian()), (378, true), "{n}");
        let product = (1..8).fold(bond(0), |product, k| product * bond(k)).definition(space)?;
        assert_eq!((product.max_conn_size(), product.is_hermitian()), (1, true), "{n}");
    }
    Ok(())
}

/// Strings of X, Y and Z, whose elements are products of numbers.
#[test]
fn pauli_strings_far_apart() -> TestResult {
    let factors: Vec<Vec<(usize, Pauli)>> = SplitMix::new(14)
        .distinct(3000, N)
        .chunks_exact(3)
        .enumerate()
        .map(|(k, sites)| {
            vec![(sites[0], [Pauli::X, Pauli::Y][k % 2]), (sites[1], Pauli::Y), (sites[2], Pauli::Z)]
        })
        .collect();
    let strings =
        PauliStrings::from_factors(Qubit::new(N)?, factors.clone(), vec![1.0; 1000])?.definition()?;
    let x = strings.hilbert().random_states(1, &mut SplitMix::new(15))?.into_raw_vec_and_offset().0;
    let mut found = elements(&strings, &x);
    let parity = |site: usize| Complex64::from(1.0 - 2.0 * f64::from(x[site]));
    let mut expected: Vec<_> = factors
        .iter()
        .map(|factors| {
            // <x|Y|x'> is −i for x = 0 and i for x = 1.
            let mel: Complex64 = factors
                .iter()
                .map(|&(site, pauli)| match pauli {
                    Pauli::X => Complex64::ONE,
                    Pauli::Y => -Complex64::I * parity(site),
                    Pauli::Z => parity(site),
                })
                .product();
            let mut changes: Vec<_> = factors[..2].iter().map(|&(site, _)| (site, 1 - x[site])).collect();
            changes.sort_unstable();
            (changes, mel)
        })
        .collect();
    found.sort_by(|a, b| a.0.cmp(&b.0));
    expected.sort_by(|a, b| a.0.cmp(&b.0));
    assert!(found == expected);
    Ok(())
}
