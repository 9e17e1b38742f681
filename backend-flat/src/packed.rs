//! Batches with packed states, and batches that are visited and not stored.

use ndarray::ArrayView2;
use operator_core::kernel::{Connected, Found};
use operator_core::parallel::{BatchEngine, SAMPLES_AT_A_TIME};
use operator_core::{DiscreteOperator, Element, Error, PackedConn, Result};

use crate::FlatOperator;
use crate::engine::FlatEngine;

impl<T: Element> FlatOperator<T> {
    /// Connected elements with states packed into words, one bit a site. The order is that of
    /// [`get_conn_flattened_into`](DiscreteOperator::get_conn_flattened_into), and states take an eighth of the
    /// memory.
    ///
    /// # Shapes
    /// `x` is `(batch, n_sites)`; states are `(total, n_words)` with 64 sites a word, see [`PackedConn`].
    ///
    /// # Errors
    /// [`Error::NotTwoLevel`] if a site has more than two states; [`Error::NoDefinition`] for a custom kernel;
    /// errors for bad samples as [`HilbertSpace::check`](operator_core::HilbertSpace::check).
    pub fn get_conn_packed_into(&self, x: ArrayView2<'_, i8>, conn: &mut PackedConn<T>) -> Result<()> {
        let engine = self.engine_for("give packed states")?;
        if !self.hilbert().is_two_level() {
            return Err(Error::NotTwoLevel { hilbert: self.hilbert().to_string() });
        }
        engine.connect_packed_into(&self.hilbert().check_rows(x)?, conn)
    }

    /// Connected elements with packed states, in a new buffer.
    ///
    /// ```
    /// use backend_flat::Flat;
    /// use operator_core::{Boundary, Graph, Ising, Model, hilbert::Spin};
    ///
    /// let chain = Graph::chain(3, Boundary::Periodic)?;
    /// let ising = Ising::new(Spin::half(3)?, &chain, 0.5, 1.0)?.lower::<Flat>()?;
    /// let conn = ising.get_conn_packed(ndarray::aview2(&[[1, 1, -1]]))?;
    /// // Spin 2 is down, and then another one is flipped.
    /// assert_eq!(conn.states(), ndarray::aview2(&[[0b100], [0b101], [0b110], [0b000]]));
    /// assert_eq!(conn.mels().to_vec(), [-1.0, -0.5, -0.5, -0.5]);
    /// # Ok::<(), operator_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`get_conn_packed_into`](Self::get_conn_packed_into).
    pub fn get_conn_packed(&self, x: ArrayView2<'_, i8>) -> Result<PackedConn<T>> {
        let mut conn = PackedConn::new();
        self.get_conn_packed_into(x, &mut conn)?;
        Ok(conn)
    }

    /// Calls `visit` with the number of the sample, the change and the matrix element, for every connected
    /// element of a batch. No connected configuration is stored. The order is that of
    /// [`get_conn_flattened`](DiscreteOperator::get_conn_flattened).
    ///
    /// ```
    /// use backend_flat::Flat;
    /// use operator_core::{Boundary, Graph, Ising, Model, hilbert::Spin};
    ///
    /// let chain = Graph::chain(3, Boundary::Periodic)?;
    /// let ising = Ising::new(Spin::half(3)?, &chain, 0.5, 1.0)?.lower::<Flat>()?;
    /// let mut sums = [0.0; 2];
    /// ising.visit_conn_batch(ndarray::aview2(&[[1, 1, 1], [1, 1, -1]]), |sample, _, mel| sums[sample] += mel)?;
    /// assert_eq!(sums, [1.5, -2.5]);
    /// # Ok::<(), operator_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::NoDefinition`] for a custom kernel; errors for bad samples as
    /// [`HilbertSpace::check`](operator_core::HilbertSpace::check).
    #[inline]
    pub fn visit_conn_batch(
        &self,
        x: ArrayView2<'_, i8>,
        mut visit: impl FnMut(usize, Connected<'_>, T),
    ) -> Result<()> {
        let engine = self.engine_for("be visited in batches")?.engine();
        let rows = self.hilbert().check_rows(x)?;
        let mut found = Found::default();
        let mut counts = [0; SAMPLES_AT_A_TIME];
        for (block, part) in rows.data().chunks(SAMPLES_AT_A_TIME * rows.n_sites()).enumerate() {
            let n_samples = part.len() / rows.n_sites();
            engine.find(part, &mut counts[..n_samples], &mut found);
            for k in 0..n_samples {
                let sample = block * SAMPLES_AT_A_TIME + k;
                engine.visit_found(&found, k, |connected, mel| visit(sample, connected, mel));
            }
        }
        Ok(())
    }

    fn engine_for(&self, action: &'static str) -> Result<&BatchEngine<T>> {
        match &self.engine {
            FlatEngine::Terms { engine, .. } => Ok(engine),
            FlatEngine::Custom { .. } => Err(Error::NoDefinition { operator: self.describe(), action }),
        }
    }
}
