//! Numbers that overflow are refused after the arithmetic, not before it.

use ndarray::array;
use operator_core::expression::{boson, spin};
use operator_core::hilbert::{Fock, Qubit, Spin};
use operator_core::terms::{Pauli, Terms, real_matrix};
use operator_core::{
    BoseHubbard, Boundary, Definition, Error, Graph, Ising, LocalOperator, Model, PauliStrings, Xyz,
};

const HUGE: f64 = 1e308;

fn x(factor: f64) -> Terms {
    let mut terms = Terms::new(Qubit::new(2).unwrap());
    terms.pauli(factor, &[(0, Pauli::X)]).unwrap();
    terms
}

fn refused<T>(what: &str, result: Result<T, Error>) -> String {
    match result {
        Err(error @ Error::NotFinite { .. }) => error.to_string(),
        Err(other) => panic!("{what}: {other}"),
        Ok(_) => panic!("{what} is taken"),
    }
}

#[test]
fn a_factor_times_a_parameter_that_overflows_is_refused_with_both() {
    let mut terms = Terms::new(Qubit::new(2).unwrap());
    let h = terms.parameter("h", [1.0, 2.0]).unwrap();
    terms.pauli(HUGE * h.at(0).unwrap(), &[(0, Pauli::X)]).unwrap();
    let taken = Definition::new("field", terms.clone()).unwrap();
    terms.pauli(HUGE * h.at(1).unwrap(), &[(0, Pauli::X)]).unwrap();
    let message = refused("two terms", Definition::new("field", terms));
    let huge = format!("{HUGE}");
    assert_eq!(
        message,
        format!(
            "a matrix element of field, {huge} * h[0] + {huge} * h[1], is inf+0i; coefficients must be finite"
        )
    );
    // The same for values that come later.
    for values in [[2.0, 0.0], [-2.0, 0.0]] {
        let later = taken.with_parameters(taken.parameters().with_values(&values).unwrap());
        refused("another parameter", later);
    }
}

#[test]
fn matrices_times_their_coefficients_are_refused_where_they_overflow() {
    let two = real_matrix([[0.0, 2.0], [2.0, 0.0]]);
    let space = || Qubit::new(1).unwrap();
    let weighted = LocalOperator::new(space()).with_weighted(HUGE, &[0], two.clone()).unwrap();
    refused("a weight", weighted.definition());
    let mut terms = Terms::new(space());
    terms.local(HUGE, &[0], two).unwrap();
    refused("a coefficient", Definition::new("terms", terms));
    let strings = PauliStrings::new(space(), ["X", "X"], [HUGE, HUGE]).unwrap();
    refused("strings that add up", strings.definition());
    let mut squares = Terms::new(Fock::new(2, 1).unwrap());
    squares.local(1.0, &[0], array![[0.0, 0.0, 0.0], [0.0, 1e200, 0.0], [0.0, 0.0, 1.0]]).unwrap();
    refused("a product of matrices", squares.pow(2));
}

#[test]
fn algebra_refuses_what_overflows() {
    refused("a sum", x(HUGE) + x(HUGE));
    refused("a difference", x(HUGE) - x(-HUGE));
    refused("a multiple", 2.0 * x(HUGE));
    refused("a product", x(1e200) * x(1e200));
    refused("a power", x(1e200).pow(2));
    refused("a number", (x(1.0) + HUGE).unwrap() + HUGE);
    let definition = Definition::new("X", x(HUGE)).unwrap();
    refused("a sum", &definition + &definition);
    refused("a multiple", definition.scaled(10.0));
    refused("a combination", Definition::linear_combination([(2.0, &definition)]));
    refused("a commutator", x(1e200).anticommutator(&x(1e200)));
}

#[test]
fn formulas_refuse_what_overflows() {
    let on = |formula: &operator_core::Expression| formula.definition(Qubit::new(1).unwrap());
    refused("a coefficient", on(&(HUGE * spin::sigmax(0) * 10.0)));
    refused("a sum", on(&(HUGE * spin::sigmax(0) + HUGE * spin::sigmax(0))));
    let bosons = HUGE * boson::number(0) * boson::number(0);
    refused("a matrix", bosons.definition(Fock::new(3, 1).unwrap()));
}

#[test]
fn models_refuse_what_overflows() {
    let chain = Graph::chain(3, Boundary::Open).unwrap();
    let spins = || Spin::half(3).unwrap();
    refused("J Δ", Xyz::xxz(spins(), &chain, HUGE, 10.0).unwrap().definition());
    let ising = Ising::new(spins(), &chain, f64::MAX, 1.0).unwrap().definition().unwrap();
    assert_eq!(ising.parameters().get("h").unwrap(), [f64::MAX]);
    let message = refused("single precision", ising.engine::<f32>());
    assert!(message.contains("lowered to f32"), "{message}");
    ising.engine::<f64>().unwrap();
}

#[cfg(feature = "serde")]
#[test]
fn files_refuse_what_overflows() {
    let read = |text: &str| Definition::from_json(text);
    let factor = r#"{"model": "terms", "hilbert": {"kind": "qubit", "n": 1}, "parameters": [{"name": "h", "value": 2}],
                     "terms": [{"factor": 1e308, "parameter": 0, "paulis": [[0, "X"]]}]}"#;
    refused("a factor", read(factor));
    let weight = r#"{"model": "local", "hilbert": {"kind": "qubit", "n": 1}, "weights": [1e308],
                     "terms": [{"sites": [0], "re": [[0, 2], [2, 0]]}]}"#;
    refused("a weight", read(weight));
    let beyond = r#"{"model": "pauli_strings", "hilbert": {"kind": "qubit", "n": 1}, "strings": ["X"], "weights": [1e309]}"#;
    assert!(matches!(read(beyond), Err(Error::Spec(_))));
}

/// The absolute values of these summands add up to infinity, which once passed for a cancellation.
#[test]
fn large_summands_that_do_not_cancel_stay() {
    let mut terms = Terms::new(Qubit::new(1).unwrap());
    for factor in [HUGE, -HUGE, HUGE] {
        terms.pauli(factor, &[(0, Pauli::X)]).unwrap();
    }
    let sum = Definition::new("X", terms).unwrap();
    assert_eq!(sum.max_conn_size(), 1);
    assert_eq!(sum.engine::<f64>().unwrap().values(), [0.0, HUGE]);
}

/// Every coupling is finite, and so is each off-diagonal element, but bonds add up on the diagonal.
#[test]
fn sums_of_terms_that_overflow_are_refused() {
    let ring = Graph::chain(6, Boundary::Periodic).unwrap();
    let ising = |h, j| Ising::new(Spin::half(6).unwrap(), &ring, h, j).unwrap();
    refused("six bonds", ising(0.0, HUGE).definition());
    let message = refused("bonds in single precision", {
        let definition = ising(1.0, 1e38).definition().unwrap();
        definition.engine::<f32>().map(|_| ())
    });
    assert!(message.contains("sum of terms of Ising that add up to one matrix element, in f32"), "{message}");
    // Values that come later, and one that fits: no two bonds are large.
    let by_bonds =
        Ising::new(Spin::half(6).unwrap(), &ring, 0.0, vec![1.0; 6]).unwrap().definition().unwrap();
    let with = |large: &[usize]| {
        let mut bonds = vec![1.0; 6];
        large.iter().for_each(|&bond| bonds[bond] = HUGE);
        let mut parameters = by_bonds.parameters().clone();
        parameters.set("J", bonds).unwrap();
        by_bonds.with_parameters(parameters)
    };
    refused("two of six bonds", with(&[2, 5]));
    assert!(with(&[2]).is_ok());
    // Sites of more states: tables, and functions of one digit.
    for n_max in [3u32, 100] {
        let bosons = |u| {
            BoseHubbard::new(
                Fock::new(n_max as usize, 4).unwrap(),
                &Graph::chain(4, Boundary::Open).unwrap(),
                u,
            )
        };
        refused("four interactions", bosons(HUGE / f64::from(n_max * (n_max - 1) / 2)).unwrap().definition());
        assert!(bosons(1e300).unwrap().definition().is_ok());
    }
    // The largest field flips one spin at a time.
    assert!(ising(f64::MAX, 1.0).definition().is_ok());
}
