//! Graphs of sites and coloured edges, and the lattices that usually build them.
//!
//! - [`Graph`]: sites `0..n` and undirected edges, each with a colour.
//! - [`Lattice`]: builds the graph of a Bravais lattice with a basis, up to any neighbour order.
//! - [`PermutationGroup`]: symmetries of a graph, such as the translations of a lattice.
//! - [`Boundary`]: whether a direction of a lattice is open or periodic.
//!
//! ```
//! use operator_core::graph::{Boundary, Graph, Lattice};
//!
//! let square = Graph::square(4, Boundary::Periodic)?;
//! assert_eq!(square.to_string(), "Graph(16 sites, 32 edges, 1 colour)");
//!
//! // Nearest neighbours have colour 0, next-nearest neighbours colour 1.
//! let j1_j2 = Lattice::square([4, 4]).neighbors(2).build()?;
//! assert_eq!(j1_j2.edges_of_color(1).count(), 32);
//! # Ok::<(), operator_core::Error>(())
//! ```

mod common;
mod lattice;
mod permutations;
mod stencil;

use std::fmt;
use std::sync::Arc;

pub use lattice::{Boundary, Lattice};
pub use permutations::PermutationGroup;

use crate::error::{Error, Result};
use crate::memory;

/// Bytes for one site: its range in the adjacency list, and a cursor while that list is filled.
const BYTES_PER_SITE: f64 = 16.0;
/// Bytes for one edge: its ends and colour, both as collected and as stored, and two neighbours.
const BYTES_PER_EDGE: f64 = 64.0;
/// Highest colour. On any machine that holds the graph, there is room for a list with an entry for each colour.
const MAX_COLOR: usize = (u32::MAX - 1) as usize;

/// An undirected graph whose edges carry colours.
///
/// Sites are numbered from 0. Edges keep the order and direction in which they were given. Colours distinguish
/// kinds of edges, such as nearest and next-nearest neighbours, so that each kind can have its own coupling. Two
/// sites may share an edge of each colour; a sum over edges then counts the pair once a colour. Clones share
/// memory.
///
/// ```
/// use operator_core::graph::Graph;
///
/// let triangle = Graph::from_edges(3, [[0, 1], [1, 2], [2, 0]])?;
/// assert_eq!(triangle.neighbors(0), [1, 2]);
/// assert!(!triangle.is_bipartite());
/// # Ok::<(), operator_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Graph {
    inner: Arc<Inner>,
}

#[derive(Debug, PartialEq, Eq)]
struct Inner {
    edges: Vec<[usize; 2]>,
    colors: Vec<usize>,
    n_colors: usize,
    adjacency: Adjacency,
}

impl Graph {
    /// A graph of `n_nodes` sites with these edges, all with colour 0.
    ///
    /// # Errors
    /// As for [`from_colored_edges`](Self::from_colored_edges).
    pub fn from_edges(n_nodes: usize, edges: impl IntoIterator<Item = [usize; 2]>) -> Result<Self> {
        Self::from_colored_edges(n_nodes, edges.into_iter().map(|edge| (edge, 0)))
    }

    /// A graph of `n_nodes` sites with these edges and their colours.
    ///
    /// ```
    /// use operator_core::graph::Graph;
    ///
    /// let dimers = Graph::from_colored_edges(4, [([0, 1], 0), ([2, 1], 1), ([2, 3], 0)])?;
    /// assert_eq!(dimers.edges(), [[0, 1], [2, 1], [2, 3]]);
    /// assert_eq!(dimers.edge_colors(), [0, 1, 0]);
    /// # Ok::<(), operator_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// - [`Error::EdgeOutOfRange`]: an edge names a site that is not below `n_nodes`.
    /// - [`Error::SelfLoop`]: an edge joins a site to itself.
    /// - [`Error::DuplicateEdge`]: two edges of one colour join the same sites, in either direction.
    /// - [`Error::EdgeColor`]: a colour does not fit into 32 bits.
    /// - [`Error::TooLarge`]: the sites would not fit into memory.
    pub fn from_colored_edges(
        n_nodes: usize,
        edges: impl IntoIterator<Item = ([usize; 2], usize)>,
    ) -> Result<Self> {
        check_size(n_nodes as f64, 0.0)?;
        let (edges, colors) = collect_checked(n_nodes, edges)?;
        let mut adjacency = Adjacency::new(n_nodes, &edges);
        if adjacency.merge_repeated() {
            check_distinct(&edges, &colors)?;
        }
        Ok(Self::from_parts(edges, colors, adjacency))
    }

    /// The same sites and edges with new colours, one for each edge.
    ///
    /// ```
    /// use operator_core::graph::{Boundary, Graph};
    ///
    /// let alternating = Graph::chain(4, Boundary::Open)?.with_colors([0, 1, 0])?;
    /// assert_eq!(alternating.n_colors(), 2);
    /// # Ok::<(), operator_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// - [`Error::ColorCount`]: the numbers of colours and edges differ.
    /// - [`Error::EdgeColor`]: a colour does not fit into 32 bits.
    /// - [`Error::DuplicateEdge`]: two edges between the same sites get the same colour.
    pub fn with_colors(&self, colors: impl Into<Vec<usize>>) -> Result<Self> {
        let colors = colors.into();
        if colors.len() != self.n_edges() {
            return Err(Error::ColorCount { n_colors: colors.len(), n_edges: self.n_edges() });
        }
        for (&edge, &color) in self.edges().iter().zip(&colors) {
            check_color(edge, color)?;
        }
        if self.inner.adjacency.neighbors.len() < 2 * self.n_edges() {
            check_distinct(self.edges(), &colors)?;
        }
        Ok(Self::from_parts(self.inner.edges.clone(), colors, self.inner.adjacency.clone()))
    }

    /// The same graph with `n_colors` colours, some of which may have no edge.
    ///
    /// A coupling with one value a colour then has this many values.
    ///
    /// ```
    /// use operator_core::graph::{Boundary, Graph};
    ///
    /// let pair = Graph::chain(2, Boundary::Open)?.with_n_colors(2)?;
    /// assert_eq!(pair.edges_of_color(1).count(), 0);
    /// assert_eq!(pair.n_colors(), 2);
    /// # Ok::<(), operator_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Count`] if an edge has a higher colour, or for more than 2^32 − 1 colours.
    pub fn with_n_colors(&self, n_colors: usize) -> Result<Self> {
        let used = self.inner.colors.iter().max().map_or(0, |highest| highest + 1);
        if n_colors < used || n_colors > MAX_COLOR + 1 {
            return Err(Error::Count {
                what: "edge colours".into(),
                got: n_colors,
                expected: format!("{used} to {}, as the edges have colours below {used}", MAX_COLOR + 1),
            });
        }
        let Inner { edges, colors, adjacency, .. } = &*self.inner;
        let (edges, colors, adjacency) = (edges.clone(), colors.clone(), adjacency.clone());
        Ok(Graph { inner: Arc::new(Inner { edges, colors, n_colors, adjacency }) })
    }

    /// Number of sites.
    pub fn n_nodes(&self) -> usize {
        self.inner.adjacency.n_nodes()
    }

    /// Number of edges.
    pub fn n_edges(&self) -> usize {
        self.inner.edges.len()
    }

    /// The edges, in the order and direction in which they were given.
    pub fn edges(&self) -> &[[usize; 2]] {
        &self.inner.edges
    }

    /// The colour of each edge, in the order of [`edges`](Self::edges).
    pub fn edge_colors(&self) -> &[usize] {
        &self.inner.colors
    }

    /// Number of colours. It is the highest colour plus one, unless [`with_n_colors`](Self::with_n_colors) or a
    /// [`Lattice`] set it.
    pub fn n_colors(&self) -> usize {
        self.inner.n_colors
    }

    /// The edges of one colour, in order; empty if no edge has this colour.
    pub fn edges_of_color(&self, color: usize) -> impl Iterator<Item = [usize; 2]> {
        let colored = self.inner.edges.iter().zip(&self.inner.colors);
        colored.filter(move |&(_, &c)| c == color).map(|(&edge, _)| edge)
    }

    /// The sites that share an edge with `site`, in ascending order; empty if there is no such site.
    pub fn neighbors(&self, site: usize) -> &[usize] {
        self.inner.adjacency.neighbors(site)
    }

    /// Whether the sites split into two groups such that every edge joins one group to the other.
    pub fn is_bipartite(&self) -> bool {
        let mut side = vec![None; self.n_nodes()];
        (0..self.n_nodes()).all(|start| side[start].is_some() || self.splits_in_two(start, &mut side))
    }

    /// Whether every site can be reached from every other. True for a graph without sites.
    pub fn is_connected(&self) -> bool {
        let mut side = vec![None; self.n_nodes()];
        if self.n_nodes() > 0 {
            self.splits_in_two(0, &mut side);
        }
        side.iter().all(Option::is_some)
    }

    /// Puts each site reached from `start` on the side opposite to its predecessor. Returns whether no edge
    /// joins two sites of one side.
    fn splits_in_two(&self, start: usize, side: &mut [Option<bool>]) -> bool {
        let mut consistent = true;
        let mut pending = vec![(start, false)];
        side[start] = Some(false);
        while let Some((site, own)) = pending.pop() {
            for &neighbor in self.neighbors(site) {
                match side[neighbor] {
                    Some(other) => consistent &= other != own,
                    None => {
                        side[neighbor] = Some(!own);
                        pending.push((neighbor, !own));
                    }
                }
            }
        }
        consistent
    }

    /// A graph from parts that are known to be consistent.
    fn from_parts(edges: Vec<[usize; 2]>, colors: Vec<usize>, adjacency: Adjacency) -> Self {
        let n_colors = colors.iter().max().map_or(0, |highest| highest + 1);
        Graph { inner: Arc::new(Inner { edges, colors, n_colors, adjacency }) }
    }
}

impl fmt::Display for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sites = counted(self.n_nodes(), "site");
        let edges = counted(self.n_edges(), "edge");
        let colors = counted(self.n_colors(), "colour");
        write!(f, "Graph({sites}, {edges}, {colors})")
    }
}

/// "1 site", "2 sites".
fn counted(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

/// Rejects graphs that would exhaust memory. The counts are floats because their products may overflow.
fn check_size(n_sites: f64, n_edges: f64) -> Result<()> {
    let bytes = n_sites * BYTES_PER_SITE + n_edges * BYTES_PER_EDGE;
    memory::expect_fits(|| format!("a graph of {n_sites} sites"), bytes, "use fewer sites")
}

/// Separates edges and colours, and checks each edge on its own.
fn collect_checked(
    n_nodes: usize,
    colored_edges: impl IntoIterator<Item = ([usize; 2], usize)>,
) -> Result<(Vec<[usize; 2]>, Vec<usize>)> {
    colored_edges
        .into_iter()
        .map(|(edge, color)| {
            check_ends(n_nodes, edge)?;
            check_color(edge, color)?;
            Ok((edge, color))
        })
        .collect()
}

fn check_ends(n_nodes: usize, [from, to]: [usize; 2]) -> Result<()> {
    if from >= n_nodes || to >= n_nodes {
        return Err(Error::EdgeOutOfRange { from, to, n_nodes });
    }
    if from == to {
        return Err(Error::SelfLoop { site: from });
    }
    Ok(())
}

/// Checks that no two edges of one colour join the same sites.
fn check_distinct(edges: &[[usize; 2]], colors: &[usize]) -> Result<()> {
    let key = |(&[a, b], &color): (&[usize; 2], &usize)| (a.min(b), a.max(b), color);
    let mut keys: Vec<_> = edges.iter().zip(colors).map(key).collect();
    keys.sort_unstable();
    match keys.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(&[(from, to, color), _]) => Err(Error::DuplicateEdge { from, to, color }),
        _ => Ok(()),
    }
}

fn check_color([from, to]: [usize; 2], color: usize) -> Result<()> {
    if color > MAX_COLOR {
        return Err(Error::EdgeColor { from, to, color, highest: MAX_COLOR });
    }
    Ok(())
}

/// The neighbours of every site, in one list.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Adjacency {
    /// `neighbors[starts[i]..starts[i + 1]]` are the neighbours of site `i`.
    starts: Vec<usize>,
    neighbors: Vec<usize>,
}

impl Adjacency {
    fn new(n_nodes: usize, edges: &[[usize; 2]]) -> Self {
        let starts = Self::starts(n_nodes, edges);
        let mut cursors = starts.clone();
        let mut neighbors = vec![0; 2 * edges.len()];
        for &[from, to] in edges {
            for (site, neighbor) in [(from, to), (to, from)] {
                neighbors[cursors[site]] = neighbor;
                cursors[site] += 1;
            }
        }
        for range in starts.windows(2) {
            neighbors[range[0]..range[1]].sort_unstable();
        }
        Adjacency { starts, neighbors }
    }

    /// Running sum of the number of edges at each site.
    fn starts(n_nodes: usize, edges: &[[usize; 2]]) -> Vec<usize> {
        let mut starts = vec![0; n_nodes + 1];
        for &site in edges.iter().flatten() {
            starts[site + 1] += 1;
        }
        for site in 0..n_nodes {
            starts[site + 1] += starts[site];
        }
        starts
    }

    fn n_nodes(&self) -> usize {
        self.starts.len() - 1
    }

    fn neighbors(&self, site: usize) -> &[usize] {
        if site >= self.n_nodes() {
            return &[];
        }
        &self.neighbors[self.starts[site]..self.starts[site + 1]]
    }

    /// Lists each neighbour once. Returns whether any was listed more than once, because several edges join the
    /// same sites.
    fn merge_repeated(&mut self) -> bool {
        let (mut kept, mut start) = (0, 0);
        for site in 0..self.n_nodes() {
            let range = start..self.starts[site + 1];
            start = range.end;
            let first = kept;
            for k in range {
                // Neighbours are sorted, so equal ones are adjacent.
                if kept == first || self.neighbors[kept - 1] != self.neighbors[k] {
                    self.neighbors[kept] = self.neighbors[k];
                    kept += 1;
                }
            }
            self.starts[site + 1] = kept;
        }
        let repeated = kept < self.neighbors.len();
        self.neighbors.truncate(kept);
        repeated
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection;
    use proptest::prelude::*;

    #[test]
    fn edges_are_kept_as_given() {
        let edges = [[3, 1], [0, 2], [1, 0]];
        let graph = Graph::from_edges(4, edges).unwrap();
        assert_eq!(graph.edges(), edges);
        assert_eq!(graph.edge_colors(), [0, 0, 0]);
        assert_eq!((graph.n_nodes(), graph.n_edges(), graph.n_colors()), (4, 3, 1));
    }

    #[test]
    fn neighbors_are_symmetric_and_sorted() {
        let graph = Graph::from_edges(4, [[3, 1], [2, 1], [1, 0]]).unwrap();
        assert_eq!(graph.neighbors(1), [0, 2, 3]);
        assert_eq!(graph.neighbors(3), [1]);
        assert!(graph.neighbors(4).is_empty());
        assert!(graph.neighbors(usize::MAX).is_empty());
    }

    #[test]
    fn colors_may_leave_gaps() {
        let graph = Graph::from_colored_edges(3, [([0, 1], 4), ([1, 2], 0)]).unwrap();
        assert_eq!(graph.n_colors(), 5);
        assert_eq!(graph.edges_of_color(4).collect::<Vec<_>>(), [[0, 1]]);
        assert_eq!(graph.edges_of_color(2).count(), 0);
    }

    #[test]
    fn bad_edges_are_refused_by_kind() {
        let refused = |edges: &[[usize; 2]]| Graph::from_edges(3, edges.iter().copied()).unwrap_err();
        assert!(matches!(refused(&[[0, 3]]), Error::EdgeOutOfRange { from: 0, to: 3, n_nodes: 3 }));
        assert!(matches!(refused(&[[usize::MAX, 0]]), Error::EdgeOutOfRange { .. }));
        assert!(matches!(refused(&[[0, 1], [2, 2]]), Error::SelfLoop { site: 2 }));
        assert!(matches!(refused(&[[0, 1], [0, 1]]), Error::DuplicateEdge { from: 0, to: 1, color: 0 }));
        assert!(matches!(refused(&[[0, 1], [1, 2], [1, 0]]), Error::DuplicateEdge { from: 0, to: 1, .. }));
    }

    #[test]
    fn two_sites_may_share_an_edge_of_each_color() {
        let graph = Graph::from_colored_edges(3, [([0, 1], 0), ([1, 2], 0), ([1, 0], 1)]).unwrap();
        assert_eq!((graph.n_edges(), graph.n_colors()), (3, 2));
        assert_eq!((graph.neighbors(0), graph.neighbors(1)), (&[1][..], &[0, 2][..]));
        assert!(graph.is_bipartite());
        let error = graph.with_colors([1, 0, 1]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "edge (0, 1) is listed more than once in colour 1; list each pair of sites once a colour, or give \
             one of the two a colour of its own, so that both count"
        );
        assert_eq!(graph.with_colors([2, 0, 1]).unwrap().n_colors(), 3);
    }

    proptest! {
        /// Whatever the edges and colours, a graph is refused or lists each neighbour once, both ways.
        #[test]
        fn hostile_edges_are_refused_or_make_a_graph(
            n in 0..6_usize,
            edges in collection::vec(([end(), end()], prop_oneof![0..3_usize, Just(usize::MAX)]), 0..8),
            n_colors in prop_oneof![0..4_usize, Just(usize::MAX)],
        ) {
            let Ok(graph) = Graph::from_colored_edges(n, edges.iter().copied()) else { return Ok(()) };
            for site in 0..n {
                let mut expected: Vec<usize> = edges
                    .iter()
                    .filter(|(edge, _)| edge.contains(&site))
                    .map(|([a, b], _)| a + b - site)
                    .collect();
                expected.sort_unstable();
                expected.dedup();
                prop_assert_eq!(graph.neighbors(site), expected);
            }
            prop_assert!(graph.with_colors(vec![0; edges.len() + 1]).is_err());
            let pairs: std::collections::BTreeSet<[usize; 2]> =
                edges.iter().map(|&([a, b], _)| [a.min(b), a.max(b)]).collect();
            prop_assert_eq!(graph.with_colors(vec![0; edges.len()]).is_ok(), pairs.len() == edges.len());
            let highest = edges.iter().map(|&(_, color)| color + 1).max().unwrap_or(0);
            prop_assert_eq!(graph.with_n_colors(n_colors).is_ok(), (highest..=1 << 31).contains(&n_colors));
        }
    }

    fn end() -> impl Strategy<Value = usize> {
        prop_oneof![20 => 0..6_usize, 1 => Just(usize::MAX)]
    }

    #[test]
    fn colors_without_edges_count_where_they_are_asked_for() {
        let pair = Graph::from_edges(2, [[0, 1]]).unwrap();
        assert_eq!(pair.with_n_colors(3).unwrap().n_colors(), 3);
        assert_eq!(
            pair.with_n_colors(0).unwrap_err().to_string(),
            "0 edge colours; expected 1 to 4294967295, as the edges have colours below 1"
        );
        assert!(pair.with_n_colors(usize::MAX).is_err());
    }

    #[test]
    fn absurd_sizes_are_errors_rather_than_panics() {
        assert!(matches!(Graph::from_edges(usize::MAX, []), Err(Error::TooLarge { .. })));
        let error = Graph::from_colored_edges(2, [([0, 1], usize::MAX)]).unwrap_err();
        assert!(matches!(error, Error::EdgeColor { from: 0, to: 1, color: usize::MAX, .. }));
    }

    #[test]
    fn recoloring_keeps_the_edges() {
        let path = Graph::from_edges(3, [[1, 0], [1, 2]]).unwrap();
        let colored = path.with_colors([2, 0]).unwrap();
        assert_eq!(colored.edges(), path.edges());
        assert_eq!(colored.edge_colors(), [2, 0]);
        assert_ne!(colored, path);
        assert!(matches!(path.with_colors([0]), Err(Error::ColorCount { n_colors: 1, n_edges: 2 })));
        assert!(matches!(path.with_colors([0, usize::MAX]), Err(Error::EdgeColor { .. })));
    }

    #[test]
    fn odd_cycles_are_not_bipartite_in_any_component() {
        let path_and_triangle = Graph::from_edges(5, [[0, 1], [2, 3], [3, 4], [4, 2]]).unwrap();
        assert!(!path_and_triangle.is_bipartite());
        let two_paths = Graph::from_edges(5, [[0, 1], [2, 3], [3, 4]]).unwrap();
        assert!(two_paths.is_bipartite());
    }

    #[test]
    fn an_isolated_site_disconnects() {
        assert!(Graph::from_edges(3, [[0, 2], [2, 1]]).unwrap().is_connected());
        assert!(!Graph::from_edges(3, [[0, 1]]).unwrap().is_connected());
    }

    #[test]
    fn graphs_without_edges_are_bipartite() {
        let empty = Graph::from_edges(0, []).unwrap();
        assert!(empty.is_bipartite() && empty.is_connected());
        let single = Graph::from_edges(1, []).unwrap();
        assert!(single.is_bipartite() && single.is_connected());
        assert_eq!(single.n_colors(), 0);
    }

    #[test]
    fn clones_share_memory() {
        let graph = Graph::from_edges(2, [[0, 1]]).unwrap();
        let clone = graph.clone();
        assert!(std::ptr::eq(graph.edges(), clone.edges()));
        assert_eq!(graph, clone);
    }

    #[test]
    fn display_counts_in_singular_and_plural() {
        let graph = Graph::from_edges(2, [[0, 1]]).unwrap();
        assert_eq!(graph.to_string(), "Graph(2 sites, 1 edge, 1 colour)");
        assert_eq!(Graph::from_edges(1, []).unwrap().to_string(), "Graph(1 site, 0 edges, 0 colours)");
    }
}
