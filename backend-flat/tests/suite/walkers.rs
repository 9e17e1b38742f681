//! Local estimators by walkers against those by batches.

use backend_flat::{Emitter, Flat, FlatKernel, FlatOperator, local_estimators};
use ndarray::{Array1, Array2, aview2};
use num_complex::Complex64;
use operator_core::hilbert::{Fock, HilbertSpace, Spin};
use operator_core::testing::{SplitMix, Table, catalogue, check_walker, test_samples};
use operator_core::{DiscreteOperator, Error, Ising, Model, PauliStrings};
use proptest::prelude::*;
use std::num::NonZeroUsize;

/// A random table on a space of few states; `None` on others.
fn table(hilbert: &HilbertSpace, seed: u64) -> Option<Table<Flat>> {
    let few = hilbert.n_states().is_ok_and(|n_states| n_states <= 1 << 12);
    few.then(|| Table::random(hilbert.clone(), seed).unwrap())
}

fn largest_difference(a: &Array1<Complex64>, b: &Array1<Complex64>) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).norm() / b.norm().max(1.0)).fold(0.0, f64::max)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn walkers_give_the_local_estimators_of_batches(seed in any::<u64>(), zeros in 0usize..4) {
        let mut n_compared = 0;
        for entry in catalogue().unwrap() {
            let operator = entry.definition.lower_as::<Flat, Complex64>().unwrap();
            let Some(mut psi) = table(operator.hilbert(), seed) else { continue };
            let x = test_samples(operator.hilbert()).unwrap();
            // Zeros among the connected amplitudes, but not where a sample is.
            let mut rng = SplitMix::new(seed);
            let zero: Vec<usize> = (0..zeros).map(|_| rng.below(psi.log_psi.len())).collect();
            zero.iter().for_each(|&state| psi.log_psi[state] = Complex64::from(f64::NEG_INFINITY));
            let states = operator.hilbert().states_to_indices(x.view()).unwrap();
            let kept: Vec<usize> = (0..x.nrows()).filter(|&k| !zero.contains(&states[k])).collect();
            let x = x.select(ndarray::Axis(0), &kept);
            let batches = local_estimators(&operator, &psi, x.view(), None).unwrap();
            let walked = local_estimators(&operator, &psi.with_walker(), x.view(), NonZeroUsize::new(3)).unwrap();
            prop_assert!(largest_difference(&walked, &batches) < 1e-12, "{}", entry.name);
            n_compared += 1;
        }
        prop_assert!(n_compared > 10, "{n_compared}");
    }
}

/// Strings of X on all sets of nine sites: each sample is connected to all states, more than walkers are asked for
/// at a time.
#[test]
fn samples_have_more_elements_than_are_weighed_at_a_time() {
    let spins = Spin::half(9).unwrap();
    let strings: Vec<String> =
        (0..512).map(|set| (0..9).map(|k| if set >> k & 1 == 1 { 'X' } else { 'I' }).collect()).collect();
    let weights = (0..512).map(|k| 1.0 + f64::from(k % 7));
    let operator = PauliStrings::new(spins.clone(), strings, weights).unwrap().lower::<Flat>().unwrap();
    let x = HilbertSpace::from(spins.clone()).all_states().unwrap();
    let psi = Table::<Flat>::random(spins, 5).unwrap();
    let batches = local_estimators(&operator, &psi, x.view(), None).unwrap();
    let mut walked = psi.with_walker();
    let estimators = local_estimators(&operator, &walked, x.view(), None).unwrap();
    assert!(largest_difference(&estimators, &batches) < 1e-12);
    // A number that is none comes from any of them.
    walked.log_psi[300] = Complex64::from(f64::NAN);
    let finite = x.slice(ndarray::s![..200, ..]);
    let error = local_estimators(&operator, &walked, finite, None).unwrap_err();
    assert!(matches!(error, Error::LogPsiNotFinite { sample: 0, value } if value.is_nan()), "{error}");
}

/// The samples are asked for as they come, then the connected configurations, each once.
#[test]
fn connected_configurations_that_come_several_times_are_evaluated_once() {
    struct Counting(Table<Flat>, std::sync::Mutex<Vec<usize>>);
    impl operator_core::WaveFunction<Flat> for Counting {
        fn hilbert(&self) -> &HilbertSpace {
            operator_core::WaveFunction::hilbert(&self.0)
        }
        fn log_psi(&self, x: &Array2<i8>) -> operator_core::Result<Array1<Complex64>> {
            self.1.lock().unwrap().push(x.nrows());
            self.0.log_psi(x)
        }
    }
    let spins = Spin::half(6).unwrap();
    let ring = operator_core::Graph::chain(6, operator_core::Boundary::Periodic).unwrap();
    let ising = Ising::new(spins.clone(), &ring, 1.0, 1.0).unwrap().lower::<Flat>().unwrap();
    let x = HilbertSpace::from(spins.clone()).all_states().unwrap();
    let twice = ndarray::concatenate![ndarray::Axis(0), x, x];
    let psi = Counting(Table::random(spins, 3).unwrap(), std::sync::Mutex::default());
    let estimators = local_estimators(&ising, &psi, twice.view(), None).unwrap();
    assert_eq!(*psi.1.lock().unwrap(), [128, 64]);
    let one_by_one = local_estimators(&ising, &psi.0.clone().with_walker(), twice.view(), None).unwrap();
    assert!(largest_difference(&estimators, &one_by_one) < 1e-12);
}

#[test]
fn the_walker_of_a_table_is_right_and_others_are_noticed() {
    let spins = Spin::new(1.0, 4).unwrap().with_total_sz(0.0).unwrap();
    let psi = Table::<Flat>::random(spins.clone(), 1).unwrap();
    assert!(check_walker::<Flat, _>(&psi, 10, 1).is_err_and(|message| message == "there is no walker"));
    check_walker::<Flat, _>(&psi.clone().with_walker(), 200, 1).unwrap();

    /// Two wave functions: one that is evaluated, one that is walked.
    struct Mixed(Table<Flat>, Table<Flat>);
    impl operator_core::WaveFunction<Flat> for Mixed {
        fn hilbert(&self) -> &HilbertSpace {
            operator_core::WaveFunction::hilbert(&self.0)
        }
        fn log_psi(&self, x: &Array2<i8>) -> operator_core::Result<Array1<Complex64>> {
            self.0.log_psi(x)
        }
        fn walker(&self) -> Option<Box<dyn operator_core::Walker + '_>> {
            self.1.walker()
        }
    }
    let mut other = psi.clone().with_walker();
    other.log_psi[3] += 1e-6;
    assert!(check_walker::<Flat, _>(&Mixed(psi, other), 400, 1).is_err());
}

#[test]
fn threads_do_not_change_walked_estimators() {
    let ring = operator_core::Graph::chain(8, operator_core::Boundary::Periodic).unwrap();
    let ising = Ising::new(Spin::half(8).unwrap(), &ring, 0.7, 1.0).unwrap().lower::<Flat>().unwrap();
    let psi = Table::<Flat>::random(Spin::half(8).unwrap(), 3).unwrap().with_walker();
    let x = ising.hilbert().all_states().unwrap();
    let on = |n_threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().unwrap();
        pool.install(|| local_estimators(&ising, &psi, x.view(), None).unwrap())
    };
    assert_eq!(on(1), on(3));
}

#[test]
fn walkers_name_the_sample_whose_amplitude_is_no_number() {
    let hilbert = HilbertSpace::from(Spin::half(3).unwrap());
    let ring = operator_core::Graph::chain(3, operator_core::Boundary::Periodic).unwrap();
    let ising = Ising::new(Spin::half(3).unwrap(), &ring, 1.0, 0.5).unwrap().lower::<Flat>().unwrap();
    let mut psi = Table::<Flat>::random(hilbert.clone(), 1).unwrap().with_walker();
    let broken = hilbert.index_of(&[1, 1, -1]).unwrap();
    let x = aview2(&[[-1, -1, -1], [1, 1, -1], [1, 1, 1]]);
    for value in [f64::NAN, f64::NEG_INFINITY] {
        psi.log_psi[broken] = Complex64::from(value);
        let refused = local_estimators(&ising, &psi, x, None);
        assert!(matches!(refused, Err(Error::LogPsiNotFinite { sample: 1, .. })), "{refused:?}");
    }
    psi.log_psi[broken] = Complex64::from(f64::NAN);
    // The third sample is connected to the broken state.
    let refused = local_estimators(&ising, &psi, x.slice(ndarray::s![2.., ..]), None);
    assert!(matches!(refused, Err(Error::LogPsiNotFinite { sample: 0, .. })), "{refused:?}");
    let bad = aview2(&[[1, 1, 0]]);
    assert!(matches!(local_estimators(&ising, &psi, bad, None), Err(Error::NotALocalState { .. })));
}

/// Hops of bosons that say of every site what it holds, and each x' in two parts.
#[derive(Debug)]
struct Wordy {
    hilbert: HilbertSpace,
    /// What is put on the last site besides, which may be too much.
    surplus: i8,
}

impl FlatKernel<f64> for Wordy {
    fn hilbert(&self) -> &HilbertSpace {
        &self.hilbert
    }

    fn connect(&self, x: &[i8], emit: &mut Emitter<'_, f64>) {
        for site in 1..x.len() {
            let mut to = x.to_vec();
            to.swap(site - 1, site);
            let changes: Vec<(usize, i8)> = to.into_iter().enumerate().collect();
            emit.change(&changes, 0.25);
            emit.change(&changes, 0.5);
        }
        emit.change(&[(x.len() - 1, x[x.len() - 1] + self.surplus)], 1.0);
    }

    fn max_conn_size(&self) -> Option<usize> {
        Some(2 * self.hilbert.n_sites())
    }

    fn is_hermitian(&self) -> Option<bool> {
        Some(true)
    }
}

#[test]
fn kernels_of_third_parties_are_walked_and_watched() {
    let hilbert = HilbertSpace::from(Fock::new(2, 3).unwrap());
    let psi = Table::<Flat>::random(hilbert.clone(), 5).unwrap();
    let x = hilbert.all_states().unwrap();
    let estimators = |surplus, psi: &Table<Flat>| {
        let operator = FlatOperator::custom(Wordy { hilbert: hilbert.clone(), surplus })?;
        local_estimators(&operator, psi, x.view(), None)
    };
    let batches = estimators(0, &psi).unwrap();
    let walked = estimators(0, &psi.clone().with_walker()).unwrap();
    assert!(largest_difference(&walked, &batches) < 1e-12);
    for psi in [psi.clone(), psi.with_walker()] {
        let message = estimators(1, &psi).unwrap_err().to_string();
        assert!(message.contains("it leaves its space (sample"), "{message}");
    }
}
