//! Gradients against finite differences, for the tests of operations.

use candle_core::{DType, Result, Tensor, Var};

/// The elements of a tensor of any type.
pub(super) fn numbers(tensor: &Tensor) -> Result<Vec<f64>> {
    tensor.to_dtype(DType::F64)?.flatten_all()?.to_vec1()
}

/// Checks the gradient of a scalar in each variable along one direction. Variables are of f64.
pub(super) fn check_slopes<'a>(
    vars: impl IntoIterator<Item = &'a Var>,
    scalar: impl Fn() -> Result<Tensor>,
) -> Result<()> {
    let gradients = scalar()?.backward()?;
    for var in vars {
        let value = var.as_tensor().copy()?;
        let direction = (value.cos()? + 0.3)?;
        let gradient = gradients.get(var).expect("every variable has a gradient");
        let slope = (gradient * &direction)?.sum_all()?.to_scalar::<f64>()?;
        let at = |step: f64| {
            var.set(&(&value + (&direction * step)?)?)?;
            scalar()?.to_scalar::<f64>()
        };
        let difference = (at(1e-6)? - at(-1e-6)?) / 2e-6;
        var.set(&value)?;
        assert!((slope - difference).abs() < 1e-6 * (1.0 + difference.abs()), "{slope} {difference}");
    }
    Ok(())
}
