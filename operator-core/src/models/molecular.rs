//! Electrons of a molecule, from their integrals.

use std::collections::BTreeMap;

use ndarray::{Array2, Array4};
#[cfg(feature = "serde")]
use serde_json::{Value, json};

use super::Model;
#[cfg(feature = "serde")]
use super::ModelSpec;
use super::checks::electrons;
#[cfg(feature = "serde")]
use crate::definition::Definition;
use crate::error::{Error, Result};
use crate::hilbert::{HilbertSpace, SpinOrbitalFermions};
#[cfg(feature = "serde")]
use crate::spec::{Reader, Written};
use crate::terms::{Coefficient, Ladder, Terms};

/// Integrals that symmetry makes equal may differ by this much, relative to the larger of them and 1.
const SYMMETRY: f64 = 1e-8;

/// The electrons of a molecule in spatial orbitals,
/// `H = E_core + Σ_pq,s h_pq c†_ps c_qs + 1/2 Σ_pqrs,st (pq|rs) c†_ps c†_rt c_st c_qs`.
///
/// The two-electron integrals are in chemists' notation: `(pq|rs)` is the repulsion of the densities `p q` and
/// `r s`. Orbitals are real, so `h_pq = h_qp`, and (pq|rs) is the same with p and q, r and s, or both pairs
/// exchanged.
///
/// Parameters: `core`, a scalar; `one_body` and `two_body`, one value per integral that is distinct by symmetry
/// and listed, in the order of [`one_body_indices`](Self::one_body_indices) and
/// [`two_body_indices`](Self::two_body_indices). The gradient of the energy in them is the density matrices,
/// summed over the integrals that symmetry makes equal.
///
/// Energies are in the unit of the integrals, hartree as a rule.
///
/// # Source
/// T. Helgaker, P. Jørgensen, J. Olsen, Molecular Electronic-Structure Theory, Wiley (2000), section 2.2.
#[derive(Clone, Debug, PartialEq)]
pub struct Molecular {
    hilbert: SpinOrbitalFermions,
    core: f64,
    one_body: Integrals<2>,
    two_body: Integrals<4>,
}

/// Integrals that differ by more than symmetry, in the order of their indices.
#[derive(Clone, Debug, PartialEq)]
struct Integrals<const N: usize> {
    indices: Vec<[usize; N]>,
    values: Vec<f64>,
}

impl Molecular {
    /// The molecule with all one-electron integrals, shape `(n_orbitals, n_orbitals)`, and all two-electron
    /// integrals, shape `(n_orbitals, n_orbitals, n_orbitals, n_orbitals)`. Those that are exactly 0 are left
    /// out.
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
        let n = hilbert.n_orbitals();
        for (shape, expected) in [(one_body.shape(), vec![n; 2]), (two_body.shape(), vec![n; 4])] {
            if shape != expected {
                return Err(Error::Integrals(format!("shape {shape:?}; expected {expected:?}")));
            }
        }
        let one = one_body.indexed_iter().map(|((p, q), &value)| ([p, q], value));
        let two = two_body.indexed_iter().map(|((p, q, r, s), &value)| ([p, q, r, s], value));
        let (mut one, mut two) = (distinct(n, one, one_body_order)?, distinct(n, two, two_body_order)?);
        one.retain(|_, value| *value != 0.0);
        two.retain(|_, value| *value != 0.0);
        Ok(Molecular { hilbert, core, one_body: one.into(), two_body: two.into() })
    }

    /// The molecule with listed integrals, each by its orbitals, in any of the orders that symmetry makes
    /// equal; those that are not listed are 0 and stay so.
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
        let hilbert = electrons(hilbert.into(), "Molecular")?;
        let n = hilbert.n_orbitals();
        let one = distinct(n, one_body, one_body_order)?;
        let two = distinct(n, two_body, two_body_order)?;
        Ok(Molecular { hilbert, core, one_body: one.into(), two_body: two.into() })
    }

    /// The orbitals `[p, q]`, p ≥ q, of each value of the parameter `one_body`.
    pub fn one_body_indices(&self) -> &[[usize; 2]] {
        &self.one_body.indices
    }

    /// The orbitals `[p, q, r, s]` of each value of the parameter `two_body`, with p ≥ q, r ≥ s and the pair
    /// p q not before r s.
    pub fn two_body_indices(&self) -> &[[usize; 4]] {
        &self.two_body.indices
    }

    /// Adds `(pq|rs)` for all spins of the two electrons.
    fn push_two_body(
        &self,
        terms: &mut Terms,
        coefficient: Coefficient,
        [p, q, r, s]: [usize; 4],
    ) -> Result<()> {
        for (one, other) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            let is_zero = one == other && (p == r || q == s);
            if !is_zero {
                let string = [
                    Ladder::create(self.hilbert.mode(p, one)?),
                    Ladder::create(self.hilbert.mode(r, other)?),
                    Ladder::destroy(self.hilbert.mode(s, other)?),
                    Ladder::destroy(self.hilbert.mode(q, one)?),
                ];
                terms.fermion(coefficient, &string)?;
            }
        }
        Ok(())
    }
}

impl Model for Molecular {
    fn hilbert(&self) -> Result<HilbertSpace> {
        Ok(self.hilbert.clone().into())
    }

    fn terms(&self, terms: &mut Terms) -> Result<()> {
        let core = terms.parameter("core", self.core)?.at(0)?;
        let one_body = terms.parameter("one_body", self.one_body.values.clone())?;
        let two_body = terms.parameter("two_body", self.two_body.values.clone())?;
        terms.fermion(core, &[])?;
        for (k, &pair) in self.one_body.indices.iter().enumerate() {
            for [p, q] in both_ways(pair) {
                for spin in 0..2 {
                    let (p, q) = (self.hilbert.mode(p, spin)?, self.hilbert.mode(q, spin)?);
                    terms.fermion(one_body.at(k)?, &[Ladder::create(p), Ladder::destroy(q)])?;
                }
            }
        }
        for (k, &[p, q, r, s]) in self.two_body.indices.iter().enumerate() {
            // (pq|rs) and (rs|pq) are one operator, so the sum over both takes the factor 1/2 away.
            let factor = if [p, q] == [r, s] { 0.5 } else { 1.0 };
            for [p, q] in both_ways([p, q]) {
                for [r, s] in both_ways([r, s]) {
                    self.push_two_body(terms, factor * two_body.at(k)?, [p, q, r, s])?;
                }
            }
        }
        Ok(())
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
        json!({
            "one_body_indices": self.one_body.indices,
            "two_body_indices": self.two_body.indices,
        })
    }

    fn read(spec: &Reader<'_>, hilbert: HilbertSpace) -> Result<Definition> {
        let one_body = integrals(spec, "one_body", |item| item.sites("two orbitals"))?;
        let two_body = integrals(spec, "two_body", |item| item.sites("four orbitals"))?;
        let core = spec.optional("core")?.map_or(Ok(0.0), |core| core.number())?;
        Self::from_integrals(hilbert, core, one_body, two_body)?.definition()
    }
}

#[cfg(feature = "serde")]
fn integrals<T>(
    spec: &Reader<'_>,
    key: &str,
    orbitals: impl Fn(Reader<'_>) -> Result<T>,
) -> Result<Vec<(T, f64)>> {
    let reader = spec.key(key)?;
    let (values, indices) = (reader.numbers()?, spec.key(&format!("{key}_indices"))?.items()?);
    if values.len() != indices.len() {
        return reader.wrong_len(values.len(), indices.len(), "one an integral");
    }
    indices.zip(values).map(|(item, value)| Ok((orbitals(item)?, value))).collect()
}

/// A pair in both orders, once if they are the same.
fn both_ways([p, q]: [usize; 2]) -> impl Iterator<Item = [usize; 2]> {
    [[p, q], [q, p]].into_iter().take(if p == q { 1 } else { 2 })
}

/// The order of its indices under which an integral is listed.
fn one_body_order([p, q]: [usize; 2]) -> [usize; 2] {
    [p.max(q), p.min(q)]
}

/// The order of its indices under which an integral is listed.
fn two_body_order([p, q, r, s]: [usize; 4]) -> [usize; 4] {
    let (first, second) = (one_body_order([p, q]), one_body_order([r, s]));
    let ([p, q], [r, s]) = (first.max(second), first.min(second));
    [p, q, r, s]
}

/// The integrals that are distinct by symmetry, each in its order.
fn distinct<const N: usize>(
    n_orbitals: usize,
    integrals: impl IntoIterator<Item = ([usize; N], f64)>,
    order: fn([usize; N]) -> [usize; N],
) -> Result<BTreeMap<[usize; N], f64>> {
    let mut distinct = BTreeMap::new();
    for (indices, value) in integrals {
        if let Some(orbital) = indices.iter().find(|&&orbital| orbital >= n_orbitals) {
            return Err(Error::Integrals(format!(
                "integral {indices:?} names orbital {orbital}; there are {n_orbitals}, numbered from 0"
            )));
        }
        let known = *distinct.entry(order(indices)).or_insert(value);
        if (known - value).abs() > SYMMETRY * known.abs().max(value.abs()).max(1.0) {
            return Err(Error::Integrals(format!(
                "integral {indices:?} is {value}, but {known} with its orbitals in another order; \
                 integrals of real orbitals do not depend on it"
            )));
        }
    }
    Ok(distinct)
}

impl<const N: usize> From<BTreeMap<[usize; N], f64>> for Integrals<N> {
    fn from(distinct: BTreeMap<[usize; N], f64>) -> Self {
        let (indices, values) = distinct.into_iter().unzip();
        Integrals { indices, values }
    }
}
