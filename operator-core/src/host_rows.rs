//! A checked batch of samples on the host, its rows one after another.

use std::borrow::Cow;
use std::ops::Range;

use ndarray::ArrayView2;

/// A batch with contiguous rows, all of them states of a space, as
/// [`HilbertSpace::check_rows`](crate::HilbertSpace::check_rows) has checked.
///
/// Contiguous rows are borrowed; others are copied.
#[derive(Clone, Debug)]
pub struct HostRows<'a> {
    data: Cow<'a, [i8]>,
    n_sites: usize,
}

impl<'a> HostRows<'a> {
    /// The rows of a batch that is known to hold states, such as
    /// [`HilbertSpace::states_in`](crate::HilbertSpace::states_in) returns. They are not checked.
    ///
    /// # Panics
    /// If the rows are empty, which no state is.
    pub fn of_states(x: ArrayView2<'a, i8>) -> Self {
        assert!(x.ncols() > 0, "a state has at least one site");
        let data = x.to_slice().map_or_else(|| x.iter().copied().collect(), Cow::Borrowed);
        HostRows { data, n_sites: x.ncols() }
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.data.len() / self.n_sites
    }

    /// Whether there are no samples.
    pub fn is_empty(&self) -> bool {
        self.data.is_empty()
    }

    /// Number of sites; at least 1.
    pub fn n_sites(&self) -> usize {
        self.n_sites
    }

    /// All rows, one after another.
    pub fn data(&self) -> &[i8] {
        &self.data
    }

    /// One sample.
    ///
    /// # Panics
    /// If there is no such sample.
    pub fn row(&self, sample: usize) -> &[i8] {
        self.block(sample..sample + 1)
    }

    /// Consecutive samples, one after another.
    ///
    /// # Panics
    /// If there are no such samples.
    pub fn block(&self, samples: Range<usize>) -> &[i8] {
        &self.data[samples.start * self.n_sites..samples.end * self.n_sites]
    }

    /// The samples in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[i8]> {
        self.data.chunks_exact(self.n_sites)
    }
}

#[cfg(test)]
mod tests {
    use ndarray::aview2;

    use crate::error::Error;
    use crate::hilbert::{HilbertSpace, Spin};

    #[test]
    fn rows_are_those_of_the_batch_whatever_its_layout() {
        let hilbert: HilbertSpace = Spin::half(2).unwrap().into();
        let x = aview2(&[[1, -1], [-1, -1], [1, 1]]);
        let transposed = x.t().as_standard_layout().into_owned();
        for x in [x, transposed.t()] {
            let rows = hilbert.check_rows(x).unwrap();
            assert_eq!((rows.len(), rows.n_sites()), (3, 2));
            assert_eq!(rows.data(), [1, -1, -1, -1, 1, 1]);
            assert_eq!(rows.row(2), [1, 1]);
            assert_eq!(rows.block(1..3), [-1, -1, 1, 1]);
            assert_eq!(rows.iter().len(), 3);
        }
        let bad = aview2(&[[1, -1], [1, 0]]);
        assert!(matches!(hilbert.check_rows(bad), Err(Error::NotALocalState { sample: 1, .. })));
    }
}
