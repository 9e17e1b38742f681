//! Kernels of third parties, and what takes their elements.

use std::fmt::Debug;

use operator_core::Connected;
use operator_core::{Element, Error, HilbertSpace, Result};

/// An operator written outside these crates, for the flat backend.
///
/// Two methods are enough; [`FlatOperator::custom`](crate::FlatOperator::custom) makes an operator of it that
/// has all the others.
///
/// ```
/// use backend_flat::{Emitter, FlatKernel, FlatOperator};
/// use operator_core::{DiscreteOperator, HilbertSpace, hilbert::Fock};
///
/// /// Moves all bosons of a ring one site to the right, or to the left.
/// #[derive(Debug)]
/// struct Shift(HilbertSpace);
///
/// impl FlatKernel<f64> for Shift {
///     fn hilbert(&self) -> &HilbertSpace {
///         &self.0
///     }
///     fn connect(&self, x: &[i8], emit: &mut Emitter<'_, f64>) {
///         let mut shifted = x.to_vec();
///         shifted.rotate_right(1);
///         emit.state(&shifted, 1.0);
///         shifted.rotate_left(2);
///         emit.state(&shifted, 1.0);
///     }
/// }
///
/// let shift = FlatOperator::custom(Shift(Fock::new(2, 4)?.into()))?;
/// assert!(shift.is_hermitian());
/// assert_eq!(shift.to_sparse()?.nnz(), 2 * 81 - 9); // where both shifts agree they are one element
/// # Ok::<(), operator_core::Error>(())
/// ```
pub trait FlatKernel<T: Element>: Debug + Send + Sync {
    /// The space the operator acts on.
    fn hilbert(&self) -> &HilbertSpace;

    /// Emits every x' with `<x|O|x'>` ≠ 0, and the element. An x' may be emitted more than once: the
    /// elements count as their sum. `x` is a state of the space.
    fn connect(&self, x: &[i8], emit: &mut Emitter<'_, T>);

    /// What connects one sample after another on one thread, with working memory of its own.
    ///
    /// The default calls [`connect`](Self::connect). Worth writing where `connect` would allocate for each sample;
    /// it emits the same elements in the same order.
    fn connector(&self) -> Box<dyn Connector<T> + '_> {
        Box::new(Memoryless(self))
    }

    /// Upper bound of the number of emitted elements, where it is known.
    ///
    /// Without it, expectation values cannot size their blocks well and
    /// [`max_conn_size`](operator_core::DiscreteOperator::max_conn_size) is found by going through the
    /// space if that is small, and is the number of its states otherwise.
    fn max_conn_size(&self) -> Option<usize> {
        None
    }

    /// Whether the operator is Hermitian, where it is known.
    ///
    /// Without it, it is tested: on all states of a small space, on random ones of a large space.
    fn is_hermitian(&self) -> Option<bool> {
        None
    }
}

/// Connects one sample after another, as [`FlatKernel::connect`] does; made by [`FlatKernel::connector`], once for
/// each thread.
pub trait Connector<T: Element>: Send {
    /// Emits what [`FlatKernel::connect`] would.
    fn connect(&mut self, x: &[i8], emit: &mut Emitter<'_, T>);
}

/// The connector of a kernel that needs no working memory.
struct Memoryless<'a, K: ?Sized>(&'a K);

impl<T: Element, K: FlatKernel<T> + ?Sized> Connector<T> for Memoryless<'_, K> {
    fn connect(&mut self, x: &[i8], emit: &mut Emitter<'_, T>) {
        self.0.connect(x, emit);
    }
}

/// Takes the connected elements of one sample from a [`FlatKernel`].
pub struct Emitter<'a, T> {
    x: &'a [i8],
    visit: &'a mut dyn FnMut(Connected<'_>, T),
    change: &'a mut Change,
    failure: Option<Failure>,
}

/// The change of one element while it is put together: sites and their new quantum numbers.
#[derive(Debug, Default)]
pub(crate) struct Change {
    sites: Vec<u32>,
    values: Vec<i8>,
}

impl Change {
    fn clear(&mut self) {
        self.sites.clear();
        self.values.clear();
    }

    fn push(&mut self, site: usize, value: i8) {
        self.sites.push(site as u32);
        self.values.push(value);
    }
}

/// Why the elements of a sample are not available.
enum Failure {
    /// What this kernel did wrong.
    Reason(String),
    /// An error that says it all.
    Error(Error),
}

impl<'a, T: Element> Emitter<'a, T> {
    pub(crate) fn new(
        x: &'a [i8],
        change: &'a mut Change,
        visit: &'a mut dyn FnMut(Connected<'_>, T),
    ) -> Self {
        change.clear();
        Emitter { x, visit, change, failure: None }
    }

    /// The element `<x|O|x>`.
    pub fn diagonal(&mut self, mel: T) {
        self.send(mel);
    }

    /// The element to x', given whole.
    pub fn state(&mut self, x_prime: &[i8], mel: T) {
        if x_prime.len() != self.x.len() {
            let (got, expected) = (x_prime.len(), self.x.len());
            self.fail(format!("it emitted a state of {got} sites; its space has {expected}"));
            return;
        }
        for (site, (&new, _)) in x_prime.iter().zip(self.x).enumerate().filter(|(_, (new, old))| new != old) {
            self.change.push(site, new);
        }
        self.send(mel);
    }

    /// The element to x', given as the sites that change and their new quantum numbers.
    pub fn change(&mut self, changes: &[(usize, i8)], mel: T) {
        for &(site, value) in changes {
            match self.x.get(site) {
                None => {
                    let n_sites = self.x.len();
                    self.fail(format!("it changed site {site}; its space has {n_sites} sites"));
                    return;
                }
                Some(&old) if old == value => {}
                Some(_) => self.change.push(site, value),
            }
        }
        self.send(mel);
    }

    /// Passes on an element that another operator has of the same sample.
    pub fn connected(&mut self, connected: Connected<'_>, mel: T) {
        if !mel.is_zero() {
            (self.visit)(connected, mel);
        }
    }

    /// Says that the elements of this sample are not available; whatever asked for them fails with
    /// [`Error::Custom`] and this reason.
    pub fn fail(&mut self, reason: String) {
        self.change.clear();
        self.failure.get_or_insert(Failure::Reason(reason));
    }

    /// Says that the elements of this sample are not available; whatever asked for them fails with this error.
    pub fn fail_with(&mut self, error: Error) {
        self.change.clear();
        self.failure.get_or_insert(Failure::Error(error));
    }

    fn send(&mut self, mel: T) {
        if !mel.is_zero() {
            (self.visit)(Connected::new(&self.change.sites, &self.change.values), mel);
        }
        self.change.clear();
    }

    /// Reports the first failure of the kernel, which is named in it.
    pub(crate) fn finish(self, kernel: &dyn FlatKernel<T>) -> Result<()> {
        match self.failure {
            None => Ok(()),
            Some(Failure::Reason(reason)) => Err(Error::Custom { operator: format!("{kernel:?}"), reason }),
            Some(Failure::Error(error)) => Err(error),
        }
    }
}
