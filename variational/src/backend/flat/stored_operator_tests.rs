//! Stored operators against the operators of this backend that they are made of.

use backend_flat::Flat;
use ndarray::Array1;
use num_complex::Complex64;
use operator_core::hilbert::Spin;
use operator_core::testing::SplitMix;
use operator_core::{Boundary, DiscreteOperator, Element, Error, Graph, Heisenberg, Ising, Model, Result};

use crate::exact::StoredOperator;

/// Of 12 sites, so that rows are shared between tasks, and of 6.
#[test]
fn stored_and_unstored_matrices_are_the_operator() -> Result<()> {
    let mut rng = SplitMix::new(1);
    for n_sites in [6, 12] {
        let chain = Graph::chain(n_sites, Boundary::Periodic)?;
        let operator = Ising::new(Spin::half(n_sites)?, &chain, 0.7, 1.1)?.lower::<Flat>()?;
        let v: Array1<f64> = (0..1 << n_sites).map(|_| rng.number()).collect();
        let expected = operator.apply(v.view())?;
        let (stored, unstored) = (
            StoredOperator::<_, f64>::new(&operator)?,
            StoredOperator::<_, f64>::with_limit(&operator, 0.0)?,
        );
        for matrix in [&stored, &unstored] {
            let difference = matrix.apply(&v)? - &expected;
            assert!(difference.iter().all(|d| d.abs() < 1e-13));
            // All bonds aligned, and a flip of each site.
            assert!((matrix.norm_bound()? - n_sites as f64 * 1.8).abs() < 1e-12);
            assert!(matches!(matrix.apply(&Array1::zeros(3)), Err(Error::VectorLength { got: 3, .. })));
        }
    }
    Ok(())
}

#[test]
fn real_operators_apply_to_complex_vectors() -> Result<()> {
    let chain = Graph::chain(6, Boundary::Periodic)?;
    let space = Spin::half(6)?.with_total_sz(0.0)?;
    let operator = Heisenberg::new(space, &chain, 1.0)?.lower_as::<Flat, f32>()?;
    let dense = operator.to_dense()?.mapv(Element::to_complex);
    let mut rng = SplitMix::new(2);
    let v: Array1<Complex64> = (0..20).map(|_| Complex64::new(rng.number(), rng.number())).collect();
    for bytes in [0.0, 1e9] {
        let image = StoredOperator::<_, Complex64>::with_limit(&operator, bytes)?.apply(&v)?;
        assert!((image - dense.dot(&v)).iter().all(|d| d.norm() < 1e-13));
    }
    Ok(())
}
