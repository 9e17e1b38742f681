//! The graphs of models from and to JSON.

use serde_json::{Value, json};

use super::reader::Reader;
use crate::error::Result;
use crate::graph::Graph;
use crate::hilbert::HilbertSpace;

/// A graph as an object of its edges, and its colours if they tell edges apart.
pub(crate) fn graph_to_json(graph: &Graph) -> Value {
    let mut spec = json!({ "edges": graph.edges() });
    let shown = graph.edge_colors().iter().max().map_or(0, |highest| highest + 1);
    if shown > 1 {
        spec["edge_colors"] = graph.edge_colors().into();
    }
    if graph.n_colors() > shown {
        spec["n_colors"] = graph.n_colors().into();
    }
    spec
}

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

fn graph_of(spec: &Reader<'_>, n_nodes: usize) -> Result<Graph> {
    let edges = spec.key("edges")?;
    let edges = edges.items()?.map(|edge| edge.pair()).collect::<Result<Vec<_>>>()?;
    let colors = match spec.optional("edge_colors")? {
        Some(reader) => {
            let colors = reader.counts()?;
            if colors.len() != edges.len() {
                return reader.wrong_len(colors.len(), edges.len(), "one an edge");
            }
            colors
        }
        None => vec![0; edges.len()],
    };
    let graph = Graph::from_colored_edges(n_nodes, edges.into_iter().zip(colors))?;
    match spec.optional("n_colors")? {
        Some(n_colors) => graph.with_n_colors(n_colors.count()?),
        None => Ok(graph),
    }
}
