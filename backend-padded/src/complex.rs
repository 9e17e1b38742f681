//! Complex tensors as pairs of real ones.

use candle_core::{DType, Result, Tensor};
use num_complex::Complex64;
use operator_core::Element;

/// A complex tensor as its real and imaginary parts; candle has no complex type.
///
/// Both parts have one shape and one dtype. The imaginary part is left out where it is 0 throughout.
///
/// ```
/// use backend_padded::ComplexTensor;
/// use candle_core::{Device, Tensor};
/// use num_complex::Complex64;
///
/// let part = |values: &[f64; 2]| Tensor::new(values, &Device::Cpu);
/// let tensor = ComplexTensor::new(part(&[1.0, 2.0])?, part(&[0.5, 0.0])?)?;
/// assert_eq!(tensor.to_host()?, [Complex64::new(1.0, 0.5), Complex64::new(2.0, 0.0)]);
/// assert!(ComplexTensor::real(part(&[1.0, 2.0])?).im().is_none());
/// # Ok::<(), candle_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct ComplexTensor {
    re: Tensor,
    im: Option<Tensor>,
}

impl ComplexTensor {
    /// A tensor from its parts; `im` is a tensor, or an option of one.
    ///
    /// # Errors
    /// If the parts have different shapes or dtypes.
    pub fn new(re: Tensor, im: impl Into<Option<Tensor>>) -> Result<Self> {
        let im = im.into();
        if let Some(im) = im.as_ref().filter(|im| im.dims() != re.dims() || im.dtype() != re.dtype()) {
            candle_core::bail!(
                "the real part is {:?} of dtype {:?}, the imaginary part {:?} of dtype {:?}",
                re.dims(),
                re.dtype(),
                im.dims(),
                im.dtype()
            );
        }
        Ok(ComplexTensor { re, im })
    }

    /// A real tensor.
    pub fn real(re: Tensor) -> Self {
        ComplexTensor { re, im: None }
    }

    /// The real part.
    pub fn re(&self) -> &Tensor {
        &self.re
    }

    /// The imaginary part; `None` where it is 0 throughout.
    pub fn im(&self) -> Option<&Tensor> {
        self.im.as_ref()
    }

    /// Both parts.
    pub fn into_parts(self) -> (Tensor, Option<Tensor>) {
        (self.re, self.im)
    }

    /// The shape of both parts.
    pub fn dims(&self) -> &[usize] {
        self.re.dims()
    }

    /// The dtype of both parts.
    pub fn dtype(&self) -> DType {
        self.re.dtype()
    }

    /// The tensor without what leads to it, so that no gradients flow further back.
    #[must_use]
    pub fn detach(&self) -> Self {
        ComplexTensor { re: self.re.detach(), im: self.im.as_ref().map(Tensor::detach) }
    }

    /// All values in row-major order, whatever the shape.
    ///
    /// # Errors
    /// If the device fails.
    pub fn to_host(&self) -> Result<Vec<Complex64>> {
        let part = |tensor: &Tensor| tensor.flatten_all()?.to_dtype(DType::F64)?.to_vec1::<f64>();
        let re = part(&self.re)?;
        Ok(match &self.im {
            None => re.into_iter().map(Complex64::from).collect(),
            Some(im) => re.into_iter().zip(part(im)?).map(|(re, im)| Complex64::new(re, im)).collect(),
        })
    }

    /// The parts as one tensor, shape `(1 or 2, …)`.
    pub(crate) fn stacked(&self) -> Result<Tensor> {
        match &self.im {
            None => self.re.unsqueeze(0),
            Some(im) => Tensor::stack(&[&self.re, im], 0),
        }
    }

    /// From the parts as one tensor, shape `(1 or 2, …)`.
    pub(crate) fn from_stacked(parts: &Tensor) -> Result<Self> {
        let im = if parts.dim(0)? > 1 { Some(parts.get(1)?) } else { None };
        Self::new(parts.get(0)?, im)
    }

    /// Whether gradients flow from the tensor to something.
    pub(crate) fn tracks_gradients(&self) -> bool {
        self.re.track_op() || self.im.as_ref().is_some_and(Tensor::track_op)
    }

    /// Applies a linear function, such as a change of shape or dtype, to both parts.
    ///
    /// # Errors
    /// As `f`, and as [`new`](Self::new).
    pub fn map(&self, f: impl Fn(&Tensor) -> Result<Tensor>) -> Result<Self> {
        Self::new(f(&self.re)?, self.im.as_ref().map(&f).transpose()?)
    }

    /// The product with a number.
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

    /// The product element by element, with broadcasting.
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

    /// `self − other` element by element, with broadcasting.
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

    /// `self + other` element by element; both have the same shape.
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

    /// The exponential of each element.
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

/// The dtype of tensors that hold elements of type `T`.
pub(crate) fn real_dtype<T: Element>() -> DType {
    if size_of::<T::Real>() == size_of::<f64>() { DType::F64 } else { DType::F32 }
}
