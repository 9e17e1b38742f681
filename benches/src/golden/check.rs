//! Checks an operator against a file of reference data.

use std::collections::BTreeMap;

use faer::{Mat, Side};
use ndarray::{Array2, ArrayView1, ArrayView2};
use num_complex::Complex64;
use operator_core::{Definition, DiscreteOperator, Element, HilbertSpace};

use super::Golden;

/// Largest difference between matrix elements that count as equal.
const TOLERANCE: f64 = 1e-10;

/// A file may omit elements below this size.
const LISTED: f64 = 2e-12;

type Checked = Result<(), String>;

/// Checks what does not depend on the backend: the operator's round trip through its own spec, and its
/// Hermiticity if the file states it.
pub(super) fn check_definition(definition: &Definition, golden: &Golden) -> Checked {
    let spec = definition.to_spec();
    let again = Definition::from_spec(&spec).map_err(|error| format!("read from its own spec: {error}"))?;
    if again != *definition {
        return Err("the operator differs from that read from its own spec".into());
    }
    let known = match golden.spec.get("hermitian").and_then(serde_json::Value::as_bool) {
        None if golden.eigvals.is_some() => Some(true),
        known => known,
    };
    match (known, definition.is_hermitian()) {
        (Some(expected), got) if got != expected => {
            Err(format!("is_hermitian is {got}; expected {expected}"))
        }
        _ => Ok(()),
    }
}

/// Checks a lowered operator against everything in the file.
pub(super) fn check_operator<O: DiscreteOperator>(operator: &O, golden: &Golden) -> Checked {
    let samples = states(&golden.samples, operator.hilbert()).map_err(|error| format!("samples: {error}"))?;
    check_samples(operator, samples.view(), golden)?;
    let Some(all_states) = &golden.all_states else { return Ok(()) };
    let all_states =
        states(all_states, operator.hilbert()).map_err(|error| format!("all_states: {error}"))?;
    check_matrix(operator, all_states.view(), golden)
}

/// Rows of quantum numbers as an array of states of the space.
fn states(rows: &[Vec<i8>], hilbert: &HilbertSpace) -> Result<Array2<i8>, String> {
    for (k, row) in rows.iter().enumerate() {
        hilbert.check_row(k, row).map_err(|error| error.to_string())?;
    }
    let shape = (rows.len(), hilbert.n_sites());
    Array2::from_shape_vec(shape, rows.concat()).map_err(|error| error.to_string())
}

fn check_samples<O: DiscreteOperator>(operator: &O, samples: ArrayView2<'_, i8>, golden: &Golden) -> Checked {
    let flattened = operator.get_conn_flattened(samples).map_err(|error| error.to_string())?;
    let padded = operator.get_conn_padded(samples).and_then(|padded| padded.to_flattened());
    let padded = padded.map_err(|error| error.to_string())?;
    for (k, expected) in golden.conn.iter().enumerate() {
        if expected.windows(2).any(|pair| pair[0].0 >= pair[1].0) {
            return Err(format!("sample {k}: the file's elements are not sorted by x', or list one twice"));
        }
        for (form, conn) in [("flattened", &flattened), ("padded", &padded)] {
            let (states, mels) =
                conn.sample(k).ok_or_else(|| format!("sample {k}, {form}: it is missing"))?;
            check_sample(states, mels, expected).map_err(|error| format!("sample {k}, {form}: {error}"))?;
        }
    }
    Ok(())
}

fn check_sample<T: Element>(
    states: ArrayView2<'_, i8>,
    mels: ArrayView1<'_, T>,
    expected: &[(Vec<i8>, f64, f64)],
) -> Checked {
    let mut elements: BTreeMap<Vec<i8>, Complex64> = BTreeMap::new();
    for (state, mel) in states.rows().into_iter().zip(mels) {
        if elements.insert(state.to_vec(), mel.to_complex()).is_some() {
            return Err(format!("x' = {state} is there twice"));
        }
    }
    for (state, re, im) in expected {
        let expected = Complex64::new(*re, *im);
        match elements.remove(state) {
            None if expected.norm() > LISTED => {
                return Err(format!("the element {expected} to x' = {state:?} is missing"));
            }
            Some(got) if !equal(got, expected) => {
                return Err(format!("the element to x' = {state:?} is {got}; expected {expected}"));
            }
            _ => {}
        }
    }
    match elements.iter().find(|(_, mel)| mel.norm() > LISTED || mel.is_nan()) {
        Some((state, mel)) => Err(format!("the element {mel} to x' = {state:?} should not be there")),
        None => Ok(()),
    }
}

/// Whether two elements are equal up to rounding. NaN equals nothing.
fn equal(a: Complex64, b: Complex64) -> bool {
    (a - b).norm() <= TOLERANCE
}

fn check_matrix<O: DiscreteOperator>(operator: &O, states: ArrayView2<'_, i8>, golden: &Golden) -> Checked {
    let hilbert = operator.hilbert();
    let n_states = hilbert.n_states().map_err(|error| error.to_string())?;
    let places = hilbert.states_to_indices(states).map_err(|error| error.to_string())?;
    let distinct: std::collections::BTreeSet<usize> = places.iter().copied().collect();
    if distinct.len() != places.len() || places.len() != n_states {
        return Err(format!("all_states lists {} distinct states of {n_states}", distinct.len()));
    }
    let ordered = if is_listed_backwards(hilbert) {
        places.iter().copied().eq((0..n_states).rev())
    } else {
        places.iter().copied().eq(0..n_states)
    };
    if !ordered {
        return Err("all_states is in another order".into());
    }
    let dense = operator.to_dense().map_err(|error| error.to_string())?;
    if let Some(expected) = golden.dense() {
        for ((r, c), &expected) in expected.indexed_iter() {
            let got = dense[[places[r], places[c]]].to_complex();
            if !equal(got, expected) {
                return Err(format!("dense matrix ({r}, {c}): {got}; expected {expected}"));
            }
        }
    }
    match &golden.eigvals {
        Some(expected) => check_eigenvalues(&dense.mapv(Element::to_complex), expected),
        None => Ok(()),
    }
}

/// Whether the files list this space's states backwards. They order spins 1/2 with a fixed magnetisation by
/// ascending quantum numbers. They order all other spaces by ascending local index, as this project does for
/// every space.
fn is_listed_backwards(hilbert: &HilbertSpace) -> bool {
    matches!(hilbert, HilbertSpace::Spin(space) if space.s() == 0.5) && hilbert.is_constrained()
}

/// Whether the file lists its states in the reverse of this project's order.
pub(super) fn is_reversed(golden: &Golden, hilbert: &HilbertSpace) -> bool {
    let first = golden.all_states.as_ref().and_then(|states| states.first());
    let index = first.and_then(|state| hilbert.index_of(state).ok());
    is_listed_backwards(hilbert) && index.is_some_and(|index| index > 0)
}

fn check_eigenvalues(dense: &Array2<Complex64>, expected: &[f64]) -> Checked {
    let matrix = Mat::from_fn(dense.nrows(), dense.ncols(), |r, c| dense[[r, c]]);
    let got = matrix
        .self_adjoint_eigenvalues(Side::Lower)
        .map_err(|error| format!("the eigenvalues did not converge: {error:?}"))?;
    let mut expected = expected.to_vec();
    expected.sort_by(f64::total_cmp);
    // The rounding error of an eigenvalue is relative to the largest one.
    let scale = expected.iter().fold(1.0_f64, |scale, value| scale.max(value.abs()));
    let differs = |(got, expected): &(&f64, &f64)| {
        let difference = (*got - *expected).abs();
        difference.is_nan() || difference > TOLERANCE * scale
    };
    match got.iter().zip(&expected).enumerate().find(|(_, pair)| differs(pair)) {
        Some((k, (got, expected))) => Err(format!("eigenvalue {k} is {got}; expected {expected}")),
        None => Ok(()),
    }
}
