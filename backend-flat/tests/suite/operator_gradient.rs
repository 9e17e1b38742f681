//! Derivatives in the operator's parameters: with walkers and in batches, against the derivative operators.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};

use backend_flat::{Flat, local_estimators, local_estimators_and_operator_grad};
use ndarray::{Array1, Array2};
use num_complex::Complex64;
use operator_core::hilbert::{Fock, Spin};
use operator_core::testing::{Table, catalogue, test_samples};
use operator_core::{
    DiscreteOperator, Error, HilbertSpace, Model, PauliStrings, Result, Walker, WaveFunction,
};

/// Results of a pool of `n` threads.
fn with_threads<R: Send>(n: usize, f: impl FnOnce() -> R + Send) -> R {
    rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap().install(f)
}

/// A random table on a space of few states; `None` on others.
fn table(hilbert: &HilbertSpace) -> Option<Table<Flat>> {
    let few = hilbert.n_states().is_ok_and(|n_states| n_states <= 1 << 12);
    few.then(|| Table::random(hilbert.clone(), 3).unwrap())
}

fn close(a: Complex64, b: Complex64, precision: f64) -> bool {
    (a - b).norm() <= precision * b.norm().max(1.0)
}

#[test]
fn derivatives_are_the_estimators_of_the_derivative_operators() {
    let mut n_compared = 0;
    for entry in catalogue().unwrap() {
        let definition = &entry.definition;
        let Some(psi) = table(definition.hilbert()) else { continue };
        let operator = definition.lower_as::<Flat, Complex64>().unwrap();
        let x = test_samples(definition.hilbert()).unwrap();
        let estimators = local_estimators(&operator, &psi, x.view(), None).unwrap();
        let walked = psi.clone().with_walker();
        for (psi, chunk_size) in [(&psi, None), (&psi, NonZeroUsize::new(5)), (&walked, None)] {
            let (local, derivatives) =
                local_estimators_and_operator_grad(&operator, psi, x.view(), chunk_size).unwrap();
            let same = local.iter().zip(&estimators).all(|(a, b)| close(*a, *b, 1e-12));
            assert!(same, "{}: {local} {estimators}", entry.name);
            let mut columns = derivatives.columns().into_iter();
            for (name, value) in definition.parameters().iter() {
                for index in 0..value.as_slice().len() {
                    let column = columns.next().unwrap();
                    // All columns of long arrays take long, and are alike.
                    if index % 7 != 0 {
                        continue;
                    }
                    let derivative = definition.derivative(name, index).unwrap();
                    let derivative = derivative.lower_as::<Flat, Complex64>().unwrap();
                    let expected = local_estimators(&derivative, psi, x.view(), None).unwrap();
                    let same = column.iter().zip(&expected).all(|(a, b)| close(*a, *b, 1e-12));
                    assert!(same, "{}, {name}[{index}]: {column} {expected}", entry.name);
                    n_compared += 1;
                }
            }
        }
    }
    assert!(n_compared > 0);
}

/// Each x' has one string, so no sum can round differently; 0.1 and 0.3 are others in single precision.
#[test]
fn estimators_have_the_precision_of_the_operators_elements() -> Result<()> {
    let spins = Spin::half(2)?;
    let strings = PauliStrings::new(spins.clone(), ["ZI", "XX"], [0.1, 0.3])?.definition()?;
    let x = HilbertSpace::from(spins.clone()).all_states()?;
    let psi = Table::<Flat>::random(spins, 3)?.with_walker();
    let single = strings.lower_as::<Flat, f32>()?;
    let (local, _) = local_estimators_and_operator_grad(&single, &psi, x.view(), None)?;
    assert_eq!(local, local_estimators(&single, &psi, x.view(), None)?);
    let double = strings.lower::<Flat>()?;
    assert_ne!(local, local_estimators(&double, &psi, x.view(), None)?);
    Ok(())
}

#[test]
fn threads_do_not_change_derivatives() {
    for entry in catalogue().unwrap() {
        let Some(psi) = table(entry.definition.hilbert()) else { continue };
        let operator = entry.definition.lower_as::<Flat, Complex64>().unwrap();
        let few = test_samples(operator.hilbert()).unwrap();
        let many: Vec<usize> = (0..500).map(|k| k % few.nrows()).collect();
        let x = few.select(ndarray::Axis(0), &many);
        for psi in [psi.clone(), psi.with_walker()] {
            let gradient = || {
                local_estimators_and_operator_grad(&operator, &psi, x.view(), NonZeroUsize::new(2000))
                    .unwrap()
            };
            let one = with_threads(1, gradient);
            for n in [2, 5] {
                assert!(with_threads(n, gradient) == one, "{}", entry.name);
            }
        }
    }
}

/// A table that counts its walkers and what is evaluated in batches; its walker goes away after `walkers` of them.
struct Counted {
    table: Table<Flat>,
    walkers: AtomicUsize,
    left: AtomicUsize,
    evaluated: AtomicUsize,
}

impl Counted {
    fn new(table: Table<Flat>, left: usize) -> Self {
        let (walkers, evaluated) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Counted { table: table.with_walker(), walkers, left: AtomicUsize::new(left), evaluated }
    }
}

impl WaveFunction<Flat> for Counted {
    fn hilbert(&self) -> &HilbertSpace {
        self.table.hilbert()
    }

    fn log_psi(&self, x: &Array2<i8>) -> Result<Array1<Complex64>> {
        self.evaluated.fetch_add(x.nrows(), Ordering::Relaxed);
        self.table.log_psi(x)
    }

    fn has_walker(&self) -> bool {
        true
    }

    fn walker(&self) -> Option<Box<dyn Walker + '_>> {
        self.walkers.fetch_add(1, Ordering::Relaxed);
        let left = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        left.ok().and_then(|_| self.table.walker())
    }
}

#[test]
fn walkers_are_used_and_one_that_disappears_is_reported() {
    let entries = catalogue().unwrap();
    let chain = entries.iter().find(|entry| entry.name == "Ising chain").unwrap();
    let operator = chain.definition.lower::<Flat>().unwrap();
    let (hilbert, x) = (operator.hilbert().clone(), test_samples(operator.hilbert()).unwrap());
    with_threads(1, || {
        let psi = Counted::new(table(&hilbert).unwrap(), usize::MAX);
        local_estimators_and_operator_grad(&operator, &psi, x.view(), None).unwrap();
        assert_eq!((psi.walkers.into_inner(), psi.evaluated.into_inner()), (1, 0));
        let fickle = Counted::new(table(&hilbert).unwrap(), 0);
        let error = local_estimators(&operator, &fickle, x.view(), None).unwrap_err();
        assert!(matches!(error, Error::WalkerDisappeared { .. }), "{error}");
        assert!(error.to_string().contains("Counted has a walker at one time"), "{error}");
    });
}

#[test]
fn operator_and_wave_function_must_share_a_space() {
    let entries = catalogue().unwrap();
    let chain = entries.iter().find(|entry| entry.name == "Ising chain").unwrap();
    let operator = chain.definition.lower::<Flat>().unwrap();
    let x = test_samples(operator.hilbert()).unwrap();
    let elsewhere = Table::<Flat>::random(Fock::new(1, 3).unwrap(), 1).unwrap();
    let error = local_estimators(&operator, &elsewhere, x.view(), None).unwrap_err();
    assert!(matches!(error, Error::HilbertMismatch { .. }), "{error}");
    let error = local_estimators_and_operator_grad(&operator, &elsewhere, x.view(), None).unwrap_err();
    assert!(matches!(error, Error::HilbertMismatch { .. }), "{error}");
}
