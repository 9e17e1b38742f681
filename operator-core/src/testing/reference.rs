//! Connected elements from one term at a time, on spaces of any size.

use std::collections::BTreeMap;

use ndarray::ArrayView2;
use num_complex::Complex64;

use super::{Checked, close, ensure, within};
use crate::definition::Definition;
use crate::element::Element;
use crate::hilbert::HilbertSpace;
use crate::operator::DiscreteOperator;
use crate::terms::{FermionString, LocalTerm, Pauli, PauliString, ProductTerm, TermKind};

type Row = BTreeMap<Vec<i8>, Complex64>;

/// The row `<x|O|·>` of a state x: every x' that some term reaches, with the sum of the terms' elements. The
/// sum may be 0 if they cancel.
pub fn reference_row(definition: &Definition, x: &[i8]) -> BTreeMap<Vec<i8>, Complex64> {
    let parameters = definition.parameters().to_vec();
    let hilbert = definition.hilbert();
    let mut row = Row::new();
    for term in definition.terms() {
        let value = term.coefficient.parameter.map_or(1.0, |p| parameters[p.index()]);
        let coefficient = term.coefficient.factor * value;
        let mut add = |state: Vec<i8>, mel: Complex64| {
            if mel != Complex64::ZERO {
                *row.entry(state).or_insert(Complex64::ZERO) += coefficient * mel;
            }
        };
        match &term.kind {
            TermKind::Local(local) => local_row(hilbert, local, x, &mut add),
            TermKind::Product(product) => product_row(hilbert, product, x, &mut add),
            TermKind::Pauli(string) => pauli_row(hilbert, string, x, &mut add),
            TermKind::Fermion(string) => fermion_row(hilbert, string, x, &mut add),
        }
    }
    row
}

fn local_row(hilbert: &HilbertSpace, term: &LocalTerm, x: &[i8], add: &mut dyn FnMut(Vec<i8>, Complex64)) {
    let index = |site: usize| {
        hilbert.local(site).iter().position(|q| q == x[site]).expect("samples are states of the space")
    };
    let row = term.sites().iter().fold(0, |row, &site| row * hilbert.local_dim(site) + index(site));
    for (column, &mel) in term.matrix().row(row).iter().enumerate() {
        let (mut state, mut rest) = (x.to_vec(), column);
        for &site in term.sites().iter().rev() {
            let local = hilbert.local(site);
            state[site] = local.value(rest % local.len);
            rest /= local.len;
        }
        add(state, mel);
    }
}

/// Site by site, every element in the row of the site's state.
fn product_row(
    hilbert: &HilbertSpace,
    product: &ProductTerm,
    x: &[i8],
    add: &mut dyn FnMut(Vec<i8>, Complex64),
) {
    let mut states = vec![(x.to_vec(), Complex64::ONE)];
    for (site, matrix) in product.factors() {
        let local = hilbert.local(*site);
        states = states
            .iter()
            .flat_map(|(state, mel)| {
                let own = matrix.elements().filter(|&(row, _, _)| local.value(row) == state[*site]);
                own.map(|(_, column, z)| {
                    let mut state = state.clone();
                    state[*site] = local.value(column);
                    (state, mel * z)
                })
                .collect::<Vec<_>>()
            })
            .collect();
    }
    states.into_iter().for_each(|(state, mel)| add(state, mel));
}

fn pauli_row(
    hilbert: &HilbertSpace,
    string: &PauliString,
    x: &[i8],
    add: &mut dyn FnMut(Vec<i8>, Complex64),
) {
    let (mut state, mut mel) = (x.to_vec(), Complex64::ONE);
    for (site, pauli) in string.paulis() {
        let local = hilbert.local(site);
        let up = x[site] == local.value(0);
        if pauli != Pauli::Z {
            state[site] = local.value(usize::from(up));
        }
        mel *= match (pauli, up) {
            (Pauli::X, _) | (Pauli::Z, true) => Complex64::ONE,
            (Pauli::Z, false) => -Complex64::ONE,
            (Pauli::Y, true) => -Complex64::I,
            (Pauli::Y, false) => Complex64::I,
        };
    }
    add(state, mel);
}

/// Read from the left, a creation operator empties its mode and an annihilation operator fills it. The sign
/// comes from the fermions on earlier modes of its factor.
fn fermion_row(
    hilbert: &HilbertSpace,
    string: &FermionString,
    x: &[i8],
    add: &mut dyn FnMut(Vec<i8>, Complex64),
) {
    let (mut state, mut mel) = (x.to_vec(), Complex64::ONE);
    for ladder in string.ladders() {
        if state[ladder.mode] != i8::from(ladder.dagger) {
            return;
        }
        let mut first = 0;
        for factor in hilbert.factors() {
            match first + factor.n_sites() {
                next if next <= ladder.mode => first = next,
                _ => break,
            }
        }
        if state[first..ladder.mode].iter().filter(|&&n| n == 1).count() % 2 == 1 {
            mel = -mel;
        }
        state[ladder.mode] = i8::from(!ladder.dagger);
    }
    add(state, mel);
}

/// Compares an operator's connected elements for some samples with [`reference_row`] of its definition.
///
/// # Errors
/// The first difference.
pub fn check_against_reference<O: DiscreteOperator>(
    operator: &O,
    definition: &Definition,
    x: ArrayView2<'_, i8>,
) -> Checked {
    let conn = within("get_conn_flattened", operator.get_conn_flattened(x))?;
    ensure!(conn.n_samples() == x.nrows(), "{} samples are answered with {}", x.nrows(), conn.n_samples());
    for (sample, (states, mels)) in x.rows().into_iter().zip(conn.samples()) {
        let mut expected = reference_row(definition, &sample.to_vec());
        let scale = expected.values().map(|mel| mel.norm()).sum();
        for (state, mel) in states.rows().into_iter().zip(mels) {
            let right = expected.remove(&state.to_vec()).unwrap_or_default();
            let got = mel.to_complex();
            ensure!(
                close::<O::Element>(got, right, scale),
                "sample {sample} to {state}: element {got}; expected {right}"
            );
        }
        for (state, right) in expected {
            let missing = close::<O::Element>(right, Complex64::ZERO, scale);
            ensure!(missing, "sample {sample}: the element {right} to {state:?} is missing");
        }
    }
    Ok(())
}
