use std::collections::HashMap;

use backend_flat::{Flat, VisitConn};
use ndarray::{Array2, ArrayView2};
use operator_core::kernel::Scratch;
use operator_core::{Element, Error, Result};
use rayon::prelude::*;

use super::HamiltonianBackend;

/// Connected elements that one job visits at the least: for fewer, waking a thread takes longer than they do.
const ELEMENTS_PER_JOB: usize = 8192;

/// Chains are spread over threads; connected states are visited one by one and only the chosen x' is written.
///
/// Of custom kernels, which may emit one x' more than once, the distinct x' of each state are collected.
impl<O: VisitConn> HamiltonianBackend<O> for Flat {
    fn n_off_diagonal(operator: &O, x: &Array2<i8>) -> Result<Vec<usize>> {
        let x = rows(x);
        let n_sites = x.ncols().max(1);
        let x = x.as_slice().unwrap_or_default();
        if operator.definition().is_none() {
            return x.par_chunks(n_sites).map(|x| Ok(distinct(operator, x)?.len())).collect();
        }
        let rows = x.par_chunks(n_sites).with_min_len(chains_per_job(operator));
        rows.map_init(Scratch::default, |scratch, x| {
            let mut n = 0;
            operator
                .visit_conn(x, scratch, &mut |connected, _| n += usize::from(!connected.is_diagonal()))?;
            Ok(n)
        })
        .collect()
    }

    fn select_off_diagonal(operator: &O, x: &Array2<i8>, numbers: &[usize]) -> Result<Array2<i8>> {
        if numbers.len() != x.nrows() {
            return Err(count("numbers of connected states", numbers.len(), x.nrows()));
        }
        let mut chosen = rows(x).into_owned();
        let n_sites = chosen.ncols().max(1);
        let rows = chosen.as_slice_mut().unwrap_or_default().par_chunks_mut(n_sites).zip(numbers);
        if operator.definition().is_none() {
            rows.map(|(row, &number)| {
                let mut states = distinct(operator, row)?;
                let n = states.len();
                let state = states.get_mut(number).ok_or_else(|| beyond(n, number))?;
                operator.hilbert().check_row(0, state).map_err(|error| Error::Custom {
                    operator: operator.describe(),
                    reason: format!("it leaves its space ({error})"),
                })?;
                row.copy_from_slice(state);
                Ok(())
            })
            .collect::<Result<()>>()?;
            return Ok(chosen);
        }
        rows.with_min_len(chains_per_job(operator))
            .map_init(
                || (Scratch::default(), Vec::new()),
                |(scratch, x), (row, &number)| {
                    x.clear();
                    x.extend_from_slice(row);
                    let mut n = 0;
                    operator.visit_conn(x, scratch, &mut |connected, _| {
                        if !connected.is_diagonal() {
                            if n == number {
                                connected.write(row);
                            }
                            n += 1;
                        }
                    })?;
                    if number < n { Ok(()) } else { Err(beyond(n, number)) }
                },
            )
            .collect::<Result<()>>()?;
        Ok(chosen)
    }
}

fn chains_per_job<O: VisitConn>(operator: &O) -> usize {
    (ELEMENTS_PER_JOB / operator.max_conn_size().max(1)).max(1)
}

/// A batch with contiguous rows.
fn rows(x: &Array2<i8>) -> ndarray::CowArray<'_, i8, ndarray::Ix2> {
    let x: ArrayView2<'_, i8> = x.view();
    match x.is_standard_layout() {
        true => x.into(),
        false => x.as_standard_layout().into_owned().into(),
    }
}

/// The distinct states that a custom kernel connects to `x` with elements that add up to non-zero, in the
/// order in which they are first emitted.
fn distinct<O: VisitConn>(operator: &O, x: &[i8]) -> Result<Vec<Vec<i8>>> {
    let mut places = HashMap::new();
    let mut states: Vec<(Vec<i8>, O::Element, f64)> = Vec::new();
    operator.visit_conn(x, &mut Scratch::default(), &mut |connected, mel| {
        let mut state = x.to_vec();
        connected.write(&mut state);
        if state == x {
            return;
        }
        let place = *places.entry(state.clone()).or_insert(states.len());
        match states.get_mut(place) {
            Some((_, sum, size)) => {
                *sum += mel;
                *size += mel.to_complex().norm();
            }
            None => states.push((state, mel, mel.to_complex().norm())),
        }
    })?;
    Ok(states.into_iter().filter(|(_, mel, size)| !mel.cancels(*size)).map(|(state, ..)| state).collect())
}

fn beyond(n: usize, number: usize) -> Error {
    Error::Count {
        what: format!("connected states; number {number} was asked for"),
        got: n,
        expected: "more".into(),
    }
}

fn count(what: &str, got: usize, expected: usize) -> Error {
    Error::Count { what: what.into(), got, expected: expected.to_string() }
}
