//! What several models ask of their space and their graph.

use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::hilbert::{HilbertSpace, SpinOrbitalFermions};

/// Checks that a graph has the sites of a space.
pub(super) fn check_graph(hilbert: &HilbertSpace, graph: &Graph) -> Result<()> {
    if graph.n_nodes() != hilbert.n_sites() {
        return Err(Error::Count {
            what: "sites of the graph".into(),
            got: graph.n_nodes(),
            expected: format!("{} as {hilbert} has", hilbert.n_sites()),
        });
    }
    Ok(())
}

/// Checks that a graph has the orbitals of a space.
pub(super) fn check_orbital_graph(hilbert: &SpinOrbitalFermions, graph: &Graph) -> Result<()> {
    if graph.n_nodes() != hilbert.n_orbitals() {
        return Err(Error::Count {
            what: "sites of the graph".into(),
            got: graph.n_nodes(),
            expected: format!("{} as {hilbert} has orbitals", hilbert.n_orbitals()),
        });
    }
    Ok(())
}

/// Checks that all sites have two local states.
pub(super) fn check_two_level(hilbert: &HilbertSpace, model: &'static str) -> Result<()> {
    if hilbert.is_two_level() && !hilbert.factors().iter().any(HilbertSpace::is_fermionic) {
        return Ok(());
    }
    Err(Error::WrongHilbert {
        term: model.into(),
        hilbert: hilbert.to_string(),
        reason: "it is written in Pauli matrices, for spins 1/2 or qubits",
    })
}

/// The fermions of a space.
pub(super) fn fermions(hilbert: HilbertSpace, model: &'static str) -> Result<SpinOrbitalFermions> {
    match hilbert {
        HilbertSpace::SpinOrbitalFermions(space) => Ok(space),
        other => Err(Error::WrongHilbert {
            term: model.into(),
            hilbert: other.to_string(),
            reason: "its sites are not fermion modes",
        }),
    }
}

/// The fermions of a space, if they have spin 1/2.
pub(super) fn electrons(hilbert: HilbertSpace, model: &'static str) -> Result<SpinOrbitalFermions> {
    let space = fermions(hilbert, model)?;
    match space.s() {
        Some(0.5) => Ok(space),
        _ => Err(Error::WrongHilbert {
            term: model.into(),
            hilbert: space.to_string(),
            reason: "its fermions need spin 1/2, as SpinOrbitalFermions::with_spin(n_orbitals, 0.5) has",
        }),
    }
}
