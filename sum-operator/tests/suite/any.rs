//! Operators whose backend is chosen at run time.
#![cfg(feature = "flat")]

use crate::common::Shifts;
use num_complex::Complex64;
use operator_core::hilbert::{Qubit, Spin};
use operator_core::{Boundary, Definition, DiscreteOperator, Graph, Ising, Model, PauliStrings};
use sum_operator::{AnyOperator, BackendKind, Error, ProductOperator, SumOperator, TensorOperator};

fn definitions() -> operator_core::Result<[Definition; 2]> {
    let chain = Graph::chain(4, Boundary::Periodic)?;
    Ok([
        Ising::new(Spin::half(4)?, &chain, 0.7, -1.0)?.definition()?,
        PauliStrings::new(Qubit::new(3)?, ["XYI", "ZIZ"], [0.5, 2.0])?.definition()?,
    ])
}

fn backends() -> Vec<BackendKind> {
    vec![
        BackendKind::Flat,
        #[cfg(feature = "padded")]
        BackendKind::Padded,
    ]
}

#[test]
fn it_is_the_operator_of_the_chosen_backend() -> Result<(), Error> {
    for definition in definitions()? {
        let expected = operator_core::testing::kronecker_dense(&definition)?;
        for kind in backends() {
            let operator = AnyOperator::new(&definition, kind)?;
            assert_eq!(operator.backend(), kind);
            assert_eq!(operator.describe(), definition.to_string());
            let dense = operator.to_dense()?;
            assert!(
                dense.iter().zip(&expected).all(|(a, b)| (a - b).norm() < 1e-12),
                "{definition} on {kind}"
            );
            operator_core::testing::check_operator(&operator)
                .map_err(|reason| operator_core::Error::Custom { operator: operator.describe(), reason })?;
        }
    }
    Ok(())
}

#[test]
fn backends_are_chosen_by_name() -> Result<(), Error> {
    assert_eq!("flat".parse::<BackendKind>()?, BackendKind::Flat);
    assert_eq!("padded".parse::<BackendKind>()?.to_string(), "padded");
    let unknown = "numba".parse::<BackendKind>().map_err(|error| error.to_string());
    assert_eq!(unknown, Err("backend \"numba\" is not known; expected flat or padded".into()));
    let stored = serde_json::to_string(&[BackendKind::Flat, BackendKind::Padded]);
    assert_eq!(stored.ok().as_deref(), Some(r#"["flat","padded"]"#));
    assert_eq!(serde_json::from_str(r#""padded""#).ok(), Some(BackendKind::Padded));
    #[cfg(not(feature = "padded"))]
    {
        let refused = AnyOperator::new(&definitions()?[0], BackendKind::Padded).map(|_| ());
        let expected = "this program was built without the padded backend; turn on the feature \"padded\" of sum-operator";
        assert_eq!(refused.map_err(|error| error.to_string()), Err(expected.into()));
    }
    Ok(())
}

/// A third party's kernel on one of [`backends`].
fn kernel_on(kind: BackendKind, kernel: Shifts) -> operator_core::Result<AnyOperator> {
    #[cfg(feature = "padded")]
    if kind == BackendKind::Padded {
        return Ok(crate::common::custom::<backend_padded::Padded>(kernel)?.into());
    }
    assert_eq!(kind, BackendKind::Flat);
    Ok(crate::common::custom::<backend_flat::Flat>(kernel)?.into())
}

/// A third party's kernel and terms, real and complex, on the backend that was chosen.
#[test]
fn operators_chosen_at_run_time_are_combined_on_their_backend() -> Result<(), Box<dyn std::error::Error>> {
    let spins = crate::common::spins(3)?;
    let y = PauliStrings::new(spins.clone(), ["YII", "IXX"], [0.5, 1.0])?.definition()?;
    for kind in backends() {
        let kernel = kernel_on(kind, Shifts(spins.clone()))?;
        let terms = AnyOperator::new(&y, kind)?;
        let (a, b) = (terms.to_dense()?, kernel.to_dense()?);
        let close = |x: &ndarray::Array2<Complex64>, y: &ndarray::Array2<Complex64>| {
            x.dim() == y.dim() && x.iter().zip(y).all(|(x, y)| (x - y).norm() < 1e-12)
        };
        let (one, i) = (Complex64::ONE, Complex64::I);
        let sum = SumOperator::new([(i, terms.clone()), (one, kernel.clone())])?;
        assert!(close(&sum.to_dense()?, &(&a * i + &b)), "{sum}");
        assert_eq!(sum.operator().backend(), kind);
        let product = ProductOperator::new(&kernel, &terms)?;
        assert!(close(&product.to_dense()?, &b.dot(&a)), "{product}");
        let tensor = TensorOperator::new([&kernel, &terms])?;
        assert!(close(&tensor.to_dense()?, &ndarray::linalg::kron(&b, &a)), "{tensor}");
        assert_eq!(tensor.operator().backend(), kind);
    }
    Ok(())
}

#[cfg(feature = "padded")]
#[test]
fn operators_on_different_backends_are_not_combined() -> Result<(), Box<dyn std::error::Error>> {
    let definition = &definitions()?[0];
    let kernel = crate::common::custom::<backend_flat::Flat>(Shifts(definition.hilbert().clone()))?;
    let padded = AnyOperator::new(definition, BackendKind::Padded)?;
    let one = Complex64::ONE;
    let refused = SumOperator::new([(one, AnyOperator::from(kernel.clone())), (one, padded.clone())]);
    let expected = "operands run on different backends: flat and padded; move one with `to_backend`";
    assert_eq!(refused.map(|_| ()).map_err(|error| error.to_string()), Err(expected.into()));
    let refused = ProductOperator::new(&AnyOperator::from(kernel), &padded);
    assert_eq!(refused.map(|_| ()).map_err(|error| error.to_string()), Err(expected.into()));
    Ok(())
}

/// Of rows that are not packed, the elements are the same.
#[test]
fn packed_rows_are_those_of_the_flat_backend() -> Result<(), Error> {
    for definition in definitions()? {
        let operator = AnyOperator::new(&definition, BackendKind::Flat)?;
        let flat: backend_flat::FlatOperator<Complex64> = definition.lower_as::<backend_flat::Flat, _>()?;
        let x = definition.hilbert().all_states()?;
        let mut packed = operator_core::PackedConn::new();
        operator.get_conn_packed_into(x.view(), &mut packed)?;
        let expected = flat.get_conn_packed(x.view())?;
        assert_eq!(packed.offsets(), expected.offsets());
        assert_eq!((packed.states(), packed.mels()), (expected.states(), expected.mels()));
    }
    Ok(())
}

/// A kernel is asked once for numbers of elements, and twice for the elements: once to count them.
#[test]
fn numbers_of_elements_are_counted_by_the_operator_inside() -> Result<(), Error> {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[derive(Debug)]
    struct Asked(Shifts, Arc<AtomicUsize>);

    impl backend_flat::FlatKernel<f64> for Asked {
        fn hilbert(&self) -> &operator_core::HilbertSpace {
            &self.0.0
        }

        fn connect(&self, x: &[i8], emit: &mut backend_flat::Emitter<'_, f64>) {
            self.1.fetch_add(1, Ordering::Relaxed);
            backend_flat::FlatKernel::connect(&self.0, x, emit);
        }
    }

    let asked = Arc::new(AtomicUsize::new(0));
    let kernel = Asked(Shifts(crate::common::spins(3)?), asked.clone());
    let operator = AnyOperator::from(backend_flat::FlatOperator::custom(kernel)?);
    asked.store(0, Ordering::Relaxed);
    operator.n_conn(ndarray::aview2(&[[1, 1, -1]]))?;
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    Ok(())
}
