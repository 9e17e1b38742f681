//! Integrals over orbitals, and the symmetries that relate them.

mod orbit;
mod place;

use ndarray::{Array2, Array4, ArrayView2, ArrayView4};
use num_complex::Complex64;

pub(super) use orbit::{Agree, Clash, Listed, Orbit, sorted};
pub(super) use place::{Place, images, one_body_place};

use crate::error::{Error, Result};

/// Integrals that symmetry makes equal may differ by this much, relative to the larger of them and 1.
const SYMMETRY: f64 = 1e-8;

/// What the orbitals of integrals are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrbitalKind {
    /// Functions in space, each for both spins (restricted Hartree-Fock).
    Spatial,
    /// Modes: each orbital has its own spin (unrestricted), or mixes both (generalised, relativistic).
    Spin,
}

/// Which integrals are equal. All have `(pq|rs) = (rs|pq)`, since electrons are alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IntegralSymmetry {
    /// Real orbitals: `h_pq = h_qp`, `(pq|rs) = (qp|rs) = (pq|sr)`, and all are real (eight-fold symmetry).
    Real,
    /// Complex orbitals: `h_pq = h_qp*`, `(pq|rs) = (qp|sr)*` (four-fold symmetry). The integrals may be real
    /// numbers nevertheless, as in momentum space.
    Hermitian,
    /// Nothing else: the operator need not be Hermitian (transcorrelated Hamiltonians).
    Exchange,
}

/// The integrals of an operator of electrons, `H = E_core + Σ h_pq c†_p c_q + 1/2 Σ (pq|rs) c†_p c†_r c_s c_q`.
///
/// Two-electron integrals are in chemists' notation: `(pq|rs)` is the repulsion of the densities `p q` and
/// `r s`. Sums run over modes; for [`OrbitalKind::Spatial`], over the orbitals and over the spin of each
/// electron, which it keeps. Orbitals are counted from 0. Of the integrals that [`IntegralSymmetry`] makes
/// equal, one is stored.
///
/// [`Molecular`](crate::Molecular) is the operator, [`Fcidump`](crate::Fcidump) the file.
///
/// ```
/// use num_complex::Complex64;
/// use operator_core::hilbert::SpinOrbitalFermions;
/// use operator_core::{IntegralSymmetry, Model, Molecular, MolecularIntegrals, OrbitalKind};
/// // Two modes, coupled by spin-orbit interaction.
/// let one = [([0, 0], Complex64::ONE), ([1, 0], Complex64::new(0.0, 0.5))];
/// let none: [([usize; 4], f64); 0] = [];
/// let integrals =
///     MolecularIntegrals::new(OrbitalKind::Spin, IntegralSymmetry::Hermitian, 0.0, one, none)?;
/// let model = Molecular::with_integrals(SpinOrbitalFermions::new(2)?, integrals)?;
/// assert!(model.definition()?.is_hermitian());
/// # Ok::<(), operator_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct MolecularIntegrals {
    orbitals: OrbitalKind,
    symmetry: IntegralSymmetry,
    core: f64,
    one_body: IntegralList<2>,
    two_body: IntegralList<4>,
}

/// The values of integrals that differ by more than symmetry, in the order of their orbitals.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct IntegralList<const N: usize> {
    pub(super) indices: Vec<[usize; N]>,
    pub(super) re: Vec<f64>,
    /// `None` if all are real.
    pub(super) im: Option<Vec<f64>>,
}

impl MolecularIntegrals {
    /// Listed integrals, real or complex, each by its orbitals, in any of the orders that symmetry makes equal.
    /// Those that are not listed are 0 and stay so.
    ///
    /// # Errors
    /// [`Error::Integrals`] for an integral that is listed with two values, or that is complex where symmetry
    /// makes it real.
    pub fn new<A: Into<Complex64>, B: Into<Complex64>>(
        orbitals: OrbitalKind,
        symmetry: IntegralSymmetry,
        core: f64,
        one_body: impl IntoIterator<Item = ([usize; 2], A)>,
        two_body: impl IntoIterator<Item = ([usize; 4], B)>,
    ) -> Result<Self> {
        let one = one_body.into_iter().map(|(orbitals, value)| (one_body_place(orbitals), value.into()));
        let two = two_body.into_iter().map(|(orbitals, value)| (Place::of(orbitals), value.into()));
        let (one, two) = (distinct::<2>(symmetry, one)?, distinct::<4>(symmetry, two)?);
        Ok(Self::from_sorted(orbitals, symmetry, core, &one, &two))
    }

    /// All integrals: `one_body` of shape `(n, n)` and `two_body` of shape `(n, n, n, n)`. Those that are
    /// exactly 0 are left out.
    ///
    /// # Errors
    /// [`Error::Integrals`] for arrays of other shapes or without the symmetry.
    pub fn from_arrays<T: Copy + Into<Complex64>>(
        orbitals: OrbitalKind,
        symmetry: IntegralSymmetry,
        core: f64,
        one_body: &Array2<T>,
        two_body: &Array4<T>,
    ) -> Result<Self> {
        let n = one_body.nrows();
        check_shape(one_body.shape(), &[n; 2])?;
        check_shape(two_body.shape(), &[n; 4])?;
        let (one, two) = (entries_2(one_body.view(), 0), entries_4(two_body.view(), [0, 0]));
        Self::without_zeros(orbitals, symmetry, core, one, two)
    }

    /// Integrals over orbitals that differ between the spins (unrestricted Hartree-Fock), `n` of each spin:
    /// `one_body` for spin up and down, of shape `(n, n)`; `two_body` for up up, down down, and up down, of
    /// shape `(n, n, n, n)`, where up down holds `(pq|rs)` with p and q up, r and s down. Those that are exactly
    /// 0 are left out. The orbitals become the modes of fermions of spin 1/2: down first, then up.
    ///
    /// # Errors
    /// [`Error::Integrals`] for arrays of other shapes or without the symmetry.
    pub fn by_spin<T: Copy + Into<Complex64>>(
        symmetry: IntegralSymmetry,
        core: f64,
        one_body: [&Array2<T>; 2],
        two_body: [&Array4<T>; 3],
    ) -> Result<Self> {
        let n = one_body[0].nrows();
        one_body.iter().try_for_each(|array| check_shape(array.shape(), &[n; 2]))?;
        two_body.iter().try_for_each(|array| check_shape(array.shape(), &[n; 4]))?;
        let ([up, down], first_modes) = (one_body, [[n, n], [0, 0], [n, 0]]);
        let one = entries_2(up.view(), n).chain(entries_2(down.view(), 0));
        let two =
            two_body.into_iter().zip(first_modes).flat_map(|(array, first)| entries_4(array.view(), first));
        Self::without_zeros(OrbitalKind::Spin, symmetry, core, one, two)
    }

    fn without_zeros(
        orbitals: OrbitalKind,
        symmetry: IntegralSymmetry,
        core: f64,
        one_body: impl Iterator<Item = ([usize; 2], Complex64)>,
        two_body: impl Iterator<Item = ([usize; 4], Complex64)>,
    ) -> Result<Self> {
        let one =
            distinct::<2>(symmetry, one_body.map(|(orbitals, value)| (one_body_place(orbitals), value)))?;
        let two = distinct::<4>(symmetry, two_body.map(|(orbitals, value)| (Place::of(orbitals), value)))?;
        let mut integrals = Self::from_sorted(orbitals, symmetry, core, &one, &two);
        integrals.one_body =
            integrals.one_body.iter().filter(|(_, value)| *value != Complex64::ZERO).collect();
        integrals.two_body =
            integrals.two_body.iter().filter(|(_, value)| *value != Complex64::ZERO).collect();
        Ok(integrals)
    }

    /// One integral for each that symmetry does not relate to another.
    pub(super) fn from_sorted(
        orbitals: OrbitalKind,
        symmetry: IntegralSymmetry,
        core: f64,
        one_body: &[Listed],
        two_body: &[Listed],
    ) -> Self {
        let one = Orbit::all(one_body).flat_map(|orbit| orbit.representatives(symmetry));
        let two = Orbit::all(two_body).flat_map(|orbit| orbit.representatives(symmetry));
        MolecularIntegrals {
            orbitals,
            symmetry,
            core,
            one_body: one.map(|([p, q, _, _], value)| ([p, q], value)).collect(),
            two_body: two.collect(),
        }
    }

    /// Integrals as a spec lists them. Imaginary parts stay, even if they are 0 or have no effect.
    #[cfg(feature = "serde")]
    pub(super) fn from_lists(
        orbitals: OrbitalKind,
        symmetry: IntegralSymmetry,
        core: f64,
        one_body: IntegralList<2>,
        two_body: IntegralList<4>,
    ) -> Result<Self> {
        if symmetry == IntegralSymmetry::Real && (one_body.im.is_some() || two_body.im.is_some()) {
            return Err(Error::Integrals(
                "imaginary parts are listed, but integrals of real orbitals have none; name another symmetry"
                    .into(),
            ));
        }
        let one = one_body.iter().map(|([p, q], value)| ([p, q], real_if_so(symmetry, [p, q, 0, 0], value)));
        let two = two_body.iter().map(|(orbitals, value)| (orbitals, real_if_so(symmetry, orbitals, value)));
        let mut integrals = Self::new(orbitals, symmetry, core, one, two)?;
        integrals.one_body.keep_im(one_body);
        integrals.two_body.keep_im(two_body);
        Ok(integrals)
    }

    /// What the orbitals are.
    pub fn orbitals(&self) -> OrbitalKind {
        self.orbitals
    }

    /// Which integrals are equal.
    pub fn symmetry(&self) -> IntegralSymmetry {
        self.symmetry
    }

    /// The energy without electrons.
    pub fn core(&self) -> f64 {
        self.core
    }

    /// The one-electron integrals `h_pq` with their orbitals `[p, q]`.
    pub fn one_body(&self) -> impl Iterator<Item = ([usize; 2], Complex64)> {
        self.one_body.iter()
    }

    /// The two-electron integrals `(pq|rs)` with their orbitals `[p, q, r, s]`.
    pub fn two_body(&self) -> impl Iterator<Item = ([usize; 4], Complex64)> {
        self.two_body.iter()
    }

    pub(super) fn lists(&self) -> (&IntegralList<2>, &IntegralList<4>) {
        (&self.one_body, &self.two_body)
    }

    /// The highest orbital that an integral names.
    pub(super) fn highest(&self) -> Option<usize> {
        let one = self.one_body.indices.iter().flatten();
        one.chain(self.two_body.indices.iter().flatten()).copied().max()
    }
}

impl<const N: usize> IntegralList<N> {
    pub(super) fn iter(&self) -> impl Iterator<Item = ([usize; N], Complex64)> {
        let value = |k: usize| Complex64::new(self.re[k], self.im.as_ref().map_or(0.0, |im| im[k]));
        self.indices.iter().enumerate().map(move |(k, &orbitals)| (orbitals, value(k)))
    }

    /// Takes the imaginary parts of `given`, which lists the same integrals, perhaps in another order.
    #[cfg(feature = "serde")]
    fn keep_im(&mut self, given: Self) {
        let Some(im) = given.im else { return };
        if given.indices == self.indices {
            self.im = Some(im);
        } else if self.im.is_none() {
            self.im = Some(vec![0.0; self.re.len()]);
        }
    }
}

/// The value of an integral without the imaginary part that has no effect.
#[cfg(feature = "serde")]
fn real_if_so(symmetry: IntegralSymmetry, orbitals: [usize; 4], value: Complex64) -> Complex64 {
    if is_its_own_conjugate(symmetry, orbitals) { value.re.into() } else { value }
}

/// Whether a symmetry makes an integral real.
pub(super) fn is_its_own_conjugate(symmetry: IntegralSymmetry, orbitals: [usize; 4]) -> bool {
    let place = Place::of(orbitals);
    symmetry == IntegralSymmetry::Hermitian && place.partner() == place.class
}

impl<const N: usize> FromIterator<([usize; N], Complex64)> for IntegralList<N> {
    fn from_iter<I: IntoIterator<Item = ([usize; N], Complex64)>>(integrals: I) -> Self {
        let (indices, values): (Vec<_>, Vec<Complex64>) = integrals.into_iter().unzip();
        let im = values.iter().any(|z| z.im != 0.0).then(|| values.iter().map(|z| z.im).collect());
        IntegralList { indices, re: values.iter().map(|z| z.re).collect(), im }
    }
}

fn check_shape(shape: &[usize], expected: &[usize]) -> Result<()> {
    if shape == expected {
        return Ok(());
    }
    Err(Error::Integrals(format!("shape {shape:?}; expected {expected:?}")))
}

/// The elements of a matrix, with indices that count from `first`.
fn entries_2<T: Copy + Into<Complex64>>(
    array: ArrayView2<'_, T>,
    first: usize,
) -> impl Iterator<Item = ([usize; 2], Complex64)> {
    array.into_indexed_iter().map(move |((p, q), &value)| ([first + p, first + q], value.into()))
}

/// The elements of an array, with indices of each pair that count from `first`.
fn entries_4<T: Copy + Into<Complex64>>(
    array: ArrayView4<'_, T>,
    [bra, ket]: [usize; 2],
) -> impl Iterator<Item = ([usize; 4], Complex64)> {
    array
        .into_indexed_iter()
        .map(move |((p, q, r, s), &value)| ([bra + p, bra + q, ket + r, ket + s], value.into()))
}

/// Listed integrals over `N` orbitals, sorted. They have a symmetry.
fn distinct<const N: usize>(
    symmetry: IntegralSymmetry,
    integrals: impl Iterator<Item = (Place, Complex64)>,
) -> Result<Vec<Listed>> {
    // NaN agrees with everything here; it is refused as a coefficient.
    let agree: Agree<'_> = &|one, other, _| {
        let difference = (one - other).norm();
        difference.is_nan() || difference <= SYMMETRY * one.norm().max(other.norm()).max(1.0)
    };
    let listed = integrals.enumerate().map(|(line, (place, value))| Listed::new(place, value, line, 0.0));
    let sorted = sorted(listed.collect(), agree).map_err(|clash| contradiction::<N>(&clash, symmetry))?;
    let clash = Orbit::all(&sorted).find_map(|orbit| orbit.clash(symmetry, agree));
    clash.map_or(Ok(sorted), |clash| Err(contradiction::<N>(&clash, symmetry)))
}

fn contradiction<const N: usize>(
    Clash { listed: [one, other], conjugates }: &Clash,
    symmetry: IntegralSymmetry,
) -> Error {
    let rule = match symmetry {
        IntegralSymmetry::Real => "integrals of real orbitals are real and do not depend on it",
        IntegralSymmetry::Hermitian => {
            "exchange of electrons does not change it, and h_pq = h_qp*, (pq|rs) = (qp|sr)*"
        }
        IntegralSymmetry::Exchange => "exchange of electrons does not change it",
    };
    let (orbitals, value) = (&one.place.orbitals()[..N], Value(one.value));
    if one.place == other.place && *conjugates {
        return Error::Integrals(format!("integral {orbitals:?} is {value}, but must be real; {rule}"));
    }
    Error::Integrals(format!(
        "integral {orbitals:?} is {value}, but {} with its orbitals in the order {:?}; {rule}",
        Value(other.value),
        &other.place.orbitals()[..N]
    ))
}

/// A number as messages show it: real if it is.
pub(super) struct Value(pub(super) Complex64);

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0.im == 0.0 { write!(f, "{}", self.0.re) } else { write!(f, "{}", self.0) }
    }
}
