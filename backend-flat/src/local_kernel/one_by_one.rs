//! Samples that are visited one after another, for operators without an engine.

use std::ops::Range;

use operator_core::parallel::{Consumer, Walk};
use operator_core::{Error, HostRows, Result};

use crate::VisitConn;

/// Passes the elements of one sample after another to a walk. The operator may be a custom kernel.
pub(crate) fn one_by_one<O, C>(
    walk: &mut Walk<'_, C>,
    operator: &O,
    samples: Range<usize>,
    rows: &HostRows<'_>,
) -> Result<()>
where
    O: VisitConn + ?Sized,
    C: Consumer<O::Element>,
{
    let is_custom = operator.definition().is_none();
    let (mut visitor, mut changes) = (operator.visitor(), Vec::new());
    let mut checked = Vec::new();
    for sample in samples {
        let x = rows.row(sample);
        walk.start(sample, x)?;
        visitor.visit(x, |connected, mel| {
            changes.clear();
            // A custom kernel may pass on a site that keeps its value, or leave the space.
            changes.extend(connected.changes(x).filter(|&(site, value)| x[site] != value));
            if is_custom && let Err(error) = check_changed(operator, x, &changes, &mut checked) {
                walk.fail(error);
            } else {
                walk.add(changes.iter().copied(), connected, mel);
            }
        })?;
        walk.finish::<O::Element>()?;
    }
    Ok(())
}

/// Whether a custom operator stays in its space; `state` is a buffer.
fn check_changed<O: VisitConn + ?Sized>(
    operator: &O,
    x: &[i8],
    changes: &[(usize, i8)],
    state: &mut Vec<i8>,
) -> Result<()> {
    state.clear();
    state.extend_from_slice(x);
    changes.iter().for_each(|&(site, value)| state[site] = value);
    operator.hilbert().check_row(0, state).map_err(|error| Error::leaves_space(operator.describe(), &error))
}
