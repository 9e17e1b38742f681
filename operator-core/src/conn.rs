//! Connected elements of a batch in two shapes: flattened and padded.

use std::ops::Range;

use ndarray::{Array2, Array3, ArrayView1, ArrayView2, ArrayView3, Axis, s};

use crate::element::Element;
use crate::error::{Error, Result};
use crate::memory;

/// Connected elements of a batch, one sample's rows after another's.
///
/// Sample b's elements are rows `offsets()[b]..offsets()[b + 1]` of [`states`](Self::states) and
/// [`mels`](Self::mels), as in a CSR matrix. The buffer keeps its memory when it is refilled.
///
/// A state is a row of quantum numbers, or of words in a [`PackedConn`].
#[derive(Clone, Debug)]
pub struct ConnBatch<T, S = i8> {
    width: usize,
    total: usize,
    // Both may be longer than `total` needs. They never shrink, so a refill writes every entry just once.
    states: Vec<S>,
    mels: Vec<T>,
    offsets: Vec<usize>,
}

/// Connected elements of a batch with states packed into words.
///
/// Bit `i % 64` of word `i / 64` is the local index of site i: it is set if the spin is down, the qubit is 1 or
/// the mode is filled. Bits beyond the last site are 0.
pub type PackedConn<T> = ConnBatch<T, u64>;

impl<T: Element, S> Default for ConnBatch<T, S> {
    fn default() -> Self {
        ConnBatch { width: 0, total: 0, states: Vec::new(), mels: Vec::new(), offsets: vec![0] }
    }
}

impl<T: Element, S: Copy + Default> ConnBatch<T, S> {
    /// An empty buffer.
    pub fn new() -> Self {
        Self::default()
    }

    /// Number of samples.
    pub fn n_samples(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Number of connected elements of all samples together.
    pub fn total(&self) -> usize {
        self.total
    }

    /// Where each sample's elements start, then the total: `n_samples + 1` numbers.
    pub fn offsets(&self) -> &[usize] {
        &self.offsets
    }

    /// Number of elements of each sample.
    pub fn counts(&self) -> impl ExactSizeIterator<Item = usize> {
        self.offsets.windows(2).map(|pair| pair[1] - pair[0])
    }

    /// Connected configurations, shape `(total, n_sites)`; if packed, `(total, n_words)`.
    pub fn states(&self) -> ArrayView2<'_, S> {
        self.states_of(0..self.total)
    }

    /// Matrix elements, shape `(total,)`.
    pub fn mels(&self) -> ArrayView1<'_, T> {
        ArrayView1::from(&self.mels[..self.total])
    }

    /// The elements of one sample: states `(n_conn, n_sites)` and matrix elements `(n_conn,)`. `None` if `b` is not
    /// less than [`n_samples`](Self::n_samples).
    pub fn sample(&self, b: usize) -> Option<(ArrayView2<'_, S>, ArrayView1<'_, T>)> {
        let (start, end) = (*self.offsets.get(b)?, *self.offsets.get(b.checked_add(1)?)?);
        Some((self.states_of(start..end), ArrayView1::from(&self.mels[start..end])))
    }

    /// The elements of each sample in turn, as [`sample`](Self::sample) gives them.
    pub fn samples(&self) -> impl Iterator<Item = (ArrayView2<'_, S>, ArrayView1<'_, T>)> {
        self.offsets
            .windows(2)
            .map(|ends| (self.states_of(ends[0]..ends[1]), ArrayView1::from(&self.mels[ends[0]..ends[1]])))
    }

    fn states_of(&self, elements: Range<usize>) -> ArrayView2<'_, S> {
        let states = &self.states[elements.start * self.width..elements.end * self.width];
        ArrayView2::from_shape((elements.len(), self.width), states)
            .expect("a row of `width` for each of these elements")
    }

    /// Makes room for samples with `counts` elements each, whose states are `width` long. Returns the states and
    /// matrix elements for the caller to fill, and the offsets.
    ///
    /// For backends. The slices hold old data until they are written.
    ///
    /// # Errors
    /// [`Error::TooLarge`] beyond the [`memory::limit`]; the buffer is as it was.
    pub fn reset(&mut self, width: usize, counts: &[usize]) -> Result<(&mut [S], &mut [T], &[usize])> {
        let estimate: f64 = counts.iter().map(|&count| count as f64).sum();
        let bytes = estimate * (width as f64 * size_of::<S>() as f64 + size_of::<T>() as f64);
        let what = || format!("{estimate} connected elements");
        memory::expect_fits(what, bytes, "pass fewer samples at a time")?;
        self.offsets.clear();
        self.offsets.push(0);
        let mut total = 0;
        for &count in counts {
            total += count;
            self.offsets.push(total);
        }
        (self.width, self.total) = (width, total);
        if self.states.len() < total * width {
            self.states.resize(total * width, S::default());
        }
        if self.mels.len() < total {
            self.mels.resize(total, T::zero());
        }
        Ok((&mut self.states[..total * width], &mut self.mels[..total], &self.offsets))
    }
}

/// Checks that padded elements of so many bytes each fit into memory.
///
/// # Errors
/// [`Error::TooLarge`].
pub fn expect_padded_fits(n_samples: usize, max_conn_size: usize, bytes: f64) -> Result<()> {
    let what = || format!("{max_conn_size} elements for each of {n_samples} samples");
    let bytes = n_samples as f64 * max_conn_size as f64 * bytes;
    memory::expect_fits(what, bytes, "pass fewer samples at a time, or use the flat backend")
}

impl<T: Element> ConnBatch<T> {
    /// The same elements with padding, for the samples `x` that they belong to.
    ///
    /// Unused slots follow the used ones. They hold the sample itself with matrix element 0.
    ///
    /// # Shapes
    /// `x` is `(n_samples, n_sites)`; see [`PaddedConn`].
    ///
    /// # Errors
    /// [`Error::Count`] if `x` has another number of samples or sites, or if a sample has more than
    /// `max_conn_size` elements; [`Error::TooLarge`] beyond the [`memory::limit`].
    pub fn to_padded(&self, x: ArrayView2<'_, i8>, max_conn_size: usize) -> Result<PaddedConn<T>> {
        let (n_samples, n_sites) = x.dim();
        expect_count("samples", n_samples, self.n_samples())?;
        if self.total > 0 {
            expect_count("sites", n_sites, self.width)?;
        }
        expect_padded_fits(n_samples, max_conn_size, (n_sites + size_of::<T>()) as f64)?;
        let mut states = Array3::zeros((n_samples, max_conn_size, n_sites));
        let mut mels = Array2::zeros((n_samples, max_conn_size));
        for (b, (used_states, used_mels)) in self.samples().enumerate() {
            let n = used_mels.len();
            if n > max_conn_size {
                return Err(Error::Count {
                    what: format!("elements of sample {b}"),
                    got: n,
                    expected: format!("at most max_conn_size = {max_conn_size}"),
                });
            }
            let mut rows = states.index_axis_mut(Axis(0), b);
            rows.slice_mut(s![..n, ..]).assign(&used_states);
            rows.slice_mut(s![n.., ..]).assign(&x.row(b));
            mels.slice_mut(s![b, ..n]).assign(&used_mels);
        }
        Ok(PaddedConn { states, mels })
    }
}

/// Connected elements of a batch in arrays of static shape.
///
/// Unused slots follow the used ones. They hold the sample itself with matrix element exactly 0.
#[derive(Clone, Debug, PartialEq)]
pub struct PaddedConn<T> {
    states: Array3<i8>,
    mels: Array2<T>,
}

impl<T: Element> PaddedConn<T> {
    /// Puts the two arrays together.
    ///
    /// # Shapes
    /// `states` is `(batch, max_conn_size, n_sites)`, `mels` is `(batch, max_conn_size)`.
    ///
    /// # Errors
    /// [`Error::Count`] if the shapes do not match.
    pub fn new(states: Array3<i8>, mels: Array2<T>) -> Result<Self> {
        let (n_samples, width, _) = states.dim();
        expect_count("rows of matrix elements", mels.nrows(), n_samples)?;
        expect_count("matrix elements of each sample", mels.ncols(), width)?;
        Ok(PaddedConn { states, mels })
    }

    /// Connected configurations, shape `(batch, max_conn_size, n_sites)`.
    pub fn states(&self) -> ArrayView3<'_, i8> {
        self.states.view()
    }

    /// Matrix elements, shape `(batch, max_conn_size)`.
    pub fn mels(&self) -> ArrayView2<'_, T> {
        self.mels.view()
    }

    /// The states and the matrix elements.
    pub fn into_parts(self) -> (Array3<i8>, Array2<T>) {
        (self.states, self.mels)
    }

    /// The same elements without padding: slots with matrix element 0 are dropped.
    ///
    /// # Errors
    /// [`Error::TooLarge`] beyond the [`memory::limit`].
    pub fn to_flattened(&self) -> Result<ConnBatch<T>> {
        let counts: Vec<usize> =
            self.mels.rows().into_iter().map(|row| row.iter().filter(|mel| !mel.is_zero()).count()).collect();
        let n_sites = self.states.dim().2;
        let mut out = ConnBatch::new();
        let (states, mels, _) = out.reset(n_sites, &counts)?;
        let used = self.mels.indexed_iter().filter(|(_, mel)| !mel.is_zero());
        for (k, ((b, slot), &mel)) in used.enumerate() {
            let row = self.states.slice(s![b, slot, ..]);
            states[k * n_sites..(k + 1) * n_sites].iter_mut().zip(row).for_each(|(to, &from)| *to = from);
            mels[k] = mel;
        }
        Ok(out)
    }
}

fn expect_count(what: &str, got: usize, expected: usize) -> Result<()> {
    if got == expected {
        return Ok(());
    }
    Err(Error::Count { what: what.into(), got, expected: expected.to_string() })
}

#[cfg(test)]
mod tests {
    use ndarray::{array, aview2};

    use super::*;

    fn two_samples() -> ConnBatch<f64> {
        let mut conn = ConnBatch::new();
        let (states, mels, _) = conn.reset(2, &[2, 1]).unwrap();
        states.copy_from_slice(&[1, 1, -1, 1, 1, -1]);
        mels.copy_from_slice(&[0.5, 2.0, -1.0]);
        conn
    }

    #[test]
    fn unused_slots_hold_the_sample_with_element_zero() {
        let (conn, x) = (two_samples(), aview2(&[[1, 1], [-1, -1]]));
        let padded = conn.to_padded(x, 3).unwrap();
        assert_eq!(padded.mels(), array![[0.5, 2.0, 0.0], [-1.0, 0.0, 0.0]]);
        assert_eq!(padded.states().index_axis(Axis(0), 0), array![[1, 1], [-1, 1], [1, 1]]);
        assert_eq!(padded.states().index_axis(Axis(0), 1), array![[1, -1], [-1, -1], [-1, -1]]);
        let flattened = padded.to_flattened().unwrap();
        assert_eq!((flattened.states(), flattened.mels()), (conn.states(), conn.mels()));
        let (states, mels) = padded.clone().into_parts();
        assert_eq!(PaddedConn::new(states, mels).unwrap(), padded);
    }

    #[test]
    fn shapes_that_do_not_match_are_refused() {
        let conn = two_samples();
        let is_count = |error| matches!(error, Error::Count { .. });
        assert!(is_count(conn.to_padded(aview2(&[[1, 1]]), 3).unwrap_err()));
        assert!(is_count(conn.to_padded(aview2(&[[1], [1]]), 3).unwrap_err()));
        assert!(is_count(conn.to_padded(aview2(&[[1, 1], [-1, -1]]), 1).unwrap_err()));
        for shape in [(2, 3), (1, 2)] {
            assert!(is_count(
                PaddedConn::new(Array3::zeros((2, 2, 1)), Array2::<f64>::zeros(shape)).unwrap_err()
            ));
        }
    }
}
