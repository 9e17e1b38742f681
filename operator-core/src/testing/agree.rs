//! Compares two operators.

use ndarray::{ArrayView1, ArrayView2};
use num_complex::Complex64;

use super::{Checked, close, ensure, test_samples, within};
use crate::conn::ConnBatch;
use crate::element::Element;
use crate::merged_row::MergedRow;
use crate::operator::DiscreteOperator;

/// Compares two operators element by element; they may have different backends or element types.
///
/// They must live on the same space, agree on Hermiticity, and connect the same states by elements that are
/// equal up to rounding. The order of a sample's elements may differ.
///
/// # Errors
/// The first difference.
pub fn check_agree<A: DiscreteOperator, B: DiscreteOperator>(a: &A, b: &B) -> Checked {
    ensure!(a.hilbert() == b.hilbert(), "the spaces differ: {} and {}", a.hilbert(), b.hilbert());
    let (left, right) = (a.is_hermitian(), b.is_hermitian());
    ensure!(left == right, "is_hermitian differs: {left} and {right}");
    let x = within("samples", test_samples(a.hilbert()))?;
    let left = within("first operator", a.get_conn_flattened(x.view()))?;
    let right = within("second operator", b.get_conn_flattened(x.view()))?;
    match size_of::<<A::Element as Element>::Real>() {
        4 => compare::<A::Element, _, _>(x.view(), &left, &right),
        _ => compare::<B::Element, _, _>(x.view(), &left, &right),
    }
}

/// Compares in the precision of `T`.
fn compare<T: Element, A: Element, B: Element>(
    x: ArrayView2<'_, i8>,
    left: &ConnBatch<A>,
    right: &ConnBatch<B>,
) -> Checked {
    let (mut one, mut other) = (MergedRow::new(), MergedRow::new());
    let (n_left, n_right, n) = (left.n_samples(), right.n_samples(), x.nrows());
    ensure!(n_left == n && n_right == n, "{n} samples are answered with {n_left} and {n_right}");
    let answers = left.samples().zip(right.samples());
    for (sample, (of_left, of_right)) in x.rows().into_iter().zip(answers) {
        merge(sample, of_left, &mut one);
        merge(sample, of_right, &mut other);
        let sums =
            |row: &MergedRow<Complex64>| (0..row.len()).map(|place| row.sum(place).norm()).sum::<f64>();
        let scale = sums(&one) + sums(&other);
        for place in 0..one.len() {
            let (state, one) = (one.state(place), one.sum(place));
            let other = other.sum_to(state);
            let same = close::<T>(one, other, scale);
            ensure!(same, "sample {sample} to {state:?}: the elements are {one} and {other}");
        }
        for place in 0..other.len() {
            let (state, other) = (other.state(place), other.sum(place));
            let one = one.sum_to(state);
            let same = close::<T>(one, other, scale);
            ensure!(same, "sample {sample} to {state:?}: the elements are {one} and {other}");
        }
    }
    Ok(())
}

/// A sample's elements; those that lead to the same state are added up.
fn merge<T: Element>(
    sample: ArrayView1<'_, i8>,
    (states, mels): (ArrayView2<'_, i8>, ArrayView1<'_, T>),
    row: &mut MergedRow<Complex64>,
) {
    row.start(&sample.to_vec());
    for (state, mel) in states.rows().into_iter().zip(mels) {
        row.add(&state.to_vec(), mel.to_complex());
    }
}
