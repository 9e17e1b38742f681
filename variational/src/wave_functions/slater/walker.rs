//! Ratios of Slater determinants under moves of a few fermions.

use ndarray::{Array2, ArrayView2};
use num_complex::Complex64;
use operator_core::Walker;

use super::determinant::{Determinant, Filled, small_determinant};

/// Below this ratio an update would lose too many digits, so the inverse is computed anew.
const SMALL: f64 = 1e-3;

/// Follows the determinants of all spin states.
pub(super) struct SlaterWalker<'a> {
    n_orbitals: usize,
    sectors: Vec<SectorWalker<'a>>,
}

impl<'a> SlaterWalker<'a> {
    /// From the orbital matrices of all spin states, shape `(n_orbitals, n_particles)` each.
    pub(super) fn new(n_orbitals: usize, orbitals: impl Iterator<Item = ArrayView2<'a, f64>>) -> Self {
        SlaterWalker { n_orbitals, sectors: orbitals.map(SectorWalker::new).collect() }
    }
}

impl Walker for SlaterWalker<'_> {
    fn start(&mut self, x: &[i8]) -> Complex64 {
        let parts = x.chunks(self.n_orbitals.max(1));
        if parts.len() != self.sectors.len() {
            return Complex64::new(f64::NAN, 0.0);
        }
        let determinants = self.sectors.iter_mut().zip(parts).map(|(sector, x)| sector.start(x));
        let product = determinants.reduce(|a, b| a.zip(b).map(|(a, b)| a.times(b))).flatten();
        product.map_or(Complex64::new(f64::NAN, 0.0), Determinant::ln)
    }

    fn ratio(&mut self, changes: &[(usize, i8)]) -> Complex64 {
        self.sectors.iter_mut().for_each(SectorWalker::forget);
        for &(mode, filled) in changes {
            let spin_state = mode / self.n_orbitals.max(1);
            match self.sectors.get_mut(spin_state) {
                Some(sector) => sector.note(mode - spin_state * self.n_orbitals, filled != 0),
                None => {
                    self.sectors.iter_mut().for_each(|sector| sector.ratio = f64::NAN);
                    return f64::NAN.into();
                }
            }
        }
        self.sectors.iter_mut().map(SectorWalker::ratio).product::<f64>().into()
    }

    fn accept(&mut self) {
        self.sectors.iter_mut().for_each(SectorWalker::accept);
    }
}

/// Follows the determinant of one spin state, `det A` with `A_ik = M[filled_i, k]`.
///
/// It holds `G = M A⁻¹`. If a particle moves from the i-th filled orbital to m, the determinant changes by
/// the factor `G[m, i]`; if several move, by the determinant of these elements (the matrix determinant
/// lemma). An accepted move updates G by the formula of Sherman and Morrison. The rows of A stay in the order
/// in which they came, so a ratio also has the sign of sorting them.
struct SectorWalker<'a> {
    orbitals: ArrayView2<'a, f64>,
    /// G, shape `(n_orbitals, n_particles)`.
    amplitudes: Array2<f64>,
    /// For each filled orbital, its row of A.
    row_of: Vec<Option<usize>>,
    /// The orbitals that the proposed move empties, and those that it fills.
    emptied: Vec<usize>,
    filled: Vec<usize>,
    /// Of the proposed move; NaN if it is not a move.
    ratio: f64,
    /// Working memory: elements of G, and one of its rows.
    minor: Vec<f64>,
    row: Vec<f64>,
}

impl<'a> SectorWalker<'a> {
    fn new(orbitals: ArrayView2<'a, f64>) -> Self {
        SectorWalker {
            orbitals,
            amplitudes: Array2::zeros(orbitals.dim()),
            row_of: vec![None; orbitals.nrows()],
            emptied: Vec::new(),
            filled: Vec::new(),
            ratio: 1.0,
            minor: Vec::new(),
            row: Vec::new(),
        }
    }

    /// `None` for another number of particles.
    fn start(&mut self, x: &[i8]) -> Option<Determinant> {
        self.forget();
        let n_particles = self.orbitals.ncols();
        if x.len() != self.row_of.len() || x.iter().filter(|&&q| q != 0).count() != n_particles {
            return None;
        }
        self.row_of.iter_mut().zip(x).for_each(|(row, &q)| *row = (q != 0).then_some(0));
        Some(self.invert())
    }

    /// Sorts the rows of A, and computes G from the filled orbitals.
    fn invert(&mut self) -> Determinant {
        let filled: Vec<usize> =
            (0..self.row_of.len()).filter(|&orbital| self.row_of[orbital].is_some()).collect();
        filled.iter().enumerate().for_each(|(row, &orbital)| self.row_of[orbital] = Some(row));
        let matrix = Filled::new(self.orbitals, &filled);
        let determinant = matrix.determinant();
        if determinant.is_zero() {
            // Ratios to a vanishing amplitude are NaN.
            self.amplitudes.fill(f64::NAN);
        } else {
            self.amplitudes = self.orbitals.dot(&matrix.inverse());
        }
        determinant
    }

    fn forget(&mut self) {
        self.emptied.clear();
        self.filled.clear();
        self.ratio = 1.0;
    }

    fn note(&mut self, orbital: usize, is_filled: bool) {
        if is_filled { self.filled.push(orbital) } else { self.emptied.push(orbital) }
    }

    fn ratio(&mut self) -> f64 {
        let is_move = self.emptied.len() == self.filled.len()
            && self.emptied.iter().all(|&orbital| self.row_of[orbital].is_some())
            && self.filled.iter().all(|&orbital| self.row_of[orbital].is_none());
        self.ratio = if is_move { self.sign() * self.minor_determinant() } else { f64::NAN };
        self.ratio
    }

    fn minor_determinant(&mut self) -> f64 {
        self.minor.clear();
        for &to in &self.filled {
            let rows = self.emptied.iter().map(|&from| filled_row(&self.row_of, from));
            self.minor.extend(rows.map(|row| self.amplitudes[[to, row]]));
        }
        small_determinant(&mut self.minor, self.filled.len())
    }

    /// The sign from moving fermions past those that stay.
    fn sign(&mut self) -> f64 {
        let mut n_passed = 0;
        for (&from, &to) in self.emptied.iter().zip(&self.filled) {
            let between = from.min(to) + 1..from.max(to);
            n_passed += self.row_of[between].iter().flatten().count();
            self.row_of.swap(from, to);
        }
        for (&from, &to) in self.emptied.iter().zip(&self.filled).rev() {
            self.row_of.swap(from, to);
        }
        if n_passed % 2 == 0 { 1.0 } else { -1.0 }
    }

    fn accept(&mut self) {
        if self.ratio.is_nan() {
            // The caller broke the promise of `accept`; NaN tells so from here on.
            self.amplitudes.fill(f64::NAN);
        } else if self.ratio.abs() < SMALL {
            for (&from, &to) in self.emptied.iter().zip(&self.filled) {
                self.row_of.swap(from, to);
            }
            self.invert();
        } else {
            while let Some((from, to)) = self.largest_pair() {
                let (from, to) = (self.emptied.swap_remove(from), self.filled.swap_remove(to));
                self.replace(from, to);
            }
        }
        self.forget();
    }

    /// The places of an emptied and a filled orbital with the largest pivot. Complete pivoting keeps every
    /// step from dividing by zero unless the whole ratio vanishes.
    fn largest_pair(&self) -> Option<(usize, usize)> {
        let pairs = (0..self.emptied.len()).flat_map(|from| (0..self.filled.len()).map(move |to| (from, to)));
        let size = |&(from, to): &(usize, usize)| {
            let row = filled_row(&self.row_of, self.emptied[from]);
            self.amplitudes[[self.filled[to], row]].abs()
        };
        pairs.max_by(|a, b| size(a).total_cmp(&size(b)))
    }

    /// `G ← G − G[·, i] (G[to, ·] − e_i) / G[to, i]`, where i is the row of A that moves from one orbital to
    /// the other.
    fn replace(&mut self, from: usize, to: usize) {
        let i = filled_row(&self.row_of, from);
        let pivot = self.amplitudes[[to, i]];
        self.row.clear();
        self.row.extend(self.amplitudes.row(to));
        self.row[i] -= 1.0;
        for mut amplitudes in self.amplitudes.rows_mut() {
            let factor = amplitudes[i] / pivot;
            if factor != 0.0 {
                amplitudes.iter_mut().zip(&self.row).for_each(|(g, change)| *g -= factor * change);
            }
        }
        // The row of a filled orbital is a unit vector, exactly.
        let mut row = self.amplitudes.row_mut(to);
        row.fill(0.0);
        row[i] = 1.0;
        self.row_of.swap(from, to);
    }
}

/// The row of A of an orbital that a move empties.
fn filled_row(row_of: &[Option<usize>], orbital: usize) -> usize {
    row_of[orbital].expect("a move empties filled orbitals only: its ratio is not NaN")
}
