use std::fmt::Debug;
use std::ops::Range;

use ndarray::Array2;
use operator_core::{Backend, Result};

use super::activation::{Activation, Order};

/// What is taken from the logarithm of a probability that is 0, instead of ∞.
#[cfg(any(feature = "flat", feature = "padded"))]
pub(super) const FORBIDDEN: f64 = 1e9;

/// Element by element, where the second operand may be a single row or a single column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arithmetic {
    /// `a + b`
    Add,
    /// `a − b`
    Subtract,
    /// `a b`
    Multiply,
}

/// What a backend does for networks: real matrices and a few operations on them.
///
/// Networks and their derivatives are written once in these operations. Rows are configurations, columns are
/// values of a layer; complex numbers are pairs of matrices ([`Field`]).
#[diagnostic::on_unimplemented(
    message = "backend `{Self}` does not evaluate networks",
    note = "turn on the feature of the backend in the crate `variational`: `flat` (on by default) or `padded`"
)]
pub trait NetworkBackend: Backend {
    /// A matrix on the device.
    type Matrix: Clone + Debug + Send + Sync;

    /// Whether [`product_of_changed`](Self::product_of_changed) is faster than the whole product.
    const ADDS_CHANGES: bool = false;

    /// Brings a matrix to the device.
    ///
    /// # Errors
    /// [`Backend`](operator_core::Error::Backend) if the device fails, here and in all other methods.
    fn matrix(values: Array2<f64>, device: &Self::Device) -> Result<Self::Matrix>;

    /// Brings a matrix to the host.
    ///
    /// # Errors
    /// As [`matrix`](Self::matrix).
    fn to_array(matrix: &Self::Matrix) -> Result<Array2<f64>>;

    /// Zeros of the same shape.
    ///
    /// # Errors
    /// As [`matrix`](Self::matrix).
    fn zeros_like(matrix: &Self::Matrix) -> Result<Self::Matrix>;

    /// Rows and columns.
    fn dim(matrix: &Self::Matrix) -> (usize, usize);

    /// Calls `f` with the numbers of some rows and their quantum numbers, shape `(rows, n_sites)`, and puts its
    /// results under each other: the whole batch at once, or blocks of rows in parallel. Blocks do not depend
    /// on the number of threads.
    ///
    /// # Errors
    /// As [`matrix`](Self::matrix), and those of `f`.
    fn by_blocks<F>(x: &Self::Configurations, f: F) -> Result<Field<Self::Matrix>>
    where
        F: Fn(Range<usize>, &Self::Matrix) -> Result<Field<Self::Matrix>> + Send + Sync;

    /// Amplitudes from ln ψ, shape `(batch, 1)`.
    ///
    /// # Errors
    /// As [`matrix`](Self::matrix).
    fn amplitudes(log_psi: &Field<Self::Matrix>) -> Result<Self::Amplitudes>;

    /// `a b`
    ///
    /// # Errors
    /// As [`matrix`](Self::matrix).
    fn product(a: &Self::Matrix, b: &Self::Matrix) -> Result<Self::Matrix>;

    /// `a bᵀ`
    ///
    /// # Errors
    /// As [`matrix`](Self::matrix).
    fn product_transposed(a: &Self::Matrix, b: &Self::Matrix) -> Result<Self::Matrix>;

    /// `aᵀ`
    ///
    /// # Errors
    /// As [`matrix`](Self::matrix).
    fn transpose(a: &Self::Matrix) -> Result<Self::Matrix>;

    /// `b c` from `product = a c`, where row k of `b` differs from row `origins[k]` of `a` in a few columns: what
    /// these change is added. The number of rows of `a` stands for a row of zeros.
    ///
    /// # Errors
    /// As [`matrix`](Self::matrix).
    fn product_of_changed(
        product: &Self::Matrix,
        a: &Self::Matrix,
        origins: &[usize],
        b: &Self::Matrix,
        c: &Self::Matrix,
    ) -> Result<Self::Matrix> {
        let _ = (product, a, origins);
        Self::product(b, c)
    }

    /// Element by element; `b` may have one row or one column, which is repeated.
    ///
    /// # Errors
    /// As [`matrix`](Self::matrix).
    fn arithmetic(operation: Arithmetic, a: &Self::Matrix, b: &Self::Matrix) -> Result<Self::Matrix>;

    /// The columns with these numbers, in this order; the number of columns stands for a column of zeros.
    ///
    /// # Errors
    /// As [`matrix`](Self::matrix).
    fn gather(matrix: &Self::Matrix, columns: &[u32]) -> Result<Self::Matrix>;

    /// The adjoint of [`gather`](Self::gather): adds each column to the one of its number among `n_columns`;
    /// those with the number `n_columns` are left out.
    ///
    /// # Errors
    /// As [`matrix`](Self::matrix).
    fn scatter(matrix: &Self::Matrix, columns: &[u32], n_columns: usize) -> Result<Self::Matrix>;

    /// The same elements, row after row, in another shape.
    ///
    /// # Errors
    /// As [`matrix`](Self::matrix).
    fn reshape(matrix: Self::Matrix, dim: (usize, usize)) -> Result<Self::Matrix>;

    /// The sum of all columns, shape `(rows, 1)`.
    ///
    /// # Errors
    /// As [`matrix`](Self::matrix).
    fn sum_columns(matrix: &Self::Matrix) -> Result<Self::Matrix>;

    /// All columns of some matrices side by side.
    ///
    /// # Errors
    /// As [`matrix`](Self::matrix).
    fn concatenate(matrices: &[&Self::Matrix]) -> Result<Self::Matrix>;

    /// 1 where an element equals that of `row`, shape `(1, columns)`, and 0 elsewhere.
    ///
    /// # Errors
    /// As [`matrix`](Self::matrix).
    fn equals(matrix: &Self::Matrix, row: &[f64]) -> Result<Self::Matrix>;

    /// The products `a_j b_i` of each row's elements, i running faster, shape `(rows, columns_a · columns_b)`,
    /// [scattered](Self::scatter) where `columns` is given.
    ///
    /// # Errors
    /// As [`matrix`](Self::matrix).
    fn outer(a: &Self::Matrix, b: &Self::Matrix, columns: Option<(&[u32], usize)>) -> Result<Self::Matrix>;

    /// Logarithms of probabilities, and these, from numbers ℓ: `p_k = e^ℓ_k / Σ_l e^ℓ_l` over consecutive
    /// columns, as many at a time as `lens` says. Where `allowed`, of the same shape, is 0, `p` is 0 and its
    /// logarithm some finite number.
    ///
    /// # Errors
    /// As [`matrix`](Self::matrix).
    fn log_softmax(
        matrix: &Self::Matrix,
        lens: &[usize],
        allowed: Option<&Self::Matrix>,
    ) -> Result<(Self::Matrix, Self::Matrix)>;

    /// An activation or its derivative, of each element.
    ///
    /// # Errors
    /// As [`matrix`](Self::matrix).
    fn activate(activation: Activation, order: Order, z: &Field<Self::Matrix>)
    -> Result<Field<Self::Matrix>>;
}

/// A matrix of real or complex numbers.
#[derive(Clone, Debug)]
pub struct Field<M> {
    /// Real parts.
    pub re: M,
    /// Imaginary parts, `None` where all are 0.
    pub im: Option<M>,
}

impl<M: Clone> Field<M> {
    /// Of real numbers.
    pub fn real(re: M) -> Self {
        Field { re, im: None }
    }

    /// The same operation on real and imaginary parts.
    ///
    /// # Errors
    /// Those of `f`.
    pub fn map(&self, f: impl Fn(&M) -> Result<M>) -> Result<Self> {
        Ok(Field { re: f(&self.re)?, im: self.im.as_ref().map(f).transpose()? })
    }

    pub(super) fn add<B: NetworkBackend<Matrix = M>>(&self, other: &Self) -> Result<Self> {
        let add = |a: &M, b: &M| B::arithmetic(Arithmetic::Add, a, b);
        let im = match (&self.im, &other.im) {
            (Some(a), Some(b)) => Some(add(a, b)?),
            // The shape is that of the left operand: the right one may be a row.
            (None, Some(b)) => Some(add(&B::zeros_like(&self.re)?, b)?),
            (a, None) => a.clone(),
        };
        Ok(Field { re: add(&self.re, &other.re)?, im })
    }

    /// A product that is linear in both operands: of matrices, of elements, or outer.
    pub(super) fn times<B: NetworkBackend<Matrix = M>>(
        &self,
        other: &Self,
        product: impl Fn(&M, &M) -> Result<M>,
    ) -> Result<Self> {
        let mut re = product(&self.re, &other.re)?;
        if let (Some(a), Some(b)) = (&self.im, &other.im) {
            re = B::arithmetic(Arithmetic::Subtract, &re, &product(a, b)?)?;
        }
        let im = match (&self.im, &other.im) {
            (Some(a), Some(b)) => {
                let crossed = product(&self.re, b)?;
                Some(B::arithmetic(Arithmetic::Add, &crossed, &product(a, &other.re)?)?)
            }
            (Some(a), None) => Some(product(a, &other.re)?),
            (None, Some(b)) => Some(product(&self.re, b)?),
            (None, None) => None,
        };
        Ok(Field { re, im })
    }
}
