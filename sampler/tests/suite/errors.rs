//! What is said of bad settings, rules, operators and wave functions.
#![cfg(feature = "flat")]

use backend_flat::{Emitter, Flat, FlatKernel, FlatOperator};
use ndarray::{Array1, Array2};
use num_complex::Complex64;
use operator_core::hilbert::{HilbertSpace, Qubit, Spin, SpinOrbitalFermions};
use operator_core::terms::{Pauli, Terms};
use operator_core::testing::Table;
use operator_core::{Boundary, Definition, Graph, Ising, Model, WaveFunction};
use rand::{RngExt, SeedableRng};
use sampler::{
    ChainRng, Error, ExchangeSampler, HamiltonianSampler, HostRule, LocalRule, LocalSampler,
    MetropolisSampler, MixtureRule, Place, Proposal, Rule,
};

type TestResult = Result<(), Box<dyn std::error::Error>>;

fn message<T>(result: Result<T, Error>) -> String {
    match result {
        Ok(_) => "no error".into(),
        Err(error) => error.to_string(),
    }
}

fn ring(n_sites: usize) -> operator_core::Result<Graph> {
    Graph::chain(n_sites, Boundary::Periodic)
}

fn table(hilbert: &HilbertSpace) -> operator_core::Result<Table<Flat>> {
    Table::random(hilbert.clone(), 1)
}

#[test]
fn settings_out_of_range_are_refused() -> TestResult {
    let sampler = || LocalSampler::<Flat>::new(Spin::half(4)?);
    assert_eq!(message(sampler()?.with_n_chains(0)), "n_chains is 0; expected at least 1");
    assert_eq!(message(sampler()?.with_sweep_size(0)), "sweep_size is 0; expected at least 1");
    let psi = table(&Spin::half(4)?.into())?;
    let mut chains = sampler()?.start(&psi)?;
    let sample = |n| sampler()?.sample(&psi, &mut chains.clone(), n, 0);
    assert_eq!(message(sample(0)), "n_per_chain is 0; expected at least 1");
    let large = message(sample(1 << 40));
    assert!(large.starts_with("1099511627776 samples of 16 chains on Spin(1/2, 4 sites)"), "{large}");
    assert!(large.ends_with("take fewer at a time"), "{large}");
    let four = sampler()?.with_n_chains(4)?;
    assert_eq!(message(four.sweep(&psi, &mut chains)), "16 chains; expected 4, one a chain");
    for (value, shown) in [(-0.1, "-0.1"), (1.5, "1.5"), (f64::NAN, "NaN")] {
        let expected = format!("the probability of the first rule is {shown}; expected a number from 0 to 1");
        assert_eq!(message(MixtureRule::new(LocalRule, LocalRule, value)), expected);
    }
    Ok(())
}

#[test]
fn rules_that_do_not_fit_their_space_are_refused() -> TestResult {
    assert_eq!(
        message(LocalSampler::<Flat>::new(Spin::half(4)?.with_total_sz(0.0)?)),
        "LocalRule changes one site at a time, which leaves Spin(1/2, 4 sites, total_sz = 0); \
         use ExchangeSampler or HamiltonianSampler"
    );
    assert_eq!(
        message(ExchangeSampler::<Flat>::new(Spin::half(4)?, &ring(5)?)),
        "the graph has 5 sites; Spin(1/2, 4 sites) has 4"
    );
    assert_eq!(
        message(ExchangeSampler::<Flat>::new(Spin::half(4)?, &Graph::from_edges(4, [])?)),
        "ExchangeRule has no moves on Spin(1/2, 4 sites): the graph has no edges"
    );
    let fermions = SpinOrbitalFermions::with_spin(2, 0.5)?.with_n_fermions_per_spin(&[1, 1])?;
    let between = Graph::from_edges(4, [[1, 2]])?;
    let refused = message(ExchangeSampler::<Flat>::new(fermions, &between));
    assert!(refused.starts_with("exchanging sites 1 and 2 leaves SpinOrbitalFermions("), "{refused}");
    Ok(())
}

#[test]
fn operators_that_cannot_move_chains_are_refused() -> TestResult {
    let mut raising = Terms::new(Qubit::new(2)?);
    raising.pauli(1.0, &[(0, Pauli::X)])?.pauli(Complex64::I, &[(0, Pauli::Y)])?;
    let raising = Definition::new("raise", raising)?.lower_as::<Flat, Complex64>();
    let refused = message(HamiltonianSampler::new(&raising?));
    assert_eq!(refused, "raise on Qubit(2) is not Hermitian, which HamiltonianSampler needs");

    let diagonal = Ising::new(Spin::half(3)?, &ring(3)?, 0.0, 1.0)?.lower::<Flat>()?;
    let sampler = HamiltonianSampler::new(&diagonal)?.with_n_chains(1)?;
    let psi = table(&Spin::half(3)?.into())?;
    let isolated = message(sampler.start(&psi));
    let starts = "chain 0: HamiltonianRule of Ising(h = 0, J = 1) on Spin(1/2, 3 sites) has no move from any of 1000 \
                  random states of Spin(1/2, 3 sites), such as [";
    assert!(isolated.starts_with(starts) && isolated.ends_with("]; choose another rule"), "{isolated}");
    // Chains of another run may come to such a state.
    let moving = LocalSampler::<Flat>::new(Spin::half(3)?)?.with_n_chains(1)?;
    let isolated = message(sampler.sweep(&psi, &mut moving.start(&psi)?));
    assert!(isolated.starts_with("chain 0 sits at ["), "{isolated}");
    let ends =
        "which Ising(h = 0, J = 1) on Spin(1/2, 3 sites) connects to no other state; choose another rule";
    assert!(isolated.ends_with(ends), "{isolated}");

    /// Emits a state of another space.
    #[derive(Debug)]
    struct Outside(HilbertSpace);
    impl FlatKernel<f64> for Outside {
        fn hilbert(&self) -> &HilbertSpace {
            &self.0
        }
        fn connect(&self, _: &[i8], emit: &mut Emitter<'_, f64>) {
            emit.state(&[1, 1], 1.0);
        }
        fn max_conn_size(&self) -> Option<usize> {
            Some(1)
        }
        fn is_hermitian(&self) -> Option<bool> {
            Some(true)
        }
    }
    let space = HilbertSpace::from(Spin::half(2)?.with_total_sz(0.0)?);
    let sampler = HamiltonianSampler::new(&FlatOperator::custom(Outside(space.clone()))?)?;
    let psi = table(&space)?;
    let left = message(sampler.sweep(&psi, &mut sampler.start(&psi)?));
    assert!(left.contains("it leaves its space (sample 0 is outside Spin(1/2, 2 sites"), "{left}");
    Ok(())
}

/// ψ with a value of its own at each configuration.
struct Psi<F>(HilbertSpace, F);

impl<F: Fn(&[i8]) -> Complex64 + Send + Sync> WaveFunction<Flat> for Psi<F> {
    fn hilbert(&self) -> &HilbertSpace {
        &self.0
    }

    fn log_psi(&self, x: &Array2<i8>) -> operator_core::Result<Array1<Complex64>> {
        Ok(x.rows().into_iter().map(|x| self.1(&x.to_vec())).collect())
    }
}

#[test]
fn wave_functions_that_are_no_numbers_are_refused() -> TestResult {
    let hilbert = HilbertSpace::from(Spin::half(3)?);
    let sampler = LocalSampler::<Flat>::new(hilbert.clone())?.with_n_chains(2)?;
    let nan = Psi(hilbert.clone(), |x: &[i8]| match x {
        [1, ..] => Complex64::new(f64::NAN, 0.0),
        _ => Complex64::ZERO,
    });
    let refused = message((0..10).try_for_each(|_| sampler.sweep(&nan, &mut sampler.start(&nan)?)));
    assert!(refused.contains(": log psi is NaN+0i at [1, "), "{refused}");
    assert!(refused.ends_with("check the wave function's parameters"), "{refused}");

    let zero = Psi(hilbert.clone(), |_: &[i8]| Complex64::from(f64::NEG_INFINITY));
    assert_eq!(
        message(sampler.start(&zero)),
        "chain 0: psi was zero at each of 100 random states of Spin(1/2, 3 sites); check the wave function"
    );

    let elsewhere = table(&Spin::half(4)?.into())?;
    assert_eq!(
        message(sampler.start(&elsewhere)),
        "operands live on different Hilbert spaces: Spin(1/2, 3 sites) and Spin(1/2, 4 sites)"
    );

    /// Gives no logarithm for the ratio of its probabilities.
    struct Broken(f64);
    impl HostRule for Broken {
        fn propose_row(&self, _: &HilbertSpace, _: &mut [i8], rng: &mut ChainRng) -> sampler::Result<f64> {
            Ok((1.0 + rng.random::<f64>()) * self.0)
        }
    }
    let psi = table(&hilbert)?;
    for (value, name) in [(f64::NAN, "NaN"), (f64::INFINITY, "inf")] {
        let broken = MetropolisSampler::<Flat, _>::from_rule(hilbert.clone(), Broken(value))?;
        let refused = message(broken.sweep(&psi, &mut broken.start(&psi)?));
        assert_eq!(
            refused,
            format!(
                "chain 0: the rule's log_correction is {name}; expected a finite number, or -inf to refuse the move"
            )
        );
    }
    Ok(())
}

/// A wave function that has a walker when it is asked for the first time, and none later.
struct Fickle(Table<Flat>, std::sync::atomic::AtomicBool);

impl WaveFunction<Flat> for Fickle {
    fn hilbert(&self) -> &HilbertSpace {
        WaveFunction::<Flat>::hilbert(&self.0)
    }

    fn log_psi(&self, x: &Array2<i8>) -> operator_core::Result<Array1<Complex64>> {
        self.0.log_psi(x)
    }

    fn walker(&self) -> Option<Box<dyn operator_core::Walker + '_>> {
        let first = !self.1.swap(true, std::sync::atomic::Ordering::Relaxed);
        first.then(|| WaveFunction::<Flat>::walker(&self.0)).flatten()
    }
}

#[test]
fn a_walker_that_disappears_is_named() -> TestResult {
    let hilbert = HilbertSpace::from(Spin::half(4)?);
    let sampler = LocalSampler::<Flat>::new(hilbert.clone())?;
    let psi = Fickle(table(&hilbert)?.with_walker(), false.into());
    let mut chains = sampler.start(&psi)?;
    let said = message(sampler.sample(&psi, &mut chains, 1, 0));
    assert!(said.contains("Fickle gave a walker when it was asked first and none later"), "{said}");
    Ok(())
}

/// A rule whose chains change a site too many.
#[derive(Clone, Debug)]
struct Beyond;

impl HostRule for Beyond {
    fn propose_row(&self, _: &HilbertSpace, _: &mut [i8], _: &mut ChainRng) -> sampler::Result<f64> {
        Ok(0.0)
    }

    fn propose_changes(
        &self,
        _: &HilbertSpace,
        x: &[i8],
        _: &mut ChainRng,
        changes: &mut Vec<(usize, i8)>,
    ) -> sampler::Result<f64> {
        changes.push((x.len(), 1));
        Ok(0.0)
    }
}

#[test]
fn a_rule_that_changes_a_site_that_is_not_there_is_refused() -> TestResult {
    let hilbert = HilbertSpace::from(Spin::half(4)?);
    let sampler = MetropolisSampler::<Flat, _>::from_rule(hilbert.clone(), Beyond)?;
    let psi = table(&hilbert)?.with_walker();
    let mut chains = sampler.start(&psi)?;
    let said = message(sampler.sample(&psi, &mut chains, 1, 0));
    assert_eq!(said, "chain 0: the rule changes site 4; the space has sites 0 to 3");
    Ok(())
}

/// Leaves a spin that is neither up nor down.
#[derive(Clone, Debug)]
struct Zeroes;

impl HostRule for Zeroes {
    fn propose_row(&self, _: &HilbertSpace, x: &mut [i8], _: &mut ChainRng) -> sampler::Result<f64> {
        x.fill(0);
        Ok(0.0)
    }
}

/// In batches and with walkers, also where another rule would find them.
#[test]
fn rules_that_leave_the_space_are_named() -> TestResult {
    let hilbert = HilbertSpace::from(Spin::half(4)?);
    for psi in [table(&hilbert)?, table(&hilbert)?.with_walker()] {
        let zeroes = MetropolisSampler::<Flat, _>::from_rule(hilbert.clone(), Zeroes)?;
        let said = message(zeroes.sample(&psi, &mut zeroes.start(&psi)?, 10, 0));
        let starts = "chain 0: Zeroes proposed no state of Spin(1/2, 4 sites): ";
        assert!(said.starts_with(starts), "{said}");
        let mixture = MixtureRule::new(Zeroes, LocalRule, 0.5)?;
        let sampler = MetropolisSampler::<Flat, _>::from_rule(hilbert.clone(), mixture)?;
        let said = message(sampler.sample(&psi, &mut sampler.start(&psi)?, 10, 0));
        assert!(said.contains("proposed no state of Spin(1/2, 4 sites)"), "{said}");
    }

    /// Flips a spin, which changes the magnetisation.
    #[derive(Clone, Debug)]
    struct Flip;
    impl HostRule for Flip {
        fn propose_row(&self, _: &HilbertSpace, x: &mut [i8], _: &mut ChainRng) -> sampler::Result<f64> {
            x[0] = -x[0];
            Ok(0.0)
        }
    }
    let fixed = HilbertSpace::from(Spin::half(4)?.with_total_sz(0.0)?);
    for psi in [table(&fixed)?, table(&fixed)?.with_walker()] {
        let sampler = MetropolisSampler::<Flat, _>::from_rule(fixed.clone(), Flip)?;
        let mut chains = sampler.start(&psi)?;
        let before = chains.snapshot()?;
        let said = message(sampler.sample(&psi, &mut chains, 1, 0));
        assert!(
            said.starts_with("chain 0: Flip proposed no state of Spin(1/2, 4 sites, total_sz = 0): "),
            "{said}"
        );
        assert_eq!(chains.snapshot()?.configurations(), before.configurations());
    }
    Ok(())
}

/// Changes that are no way from one state to another.
#[derive(Clone, Debug)]
struct Changes(&'static [(usize, i8)]);

impl HostRule for Changes {
    fn propose_row(&self, _: &HilbertSpace, _: &mut [i8], _: &mut ChainRng) -> sampler::Result<f64> {
        Ok(0.0)
    }

    fn propose_changes(
        &self,
        _: &HilbertSpace,
        _: &[i8],
        _: &mut ChainRng,
        changes: &mut Vec<(usize, i8)>,
    ) -> sampler::Result<f64> {
        changes.extend_from_slice(self.0);
        Ok(0.0)
    }
}

#[test]
fn changes_that_make_no_state_are_named() -> TestResult {
    let hilbert = HilbertSpace::from(Spin::half(4)?);
    let psi = table(&hilbert)?.with_walker();
    for (changes, reason) in [
        (&[(1, 0)][..], "site 1 gets 0, which is not one of its local states"),
        (&[(1, 1), (2, 1), (1, -1)], "site 1 is changed twice"),
    ] {
        let sampler = MetropolisSampler::<Flat, _>::from_rule(hilbert.clone(), Changes(changes))?;
        let said = message(sampler.sample(&psi, &mut sampler.start(&psi)?, 1, 0));
        assert_eq!(said, format!("chain 0: Changes proposed no state of Spin(1/2, 4 sites): {reason}"));
    }
    Ok(())
}

/// A rule on batches that proposes rows of another width.
#[test]
fn rows_of_another_width_are_refused_before_the_wave_function_sees_them() -> TestResult {
    struct Narrow;
    impl Rule<Flat> for Narrow {
        fn propose(
            &self,
            _: Place<'_, Flat>,
            x: &Array2<i8>,
            rngs: &mut [ChainRng],
        ) -> sampler::Result<Proposal<Flat>> {
            Ok(Proposal::new(Array2::ones((x.nrows(), x.ncols() - 1)), vec![0.0; rngs.len()]))
        }
    }
    let hilbert = HilbertSpace::from(Spin::half(4)?);
    let sampler = MetropolisSampler::<Flat, _>::from_rule(hilbert.clone(), Narrow)?;
    let psi = Psi(hilbert, |x: &[i8]| Complex64::from(f64::from(x[3])));
    let said = message(sampler.sample(&psi, &mut sampler.start(&psi)?, 1, 0));
    let expected = "chain 0: Narrow proposed no state of Spin(1/2, 4 sites): \
                    samples have 3 sites; Spin(1/2, 4 sites) has 4";
    assert_eq!(said, expected);
    Ok(())
}

/// Walkers run on threads; a panic goes through them to the caller and leaves the chains as they were.
#[test]
fn a_panic_in_a_users_code_leaves_chains_usable() -> TestResult {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// Flips a spin, and panics at one of its moves.
    struct Fragile(AtomicUsize);
    impl HostRule for Fragile {
        fn propose_row(&self, _: &HilbertSpace, x: &mut [i8], rng: &mut ChainRng) -> sampler::Result<f64> {
            assert_ne!(self.0.fetch_sub(1, Ordering::Relaxed), 0, "a rule of a user");
            let site = rng.random_range(0..x.len());
            x[site] = -x[site];
            Ok(0.0)
        }
    }
    let hilbert = HilbertSpace::from(Spin::half(4)?);
    for psi in [table(&hilbert)?, table(&hilbert)?.with_walker()] {
        let sampler = MetropolisSampler::<Flat, _>::from_rule(hilbert.clone(), Fragile(usize::MAX.into()))?;
        let mut chains = sampler.start(&psi)?;
        sampler.sample(&psi, &mut chains, 2, 1)?;
        let before = chains.snapshot()?;
        sampler.rule().0.store(50, Ordering::Relaxed);
        let panicked = catch_unwind(AssertUnwindSafe(|| sampler.sample(&psi, &mut chains, 100, 0).is_ok()));
        let payload = panicked.err().and_then(|payload| payload.downcast::<String>().ok());
        assert!(payload.is_some_and(|text| text.contains("a rule of a user")));
        hilbert.check(chains.configurations().view())?;
        if WaveFunction::<Flat>::has_walker(&psi) {
            assert_eq!(chains.snapshot()?, before);
        }
        sampler.rule().0.store(usize::MAX, Ordering::Relaxed);
        assert_eq!(sampler.sample(&psi, &mut chains, 10, 0)?.len(), 160);
    }
    Ok(())
}

#[test]
fn sizes_beyond_memory_are_refused_before_anything_is_allocated() -> TestResult {
    let psi = table(&Spin::half(4)?.into())?;
    let many = LocalSampler::<Flat>::new(Spin::half(4)?)?;
    let chains = &mut many.start(&psi)?;
    for n in [1 << 40, usize::MAX / 2, usize::MAX] {
        let refused = message(many.clone().with_n_chains(n)?.start(&psi));
        assert!(refused.starts_with(&format!("{n} chains on Spin(1/2, 4 sites) would take")), "{refused}");
        assert!(refused.ends_with("take fewer chains"), "{refused}");
        assert!(message(many.sample(&psi, chains, n, 0)).ends_with("take fewer at a time"));
        let refused = HilbertSpace::from(Spin::half(4)?).random_states(n, &mut ChainRng::seed_from_u64(1));
        assert!(matches!(refused, Err(operator_core::Error::TooLarge { .. })));
        let direct = sampler::DirectSampler::<Flat>::new(Spin::half(4)?).with_n_chains(n)?;
        let uniform = Uniform(Spin::half(4)?.into());
        assert!(message(sampler::Sampler::start(&direct, &uniform)).ends_with("take fewer chains"));
    }
    Ok(())
}

/// All states have the same probability.
struct Uniform(HilbertSpace);

impl WaveFunction<Flat> for Uniform {
    fn hilbert(&self) -> &HilbertSpace {
        &self.0
    }

    fn log_psi(&self, x: &Array2<i8>) -> operator_core::Result<Array1<Complex64>> {
        Ok(Array1::zeros(x.nrows()))
    }
}

impl sampler::Autoregressive<Flat> for Uniform {
    fn conditionals(&self, x: &Array2<i8>, _: usize) -> operator_core::Result<Array2<f64>> {
        Ok(Array2::from_elem((x.nrows(), 2), 0.5))
    }
}

/// Wave functions that give one value too few, or too many, whatever they are asked.
#[test]
fn wave_functions_of_the_wrong_length_are_refused() -> TestResult {
    struct Short(HilbertSpace, usize);
    impl WaveFunction<Flat> for Short {
        fn hilbert(&self) -> &HilbertSpace {
            &self.0
        }
        fn log_psi(&self, _: &Array2<i8>) -> operator_core::Result<Array1<Complex64>> {
            Ok(Array1::zeros(self.1))
        }
    }
    let sampler = LocalSampler::<Flat>::new(Spin::half(4)?)?;
    for n in [0, 15, 17] {
        let refused = message(sampler.start(&Short(Spin::half(4)?.into(), n)));
        assert_eq!(refused, format!("{n} values of log psi; expected 16, one a chain"));
    }
    Ok(())
}

#[test]
fn rows_that_are_not_states_are_refused_by_the_flat_backend() -> TestResult {
    use sampler::HamiltonianBackend;

    let ising = Ising::new(Spin::half(3)?, &ring(3)?, 1.0, 1.0)?.lower::<Flat>()?;
    for bad in [Array2::ones((2, 2)), Array2::ones((2, 0)), Array2::zeros((2, 3))] {
        assert!(Flat::n_off_diagonal(&ising, &bad).is_err());
        assert!(Flat::select_off_diagonal(&ising, &bad, &[0, 0]).is_err());
    }
    let transposed = Array2::<i8>::ones((3, 2)).reversed_axes();
    assert_eq!(Flat::n_off_diagonal(&ising, &transposed)?, [3, 3]);
    let flipped = Flat::select_off_diagonal(&ising, &transposed, &[0, 2])?;
    assert!(flipped.rows().into_iter().all(|x| x.iter().filter(|&&spin| spin == -1).count() == 1));
    Ok(())
}
