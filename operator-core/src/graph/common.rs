//! Common lattices and graphs.

use super::lattice::MAX_DIRECTIONS;
use super::{Boundary, Graph, Lattice, check_size};
use crate::error::{Error, Result};

/// Height of an equilateral triangle with sides of length 1, `√3 / 2`.
fn triangle_height() -> f64 {
    3_f64.sqrt() / 2.0
}

/// Two vectors of length 1 at an angle of 60°.
fn triangular_basis() -> [[f64; 2]; 2] {
    [[1.0, 0.0], [0.5, triangle_height()]]
}

/// Common lattices. Set neighbour orders and boundaries before you build the graph.
impl Lattice {
    /// A chain of `n` sites at distance 1.
    pub fn chain(n: usize) -> Self {
        Self::grid([n])
    }

    /// A square lattice of `extents[0] × extents[1]` sites with nearest neighbours at distance 1.
    ///
    /// ```
    /// use operator_core::graph::{Boundary, Lattice};
    ///
    /// let cylinder = Lattice::square([6, 4]).boundaries([Boundary::Open, Boundary::Periodic]).build()?;
    /// assert_eq!(cylinder.n_edges(), 5 * 4 + 6 * 4);
    /// # Ok::<(), operator_core::Error>(())
    /// ```
    pub fn square(extents: [usize; 2]) -> Self {
        Self::grid(extents)
    }

    /// A hypercubic lattice with one dimension for each extent, and sites at distance 1.
    pub fn grid(extents: impl Into<Vec<usize>>) -> Self {
        let extents = extents.into();
        // A basis with a huge number of directions would not fit into memory; `build` rejects that number.
        let d = if extents.len() <= MAX_DIRECTIONS { extents.len() } else { 0 };
        Self::new((0..d).map(|direction| unit_vector(d, direction)), extents)
    }

    /// A triangular lattice with six nearest neighbours to a site, at distance 1.
    ///
    /// The basis vectors are `(1, 0)` and `(1/2, √3/2)`.
    pub fn triangular(extents: [usize; 2]) -> Self {
        Self::new(triangular_basis(), extents)
    }

    /// A honeycomb lattice of `2 · extents[0] · extents[1]` sites, with three nearest neighbours to a site.
    ///
    /// The basis vectors are `(1, 0)` and `(1/2, √3/2)`; nearest neighbours are at distance `1/√3`.
    pub fn honeycomb(extents: [usize; 2]) -> Self {
        let third = triangle_height() / 3.0;
        Self::new(triangular_basis(), extents).site_offsets([[0.5, third], [1.0, 2.0 * third]])
    }

    /// A kagome lattice of `3 · extents[0] · extents[1]` sites, with four nearest neighbours to a site.
    ///
    /// The basis vectors are `(1, 0)` and `(1/2, √3/2)`; nearest neighbours are at distance `1/2`.
    pub fn kagome(extents: [usize; 2]) -> Self {
        let half_height = triangle_height() / 2.0;
        Self::new(triangular_basis(), extents).site_offsets([[0.0, 0.0], [0.5, 0.0], [0.25, half_height]])
    }
}

fn unit_vector(d: usize, direction: usize) -> Vec<f64> {
    let mut vector = vec![0.0; d];
    vector[direction] = 1.0;
    vector
}

/// Common graphs, with nearest-neighbour edges of colour 0. Use [`Lattice`] for further neighbours, or for
/// boundaries that differ between directions.
impl Graph {
    /// A chain of `n` sites. A periodic chain of two sites has one edge.
    ///
    /// ```
    /// use operator_core::graph::{Boundary, Graph};
    ///
    /// let chain = Graph::chain(4, Boundary::Open)?;
    /// assert_eq!(chain.edges(), [[0, 1], [1, 2], [2, 3]]);
    /// # Ok::<(), operator_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// As for [`Lattice::build`]. In particular, `n` is 0, or 1 for a periodic chain.
    pub fn chain(n: usize, boundary: Boundary) -> Result<Self> {
        Lattice::chain(n).boundary(boundary).build()
    }

    /// A square lattice of `l × l` sites.
    ///
    /// # Errors
    /// As for [`Lattice::build`]. In particular, `l` is 0, or 1 for a periodic lattice.
    pub fn square(l: usize, boundary: Boundary) -> Result<Self> {
        Lattice::square([l, l]).boundary(boundary).build()
    }

    /// A hypercubic lattice with one dimension for each extent.
    ///
    /// # Errors
    /// As for [`Lattice::build`]. In particular, an extent is 0, or 1 for a periodic lattice.
    pub fn grid(extents: &[usize], boundary: Boundary) -> Result<Self> {
        Lattice::grid(extents).boundary(boundary).build()
    }

    /// A hypercubic lattice with an extent and a boundary for each dimension.
    ///
    /// ```
    /// use operator_core::graph::{Boundary, Graph};
    ///
    /// let ladder = Graph::grid_with(&[(8, Boundary::Periodic), (2, Boundary::Open)])?;
    /// assert_eq!(ladder.n_edges(), 16 + 8);
    /// # Ok::<(), operator_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// As for [`Lattice::build`]. In particular, an extent is 0, or 1 in a periodic direction.
    pub fn grid_with(directions: &[(usize, Boundary)]) -> Result<Self> {
        let (extents, boundaries): (Vec<usize>, Vec<Boundary>) = directions.iter().copied().unzip();
        Lattice::grid(extents).boundaries(boundaries).build()
    }

    /// A hypercubic lattice of `l` sites along each of `dims` directions.
    ///
    /// # Errors
    /// As for [`Lattice::build`]. In particular, `dims` is 0 or above 32, or `l` is 0, or 1 if periodic.
    pub fn hypercube(l: usize, dims: usize, boundary: Boundary) -> Result<Self> {
        if dims > MAX_DIRECTIONS {
            return Err(Error::Lattice(format!("{dims} directions; give between 1 and {MAX_DIRECTIONS}")));
        }
        Lattice::grid(vec![l; dims]).boundary(boundary).build()
    }

    /// A triangular lattice of `extents[0] × extents[1]` sites.
    ///
    /// # Errors
    /// As for [`Lattice::build`]. In particular, an extent is 0, or 1 for a periodic lattice.
    pub fn triangular(extents: [usize; 2], boundary: Boundary) -> Result<Self> {
        Lattice::triangular(extents).boundary(boundary).build()
    }

    /// A honeycomb lattice of `extents[0] × extents[1]` cells of two sites.
    ///
    /// # Errors
    /// As for [`Lattice::build`]. In particular, an extent is 0.
    pub fn honeycomb(extents: [usize; 2], boundary: Boundary) -> Result<Self> {
        Lattice::honeycomb(extents).boundary(boundary).build()
    }

    /// A honeycomb lattice of `extents[0] × extents[1]` cells of two sites. Edges are coloured by direction, as
    /// [`KitaevHoneycomb`](crate::KitaevHoneycomb) needs them.
    ///
    /// Colour 0 marks the x bonds, within a cell. Colour 1 marks the y bonds, to the previous cell along the
    /// first basis vector. Colour 2 marks the z bonds, to the previous cell along the second basis vector. From
    /// the first site of a cell they lead to `(1/2, √3/6)`, `(−1/2, √3/6)` and `(0, −1/√3)`.
    ///
    /// # Errors
    /// As for [`Lattice::build`]. In particular, an extent is 0.
    pub fn kitaev_honeycomb(extents: [usize; 2], boundary: Boundary) -> Result<Self> {
        Lattice::honeycomb(extents).color_by_direction().boundary(boundary).build()
    }

    /// A kagome lattice of `extents[0] × extents[1]` cells of three sites.
    ///
    /// # Errors
    /// As for [`Lattice::build`]. In particular, an extent is 0.
    pub fn kagome(extents: [usize; 2], boundary: Boundary) -> Result<Self> {
        Lattice::kagome(extents).boundary(boundary).build()
    }

    /// The complete graph: an edge between each two of `n` sites.
    ///
    /// # Errors
    /// [`Error::TooLarge`] if the edges would not fit into memory.
    pub fn complete(n: usize) -> Result<Self> {
        let sites = n as f64;
        check_size(sites, sites * (sites - 1.0) / 2.0)?;
        Self::from_edges(n, (0..n).flat_map(|i| (i + 1..n).map(move |j| [i, j])))
    }
}

#[cfg(test)]
mod tests {
    use super::Boundary::{Open, Periodic};
    use super::*;

    /// Neighbours of each order for each site; they must be the same for all sites.
    fn coordination(lattice: Lattice, n_orders: usize) -> Vec<usize> {
        let graph = lattice.neighbors(n_orders).build().unwrap();
        let mut counts = vec![vec![0; n_orders]; graph.n_nodes()];
        for (edge, &color) in graph.edges().iter().zip(graph.edge_colors()) {
            for &site in edge {
                counts[site][color] += 1;
            }
        }
        assert!(counts.iter().all(|count| *count == counts[0]));
        counts.swap_remove(0)
    }

    #[test]
    fn chain_has_as_many_edges_as_links() {
        assert_eq!(Graph::chain(5, Periodic).unwrap().edges(), [[0, 1], [0, 4], [1, 2], [2, 3], [3, 4]]);
        assert_eq!(Graph::chain(5, Open).unwrap().n_edges(), 4);
        assert_eq!(Graph::chain(1, Open).unwrap().n_edges(), 0);
    }

    #[test]
    fn periodic_chain_of_two_has_one_edge() {
        assert_eq!(Graph::chain(2, Periodic).unwrap().edges(), [[0, 1]]);
    }

    #[test]
    fn chains_too_short_are_refused() {
        assert!(matches!(Graph::chain(0, Open), Err(Error::Lattice(_))));
        assert!(matches!(Graph::chain(1, Periodic), Err(Error::Lattice(_))));
    }

    #[test]
    fn square_lattice_neighbors_are_four_at_each_of_the_first_three_orders() {
        assert_eq!(coordination(Lattice::square([6, 5]), 3), [4, 4, 4]);
    }

    #[test]
    fn triangular_lattice_neighbors_are_six_at_each_of_the_first_three_orders() {
        assert_eq!(coordination(Lattice::triangular([6, 5]), 3), [6, 6, 6]);
    }

    #[test]
    fn honeycomb_neighbors_are_three_six_three() {
        assert_eq!(coordination(Lattice::honeycomb([5, 4]), 3), [3, 6, 3]);
    }

    /// The third shortest distance is a lattice vector; all six shortest distances join sites of one
    /// sublattice.
    #[test]
    fn kagome_neighbors_are_four_four_six() {
        assert_eq!(coordination(Lattice::kagome([5, 4]), 3), [4, 4, 6]);
    }

    #[test]
    fn honeycomb_directions_are_the_vectors_they_are_said_to_be() {
        let lattice = Lattice::honeycomb([3, 4]).color_by_direction().boundary(Open);
        let (graph, positions) = (lattice.build().unwrap(), lattice.positions().unwrap());
        let h = 3_f64.sqrt() / 6.0;
        let expected = [[0.5, h], [-0.5, h], [0.0, -2.0 * h]];
        for (edge, &color) in graph.edges().iter().zip(graph.edge_colors()) {
            // The first site of each cell has an even number.
            let [a, b] = if edge[0] % 2 == 0 { *edge } else { [edge[1], edge[0]] };
            for axis in 0..2 {
                let along = positions[b][axis] - positions[a][axis];
                assert!((along - expected[color][axis]).abs() < 1e-12, "{edge:?} of colour {color}");
            }
        }
        let torus = Graph::kitaev_honeycomb([2, 3], Periodic).unwrap();
        assert!((0..3).all(|color| torus.edges_of_color(color).count() == 6));
        assert!((0..12).all(|site| torus.neighbors(site).len() == 3));
    }

    #[test]
    fn sites_joined_in_two_directions_have_an_edge_of_each() {
        let torus = Graph::kitaev_honeycomb([1, 3], Periodic).unwrap();
        assert_eq!([0, 1, 2].map(|color| torus.edges_of_color(color).count()), [3, 3, 3]);
        assert!(torus.edges_of_color(0).eq(torus.edges_of_color(1)));
        // The bonds to the left and to the right have one direction, so they are one edge.
        let ladder = Lattice::square([2, 3]).color_by_direction().build().unwrap();
        assert_eq!(ladder.edges_of_color(1).count(), 3);
    }

    #[test]
    fn kagome_has_coordination_four() {
        let graph = Graph::kagome([3, 3], Periodic).unwrap();
        assert_eq!((graph.n_nodes(), graph.n_edges()), (27, 54));
        assert!((0..27).all(|site| graph.neighbors(site).len() == 4));
    }

    #[test]
    fn hypercubic_lattices_have_two_neighbors_a_dimension() {
        for d in 1..=4 {
            let graph = Graph::hypercube(3, d, Periodic).unwrap();
            assert_eq!(graph.n_nodes(), 3_usize.pow(d as u32));
            assert!((0..graph.n_nodes()).all(|site| graph.neighbors(site).len() == 2 * d));
        }
    }

    #[test]
    fn open_hypercube_of_two_has_the_edges_of_the_polytope() {
        let tesseract = Graph::hypercube(2, 4, Open).unwrap();
        assert_eq!((tesseract.n_nodes(), tesseract.n_edges()), (16, 32));
        assert_eq!(Graph::hypercube(2, 4, Periodic).unwrap(), tesseract);
        assert_eq!(Graph::hypercube(2, 10, Open).unwrap().n_edges(), 10 * 512);
    }

    #[test]
    fn grid_directions_may_differ_in_extent_and_boundary() {
        let graph = Graph::grid_with(&[(3, Open), (4, Periodic), (2, Periodic)]).unwrap();
        assert_eq!(graph.n_edges(), 2 * 4 * 2 + 3 * 4 * 2 + 3 * 4);
        assert_eq!(Graph::grid(&[3, 3], Open).unwrap(), Graph::square(3, Open).unwrap());
    }

    #[test]
    fn open_lattices_lose_the_bonds_across_their_ends() {
        assert_eq!(Graph::square(4, Open).unwrap().n_edges(), 24);
        // 3 · 2 bonds along each basis vector and 2 · 2 along their difference.
        assert_eq!(Graph::triangular([3, 3], Open).unwrap().n_edges(), 6 + 6 + 4);
        // One bond in each of the 9 cells, 6 to the next cell along each basis vector.
        assert_eq!(Graph::honeycomb([3, 3], Open).unwrap().n_edges(), 9 + 6 + 6);
        // Three bonds in each of the 9 cells, and 6, 6 and 4 between cells as on the triangular lattice.
        assert_eq!(Graph::kagome([3, 3], Open).unwrap().n_edges(), 27 + 6 + 6 + 4);
    }

    #[test]
    fn square_lattice_is_bipartite_unless_odd_and_periodic() {
        assert!(Graph::square(4, Periodic).unwrap().is_bipartite());
        assert!(!Graph::square(3, Periodic).unwrap().is_bipartite());
        assert!(Graph::square(3, Open).unwrap().is_bipartite());
        assert!(!Graph::grid(&[4, 5], Periodic).unwrap().is_bipartite());
    }

    #[test]
    fn honeycomb_is_bipartite_and_triangular_and_kagome_are_not() {
        for boundary in [Open, Periodic] {
            assert!(Graph::honeycomb([3, 4], boundary).unwrap().is_bipartite());
            assert!(!Graph::triangular([4, 4], boundary).unwrap().is_bipartite());
            assert!(!Graph::kagome([4, 4], boundary).unwrap().is_bipartite());
        }
    }

    #[test]
    fn common_lattices_are_connected() {
        for boundary in [Open, Periodic] {
            assert!(Graph::chain(7, boundary).unwrap().is_connected());
            assert!(Graph::square(3, boundary).unwrap().is_connected());
            assert!(Graph::triangular([3, 4], boundary).unwrap().is_connected());
            assert!(Graph::honeycomb([3, 4], boundary).unwrap().is_connected());
            assert!(Graph::kagome([3, 4], boundary).unwrap().is_connected());
        }
    }

    #[test]
    fn complete_graph_joins_every_pair() {
        let graph = Graph::complete(6).unwrap();
        assert_eq!(graph.n_edges(), 15);
        assert_eq!(graph.neighbors(2), [0, 1, 3, 4, 5]);
        assert_eq!(Graph::complete(0).unwrap().n_edges(), 0);
    }

    #[test]
    fn absurd_sizes_are_errors_rather_than_panics() {
        assert!(matches!(Graph::complete(usize::MAX), Err(Error::TooLarge { .. })));
        assert!(matches!(Graph::chain(usize::MAX, Open), Err(Error::TooLarge { .. })));
        assert!(matches!(Graph::hypercube(2, usize::MAX, Open), Err(Error::Lattice(_))));
        assert!(matches!(Graph::hypercube(1 << 20, 32, Open), Err(Error::TooLarge { .. })));
        assert!(matches!(Graph::grid(&[1; 100_000], Open), Err(Error::Lattice(_))));
        assert!(matches!(Graph::grid(&[], Open), Err(Error::Lattice(_))));
    }
}
