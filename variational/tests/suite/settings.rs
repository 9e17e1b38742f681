//! Settings and statistics to JSON and back.
#![cfg(feature = "serde")]

use ndarray::array;
use num_complex::Complex64;
use serde_json::{from_str, to_string};
use variational::{Adam, Schedule, Sgd, Sr, SrSolver, Stats};

type TestResult = Result<(), Box<dyn std::error::Error>>;

#[test]
fn settings_come_back_as_they_were() -> TestResult {
    for schedule in [Schedule::constant(0.1), Schedule::cosine(0.1, 1.0 / 3.0, 7)] {
        assert_eq!(from_str::<Schedule>(&to_string(&schedule)?)?, schedule);
    }
    for solver in [SrSolver::Auto, SrSolver::MinSr, SrSolver::conjugate_gradients()] {
        assert_eq!(from_str::<SrSolver>(&to_string(&solver)?)?, solver);
        let sr = Sr::new(Schedule::linear(0.1, 0.01, 5), 1e-3)?.with_solver(solver)?;
        assert_eq!(format!("{:?}", from_str::<Sr>(&to_string(&sr)?)?), format!("{sr:?}"));
    }
    let sgd = Sgd::new(0.1)?.with_momentum(0.9)?;
    assert_eq!(format!("{:?}", from_str::<Sgd>(&to_string(&sgd)?)?), format!("{sgd:?}"));
    let adam = Adam::new(0.1)?.with_betas(0.8, 0.9)?.with_epsilon(1e-6)?;
    assert_eq!(format!("{:?}", from_str::<Adam>(&to_string(&adam)?)?), format!("{adam:?}"));
    Ok(())
}

#[test]
fn settings_out_of_range_are_refused_on_reading() -> TestResult {
    let text = to_string(&Sgd::new(0.1)?.with_momentum(0.5)?)?;
    let error = from_str::<Sgd>(&text.replace("0.5", "1.5")).err().map(|error| error.to_string());
    assert!(error.as_deref().is_some_and(|error| error.starts_with("the momentum is 1.5")), "{error:?}");
    Ok(())
}

/// JSON has no NaN.
#[test]
fn statistics_keep_what_is_not_a_number() -> TestResult {
    let chains = Stats::of_chains(array![[1.0, 2.0, 4.0, 3.0]].mapv(Complex64::from).view());
    assert_eq!(from_str::<Stats>(&to_string(&chains)?)?, chains);
    let exact = Stats::exact(&array![Complex64::new(-2.5, 0.25)], &array![1.0])?;
    let stuck = Stats::of_chains(array![[1.0, 1.0], [2.0, 2.0]].mapv(Complex64::from).view());
    assert_eq!(stuck.r_hat, f64::INFINITY);
    assert_eq!(from_str::<Stats>(&to_string(&stuck)?)?, stuck);
    let read: Stats = from_str(&to_string(&exact)?)?;
    assert!(read.r_hat.is_nan() && read.tau_corr.is_nan());
    assert_eq!((read.mean, read.error_of_mean, read.variance), (exact.mean, 0.0, 0.0));
    Ok(())
}

#[test]
fn settings_and_statistics_refuse_keys_that_they_do_not_know() -> TestResult {
    fn check<T: serde::Serialize + serde::de::DeserializeOwned>(value: &T) -> TestResult {
        let text = to_string(value)?;
        from_str::<T>(&text)?;
        // Unknown keys and repeated ones, in the object itself and in those inside it.
        for (place, _) in text.match_indices('{') {
            let rest = &text[place + 1..];
            let key = rest.split(':').next().unwrap_or_default();
            for (extra, expected) in [("\"remark\":1", "unknown"), (&format!("{key}:0")[..], "")] {
                let changed = format!("{}{extra},{rest}", &text[..=place]);
                let error = from_str::<T>(&changed).err().map(|error| error.to_string());
                assert!(error.as_ref().is_some_and(|error| error.contains(expected)), "{changed}: {error:?}");
            }
        }
        Ok(())
    }
    let shift = Schedule::cosine(0.1, 0.01, 7);
    check(&shift)?;
    check(&Sr::new(0.1, shift)?.with_solver(SrSolver::conjugate_gradients())?)?;
    check(&Sgd::new(shift)?)?;
    check(&Adam::new(shift)?)?;
    check(&Stats::of_chains(array![[1.0, 2.0, 4.0, 3.0]].mapv(Complex64::from).view()))
}

/// Twenty thousand doubles of every size, as one seed gives them.
#[test]
fn numbers_in_statistics_come_back_to_the_bit() -> TestResult {
    let mut state = 7u64;
    let mut number = || loop {
        // The generator of SplitMix64.
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let number = f64::from_bits(z ^ (z >> 31));
        if number.is_finite() {
            return number;
        }
    };
    for _ in 0..10_000 {
        let mean = Complex64::new(number(), number());
        let stats = Stats::exact(&array![mean], &array![1.0])?;
        let read: Stats = from_str(&to_string(&stats)?)?;
        assert_eq!([read.mean.re, read.mean.im].map(f64::to_bits), [mean.re, mean.im].map(f64::to_bits));
    }
    Ok(())
}
