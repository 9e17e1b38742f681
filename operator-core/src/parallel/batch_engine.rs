//! An engine with the memory that its batches use.

use std::ops::Range;
use std::sync::Arc;

use super::finder::{Finder, Finders, Slots};
use crate::conn::{ConnBatch, PackedConn};
use crate::element::Element;
use crate::error::Result;
use crate::hilbert::HilbertSpace;
use crate::host_rows::HostRows;
use crate::kernel::Engine;

/// An engine that connects batches on all threads.
///
/// Clones share the engine and the memory of finders that are not in use.
#[derive(Clone, Debug)]
pub struct BatchEngine<T> {
    engine: Engine<T>,
    finders: Arc<Finders<T>>,
}

impl<T: Element> BatchEngine<T> {
    /// Batches of an engine.
    pub fn new(engine: Engine<T>) -> Self {
        BatchEngine { engine, finders: Arc::default() }
    }

    /// The engine.
    pub fn engine(&self) -> &Engine<T> {
        &self.engine
    }

    /// Fills a buffer with the elements of each sample.
    ///
    /// # Errors
    /// [`Error::TooLarge`](crate::Error::TooLarge).
    pub fn connect_into(&self, rows: &HostRows<'_>, conn: &mut ConnBatch<T>) -> Result<()> {
        self.finders.with(|finder| {
            finder.find(&self.engine, rows);
            finder.write_into(&self.engine, rows, rows.n_sites(), conn, Engine::write)
        })
    }

    /// The same with packed states. Sites have two local states.
    ///
    /// # Errors
    /// [`Error::TooLarge`](crate::Error::TooLarge).
    pub fn connect_packed_into(&self, rows: &HostRows<'_>, conn: &mut PackedConn<T>) -> Result<()> {
        let n_words = rows.n_sites().div_ceil(64);
        self.finders.with(|finder| {
            finder.find(&self.engine, rows);
            finder.write_into(&self.engine, rows, n_words, conn, |engine, _, found, states, mels| {
                engine.write_packed(found, states, mels);
            })
        })
    }

    /// The same for states given by number, with the numbers of connected states. Sites have two local states.
    ///
    /// # Errors
    /// As [`DiscreteOperator::get_conn_indices_into`](crate::DiscreteOperator::get_conn_indices_into).
    pub fn connect_indices_into(
        &self,
        hilbert: &HilbertSpace,
        states: Range<usize>,
        conn: &mut ConnBatch<T, usize>,
    ) -> Result<()> {
        let (ranking, x) = (hilbert.packed_ranking()?, hilbert.states_in(states)?);
        let rows = HostRows::of_states(x.view());
        self.finders.with(|finder| {
            finder.find(&self.engine, &rows);
            finder.write_into(
                &self.engine,
                &rows,
                1,
                conn,
                |engine, _, found, indices: &mut [usize], mels| {
                    engine.write_indices(found, ranking, indices, mels);
                },
            )
        })
    }

    /// Writes the elements of each sample to its slots.
    ///
    /// # Panics
    /// If slices have other lengths than [`Slots`] says, or a sample has more elements than slots.
    pub fn write_items(&self, rows: &HostRows<'_>, slots: Slots<'_, T::Real>) {
        self.finders.with(|finder| finder.write_items(&self.engine, rows, slots));
    }

    /// Number of elements of each sample.
    pub fn n_conn(&self, rows: &HostRows<'_>) -> Vec<usize> {
        // Not one of the kept finders: a whole batch may need much memory, which should not stay.
        let mut finder = Finder::default();
        finder.find(&self.engine, rows);
        finder.into_counts()
    }
}
