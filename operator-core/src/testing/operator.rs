//! The promises of every operator.

use std::collections::HashSet;

use ndarray::{Array1, Array2, ArrayView2, Axis, s};
use num_complex::Complex64;
use num_traits::Zero;

use super::{Checked, SplitMix, close, ensure, test_samples, within};
use crate::conn::ConnBatch;
use crate::element::Element;
use crate::error::Error;
use crate::hilbert::HilbertSpace;
use crate::operator::DiscreteOperator;

/// Matrices are compared on spaces of at most this many states.
const DENSE_STATES: usize = 1024;

/// Checks everything that [`DiscreteOperator`] promises.
///
/// - The diagonal comes first, each x' comes once, and every x' is a state of the space.
/// - Padded and flattened elements agree. Unused slots hold the sample and 0, after the used ones.
/// - The numbers of elements agree and do not exceed `max_conn_size`.
/// - Batches, single samples, views of any layout and used buffers give the same results.
/// - On small spaces, sparse and dense matrices and `apply` agree. Without a constraint, `is_hermitian` agrees
///   with them too.
/// - Bad samples are errors.
///
/// # Errors
/// The first promise that is broken.
pub fn check_operator<O: DiscreteOperator>(operator: &O) -> Checked {
    check(operator, false)
}

/// Checks an operator with its own kernel like [`check_operator`], but less strictly: an x' may come more than
/// once, the diagonal may come anywhere, and padding may stop at the batch's largest number of elements.
///
/// # Errors
/// The first promise that is broken.
pub fn check_custom_operator<O: DiscreteOperator>(operator: &O) -> Checked {
    check(operator, true)
}

fn check<O: DiscreteOperator>(operator: &O, custom: bool) -> Checked {
    let x = within("samples", test_samples(operator.hilbert()))?;
    let x = x.view();
    let conn = within("get_conn_flattened", operator.get_conn_flattened(x))?;
    within("flattened", flattened(operator, x, &conn, custom))?;
    within("padded", padded(operator, x, &conn, custom))?;
    within("single samples", single_samples(operator, x, &conn))?;
    within("other layouts", layouts(operator, x, &conn))?;
    within("bad samples", bad_samples(operator, x))?;
    match operator.hilbert().n_states() {
        Ok(n_states) if n_states <= DENSE_STATES => within("matrices", matrices(operator, &conn)),
        _ => Ok(()),
    }
}

fn flattened<O: DiscreteOperator>(
    operator: &O,
    x: ArrayView2<'_, i8>,
    conn: &ConnBatch<O::Element>,
    custom: bool,
) -> Checked {
    ensure!(conn.n_samples() == x.nrows(), "{} samples of {} came back", conn.n_samples(), x.nrows());
    ensure!(conn.offsets().first() == Some(&0), "the first offset is not 0");
    ensure!(conn.offsets().is_sorted(), "the offsets decrease");
    ensure!(conn.offsets().last() == Some(&conn.total()), "the last offset is not the total");
    within("x'", operator.hilbert().check(conn.states()))?;
    let n_conn = within("n_conn", operator.n_conn(x))?;
    let max_conn_size = operator.max_conn_size();
    for (b, (sample, (states, mels))) in x.rows().into_iter().zip(conn.samples()).enumerate() {
        let (got, expected) = (n_conn[b], mels.len());
        ensure!(got == expected, "n_conn of {sample} is {got}; it has {expected} elements");
        ensure!(got <= max_conn_size, "{sample} has {got} elements; max_conn_size is {max_conn_size}");
        ensure!(!mels.iter().any(|mel| mel.is_zero()), "{sample} has an element 0");
        if custom {
            continue;
        }
        let diagonal = states.rows().into_iter().position(|state| state == sample);
        ensure!(diagonal.is_none_or(|k| k == 0), "the diagonal element of {sample} is not the first");
        let distinct: HashSet<Vec<i8>> = states.rows().into_iter().map(|state| state.to_vec()).collect();
        ensure!(distinct.len() == mels.len(), "{sample} is connected to one x' more than once");
    }
    Ok(())
}

fn padded<O: DiscreteOperator>(
    operator: &O,
    x: ArrayView2<'_, i8>,
    conn: &ConnBatch<O::Element>,
    custom: bool,
) -> Checked {
    let padded = within("get_conn_padded", operator.get_conn_padded(x))?;
    let n_sites = operator.hilbert().n_sites();
    let size = if custom { padded.mels().ncols() } else { operator.max_conn_size() };
    let (states, elements) = (padded.states(), padded.mels());
    let shape = states.dim();
    ensure!(shape == (x.nrows(), size, n_sites), "the states' shape is {shape:?}");
    ensure!(padded.mels().dim() == (x.nrows(), size), "the elements' shape is {:?}", padded.mels().dim());
    for (b, sample) in x.rows().into_iter().enumerate() {
        let mels = elements.row(b);
        let used = mels.iter().position(|mel| mel.is_zero()).unwrap_or(size);
        ensure!(
            mels.iter().skip(used).all(|mel| mel.is_zero()),
            "{sample} has elements after an unused slot"
        );
        let unused = states.slice(s![b, used.., ..]);
        ensure!(unused.rows().into_iter().all(|row| row == sample), "{sample} has an unused slot without it");
    }
    let unpadded = padded.to_flattened().map_err(|error| error.to_string())?;
    same(&unpadded, conn, x.nrows())
}

fn same<T: Element>(got: &ConnBatch<T>, expected: &ConnBatch<T>, n_samples: usize) -> Checked {
    ensure!(got.offsets() == expected.offsets(), "the numbers of elements differ");
    ensure!(got.n_samples() == n_samples, "{n_samples} samples are answered with {}", got.n_samples());
    for (b, (one, other)) in got.samples().zip(expected.samples()).enumerate() {
        let ((states, mels), (expected_states, expected_mels)) = (one, other);
        ensure!(states == expected_states, "sample {b} has other x': {states} and {expected_states}");
        let equal =
            mels.iter().zip(expected_mels).all(|(a, b)| close::<T>(a.to_complex(), b.to_complex(), 1.0));
        ensure!(equal, "sample {b} has other elements: {mels} and {expected_mels}");
    }
    Ok(())
}

fn single_samples<O: DiscreteOperator>(
    operator: &O,
    x: ArrayView2<'_, i8>,
    conn: &ConnBatch<O::Element>,
) -> Checked {
    let stride = x.nrows().div_ceil(16).max(1);
    for b in (0..x.nrows()).step_by(stride) {
        let (states, mels) = within("get_conn", operator.get_conn(x.row(b)))?;
        let equal = conn.sample(b).is_some_and(|(others, elements)| states == others && mels == elements);
        ensure!(equal, "{} has other elements", x.row(b));
    }
    Ok(())
}

fn layouts<O: DiscreteOperator>(
    operator: &O,
    x: ArrayView2<'_, i8>,
    conn: &ConnBatch<O::Element>,
) -> Checked {
    let n = x.nrows();
    let by_columns = x.t().as_standard_layout().into_owned();
    let mut used = within("columns", operator.get_conn_flattened(by_columns.t()))?;
    within("columns", same(&used, conn, n))?;
    let backwards = x.slice(s![..;-1, ..]);
    within("backwards", operator.get_conn_flattened_into(backwards, &mut used))?;
    for b in 0..n {
        ensure!(
            used.sample(b) == conn.sample(n - 1 - b),
            "backwards: {} has other elements",
            x.row(n - 1 - b)
        );
    }
    within("used buffer", operator.get_conn_flattened_into(x, &mut used))?;
    within("used buffer", same(&used, conn, n))?;
    let empty = within("no samples", operator.get_conn_flattened(x.slice(s![..0, ..])))?;
    ensure!(empty.n_samples() == 0 && empty.total() == 0, "no samples: there are elements");
    let padded = within("no samples", operator.get_conn_padded(x.slice(s![..0, ..])))?;
    ensure!(padded.mels().is_empty(), "no samples: there are padded elements");
    Ok(())
}

fn bad_samples<O: DiscreteOperator>(operator: &O, x: ArrayView2<'_, i8>) -> Checked {
    let hilbert = operator.hilbert();
    let n_sites = hilbert.n_sites();
    if x.nrows() == 0 {
        return Ok(());
    }
    for width in [n_sites - 1, n_sites + 1] {
        let mut bad = Array2::from_elem((1, width), hilbert.local(0).value(0));
        bad.slice_mut(s![0, ..width.min(n_sites)]).assign(&x.slice(s![0, ..width.min(n_sites)]));
        let refused = |error: &Error| matches!(error, Error::SampleWidth { .. });
        all_refuse(operator, bad.view(), "a sample of the wrong width", &refused)?;
    }
    for site in [0, n_sites - 1] {
        let Some(foreign) = (i8::MIN..=i8::MAX).find(|&q| hilbert.local(site).index(q).is_none()) else {
            continue;
        };
        let mut bad = x.slice(s![..x.nrows().min(3), ..]).to_owned();
        let last = bad.nrows() - 1;
        bad[[last, site]] = foreign;
        let refused = |error: &Error| matches!(error, Error::NotALocalState { .. });
        all_refuse(operator, bad.view(), "a value that is no local state", &refused)?;
    }
    let Some(bad) = outside_constraint(hilbert, x) else { return Ok(()) };
    let refused = |error: &Error| matches!(error, Error::OutsideConstraint { .. });
    all_refuse(operator, bad.view(), "a sample outside the constraint", &refused)
}

/// A sample with one quantum number changed, in a block whose sum is fixed.
fn outside_constraint(hilbert: &HilbertSpace, x: ArrayView2<'_, i8>) -> Option<Array2<i8>> {
    let block = hilbert.blocks().iter().find(|block| block.total.is_some() && block.n_sites > 0)?;
    let mut bad = x.slice(s![..1, ..]).to_owned();
    let other = block.local.iter().find(|&q| q != bad[[0, block.start]])?;
    bad[[0, block.start]] = other;
    Some(bad)
}

fn all_refuse<O: DiscreteOperator>(
    operator: &O,
    bad: ArrayView2<'_, i8>,
    what: &str,
    refused: &dyn Fn(&Error) -> bool,
) -> Checked {
    let mut answers = vec![
        ("get_conn_flattened", operator.get_conn_flattened(bad).err()),
        ("get_conn_padded", operator.get_conn_padded(bad).err()),
        ("n_conn", operator.n_conn(bad).err()),
    ];
    if bad.nrows() == 1 {
        answers.push(("get_conn", operator.get_conn(bad.index_axis(Axis(0), 0)).err()));
    }
    for (method, answer) in answers {
        match answer {
            Some(error) if refused(&error) => {}
            Some(error) => return Err(format!("{method} answers {what} by another error: {error}")),
            None => return Err(format!("{method} takes {what}")),
        }
    }
    Ok(())
}

fn matrices<O: DiscreteOperator>(operator: &O, conn: &ConnBatch<O::Element>) -> Checked {
    let hilbert = operator.hilbert();
    let n_states = within("n_states", hilbert.n_states())?;
    let dense = within("to_dense", operator.to_dense())?;
    ensure!(dense.dim() == (n_states, n_states), "to_dense: the shape is {:?}", dense.dim());
    let mut rows = Array2::<O::Element>::zeros((n_states, n_states));
    for (b, (states, mels)) in conn.samples().enumerate() {
        let columns = within("states_to_indices", hilbert.states_to_indices(states))?;
        columns.iter().zip(mels).for_each(|(&column, &mel)| rows[[b, column]] += mel);
    }
    let scale = dense.iter().map(|mel| mel.to_complex().norm()).fold(0.0, f64::max);
    all_close("to_dense and get_conn_flattened", &dense, &rows, scale)?;
    let sparse = within("to_sparse", operator.to_sparse())?;
    ensure!(sparse.shape() == (n_states, n_states), "to_sparse: the shape is {:?}", sparse.shape());
    let mut from_sparse = Array2::<O::Element>::zeros((n_states, n_states));
    sparse.iter().for_each(|(&mel, (row, column))| from_sparse[[row, column]] += mel);
    all_close("to_dense and to_sparse", &dense, &from_sparse, scale)?;
    apply(operator, &dense, scale)?;
    let hermitian = dense
        .indexed_iter()
        .all(|((r, c), mel)| close::<O::Element>(mel.to_complex(), dense[[c, r]].to_complex().conj(), scale));
    let flag = operator.is_hermitian();
    // On a constrained space the flag still refers to the space without the constraint, so it may only be
    // stricter.
    let agrees = if hilbert.is_constrained() { hermitian || !flag } else { hermitian == flag };
    ensure!(agrees, "is_hermitian is {flag}; the matrix says {hermitian}");
    Ok(())
}

fn all_close<T: Element>(names: &str, a: &Array2<T>, b: &Array2<T>, scale: f64) -> Checked {
    match a.indexed_iter().find(|(at, mel)| !close::<T>(mel.to_complex(), b[*at].to_complex(), scale)) {
        Some((at, mel)) => Err(format!("{names} differ at {at:?}: {mel} and {}", b[at])),
        None => Ok(()),
    }
}

fn apply<O: DiscreteOperator>(operator: &O, dense: &Array2<O::Element>, scale: f64) -> Checked {
    let mut rng = SplitMix::new(3);
    let n_states = dense.nrows();
    let v: Array1<O::Element> =
        (0..n_states).map(|_| O::Element::from_complex(Complex64::new(rng.number(), rng.number()))).collect();
    let applied = within("apply", operator.apply(v.view()))?;
    ensure!(applied.len() == n_states, "apply: {} values of {n_states}", applied.len());
    for (row, got) in applied.iter().enumerate() {
        let expected: Complex64 =
            dense.row(row).iter().zip(&v).map(|(a, b)| a.to_complex() * b.to_complex()).sum();
        let same = close::<O::Element>(got.to_complex(), expected, scale * n_states as f64);
        ensure!(same, "apply: row {row} is {got}; the matrix gives {expected}");
    }
    let long = Array1::zeros(n_states + 1);
    let refused = matches!(operator.apply(long.view()), Err(Error::VectorLength { .. }));
    ensure!(refused, "apply takes a vector that is too long");
    Ok(())
}
