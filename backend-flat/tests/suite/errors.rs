//! What is said of samples, matrices and vectors that do not fit.

use backend_flat::{Emitter, Flat, FlatKernel, FlatOperator, VisitConn, Visitor, local_estimators};
use ndarray::{Array1, Array2, ArrayView2, aview2};
use num_complex::Complex64;
use operator_core::hilbert::{HilbertSpace, Spin};
use operator_core::{
    Boundary, ConnBatch, Definition, DiscreteOperator, Error, Graph, Heisenberg, Ising, Model, PauliStrings,
    Result, WaveFunction,
};
use std::num::NonZeroUsize;

fn message<T>(result: Result<T>) -> String {
    match result {
        Ok(_) => "no error".into(),
        Err(error) => error.to_string(),
    }
}

fn ising(n_sites: usize) -> Result<FlatOperator> {
    let chain = Graph::chain(n_sites, Boundary::Periodic)?;
    Ising::new(Spin::half(n_sites)?, &chain, 1.0, 0.5)?.lower::<Flat>()
}

#[test]
fn bad_samples_are_named_by_their_row_and_site() -> Result<()> {
    let ising = ising(3)?;
    assert_eq!(
        message(ising.get_conn_flattened(aview2(&[[1, 1], [1, 1]]))),
        "samples have 2 sites; Spin(1/2, 3 sites) has 3"
    );
    assert_eq!(
        message(ising.n_conn(aview2(&[[1, 1, -1], [1, 0, 1]]))),
        "sample 1 has quantum number 0 at site 1; Spin(1/2, 3 sites) allows 1 and -1"
    );
    let chain = Graph::chain(4, Boundary::Periodic)?;
    let heisenberg = Heisenberg::new(Spin::half(4)?.with_total_sz(0.0)?, &chain, 1.0)?.lower::<Flat>()?;
    assert_eq!(
        message(heisenberg.get_conn_padded(aview2(&[[1, 1, 1, -1]]))),
        "sample 0 is outside Spin(1/2, 4 sites, total_sz = 0): total_sz = 1, expected total_sz = 0"
    );
    Ok(())
}

#[test]
fn matrices_too_large_for_memory_are_refused_with_their_size() -> Result<()> {
    assert_eq!(
        message(ising(20)?.to_dense()),
        "the dense matrix on Spin(1/2, 20 sites) would take 8.796e12 bytes, more than the limit of 8.590e9; \
         use to_sparse or apply"
    );
    assert_eq!(
        message(ising(40)?.to_sparse()),
        "the sparse matrix on Spin(1/2, 40 sites) would take 8.796e12 bytes, more than the limit of 8.590e9; \
         use apply or samples"
    );
    assert_eq!(
        message(ising(70)?.to_dense()),
        "Spin(1/2, 70 sites) has about 2^70 states, too many to be numbered; use samples instead of all states"
    );
    assert_eq!(
        message(ising(3)?.apply(Array1::zeros(7).view())),
        "vector has 7 elements; Spin(1/2, 3 sites) has 8 states"
    );
    Ok(())
}

#[test]
fn complex_operators_are_not_lowered_to_real_elements() -> Result<()> {
    let y = PauliStrings::new(Spin::half(2)?, ["YI"], [1.0])?.definition()?;
    assert_eq!(
        message(y.lower::<Flat>()),
        "PauliStrings(weights = [1.0]) on Spin(1/2, 2 sites) has complex matrix elements, which f64 cannot \
         hold; lower it with `lower_as` to Complex64 or Complex32"
    );
    Ok(())
}

/// ψ that is no number at the second state.
struct Broken(HilbertSpace);

impl WaveFunction<Flat> for Broken {
    fn hilbert(&self) -> &HilbertSpace {
        &self.0
    }

    fn log_psi(&self, x: &Array2<i8>) -> Result<Array1<Complex64>> {
        let value = |x: &[i8]| if x == [1, 1, -1] { f64::NAN } else { 0.0 };
        Ok(x.rows().into_iter().map(|x| Complex64::from(value(&x.to_vec()))).collect())
    }
}

#[test]
fn local_estimators_name_the_sample_whose_amplitude_is_no_number() -> Result<()> {
    let ising = ising(3)?;
    let x = aview2(&[[-1, -1, -1], [1, 1, -1], [1, 1, 1]]);
    let broken = Broken(Spin::half(3)?.into());
    let expected = "log psi of sample 1 is NaN+0i; check the wave function's parameters";
    assert_eq!(message(local_estimators(&ising, &broken, x, None)), expected);
    // The third sample is connected to the broken state.
    let connected = x.slice(ndarray::s![2.., ..]);
    let refused = local_estimators(&ising, &broken, connected, None);
    assert!(matches!(refused, Err(Error::LogPsiNotFinite { sample: 0, .. })), "{refused:?}");
    Ok(())
}

/// An operator of a third party that counts the elements of one sample, whatever it is given.
struct Miscounts(FlatOperator);

impl DiscreteOperator for Miscounts {
    type Backend = Flat;
    type Element = f64;

    fn hilbert(&self) -> &HilbertSpace {
        self.0.hilbert()
    }

    fn max_conn_size(&self) -> usize {
        self.0.max_conn_size()
    }

    fn is_hermitian(&self) -> bool {
        true
    }

    fn get_conn_flattened_into(&self, x: ArrayView2<'_, i8>, conn: &mut ConnBatch<f64>) -> Result<()> {
        self.0.get_conn_flattened_into(x, conn)
    }

    fn definition(&self) -> Option<&Definition> {
        None
    }

    fn n_conn(&self, _: ArrayView2<'_, i8>) -> Result<Array1<usize>> {
        Ok(Array1::zeros(1))
    }
}

impl VisitConn for Miscounts {
    fn visitor(&self) -> Visitor<'_, f64> {
        self.0.visitor()
    }
}

#[test]
fn an_operator_that_counts_other_samples_is_refused() -> Result<()> {
    let x = aview2(&[[-1, -1, -1], [1, 1, 1]]);
    let broken = Broken(Spin::half(3)?.into());
    assert_eq!(
        message(local_estimators(&Miscounts(ising(3)?), &broken, x, NonZeroUsize::new(2))),
        "1 numbers of connected elements; expected 2, one for each sample"
    );
    Ok(())
}

/// Emits an element that is no number.
#[derive(Debug)]
struct Emits(HilbertSpace, f64, bool);

impl FlatKernel<f64> for Emits {
    fn hilbert(&self) -> &HilbertSpace {
        &self.0
    }

    fn connect(&self, x: &[i8], emit: &mut Emitter<'_, f64>) {
        if self.2 { emit.diagonal(self.1) } else { emit.change(&[(0, -x[0])], self.1) }
    }

    fn max_conn_size(&self) -> Option<usize> {
        Some(1)
    }

    fn is_hermitian(&self) -> Option<bool> {
        Some(true)
    }
}

#[test]
fn a_kernel_that_emits_no_number_is_named() -> Result<()> {
    let x = aview2(&[[-1, 1]]);
    for (mel, name) in [(f64::NAN, "NaN"), (f64::INFINITY, "inf")] {
        for diagonal in [true, false] {
            let operator = FlatOperator::custom(Emits(Spin::half(2)?.into(), mel, diagonal))?;
            let refused = message(operator.get_conn_flattened(x));
            let expected = format!("it emitted the matrix element {name}; elements must be finite");
            assert!(refused.contains("Emits(") && refused.ends_with(&expected), "{refused}");
            let estimators = local_estimators(&operator, &Broken(Spin::half(2)?.into()), x, None);
            assert!(estimators.is_err());
        }
    }
    Ok(())
}
