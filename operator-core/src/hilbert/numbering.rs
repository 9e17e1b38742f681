//! The states of a space and their numbers.

use std::ops::Range;

use ndarray::{Array1, Array2, ArrayView2};

use super::check::contiguous;
use super::layout::NStates;
use super::packed_ranking::PackedRanking;
use super::ranking::Ranking;
use super::space::{HilbertSpace, Space};
use crate::error::{Error, Result};
use crate::memory;

impl HilbertSpace {
    /// Number of states.
    ///
    /// # Errors
    /// [`Error::NotIndexable`] if the number does not fit in a `usize`.
    pub fn n_states(&self) -> Result<usize> {
        Ok(self.numbers_of_states()?.of_all)
    }

    fn numbers_of_states(&self) -> Result<&NStates> {
        let log2_n_states = self.log2_n_states();
        let refused = || Error::NotIndexable { hilbert: self.to_string(), log2_n_states };
        self.layout().n_states.as_ref().ok_or_else(refused)
    }

    /// The numbering of each block's states.
    fn rankings(&self) -> Result<&[Ranking]> {
        let n_states = self.numbers_of_states()?;
        let layout = self.layout();
        if let Some(rankings) = layout.rankings.get() {
            return Ok(rankings);
        }
        let bytes = layout.blocks.iter().map(Ranking::bytes).sum();
        memory::expect_fits(|| self.what_numbers_states(), bytes, "use samples instead of all states")?;
        let numbered =
            || layout.blocks.iter().zip(&n_states.of_blocks).map(|(block, &n)| Ranking::new(block, n));
        Ok(layout.rankings.get_or_init(|| numbered().collect()))
    }

    fn what_numbers_states(&self) -> String {
        format!("the tables that number the states of {self}")
    }

    /// Whether the states can be numbered.
    pub fn is_indexable(&self) -> bool {
        self.layout().n_states.is_some()
    }

    /// Base-2 logarithm of the number of states, for spaces of any size.
    pub fn log2_n_states(&self) -> f64 {
        self.layout().log2_n_states
    }

    /// The number of a state in the order of [`all_states`](Self::all_states).
    ///
    /// # Errors
    /// [`Error::NotIndexable`], [`Error::SampleWidth`], [`Error::NotALocalState`],
    /// [`Error::OutsideConstraint`], [`Error::TooLarge`].
    pub fn index_of(&self, x: &[i8]) -> Result<usize> {
        let rankings = self.rankings()?;
        self.check_row(0, x)?;
        Ok(self.rank(rankings, x))
    }

    /// The numbers of packed states, on spaces of two-level sites.
    ///
    /// # Errors
    /// [`Error::NotTwoLevel`] if a site has more than two states; [`Error::NotIndexable`]; [`Error::TooLarge`].
    #[doc(hidden)]
    pub fn packed_ranking(&self) -> Result<&PackedRanking> {
        if !self.is_two_level() {
            return Err(Error::NotTwoLevel { hilbert: self.to_string() });
        }
        let (layout, rankings) = (self.layout(), self.rankings()?);
        if let Some(ranking) = layout.packed_ranking.get() {
            return Ok(ranking);
        }
        let bytes = PackedRanking::bytes(&layout.blocks);
        memory::expect_fits(|| self.what_numbers_states(), bytes, "use samples instead of all states")?;
        Ok(layout.packed_ranking.get_or_init(|| PackedRanking::new(&layout.blocks, rankings)))
    }

    /// The number of a checked state.
    fn rank(&self, rankings: &[Ranking], x: &[i8]) -> usize {
        self.blocks().iter().zip(rankings).fold(0, |index, (block, ranking)| {
            let (first, step) = (i32::from(block.local.first), i32::from(block.local.step));
            let digits = block.of(x).iter().map(|&q| ((i32::from(q) - first) / step) as usize);
            index * ranking.n_states() + ranking.rank(digits)
        })
    }

    /// Writes the state with this number.
    ///
    /// # Errors
    /// [`Error::NotIndexable`], [`Error::IndexOutOfRange`], [`Error::SampleWidth`], [`Error::TooLarge`].
    pub fn state_at(&self, index: usize, x: &mut [i8]) -> Result<()> {
        let (n_states, rankings) = (self.n_states()?, self.rankings()?);
        if index >= n_states {
            return Err(Error::IndexOutOfRange { index, n_states, hilbert: self.to_string() });
        }
        self.check_width(x.len())?;
        let mut rest = index;
        for (block, ranking) in self.blocks().iter().zip(rankings).rev() {
            let n_states = ranking.n_states();
            ranking.unrank(rest % n_states, |site, digit| x[block.start + site] = block.local.value(digit));
            rest /= n_states;
        }
        Ok(())
    }

    /// The numbers of many states, shape `(batch,)` for `x` of shape `(batch, n_sites)`.
    ///
    /// # Errors
    /// As for [`index_of`](Self::index_of).
    pub fn states_to_indices(&self, x: ArrayView2<'_, i8>) -> Result<Array1<usize>> {
        let rankings = self.rankings()?;
        self.check(x)?;
        let mut buffer = vec![0; x.ncols()];
        Ok(x.rows().into_iter().map(|row| self.rank(rankings, contiguous(&row, &mut buffer))).collect())
    }

    /// The states with these numbers, shape `(len, n_sites)`.
    ///
    /// # Errors
    /// [`Error::NotIndexable`], [`Error::IndexOutOfRange`], [`Error::TooLarge`].
    pub fn indices_to_states(&self, indices: &[usize]) -> Result<Array2<i8>> {
        self.fill_states(indices.len(), indices.iter().copied())
    }

    /// Consecutive states, shape `(len, n_sites)`.
    ///
    /// # Errors
    /// [`Error::NotIndexable`], [`Error::IndexOutOfRange`], [`Error::TooLarge`].
    pub fn states_in(&self, range: Range<usize>) -> Result<Array2<i8>> {
        self.fill_states(range.len(), range)
    }

    /// All states, shape `(n_states, n_sites)`.
    ///
    /// # Errors
    /// [`Error::NotIndexable`]; [`Error::TooLarge`] beyond the [`memory::limit`].
    pub fn all_states(&self) -> Result<Array2<i8>> {
        self.states_in(0..self.n_states()?)
    }

    fn fill_states(&self, n: usize, indices: impl Iterator<Item = usize>) -> Result<Array2<i8>> {
        let (what, bytes) = (|| format!("{n} states of {self}"), n as f64 * self.n_sites() as f64);
        memory::expect_fits(what, bytes, "go through them in blocks with states_in")?;
        let mut states = Array2::zeros((n, self.n_sites()));
        for (mut row, index) in states.rows_mut().into_iter().zip(indices) {
            self.state_at(index, row.as_slice_mut().expect("rows of a new array are contiguous"))?;
        }
        Ok(states)
    }
}
