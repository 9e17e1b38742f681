//! Networks on the padded backend: operations on tensors.

use std::ops::Range;

use backend_padded::{ComplexTensor, ConnStates, Padded, Unit, failed};
use candle_core::{CpuStorage, CustomOp2, DType, Device, Layout, Shape, Storage, Tensor, WithDType, bail};
use ndarray::Array2;
use operator_core::{Backend, Error, Result, WaveFunction};
use rayon::prelude::*;

use super::super::common::FORBIDDEN;
use super::activations::activated;
use super::dense::dense;

use crate::backend::changed_rows::ChangedRows;
use crate::wave_functions::network::{
    Activation, Arithmetic, Field, Matrix, Network, NetworkBackend, NetworkKind, Order, Real, RealOf, Sealed,
    check_origins,
};

/// Rows that the CPU evaluates at a time, few enough that their hidden units stay in the cache. The split does not
/// depend on the number of threads, and neither does the result.
pub(super) const ROWS: usize = 512;

impl<K: NetworkKind> Network<Padded, K> {
    /// The same network with its parameters from a tensor, shape `(n_parameters,)`, on the network's device.
    /// If the tensor is a variable, [`log_psi`](WaveFunction::log_psi) can be differentiated with respect to
    /// it.
    ///
    /// [`parameters`](crate::Trainable::parameters) returns the present values of the tensor.
    ///
    /// # Errors
    /// [`Error::Count`] if the number of values is wrong; [`Error::DeviceMismatch`] if the tensor is on
    /// another device; [`Error::Backend`] if the device fails.
    pub fn with_parameter_tensor(&self, parameters: &Tensor) -> Result<Self> {
        let device = self.device();
        Padded::expect_same_device(["network", "parameter tensor"], &device, parameters.device())?;
        let row = parameters.reshape((1, parameters.elem_count())).map_err(failed)?;
        let values = Tensor::to_array(&row)?.into_iter().collect();
        let row = row.to_dtype(dtype::<RealOf<K>>(&device)).map_err(failed)?;
        let mut network = self.clone();
        network.set_values(values, &row)?;
        Ok(network)
    }
}

impl Sealed for Padded {}

impl NetworkBackend for Padded {
    type Matrix<R: Real> = Tensor;

    fn adds_changes(device: &Device) -> bool {
        device.is_cpu()
    }

    fn matrix<R: Real>(values: Array2<f64>, device: &Device) -> Result<Tensor> {
        let dim = values.dim();
        let values: Vec<f64> = values.into_iter().collect();
        let matrix =
            || Tensor::from_vec(values, dim, &Device::Cpu)?.to_dtype(dtype::<R>(device))?.to_device(device);
        matrix().map_err(failed)
    }

    fn by_blocks<R: Real, T: Send, F>(x: &Tensor, f: F) -> Result<Vec<T>>
    where
        F: Fn(Range<usize>, &Tensor) -> Result<T> + Send + Sync,
    {
        let n_rows = Self::batch_len(x);
        let block = |rows: Range<usize>| {
            let values = Self::rows(x, rows.clone())?.to_dtype(dtype::<R>(x.device())).map_err(failed)?;
            f(rows, &values)
        };
        if !x.device().is_cpu() || n_rows <= ROWS {
            return Ok(vec![block(0..n_rows)?]);
        }
        let starts = (0..n_rows.div_ceil(ROWS)).into_par_iter().map(|k| k * ROWS);
        starts.map(|start| block(start..n_rows.min(start + ROWS))).collect()
    }

    fn changed_layer<R: Real>(
        states: &ConnStates,
        z: &Field<Tensor>,
        w: &Field<Tensor>,
    ) -> Result<Option<Field<Tensor>>> {
        let units = || states.changed_layer(&complex(z)?, &complex(w)?);
        let units = units().map_err(failed)?.map(ComplexTensor::into_parts);
        Ok(units.map(|(re, im)| Field { re, im }))
    }

    fn sums_of_units<R: Real>(
        states: &ConnStates,
        activation: Option<Activation>,
        z: &Field<Tensor>,
        w: &Field<Tensor>,
    ) -> Result<Option<Field<Tensor>>> {
        let unit = match activation {
            None => Unit::Identity,
            Some(Activation::LnCosh) => Unit::LnCosh,
            Some(_) => return Ok(None),
        };
        let sums = || -> candle_core::Result<Option<Field<Tensor>>> {
            let Some(sums) = states.sums_of_units(unit, &complex(z)?, &complex(w)?)? else { return Ok(None) };
            let (re, im) = sums.into_parts();
            let im = im.map(|im| im.unsqueeze(1)).transpose()?;
            Ok(Some(Field { re: re.unsqueeze(1)?, im }))
        };
        sums().map_err(failed)
    }

    fn amplitudes(log_psi: &Field<Tensor>) -> Result<ComplexTensor> {
        let column = |part: &Tensor| part.squeeze(1).map_err(failed);
        ComplexTensor::new(column(&log_psi.re)?, log_psi.im.as_ref().map(column).transpose()?).map_err(failed)
    }
}

fn complex(field: &Field<Tensor>) -> candle_core::Result<ComplexTensor> {
    ComplexTensor::new(field.re.clone(), field.im.clone())?.map(Tensor::contiguous)
}

impl Matrix for Tensor {
    type Double = Tensor;

    fn to_array(matrix: &Tensor) -> Result<Array2<f64>> {
        let dim = matrix.dims2().map_err(failed)?;
        let values = matrix.to_dtype(DType::F64).and_then(|values| values.flatten_all()?.to_vec1());
        Array2::from_shape_vec(dim, values.map_err(failed)?)
            .map_err(|error| Error::backend(Padded::NAME, error))
    }

    fn zeros_like(matrix: &Tensor) -> Result<Tensor> {
        matrix.zeros_like().map_err(failed)
    }

    fn dim(matrix: &Tensor) -> Result<(usize, usize)> {
        matrix.dims2().map_err(failed)
    }

    fn product(a: &Tensor, b: &Tensor) -> Result<Tensor> {
        a.matmul(b).map_err(failed)
    }

    fn product_transposed(a: &Tensor, b: &Tensor) -> Result<Tensor> {
        b.t().and_then(|b| a.matmul(&b)).map_err(failed)
    }

    fn dense(
        x: &Tensor,
        kernel: &Tensor,
        bias: Option<&Tensor>,
        activation: Option<Activation>,
    ) -> Result<Tensor> {
        let dense = || {
            let parts = [Some(x), Some(kernel), bias];
            let has_gradient = parts.into_iter().flatten().any(Tensor::track_op);
            let apart = activation.filter(|_| has_gradient || !x.device().is_cpu());
            let values = if x.device().is_cpu() {
                dense(x, kernel, bias, activation.filter(|_| apart.is_none()))?
            } else {
                let product = x.matmul(&kernel.t()?)?;
                match bias {
                    Some(bias) => product.broadcast_add(bias)?,
                    None => product,
                }
            };
            match apart {
                Some(activation) => {
                    let (values, _) =
                        activated(activation, Order::Value, &ComplexTensor::real(values))?.into_parts();
                    Ok(values)
                }
                None => Ok(values),
            }
        };
        dense().map_err(failed)
    }

    fn transpose(a: &Tensor) -> Result<Tensor> {
        a.t().and_then(|a| a.contiguous()).map_err(failed)
    }

    /// Gradients do not flow through it; `backward` fails.
    fn product_of_changed(product: &Self, a: &Self, origins: &[usize], b: &Self, c: &Self) -> Result<Self> {
        check_origins(origins, a.dims2().map_err(failed)?.0)?;
        let contiguous = || {
            let [product, a, b, c] = [product, a, b, c].map(Tensor::contiguous);
            let changed = ProductOfChanged { a: a?, origins: origins.to_vec(), b: b? };
            product?.apply_op2(&c?, changed)
        };
        contiguous().map_err(failed)
    }

    fn arithmetic(operation: Arithmetic, a: Tensor, b: &Tensor) -> Result<Tensor> {
        let is_row = a.rank() == 2 && b.dims() == [1, a.dims()[1]] && a.dims()[0] > 1;
        if is_row && operation == Arithmetic::Add && a.device().is_cpu() {
            let added = || a.contiguous()?.apply_op2(&b.contiguous()?, AddRow);
            return added().map_err(failed);
        }
        match operation {
            Arithmetic::Add => a.broadcast_add(b),
            Arithmetic::Subtract => a.broadcast_sub(b),
            Arithmetic::Multiply => a.broadcast_mul(b),
        }
        .map_err(failed)
    }

    fn gather(matrix: &Tensor, columns: &[u32]) -> Result<Tensor> {
        let gather = || -> candle_core::Result<Tensor> {
            let n = matrix.dim(1)?;
            let consecutive = columns.windows(2).all(|pair| pair[0] + 1 == pair[1]);
            match columns.first() {
                None => return matrix.narrow(1, 0, 0),
                Some(&first) if consecutive && first as usize + columns.len() <= n => {
                    return matrix.narrow(1, first as usize, columns.len());
                }
                _ => {}
            }
            let index = Tensor::new(columns, matrix.device())?;
            if columns.iter().any(|&column| column as usize >= n) {
                matrix.pad_with_zeros(1, 0, 1)?.contiguous()?.index_select(&index, 1)
            } else {
                matrix.contiguous()?.index_select(&index, 1)
            }
        };
        gather().map_err(failed)
    }

    fn scatter(matrix: &Tensor, columns: &[u32], n_columns: usize) -> Result<Tensor> {
        let scatter = || {
            let index = Tensor::new(columns, matrix.device())?;
            let sums = Tensor::zeros((matrix.dim(0)?, n_columns + 1), matrix.dtype(), matrix.device())?;
            sums.index_add(&index, &matrix.contiguous()?, 1)?.narrow(1, 0, n_columns)
        };
        scatter().map_err(failed)
    }

    fn reshape(matrix: Tensor, dim: (usize, usize)) -> Result<Tensor> {
        matrix.reshape(dim).map_err(failed)
    }

    fn sum_columns(matrix: &Tensor) -> Result<Tensor> {
        let double = dtype::<f64>(matrix.device());
        matrix.to_dtype(double).and_then(|matrix| matrix.sum_keepdim(1)).map_err(failed)
    }

    fn concatenate(matrices: &[&Tensor]) -> Result<Tensor> {
        Tensor::cat(matrices, 1).map_err(failed)
    }

    fn stack(matrices: &[&Tensor]) -> Result<Tensor> {
        Tensor::cat(matrices, 0).map_err(failed)
    }

    fn equals(matrix: &Tensor, row: &[f64]) -> Result<Tensor> {
        let equals = || {
            let row = Tensor::new(row, matrix.device())?.to_dtype(matrix.dtype())?.unsqueeze(0)?;
            matrix.broadcast_eq(&row)?.to_dtype(matrix.dtype())
        };
        equals().map_err(failed)
    }

    fn outer(a: &Tensor, b: &Tensor, columns: Option<(&[u32], usize)>) -> Result<Tensor> {
        let outer = || {
            let (batch, n_a) = a.dims2()?;
            let n_b = b.dim(1)?;
            a.unsqueeze(2)?.broadcast_mul(&b.unsqueeze(1)?)?.reshape((batch, n_a * n_b))
        };
        let outer = outer().map_err(failed)?;
        match columns {
            Some((columns, n_columns)) => Matrix::scatter(&outer, columns, n_columns),
            None => Ok(outer),
        }
    }

    fn log_softmax(matrix: &Tensor, lens: &[usize], allowed: Option<&Tensor>) -> Result<(Tensor, Tensor)> {
        let log_softmax = || -> candle_core::Result<Tensor> {
            let values = match allowed {
                Some(allowed) => (matrix + allowed.affine(FORBIDDEN, -FORBIDDEN)?)?,
                None => matrix.clone(),
            };
            let mut start = 0;
            let mut groups = Vec::new();
            // Consecutive groups of equal length are normalised together.
            for run in lens.chunk_by(|a, b| a == b) {
                let (n, len) = (run.len(), run[0]);
                let group = values.narrow(1, start, n * len)?.reshape(((), n, len))?;
                groups.push(candle_nn::ops::log_softmax(&group, 2)?.flatten_from(1)?);
                start += n * len;
            }
            Tensor::cat(&groups, 1)
        };
        let log_p = log_softmax().map_err(failed)?;
        let p = log_p.exp().map_err(failed)?;
        Ok((log_p, p))
    }

    fn activate(activation: Activation, order: Order, z: Field<Tensor>) -> Result<Field<Tensor>> {
        let activate = || {
            let (re, im) = activated(activation, order, &ComplexTensor::new(z.re, z.im)?)?.into_parts();
            Ok(Field { re, im })
        };
        activate().map_err(failed)
    }
}

/// The dtype of R. A device without f64 uses f32.
fn dtype<R: Real>(device: &Device) -> DType {
    if device.is_metal() || size_of::<R>() == 4 { DType::F32 } else { DType::F64 }
}

/// [`Matrix::product_of_changed`] of `product` and `c`.
struct ProductOfChanged {
    a: Tensor,
    origins: Vec<usize>,
    b: Tensor,
}

impl ProductOfChanged {
    fn product<R>(&self, product: &[R], c: &[R], n_out: usize) -> candle_core::Result<Vec<R>>
    where
        R: Real + WithDType,
    {
        let ((a, a_layout), (b, b_layout)) = (self.a.storage_and_layout(), self.b.storage_and_layout());
        let (Storage::Cpu(a), Storage::Cpu(b)) = (&*a, &*b) else {
            bail!("the CPU multiplies what is there")
        };
        let (a, b) = (a.as_slice::<R>()?, b.as_slice::<R>()?);
        let (a, b) = (contiguous(a, a_layout)?, contiguous(b, b_layout)?);
        let widths = (self.b.dim(1)?, n_out);
        Ok(ChangedRows { product, a, origins: &self.origins, b, c, widths }.product())
    }
}

impl CustomOp2 for ProductOfChanged {
    fn name(&self) -> &'static str {
        "product-of-changed"
    }

    fn cpu_fwd(
        &self,
        product: &CpuStorage,
        product_layout: &Layout,
        c: &CpuStorage,
        c_layout: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        let n_out = c_layout.dims()[1];
        let storage = match (product, c) {
            (CpuStorage::F64(product), CpuStorage::F64(c)) => {
                let (product, c) = (contiguous(product, product_layout)?, contiguous(c, c_layout)?);
                CpuStorage::F64(self.product(product, c, n_out)?)
            }
            (CpuStorage::F32(product), CpuStorage::F32(c)) => {
                let (product, c) = (contiguous(product, product_layout)?, contiguous(c, c_layout)?);
                CpuStorage::F32(self.product(product, c, n_out)?)
            }
            _ => bail!("products are of f32 or f64"),
        };
        Ok((storage, (self.origins.len(), n_out).into()))
    }
}

/// Adds a row `(1, n)` to each row of a matrix `(rows, n)`. Candle's own sum with broadcasting takes several times as
/// long.
struct AddRow;

impl AddRow {
    fn sum<R: Real>(a: &[R], row: &[R]) -> Vec<R> {
        let mut sum = a.to_vec();
        for to in sum.chunks_exact_mut(row.len().max(1)) {
            to.iter_mut().zip(row).for_each(|(to, &value)| *to += value);
        }
        sum
    }
}

impl CustomOp2 for AddRow {
    fn name(&self) -> &'static str {
        "add-row"
    }

    fn cpu_fwd(
        &self,
        a: &CpuStorage,
        a_layout: &Layout,
        row: &CpuStorage,
        row_layout: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        let storage = match (a, row) {
            (CpuStorage::F64(a), CpuStorage::F64(row)) => {
                CpuStorage::F64(Self::sum(contiguous(a, a_layout)?, contiguous(row, row_layout)?))
            }
            (CpuStorage::F32(a), CpuStorage::F32(row)) => {
                CpuStorage::F32(Self::sum(contiguous(a, a_layout)?, contiguous(row, row_layout)?))
            }
            _ => bail!("rows are of f32 or f64"),
        };
        Ok((storage, a_layout.shape().clone()))
    }

    fn bwd(
        &self,
        _: &Tensor,
        _: &Tensor,
        _: &Tensor,
        grad: &Tensor,
    ) -> candle_core::Result<(Option<Tensor>, Option<Tensor>)> {
        Ok((Some(grad.clone()), Some(grad.sum_keepdim(0)?)))
    }
}

pub(super) fn contiguous<'a, T>(values: &'a [T], layout: &Layout) -> candle_core::Result<&'a [T]> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&values[start..end]),
        None => bail!("operations of networks take contiguous tensors"),
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Var;

    use super::*;

    /// The product is that of all columns, and a gradient that would be missing is an error.
    #[test]
    fn products_of_changed_rows_are_products_without_gradients() -> candle_core::Result<()> {
        let a = Tensor::new(&[[1f64, -1.0, 1.0], [-1.0, -1.0, 1.0]], &Device::Cpu)?;
        let b = Tensor::new(&[[1f64, 1.0, 1.0], [-1.0, -1.0, -1.0], [1.0, -1.0, -1.0]], &Device::Cpu)?;
        let c = Var::new(&[[0.5f64, 1.0], [0.25, -2.0], [3.0, 0.125]], &Device::Cpu)?;
        let product = a.matmul(&c)?;
        let got =
            Tensor::product_of_changed(&product, &a, &[0, 1, 0], &b, &c).map_err(candle_core::Error::wrap)?;
        assert_eq!(got.to_vec2::<f64>()?, b.matmul(&c)?.to_vec2::<f64>()?);
        assert!(got.sum_all()?.backward().is_err());
        Ok(())
    }

    #[test]
    fn a_row_that_is_added_gets_the_sum_of_all_gradients() -> candle_core::Result<()> {
        let a = Var::new(&[[1f32, 2.0], [3.0, 4.0], [5.0, 6.0]], &Device::Cpu)?;
        let row = Var::new(&[[0.5f32, -1.0]], &Device::Cpu)?;
        let sum = Tensor::arithmetic(Arithmetic::Add, a.as_tensor().clone(), &row);
        let sum = sum.map_err(candle_core::Error::wrap)?;
        assert_eq!(sum.to_vec2::<f32>()?, [[1.5, 1.0], [3.5, 3.0], [5.5, 5.0]]);
        let weights = Tensor::new(&[[1f32, 2.0], [3.0, 4.0], [5.0, 6.0]], &Device::Cpu)?;
        let gradients = (sum * weights)?.sum_all()?.backward()?;
        let of = |var: &Var| gradients.get(var).map(Tensor::to_vec2::<f32>).transpose();
        assert_eq!(of(&row)?, Some(vec![vec![9.0, 12.0]]));
        assert_eq!(of(&a)?, Some(vec![vec![1.0, 2.0], vec![3.0, 4.0], vec![5.0, 6.0]]));
        Ok(())
    }
}
