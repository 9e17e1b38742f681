//! Descriptions of combined kernels, on either backend.

use std::ops::Range;

use operator_core::{DiscreteOperator, Element, HilbertSpace};

/// `A + 2 * B`.
pub(crate) fn describe_sum<T: Element, O: DiscreteOperator>(summands: &[(T, O)]) -> String {
    let one = T::from_complex(1.0.into());
    let name = |(coefficient, operator): &(T, O)| {
        if *coefficient == one {
            operator.describe()
        } else {
            format!("{coefficient} * ({})", operator.describe())
        }
    };
    summands.iter().map(name).collect::<Vec<_>>().join(" + ")
}

/// `(A) * (B)`.
pub(crate) fn describe_product<O: DiscreteOperator>(left: &O, right: &O) -> String {
    format!("({}) * ({})", left.describe(), right.describe())
}

/// `A on sites 2..4 of …`.
pub(crate) fn describe_embedded<O: DiscreteOperator>(
    operator: &O,
    sites: &Range<usize>,
    hilbert: &HilbertSpace,
) -> String {
    format!("{} on sites {sites:?} of {hilbert}", operator.describe())
}

/// A sum of Hermitian operators with real coefficients is Hermitian. For other sums `None`: it is not known.
pub(crate) fn sum_is_hermitian<T: Element, O: DiscreteOperator>(summands: &[(T, O)]) -> Option<bool> {
    let hermitian = |(c, operator): &(T, O)| c.to_complex().im == 0.0 && operator.is_hermitian();
    summands.iter().all(hermitian).then_some(true)
}
