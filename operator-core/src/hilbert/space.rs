//! The enum of all spaces, and the properties of its sites.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::{Mul, Range};
use std::sync::Arc;

use enum_dispatch::enum_dispatch;

use super::block::{Block, LocalStates};
use super::fermion::SpinOrbitalFermions;
use super::fock::Fock;
use super::layout::Layout;
use super::qubit::Qubit;
use super::spin::Spin;
use super::tensor::TensorHilbert;
use crate::error::{Error, Result};

#[enum_dispatch]
pub(super) trait Space {
    fn layout(&self) -> &Arc<Layout>;
}

/// What all spaces share, apart from their constructors.
macro_rules! space {
    ($($space:ident),*) => {
        $(
            impl Space for $space {
                fn layout(&self) -> &Arc<Layout> {
                    $space::layout(self)
                }
            }

            impl From<&$space> for HilbertSpace {
                fn from(space: &$space) -> Self {
                    space.clone().into()
                }
            }

            /// Equal as a [`HilbertSpace`]: with the same blocks of sites.
            impl PartialEq for $space {
                fn eq(&self, other: &Self) -> bool {
                    HilbertSpace::from(self) == HilbertSpace::from(other)
                }
            }

            impl Eq for $space {}

            impl Hash for $space {
                fn hash<H: Hasher>(&self, state: &mut H) {
                    HilbertSpace::from(self).hash(state);
                }
            }

            /// The tensor product, [`HilbertSpace::tensor`]. It fails beyond 2^31 sites.
            impl<R: Into<HilbertSpace>> Mul<R> for $space {
                type Output = Result<HilbertSpace>;
                fn mul(self, other: R) -> Result<HilbertSpace> {
                    HilbertSpace::tensor([self.into(), other.into()])
                }
            }

            /// The tensor product, [`HilbertSpace::tensor`]. It fails beyond 2^31 sites.
            impl<R: Into<HilbertSpace>> Mul<R> for &$space {
                type Output = Result<HilbertSpace>;
                fn mul(self, other: R) -> Result<HilbertSpace> {
                    HilbertSpace::tensor([self.into(), other.into()])
                }
            }
        )*
    };
}
space!(Spin, Qubit, Fock, SpinOrbitalFermions, TensorHilbert);

/// Any of the Hilbert spaces. Cheap to clone.
///
/// `*` makes tensor products of spaces, by value or by reference:
///
/// ```
/// use operator_core::hilbert::{Fock, Qubit, Spin};
/// let (spins, bosons) = (Spin::half(3)?, Fock::new(2, 1)?);
/// let space = ((&spins * &bosons)? * Qubit::new(1)?)?;
/// assert_eq!(space.to_string(), "Spin(1/2, 3 sites) ⊗ Fock(n_max = 2, 1 sites) ⊗ Qubit(1)");
/// assert_ne!(space, (bosons * spins)?);
/// # Ok::<(), operator_core::Error>(())
/// ```
#[enum_dispatch(Space)]
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum HilbertSpace {
    /// Spins of equal length.
    Spin(Spin),
    /// Qubits.
    Qubit(Qubit),
    /// Bosons.
    Fock(Fock),
    /// Fermion modes.
    SpinOrbitalFermions(SpinOrbitalFermions),
    /// A tensor product of the others.
    Tensor(TensorHilbert),
}

impl HilbertSpace {
    /// Number of sites.
    pub fn n_sites(&self) -> usize {
        self.layout().n_sites
    }

    /// The blocks of equal sites, in order.
    pub fn blocks(&self) -> &[Block] {
        &self.layout().blocks
    }

    /// The local states of a site.
    ///
    /// ```
    /// use operator_core::{HilbertSpace, hilbert::Spin};
    /// let spins = HilbertSpace::from(Spin::new(1.0, 3)?);
    /// assert_eq!(spins.local_states(2)?.iter().collect::<Vec<_>>(), [2, 0, -2]);
    /// assert!(spins.local_states(3).is_err());
    /// # Ok::<(), operator_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::NoSuchSite`] beyond the last site.
    #[inline]
    pub fn local_states(&self, site: usize) -> Result<LocalStates> {
        if site < self.n_sites() { Ok(self.local(site)) } else { Err(self.no_such_site(site)) }
    }

    #[cold]
    fn no_such_site(&self, site: usize) -> Error {
        Error::NoSuchSite { site, n_sites: self.n_sites(), hilbert: self.to_string() }
    }

    /// The local states of a site that is known to exist.
    #[inline]
    pub(crate) fn local(&self, site: usize) -> LocalStates {
        let blocks = self.blocks();
        if let [only] = blocks {
            return only.local;
        }
        let block = blocks.partition_point(|block| block.start + block.n_sites <= site);
        blocks[block].local
    }

    /// Number of local states of a site that is known to exist.
    pub(crate) fn local_dim(&self, site: usize) -> usize {
        self.local(site).len
    }

    /// Whether some sum of quantum numbers is fixed.
    pub fn is_constrained(&self) -> bool {
        self.blocks().iter().any(|block| block.total.is_some())
    }

    /// Whether every site has two local states.
    pub fn is_two_level(&self) -> bool {
        self.blocks().iter().all(|block| block.local.len == 2)
    }

    /// Whether all sites are fermion modes.
    pub fn is_fermionic(&self) -> bool {
        self.factors().iter().all(|factor| matches!(factor, HilbertSpace::SpinOrbitalFermions(_)))
    }

    /// Whether a site is a fermion mode.
    pub fn is_fermion_mode(&self, site: usize) -> bool {
        self.modes_with(site).is_some()
    }

    /// The fermion modes that anticommute with a mode, including itself: the modes of its factor. The mode's
    /// Jordan-Wigner string runs over those before it. `None` if the site is not a fermion mode.
    pub fn modes_with(&self, mode: usize) -> Option<Range<usize>> {
        self.factor_of(mode).filter(|(factor, _)| factor.is_fermionic()).map(|(_, modes)| modes)
    }
}

impl From<&HilbertSpace> for HilbertSpace {
    fn from(space: &HilbertSpace) -> Self {
        space.clone()
    }
}

/// The tensor product, [`tensor`](HilbertSpace::tensor). It fails beyond 2^31 sites.
impl<R: Into<HilbertSpace>> Mul<R> for HilbertSpace {
    type Output = Result<HilbertSpace>;
    fn mul(self, other: R) -> Result<HilbertSpace> {
        HilbertSpace::tensor([self, other.into()])
    }
}

/// The tensor product, [`tensor`](HilbertSpace::tensor). It fails beyond 2^31 sites.
impl<R: Into<HilbertSpace>> Mul<R> for &HilbertSpace {
    type Output = Result<HilbertSpace>;
    fn mul(self, other: R) -> Result<HilbertSpace> {
        HilbertSpace::tensor([self.clone(), other.into()])
    }
}

impl fmt::Display for HilbertSpace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HilbertSpace::Spin(space) => space.fmt(f),
            HilbertSpace::Qubit(space) => space.fmt(f),
            HilbertSpace::Fock(space) => space.fmt(f),
            HilbertSpace::SpinOrbitalFermions(space) => space.fmt(f),
            HilbertSpace::Tensor(space) => space.fmt(f),
        }
    }
}

/// Spaces are equal if their factors are. Factors are equal if they have the same kind and equal blocks.
impl PartialEq for HilbertSpace {
    fn eq(&self, other: &Self) -> bool {
        let (left, right) = (self.factors(), other.factors());
        let equal = |(a, b): (&HilbertSpace, &HilbertSpace)| {
            std::mem::discriminant(a) == std::mem::discriminant(b)
                && (Arc::ptr_eq(a.layout(), b.layout()) || a.blocks() == b.blocks())
        };
        left.len() == right.len() && left.iter().zip(right).all(equal)
    }
}

impl Eq for HilbertSpace {}

impl Hash for HilbertSpace {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for factor in self.factors() {
            std::mem::discriminant(factor).hash(state);
            factor.blocks().hash(state);
        }
    }
}
