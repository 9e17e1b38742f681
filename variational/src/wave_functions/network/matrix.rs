//! The matrices of a backend: real ones, and pairs of them for complex numbers.

use std::fmt::Debug;

use ndarray::Array2;
use operator_core::Result;

use super::numbers::{Activation, Order};

/// An elementwise operation. The second operand may be a single row or column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arithmetic {
    /// `a + b`
    Add,
    /// `a − b`
    Subtract,
    /// `a b`
    Multiply,
}

/// Real matrices of a backend, with all operations that networks need.
///
/// Rows are configurations, and columns are values of a layer. Complex numbers are pairs of matrices
/// ([`Field`]).
pub trait Matrix: Clone + Debug + Send + Sync {
    /// The same in double precision, for sums.
    type Double: Matrix<Double = Self::Double>;

    /// Brings a matrix to the host.
    ///
    /// # Errors
    /// [`Backend`](operator_core::Error::Backend) if the device fails, here and in all other methods.
    fn to_array(matrix: &Self) -> Result<Array2<f64>>;

    /// Zeros of the same shape.
    ///
    /// # Errors
    /// As [`to_array`](Self::to_array).
    fn zeros_like(matrix: &Self) -> Result<Self>;

    /// Rows and columns.
    ///
    /// # Errors
    /// As [`to_array`](Self::to_array), also for tensors of another rank.
    fn dim(matrix: &Self) -> Result<(usize, usize)>;

    /// `a b`
    ///
    /// # Errors
    /// As [`to_array`](Self::to_array).
    fn product(a: &Self, b: &Self) -> Result<Self>;

    /// `a bᵀ`
    ///
    /// # Errors
    /// As [`to_array`](Self::to_array).
    fn product_transposed(a: &Self, b: &Self) -> Result<Self>;

    /// `f(x Wᵀ + b)`, the values of a layer with weights W of shape `(n_out, n_in)` and biases b of shape `(1, n_out)`.
    ///
    /// # Errors
    /// As [`to_array`](Self::to_array).
    fn dense(x: &Self, kernel: &Self, bias: Option<&Self>, activation: Option<Activation>) -> Result<Self>;

    /// `aᵀ`
    ///
    /// # Errors
    /// As [`to_array`](Self::to_array).
    fn transpose(a: &Self) -> Result<Self>;

    /// `b c + d` from `product = a c + d`, where row k of `b` differs from row `origins[k]` of `a` in a few columns, and
    /// all rows of d are equal: adds the contribution of the columns that differ. Origins are less than the number of
    /// rows of `a`.
    ///
    /// # Errors
    /// As [`to_array`](Self::to_array).
    fn product_of_changed(product: &Self, a: &Self, origins: &[usize], b: &Self, c: &Self) -> Result<Self>;

    /// An elementwise operation. A single row or column of `b` is repeated. The result may reuse the memory
    /// of `a`.
    ///
    /// # Errors
    /// As [`to_array`](Self::to_array).
    fn arithmetic(operation: Arithmetic, a: Self, b: &Self) -> Result<Self>;

    /// The columns with these numbers, in this order. The number of columns stands for a column of zeros.
    ///
    /// # Errors
    /// As [`to_array`](Self::to_array).
    fn gather(matrix: &Self, columns: &[u32]) -> Result<Self>;

    /// The adjoint of [`gather`](Self::gather): the result has `n_columns` columns, and column k of `matrix`
    /// is added to its column `columns[k]`. Columns with the number `n_columns` are left out.
    ///
    /// # Errors
    /// As [`to_array`](Self::to_array).
    fn scatter(matrix: &Self, columns: &[u32], n_columns: usize) -> Result<Self>;

    /// The same elements in row-major order, in another shape.
    ///
    /// # Errors
    /// As [`to_array`](Self::to_array).
    fn reshape(matrix: Self, dim: (usize, usize)) -> Result<Self>;

    /// The sum of all columns, shape `(rows, 1)`.
    ///
    /// # Errors
    /// As [`to_array`](Self::to_array).
    fn sum_columns(matrix: &Self) -> Result<Self::Double>;

    /// Matrices side by side.
    ///
    /// # Errors
    /// As [`to_array`](Self::to_array).
    fn concatenate(matrices: &[&Self]) -> Result<Self>;

    /// Matrices below each other.
    ///
    /// # Errors
    /// As [`to_array`](Self::to_array).
    fn stack(matrices: &[&Self]) -> Result<Self>;

    /// 1 where an element equals the element of `row` in its column, and 0 elsewhere.
    ///
    /// # Errors
    /// As [`to_array`](Self::to_array).
    fn equals(matrix: &Self, row: &[f64]) -> Result<Self>;

    /// For each row, the products `a_j b_i` with i running faster, shape `(rows, columns_a · columns_b)`,
    /// [scattered](Self::scatter) where `columns` is given.
    ///
    /// # Errors
    /// As [`to_array`](Self::to_array).
    fn outer(a: &Self, b: &Self, columns: Option<(&[u32], usize)>) -> Result<Self>;

    /// `ln p` and `p` of the softmax `p_k = e^ℓ_k / Σ_l e^ℓ_l` of the elements ℓ. The sums run over groups of
    /// consecutive columns of the lengths `lens`. Where `allowed`, of the same shape, is 0, `p` is 0 and
    /// `ln p` is finite.
    ///
    /// # Errors
    /// As [`to_array`](Self::to_array).
    fn log_softmax(matrix: &Self, lens: &[usize], allowed: Option<&Self>) -> Result<(Self, Self)>;

    /// An activation or its derivative, elementwise. The result may reuse the memory of `z`.
    ///
    /// # Errors
    /// As [`to_array`](Self::to_array).
    fn activate(activation: Activation, order: Order, z: Field<Self>) -> Result<Field<Self>>;
}

/// A matrix of real or complex numbers.
#[derive(Clone, Debug)]
pub struct Field<M> {
    /// Real parts.
    pub re: M,
    /// Imaginary parts, `None` where all are 0.
    pub im: Option<M>,
}

impl<M: Matrix> Field<M> {
    /// Real numbers.
    pub fn real(re: M) -> Self {
        Field { re, im: None }
    }

    /// Applies an operation to real and imaginary parts.
    ///
    /// # Errors
    /// Any error of `f`.
    pub fn map<N>(&self, f: impl Fn(&M) -> Result<N>) -> Result<Field<N>> {
        Ok(Field { re: f(&self.re)?, im: self.im.as_ref().map(f).transpose()? })
    }

    /// Matrices below each other; complex if one of them is.
    pub(in crate::wave_functions) fn stack(parts: Vec<Self>) -> Result<Self> {
        Self::join(parts, M::stack)
    }

    /// Matrices side by side; complex if one of them is.
    pub(super) fn beside(parts: Vec<Self>) -> Result<Self> {
        Self::join(parts, M::concatenate)
    }

    fn join(parts: Vec<Self>, join: impl Fn(&[&M]) -> Result<M>) -> Result<Self> {
        let parts = match <[Self; 1]>::try_from(parts) {
            Ok([part]) => return Ok(part),
            Err(parts) => parts,
        };
        let re: Vec<&M> = parts.iter().map(|part| &part.re).collect();
        let im = if parts.iter().any(|part| part.im.is_some()) {
            let im = parts.iter().map(|part| match &part.im {
                Some(im) => Ok(im.clone()),
                None => M::zeros_like(&part.re),
            });
            let im = im.collect::<Result<Vec<M>>>()?;
            Some(join(&im.iter().collect::<Vec<_>>())?)
        } else {
            None
        };
        Ok(Field { re: join(&re)?, im })
    }

    pub(super) fn add(self, other: &Self) -> Result<Self> {
        let add = |a: M, b: &M| M::arithmetic(Arithmetic::Add, a, b);
        let im = match (self.im, &other.im) {
            (Some(a), Some(b)) => Some(add(a, b)?),
            // The result has the shape of the left operand; the right one may be a single row.
            (None, Some(b)) => Some(add(M::zeros_like(&self.re)?, b)?),
            (a, None) => a,
        };
        Ok(Field { re: add(self.re, &other.re)?, im })
    }

    /// A bilinear product: of matrices, elementwise, or outer.
    pub(super) fn times(&self, other: &Self, product: impl Fn(&M, &M) -> Result<M>) -> Result<Self> {
        let mut re = product(&self.re, &other.re)?;
        if let (Some(a), Some(b)) = (&self.im, &other.im) {
            re = M::arithmetic(Arithmetic::Subtract, re, &product(a, b)?)?;
        }
        let im = match (&self.im, &other.im) {
            (Some(a), Some(b)) => {
                let crossed = product(&self.re, b)?;
                Some(M::arithmetic(Arithmetic::Add, crossed, &product(a, &other.re)?)?)
            }
            (Some(a), None) => Some(product(a, &other.re)?),
            (None, Some(b)) => Some(product(&self.re, b)?),
            (None, None) => None,
        };
        Ok(Field { re, im })
    }
}
