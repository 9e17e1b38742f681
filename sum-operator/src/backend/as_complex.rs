//! Operators of any element type as operators with complex elements.

use std::ops::Range;

use ndarray::{Array, Array1, Array2, ArrayView1, ArrayView2, Dimension};
use num_complex::Complex64;
use operator_core::{
    ConnBatch, Definition, DiscreteOperator, Element, HilbertSpace, PaddedConn, Result, RowVisitor,
};

/// Elements that convert to complex ones. Complex elements need no conversion.
pub(super) trait ToComplex: Element {
    /// Lets an operator fill a batch with its own elements, and converts them.
    fn fill<S: Copy + Default>(
        conn: &mut ConnBatch<Complex64, S>,
        fill: impl FnOnce(&mut ConnBatch<Self, S>) -> Result<()>,
    ) -> Result<()>;

    /// Converts elements.
    fn array<D: Dimension>(elements: Array<Self, D>) -> Array<Complex64, D>;

    /// Lets an operator visit its rows, and converts their elements.
    fn visit(
        f: RowVisitor<'_, Complex64>,
        rows: impl FnOnce(RowVisitor<'_, Self>) -> Result<()>,
    ) -> Result<()>;
}

impl ToComplex for Complex64 {
    fn fill<S: Copy + Default>(
        conn: &mut ConnBatch<Complex64, S>,
        fill: impl FnOnce(&mut ConnBatch<Complex64, S>) -> Result<()>,
    ) -> Result<()> {
        fill(conn)
    }

    fn array<D: Dimension>(elements: Array<Complex64, D>) -> Array<Complex64, D> {
        elements
    }

    fn visit(
        f: RowVisitor<'_, Complex64>,
        rows: impl FnOnce(RowVisitor<'_, Complex64>) -> Result<()>,
    ) -> Result<()> {
        rows(f)
    }
}

impl ToComplex for f64 {
    fn fill<S: Copy + Default>(
        conn: &mut ConnBatch<Complex64, S>,
        fill: impl FnOnce(&mut ConnBatch<f64, S>) -> Result<()>,
    ) -> Result<()> {
        let mut real = ConnBatch::new();
        fill(&mut real)?;
        let counts: Vec<usize> = real.offsets().windows(2).map(|ends| ends[1] - ends[0]).collect();
        let (states, mels, _) = conn.reset(real.states().ncols(), &counts)?;
        states.iter_mut().zip(real.states()).for_each(|(to, &from)| *to = from);
        mels.iter_mut().zip(real.mels()).for_each(|(to, &from)| *to = from.into());
        Ok(())
    }

    fn array<D: Dimension>(elements: Array<f64, D>) -> Array<Complex64, D> {
        elements.mapv(Complex64::from)
    }

    fn visit(
        f: RowVisitor<'_, Complex64>,
        rows: impl FnOnce(RowVisitor<'_, f64>) -> Result<()>,
    ) -> Result<()> {
        let mut complex = Vec::new();
        rows(&mut |row, connected| {
            complex.clear();
            complex.extend(connected.iter().map(|&(column, mel)| (column, Complex64::from(mel))));
            f(row, &complex)
        })
    }
}

/// An operator as one with complex elements.
pub(super) struct AsComplex<'a, O>(pub(super) &'a O);

impl<O: DiscreteOperator<Element: ToComplex>> DiscreteOperator for AsComplex<'_, O> {
    type Backend = O::Backend;
    type Element = Complex64;

    fn hilbert(&self) -> &HilbertSpace {
        self.0.hilbert()
    }

    fn max_conn_size(&self) -> usize {
        self.0.max_conn_size()
    }

    fn is_hermitian(&self) -> bool {
        self.0.is_hermitian()
    }

    fn definition(&self) -> Option<&Definition> {
        self.0.definition()
    }

    fn describe(&self) -> String {
        self.0.describe()
    }

    fn n_conn(&self, x: ArrayView2<'_, i8>) -> Result<Array1<usize>> {
        self.0.n_conn(x)
    }

    fn get_conn(&self, x: ArrayView1<'_, i8>) -> Result<(Array2<i8>, Array1<Complex64>)> {
        let (states, mels) = self.0.get_conn(x)?;
        Ok((states, O::Element::array(mels)))
    }

    fn get_conn_flattened(&self, x: ArrayView2<'_, i8>) -> Result<ConnBatch<Complex64>> {
        let mut conn = ConnBatch::new();
        O::Element::fill(&mut conn, |conn| {
            *conn = self.0.get_conn_flattened(x)?;
            Ok(())
        })?;
        Ok(conn)
    }

    fn get_conn_flattened_into(&self, x: ArrayView2<'_, i8>, conn: &mut ConnBatch<Complex64>) -> Result<()> {
        O::Element::fill(conn, |conn| self.0.get_conn_flattened_into(x, conn))
    }

    fn get_conn_padded(&self, x: ArrayView2<'_, i8>) -> Result<PaddedConn<Complex64>> {
        let (states, mels) = self.0.get_conn_padded(x)?.into_parts();
        PaddedConn::new(states, O::Element::array(mels))
    }

    fn get_conn_indices_into(
        &self,
        states: Range<usize>,
        conn: &mut ConnBatch<Complex64, usize>,
    ) -> Result<()> {
        O::Element::fill(conn, |conn| self.0.get_conn_indices_into(states, conn))
    }

    fn for_all_states(&self, f: RowVisitor<'_, Complex64>) -> Result<()> {
        O::Element::visit(f, |f| self.0.for_all_states(f))
    }
}

#[cfg(test)]
#[path = "../../tests/suite/common/counted.rs"]
mod counted;

#[cfg(test)]
mod tests {
    use super::AsComplex;
    use super::counted::{Counted, NoElements, check_operator_calls};

    /// `AnyOperator` asks the operator inside through this type, by the same list of methods as composites.
    #[test]
    fn every_call_is_passed_on_by_its_name() {
        let real = Counted::new(NoElements::<f64>::new());
        check_operator_calls(&AsComplex(&real), &real.calls);
        let complex = Counted::new(NoElements::<num_complex::Complex64>::new());
        check_operator_calls(&AsComplex(&complex), &complex.calls);
    }
}
