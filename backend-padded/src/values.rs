//! From an operator's parameters to the values of its slots.

use candle_core::shape::Dim;
use candle_core::{D, DType, Device, Result, Tensor};
use operator_core::kernel::Forms;

use crate::complex::ComplexTensor;

/// The sparse linear map from an operator's parameters to the values of its slots, on a device.
///
/// Entry e adds `factor_e · parameter_{p_e}` to slot s_e. Gather and scatter can both be differentiated, so
/// gradients flow from slots to parameters.
#[derive(Clone, Debug)]
pub(crate) struct SlotValues {
    n_slots: usize,
    parameters: Tensor,
    slots: Tensor,
    factors_re: Tensor,
    factors_im: Option<Tensor>,
    constants: ComplexTensor,
}

impl SlotValues {
    pub(crate) fn new(forms: &Forms, dtype: DType, device: &Device) -> Result<Self> {
        let n_slots = forms.n_slots();
        let (mut parameters, mut slots) = (Vec::new(), Vec::new());
        let (mut re, mut im) = (Vec::new(), Vec::new());
        let mut constants = vec![(0.0, 0.0); n_slots];
        for (slot, constant) in constants.iter_mut().enumerate() {
            for (parameter, factor) in forms.form(slot) {
                match parameter {
                    Some(parameter) => {
                        parameters.push(parameter as u32);
                        slots.push(slot as u32);
                        re.push(factor.re);
                        im.push(factor.im);
                    }
                    None => *constant = (constant.0 + factor.re, constant.1 + factor.im),
                }
            }
        }
        let real = forms.is_real();
        let column = |values: Vec<f64>| {
            let n = values.len();
            Tensor::from_vec(values, n, device)?.to_dtype(dtype)
        };
        let n_entries = slots.len();
        let (constants_re, constants_im) = constants.into_iter().unzip();
        Ok(SlotValues {
            n_slots,
            parameters: Tensor::from_vec(parameters, n_entries, device)?,
            slots: Tensor::from_vec(slots, n_entries, device)?,
            factors_re: column(re)?,
            factors_im: if real { None } else { Some(column(im)?) },
            constants: ComplexTensor::new(
                column(constants_re)?,
                if real { None } else { Some(column(constants_im)?) },
            )?,
        })
    }

    pub(crate) fn n_slots(&self) -> usize {
        self.n_slots
    }

    pub(crate) fn dtype(&self) -> DType {
        self.factors_re.dtype()
    }

    /// The values of all slots, shape `(…, n_slots)`, for parameters `(…, n_values)` in the order of
    /// `Parameters::to_vec`: one set for all samples, or one for each. Shape `(n_slots,)` if no parameter
    /// enters.
    pub(crate) fn values(&self, parameters: &Tensor) -> Result<ComplexTensor> {
        if self.slots.elem_count() == 0 {
            return Ok(self.constants.clone());
        }
        let dtype = self.dtype();
        let last = D::Minus1.to_index(parameters.shape(), "values of slots")?;
        let parameters = parameters.to_device(self.slots.device())?.to_dtype(dtype)?;
        let entries = parameters.index_select(&self.parameters, last)?;
        let mut shape = parameters.dims().to_vec();
        shape[last] = self.n_slots;
        let part = |factors: &Tensor, constants: &Tensor| {
            let zeros = Tensor::zeros(shape.as_slice(), dtype, constants.device())?;
            let sums = zeros.index_add(&self.slots, &entries.broadcast_mul(factors)?, last)?;
            sums.broadcast_add(constants)
        };
        let re = part(&self.factors_re, self.constants.re())?;
        let im = match (&self.factors_im, self.constants.im()) {
            (Some(factors), Some(constants)) => Some(part(factors, constants)?),
            _ => None,
        };
        ComplexTensor::new(re, im)
    }
}
