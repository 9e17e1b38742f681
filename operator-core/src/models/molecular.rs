//! Electrons of a molecule, from their integrals.

use ndarray::{Array2, Array4};
#[cfg(feature = "serde")]
use serde_json::{Value, json};

use super::Model;
#[cfg(feature = "serde")]
use super::ModelSpec;
use super::checks::{electrons, fermions};
use super::integrals::{
    IntegralList, IntegralSymmetry, MolecularIntegrals, OrbitalKind, images, is_its_own_conjugate,
};
#[cfg(feature = "serde")]
use crate::definition::Definition;
use crate::error::{Error, Result};
use crate::hilbert::{HilbertSpace, SpinOrbitalFermions};
#[cfg(feature = "serde")]
use crate::spec::{Reader, Written};
use crate::terms::{Coefficient, Ladder, ParameterHandle, Terms};

/// The electrons of a molecule,
/// `H = E_core + Σ_pq,s h_pq c†_ps c_qs + 1/2 Σ_pqrs,st (pq|rs) c†_ps c†_rt c_st c_qs`.
///
/// The two-electron integrals are in chemists' notation: `(pq|rs)` is the repulsion of the densities `p q` and
/// `r s`. As a rule p, q, r, s are spatial orbitals and real, so `h_pq = h_qp`, and (pq|rs) is the same with p
/// and q, r and s, or both pairs exchanged. [`MolecularIntegrals`] also holds complex integrals, and integrals
/// over spin orbitals; these are modes, and the sums over the spins s and t are left out.
///
/// Parameters: `core`, a scalar; `one_body` and `two_body`, one value per integral that is distinct by symmetry
/// and listed, in the order of [`one_body_indices`](Self::one_body_indices) and
/// [`two_body_indices`](Self::two_body_indices); `one_body_im` and `two_body_im`, their imaginary parts, where
/// any of them is not zero. An imaginary part of an integral that symmetry makes real has no effect. The gradient of the energy in them is the density matrices, summed over the
/// integrals that symmetry makes equal.
///
/// Energies are in the unit of the integrals, hartree as a rule.
///
/// # Source
/// T. Helgaker, P. Jørgensen, J. Olsen, Molecular Electronic-Structure Theory, Wiley (2000), section 2.2.
#[derive(Clone, Debug, PartialEq)]
pub struct Molecular {
    hilbert: SpinOrbitalFermions,
    integrals: MolecularIntegrals,
}

impl Molecular {
    /// The molecule with all one-electron integrals, shape `(n_orbitals, n_orbitals)`, and all two-electron
    /// integrals, shape `(n_orbitals, n_orbitals, n_orbitals, n_orbitals)`, over real spatial orbitals. Those
    /// that are exactly 0 are left out.
    ///
    /// # Errors
    /// [`Error::WrongHilbert`] unless the sites are fermions of spin 1/2;
    /// [`Error::Integrals`] for another shape or without the
    /// symmetry of real orbitals.
    pub fn new(
        hilbert: impl Into<HilbertSpace>,
        core: f64,
        one_body: &Array2<f64>,
        two_body: &Array4<f64>,
    ) -> Result<Self> {
        let hilbert = electrons(hilbert.into(), "Molecular")?;
        let (got, expected) = (one_body.shape(), [hilbert.n_orbitals(); 2]);
        if got != expected {
            return Err(Error::Integrals(format!("shape {got:?}; expected {expected:?}")));
        }
        let (kind, symmetry) = (OrbitalKind::Spatial, IntegralSymmetry::Real);
        let integrals = MolecularIntegrals::from_arrays(kind, symmetry, core, one_body, two_body)?;
        Self::with_integrals(hilbert, integrals)
    }

    /// The molecule with listed integrals over real spatial orbitals, each by its orbitals, in any of the orders
    /// that symmetry makes equal; those that are not listed are 0 and stay so.
    ///
    /// # Errors
    /// [`Error::WrongHilbert`] unless the sites are fermions of spin 1/2;
    /// [`Error::Integrals`] for an orbital beyond the last
    /// or an integral listed with two values.
    pub fn from_integrals(
        hilbert: impl Into<HilbertSpace>,
        core: f64,
        one_body: impl IntoIterator<Item = ([usize; 2], f64)>,
        two_body: impl IntoIterator<Item = ([usize; 4], f64)>,
    ) -> Result<Self> {
        let (kind, symmetry) = (OrbitalKind::Spatial, IntegralSymmetry::Real);
        Self::with_integrals(hilbert, MolecularIntegrals::new(kind, symmetry, core, one_body, two_body)?)
    }

    /// The molecule with integrals of any kind: by spin, over general spin orbitals, complex.
    ///
    /// # Errors
    /// [`Error::WrongHilbert`] unless the sites are fermions, of spin 1/2 if the orbitals are spatial;
    /// [`Error::Integrals`] for an orbital beyond the last.
    pub fn with_integrals(hilbert: impl Into<HilbertSpace>, integrals: MolecularIntegrals) -> Result<Self> {
        let (hilbert, n, what) = match integrals.orbitals() {
            OrbitalKind::Spatial => {
                let hilbert = electrons(hilbert.into(), "Molecular")?;
                let n = hilbert.n_orbitals();
                (hilbert, n, "orbital")
            }
            OrbitalKind::Spin => {
                let hilbert = fermions(hilbert.into(), "Molecular")?;
                let n = HilbertSpace::from(hilbert.clone()).n_sites();
                (hilbert, n, "spin orbital")
            }
        };
        match integrals.highest() {
            Some(highest) if highest >= n => Err(Error::Integrals(format!(
                "an integral names {what} {highest}; {hilbert} has {n}, numbered from 0"
            ))),
            _ => Ok(Molecular { hilbert, integrals }),
        }
    }

    /// The integrals.
    pub fn integrals(&self) -> &MolecularIntegrals {
        &self.integrals
    }

    /// The orbitals `[p, q]` of each value of the parameter `one_body`; p ≥ q if the orbitals are real.
    pub fn one_body_indices(&self) -> &[[usize; 2]] {
        &self.integrals.lists().0.indices
    }

    /// The orbitals `[p, q, r, s]` of each value of the parameter `two_body`. If the orbitals are real, p ≥ q,
    /// r ≥ s and the pair p q not before r s.
    pub fn two_body_indices(&self) -> &[[usize; 4]] {
        &self.integrals.lists().1.indices
    }

    /// The fermions.
    pub(super) fn fermions(&self) -> &SpinOrbitalFermions {
        &self.hilbert
    }

    /// Adds `h_pq` for each spin.
    fn push_one_body(
        &self,
        terms: &mut Terms,
        coefficient: Coefficient,
        [p, q, _, _]: [usize; 4],
    ) -> Result<()> {
        for first in self.first_modes() {
            terms.fermion(coefficient, &[Ladder::create(first + p), Ladder::destroy(first + q)])?;
        }
        Ok(())
    }

    /// Adds `(pq|rs)` for all spins of the two electrons.
    fn push_two_body(
        &self,
        terms: &mut Terms,
        coefficient: Coefficient,
        [p, q, r, s]: [usize; 4],
    ) -> Result<()> {
        for one in self.first_modes() {
            for other in self.first_modes() {
                let is_zero = one == other && (p == r || q == s);
                // The factor 1/2 leaves one of the two orders of the electrons. If their densities differ, the
                // other one is not among the images; else it is here, with the spins exchanged.
                let is_second = [p, q] == [r, s] && other < one;
                if !is_zero && !is_second {
                    let string = [
                        Ladder::create(one + p),
                        Ladder::create(other + r),
                        Ladder::destroy(other + s),
                        Ladder::destroy(one + q),
                    ];
                    terms.fermion(coefficient, &string)?;
                }
            }
        }
        Ok(())
    }

    /// The mode of orbital 0, for each spin that an orbital stands for.
    fn first_modes(&self) -> impl Iterator<Item = usize> {
        let n_spins = match self.integrals.orbitals() {
            OrbitalKind::Spatial => 2,
            OrbitalKind::Spin => 1,
        };
        let n_orbitals = self.hilbert.n_orbitals();
        (0..n_spins).map(move |spin| spin * n_orbitals)
    }

    /// Adds integrals, each in all orders that symmetry makes equal. `push` adds one order.
    fn push_all<const N: usize>(
        &self,
        terms: &mut Terms,
        name: &str,
        list: &IntegralList<N>,
        place: impl Fn([usize; N]) -> [usize; 4],
        push: impl Fn(&mut Terms, Coefficient, [usize; 4]) -> Result<()>,
    ) -> Result<()> {
        let re = terms.parameter(name, list.re.clone())?;
        let im = match &list.im {
            Some(im) => Some(terms.parameter(&imaginary(name), im.clone())?),
            None => None,
        };
        for (k, &orbitals) in list.indices.iter().enumerate() {
            let symmetry = self.integrals.symmetry();
            let im = im.filter(|_| !is_its_own_conjugate(symmetry, place(orbitals)));
            for (order, conjugated) in images(symmetry, place(orbitals)) {
                push(terms, re.at(k)?.into(), order)?;
                if let Some(im) = im {
                    push(terms, part_im(im, k, conjugated)?, order)?;
                }
            }
        }
        Ok(())
    }
}

/// The coefficient of an imaginary part.
fn part_im(im: ParameterHandle, k: usize, conjugated: bool) -> Result<Coefficient> {
    let unit = num_complex::Complex64::I;
    Ok(if conjugated { -unit } else { unit } * im.at(k)?)
}

/// The name of the parameter that holds imaginary parts.
fn imaginary(name: &str) -> String {
    format!("{name}_im")
}

impl Model for Molecular {
    fn hilbert(&self) -> Result<HilbertSpace> {
        Ok(self.hilbert.clone().into())
    }

    fn terms(&self, terms: &mut Terms) -> Result<()> {
        let core = terms.parameter("core", self.integrals.core())?.at(0)?;
        terms.fermion(core, &[])?;
        let (one_body, two_body) = self.integrals.lists();
        let pair = |[p, q]: [usize; 2]| [p, q, 0, 0];
        self.push_all(terms, "one_body", one_body, pair, |terms, coefficient, orbitals| {
            self.push_one_body(terms, coefficient, orbitals)
        })?;
        self.push_all(
            terms,
            "two_body",
            two_body,
            |orbitals| orbitals,
            |terms, coefficient, orbitals| self.push_two_body(terms, coefficient, orbitals),
        )
    }

    fn name(&self) -> String {
        "Molecular".to_owned()
    }

    #[cfg(feature = "serde")]
    fn spec(&self) -> Option<ModelSpec> {
        self.to_spec()
    }
}

#[cfg(feature = "serde")]
impl Written for Molecular {
    const NAME: &'static str = "molecular";

    fn write(&self) -> Value {
        let mut spec = json!({
            "one_body_indices": self.one_body_indices(),
            "two_body_indices": self.two_body_indices(),
        });
        if let Some((name, _)) = ORBITALS[1..].iter().find(|(_, kind)| *kind == self.integrals.orbitals()) {
            spec["orbitals"] = (*name).into();
        }
        if let Some((name, _)) = SYMMETRIES[1..].iter().find(|(_, kind)| *kind == self.integrals.symmetry()) {
            spec["symmetry"] = (*name).into();
        }
        spec
    }

    fn read(spec: &Reader<'_>, hilbert: HilbertSpace) -> Result<Definition> {
        let orbitals = named(spec, "orbitals", &ORBITALS)?;
        let symmetry = named(spec, "symmetry", &SYMMETRIES)?;
        let one_body = integrals(spec, "one_body", |item| item.sites("two orbitals"))?;
        let two_body = integrals(spec, "two_body", |item| item.sites("four orbitals"))?;
        let core = spec.optional("core")?.map_or(Ok(0.0), |core| core.number())?;
        let integrals = MolecularIntegrals::from_lists(orbitals, symmetry, core, one_body, two_body)?;
        Self::with_integrals(hilbert, integrals)?.definition()
    }
}

/// The kinds of orbitals in specs; the first is the default.
#[cfg(feature = "serde")]
const ORBITALS: [(&str, OrbitalKind); 2] = [("spatial", OrbitalKind::Spatial), ("spin", OrbitalKind::Spin)];

/// The symmetries in specs; the first is the default.
#[cfg(feature = "serde")]
const SYMMETRIES: [(&str, IntegralSymmetry); 3] = [
    ("real", IntegralSymmetry::Real),
    ("hermitian", IntegralSymmetry::Hermitian),
    ("exchange", IntegralSymmetry::Exchange),
];

/// One of several named values, the first if the key is absent.
#[cfg(feature = "serde")]
fn named<T: Copy>(spec: &Reader<'_>, key: &str, values: &[(&str, T)]) -> Result<T> {
    let Some(reader) = spec.optional(key)? else { return Ok(values[0].1) };
    let name = reader.str()?;
    match values.iter().find(|(known, _)| *known == name) {
        Some(&(_, value)) => Ok(value),
        None => {
            let known: Vec<&str> = values.iter().map(|(known, _)| *known).collect();
            reader.wrong(&format!("one of {}", known.join(", ")))
        }
    }
}

#[cfg(feature = "serde")]
fn integrals<const N: usize>(
    spec: &Reader<'_>,
    key: &str,
    orbitals: impl Fn(Reader<'_>) -> Result<[usize; N]>,
) -> Result<IntegralList<N>> {
    let indices = spec.key(&format!("{key}_indices"))?.items()?.map(orbitals).collect::<Result<Vec<_>>>()?;
    let numbers = |reader: Reader<'_>| {
        let values = reader.numbers()?;
        if values.len() == indices.len() {
            return Ok(values);
        }
        reader.wrong_len(values.len(), indices.len(), "one an integral")
    };
    let re = numbers(spec.key(key)?)?;
    let im = spec.optional(&imaginary(key))?.map(numbers).transpose()?;
    Ok(IntegralList { indices, re, im })
}
