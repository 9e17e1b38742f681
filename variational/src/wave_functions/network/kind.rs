//! What tells the kinds of networks apart in their types.

use std::fmt::Debug;
use std::marker::PhantomData;

use operator_core::Element;

use super::numbers::Scalar;
use super::sealed::Sealed;

/// The kind of a [`Network`](super::Network): its name and the type of its parameters. Sealed: the kinds of
/// this crate, such as [`Custom`], are all there are.
pub trait NetworkKind: Sealed + Clone + Debug + Send + Sync + 'static {
    /// Type of the parameters.
    type Scalar: Scalar;

    /// The name of the network in messages.
    const NAME: &'static str;
}

/// The real type that a kind's networks are evaluated in.
pub(crate) type RealOf<K> = <<K as NetworkKind>::Scalar as Element>::Real;

/// Marks a network of any architecture, with parameters of type `T`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Custom<T = f64>(PhantomData<T>);

impl<T> Sealed for Custom<T> {}

impl<T: Scalar> NetworkKind for Custom<T> {
    type Scalar = T;
    const NAME: &'static str = "network";
}
