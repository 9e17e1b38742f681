//! Moves of operators of the flat backend, chain by chain over threads.

use backend_flat::{Flat, VisitConn, Visitor};
use ndarray::Array2;
use operator_core::{Element, Error, MergedRow, Result};
use rayon::prelude::*;

use super::moves::beyond;
use super::{Connections, HamiltonianBackend};
use crate::changes::{apply, differences};

/// The fewest connected elements of a job. For fewer, waking a thread takes longer than visiting them.
const ELEMENTS_PER_JOB: usize = 8192;

/// Chains are spread over threads. Connected states are visited one by one, and only the chosen x' is written.
impl<O: VisitConn> HamiltonianBackend<O> for Flat {
    fn n_off_diagonal(operator: &O, x: &Array2<i8>) -> Result<Vec<usize>> {
        let x = operator.hilbert().check_rows(x.view())?;
        let rows = x.data().par_chunks(x.n_sites());
        rows.with_min_len(chains_per_job(operator))
            .map_init(|| Visited::new(operator), |visited, x| visited.n_off_diagonal(x))
            .collect()
    }

    fn select_off_diagonal(operator: &O, x: &Array2<i8>, numbers: &[usize]) -> Result<Array2<i8>> {
        if numbers.len() != x.nrows() {
            return Err(count("numbers of connected states", numbers.len(), x.nrows()));
        }
        operator.hilbert().check(x.view())?;
        let mut chosen = x.as_standard_layout().into_owned();
        let n_sites = chosen.ncols();
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
                let (visitor, row) = (operator.visitor(), MergedRow::new());
                let (present, proposed) = (Distinct::default(), Distinct::default());
                Box::new(Listed { operator, visitor, row, present, proposed })
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

/// The states connected to the rows of a batch. A custom kernel may emit one x' more than once, so its distinct x'
/// are collected.
struct Visited<'a, O: VisitConn> {
    operator: &'a O,
    is_custom: bool,
    visitor: Visitor<'a, O::Element>,
    row: MergedRow<O::Element>,
}

impl<'a, O: VisitConn> Visited<'a, O> {
    fn new(operator: &'a O) -> Self {
        let is_custom = operator.definition().is_none();
        Visited { operator, is_custom, visitor: operator.visitor(), row: MergedRow::new() }
    }

    fn n_off_diagonal(&mut self, x: &[i8]) -> Result<usize> {
        if self.is_custom {
            merge(&mut self.visitor, x, &mut self.row)?;
            return Ok(off_diagonal(&self.row).count());
        }
        let mut n = 0;
        self.visitor.visit(x, |connected, _| {
            n += usize::from(!connected.is_diagonal());
        })?;
        Ok(n)
    }

    fn select_off_diagonal(&mut self, x: &[i8], number: usize, changes: &mut Vec<(usize, i8)>) -> Result<()> {
        if self.is_custom {
            merge(&mut self.visitor, x, &mut self.row)?;
            let place = off_diagonal(&self.row).nth(number);
            let place = place.ok_or_else(|| beyond(off_diagonal(&self.row).count(), number))?;
            let state = self.row.state(place);
            check_stays(self.operator, state)?;
            changes.extend(differences(x, state));
            return Ok(());
        }
        let mut n = 0;
        self.visitor.visit(x, |connected, _| {
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

/// The distinct x' of a custom kernel, collected once for each x.
struct Listed<'a, O: VisitConn> {
    operator: &'a O,
    visitor: Visitor<'a, O::Element>,
    row: MergedRow<O::Element>,
    present: Distinct,
    proposed: Distinct,
}

#[derive(Default)]
struct Distinct {
    x: Vec<i8>,
    states: Vec<Vec<i8>>,
}

impl<O: VisitConn> Listed<'_, O> {
    fn distinct(&mut self, x: Vec<i8>) -> Result<Distinct> {
        merge(&mut self.visitor, &x, &mut self.row)?;
        let states: Vec<Vec<i8>> =
            off_diagonal(&self.row).map(|place| self.row.state(place).to_vec()).collect();
        states.iter().try_for_each(|state| check_stays(self.operator, state))?;
        Ok(Distinct { x, states })
    }
}

impl<O: VisitConn> Connections for Listed<'_, O> {
    fn go_to(&mut self, x: &[i8]) -> Result<usize> {
        if self.proposed.x == x {
            std::mem::swap(&mut self.present, &mut self.proposed);
        }
        if self.present.x != x {
            self.present = self.distinct(x.to_vec())?;
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
        self.proposed = self.distinct(x)?;
        Ok(self.proposed.states.len())
    }
}

/// Checks that a custom operator stays in its space.
fn check_stays<O: VisitConn>(operator: &O, state: &[i8]) -> Result<()> {
    operator.hilbert().check_row(0, state).map_err(|error| Error::leaves_space(operator.describe(), &error))
}

/// A custom kernel may need any time for an element, so each of its chains is a job.
fn chains_per_job<O: VisitConn>(operator: &O) -> usize {
    match operator.definition() {
        Some(_) => (ELEMENTS_PER_JOB / operator.max_conn_size().max(1)).max(1),
        None => 1,
    }
}

const CONTIGUOUS: &str = "an array in standard layout is contiguous";

/// Merges the elements of a custom kernel at x.
fn merge<T: Element>(visitor: &mut Visitor<'_, T>, x: &[i8], row: &mut MergedRow<T>) -> Result<()> {
    row.start(x);
    visitor.visit(x, |connected, mel| {
        row.add_connected(connected, mel);
    })
}

/// The places of the distinct x' ≠ x whose elements add up to non-zero, in the order of their first emission.
fn off_diagonal<T: Element>(row: &MergedRow<T>) -> impl Iterator<Item = usize> + '_ {
    row.kept().filter(|&place| row.state(place) != row.x())
}

fn count(what: &str, got: usize, expected: usize) -> Error {
    Error::Count { what: what.into(), got, expected: expected.to_string() }
}
