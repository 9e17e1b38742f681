//! Sums, products, tensor products and embeddings against the matrices of what they are made of.
#![cfg(any(feature = "flat", feature = "padded"))]

use crate::common::{Complete, Operator, Shifts, TestResult, close, custom, kron, spins};
use ndarray::Array2;
use operator_core::hilbert::{Fock, HilbertSpace, Spin, SpinOrbitalFermions};
use operator_core::testing::{check_custom_operator, check_operator};
use operator_core::{Boundary, Definition, DiscreteOperator, Error, Graph, Heisenberg, Ising, Model, Result};
use sum_operator::{EmbedOperator, ProductOperator, SumOperator, TensorOperator};

const N_SITES: usize = 4;

fn ring() -> Result<Graph> {
    Graph::chain(N_SITES, Boundary::Periodic)
}

fn ising() -> Result<Definition> {
    Ising::new(Spin::half(N_SITES)?, &ring()?, 0.7, -1.1)?.definition()
}

fn heisenberg() -> Result<Definition> {
    Heisenberg::new(Spin::half(N_SITES)?, &ring()?, 0.4)?.definition()
}

fn dense<O: DiscreteOperator<Element = f64>>(operator: &O) -> Result<Array2<f64>> {
    operator.to_dense()
}

/// The suite of conformance, for an operator that has terms or not.
fn conforms<O: DiscreteOperator>(operator: &O) -> TestResult {
    match operator.definition() {
        Some(_) => check_operator(operator)?,
        None => check_custom_operator(operator)?,
    }
    Ok(())
}

fn sums_are_sums_of_matrices<B: Complete>() -> TestResult {
    let (ising, heisenberg) = (ising()?.lower::<B>()?, heisenberg()?.lower::<B>()?);
    let shift = custom::<B>(Shifts(spins(N_SITES)?))?;
    let expected = dense(&ising)? * 0.5 + dense(&heisenberg)? * -2.0 + dense(&shift)? * 3.0;
    let sum = SumOperator::new([(0.5, ising.clone()), (3.0, shift.clone()), (-2.0, heisenberg.clone())])?;
    assert!(close(&dense(&sum)?, &expected), "{sum}");
    assert!(sum.is_hermitian() && sum.definition().is_none());
    conforms(&sum)?;

    // A sum of sums, with and without kernels, is one sum.
    let terms = (SumOperator::from(ising.clone()) + SumOperator::from(heisenberg.clone()))?;
    assert!(terms.definition().is_some());
    let twice = (&(&terms + &SumOperator::from(shift.clone()))? - &sum)?;
    let expected = dense(&ising)? + dense(&heisenberg)? + dense(&shift)? - expected;
    assert!(close(&dense(&twice)?, &expected), "{twice}");
    assert!(close(&dense(&(&twice * -1.5)?)?, &(expected * -1.5)));
    conforms(&terms)?;
    conforms(&twice)
}

fn parameters_of_summands_stay_parameters<B: Complete>() -> TestResult {
    let shift = custom::<B>(Shifts(spins(N_SITES)?))?;
    let summands = [(1.0, ising()?.lower::<B>()?), (2.0, heisenberg()?.lower::<B>()?), (1.0, shift.clone())];
    let sum = SumOperator::new(summands)?;
    let mut parameters = sum.parameters();
    assert_eq!(parameters.to_string(), "h = 0.7, J = -1.1, J_2 = 0.4");
    parameters.set("J_2", 0.9)?;
    parameters.set("h", 0.1)?;
    let changed = sum.with_parameters(parameters)?;
    let ising = Ising::new(Spin::half(N_SITES)?, &ring()?, 0.1, -1.1)?.lower::<B>()?;
    let heisenberg = Heisenberg::new(Spin::half(N_SITES)?, &ring()?, 0.9)?.lower::<B>()?;
    let expected = dense(&ising)? + dense(&heisenberg)? * 2.0 + dense(&shift)?;
    assert!(close(&dense(&changed)?, &expected));
    Ok(())
}

fn products_are_products_of_matrices<B: Complete>() -> TestResult {
    let (ising, heisenberg) = (ising()?.lower::<B>()?, heisenberg()?.lower::<B>()?);
    let shift = custom::<B>(Shifts(spins(N_SITES)?))?;
    for (a, b) in [(&ising, &heisenberg), (&ising, &shift), (&shift, &heisenberg), (&shift, &shift)] {
        let product = ProductOperator::new(a, b)?;
        let expected = dense(a)?.dot(&dense(b)?);
        assert!(close(&dense(&product)?, &expected), "{product}");
        let hermitian = close(&expected, &expected.t().to_owned());
        assert_eq!(product.is_hermitian(), hermitian, "{product}");
        conforms(&product)?;
    }
    Ok(())
}

/// Spins, bosons and fermions, with terms and without.
fn tensor_products_are_kronecker_products<B: Complete>() -> TestResult {
    let spins = Ising::new(Spin::half(2)?, &Graph::chain(2, Boundary::Open)?, 0.5, 1.0)?.lower::<B>()?;
    let bosons = HilbertSpace::from(Fock::new(2, 2)?);
    let shift = custom::<B>(Shifts(bosons.clone()))?;
    let number = operator_core::expression::boson::number(1).definition(bosons)?.lower::<B>()?;
    let fermions = SpinOrbitalFermions::new(3)?.with_n_fermions(2)?;
    let hop = operator_core::expression::fermion::create(0) * operator_core::expression::fermion::destroy(2);
    let hop = hop.plus_hc().definition(fermions)?.lower::<B>()?;
    let cases: [Vec<&Operator<B>>; 4] =
        [vec![&spins, &number], vec![&hop, &spins, &number], vec![&spins, &shift], vec![&shift, &hop]];
    for operators in cases {
        let tensor = TensorOperator::new(operators.iter().copied())?;
        let matrices = operators.iter().map(|&operator| dense(operator)).collect::<Result<Vec<_>>>()?;
        let expected = matrices.iter().skip(1).fold(matrices[0].clone(), |all, matrix| kron(&all, matrix));
        assert!(close(&dense(&tensor)?, &expected), "{tensor}");
        assert!(tensor.is_hermitian());
        conforms(&tensor)?;
    }
    Ok(())
}

fn embedded_operators_leave_the_other_factors_alone<B: Complete>() -> TestResult {
    let bosons = HilbertSpace::from(Fock::new(2, 2)?);
    let spins = HilbertSpace::from(Spin::half(2)?.with_total_sz(0.0)?);
    let space = HilbertSpace::tensor([spins.clone(), bosons.clone(), spins.clone()])?;
    let exchange = Heisenberg::new(spins, &Graph::chain(2, Boundary::Open)?, 1.0)?.lower::<B>()?;
    let shift = custom::<B>(Shifts(bosons))?;
    let (two, nine) = (Array2::eye(2), Array2::eye(9));
    for (operator, first, expected) in [
        (&exchange, 0, kron(&kron(&dense(&exchange)?, &nine), &two)),
        (&shift, 1, kron(&kron(&two, &dense(&shift)?), &two)),
        (&exchange, 2, kron(&kron(&two, &nine), &dense(&exchange)?)),
    ] {
        let embedded = EmbedOperator::new(operator, &space, first)?;
        assert!(close(&dense(&embedded)?, &expected), "{embedded}");
        conforms(&embedded)?;
    }
    let refused = EmbedOperator::new(&exchange, &space, 1).map(|_| ()).map_err(|error| error.to_string());
    assert_eq!(
        refused,
        Err("operands live on different Hilbert spaces: Spin(1/2, 2 sites, total_sz = 0) and the factors from \
             number 1 on of Spin(1/2, 2 sites, total_sz = 0) ⊗ Fock(n_max = 2, 2 sites) ⊗ \
             Spin(1/2, 2 sites, total_sz = 0)"
            .into())
    );
    Ok(())
}

fn operands_that_do_not_fit_are_refused<B: Complete>() -> TestResult {
    let ising = ising()?.lower::<B>()?;
    let other = Heisenberg::new(Spin::half(N_SITES)?.with_total_sz(0.0)?, &ring()?, 1.0)?.lower::<B>()?;
    let expected = "operands live on different Hilbert spaces: Spin(1/2, 4 sites) and \
                    Spin(1/2, 4 sites, total_sz = 0)";
    let message = |result: Result<()>| result.map_err(|error| error.to_string());
    let sum = SumOperator::new([(1.0, ising.clone()), (1.0, other.clone())]);
    assert_eq!(message(sum.map(|_| ())), Err(expected.into()));
    assert_eq!(message(ProductOperator::new(&ising, &other).map(|_| ())), Err(expected.into()));
    let none = SumOperator::<Operator<B>>::new([]);
    assert_eq!(message(none.map(|_| ())), Err("0 operators to sum; expected at least 1".into()));
    let infinite = SumOperator::new([(f64::NAN, ising.clone())]);
    assert!(matches!(infinite, Err(Error::NotFinite { .. })));
    // A product of finite coefficients, of terms or of a kernel without any.
    let shift = custom::<B>(Shifts(spins(N_SITES)?))?;
    for operator in [ising, shift] {
        let large = SumOperator::new([(1e306, operator)])?;
        assert!(matches!(large.scaled(1e3), Err(Error::NotFinite { .. })));
        assert!(matches!(&large * -1e3, Err(Error::NotFinite { .. })));
    }
    Ok(())
}

on_backends!(
    sums_are_sums_of_matrices,
    parameters_of_summands_stay_parameters,
    products_are_products_of_matrices,
    tensor_products_are_kronecker_products,
    embedded_operators_leave_the_other_factors_alone,
    operands_that_do_not_fit_are_refused,
);
