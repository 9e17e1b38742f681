//! Moves of operators of the flat backend, chain by chain over threads.

use std::collections::HashMap;

use backend_flat::{Flat, VisitConn};
use ndarray::{Array2, ArrayView2};
use operator_core::kernel::{Moves, Scratch};
use operator_core::{Element, Error, Result};
use rayon::prelude::*;

use super::{Connections, HamiltonianBackend};
use crate::changes::{apply, differences};

/// Connected elements that one job visits at the least: for fewer, waking a thread takes longer than they do.
const ELEMENTS_PER_JOB: usize = 8192;

/// Chains are spread over threads; connected states are visited one by one and only the chosen x' is written.
impl<O: VisitConn> HamiltonianBackend<O> for Flat {
    fn n_off_diagonal(operator: &O, x: &Array2<i8>) -> Result<Vec<usize>> {
        let x = rows(x);
        let n_sites = x.ncols().max(1);
        let rows = x.as_slice().expect(CONTIGUOUS).par_chunks(n_sites);
        rows.with_min_len(chains_per_job(operator))
            .map_init(|| Visited::new(operator), |visited, x| visited.n_off_diagonal(x))
            .collect()
    }

    fn select_off_diagonal(operator: &O, x: &Array2<i8>, numbers: &[usize]) -> Result<Array2<i8>> {
        if numbers.len() != x.nrows() {
            return Err(count("numbers of connected states", numbers.len(), x.nrows()));
        }
        let mut chosen = rows(x).into_owned();
        let n_sites = chosen.ncols().max(1);
        let rows = chosen.as_slice_mut().expect(CONTIGUOUS).par_chunks_mut(n_sites).zip(numbers);
        rows.with_min_len(chains_per_job(operator))
            .map_init(
                || (Visited::new(operator), Vec::new()),
                |(visited, changes), (row, &number)| {
                    changes.clear();
                    visited.select_off_diagonal(row, number, changes)?;
                    apply(changes.iter().copied(), row);
                    Ok(())
                },
            )
            .collect::<Result<()>>()?;
        Ok(chosen)
    }

    fn connections(operator: &O) -> Option<Box<dyn Connections + '_>> {
        Some(match operator.engine() {
            Some(engine) => Box::new(engine.moves()),
            None => {
                Box::new(Listed { operator, present: Distinct::default(), proposed: Distinct::default() })
            }
        })
    }
}

pub(super) fn n_off_diagonal<O: VisitConn>(operator: &O, x: &Array2<i8>) -> Result<Vec<usize>> {
    Flat::n_off_diagonal(operator, x)
}

pub(super) fn select_off_diagonal<O: VisitConn>(
    operator: &O,
    x: &Array2<i8>,
    numbers: &[usize],
) -> Result<Array2<i8>> {
    Flat::select_off_diagonal(operator, x, numbers)
}

pub(super) fn connections<O: VisitConn>(operator: &O) -> Option<Box<dyn Connections + '_>> {
    Flat::connections(operator)
}

/// What is connected to the rows of a batch. Of custom kernels, which may emit one x' more than once, the
/// distinct x' are collected.
struct Visited<'a, O: VisitConn> {
    operator: &'a O,
    is_custom: bool,
    scratch: Scratch<O::Element>,
}

impl<'a, O: VisitConn> Visited<'a, O> {
    fn new(operator: &'a O) -> Self {
        let is_custom = operator.definition().is_none();
        Visited { operator, is_custom, scratch: Scratch::default() }
    }

    fn n_off_diagonal(&mut self, x: &[i8]) -> Result<usize> {
        if self.is_custom {
            return Ok(distinct(self.operator, x)?.len());
        }
        let mut n = 0;
        self.operator.visit_conn(x, &mut self.scratch, &mut |connected, _| {
            n += usize::from(!connected.is_diagonal());
        })?;
        Ok(n)
    }

    fn select_off_diagonal(&mut self, x: &[i8], number: usize, changes: &mut Vec<(usize, i8)>) -> Result<()> {
        if self.is_custom {
            let states = distinct(self.operator, x)?;
            let state = states.get(number).ok_or_else(|| beyond(states.len(), number))?;
            check_stays(self.operator, state)?;
            changes.extend(differences(x, state));
            return Ok(());
        }
        let mut n = 0;
        self.operator.visit_conn(x, &mut self.scratch, &mut |connected, _| {
            if !connected.is_diagonal() {
                if n == number {
                    changes.extend(connected.changes(x));
                }
                n += 1;
            }
        })?;
        if number < n { Ok(()) } else { Err(beyond(n, number)) }
    }
}

impl<T: Element> Connections for Moves<T> {
    fn go_to(&mut self, x: &[i8]) -> Result<usize> {
        self.go_to(x);
        Ok(self.len())
    }

    fn select(&mut self, x: &[i8], number: usize, changes: &mut Vec<(usize, i8)>) -> Result<()> {
        let n = self.len();
        let connected = self.get(number).ok_or_else(|| beyond(n, number))?;
        changes.extend(connected.changes(x));
        Ok(())
    }

    fn propose(&mut self, changes: &[(usize, i8)]) -> Result<usize> {
        Ok(self.propose(changes))
    }
}

/// The distinct x' of a custom kernel, collected once for each x.
struct Listed<'a, O> {
    operator: &'a O,
    present: Distinct,
    proposed: Distinct,
}

#[derive(Default)]
struct Distinct {
    x: Vec<i8>,
    states: Vec<Vec<i8>>,
}

impl Distinct {
    fn of<O: VisitConn>(operator: &O, x: Vec<i8>) -> Result<Self> {
        let states = distinct(operator, &x)?;
        states.iter().try_for_each(|state| check_stays(operator, state))?;
        Ok(Distinct { x, states })
    }
}

impl<O: VisitConn> Connections for Listed<'_, O> {
    fn go_to(&mut self, x: &[i8]) -> Result<usize> {
        if self.proposed.x == x {
            std::mem::swap(&mut self.present, &mut self.proposed);
        }
        if self.present.x != x {
            self.present = Distinct::of(self.operator, x.to_vec())?;
        }
        Ok(self.present.states.len())
    }

    fn select(&mut self, x: &[i8], number: usize, changes: &mut Vec<(usize, i8)>) -> Result<()> {
        let states = &self.present.states;
        let state = states.get(number).ok_or_else(|| beyond(states.len(), number))?;
        changes.extend(differences(x, state));
        Ok(())
    }

    fn propose(&mut self, changes: &[(usize, i8)]) -> Result<usize> {
        let mut x = self.present.x.clone();
        apply(changes.iter().copied(), &mut x);
        self.proposed = Distinct::of(self.operator, x)?;
        Ok(self.proposed.states.len())
    }
}

/// Whether a custom operator stays in its space.
fn check_stays<O: VisitConn>(operator: &O, state: &[i8]) -> Result<()> {
    operator.hilbert().check_row(0, state).map_err(|error| Error::Custom {
        operator: operator.describe(),
        reason: format!("it leaves its space ({error})"),
    })
}

/// Custom kernels may take any time for an element.
fn chains_per_job<O: VisitConn>(operator: &O) -> usize {
    match operator.definition() {
        Some(_) => (ELEMENTS_PER_JOB / operator.max_conn_size().max(1)).max(1),
        None => 1,
    }
}

const CONTIGUOUS: &str = "`rows` made the batch contiguous";

/// A batch with contiguous rows.
fn rows(x: &Array2<i8>) -> ndarray::CowArray<'_, i8, ndarray::Ix2> {
    let x: ArrayView2<'_, i8> = x.view();
    if x.is_standard_layout() { x.into() } else { x.as_standard_layout().into_owned().into() }
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
