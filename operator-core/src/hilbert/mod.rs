//! Hilbert spaces of discrete sites: which configurations there are, and their numbers.
//!
//! A configuration is a row of quantum numbers, one a site. Each space is made of blocks of equal sites,
//! which may have a fixed sum (a total magnetisation, a number of particles); everything below works on
//! blocks, so a space is only its constructor.
//!
//! States are in lexicographic order of local indices, first site most significant. They are numbered by
//! counting, never by storing them.

mod block;
mod fermion;
mod fock;
mod packed_ranking;
mod qubit;
mod random;
mod ranking;
mod spin;
mod tensor;

use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use enum_dispatch::enum_dispatch;
use ndarray::{Array1, Array2, ArrayView2};
use rand::Rng;

pub use block::{Block, LocalStates};
pub use fermion::SpinOrbitalFermions;
pub use fock::Fock;
pub use packed_ranking::PackedRanking;
pub use qubit::Qubit;
pub use spin::Spin;
pub use tensor::TensorHilbert;

use crate::error::{Error, Result};
use crate::host_rows::HostRows;
use random::RandomBlock;
use ranking::Ranking;

/// A list of all states larger than this many bytes is not built.
const MAX_BYTES: f64 = 8.0 * 1024.0 * 1024.0 * 1024.0;

/// What a space is made of.
#[derive(Debug)]
struct Layout {
    n_sites: usize,
    blocks: Vec<Block>,
    rankings: Vec<Ranking>,
    n_states: Option<usize>,
    /// Made when it is first asked for.
    packed_ranking: OnceLock<PackedRanking>,
}

impl Layout {
    fn new(blocks: Vec<Block>) -> Result<Arc<Self>> {
        let n_sites = blocks.iter().map(|block| block.n_sites).sum();
        if n_sites == 0 {
            return Err(Error::InvalidHilbert("it has no sites; expected at least 1".into()));
        }
        if n_sites > u32::MAX as usize / 2 {
            return Err(Error::InvalidHilbert(format!("{n_sites} sites; at most 2^31 are numbered")));
        }
        let rankings: Vec<Ranking> = blocks.iter().map(Ranking::new).collect();
        let n_states =
            rankings.iter().try_fold(1usize, |product, ranking| product.checked_mul(ranking.n_states()?));
        let packed_ranking = OnceLock::new();
        Ok(Arc::new(Layout { n_sites, blocks, rankings, n_states, packed_ranking }))
    }
}

#[enum_dispatch]
trait Space {
    fn layout(&self) -> &Arc<Layout>;
}

macro_rules! space {
    ($($space:ident),*) => {
        $(impl Space for $space {
            fn layout(&self) -> &Arc<Layout> {
                $space::layout(self)
            }
        })*
    };
}
space!(Spin, Qubit, Fock, SpinOrbitalFermions, TensorHilbert);

/// Any of the Hilbert spaces. Cheap to clone.
#[enum_dispatch(Space)]
#[derive(Clone, Debug)]
pub enum HilbertSpace {
    /// Spins of equal length.
    Spin(Spin),
    /// Qubits.
    Qubit(Qubit),
    /// Bosons.
    Fock(Fock),
    /// Fermion modes.
    SpinOrbitalFermions(SpinOrbitalFermions),
    /// A tensor product of the others.
    Tensor(TensorHilbert),
}

impl HilbertSpace {
    /// Number of sites.
    pub fn n_sites(&self) -> usize {
        self.layout().n_sites
    }

    /// The blocks of equal sites, in order.
    pub fn blocks(&self) -> &[Block] {
        &self.layout().blocks
    }

    /// The local states of a site; those of the last site beyond it.
    #[inline]
    pub fn local(&self, site: usize) -> LocalStates {
        let blocks = self.blocks();
        if let [only] = blocks {
            return only.local;
        }
        let block = blocks.partition_point(|block| block.start + block.n_sites <= site);
        blocks[block.min(blocks.len() - 1)].local
    }

    /// Number of local states of a site.
    pub fn local_dim(&self, site: usize) -> usize {
        self.local(site).len
    }

    /// Whether some sum of quantum numbers is fixed.
    pub fn is_constrained(&self) -> bool {
        self.blocks().iter().any(|block| block.total.is_some())
    }

    /// Whether every site has two local states.
    pub fn is_two_level(&self) -> bool {
        self.blocks().iter().all(|block| block.local.len == 2)
    }

    /// Whether all sites are fermion modes.
    pub fn is_fermionic(&self) -> bool {
        self.factors().iter().all(|factor| matches!(factor, HilbertSpace::SpinOrbitalFermions(_)))
    }

    /// Whether a site is a fermion mode.
    pub fn is_fermion_mode(&self, site: usize) -> bool {
        self.modes_with(site).is_some()
    }

    /// The fermion modes that anticommute with a mode, itself included: those of its factor. The mode's
    /// Jordan-Wigner string runs over those before it. `None` if the site is not a fermion mode.
    pub fn modes_with(&self, mode: usize) -> Option<Range<usize>> {
        self.factor_of(mode).filter(|(factor, _)| factor.is_fermionic()).map(|(_, modes)| modes)
    }

    /// Number of states.
    ///
    /// # Errors
    /// [`Error::NotIndexable`] if it does not fit a `usize`.
    pub fn n_states(&self) -> Result<usize> {
        self.layout().n_states.ok_or_else(|| Error::NotIndexable {
            hilbert: self.to_string(),
            log2_n_states: self.log2_n_states(),
        })
    }

    /// Whether the states can be numbered.
    pub fn is_indexable(&self) -> bool {
        self.layout().n_states.is_some()
    }

    /// Base-2 logarithm of the number of states, for spaces of any size.
    pub fn log2_n_states(&self) -> f64 {
        self.layout().rankings.iter().map(Ranking::log2_n_states).sum()
    }

    /// The number of a state in the order of [`all_states`](Self::all_states).
    ///
    /// # Errors
    /// [`Error::NotIndexable`], [`Error::SampleWidth`], [`Error::NotALocalState`],
    /// [`Error::OutsideConstraint`].
    pub fn index_of(&self, x: &[i8]) -> Result<usize> {
        self.n_states()?;
        self.check_row(0, x)?;
        Ok(self.rank(x))
    }

    /// The numbers of packed states, for spaces of two-level sites.
    ///
    /// # Errors
    /// [`Error::NotTwoLevel`] if a site has more than two states; [`Error::NotIndexable`].
    pub fn packed_ranking(&self) -> Result<&PackedRanking> {
        if !self.is_two_level() {
            return Err(Error::NotTwoLevel { hilbert: self.to_string() });
        }
        let n_states = self.n_states()?;
        let layout = self.layout();
        Ok(layout.packed_ranking.get_or_init(|| PackedRanking::new(layout, n_states)))
    }

    /// The number of a checked state of an indexable space.
    fn rank(&self, x: &[i8]) -> usize {
        let layout = self.layout();
        layout.blocks.iter().zip(&layout.rankings).fold(0, |index, (block, ranking)| {
            let (first, step) = (i32::from(block.local.first), i32::from(block.local.step));
            let digits = block.of(x).iter().map(|&q| ((i32::from(q) - first) / step) as usize);
            index * ranking.n_states().unwrap_or(1) + ranking.rank(digits)
        })
    }

    /// Writes the state of this number.
    ///
    /// # Errors
    /// [`Error::NotIndexable`], [`Error::IndexOutOfRange`], [`Error::SampleWidth`].
    pub fn state_at(&self, index: usize, x: &mut [i8]) -> Result<()> {
        let n_states = self.n_states()?;
        if index >= n_states {
            return Err(Error::IndexOutOfRange { index, n_states, hilbert: self.to_string() });
        }
        self.check_width(x.len())?;
        let (layout, mut rest) = (self.layout(), index);
        for (block, ranking) in layout.blocks.iter().zip(&layout.rankings).rev() {
            let n_states = ranking.n_states().unwrap_or(1);
            ranking.unrank(rest % n_states, |site, digit| x[block.start + site] = block.local.value(digit));
            rest /= n_states;
        }
        Ok(())
    }

    /// The numbers of many states, shape `(batch,)` for `x` of shape `(batch, n_sites)`.
    ///
    /// # Errors
    /// As [`index_of`](Self::index_of).
    pub fn states_to_indices(&self, x: ArrayView2<'_, i8>) -> Result<Array1<usize>> {
        self.n_states()?;
        self.check(x)?;
        let mut buffer = vec![0; x.ncols()];
        Ok(x.rows().into_iter().map(|row| self.rank(contiguous(&row, &mut buffer))).collect())
    }

    /// The states of some numbers, shape `(len, n_sites)`.
    ///
    /// # Errors
    /// [`Error::NotIndexable`], [`Error::IndexOutOfRange`].
    pub fn indices_to_states(&self, indices: &[usize]) -> Result<Array2<i8>> {
        self.fill_states(indices.len(), indices.iter().copied())
    }

    /// Consecutive states, shape `(len, n_sites)`.
    ///
    /// # Errors
    /// [`Error::NotIndexable`], [`Error::IndexOutOfRange`].
    pub fn states_in(&self, range: Range<usize>) -> Result<Array2<i8>> {
        self.fill_states(range.len(), range)
    }

    /// All states, shape `(n_states, n_sites)`.
    ///
    /// # Errors
    /// [`Error::NotIndexable`]; [`Error::TooLarge`] beyond 8 GiB.
    pub fn all_states(&self) -> Result<Array2<i8>> {
        self.states_in(0..self.n_states()?)
    }

    fn fill_states(&self, n: usize, indices: impl Iterator<Item = usize>) -> Result<Array2<i8>> {
        let bytes = n as f64 * self.n_sites() as f64;
        if bytes > MAX_BYTES {
            return Err(Error::TooLarge {
                what: format!("{n} states of {self}"),
                bytes,
                limit: MAX_BYTES,
                remedy: "go through them in blocks with states_in",
            });
        }
        let mut states = Array2::zeros((n, self.n_sites()));
        let rows = states.as_slice_mut().expect("a new array is contiguous").chunks_exact_mut(self.n_sites());
        rows.zip(indices).try_for_each(|(row, index)| self.state_at(index, row))?;
        Ok(states)
    }

    /// Uniformly random states, shape `(n, n_sites)`.
    pub fn random_states<R: Rng + ?Sized>(&self, n: usize, rng: &mut R) -> Array2<i8> {
        let blocks: Vec<RandomBlock<'_>> = self.blocks().iter().map(RandomBlock::new).collect();
        let mut states = Array2::zeros((n, self.n_sites()));
        for row in states.as_slice_mut().expect("a new array is contiguous").chunks_exact_mut(self.n_sites())
        {
            blocks.iter().for_each(|block| block.write(rng, row));
        }
        states
    }

    /// Checks that every row of a batch is a state of the space.
    ///
    /// # Errors
    /// [`Error::SampleWidth`], [`Error::NotALocalState`], [`Error::OutsideConstraint`], for the first
    /// offending sample.
    pub fn check(&self, x: ArrayView2<'_, i8>) -> Result<()> {
        self.check_width(x.ncols())?;
        let mut buffer = vec![0; x.ncols()];
        for (sample, row) in x.rows().into_iter().enumerate() {
            self.check_states(sample, contiguous(&row, &mut buffer))?;
        }
        Ok(())
    }

    /// Checks a batch as [`check`](Self::check) does, and gives its rows as one slice.
    ///
    /// # Errors
    /// As [`check`](Self::check).
    #[doc(hidden)]
    pub fn check_rows<'a>(&self, x: ArrayView2<'a, i8>) -> Result<HostRows<'a>> {
        self.check(x)?;
        Ok(HostRows::of_states(x))
    }

    /// Checks that another space is the same.
    ///
    /// ```
    /// use operator_core::{HilbertSpace, hilbert::Spin};
    ///
    /// let (three, four) = (HilbertSpace::from(Spin::half(3)?), HilbertSpace::from(Spin::half(4)?));
    /// assert!(three.expect_same(&three.clone()).is_ok());
    /// assert!(three.expect_same(&four).is_err());
    /// # Ok::<(), operator_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::HilbertMismatch`], which names both.
    pub fn expect_same(&self, other: &HilbertSpace) -> Result<()> {
        if self == other {
            Ok(())
        } else {
            Err(Error::HilbertMismatch { left: self.to_string(), right: other.to_string() })
        }
    }

    /// Checks one configuration, named `sample` in errors.
    ///
    /// # Errors
    /// As [`check`](Self::check).
    pub fn check_row(&self, sample: usize, x: &[i8]) -> Result<()> {
        self.check_width(x.len())?;
        self.check_states(sample, x)
    }

    fn check_width(&self, got: usize) -> Result<()> {
        match self.n_sites() {
            expected if expected != got => {
                Err(Error::SampleWidth { got, expected, hilbert: self.to_string() })
            }
            _ => Ok(()),
        }
    }

    fn check_states(&self, sample: usize, x: &[i8]) -> Result<()> {
        for block in self.blocks() {
            let (local, row) = (block.local, block.of(x));
            if !all_local(local, row) {
                return Err(self.not_a_local_state(sample, block, row));
            }
            let Some(total) = block.total else { continue };
            // Σ q = n · first + step · Σ index.
            let sum = sum_of(row);
            let offset = row.len() as i64 * i64::from(local.first);
            if sum != offset + i64::from(local.step) * total as i64 {
                let found = (sum - offset) / i64::from(local.step);
                return Err(Error::OutsideConstraint {
                    sample,
                    hilbert: self.to_string(),
                    found: self.conserved(block, found),
                    expected: self.conserved(block, total as i64),
                });
            }
        }
        Ok(())
    }

    fn not_a_local_state(&self, sample: usize, block: &Block, row: &[i8]) -> Error {
        let site = row.iter().position(|&q| block.local.index(q).is_none()).unwrap_or(0);
        Error::NotALocalState {
            sample,
            site: block.start + site,
            value: i64::from(row[site]),
            hilbert: self.to_string(),
            allowed: block.local.describe(),
        }
    }

    /// A conserved sum of local indices as the quantity that users fixed.
    fn conserved(&self, block: &Block, sum: i64) -> String {
        let (first, last) = (block.start, block.start + block.n_sites - 1);
        let quantity = match self.factor_of(first).map_or(self, |(factor, _)| factor) {
            HilbertSpace::Spin(spin) => {
                format!("total_sz = {}", block.n_sites as f64 * spin.s() - sum as f64)
            }
            HilbertSpace::SpinOrbitalFermions(space) if space.n_fermions_per_spin().is_some() => {
                return format!("{sum} fermions in modes {first} to {last}");
            }
            HilbertSpace::SpinOrbitalFermions(_) => format!("{sum} fermions"),
            _ => format!("{sum} particles"),
        };
        match self.factors() {
            [_] => quantity,
            _ => format!("{quantity} on sites {first} to {last}"),
        }
    }
}

/// Whether all quantum numbers are local states. For two or equally spaced states this is one pass that the
/// compiler vectorises.
#[inline]
fn all_local(local: LocalStates, row: &[i8]) -> bool {
    let (first, last) = (local.value(0), local.value(local.len - 1));
    let (low, high) = (first.min(last), first.max(last));
    // Steps are 1 or 2, so parity is all that the range leaves open.
    let parity = if local.step.unsigned_abs() == 2 { 1 } else { 0 };
    !row.iter().fold(false, |bad, &q| bad | (q < low) | (q > high) | ((q ^ first) & parity != 0))
}

/// The sum of quantum numbers; in steps that fit 16 bits, so that many are added at once.
#[inline]
fn sum_of(row: &[i8]) -> i64 {
    row.chunks(128).map(|part| i64::from(part.iter().map(|&q| i16::from(q)).sum::<i16>())).sum()
}

/// A row as a slice, copied into `buffer` where it is not contiguous.
fn contiguous<'a>(row: &'a ndarray::ArrayView1<'_, i8>, buffer: &'a mut [i8]) -> &'a [i8] {
    match row.as_slice() {
        Some(slice) => slice,
        None => {
            buffer.iter_mut().zip(row).for_each(|(to, &from)| *to = from);
            buffer
        }
    }
}

impl fmt::Display for HilbertSpace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HilbertSpace::Spin(space) => space.fmt(f),
            HilbertSpace::Qubit(space) => space.fmt(f),
            HilbertSpace::Fock(space) => space.fmt(f),
            HilbertSpace::SpinOrbitalFermions(space) => space.fmt(f),
            HilbertSpace::Tensor(space) => space.fmt(f),
        }
    }
}

/// Spaces are equal when their factors are, and these when they are of one kind with equal blocks.
impl PartialEq for HilbertSpace {
    fn eq(&self, other: &Self) -> bool {
        let (left, right) = (self.factors(), other.factors());
        let equal = |(a, b): (&HilbertSpace, &HilbertSpace)| {
            std::mem::discriminant(a) == std::mem::discriminant(b)
                && (Arc::ptr_eq(a.layout(), b.layout()) || a.blocks() == b.blocks())
        };
        left.len() == right.len() && left.iter().zip(right).all(equal)
    }
}

impl Eq for HilbertSpace {}

impl Hash for HilbertSpace {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for factor in self.factors() {
            std::mem::discriminant(factor).hash(state);
            factor.blocks().hash(state);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand_xoshiro::Xoshiro256PlusPlus;

    fn spaces() -> Vec<HilbertSpace> {
        let fermions = SpinOrbitalFermions::with_spin(3, 0.5).unwrap();
        vec![
            Spin::half(5).unwrap().into(),
            Spin::half(6).unwrap().with_total_sz(1.0).unwrap().into(),
            Spin::half(5).unwrap().with_total_sz(-0.5).unwrap().into(),
            Spin::new(1.0, 4).unwrap().with_total_sz(0.0).unwrap().into(),
            Spin::new(1.5, 3).unwrap().into(),
            Qubit::new(4).unwrap().into(),
            Fock::new(3, 3).unwrap().into(),
            Fock::new(2, 5).unwrap().with_n_particles(4).unwrap().into(),
            Fock::new(2, 2).unwrap().with_n_particles(4).unwrap().into(),
            fermions.clone().into(),
            fermions.with_n_fermions(2).unwrap().into(),
            fermions.with_n_fermions_per_spin(&[2, 1]).unwrap().into(),
        ]
        .into_iter()
        .chain(tensors())
        .collect()
    }

    fn tensors() -> Vec<HilbertSpace> {
        let spins: HilbertSpace = Spin::half(3).unwrap().with_total_sz(0.5).unwrap().into();
        let bosons: HilbertSpace = Fock::new(2, 2).unwrap().with_n_particles(2).unwrap().into();
        let fermions = SpinOrbitalFermions::with_spin(2, 0.5).unwrap();
        let fermions: HilbertSpace = fermions.with_n_fermions_per_spin(&[1, 2]).unwrap().into();
        vec![
            (HilbertSpace::from(Spin::new(1.0, 2).unwrap()) * Fock::new(3, 1).unwrap()).unwrap(),
            (bosons.clone() * spins.clone()).unwrap(),
            (fermions.clone() * Fock::new(2, 1).unwrap()).unwrap(),
            HilbertSpace::tensor([Qubit::new(1).unwrap().into(), fermions, spins]).unwrap(),
            HilbertSpace::tensor([bosons]).unwrap(),
        ]
    }

    /// All rows of local states in lexicographic order of indices, kept where the constraint holds.
    fn brute_force(space: &HilbertSpace) -> Vec<Vec<i8>> {
        let mut rows: Vec<Vec<usize>> = vec![vec![]];
        for site in 0..space.n_sites() {
            let dim = space.local_dim(site);
            rows =
                rows.iter().flat_map(|row| (0..dim).map(move |d| [row.clone(), vec![d]].concat())).collect();
        }
        let allowed = |row: &&Vec<usize>| {
            space.blocks().iter().all(|block| {
                let sum: usize = row[block.start..block.start + block.n_sites].iter().sum();
                block.total.is_none_or(|total| total == sum)
            })
        };
        let value = |(site, &d): (usize, &usize)| space.local(site).value(d);
        rows.iter().filter(allowed).map(|row| row.iter().enumerate().map(value).collect()).collect()
    }

    #[test]
    fn all_states_are_the_brute_force_list_in_its_order() {
        for space in spaces() {
            let states = space.all_states().unwrap();
            let rows: Vec<Vec<i8>> = states.rows().into_iter().map(|row| row.to_vec()).collect();
            assert_eq!(rows, brute_force(&space), "{space}");
            let indices = space.states_to_indices(states.view()).unwrap();
            assert_eq!(indices.to_vec(), (0..rows.len()).collect::<Vec<_>>(), "{space}");
            assert!((space.log2_n_states() - (rows.len() as f64).log2()).abs() < 1e-9, "{space}");
        }
    }

    #[test]
    fn sixty_spins_are_numbered_by_binomials() {
        let space: HilbertSpace = Spin::half(60).unwrap().with_total_sz(0.0).unwrap().into();
        assert_eq!(space.n_states().unwrap(), 118_264_581_564_861_424);
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
        let states = space.random_states(200, &mut rng);
        space.check(states.view()).unwrap();
        let indices = space.states_to_indices(states.view()).unwrap();
        assert_eq!(space.indices_to_states(indices.as_slice().unwrap()).unwrap(), states);
    }

    #[test]
    fn large_spaces_are_sampled_though_not_numbered() {
        let spins: HilbertSpace = Spin::half(1000).unwrap().with_total_sz(0.0).unwrap().into();
        let bosons: HilbertSpace = Fock::new(4, 400).unwrap().with_n_particles(400).unwrap().into();
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(2);
        for space in [spins, bosons] {
            assert!(!space.is_indexable());
            space.check(space.random_states(5, &mut rng).view()).unwrap();
        }
        let spins: HilbertSpace = Spin::half(1000).unwrap().with_total_sz(0.0).unwrap().into();
        // log2 C(1000, 500) by Stirling's series.
        let (n, pi) = (1000.0f64, std::f64::consts::PI);
        let expected = n - 0.5 * (pi * n / 2.0).log2() + (-1.0 / (4.0 * n)) / std::f64::consts::LN_2;
        assert!((spins.log2_n_states() - expected).abs() < 1e-6);
    }

    #[test]
    fn random_states_are_uniform() {
        // 19 states, 18 degrees of freedom: chi-square exceeds 42.3 with probability 1e-3 for a right sampler.
        uniform(Fock::new(2, 4).unwrap().with_n_particles(4).unwrap().into(), 19, 42.3);
        // 18 states, 17 degrees of freedom: 40.8 with probability 1e-3.
        let bosons: HilbertSpace = Fock::new(2, 3).unwrap().with_n_particles(2).unwrap().into();
        let spins = Spin::half(3).unwrap().with_total_sz(-0.5).unwrap();
        uniform((bosons * spins).unwrap(), 18, 40.8);
    }

    fn uniform(space: HilbertSpace, n_states: usize, bound: f64) {
        assert_eq!(space.n_states().unwrap(), n_states);
        let n = 1000 * n_states;
        let states = space.random_states(n, &mut Xoshiro256PlusPlus::seed_from_u64(3));
        let mut counts = vec![0.0f64; n_states];
        space.states_to_indices(states.view()).unwrap().iter().for_each(|&k| counts[k] += 1.0);
        let chi_square: f64 = counts.iter().map(|count| (count - 1000.0).powi(2) / 1000.0).sum();
        assert!(chi_square < bound, "{space}: {chi_square}");
    }

    #[test]
    fn states_of_a_product_are_pairs_of_states_the_first_most_significant() {
        for (a, b) in tensors().into_iter().zip(spaces()) {
            let product = (a.clone() * b.clone()).unwrap();
            let (left, right) = (a.all_states().unwrap(), b.all_states().unwrap());
            let pairs = left.rows().into_iter().flat_map(|l| right.rows().into_iter().map(move |r| (l, r)));
            let states = product.all_states().unwrap();
            assert_eq!(states.nrows(), left.nrows() * right.nrows());
            for (state, (l, r)) in states.rows().into_iter().zip(pairs) {
                assert_eq!(state.to_vec(), [l.to_vec(), r.to_vec()].concat());
            }
        }
    }

    #[test]
    fn products_of_products_are_products_of_their_factors() {
        let [a, b, c]: [HilbertSpace; 3] =
            [Spin::half(2).unwrap().into(), Qubit::new(1).unwrap().into(), Fock::new(2, 2).unwrap().into()];
        let left = ((a.clone() * b.clone()).unwrap() * c.clone()).unwrap();
        let right = (a.clone() * (b.clone() * c.clone()).unwrap()).unwrap();
        assert_eq!(left, right);
        assert_eq!(left.to_string(), "Spin(1/2, 2 sites) ⊗ Qubit(1) ⊗ Fock(n_max = 2, 2 sites)");
        assert_eq!(left.factors(), [a.clone(), b, c]);
        assert_eq!(HilbertSpace::tensor([a.clone()]).unwrap(), a);
        let HilbertSpace::Tensor(tensor) = left else { panic!("a product is a tensor") };
        assert_eq!((0..3).map(|k| tensor.sites(k).unwrap()).collect::<Vec<_>>(), [0..2, 2..3, 3..5]);
    }

    #[test]
    fn products_of_other_factors_are_other_spaces() {
        let qubits = HilbertSpace::from(Qubit::new(2).unwrap());
        let bosons = HilbertSpace::from(Fock::new(1, 2).unwrap());
        assert_eq!(qubits.blocks(), bosons.blocks());
        let spin = || Spin::half(1).unwrap();
        let products = [
            (qubits.clone() * spin()).unwrap(),
            (bosons.clone() * spin()).unwrap(),
            (HilbertSpace::from(spin()) * qubits.clone()).unwrap(),
            (qubits.clone() * bosons.clone()).unwrap(),
            (qubits.clone() * qubits.clone()).unwrap(),
            Qubit::new(4).unwrap().into(),
            qubits,
            bosons,
        ];
        for (k, a) in products.iter().enumerate() {
            for (l, b) in products.iter().enumerate() {
                assert_eq!(a == b, k == l, "{a} and {b}");
            }
        }
        #[expect(clippy::mutable_key_type, reason = "what is found when it is needed is not hashed")]
        let distinct: std::collections::HashSet<_> = products.iter().chain(&products).collect();
        assert_eq!(distinct.len(), products.len());
    }

    #[test]
    fn fermion_modes_are_those_of_fermion_factors() {
        let fermions = HilbertSpace::from(SpinOrbitalFermions::with_spin(2, 0.5).unwrap());
        let other = SpinOrbitalFermions::new(3).unwrap();
        let both = (fermions.clone() * other.clone()).unwrap();
        assert!(both.is_fermionic() && fermions.is_fermionic());
        let space = HilbertSpace::tensor([fermions, Qubit::new(2).unwrap().into(), other.into()]).unwrap();
        assert!(!space.is_fermionic());
        let modes: Vec<_> = (0..10).map(|site| space.modes_with(site)).collect();
        let [first, second] = [Some(0..4), Some(6..9)];
        assert_eq!(modes[..4], vec![first; 4]);
        assert_eq!(modes[4..6], [None, None]);
        assert_eq!(modes[6..9], vec![second; 3]);
        assert_eq!(modes[9], None, "there is no site 9");
    }

    proptest! {
        #[test]
        fn ranking_and_unranking_are_inverse(which in 0..spaces().len(), seed in any::<u64>()) {
            let space = &spaces()[which];
            let index = seed as usize % space.n_states().unwrap();
            let mut x = vec![0; space.n_sites()];
            space.state_at(index, &mut x).unwrap();
            prop_assert_eq!(space.index_of(&x).unwrap(), index);
        }

        #[test]
        fn any_bytes_are_accepted_or_refused_without_panic(
            which in 0..spaces().len(), x in proptest::collection::vec(any::<i8>(), 0..8)
        ) {
            let space = &spaces()[which];
            let listed = brute_force(space).contains(&x);
            prop_assert_eq!(space.check_row(0, &x).is_ok(), listed);
        }
    }

    #[test]
    fn bad_samples_and_spaces_are_refused_with_the_value_and_the_remedy() {
        let message = |error: Error| error.to_string();
        let space: HilbertSpace = Spin::half(4).unwrap().with_total_sz(0.0).unwrap().into();
        assert_eq!(
            message(space.check_row(3, &[1, 2, 1, 1]).unwrap_err()),
            "sample 3 has quantum number 2 at site 1; Spin(1/2, 4 sites, total_sz = 0) allows 1 and -1"
        );
        assert_eq!(
            message(space.check_row(3, &[1, 1]).unwrap_err()),
            "samples have 2 sites; Spin(1/2, 4 sites, total_sz = 0) has 4"
        );
        assert_eq!(
            message(space.check_row(1, &[1, 1, 1, -1]).unwrap_err()),
            "sample 1 is outside Spin(1/2, 4 sites, total_sz = 0): total_sz = 1, expected total_sz = 0"
        );
        assert_eq!(
            message(space.state_at(6, &mut [0; 4]).unwrap_err()),
            "state 6 does not exist: Spin(1/2, 4 sites, total_sz = 0) has 6 states"
        );
        let fermions = SpinOrbitalFermions::with_spin(2, 0.5).unwrap();
        let product = HilbertSpace::tensor([
            space.clone(),
            Fock::new(2, 2).unwrap().with_n_particles(1).unwrap().into(),
            fermions.with_n_fermions_per_spin(&[1, 1]).unwrap().into(),
        ]);
        let product = product.unwrap();
        let found = |x: &[i8]| message(product.check_row(0, x).unwrap_err());
        assert!(
            found(&[1, 1, 1, -1, 0, 1, 0, 1, 0, 1])
                .ends_with(": total_sz = 1 on sites 0 to 3, expected total_sz = 0 on sites 0 to 3")
        );
        assert!(
            found(&[1, -1, 1, -1, 0, 2, 0, 1, 0, 1])
                .ends_with(": 2 particles on sites 4 to 5, expected 1 particles on sites 4 to 5")
        );
        assert!(
            found(&[1, -1, 1, -1, 0, 1, 0, 1, 1, 1])
                .ends_with(": 2 fermions in modes 8 to 9, expected 1 fermions in modes 8 to 9")
        );
        assert!(found(&[1, -1, 1, -1, 0, 3, 0, 1, 0, 1]).contains("quantum number 3 at site 5"));
        let large: HilbertSpace = Qubit::new(100).unwrap().into();
        assert_eq!(
            message(large.n_states().unwrap_err()),
            "Qubit(100) has about 2^100 states, too many to be numbered; use samples instead of all states"
        );
        let large: HilbertSpace = Qubit::new(40).unwrap().into();
        assert!(message(large.all_states().unwrap_err()).contains("4.398e13 bytes"));
        for error in [
            Spin::new(0.3, 4).unwrap_err(),
            Spin::new(f64::NAN, 4).unwrap_err(),
            Spin::half(4).unwrap().with_total_sz(0.5).unwrap_err(),
            Spin::half(4).unwrap().with_total_sz(3.0).unwrap_err(),
            Qubit::new(0).unwrap_err(),
            Fock::new(0, 2).unwrap_err(),
            Fock::new(2, 2).unwrap().with_n_particles(5).unwrap_err(),
            SpinOrbitalFermions::new(2).unwrap().with_n_fermions(3).unwrap_err(),
            SpinOrbitalFermions::with_spin(2, 0.5).unwrap().with_n_fermions_per_spin(&[1]).unwrap_err(),
            SpinOrbitalFermions::with_spin(2, 0.5).unwrap().mode(0, 2).unwrap_err(),
            TensorHilbert::new(Vec::<HilbertSpace>::new()).unwrap_err(),
            TensorHilbert::new([Qubit::new(2).unwrap()]).unwrap().sites(1).unwrap_err(),
        ] {
            assert!(matches!(error, Error::InvalidHilbert(_)), "{error}");
        }
    }
}
