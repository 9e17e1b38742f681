//! Whether two operators are the same.

use std::collections::BTreeMap;

use ndarray::ArrayView2;
use num_complex::Complex64;

use super::{Checked, close, ensure, test_samples, within};
use crate::conn::ConnBatch;
use crate::element::Element;
use crate::operator::DiscreteOperator;

/// Compares two operators, on different backends or of different element types, element by element.
///
/// They must live on one space, agree on Hermiticity, and connect the same states by elements that are equal
/// to rounding. The order of a sample's elements is not compared.
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

/// Compares to the precision of `T`.
fn compare<T: Element, A: Element, B: Element>(
    x: ArrayView2<'_, i8>,
    left: &ConnBatch<A>,
    right: &ConnBatch<B>,
) -> Checked {
    for (b, sample) in x.rows().into_iter().enumerate() {
        let (left, mut right) = (summed(left, b), summed(right, b));
        let scale = left.values().chain(right.values()).map(|mel| mel.norm()).sum();
        for (state, one) in left {
            let other = right.remove(&state).unwrap_or_default();
            let same = close::<T>(one, other, scale);
            ensure!(same, "sample {sample} to {state:?}: the elements are {one} and {other}");
        }
        for (state, other) in right {
            let same = close::<T>(Complex64::ZERO, other, scale);
            ensure!(same, "sample {sample} to {state:?}: the elements are 0 and {other}");
        }
    }
    Ok(())
}

/// A sample's elements by state, those to the same state added up.
fn summed<T: Element>(conn: &ConnBatch<T>, b: usize) -> BTreeMap<Vec<i8>, Complex64> {
    let (states, mels) = conn.sample(b);
    let mut row = BTreeMap::new();
    for (state, mel) in states.rows().into_iter().zip(mels) {
        *row.entry(state.to_vec()).or_insert(Complex64::ZERO) += mel.to_complex();
    }
    row
}
