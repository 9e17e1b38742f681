//! What combined kernels say of themselves on either backend.

use operator_core::{DiscreteOperator, Element};

/// `A + 2 * B`.
pub(crate) fn describe_sum<T: Element, O: DiscreteOperator>(summands: &[(T, O)]) -> String {
    let one = T::from_complex(1.0.into());
    let name = |(coefficient, operator): &(T, O)| match *coefficient == one {
        true => operator.describe(),
        false => format!("{coefficient} * ({})", operator.describe()),
    };
    summands.iter().map(name).collect::<Vec<_>>().join(" + ")
}

/// The most x' that a product connects to one x: each of the right after each of the left, or all states.
pub(crate) fn most_elements<O: DiscreteOperator>(left: &O, right: &O) -> usize {
    let paths = left.max_conn_size().saturating_mul(right.max_conn_size());
    paths.min(left.hilbert().n_states().unwrap_or(usize::MAX))
}
