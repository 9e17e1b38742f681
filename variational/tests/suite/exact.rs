//! Lowest states against full matrices and closed formulas.
#![cfg(feature = "flat")]

use crate::common::{TestResult, heisenberg};
use ndarray::Array2;
use num_complex::Complex64;
use operator_core::hilbert::{Qubit, Spin};
use operator_core::{Boundary, DiscreteOperator, Element, Graph, Ising, Model, PauliStrings};
use variational::{Flat, exact};

/// Orthonormal columns with `H v = E v`, by the operator's own product.
fn check<O: DiscreteOperator>(operator: &O, energies: &[f64], states: &Array2<Complex64>) -> TestResult {
    let n = energies.len();
    let overlaps = states.mapv(|z| z.conj()).t().dot(states);
    let identity = Array2::from_diag(&ndarray::Array1::from_elem(n, Complex64::ONE));
    assert!((&overlaps - &identity).iter().all(|d| d.norm() < 1e-9), "{overlaps}");
    for (&energy, v) in energies.iter().zip(states.columns()) {
        // A real operator maps real and imaginary parts alike.
        let part = |part: fn(&Complex64) -> Complex64| -> variational::Result<_> {
            let v = v.map(|z| O::Element::from_complex(part(z)));
            Ok(operator.apply(v.view())?.mapv(O::Element::to_complex))
        };
        let image = match O::Element::IS_COMPLEX {
            true => part(|z| *z)?,
            false => part(|z| z.re.into())? + part(|z| z.im.into())? * Complex64::I,
        };
        let residual = (image - v.mapv(|z| z * energy)).iter().map(Complex64::norm_sqr).sum::<f64>().sqrt();
        assert!(residual < 1e-8, "{energy}: {residual:e}");
    }
    assert!(energies.is_sorted());
    Ok(())
}

/// Energies of free fermions: with an even number of them momenta are odd multiples of π/N, with an odd number
/// even ones (Pfeuty, Ann. Phys. 57, 79 (1970)).
fn ising_energies(n: usize, h: f64) -> Vec<f64> {
    let mode = |k: f64| 2.0 * (1.0 + h * h + 2.0 * h * k.cos()).sqrt();
    let mut energies = Vec::new();
    for (offset, even) in [(1, true), (0, false)] {
        let momenta = (0..n).map(|j| std::f64::consts::PI * (2 * j + offset) as f64 / n as f64);
        // The mode at k = π, which only the odd sector has, changes sign below h = 1.
        let modes: Vec<f64> = momenta
            .map(|k| if (k - std::f64::consts::PI).abs() < 1e-12 { 2.0 * (h - 1.0) } else { mode(k) })
            .collect();
        for filled in 0..1usize << n {
            if (filled.count_ones() % 2 == 0) == even {
                let term = |(j, mode): (usize, &f64)| if filled >> j & 1 == 1 { *mode } else { -mode };
                energies.push(modes.iter().enumerate().map(term).sum::<f64>() / 2.0);
            }
        }
    }
    energies.sort_by(f64::total_cmp);
    energies
}

/// 2¹² states: Lanczos' method, with degenerate levels among the lowest.
#[test]
fn large_spaces_have_the_energies_of_free_fermions() -> TestResult {
    let (n, h) = (12, 0.6);
    let chain = Graph::chain(n, Boundary::Periodic)?;
    let operator = Ising::new(Spin::half(n)?, &chain, h, -1.0)?.lower::<Flat>()?;
    let (energies, states) = exact::lowest(&operator, 6)?;
    for (energy, expected) in energies.iter().zip(ising_energies(n, h)) {
        assert!((energy - expected).abs() < 1e-9, "{energies} {expected}");
    }
    let degenerate = (1..6).any(|k| energies[k] - energies[k - 1] < 1e-9);
    assert!(degenerate, "momenta k and -k: {energies}");
    check(&operator, &energies.to_vec(), &states)?;
    assert!((exact::ground_state_energy(&operator)? - energies[0]).abs() < 1e-10);
    Ok(())
}

#[test]
fn small_spaces_have_all_their_eigenstates() -> TestResult {
    let operator = heisenberg(6)?.lower::<Flat>()?;
    let (energies, states) = exact::lowest(&operator, 20)?;
    check(&operator, &energies.to_vec(), &states)?;
    let trace: f64 = operator.to_dense()?.diag().sum();
    assert!((energies.sum() - trace).abs() < 1e-10);
    let strings = ["XYIII", "IXYII", "IIZZI", "IIIXX", "YIIIZ"];
    let twisted = PauliStrings::new(Qubit::new(5)?, strings, [0.3, -1.2, 0.7, 0.4, 1.1])?.definition()?;
    let operator = twisted.lower_as::<Flat, Complex64>()?;
    let (energies, states) = exact::lowest(&operator, 32)?;
    check(&operator, &energies.to_vec(), &states)?;
    assert!(energies.sum().abs() < 1e-10, "Pauli strings have no trace");
    Ok(())
}

/// The complex branch of Lanczos' method: a twist that a change of phases removes leaves the energies alone.
#[test]
fn complex_matrices_beyond_the_dense_size_converge() -> TestResult {
    let n = 11;
    let bonds = (0..n - 1).map(|i| [[i, i + 1], [i, i + 1]]);
    let strings = bonds.enumerate().flat_map(|(i, _)| {
        // XY − YX is XX + YY after turning each site by 90° more than the one before.
        ["XY", "YX"].map(|pair| format!("{}{pair}{}", "I".repeat(i), "I".repeat(n - 2 - i)))
    });
    let weights: Vec<f64> = (0..n - 1).flat_map(|_| [1.0, -1.0]).collect();
    let strings: Vec<String> = strings.collect();
    let twisted = PauliStrings::new(Qubit::new(n)?, strings.iter().map(String::as_str), weights)?;
    let operator = twisted.definition()?.lower_as::<Flat, Complex64>()?;
    let (energies, states) = exact::lowest(&operator, 3)?;
    check(&operator, &energies.to_vec(), &states)?;
    // Free fermions with levels 4 cos(π k / (n + 1)): all negative ones are filled, one level is 0.
    let levels = (1..=n).map(|k| 4.0 * (std::f64::consts::PI * k as f64 / (n + 1) as f64).cos());
    let expected: f64 = levels.filter(|level| *level < 0.0).sum();
    assert!((energies[0] - expected).abs() < 1e-9, "{energies} {expected}");
    assert!((energies[1] - expected).abs() < 1e-9, "the level 0, empty or filled");
    Ok(())
}

#[test]
fn numbers_of_states_that_there_are_not_are_refused() -> TestResult {
    let operator = heisenberg(4)?.lower::<Flat>()?;
    for (k, value) in [(0, "0"), (7, "7")] {
        let message = exact::lowest(&operator, k).unwrap_err().to_string();
        let expected = "it must be from 1 to the number of states";
        assert_eq!(message, format!("the number of eigenvalues is {value}; {expected}"));
    }
    Ok(())
}
