//! Direct sampling draws from |ψ|². With other seeds, each chi-square test would fail a right program with a
//! probability of at most 10⁻⁶.
#![cfg(any(feature = "flat", feature = "padded"))]

use crate::common::chi_square::chi_square;
use crate::common::{Complete, TestResult, operators};
use ndarray::{Array1, Array2, s};
use num_complex::Complex64;
use operator_core::hilbert::{Fock, HilbertSpace, Spin};
use operator_core::testing::Table;
use operator_core::{Backend, Result, WaveFunction};
use sampler::{Autoregressive, DirectSampler, Error, Sampler};

/// Any wave function on a small space; conditionals are sums of |ψ|² over the sites that come after.
struct Correlated<B>(Table<B>);

impl<B: Backend> WaveFunction<B> for Correlated<B> {
    fn hilbert(&self) -> &HilbertSpace {
        self.0.hilbert()
    }

    fn log_psi(&self, x: &B::Configurations) -> Result<B::Amplitudes> {
        self.0.log_psi(x)
    }
}

impl<B: Backend> Autoregressive<B> for Correlated<B> {
    fn conditionals(&self, x: &B::Configurations, site: usize) -> Result<Array2<f64>> {
        let (hilbert, probabilities) = (self.0.hilbert(), self.0.probabilities());
        let (x, states, local) = (B::to_host(x)?, hilbert.all_states()?, hilbert.local_states(site)?);
        let mut out = Array2::zeros((x.nrows(), local.dim()));
        for (x, mut out) in x.rows().into_iter().zip(out.rows_mut()) {
            for (state, p) in states.rows().into_iter().zip(&probabilities) {
                if state.slice(s![..site]) == x.slice(s![..site]) {
                    out[local.index(state[site]).unwrap_or(0)] += p;
                }
            }
            out /= out.sum();
        }
        Ok(out)
    }
}

/// `|ψ(x)|² = Π_i p_i(x_i)`, with the probabilities of each site as rows.
struct Product {
    hilbert: HilbertSpace,
    probabilities: Array2<f64>,
}

impl<B: Backend> WaveFunction<B> for Product {
    fn hilbert(&self) -> &HilbertSpace {
        &self.hilbert
    }

    fn log_psi(&self, x: &B::Configurations) -> Result<B::Amplitudes> {
        let log_p = |(site, &q): (usize, &i8)| {
            let index = self.hilbert.local_states(site).expect("a site").index(q).unwrap_or(0);
            0.5 * self.probabilities[[site, index]].ln()
        };
        let x = B::to_host(x)?;
        let values =
            x.rows().into_iter().map(|x| Complex64::from(x.iter().enumerate().map(log_p).sum::<f64>()));
        B::amplitudes_from_host(values.collect(), &B::default_device())
    }
}

impl<B: Backend> Autoregressive<B> for Product {
    fn conditionals(&self, x: &B::Configurations, site: usize) -> Result<Array2<f64>> {
        let row = self.probabilities.row(site);
        let shape = (B::batch_len(x), row.len());
        Ok(row.broadcast(shape).map(|rows| rows.to_owned()).unwrap_or_default())
    }
}

fn check<B: Backend, W: Autoregressive<B>>(psi: &W, table: &Table<B>, seed: u64) -> TestResult {
    let sampler = DirectSampler::<B>::new(psi.hilbert().clone()).with_seed(seed).with_n_chains(10)?;
    let samples = sampler.sample(psi, &mut sampler.start(psi)?, 1000, 0)?;
    assert_eq!((samples.n_chains(), samples.n_per_chain(), samples.len()), (10, 1000, 10_000));
    let value = chi_square(&samples, table)?;
    assert!(value < 1.0, "{value} on {}", psi.hilbert());
    Ok(())
}

fn correlated_states_are_sampled_with_and_without_constraints<B: Complete>() -> TestResult {
    let spaces: [HilbertSpace; 4] = [
        Spin::half(5)?.into(),
        Spin::half(6)?.with_total_sz(0.0)?.into(),
        Fock::new(2, 4)?.with_n_particles(4)?.into(),
        operators::fermion_space()?,
    ];
    for (seed, hilbert) in spaces.into_iter().enumerate() {
        let mut table = Table::random(hilbert, seed as u64)?;
        table.log_psi.mapv_inplace(|value| 0.7 * value);
        check(&Correlated(table.clone()), &table, seed as u64)?;
        // The test sees samples of another state.
        let sampler = DirectSampler::<B>::new(table.hilbert().clone()).with_n_chains(10)?;
        let psi = Correlated(table.clone());
        let samples = sampler.sample(&psi, &mut sampler.start(&psi)?, 1000, 0)?;
        table.log_psi.iter_mut().step_by(2).for_each(|value| *value += 0.2);
        assert!(chi_square(&samples, &table)? > 1.5);
    }
    Ok(())
}

fn product_states_are_sampled<B: Complete>() -> TestResult {
    let hilbert = HilbertSpace::from(Fock::new(2, 3)?);
    let probabilities = ndarray::array![[0.5, 0.2, 0.3], [0.3, 0.3, 0.4], [0.2, 0.6, 0.2]];
    let psi = Product { hilbert: hilbert.clone(), probabilities };
    let states = B::from_host(hilbert.all_states()?.view(), &B::default_device())?;
    let log_psi = B::amplitudes_to_host(&WaveFunction::<B>::log_psi(&psi, &states)?)?;
    check(&psi, &Table::<B>::new(hilbert, log_psi)?, 7)
}

fn samples_depend_on_the_seed_and_their_number_only<B: Complete>() -> TestResult {
    let psi = Correlated(Table::<B>::random(Spin::half(3)?, 1)?);
    let sampler = DirectSampler::<B>::new(Spin::half(3)?).with_n_chains(2)?.with_seed(5);
    let start = sampler.start(&psi)?;
    let mut chains = start.clone();
    // More than are drawn at a time.
    let all = sampler.sample(&psi, &mut chains, 3000, 0)?.to_host()?;
    let mut again = start.clone();
    let first = sampler.sample(&psi, &mut again, 1000, 9)?.to_host()?;
    let rest = sampler.sample(&psi, &mut again, 2000, 0)?.to_host()?;
    assert_eq!(all.slice(s![.., ..1000, ..]), first);
    assert_eq!(all.slice(s![.., 1000.., ..]), rest);
    assert!(chains == again && chains != start);
    let more = sampler.clone().with_n_chains(3)?;
    let more = more.sample(&psi, &mut more.start(&psi)?, 1000, 0)?.to_host()?;
    assert_eq!(more.slice(s![..2, .., ..]), first);
    let other = sampler.clone().with_seed(6);
    assert_ne!(other.sample(&psi, &mut other.start(&psi)?, 1000, 0)?.to_host()?, first);
    Ok(())
}

fn conditionals_that_are_none_are_refused<B: Complete>() -> TestResult {
    let hilbert = HilbertSpace::from(Spin::half(2)?);
    let message = |probabilities| -> std::result::Result<String, Error> {
        let psi = Product { hilbert: hilbert.clone(), probabilities };
        let sampler = DirectSampler::<B>::new(hilbert.clone());
        Ok(match sampler.sample(&psi, &mut Sampler::<B, _>::start(&sampler, &psi)?, 2, 0) {
            Ok(_) => "no error".into(),
            Err(error) => error.to_string(),
        })
    };
    let half = [0.5, 0.5];
    assert_eq!(
        message(ndarray::array![half, [0.5, 0.6]])?,
        "the conditionals of site 1 are [0.5, 0.6] for sample 0; they must add up to 1"
    );
    assert!(
        message(ndarray::array![[1.5, -0.5], half])?
            .starts_with("the conditionals of site 0 are [1.5, -0.5]")
    );
    assert!(message(ndarray::array![[f64::NAN, 1.0], half])?.contains("[NaN, 1]"));
    assert!(message(ndarray::array![[0.5, 0.3, 0.2], [0.5, 0.3, 0.2]])?.contains("are 3 probabilities"));

    let fixed = HilbertSpace::from(Spin::half(2)?.with_total_sz(0.0)?);
    let psi = Product { hilbert: fixed.clone(), probabilities: ndarray::array![[1.0, 0.0], [1.0, 0.0]] };
    let sampler = DirectSampler::<B>::new(fixed.clone());
    let mut chains = Sampler::<B, _>::start(&sampler, &psi)?;
    let left = sampler.sample(&psi, &mut chains, 1, 0);
    assert!(matches!(left, Err(Error::Core(operator_core::Error::OutsideConstraint { .. }))), "{left:?}");
    assert!(matches!(sampler.sample(&psi, &mut chains, 0, 0), Err(Error::Setting { .. })));
    let elsewhere = DirectSampler::<B>::new(hilbert);
    assert!(Sampler::<B, _>::start(&elsewhere, &psi).is_err());
    assert!(elsewhere.sample(&psi, &mut chains, 1, 0).is_err());
    let fewer = sampler.with_n_chains(2)?;
    assert!(matches!(fewer.sample(&psi, &mut chains, 1, 0), Err(Error::Count { .. })));
    Ok(())
}

fn a_certain_outcome_is_the_only_one<B: Complete>() -> TestResult {
    let hilbert = HilbertSpace::from(Fock::new(2, 2)?);
    let psi = Product {
        hilbert: hilbert.clone(),
        probabilities: ndarray::array![[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
    };
    let sampler = DirectSampler::<B>::new(hilbert);
    let samples = sampler.sample(&psi, &mut Sampler::<B, _>::start(&sampler, &psi)?, 50, 0)?;
    let rows = B::to_host(samples.configurations())?;
    let expected: Array1<i8> = ndarray::array![1, 2];
    assert!(rows.rows().into_iter().all(|row| row == expected));
    Ok(())
}

on_backends!(
    correlated_states_are_sampled_with_and_without_constraints,
    product_states_are_sampled,
    samples_depend_on_the_seed_and_their_number_only,
    conditionals_that_are_none_are_refused,
    a_certain_outcome_is_the_only_one,
);
