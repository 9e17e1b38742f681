//! The conformance suite on the flat backend.

use backend_flat::{Emitter, Flat, FlatKernel, FlatOperator};
use num_complex::Complex64;
use operator_core::hilbert::{Fock, Spin};
use operator_core::kernel::Connected;
use operator_core::testing::{
    catalogue, check_against_reference, check_agree, check_backend, check_custom_operator,
    check_single_precision_on, test_samples,
};
use operator_core::{DiscreteOperator, Element, Error, HilbertSpace};

#[test]
fn the_catalogue() {
    check_backend::<Flat>().unwrap();
}

#[test]
fn the_catalogue_in_single_precision() {
    check_single_precision_on::<Flat>(&()).unwrap();
}

#[test]
fn the_suite_finds_another_operators_elements() {
    let entries = catalogue().unwrap();
    let chain = entries.iter().find(|entry| entry.name == "Ising chain").unwrap();
    let other = entries.iter().find(|entry| entry.name == "Heisenberg chain").unwrap();
    let operator = chain.definition.lower::<Flat>().unwrap();
    let x = test_samples(operator.hilbert()).unwrap();
    check_against_reference(&operator, &chain.definition, x.view()).unwrap();
    let error = check_against_reference(&operator, &other.definition, x.view()).unwrap_err();
    assert!(error.contains("expected"), "{error}");
    assert!(check_agree(&operator, &other.definition.lower::<Flat>().unwrap()).is_err());
}

/// Results of a pool of `n` threads.
fn with_threads<R: Send>(n: usize, f: impl FnOnce() -> R + Send) -> R {
    rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap().install(f)
}

#[test]
fn threads_do_not_change_results() {
    for entry in catalogue().unwrap() {
        let operator = entry.definition.lower_as::<Flat, Complex64>().unwrap();
        let few = test_samples(operator.hilbert()).unwrap();
        let many: Vec<_> = (0..2000).map(|k| few.row(k % few.nrows())).collect();
        let x = ndarray::stack(ndarray::Axis(0), &many).unwrap();
        let one = with_threads(1, || operator.get_conn_flattened(x.view()).unwrap());
        for n in [2, 5] {
            let more = with_threads(n, || operator.get_conn_flattened(x.view()).unwrap());
            assert_eq!(one.offsets(), more.offsets(), "{}", entry.name);
            assert_eq!(one.states(), more.states(), "{}", entry.name);
            assert_eq!(one.mels(), more.mels(), "{}", entry.name);
        }
        let padded = with_threads(1, || operator.get_conn_padded(few.view()).unwrap());
        assert!(padded == with_threads(2, || operator.get_conn_padded(few.view()).unwrap()));
    }
}

/// What a test kernel does with a sample.
type Connect<T> = fn(&[i8], &mut Emitter<'_, T>);

#[derive(Debug)]
struct Kernel<T: Element> {
    hilbert: HilbertSpace,
    connect: Connect<T>,
    known: bool,
}

impl<T: Element> FlatKernel<T> for Kernel<T> {
    fn hilbert(&self) -> &HilbertSpace {
        &self.hilbert
    }
    fn connect(&self, x: &[i8], emit: &mut Emitter<'_, T>) {
        (self.connect)(x, emit);
    }
    fn max_conn_size(&self) -> Option<usize> {
        self.known.then_some(4)
    }
    fn is_hermitian(&self) -> Option<bool> {
        self.known.then_some(true)
    }
}

fn rotations(x: &[i8], emit: &mut Emitter<'_, f64>) {
    let mut rotated = x.to_vec();
    rotated.rotate_right(1);
    emit.state(&rotated, 1.0);
    rotated.rotate_left(2);
    emit.state(&rotated, 1.0);
    emit.diagonal(f64::from(x[0]));
}

#[test]
fn custom_kernels_pass_whether_they_know_their_size_or_not() {
    let spaces: [HilbertSpace; 3] = [
        Fock::new(2, 4).unwrap().into(),
        Spin::new(1.0, 4).unwrap().with_total_sz(1.0).unwrap().into(),
        Spin::half(70).unwrap().into(),
    ];
    for hilbert in spaces {
        for known in [true, false] {
            if !known && !hilbert.is_indexable() {
                continue; // padded to all states otherwise
            }
            let operator =
                FlatOperator::custom(Kernel { hilbert: hilbert.clone(), connect: rotations, known });
            check_custom_operator(&operator.unwrap()).unwrap_or_else(|error| panic!("{hilbert}: {error}"));
        }
    }
}

#[test]
fn a_kernel_without_hints_is_probed_for_hermiticity() {
    let hilbert: HilbertSpace = Spin::half(4).unwrap().into();
    let one_way: Connect<Complex64> = |x, emit| {
        if x[0] == 1 {
            emit.change(&[(0, -1)], Complex64::I);
        }
    };
    let operator = FlatOperator::custom(Kernel { hilbert, connect: one_way, known: false }).unwrap();
    assert!(!operator.is_hermitian());
    check_custom_operator(&operator).unwrap();
}

fn refusal(hilbert: impl Into<HilbertSpace>, connect: Connect<f64>) -> String {
    let hilbert = hilbert.into();
    let unknown = FlatOperator::custom(Kernel { hilbert: hilbert.clone(), connect, known: false });
    let early = unknown.expect_err("it is tried before it is used");
    assert!(matches!(early, Error::Custom { .. }), "{early}");
    let operator = FlatOperator::custom(Kernel { hilbert, connect, known: true }).unwrap();
    let late = operator.to_sparse().expect_err("it is found out when its states are numbered");
    assert!(matches!(late, Error::Custom { .. }), "{late}");
    late.to_string()
}

#[test]
fn custom_kernels_that_break_their_promises_are_found_out() {
    let chain = Spin::half(4).unwrap();
    let message = refusal(chain.clone(), |x, emit| emit.state(&x[1..], 1.0));
    assert!(message.contains("a state of 3 sites; its space has 4"), "{message}");
    let message = refusal(chain.clone(), |_, emit| emit.change(&[(4, 1)], 1.0));
    assert!(message.contains("changed site 4"), "{message}");
    let message = refusal(chain.clone(), |x, emit| emit.change(&[(0, x[0]), (1, 1), (0, -x[0])], 1.0));
    assert!(message.ends_with("it changed site 0 twice in one element"), "{message}");
    let message = refusal(chain.clone(), |_, emit| emit.connected(Connected::new(&[0, 4], &[1, 1]), 1.0));
    assert!(message.contains("a change of the sites [0, 4]; its space has 4 sites"), "{message}");
    let message = refusal(chain.clone(), |_, emit| emit.connected(Connected::new(&[0, 1], &[1]), 1.0));
    assert!(message.contains("a change of the sites [0, 1]; its space has 4 sites"), "{message}");
    let message = refusal(chain.clone(), |_, emit| emit.change(&[(0, 7)], 1.0));
    assert!(message.contains("leaves its space"), "{message}");
    let fixed = chain.with_total_sz(0.0).unwrap();
    let message = refusal(fixed, |x, emit| emit.change(&[(0, -x[0])], 1.0));
    assert!(message.contains("leaves its space"), "{message}");
}

#[test]
fn a_custom_kernel_with_more_elements_than_it_promised_loses_none_and_is_reported() {
    let hilbert: HilbertSpace = Spin::half(6).unwrap().into();
    let many: Connect<f64> = |x, emit| (0..6).for_each(|site| emit.change(&[(site, -x[site])], 1.0));
    let operator = FlatOperator::custom(Kernel { hilbert, connect: many, known: true }).unwrap();
    let x = test_samples(operator.hilbert()).unwrap();
    let padded = operator.get_conn_padded(x.view()).unwrap();
    assert_eq!(padded.mels().dim(), (64, 6));
    let error = check_custom_operator(&operator).unwrap_err();
    assert!(error.contains("max_conn_size is 4"), "{error}");
    assert!(operator.unpack().is_err());
}
