//! All connected elements of a batch.

use std::hint::black_box;

use backend_flat::{Flat, FlatOperator, VisitConn};
use backend_padded::candle_core::{DType, Tensor};
use backend_padded::{Padded, PaddedOperator, TensorConn, failed};
use ndarray::Array2;
use num_complex::Complex64;
use operator_core::Connected;
use operator_core::{Backend, ConnBatch, DiscreteOperator, Element};
use serde_json::json;

use super::{PeerItem, Work};
use crate::compare::{Contender, Place, Placed, Places, Result, Unit};
use crate::systems::System;

pub(super) fn elements(system: System) -> Work {
    let batch = system.size.n_samples();
    let item = |kind| json!({"what": "conn", "system": system.name, "kind": kind, "batch": batch});
    let peers = vec![
        PeerItem::new("NetKet numba", item("numba")).with_way("flattened"),
        PeerItem::new("NetKet JAX", item("jax")).with_way("padded"),
    ];
    Work { what: "conn", system, unit: Unit::Element, peers, prepare }
}

fn prepare(system: &System, places: &Places) -> Result<Vec<Contender>> {
    if system.definition.is_real() {
        contenders::<f64>(system, places)
    } else {
        contenders::<Complex64>(system, places)
    }
}

/// Compact forms side by side, then rows of a byte a site, then forms that write no states.
fn contenders<T: Element>(system: &System, places: &Places) -> Result<Vec<Contender>> {
    let x = system.samples(system.size.n_samples())?;
    let flat = system.definition.lower_as::<Flat, T>()?;
    let total = flat.n_conn(x.view())?.sum();
    let mut contenders = Vec::new();
    if system.definition.hilbert().is_two_level() {
        for place in Flat::places(places) {
            contenders.push(packed(&flat, &x, place)?);
        }
    }
    for place in Padded::places(places) {
        contenders.push(compact::<T>(system, &x, place)?);
    }
    for place in Flat::places(places) {
        contenders.push(flattened(&flat, &x, place)?);
    }
    for place in Padded::places(places) {
        contenders.push(rows::<T>(system, &x, place)?);
    }
    for place in Flat::places(places) {
        contenders.push(counted(&flat, &x, place)?);
    }
    // These visit one sample after another, so threads are the caller's business.
    contenders.push(visited(&flat, &x)?);
    contenders.push(visited_one_by_one(&flat, &x)?);
    Ok(contenders.into_iter().map(|contender| contender.with_count(total)).collect())
}

/// Into a reused buffer.
fn flattened<T: Element>(operator: &FlatOperator<T>, x: &Array2<i8>, place: &Place) -> Result<Contender> {
    let (operator, x, mut conn) = (operator.clone(), x.clone(), ConnBatch::new());
    operator.get_conn_flattened_into(x.view(), &mut conn)?;
    let element = x.ncols() + size_of::<T>();
    let bytes = conn.total() * element + size_of_val(conn.offsets());
    let run = move || Ok(operator.get_conn_flattened_into(x.view(), &mut conn)?);
    Ok(Contender::new("conn flattened", Flat::NAME, place, run)?.with_bytes(bytes))
}

/// States as bits, into a reused buffer.
fn packed<T: Element>(operator: &FlatOperator<T>, x: &Array2<i8>, place: &Place) -> Result<Contender> {
    let (operator, x, mut conn) = (operator.clone(), x.clone(), operator.get_conn_packed(x.view())?);
    let element = conn.states().ncols() * size_of::<u64>() + size_of::<T>();
    let bytes = conn.total() * element + size_of_val(conn.offsets());
    let run = move || Ok(operator.get_conn_packed_into(x.view(), &mut conn)?);
    Ok(Contender::new("conn packed", Flat::NAME, place, run)?.with_bytes(bytes))
}

/// Finds and counts elements without writing them.
fn counted<T: Element>(operator: &FlatOperator<T>, x: &Array2<i8>, place: &Place) -> Result<Contender> {
    let (operator, x) = (operator.clone(), x.clone());
    let run = move || {
        black_box(operator.n_conn(x.view())?);
        Ok(())
    };
    Contender::new("conn counted", Flat::NAME, place, run)
}

/// Stores nothing. Adds up the elements and the sites they change, so that none can be optimised away.
fn visited<T: Element>(operator: &FlatOperator<T>, x: &Array2<i8>) -> Result<Contender> {
    let (operator, x) = (operator.clone(), x.clone());
    let run = move || {
        let mut sums = Sums::default();
        operator.visit_conn_batch(x.view(), |_, connected, mel| sums.add(connected, mel))?;
        black_box(sums);
        Ok(())
    };
    Contender::new("conn streaming", Flat::NAME, &Place::host(1), run)
}

/// The same, one sample at a time.
fn visited_one_by_one<T: Element>(operator: &FlatOperator<T>, x: &Array2<i8>) -> Result<Contender> {
    let (operator, x) = (operator.clone(), x.clone());
    let run = move || {
        let (mut sums, mut visitor) = (Sums::default(), operator.visitor());
        for row in x.rows() {
            let row = row.as_slice().expect("rows of an owned array in standard layout are contiguous");
            visitor.visit(row, |connected, mel| sums.add(connected, mel))?;
        }
        black_box(sums);
        Ok(())
    };
    Contender::new("conn visited one by one", Flat::NAME, &Place::host(1), run)
}

/// The sums of a visitor. There are several, so that the time is not that of additions waiting for each other.
#[derive(Default)]
struct Sums<T> {
    mels: [T; 8],
    n_changed: usize,
}

impl<T: Element> Sums<T> {
    #[inline(always)]
    fn add(&mut self, connected: Connected<'_>, mel: T) {
        self.n_changed += 1 + connected.sites().len();
        self.mels[self.n_changed % 8] += mel;
    }
}

/// Tensors of static shape, into those of the last run: a number and an element for each slot.
fn compact<T: Element>(system: &System, x: &Array2<i8>, place: &Place) -> Result<Contender> {
    let (operator, x) = on_device::<T>(system, x, place)?;
    let slot = size_of::<u32>() + size_of::<T>();
    let bytes = Padded::batch_len(&x) * (operator.max_conn_size() * slot + size_of::<u32>());
    let mut conn = operator.conn(&x)?;
    let run = move || Ok(operator.conn_into(&x, &mut conn)?);
    Ok(Contender::new("conn compact", Padded::NAME, place, run)?.with_bytes(bytes))
}

/// The same, and states as rows of local indices, a byte a site as NetKet's, all in the tensors of the last run.
fn rows<T: Element>(system: &System, x: &Array2<i8>, place: &Place) -> Result<Contender> {
    let n_sites = x.ncols();
    let (operator, x) = on_device::<T>(system, x, place)?;
    let n_slots = Padded::batch_len(&x) * operator.max_conn_size();
    let bytes = n_slots * (n_sites + size_of::<u32>() + size_of::<T>());
    let mut conn = operator.conn(&x)?;
    let mut states = conn.states(DType::U8).map_err(failed)?;
    let run = move || {
        operator.conn_into(&x, &mut conn)?;
        Ok(conn.states_into(&mut states).map_err(failed)?)
    };
    Ok(Contender::new("conn rows in u8", Padded::NAME, place, run)?.with_bytes(bytes))
}

/// An operator and its samples where the tensors of a place are.
fn on_device<T: Element>(
    system: &System,
    x: &Array2<i8>,
    place: &Place,
) -> Result<(PaddedOperator<T>, Tensor)> {
    let device = Padded::device(place);
    let operator = system.definition.lower_on::<Padded, T>(&device)?;
    Ok((operator, Padded::from_host(x.view(), &device)?))
}
