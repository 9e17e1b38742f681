//! Kernels of third parties, and the emitter that takes their elements.

use std::fmt::Debug;

use operator_core::Connected;
use operator_core::{Element, Error, HilbertSpace, Result};

/// An operator of your own for the flat backend.
///
/// Two methods are enough; [`FlatOperator::custom`](crate::FlatOperator::custom) makes an operator of it.
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
/// assert_eq!(shift.to_sparse()?.nnz(), 2 * 81 - 9); // where both shifts give one x', they are one element
/// # Ok::<(), operator_core::Error>(())
/// ```
pub trait FlatKernel<T: Element>: Debug + Send + Sync {
    /// The space the operator acts on.
    fn hilbert(&self) -> &HilbertSpace;

    /// Emits every x' with `<x|O|x'>` ≠ 0, and the element. If an x' is emitted more than once, its elements are
    /// added up. `x` is a state of the space.
    fn connect(&self, x: &[i8], emit: &mut Emitter<'_, T>);

    /// Connects one sample after another on one thread, with working memory of its own.
    ///
    /// The default calls [`connect`](Self::connect). Write it if `connect` would allocate memory for each sample;
    /// it must emit the same elements in the same order.
    fn connector(&self) -> Box<dyn Connector<T> + '_> {
        Box::new(Memoryless(self))
    }

    /// Upper bound of the number of elements emitted for one sample, where it is known.
    ///
    /// Without it, [`max_conn_size`](operator_core::DiscreteOperator::max_conn_size) is counted on all states of a
    /// small space, and is the number of states of a large one.
    fn max_conn_size(&self) -> Option<usize> {
        None
    }

    /// Whether the operator is Hermitian, where that is known. Otherwise it is tested: on all states of a small
    /// space, on random ones of a large space.
    fn is_hermitian(&self) -> Option<bool> {
        None
    }
}

/// Connects one sample after another, as [`FlatKernel::connect`] does. [`FlatKernel::connector`] makes one for each
/// thread.
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
///
/// An x' that has other sites than the kernel's space is refused, as is an element that is not finite: the call that
/// asked for elements fails with [`Error::Custom`], which names the kernel and what it did.
pub struct Emitter<'a, T> {
    x: &'a [i8],
    visit: &'a mut dyn FnMut(Connected<'_>, T),
    change: &'a mut Change,
    failure: Option<Failure>,
}

/// The change of the element that is being put together: sites and their new quantum numbers.
#[derive(Debug, Default)]
pub(crate) struct Change {
    sites: Vec<u32>,
    values: Vec<i8>,
    /// For each site, the number of the change that named it last.
    named: Vec<u64>,
    number: u64,
}

impl Change {
    /// Begins another change.
    fn clear(&mut self) {
        self.sites.clear();
        self.values.clear();
        self.number += 1;
    }

    /// Whether this change names a site for the first time.
    fn is_first(&mut self, site: usize) -> bool {
        std::mem::replace(&mut self.named[site], self.number) != self.number
    }

    fn push(&mut self, site: usize, value: i8) {
        self.sites.push(site as u32);
        self.values.push(value);
    }
}

/// Why the elements of a sample are not available.
enum Failure {
    /// What this kernel did; the error is made with its name.
    Reason(String),
    /// A complete error.
    Error(Error),
}

impl<'a, T: Element> Emitter<'a, T> {
    pub(crate) fn new(
        x: &'a [i8],
        change: &'a mut Change,
        visit: &'a mut dyn FnMut(Connected<'_>, T),
    ) -> Self {
        change.clear();
        change.named.resize(x.len(), 0);
        Emitter { x, visit, change, failure: None }
    }

    /// The element `<x|O|x>`.
    pub fn diagonal(&mut self, mel: T) {
        self.send(mel);
    }

    /// The element to x', given as a whole configuration.
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

    /// The element to x', given as the sites that change and their new quantum numbers. Name each site once; it
    /// may keep its value.
    pub fn change(&mut self, changes: &[(usize, i8)], mel: T) {
        for &(site, value) in changes {
            let Some(&old) = self.x.get(site) else {
                let n_sites = self.x.len();
                self.fail(format!("it changed site {site}; its space has {n_sites} sites"));
                return;
            };
            if !self.change.is_first(site) {
                self.fail(format!("it changed site {site} twice in one element"));
                return;
            }
            if old != value {
                self.change.push(site, value);
            }
        }
        self.send(mel);
    }

    /// Passes on an element of another operator, which has it for the same sample.
    pub fn connected(&mut self, connected: Connected<'_>, mel: T) {
        if !connected.fits(self.x.len()) {
            let (sites, n_sites) = (connected.sites(), self.x.len());
            self.fail(format!(
                "it passed on a change of the sites {sites:?}; its space has {n_sites} sites, and each needs one new value"
            ));
        } else if self.is_element(mel) {
            (self.visit)(connected, mel);
        }
    }

    /// Whether an element is there. One that is not a number fails.
    fn is_element(&mut self, mel: T) -> bool {
        let is_finite = mel.to_complex().is_finite();
        if !is_finite {
            self.fail(format!("it emitted the matrix element {mel:?}; elements must be finite"));
        }
        is_finite && !mel.is_zero()
    }

    /// Says that the elements of this sample are not available. The call that asked for them fails with
    /// [`Error::Custom`] and this reason.
    pub fn fail(&mut self, reason: String) {
        self.change.clear();
        self.failure.get_or_insert(Failure::Reason(reason));
    }

    /// Says that the elements of this sample are not available. The call that asked for them fails with this
    /// error.
    pub fn fail_with(&mut self, error: Error) {
        self.change.clear();
        self.failure.get_or_insert(Failure::Error(error));
    }

    fn send(&mut self, mel: T) {
        if self.is_element(mel) {
            (self.visit)(Connected::new(&self.change.sites, &self.change.values), mel);
        }
        self.change.clear();
    }

    /// Reports the first failure, with the kernel's name.
    pub(crate) fn finish(self, kernel: &dyn FlatKernel<T>) -> Result<()> {
        match self.failure {
            None => Ok(()),
            Some(Failure::Reason(reason)) => Err(Error::Custom { operator: format!("{kernel:?}"), reason }),
            Some(Failure::Error(error)) => Err(error),
        }
    }
}
