//! Hilbert spaces from and to JSON.

use serde_json::{Value, json};

use super::reader::Reader;
use crate::error::{Error, Result};
use crate::hilbert::{Fock, HilbertSpace, Qubit, Spin, SpinOrbitalFermions};

/// A Hilbert space as JSON that [`hilbert_from_json`] reads.
pub fn hilbert_to_json(hilbert: &HilbertSpace) -> Value {
    match hilbert {
        HilbertSpace::Spin(space) => json!({
            "kind": "spin", "s": space.s(), "n": hilbert.n_sites(), "total_sz": space.total_sz(),
        }),
        HilbertSpace::Qubit(_) => json!({ "kind": "qubit", "n": hilbert.n_sites() }),
        HilbertSpace::Fock(space) => json!({
            "kind": "fock", "n_max": space.n_max(), "n": hilbert.n_sites(), "n_particles": space.n_particles(),
        }),
        HilbertSpace::SpinOrbitalFermions(space) => json!({
            "kind": "spin_orbital_fermions",
            "n_orbitals": space.n_orbitals(),
            "s": space.s(),
            "n_fermions": space.n_fermions(),
            "n_fermions_per_spin": space.n_fermions_per_spin(),
        }),
        HilbertSpace::Tensor(space) => json!({
            "kind": "tensor", "factors": space.factors().iter().map(hilbert_to_json).collect::<Vec<_>>(),
        }),
    }
}

/// Reads a Hilbert space in the format of [`spec`](crate::spec).
///
/// # Errors
/// [`Error::Spec`] for a key that is missing or has the wrong type; [`Error::UnknownKey`];
/// [`Error::InvalidHilbert`] for values that define no space.
pub fn hilbert_from_json(value: &Value) -> Result<HilbertSpace> {
    let reader = Reader::new(value, "hilbert");
    let space = read(&reader)?;
    reader.refuse_the_rest("the space")?;
    Ok(space)
}

pub(super) fn read(hilbert: &Reader<'_>) -> Result<HilbertSpace> {
    let kind = hilbert.key("kind")?;
    match kind.str()? {
        "spin" => spin(hilbert),
        "qubit" => Ok(Qubit::new(hilbert.key("n")?.count()?)?.into()),
        "fock" => fock(hilbert),
        "spin_orbital_fermions" => fermions(hilbert),
        "tensor" => {
            let factors = hilbert.key("factors")?.items()?.map(|factor| read(&factor));
            HilbertSpace::tensor(factors.collect::<Result<Vec<_>>>()?)
        }
        _ => kind.wrong("spin, qubit, fock, spin_orbital_fermions or tensor"),
    }
}

fn spin(hilbert: &Reader<'_>) -> Result<HilbertSpace> {
    let space = Spin::new(hilbert.key("s")?.number()?, hilbert.key("n")?.count()?)?;
    match hilbert.optional("total_sz")? {
        Some(total_sz) => Ok(space.with_total_sz(total_sz.number()?)?.into()),
        None => Ok(space.into()),
    }
}

fn fock(hilbert: &Reader<'_>) -> Result<HilbertSpace> {
    let space = Fock::new(hilbert.key("n_max")?.count()?, hilbert.key("n")?.count()?)?;
    match hilbert.optional("n_particles")? {
        Some(n_particles) => Ok(space.with_n_particles(n_particles.count()?)?.into()),
        None => Ok(space.into()),
    }
}

fn fermions(hilbert: &Reader<'_>) -> Result<HilbertSpace> {
    let n_orbitals = hilbert.key("n_orbitals")?.count()?;
    let space = match hilbert.optional("s")? {
        Some(s) => SpinOrbitalFermions::with_spin(n_orbitals, s.number()?)?,
        None => SpinOrbitalFermions::new(n_orbitals)?,
    };
    let per_spin = hilbert.optional("n_fermions_per_spin")?;
    match (hilbert.optional("n_fermions")?, per_spin) {
        (None, None) => Ok(space.into()),
        (Some(n), None) => Ok(space.with_n_fermions(n.count()?)?.into()),
        (None, Some(per_spin)) => Ok(space.with_n_fermions_per_spin(&per_spin.counts()?)?.into()),
        (Some(n), Some(per_spin)) => {
            let (n, per_spin) = (n.count()?, per_spin.counts()?);
            match per_spin.iter().try_fold(0usize, |sum, &n| sum.checked_add(n)) {
                Some(sum) if sum == n => Ok(space.with_n_fermions_per_spin(&per_spin)?.into()),
                _ => Err(Error::Spec(format!(
                    "hilbert.n_fermions is {n}, and hilbert.n_fermions_per_spin {per_spin:?}; give one of them"
                ))),
            }
        }
    }
}
