//! Complex tensors, as pairs of real ones.

use candle_core::{DType, Result, Tensor};
use num_complex::Complex64;
use operator_core::Element;

/// A complex tensor as real and imaginary parts; candle has no complex type.
#[derive(Clone, Debug)]
pub struct ComplexTensor {
    /// Real part.
    pub re: Tensor,
    /// Imaginary part of the same shape and dtype; `None` where it is 0 throughout.
    pub im: Option<Tensor>,
}

impl ComplexTensor {
    /// A real tensor.
    pub fn real(re: Tensor) -> Self {
        ComplexTensor { re, im: None }
    }

    /// All values in row-major order, whatever the shape.
    ///
    /// # Errors
    /// If the parts have different shapes or the device fails.
    pub fn to_host(&self) -> Result<Vec<Complex64>> {
        let part = |tensor: &Tensor| tensor.flatten_all()?.to_dtype(DType::F64)?.to_vec1::<f64>();
        if let Some(im) = self.im.as_ref().filter(|im| im.dims() != self.re.dims()) {
            let (re, im) = (self.re.dims(), im.dims());
            candle_core::bail!("the real part has the shape {re:?}, the imaginary part {im:?}");
        }
        let re = part(&self.re)?;
        Ok(match &self.im {
            None => re.into_iter().map(Complex64::from).collect(),
            Some(im) => re.into_iter().zip(part(im)?).map(|(re, im)| Complex64::new(re, im)).collect(),
        })
    }

    /// Applies a linear function, such as a change of shape or dtype, to both parts.
    ///
    /// # Errors
    /// Those of `f`.
    pub fn map(&self, f: impl Fn(&Tensor) -> Result<Tensor>) -> Result<Self> {
        Ok(ComplexTensor { re: f(&self.re)?, im: self.im.as_ref().map(&f).transpose()? })
    }

    /// The tensor times a number.
    ///
    /// # Errors
    /// If the device fails.
    pub fn scaled(&self, factor: Complex64) -> Result<Self> {
        let times = |part: &Tensor, factor: f64| part.affine(factor, 0.0);
        if factor.im == 0.0 {
            return self.map(|part| times(part, factor.re));
        }
        let (re, im) = (times(&self.re, factor.re)?, times(&self.re, factor.im)?);
        Ok(match &self.im {
            None => ComplexTensor { re, im: Some(im) },
            Some(own) => {
                ComplexTensor { re: (re - times(own, factor.im)?)?, im: Some((im + times(own, factor.re)?)?) }
            }
        })
    }

    /// Several tensors one after another along a dimension.
    ///
    /// # Errors
    /// If shapes do not match or the device fails.
    pub fn cat(tensors: &[Self], dim: usize) -> Result<Self> {
        let re: Vec<&Tensor> = tensors.iter().map(|tensor| &tensor.re).collect();
        let re = Tensor::cat(&re, dim)?;
        if tensors.iter().all(|tensor| tensor.im.is_none()) {
            return Ok(Self::real(re));
        }
        let im = |tensor: &Self| tensor.im.clone().map_or_else(|| tensor.re.zeros_like(), Ok);
        let im = tensors.iter().map(im).collect::<Result<Vec<_>>>()?;
        Ok(ComplexTensor { re, im: Some(Tensor::cat(&im, dim)?) })
    }

    /// The product, element by element with broadcasting.
    ///
    /// # Errors
    /// If shapes do not match or the device fails.
    pub fn broadcast_mul(&self, other: &Self) -> Result<Self> {
        let re = self.re.broadcast_mul(&other.re)?;
        Ok(match (&self.im, &other.im) {
            (None, None) => Self::real(re),
            (Some(im), None) => ComplexTensor { re, im: Some(im.broadcast_mul(&other.re)?) },
            (None, Some(im)) => ComplexTensor { re, im: Some(self.re.broadcast_mul(im)?) },
            (Some(a), Some(b)) => {
                let im = (self.re.broadcast_mul(b)? + a.broadcast_mul(&other.re)?)?;
                ComplexTensor { re: (re - a.broadcast_mul(b)?)?, im: Some(im) }
            }
        })
    }

    /// `self − other`, element by element with broadcasting.
    ///
    /// # Errors
    /// If shapes do not match or the device fails.
    pub fn broadcast_sub(&self, other: &Self) -> Result<Self> {
        let re = self.re.broadcast_sub(&other.re)?;
        let im = match (&self.im, &other.im) {
            (None, None) => None,
            (Some(im), None) => Some(im.broadcast_as(re.shape())?),
            (None, Some(im)) => Some(self.re.zeros_like()?.broadcast_sub(im)?),
            (Some(a), Some(b)) => Some(a.broadcast_sub(b)?),
        };
        Ok(ComplexTensor { re, im })
    }

    /// `self + other`, element by element, of the same shape.
    ///
    /// # Errors
    /// If shapes do not match or the device fails.
    pub fn add(&self, other: &Self) -> Result<Self> {
        let im = match (&self.im, &other.im) {
            (Some(a), Some(b)) => Some((a + b)?),
            (a, b) => a.as_ref().or(b.as_ref()).cloned(),
        };
        Ok(ComplexTensor { re: (&self.re + &other.re)?, im })
    }

    /// e to the power of each element.
    ///
    /// # Errors
    /// If the device fails.
    pub fn exp(&self) -> Result<Self> {
        let size = self.re.exp()?;
        Ok(match &self.im {
            None => Self::real(size),
            Some(im) => ComplexTensor { re: (&size * im.cos()?)?, im: Some((&size * im.sin()?)?) },
        })
    }
}

/// The tensors' dtype for elements of type `T`.
pub(crate) fn real_dtype<T: Element>() -> DType {
    if size_of::<T::Real>() == size_of::<f64>() { DType::F64 } else { DType::F32 }
}
