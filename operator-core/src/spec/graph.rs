//! Reads the graphs of models from JSON.

use super::reader::Reader;
use crate::error::Result;
use crate::graph::Graph;
use crate::hilbert::HilbertSpace;

/// A graph whose nodes are the sites of a space.
pub(crate) fn graph(spec: &Reader<'_>, hilbert: &HilbertSpace) -> Result<Graph> {
    graph_of(spec, hilbert.n_sites())
}

/// A graph whose sites are orbitals.
pub(crate) fn orbital_graph(spec: &Reader<'_>, hilbert: &HilbertSpace) -> Result<Graph> {
    match hilbert {
        HilbertSpace::SpinOrbitalFermions(space) => graph_of(spec, space.n_orbitals()),
        other => graph(spec, other),
    }
}

/// The same with colours, if they are given.
pub(crate) fn colored_graph(spec: &Reader<'_>, hilbert: &HilbertSpace) -> Result<Graph> {
    let graph = graph(spec, hilbert)?;
    match spec.optional("edge_colors")? {
        Some(colors) => graph.with_colors(colors.counts()?),
        None => Ok(graph),
    }
}

fn graph_of(spec: &Reader<'_>, n_nodes: usize) -> Result<Graph> {
    let edges = spec.key("edges")?.items()?.map(|edge| edge.pair()).collect::<Result<Vec<_>>>()?;
    Graph::from_edges(n_nodes, edges)
}
