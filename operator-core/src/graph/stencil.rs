//! The bonds of one unit cell of an infinite lattice, sorted by neighbour order.

use crate::error::{Error, Result};

/// Distances with a smaller relative difference belong to the same neighbour order.
const TOLERANCE: f64 = 1e-8;
/// Basis vectors are linearly dependent if a vector keeps less than this fraction of its length after its
/// components along the others are removed.
const DEPENDENT: f64 = 1e-10;
/// A site offset may lie this many times the longest component of a basis vector away from the cell's corner.
/// Farther away, rounding would blur the distances.
const FARTHEST_OFFSET: f64 = 1e6;
/// The most candidates to inspect, so that absurd orders and bases end in an error instead of running forever.
const MAX_CANDIDATES: usize = 4_000_000;
/// Candidates come from a sphere enlarged by this factor, so that rounding at its surface cannot split a
/// neighbour order.
const SLACK: f64 = 1.0 + 1e-6;
/// Growth of the sphere until it holds enough neighbour orders.
const GROWTH: f64 = 1.5;

/// A bond from a site of one cell to a site of the same or another cell.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Bond {
    /// Site within the first cell.
    pub(super) from: usize,
    /// Site within the second cell.
    pub(super) to: usize,
    /// The second cell's coordinates relative to the first.
    pub(super) shift: Vec<i64>,
    /// Neighbour order, counted from 0.
    pub(super) order: usize,
}

/// The bonds of the `n_orders` shortest lengths that start in one cell; each pair of sites comes once.
///
/// Expects `d` finite basis vectors of length `d`, and at least one site offset, finite and of length `d`.
pub(super) fn bonds(basis: &[Vec<f64>], offsets: &[Vec<f64>], n_orders: usize) -> Result<Vec<Bond>> {
    // Lengths are in units of the largest component, so that their squares cannot overflow.
    let unit = basis.iter().flatten().fold(0.0, |largest: f64, x| largest.max(x.abs()));
    let offsets = in_units(offsets, unit);
    let mut search = Search::new(in_units(basis, unit))?;
    check_offsets(&offsets)?;

    let mut radius = search.shortest_basis_vector();
    loop {
        let mut found = search.bonds_within(radius * SLACK, &offsets)?;
        found.sort_by(|a, b| a.length.total_cmp(&b.length));
        let orders = orders(&found);
        let mut complete = found.iter().zip(&orders).filter(|(candidate, _)| candidate.length <= radius);
        let n_complete = complete.next_back().map_or(0, |(_, &last)| last + 1);
        if n_complete >= n_orders {
            let ordered = found.into_iter().zip(orders).take_while(|&(_, order)| order < n_orders);
            return Ok(ordered.map(|(candidate, order)| candidate.into_bond(order)).collect());
        }
        radius *= GROWTH;
    }
}

fn in_units(vectors: &[Vec<f64>], unit: f64) -> Vec<Vec<f64>> {
    vectors.iter().map(|vector| vector.iter().map(|x| x / unit).collect()).collect()
}

fn check_offsets(offsets: &[Vec<f64>]) -> Result<()> {
    let is_far = |offset: &Vec<f64>| offset.iter().any(|x| x.abs() > FARTHEST_OFFSET);
    match offsets.iter().position(is_far) {
        Some(site) => Err(Error::Lattice(format!(
            "site {site} of the unit cell lies more than {FARTHEST_OFFSET:.0e} cells away from the cell; \
             subtract basis vectors from its offset"
        ))),
        None => Ok(()),
    }
}

/// The neighbour order of each candidate. Candidates are sorted by length.
fn orders(sorted: &[Candidate]) -> Vec<usize> {
    let mut order = 0;
    let mut shortest = sorted.first().map_or(0.0, |candidate| candidate.length);
    let next = |candidate: &Candidate| {
        if candidate.length > shortest * (1.0 + TOLERANCE) {
            shortest = candidate.length;
            order += 1;
        }
        order
    };
    sorted.iter().map(next).collect()
}

/// A bond whose neighbour order is still unknown.
struct Candidate {
    from: usize,
    to: usize,
    shift: Vec<i64>,
    length: f64,
}

impl Candidate {
    fn into_bond(self, order: usize) -> Bond {
        Bond { from: self.from, to: self.to, shift: self.shift, order }
    }
}

/// Finds the lattice vectors in a sphere by fixing their components one by one (Fincke and Pohst). The
/// components fixed so far bound the length from below. So even skewed bases and many dimensions cost little
/// more than the vectors found.
struct Search {
    basis: Vec<Vec<f64>>,
    /// Orthonormal vectors; the first k span the same space as the first k basis vectors.
    axes: Vec<Vec<f64>>,
    /// `components[i][j]`: component of basis vector `i` along axis `j`; 0 for `j > i`, positive for `j = i`.
    components: Vec<Vec<f64>>,
    n_candidates: usize,
}

impl Search {
    /// # Errors
    /// [`Error::Lattice`] if the basis vectors are linearly dependent.
    fn new(basis: Vec<Vec<f64>>) -> Result<Self> {
        let mut axes: Vec<Vec<f64>> = Vec::with_capacity(basis.len());
        for (direction, vector) in basis.iter().enumerate() {
            let rest = without_components(vector, &axes);
            let length = norm(&rest);
            // Negated, so that the NaN of a zero vector also counts as dependent.
            let independent = length > DEPENDENT * norm(vector);
            if !independent {
                return Err(Error::Lattice(format!(
                    "basis vector {direction} is zero or a combination of those before it, so the unit cell has \
                     no volume; give linearly independent basis vectors"
                )));
            }
            axes.push(rest.iter().map(|x| x / length).collect());
        }
        let components =
            basis.iter().map(|vector| axes.iter().map(|axis| dot(vector, axis)).collect()).collect();
        Ok(Search { basis, axes, components, n_candidates: 0 })
    }

    fn shortest_basis_vector(&self) -> f64 {
        self.basis.iter().map(|vector| norm(vector)).fold(f64::INFINITY, f64::min)
    }

    /// Every pair of sites at most `radius` apart whose first site is in cell 0; each pair comes once.
    fn bonds_within(&mut self, radius: f64, offsets: &[Vec<f64>]) -> Result<Vec<Candidate>> {
        let mut found = Vec::new();
        for from in 0..offsets.len() {
            for to in from..offsets.len() {
                let between: Vec<f64> = offsets[to].iter().zip(&offsets[from]).map(|(t, f)| t - f).collect();
                for shift in self.shifts_within(radius, &between)? {
                    if from == to && !is_forward(&shift) {
                        continue;
                    }
                    let length = norm(&self.displacement(&shift, &between));
                    self.check_apart(from, to, length)?;
                    found.push(Candidate { from, to, shift, length });
                }
            }
        }
        Ok(found)
    }

    fn check_apart(&self, from: usize, to: usize, length: f64) -> Result<()> {
        if length > TOLERANCE * self.shortest_basis_vector() {
            return Ok(());
        }
        Err(Error::Lattice(format!(
            "sites {from} and {to} of the unit cell fall on the same place, in the same cell or in different \
             ones; give each site its own offset modulo the basis vectors"
        )))
    }

    /// The shifts whose lattice vector plus `between` is at most `radius` long.
    fn shifts_within(&mut self, radius: f64, between: &[f64]) -> Result<Vec<Vec<i64>>> {
        let along_axes: Vec<f64> = self.axes.iter().map(|axis| dot(between, axis)).collect();
        let mut shift = vec![0; self.basis.len()];
        let mut found = Vec::new();
        self.fix_below(self.basis.len(), radius * radius, &along_axes, &mut shift, &mut found)?;
        Ok(found)
    }

    /// Enumerates components `0..level` of `shift` while the others stay fixed. `left` is the squared radius
    /// that remains after the axes `level..`.
    fn fix_below(
        &mut self,
        level: usize,
        left: f64,
        along_axes: &[f64],
        shift: &mut [i64],
        found: &mut Vec<Vec<i64>>,
    ) -> Result<()> {
        let Some(axis) = level.checked_sub(1) else {
            found.push(shift.to_vec());
            return Ok(());
        };
        let fixed: f64 = (level..shift.len()).map(|i| shift[i] as f64 * self.components[i][axis]).sum();
        let center = along_axes[axis] + fixed;
        let step = self.components[axis][axis];
        let reach = left.sqrt();
        let first = ((-center - reach) / step).ceil() as i64;
        let last = ((-center + reach) / step).floor() as i64;
        for component in first..=last {
            self.count_candidate()?;
            shift[axis] = component;
            let along = center + component as f64 * step;
            // Rounding may make this slightly negative at the sphere's surface.
            let left = (left - along * along).max(0.0);
            self.fix_below(axis, left, along_axes, shift, found)?;
        }
        Ok(())
    }

    fn count_candidate(&mut self) -> Result<()> {
        self.n_candidates += 1;
        if self.n_candidates <= MAX_CANDIDATES {
            return Ok(());
        }
        Err(Error::Lattice(format!(
            "more than {MAX_CANDIDATES} candidates for neighbours of a unit cell; lower the neighbour order, or \
             give a less skewed basis or a smaller unit cell"
        )))
    }

    /// Cartesian lattice vector of `shift`, plus `between`.
    fn displacement(&self, shift: &[i64], between: &[f64]) -> Vec<f64> {
        let mut sum = between.to_vec();
        for (vector, &times) in self.basis.iter().zip(shift) {
            for (total, x) in sum.iter_mut().zip(vector) {
                *total += times as f64 * x;
            }
        }
        sum
    }
}

/// Whether the first non-zero component is positive: true for exactly one of `shift` and `-shift`, false for 0.
fn is_forward(shift: &[i64]) -> bool {
    shift.iter().find(|&&component| component != 0).is_some_and(|&component| component > 0)
}

/// The rest of `vector` after removing its components along orthonormal `axes`.
fn without_components(vector: &[f64], axes: &[Vec<f64>]) -> Vec<f64> {
    let mut rest = vector.to_vec();
    for axis in axes {
        let along = dot(&rest, axis);
        for (r, a) in rest.iter_mut().zip(axis) {
            *r -= along * a;
        }
    }
    rest
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

fn norm(vector: &[f64]) -> f64 {
    dot(vector, vector).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit_basis(d: usize) -> Vec<Vec<f64>> {
        (0..d).map(|i| (0..d).map(|j| f64::from(u8::from(i == j))).collect()).collect()
    }

    fn counts(basis: &[Vec<f64>], n_orders: usize) -> Vec<usize> {
        let bonds = bonds(basis, &[vec![0.0; basis.len()]], n_orders).unwrap();
        (0..n_orders).map(|order| bonds.iter().filter(|bond| bond.order == order).count()).collect()
    }

    #[test]
    fn cubic_shells_count_sums_of_three_squares() {
        // Representations of 1, 2, 3, 4, 5, 6, 8, 9 as sums of three squares (7 has none), halved.
        assert_eq!(counts(&unit_basis(3), 8), [3, 6, 4, 3, 12, 12, 6, 15]);
    }

    #[test]
    fn a_skewed_basis_gives_the_same_shells() {
        let skewed = [vec![1.0, 0.0], vec![137.0, 1.0]];
        assert_eq!(counts(&skewed, 5), counts(&unit_basis(2), 5));
    }

    #[test]
    fn shells_do_not_depend_on_the_unit_of_length() {
        for unit in [1e-300, 1e-7, 1e12, 1e300] {
            let scaled: Vec<Vec<f64>> =
                unit_basis(2).iter().map(|vector| vector.iter().map(|x| x * unit).collect()).collect();
            assert_eq!(counts(&scaled, 3), [2, 2, 2]);
        }
    }

    #[test]
    fn twenty_dimensions_are_no_obstacle() {
        assert_eq!(counts(&unit_basis(20), 2), [20, 380]);
    }

    #[test]
    fn absurd_orders_end_in_an_error() {
        for d in 1..=3 {
            let result = bonds(&unit_basis(d), &[vec![0.0; d]], usize::MAX);
            assert!(
                matches!(result, Err(Error::Lattice(text)) if text.contains("lower the neighbour order"))
            );
        }
    }

    #[test]
    fn forward_picks_one_of_each_opposite_pair() {
        assert!(is_forward(&[0, 1, -3]) && !is_forward(&[0, -1, 3]) && !is_forward(&[0, 0, 0]));
    }
}
