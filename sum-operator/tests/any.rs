//! Operators whose backend is chosen at run time.
#![cfg(feature = "flat")]

use operator_core::hilbert::{Qubit, Spin};
use operator_core::{Boundary, Definition, DiscreteOperator, Graph, Ising, Model, PauliStrings};
use sum_operator::{AnyOperator, BackendKind, Error};

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
            let operator = AnyOperator::lower(&definition, kind)?;
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
    #[cfg(not(feature = "padded"))]
    {
        let refused = AnyOperator::lower(&definitions()?[0], BackendKind::Padded).map(|_| ());
        let expected = "this program was built without the padded backend; turn on the feature \"padded\" of sum-operator";
        assert_eq!(refused.map_err(|error| error.to_string()), Err(expected.into()));
    }
    Ok(())
}
