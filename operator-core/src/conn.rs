//! The two shapes of an answer: connected elements flattened, and padded.

use std::ops::Range;

use ndarray::{Array2, Array3, ArrayView1, ArrayView2};

use crate::element::Element;

/// Connected elements of a batch, rows of all samples one after another.
///
/// Sample b's elements are rows `offsets()[b]..offsets()[b + 1]` of [`states`](Self::states) and
/// [`mels`](Self::mels), as in a CSR matrix. The buffer keeps its memory when it is filled again.
///
/// A state is a row of quantum numbers, or of words in a [`PackedConn`].
#[derive(Clone, Debug)]
pub struct ConnBatch<T, S = i8> {
    width: usize,
    total: usize,
    // Both may be longer than `total` asks: they only grow, so that refilling writes nothing twice.
    states: Vec<S>,
    mels: Vec<T>,
    offsets: Vec<usize>,
}

/// Connected elements of a batch with states packed into words.
///
/// Bit `i % 64` of word `i / 64` is the local index of site i: set where a spin is down, a qubit is 1 or a mode
/// is filled. Bits beyond the last site are clear.
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

    /// Number of connected elements of all samples.
    pub fn total(&self) -> usize {
        self.total
    }

    /// Where each sample's elements start, and the total at the end; `n_samples + 1` numbers.
    pub fn offsets(&self) -> &[usize] {
        &self.offsets
    }

    /// Connected configurations, shape `(total, n_sites)`; if packed, `(total, n_words)`.
    pub fn states(&self) -> ArrayView2<'_, S> {
        self.states_of(0..self.total)
    }

    /// Matrix elements, shape `(total,)`.
    pub fn mels(&self) -> ArrayView1<'_, T> {
        ArrayView1::from(&self.mels[..self.total])
    }

    /// The elements of one sample: states `(n_conn, n_sites)` and matrix elements `(n_conn,)`; both empty
    /// for a sample that is not there.
    pub fn sample(&self, b: usize) -> (ArrayView2<'_, S>, ArrayView1<'_, T>) {
        let (start, end) = match (self.offsets.get(b), self.offsets.get(b + 1)) {
            (Some(&start), Some(&end)) => (start, end),
            _ => (0, 0),
        };
        (self.states_of(start..end), ArrayView1::from(&self.mels[start..end]))
    }

    fn states_of(&self, elements: Range<usize>) -> ArrayView2<'_, S> {
        let states = &self.states[elements.start * self.width..elements.end * self.width];
        ArrayView2::from_shape((elements.len(), self.width), states)
            .expect("a row of `width` for each of these elements")
    }

    /// Prepares the buffer for samples with `counts` elements each, their states `width` long, and returns
    /// what is to be filled: states, matrix elements, and the offsets.
    ///
    /// For backends; the slices hold old data until they are written.
    pub fn reset(&mut self, width: usize, counts: &[usize]) -> (&mut [S], &mut [T], &[usize]) {
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
        (&mut self.states[..total * width], &mut self.mels[..total], &self.offsets)
    }
}

impl<T: Element> ConnBatch<T> {
    /// The same elements with padding.
    ///
    /// Unused slots hold the sample itself with matrix element 0, after the used ones.
    pub fn to_padded(&self, x: ArrayView2<'_, i8>, max_conn_size: usize) -> PaddedConn<T> {
        let (n_samples, n_sites) = x.dim();
        let mut states = Array3::zeros((n_samples, max_conn_size, n_sites));
        let mut mels = Array2::zeros((n_samples, max_conn_size));
        for b in 0..n_samples.min(self.n_samples()) {
            let (used_states, used_mels) = self.sample(b);
            let mut rows = states.index_axis_mut(ndarray::Axis(0), b);
            for (k, mut row) in rows.rows_mut().into_iter().enumerate() {
                row.assign(&if k < used_mels.len() { used_states.row(k) } else { x.row(b) });
            }
            let n = used_mels.len().min(max_conn_size);
            mels.slice_mut(ndarray::s![b, ..n]).assign(&used_mels.slice(ndarray::s![..n]));
        }
        PaddedConn { states, mels }
    }
}

/// Connected elements of a batch in arrays of static shape.
///
/// Unused slots hold the sample itself with matrix element exactly 0, after the used ones.
#[derive(Clone, Debug, PartialEq)]
pub struct PaddedConn<T> {
    /// Connected configurations, shape `(batch, max_conn_size, n_sites)`.
    pub states: Array3<i8>,
    /// Matrix elements, shape `(batch, max_conn_size)`.
    pub mels: Array2<T>,
}

impl<T: Element> PaddedConn<T> {
    /// The same elements without padding: slots with matrix element 0 are dropped.
    pub fn to_flattened(&self) -> ConnBatch<T> {
        let counts: Vec<usize> =
            self.mels.rows().into_iter().map(|row| row.iter().filter(|mel| !mel.is_zero()).count()).collect();
        let n_sites = self.states.dim().2;
        let mut out = ConnBatch::new();
        let (states, mels, _) = out.reset(n_sites, &counts);
        let used = self.mels.indexed_iter().filter(|(_, mel)| !mel.is_zero());
        for (k, ((b, slot), &mel)) in used.enumerate() {
            let row = self.states.slice(ndarray::s![b, slot, ..]);
            states[k * n_sites..(k + 1) * n_sites].iter_mut().zip(row).for_each(|(to, &from)| *to = from);
            mels[k] = mel;
        }
        out
    }
}
