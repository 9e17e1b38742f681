//! The conformance suite for a whole backend.

use num_complex::{Complex32, Complex64};
use rayon::prelude::*;

use super::{Checked, catalogue, check_against_reference, check_agree, check_operator, close};
use super::{Entry, ensure, kronecker_dense, test_samples, within};
use crate::backend::Lower;
use crate::definition::Definition;
use crate::element::Element;
use crate::error::Error;
use crate::operator::DiscreteOperator;

/// Runs the [`catalogue`] on a backend's default device with real and complex elements. Each operator is
/// checked with its original parameters and with new ones.
///
/// # Errors
/// The first operator that fails, and why.
pub fn check_backend<B: Lower<f64> + Lower<Complex64>>() -> Checked {
    check_backend_on::<B>(&B::default_device())
}

/// [`check_backend`] on a device.
///
/// # Errors
/// The first operator that fails, and why.
pub fn check_backend_on<B: Lower<f64> + Lower<Complex64>>(device: &B::Device) -> Checked {
    on_all_threads(|Entry { name, definition }| {
        within(name, check_definition_on::<B>(&definition, device))?;
        let changed = within(name, definition.parameters().with_values(&other_values(&definition)))?;
        let changed = within(name, definition.with_parameters(changed))?;
        within(&format!("{name} with other parameters"), check_definition_on::<B>(&changed, device))?;
        let zero = vec![0.0; definition.parameters().n_values()];
        let zero = within(name, definition.parameters().with_values(&zero))?;
        let zero = within(name, definition.with_parameters(zero))?;
        within(&format!("{name} with parameters 0"), check_definition_on::<B>(&zero, device))
    })
}

/// Runs the [`catalogue`] on a device with single-precision elements, and compares them with double precision.
///
/// # Errors
/// The first operator that fails, and why.
pub fn check_single_precision_on<B>(device: &B::Device) -> Checked
where
    B: Lower<f32> + Lower<Complex32> + Lower<Complex64>,
{
    on_all_threads(|Entry { name, definition }| {
        let double = within(name, definition.lower_on::<B, Complex64>(device))?;
        let single = within(name, definition.lower_on::<B, Complex32>(device))?;
        within(name, check_operator(&single))?;
        within(name, check_agree(&single, &double))?;
        let real = definition.lower_on::<B, f32>(device);
        if definition.is_real() {
            let real = within(name, real)?;
            within(name, check_operator(&real))?;
            within(name, check_agree(&real, &double))?;
        } else {
            let refused = matches!(real, Err(Error::ComplexElements { .. }));
            ensure!(refused, "{name}: complex elements are lowered to f32");
        }
        Ok(())
    })
}

/// Checks each operator of the catalogue; the first that fails counts.
fn on_all_threads(check: impl Fn(Entry) -> Checked + Send + Sync) -> Checked {
    let entries = within("catalogue", catalogue())?;
    let checked: Vec<Checked> = entries.into_par_iter().map(check).collect();
    checked.into_iter().collect()
}

/// Lowers one operator to a backend's default device, with complex elements and, if it is real, with real ones.
/// Checks each form alone and against independent references, and compares the two forms.
///
/// # Errors
/// What is wrong.
pub fn check_definition<B: Lower<f64> + Lower<Complex64>>(definition: &Definition) -> Checked {
    check_definition_on::<B>(definition, &B::default_device())
}

/// [`check_definition`] on a device.
///
/// # Errors
/// What is wrong.
pub fn check_definition_on<B>(definition: &Definition, device: &B::Device) -> Checked
where
    B: Lower<f64> + Lower<Complex64>,
{
    let complex = within("lower", definition.lower_on::<B, Complex64>(device))?;
    within("Complex64", check_lowered(&complex, definition))?;
    let real = definition.lower_on::<B, f64>(device);
    if !definition.is_real() {
        let refused = matches!(real, Err(Error::ComplexElements { .. }));
        ensure!(refused, "complex elements are lowered to f64");
        return Ok(());
    }
    let real = within("lower", real)?;
    within("f64", check_lowered(&real, definition))?;
    within("f64 and Complex64", check_agree(&real, &complex))
}

fn check_lowered<O: DiscreteOperator>(operator: &O, definition: &Definition) -> Checked {
    check_operator(operator)?;
    ensure!(operator.hilbert() == definition.hilbert(), "the space is {}", operator.hilbert());
    ensure!(operator.definition() == Some(definition), "the definition is not that it was lowered from");
    ensure!(operator.is_hermitian() == definition.is_hermitian(), "is_hermitian is not the definition's");
    let (size, expected) = (operator.max_conn_size(), definition.max_conn_size());
    ensure!(size == expected, "max_conn_size is {size}; the definition's is {expected}");
    let x = within("samples", test_samples(definition.hilbert()))?;
    within("term by term", check_against_reference(operator, definition, x.view()))?;
    match kronecker_dense(definition) {
        Ok(expected) => within("Kronecker products", check_dense(operator, &expected)),
        Err(Error::TooLarge { .. }) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

fn check_dense<O: DiscreteOperator>(operator: &O, expected: &ndarray::Array2<Complex64>) -> Checked {
    let dense = within("to_dense", operator.to_dense())?;
    let scale = expected.iter().map(|mel| mel.norm()).fold(0.0, f64::max);
    ensure!(dense.dim() == expected.dim(), "the shapes are {:?} and {:?}", dense.dim(), expected.dim());
    for ((at, got), right) in dense.indexed_iter().zip(expected) {
        let same = close::<O::Element>(got.to_complex(), *right, scale);
        ensure!(same, "element {at:?} is {got}; expected {right}");
    }
    Ok(())
}

fn other_values(definition: &Definition) -> Vec<f64> {
    let values = definition.parameters().to_vec();
    values.iter().enumerate().map(|(k, value)| 0.3 * k as f64 - 0.7 * value).collect()
}
