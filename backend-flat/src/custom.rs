use std::fmt::Debug;

use operator_core::kernel::Connected;
use operator_core::{Element, Error, HilbertSpace, Result};
use rand::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;

/// Samples on which a custom operator on a large space is tested for Hermiticity.
const PROBES: usize = 64;

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

/// Takes the connected elements of one sample from a [`FlatKernel`].
pub struct Emitter<'a, T> {
    x: &'a [i8],
    visit: &'a mut dyn FnMut(Connected<'_>, T),
    sites: Vec<u32>,
    values: Vec<i8>,
    error: Option<String>,
}

impl<'a, T: Element> Emitter<'a, T> {
    pub(crate) fn new(x: &'a [i8], visit: &'a mut dyn FnMut(Connected<'_>, T)) -> Self {
        Emitter { x, visit, sites: Vec::new(), values: Vec::new(), error: None }
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
            self.sites.push(site as u32);
            self.values.push(new);
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
                Some(_) => {
                    self.sites.push(site as u32);
                    self.values.push(value);
                }
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

    /// Says that the elements of this sample cannot be had; whatever asked for them fails with `reason`.
    pub fn fail(&mut self, reason: String) {
        self.sites.clear();
        self.values.clear();
        self.error.get_or_insert(reason);
    }

    fn send(&mut self, mel: T) {
        if !mel.is_zero() {
            (self.visit)(Connected::new(&self.sites, &self.values), mel);
        }
        self.sites.clear();
        self.values.clear();
    }

    pub(crate) fn finish(self) -> Result<(), String> {
        self.error.map_or(Ok(()), Err)
    }
}

/// Calls a kernel and reports what it did wrong.
pub(crate) fn visit<T: Element>(
    kernel: &dyn FlatKernel<T>,
    x: &[i8],
    f: &mut dyn FnMut(Connected<'_>, T),
) -> Result<()> {
    let mut emitter = Emitter::new(x, f);
    kernel.connect(x, &mut emitter);
    emitter.finish().map_err(|reason| Error::Custom { operator: format!("{kernel:?}"), reason })
}

/// Tests `<x|O|x'> = conj <x'|O|x>` for some x and all their x'.
pub(crate) fn probe_hermitian<T: Element>(kernel: &dyn FlatKernel<T>, max_states: usize) -> Result<bool> {
    let hilbert = kernel.hilbert();
    let samples = match hilbert.n_states() {
        Ok(n_states) if n_states <= max_states => hilbert.all_states()?,
        _ => hilbert.random_states(PROBES, &mut Xoshiro256PlusPlus::seed_from_u64(0)),
    };
    for x in samples.rows() {
        let x = x.to_vec();
        let row = summed_row(kernel, &x)?;
        let size: f64 = row.iter().map(|(_, mel)| mel.to_complex().norm()).sum();
        for (x_prime, mel) in row {
            hilbert.check_row(0, &x_prime).map_err(|error| Error::Custom {
                operator: format!("{kernel:?}"),
                reason: format!("it leaves its space ({error})"),
            })?;
            let back = summed_row(kernel, &x_prime)?
                .into_iter()
                .find_map(|(state, mel)| (state == x).then_some(mel))
                .unwrap_or_default();
            let (mel, back) = (mel.to_complex(), back.to_complex());
            // What cancels on one side may leave rounding on the other.
            let difference = T::from_complex(back - mel.conj());
            if difference.to_complex().norm() > 1e-6 * mel.norm().max(back.norm())
                && !difference.cancels(size)
            {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

fn summed_row<T: Element>(kernel: &dyn FlatKernel<T>, x: &[i8]) -> Result<Vec<(Vec<i8>, T)>> {
    let mut row: Vec<(Vec<i8>, T)> = Vec::new();
    visit(kernel, x, &mut |connected, mel| {
        let mut state = x.to_vec();
        connected.write(&mut state);
        match row.iter_mut().find(|(known, _)| *known == state) {
            Some((_, sum)) => *sum += mel,
            None => row.push((state, mel)),
        }
    })?;
    Ok(row)
}
