//! Graphs of Bravais lattices with a basis.

use std::fmt;
use std::str::FromStr;

use super::permutations::check_group_size;
use super::stencil::{self, Bond};
use super::{Graph, check_size};
use crate::error::{Error, Result};

/// Largest number of directions. With more, even extents of 2 exceed any memory.
pub(super) const MAX_DIRECTIONS: usize = 32;

/// What happens at the two ends of a lattice direction.
///
/// It prints and parses as `open` or `periodic`, and is written so by serde (feature `serde`).
///
/// ```
/// use operator_core::Boundary;
/// assert_eq!("open".parse::<Boundary>()?, Boundary::Open);
/// assert_eq!(Boundary::Periodic.to_string(), "periodic");
/// # Ok::<(), operator_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
#[non_exhaustive]
pub enum Boundary {
    /// The lattice ends; sites at its surface have fewer neighbours.
    Open,
    /// The first cell follows the last.
    #[default]
    Periodic,
}

impl fmt::Display for Boundary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Boundary::Open => "open",
            Boundary::Periodic => "periodic",
        })
    }
}

impl FromStr for Boundary {
    type Err = Error;

    /// # Errors
    /// [`Error::Parse`] for another text than `open` or `periodic`.
    fn from_str(text: &str) -> Result<Self> {
        match text {
            "open" => Ok(Boundary::Open),
            "periodic" => Ok(Boundary::Periodic),
            _ => Err(Error::Parse { text: text.to_owned(), reason: "expected open or periodic".into() }),
        }
    }
}

/// Builds the graph of a lattice: a unit cell repeated along its basis vectors.
///
/// Site `(n, s)` is site `s` of the cell with coordinates `n`. It lies at `Σᵢ nᵢ aᵢ + rₛ`, where `aᵢ` are the
/// basis vectors and `rₛ` the offsets of the unit cell's sites, both cartesian. Cells are numbered with the
/// last coordinate running fastest, and the sites of a cell are consecutive: site `(n, s)` has the number
/// `cell(n) · n_offsets + s`.
///
/// Two sites are neighbours of order `k` if their distance is the `k`-th shortest of all distances between
/// sites of the infinite lattice. Distances within a relative 1e-8 count as equal, so give basis vectors in
/// full precision (`3_f64.sqrt() / 2.0` rather than `0.866`). An edge of colour `k - 1` joins neighbours of
/// order `k`. Edges are sorted by colour, then by sites, and run from the lower to the higher site.
///
/// On a small periodic lattice, several images of a site may be neighbours of one other site. The pair has one
/// edge for each order that an image has, as in NetKet, and images of the same order count once:
///
/// ```
/// use operator_core::graph::Lattice;
///
/// // On a ring of three, the second neighbour to the right is the first neighbour to the left.
/// let ring = Lattice::chain(3).neighbors(2).build()?;
/// assert_eq!(ring.edges(), [[0, 1], [0, 2], [1, 2], [0, 1], [0, 2], [1, 2]]);
/// assert_eq!(ring.edge_colors(), [0, 0, 0, 1, 1, 1]);
/// # Ok::<(), operator_core::Error>(())
/// ```
///
/// By default, every direction is [`Periodic`](Boundary::Periodic) and the order is 1. [`build`](Self::build)
/// and [`positions`](Self::positions) check the values.
///
/// ```
/// use operator_core::graph::{Boundary, Lattice};
///
/// // A ladder of eight rungs with weaker, longer rungs of length 1.2.
/// let ladder = Lattice::new([[1.0, 0.0], [0.0, 1.2]], [8, 2])
///     .boundaries([Boundary::Periodic, Boundary::Open])
///     .neighbors(2)
///     .build()?;
/// assert_eq!(ladder.edges_of_color(0).count(), 16);
/// assert_eq!(ladder.edges_of_color(1).count(), 8);
/// # Ok::<(), operator_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Lattice {
    basis: Vec<Vec<f64>>,
    offsets: Vec<Vec<f64>>,
    extents: Vec<usize>,
    boundaries: Vec<Boundary>,
    max_order: usize,
    coloring: Coloring,
}

/// What the colour of an edge stands for.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Coloring {
    /// Its neighbour order.
    Order,
    /// Its bond in the unit cell.
    Direction,
}

impl Lattice {
    /// A lattice with these basis vectors, `extents` cells along them, and one site in each cell.
    ///
    /// In `d` dimensions, `basis` holds `d` cartesian vectors with `d` components each, and `extents` holds `d`
    /// numbers.
    pub fn new(basis: impl IntoIterator<Item = impl Into<Vec<f64>>>, extents: impl Into<Vec<usize>>) -> Self {
        let basis: Vec<Vec<f64>> = basis.into_iter().map(Into::into).collect();
        let extents = extents.into();
        Lattice {
            offsets: vec![vec![0.0; extents.len()]],
            boundaries: vec![Boundary::default(); extents.len()],
            basis,
            extents,
            max_order: 1,
            coloring: Coloring::Order,
        }
    }

    /// Sets the sites of the unit cell by their cartesian positions in it.
    ///
    /// The coordinates are lengths, like those of the basis vectors, not fractions of the basis vectors.
    ///
    /// ```
    /// use operator_core::graph::Lattice;
    ///
    /// // A chain whose bonds alternate between short and long.
    /// let dimers = Lattice::new([[2.0]], [4]).site_offsets([[0.0], [0.9]]).neighbors(2);
    /// let graph = dimers.build()?;
    /// assert_eq!(graph.edges_of_color(0).collect::<Vec<_>>(), [[0, 1], [2, 3], [4, 5], [6, 7]]);
    /// assert_eq!(graph.edges_of_color(1).collect::<Vec<_>>(), [[0, 7], [1, 2], [3, 4], [5, 6]]);
    /// # Ok::<(), operator_core::Error>(())
    /// ```
    #[must_use]
    pub fn site_offsets(mut self, offsets: impl IntoIterator<Item = impl Into<Vec<f64>>>) -> Self {
        self.offsets = offsets.into_iter().map(Into::into).collect();
        self
    }

    /// Sets one boundary for all directions.
    #[must_use]
    pub fn boundary(mut self, boundary: Boundary) -> Self {
        self.boundaries = vec![boundary; self.extents.len()];
        self
    }

    /// Sets the boundary of each direction.
    #[must_use]
    pub fn boundaries(mut self, boundaries: impl Into<Vec<Boundary>>) -> Self {
        self.boundaries = boundaries.into();
        self
    }

    /// Sets the highest neighbour order: 1 for nearest neighbours, 2 to include next-nearest ones, and so on.
    #[must_use]
    pub fn neighbors(mut self, max_order: usize) -> Self {
        self.max_order = max_order;
        self
    }

    /// Colours edges by direction instead of neighbour order: each bond of the unit cell gets its own colour.
    ///
    /// Colours are numbered by neighbour order. Within one order they are sorted by the distance of the bond's
    /// cells (the sum of the absolute differences of their coordinates), then by the bond's first site, its
    /// second site, and the difference.
    ///
    /// ```
    /// use operator_core::graph::Lattice;
    ///
    /// let square = Lattice::square([3, 3]).color_by_direction().build()?;
    /// assert_eq!(square.edges_of_color(1).take(2).collect::<Vec<_>>(), [[0, 3], [0, 6]]);
    /// # Ok::<(), operator_core::Error>(())
    /// ```
    #[must_use]
    pub fn color_by_direction(mut self) -> Self {
        self.coloring = Coloring::Direction;
        self
    }

    /// Builds the graph. An edge of colour `k - 1` joins neighbours of order `k`, unless edges are coloured [by
    /// direction](Self::color_by_direction).
    ///
    /// It has as many colours as orders were asked for, even if some have no edge. Two sites that several images
    /// join have an edge for each of their orders or directions.
    ///
    /// # Errors
    /// - [`Error::Lattice`]: there are no directions, or more than 32; the basis, the offsets or the boundaries
    ///   do not have one entry for each direction; a number is not finite; the basis vectors are linearly
    ///   dependent; two sites have the same position; an extent or the neighbour order is 0; the order reaches
    ///   too many sites; or a periodic direction is so short that a site would be its own neighbour.
    /// - [`Error::TooLarge`]: the graph would not fit into memory.
    pub fn build(&self) -> Result<Graph> {
        self.check()?;
        let bonds = stencil::bonds(&self.basis, &self.offsets, self.max_order)?;
        check_size(self.n_sites_estimate(), self.n_cells_estimate() * bonds.len() as f64)?;
        self.check_no_own_neighbors(&bonds)?;
        let colors = self.colors(&bonds);
        let edges = without_repetitions(self.repeat(&bonds, &colors));
        let n_colors = match self.coloring {
            Coloring::Order => self.max_order,
            Coloring::Direction => bonds.len(),
        };
        Graph::from_colored_edges(self.n_cells() * self.offsets.len(), edges)?.with_n_colors(n_colors)
    }

    /// The cartesian position of every site, in the order of the graph's sites.
    ///
    /// ```
    /// use operator_core::graph::Lattice;
    ///
    /// let positions = Lattice::square([2, 2]).positions()?;
    /// assert_eq!(positions, [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]);
    /// # Ok::<(), operator_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Lattice`] and [`Error::TooLarge`] for invalid extents, basis vectors or offsets, as for
    /// [`build`](Self::build).
    pub fn positions(&self) -> Result<Vec<Vec<f64>>> {
        self.check()?;
        let mut positions = Vec::with_capacity(self.n_cells() * self.offsets.len());
        self.for_each_cell(|_, coordinates| {
            positions.extend(self.offsets.iter().map(|offset| self.position(coordinates, offset)));
        });
        Ok(positions)
    }

    /// Number of cells along each direction.
    pub fn extents(&self) -> &[usize] {
        &self.extents
    }

    /// For each translation, the image of each site.
    pub(super) fn translated_sites(&self) -> Result<Vec<Vec<usize>>> {
        self.check()?;
        let n_offsets = self.offsets.len();
        let periodic = self.boundaries.iter().zip(&self.extents).filter(|(b, _)| **b == Boundary::Periodic);
        let n_translations: f64 = periodic.map(|(_, &extent)| extent as f64).product();
        check_group_size(n_translations, self.n_sites_estimate())?;
        let mut translations = Vec::new();
        self.for_each_cell(|_, shift| {
            let open = self.boundaries.iter().zip(shift).any(|(b, &n)| *b == Boundary::Open && n > 0);
            if open {
                return;
            }
            let shift: Vec<i64> = shift.iter().map(|&n| n as i64).collect();
            let mut sites = Vec::with_capacity(self.n_cells() * n_offsets);
            self.for_each_cell(|_, coordinates| {
                let cell = self.shifted_cell(coordinates, &shift).expect("open directions are not shifted");
                sites.extend((0..n_offsets).map(|s| cell * n_offsets + s));
            });
            translations.push(sites);
        });
        Ok(translations)
    }

    fn position(&self, coordinates: &[usize], offset: &[f64]) -> Vec<f64> {
        let mut position = offset.to_vec();
        for (vector, &times) in self.basis.iter().zip(coordinates) {
            for (total, x) in position.iter_mut().zip(vector) {
                *total += times as f64 * x;
            }
        }
        position
    }

    /// The colour of each bond of a unit cell.
    fn colors(&self, bonds: &[Bond]) -> Vec<usize> {
        if self.coloring == Coloring::Order {
            return bonds.iter().map(|bond| bond.order).collect();
        }
        let mut sorted: Vec<usize> = (0..bonds.len()).collect();
        sorted.sort_by_key(|&k| {
            let Bond { from, to, shift, order } = &bonds[k];
            let cells: u64 = shift.iter().map(|component| component.unsigned_abs()).sum();
            (*order, cells, *from, *to, shift)
        });
        let mut colors = vec![0; bonds.len()];
        sorted.into_iter().enumerate().for_each(|(color, k)| colors[k] = color);
        colors
    }

    /// The edges of all cells with their colours, from the bonds of one cell. A pair of sites may occur more
    /// than once.
    fn repeat(&self, bonds: &[Bond], colors: &[usize]) -> Vec<([usize; 2], usize)> {
        let n_offsets = self.offsets.len();
        let mut edges = Vec::new();
        self.for_each_cell(|cell, coordinates| {
            for (bond, &color) in bonds.iter().zip(colors) {
                let Some(other_cell) = self.shifted_cell(coordinates, &bond.shift) else { continue };
                let from = cell * n_offsets + bond.from;
                let to = other_cell * n_offsets + bond.to;
                edges.push(([from.min(to), from.max(to)], color));
            }
        });
        edges
    }

    /// Calls `visit` with the number and the coordinates of each cell, in order.
    fn for_each_cell(&self, mut visit: impl FnMut(usize, &[usize])) {
        let mut coordinates = vec![0; self.extents.len()];
        for cell in 0..self.n_cells() {
            visit(cell, &coordinates);
            advance(&mut coordinates, &self.extents);
        }
    }

    /// Number of the cell that lies `shift` away; `None` if it lies beyond an open end.
    fn shifted_cell(&self, coordinates: &[usize], shift: &[i64]) -> Option<usize> {
        let mut cell = 0;
        for (direction, &extent) in self.extents.iter().enumerate() {
            let moved = coordinates[direction] as i64 + shift[direction];
            let inside = moved.rem_euclid(extent as i64);
            if inside != moved && self.boundaries[direction] == Boundary::Open {
                return None;
            }
            cell = cell * extent + inside as usize;
        }
        Some(cell)
    }

    /// Number of cells; [`check`](Self::check) ensures that it does not overflow.
    fn n_cells(&self) -> usize {
        self.extents.iter().product()
    }

    /// Number of cells as a float, because it may be too large for an integer.
    fn n_cells_estimate(&self) -> f64 {
        self.extents.iter().map(|&extent| extent as f64).product()
    }

    fn n_sites_estimate(&self) -> f64 {
        self.n_cells_estimate() * self.offsets.len() as f64
    }

    /// Checks everything that can be checked without the bonds.
    fn check(&self) -> Result<()> {
        self.check_dimensions()?;
        self.check_finite()?;
        self.check_extents()?;
        if self.max_order == 0 {
            return refuse(
                "neighbour order 0 asks for no edges at all; give at least 1, the nearest neighbours",
            );
        }
        // A position takes memory for each coordinate.
        check_size(self.n_sites_estimate() * (1 + self.extents.len()) as f64, 0.0)
    }

    fn check_dimensions(&self) -> Result<()> {
        let d = self.extents.len();
        if d == 0 || d > MAX_DIRECTIONS {
            return refuse(format!("{d} directions; give between 1 and {MAX_DIRECTIONS}"));
        }
        if self.basis.len() != d {
            return refuse(format!(
                "{} basis vectors for {d} extents; give one a direction",
                self.basis.len()
            ));
        }
        if self.boundaries.len() != d {
            return refuse(format!(
                "{} boundaries for {d} extents; give one a direction",
                self.boundaries.len()
            ));
        }
        if self.offsets.is_empty() {
            return refuse("the unit cell has no sites; give at least one site offset");
        }
        for (name, index, vector) in self.named_vectors() {
            if vector.len() != d {
                let got = vector.len();
                return refuse(format!("{name} {index} has {got} components; expected {d}, one a direction"));
            }
        }
        Ok(())
    }

    fn check_finite(&self) -> Result<()> {
        for (name, index, vector) in self.named_vectors() {
            if let Some(value) = vector.iter().find(|x| !x.is_finite()) {
                return refuse(format!(
                    "{name} {index} has the component {value}; components must be finite"
                ));
            }
        }
        Ok(())
    }

    fn check_extents(&self) -> Result<()> {
        match self.extents.iter().position(|&extent| extent == 0) {
            Some(direction) => refuse(format!("direction {direction} has extent 0; give at least 1 cell")),
            None => Ok(()),
        }
    }

    /// Basis vectors and site offsets, with their names for messages.
    fn named_vectors(&self) -> impl Iterator<Item = (&'static str, usize, &[f64])> {
        let basis = self.basis.iter().enumerate().map(|(i, vector)| ("basis vector", i, vector.as_slice()));
        let offsets =
            self.offsets.iter().enumerate().map(|(i, vector)| ("site offset", i, vector.as_slice()));
        basis.chain(offsets)
    }

    fn check_no_own_neighbors(&self, bonds: &[Bond]) -> Result<()> {
        let Some(bond) = bonds.iter().find(|bond| bond.from == bond.to && self.leads_home(&bond.shift))
        else {
            return Ok(());
        };
        let direction = bond
            .shift
            .iter()
            .position(|&component| component != 0)
            .expect("a bond to its own site goes somewhere");
        let extent = self.extents[direction];
        let enough = 1 + farthest(bonds, direction);
        let order = bond.order + 1;
        refuse(format!(
            "direction {direction} is periodic with extent {extent}, so a site would be its own neighbour of order \
             {order}; give it an extent of at least {enough}, make it open or lower the neighbour order"
        ))
    }

    /// Whether this shift leads from every cell back to itself.
    fn leads_home(&self, shift: &[i64]) -> bool {
        let origin = vec![0; shift.len()];
        self.shifted_cell(&origin, shift) == Some(0)
    }
}

/// How many cells bonds between equivalent sites span along a direction.
fn farthest(bonds: &[Bond], direction: usize) -> u64 {
    let own = bonds.iter().filter(|bond| bond.from == bond.to);
    own.map(|bond| bond.shift[direction].unsigned_abs()).max().unwrap_or(0)
}

/// Each pair of sites once a colour. Sorted by colour, then by sites.
fn without_repetitions(mut edges: Vec<([usize; 2], usize)>) -> Vec<([usize; 2], usize)> {
    edges.sort_unstable_by_key(|&(edge, color)| (color, edge));
    edges.dedup();
    edges
}

/// Advances to the coordinates of the next cell; the last coordinate runs fastest.
fn advance(coordinates: &mut [usize], extents: &[usize]) {
    for (coordinate, &extent) in coordinates.iter_mut().zip(extents).rev() {
        *coordinate += 1;
        if *coordinate < extent {
            return;
        }
        *coordinate = 0;
    }
}

fn refuse<T>(reason: impl Into<String>) -> Result<T> {
    Err(Error::Lattice(reason.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn refusal(lattice: Lattice) -> String {
        match lattice.build() {
            Err(Error::Lattice(reason)) => reason,
            other => panic!("expected a refusal, got {other:?}"),
        }
    }

    fn edges_of(graph: &Graph, color: usize) -> Vec<[usize; 2]> {
        graph.edges_of_color(color).collect()
    }

    fn difference(a: &[f64], b: &[f64]) -> Vec<f64> {
        a.iter().zip(b).map(|(x, y)| x - y).collect()
    }

    fn length(vector: &[f64]) -> f64 {
        vector.iter().map(|x| x * x).sum::<f64>().sqrt()
    }

    /// The distance between two sites: the shortest over all periodic images.
    fn distance(lattice: &Lattice, a: &[f64], b: &[f64]) -> f64 {
        image_distances(lattice, a, b).into_iter().fold(f64::INFINITY, f64::min)
    }

    /// The distances between a site and the periodic images of another.
    fn image_distances(lattice: &Lattice, a: &[f64], b: &[f64]) -> Vec<f64> {
        let mut images = vec![difference(a, b)];
        for (direction, vector) in lattice.basis.iter().enumerate() {
            if lattice.boundaries[direction] == Boundary::Open {
                continue;
            }
            let length = lattice.extents[direction] as f64;
            let shifted = |image: &Vec<f64>, times: f64| -> Vec<f64> {
                image.iter().zip(vector).map(|(x, v)| x + times * length * v).collect()
            };
            images = images
                .iter()
                .flat_map(|image| [-2.0, -1.0, 0.0, 1.0, 2.0].map(|t| shifted(image, t)))
                .collect();
        }
        images.iter().map(|image| length(image)).collect()
    }

    #[test]
    fn second_neighbors_of_the_square_lattice_are_the_diagonals() {
        let lattice = Lattice::square([5, 4]).neighbors(2);
        let graph = lattice.build().unwrap();
        let positions = lattice.positions().unwrap();
        assert_eq!(edges_of(&graph, 0).len(), 40);
        assert_eq!(edges_of(&graph, 1).len(), 40);
        for [i, j] in graph.edges_of_color(1) {
            assert!((distance(&lattice, &positions[i], &positions[j]) - 2_f64.sqrt()).abs() < 1e-12);
        }
    }

    #[test]
    fn open_square_lattice_has_surface_sites() {
        let graph = Lattice::square([3, 4]).boundary(Boundary::Open).neighbors(2).build().unwrap();
        assert_eq!(edges_of(&graph, 0).len(), 3 * 3 + 2 * 4);
        assert_eq!(edges_of(&graph, 1).len(), 2 * 2 * 3);
        assert_eq!(graph.neighbors(0), [1, 4, 5]);
    }

    #[test]
    fn boundaries_may_differ_between_directions() {
        let cylinder =
            Lattice::square([3, 4]).boundaries([Boundary::Open, Boundary::Periodic]).build().unwrap();
        assert_eq!(cylinder.n_edges(), 2 * 4 + 3 * 4);
        assert_eq!(cylinder.neighbors(0), [1, 3, 4]);
    }

    #[test]
    fn pairs_joined_twice_have_an_edge_of_each_order() {
        let graph = Lattice::square([2, 2]).neighbors(2).build().unwrap();
        assert_eq!(edges_of(&graph, 0), [[0, 1], [0, 2], [1, 3], [2, 3]]);
        assert_eq!(edges_of(&graph, 1), [[0, 3], [1, 2]]);
        // On a ring of three, the second neighbour to the right is the first neighbour to the left.
        let ring = Lattice::chain(3).neighbors(2).build().unwrap();
        assert_eq!(edges_of(&ring, 0), [[0, 1], [0, 2], [1, 2]]);
        assert_eq!(edges_of(&ring, 1), edges_of(&ring, 0));
        // The figures of NetKet 3.
        let triangular = Lattice::triangular([4, 2]).neighbors(2).build().unwrap();
        assert_eq!([0, 1].map(|order| triangular.edges_of_color(order).count()), [20, 20]);
        // Neighbours at distances 1 and 2 along a direction of three cells are the same sites.
        let square = Lattice::square([3, 3]).neighbors(3).build().unwrap();
        assert_eq!([0, 1, 2].map(|order| square.edges_of_color(order).count()), [18, 18, 18]);
    }

    /// Counts pairs by the distances of all their images, independently of the unit cell's bonds.
    #[test]
    fn orders_of_small_tori_are_those_of_all_images() {
        for lattice in [
            Lattice::triangular([4, 2]),
            Lattice::triangular([3, 3]),
            Lattice::square([2, 3]),
            Lattice::honeycomb([2, 2]),
            Lattice::kagome([2, 2]),
            Lattice::square([3, 2]).boundaries([Boundary::Periodic, Boundary::Open]),
        ] {
            let positions = lattice.positions().unwrap();
            let pairs = (0..positions.len()).flat_map(|j| (0..j).map(move |i| [i, j]));
            let images: Vec<_> = pairs
                .map(|[i, j]| ([i, j], image_distances(&lattice, &positions[i], &positions[j])))
                .collect();
            // Distances of the infinite lattice up to the second; only these lattices have one for each order here.
            let wide = Lattice { extents: vec![9, 9], ..lattice.clone() }.boundary(Boundary::Open);
            let wide = wide.positions().unwrap();
            let center = wide.len() / 2;
            let n_offsets = lattice.offsets.len();
            let mut lengths: Vec<f64> = (0..n_offsets)
                .flat_map(|s| wide.iter().map(move |x| (s, x)))
                .map(|(s, x)| length(&difference(x, &wide[center - center % n_offsets + s])))
                .filter(|&length| length > 1e-9)
                .collect();
            lengths.sort_by(f64::total_cmp);
            lengths.dedup_by(|a, b| (*a - *b).abs() < 1e-9);
            for n_orders in 1..=2 {
                let Ok(graph) = lattice.clone().neighbors(n_orders).build() else { continue };
                for (order, &expected) in lengths.iter().enumerate().take(n_orders) {
                    let near =
                        |(_, all): &&([usize; 2], Vec<f64>)| all.iter().any(|d| (d - expected).abs() < 1e-9);
                    let mut expected: Vec<[usize; 2]> =
                        images.iter().filter(near).map(|(pair, _)| *pair).collect();
                    expected.sort_unstable();
                    assert_eq!(edges_of(&graph, order), expected, "{lattice:?}, order {order}");
                }
            }
        }
    }

    #[test]
    fn orders_without_edges_are_colors_too() {
        let row = Lattice::square([1, 4]).boundary(Boundary::Open).neighbors(2).build().unwrap();
        assert_eq!((row.n_edges(), row.n_colors()), (3, 2));
        let site = Lattice::chain(1).boundary(Boundary::Open).build().unwrap();
        assert_eq!((site.n_edges(), site.n_colors()), (0, 1));
    }

    #[test]
    fn a_site_that_would_neighbor_itself_is_refused_with_the_direction() {
        let reason = refusal(Lattice::square([4, 1]));
        assert!(reason.contains("direction 1 is periodic with extent 1"), "{reason}");
        assert!(reason.contains("at least 2, make it open"), "{reason}");
        let reason = refusal(Lattice::chain(2).neighbors(2));
        assert!(reason.contains("own neighbour of order 2; give it an extent of at least 3"), "{reason}");
        assert!(Lattice::square([4, 1]).boundaries([Boundary::Periodic, Boundary::Open]).build().is_ok());
    }

    #[test]
    fn sites_of_a_cell_are_numbered_fastest_and_the_last_direction_before_the_first() {
        let lattice =
            Lattice::new([[10.0, 0.0], [0.0, 100.0]], [2, 3]).site_offsets([[0.0, 0.0], [1.0, 2.0]]);
        let positions = lattice.positions().unwrap();
        assert_eq!(positions.len(), 12);
        assert_eq!(positions[1], [1.0, 2.0]);
        assert_eq!(positions[2], [0.0, 100.0]);
        assert_eq!(positions[6], [10.0, 0.0]);
        assert_eq!(positions[11], [11.0, 202.0]);
    }

    #[test]
    fn orders_are_those_of_the_infinite_lattice() {
        // One row of a square lattice: the row's second neighbours are third neighbours of the square lattice.
        let row = Lattice::square([1, 4]).boundary(Boundary::Open).neighbors(3).build().unwrap();
        assert!(edges_of(&row, 1).is_empty());
        assert_eq!(edges_of(&row, 2), [[0, 2], [1, 3]]);
    }

    #[test]
    fn offsets_outside_the_cell_give_the_same_coordinations() {
        let inside = Lattice::new([[2.0]], [5]).site_offsets([[0.0], [0.9]]);
        let outside = Lattice::new([[2.0]], [5]).site_offsets([[0.0], [0.9 + 6.0]]);
        assert_eq!(inside.build().unwrap().n_edges(), outside.build().unwrap().n_edges());
    }

    #[test]
    fn bad_geometry_is_refused() {
        let cell = [[1.0, 0.0], [0.0, 1.0]];
        assert!(refusal(Lattice::new([[1.0, 2.0], [2.0, 4.0]], [3, 3])).contains("no volume"));
        assert!(refusal(Lattice::new([[0.0, 0.0], [0.0, 0.0]], [3, 3])).contains("no volume"));
        assert!(refusal(Lattice::new([[1.0, f64::NAN], [0.0, 1.0]], [3, 3])).contains("basis vector 0"));
        assert!(refusal(Lattice::new(cell, [3, 3]).site_offsets([[f64::INFINITY, 0.0]])).contains("finite"));
        assert!(
            refusal(Lattice::new(cell, [3, 3]).site_offsets([[1e300, 0.0], [0.0, 0.0]])).contains("away")
        );
        assert!(
            refusal(Lattice::new(cell, [3, 3]).site_offsets([[0.0, 0.0], [2.0, 1.0]])).contains("same place")
        );
    }

    #[test]
    fn bad_sizes_are_refused() {
        let cell = [[1.0, 0.0], [0.0, 1.0]];
        let no_vectors: [[f64; 2]; 0] = [];
        assert!(refusal(Lattice::new(no_vectors, [])).contains("0 directions"));
        assert!(refusal(Lattice::new(cell, [3])).contains("2 basis vectors for 1 extents"));
        assert!(refusal(Lattice::new(cell, [3, 0])).contains("direction 1 has extent 0"));
        assert!(
            refusal(Lattice::new([vec![1.0], vec![0.0, 1.0]], [3, 3])).contains("1 components; expected 2")
        );
        assert!(refusal(Lattice::new(cell, [3, 3]).site_offsets([[0.0]])).contains("site offset 0"));
        assert!(refusal(Lattice::new(cell, [3, 3]).site_offsets(no_vectors)).contains("no sites"));
        assert!(refusal(Lattice::new(cell, [3, 3]).boundaries([Boundary::Open])).contains("1 boundaries"));
        assert!(refusal(Lattice::new(cell, [3, 3]).neighbors(0)).contains("order 0"));
    }

    #[test]
    fn overflowing_extents_are_refused() {
        for extents in [[usize::MAX, 2], [usize::MAX, usize::MAX], [1 << 33, 1 << 33]] {
            assert!(matches!(Lattice::square(extents).build(), Err(Error::TooLarge { .. })));
            assert!(matches!(Lattice::square(extents).positions(), Err(Error::TooLarge { .. })));
        }
    }

    #[test]
    fn ten_thousand_sites_are_quick() {
        let start = std::time::Instant::now();
        let graph = Lattice::square([100, 100]).neighbors(2).build().unwrap();
        assert_eq!(graph.n_edges(), 40_000);
        assert!(start.elapsed().as_secs_f64() < 1.0);
    }

    proptest! {
        /// Extents of at least 7 keep the orders below from wrapping onto each other.
        #[test]
        fn periodic_edges_are_the_pairs_at_the_shortest_distances(
            a in 0.8..1.3_f64, skew in -0.6..0.6_f64, b in 0.8..1.3_f64, x in 0.2..0.8_f64, order in 1..=3_usize,
        ) {
            let basis = [[a, 0.0], [skew, b]];
            let offsets = [[0.0, 0.0], [x * (a + skew), x * b]];
            let lattice = Lattice::new(basis, [7, 7]).site_offsets(offsets).neighbors(order);
            let graph = lattice.build().unwrap();
            let positions = lattice.positions().unwrap();
            let mut lengths = Vec::new();
            let mut all = Vec::new();
            for i in 0..positions.len() {
                for j in i + 1..positions.len() {
                    all.push(([i, j], distance(&lattice, &positions[i], &positions[j])));
                }
            }
            all.sort_by(|p, q| p.1.total_cmp(&q.1));
            for &(_, length) in &all {
                if lengths.last().is_none_or(|&last: &f64| length > last + 1e-9) {
                    lengths.push(length);
                }
            }
            let color = |length: f64| lengths.iter().position(|l| (l - length).abs() < 1e-9).unwrap();
            let mut expected: Vec<_> = all.iter().map(|&(edge, length)| (color(length), edge)).collect();
            expected.retain(|&(color, _)| color < order);
            expected.sort_unstable();
            let got: Vec<_> = graph.edge_colors().iter().copied().zip(graph.edges().iter().copied()).collect();
            prop_assert_eq!(got, expected);
        }
    }
}
