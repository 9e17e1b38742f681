//! The matrix on all states of a space, and its product with a vector.

use std::hint::black_box;

use backend_flat::Flat;
use backend_padded::Padded;
use ndarray::Array1;
use operator_core::DiscreteOperator;
use operator_core::testing::SplitMix;
use serde_json::json;

use super::{PeerItem, SEED, Work, side_by_side};
use crate::compare::{Contender, Place, Placed, Places, Result, Unit};
use crate::systems::System;

/// Construction of the matrix in compressed rows.
pub(super) fn to_sparse(system: System) -> Work {
    let item = json!({"what": "quspin_sparse", "n": system.definition.hilbert().n_sites()});
    let peers = vec![PeerItem::new("QuSpin", item)];
    let prepare =
        |system: &System, places: &Places| side_by_side(system, places, sparse::<Flat>, sparse::<Padded>);
    Work { what: "to_sparse", system, unit: Unit::Element, peers, prepare }
}

/// The product with a vector, without the matrix.
pub(super) fn apply(system: System) -> Work {
    let item = |matrix_free: bool| {
        let n = system.definition.hilbert().n_sites();
        json!({"what": "quspin_apply", "n": n, "matrix_free": matrix_free})
    };
    // The first one does less, so it is not one of two ways.
    let peers = vec![
        PeerItem::new("QuSpin, stored matrix", item(false)),
        PeerItem::new("QuSpin, without matrix", item(true)),
    ];
    let prepare =
        |system: &System, places: &Places| side_by_side(system, places, product::<Flat>, product::<Padded>);
    Work { what: "apply", system, unit: Unit::Element, peers, prepare }
}

fn sparse<B: Placed>(system: &System, place: &Place) -> Result<Contender> {
    let operator = system.definition.lower_on::<B, f64>(&B::device(place))?;
    let n_elements = n_elements(system)?;
    let bytes = n_elements * (size_of::<usize>() + size_of::<f64>())
        + (system.definition.hilbert().n_states()? + 1) * size_of::<usize>();
    let run = move || {
        black_box(operator.to_sparse()?);
        Ok(())
    };
    Ok(Contender::new("to_sparse", B::NAME, place, run)?.with_count(n_elements).with_bytes(bytes))
}

fn product<B: Placed>(system: &System, place: &Place) -> Result<Contender> {
    let operator = system.definition.lower_on::<B, f64>(&B::device(place))?;
    let mut numbers = SplitMix::new(SEED);
    let vector = Array1::from_shape_simple_fn(operator.hilbert().n_states()?, || numbers.number());
    let run = move || {
        black_box(operator.apply(vector.view())?);
        Ok(())
    };
    Ok(Contender::new("apply", B::NAME, place, run)?.with_count(n_elements(system)?))
}

/// Number of non-zero elements of the matrix.
fn n_elements(system: &System) -> Result<usize> {
    Ok(system.definition.lower::<Flat>()?.to_sparse()?.nnz())
}
