//! Every public constructor and setting with hostile input: 0, sizes beyond all memory, NaN, wrong lengths, another space.
//!
//! Each answers with a typed error. `sizes.rs` has the sizes of networks.

use ndarray::{Array1, Array2, arr1, array};
use num_complex::Complex64;
use operator_core::graph::{Lattice, PermutationGroup};
use operator_core::hilbert::{Fock, HilbertSpace, Spin, SpinOrbitalFermions};
use operator_core::{Boundary, DiscreteOperator, Error as Core, refused};
use sampler::{HamiltonianSampler, LocalSampler};
use variational::wave_functions::network::{Activation, Architecture, Branch, Custom, Init, Network};
use variational::{
    Adam, Arnn, Cnn, ConvergenceStopping, DerivativeBlock, EarlyStopping, Ensemble, Error, FullSumState,
    GroupCnn, Jastrow, LogDerivatives, MeanField, Mlp, MlpModPhase, MonteCarloState, OnlineStats, Rbm,
    RbmModPhase, RbmSymm, Response, RunsVmc, Schedule, Sgd, Slater, Snapshot, Sr, SrSolver, Stats, Times,
    Trainable, Vmc, dynamics, exact,
};

use crate::common::{Table, TestResult, heisenberg, ising, rbm};

const BAD: [f64; 4] = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0];
const ALL: usize = usize::MAX;

fn spins(n: usize) -> HilbertSpace {
    Spin::half(n).expect("some spins").into()
}

fn networks<B: RunsVmc>() -> TestResult {
    let tanh = Activation::Tanh;
    let lattice = Lattice::square([2, 2]);
    let group = lattice.translations()?;
    let other: PermutationGroup = Lattice::chain(3).translations()?;
    for x in BAD.into_iter().chain([0.0]) {
        refused! {
            Core::Count { .. } | Core::TooLarge { .. } | Core::NotFinite { .. } =>
                Rbm::<B>::new(spins(4), x), RbmModPhase::<B>::new(spins(4), x);
        }
    }
    // A negative deviation draws from the same distribution.
    for x in BAD.into_iter().filter(|x| !x.is_finite()) {
        let networks = [
            Rbm::<B>::new(spins(4), 1.0)?.with_sigma(x),
            Rbm::new(spins(4), 1.0)?.with_init(Init::Normal(x)),
        ];
        assert!(networks.iter().all(Result::is_err), "{x}");
        assert!(Arnn::<B>::new(spins(4), &[2], tanh)?.with_sigma(x).is_err(), "{x}");
    }
    refused! {
        Core::Count { .. } =>
            RbmSymm::<B>::new(spins(4), &group, 0), RbmSymm::<B>::new(spins(4), &other, 1),
            GroupCnn::<B>::new(spins(4), &group, &[], tanh), GroupCnn::<B>::new(spins(4), &group, &[0], tanh),
            GroupCnn::<B>::new(spins(4), &other, &[1], tanh), Cnn::<B>::new(spins(4), &lattice, 1, &[], tanh),
            Cnn::<B>::new(spins(4), &lattice, 1, &[0], tanh), Cnn::<B>::new(spins(5), &lattice, 1, &[1], tanh),
            Mlp::<B>::new(spins(4), &[0], tanh), Mlp::<B>::new(spins(4), &[3, 0, 2], tanh),
            MlpModPhase::<B>::new(spins(4), &[0], tanh), Arnn::<B>::new(spins(4), &[0], tanh),
            Arnn::<B>::with_phase(spins(4), &[2, 0], tanh), Rbm::<B>::new(spins(4), 1.0)?.set_parameters(&arr1(&[0.0])),
            Table::<B>::random(&spins(2)).and(Rbm::<B>::new(spins(4), 1.0)?.set_parameters(&arr1(&[])));
        Core::Lattice(_) => Cnn::<B>::new(spins(6), &Lattice::kagome([2, 1]), 1, &[1], tanh);
    }
    assert!(Cnn::<B>::new(spins(4), &lattice, 0, &[1], tanh).is_err());
    assert!(
        Cnn::<B>::new(spins(4), &Lattice::square([2, 2]).boundary(Boundary::Open), 1, &[1], tanh).is_err()
    );
    assert!(Cnn::<B>::new(spins(4), &Lattice::square([0, 2]), 1, &[1], tanh).is_err());
    refused! {
        Core::WrongHilbert { .. } =>
            Slater::<B>::new(spins(4)), Slater::<B>::new(SpinOrbitalFermions::new(4)?),
            Slater::<B>::mean_field(Fock::new(2, 2)?, &Array2::zeros((2, 2)));
    }
    let modes = || SpinOrbitalFermions::new(4).and_then(|modes| modes.with_n_fermions(2));
    let matrix = |n, m| [Array2::<f64>::zeros((n, m))];
    refused! {
        Core::Count { .. } =>
            Slater::<B>::from_orbitals(modes()?, []), Slater::<B>::from_orbitals(modes()?, matrix(4, 3)),
            Slater::<B>::from_orbitals(modes()?, matrix(0, 0)), Slater::<B>::mean_field(modes()?, &Array2::zeros((3, 4)));
        Core::NotFinite { .. } =>
            Slater::<B>::from_orbitals(modes()?, [Array2::from_elem((4, 2), f64::NAN)]),
            Slater::<B>::mean_field(modes()?, &Array2::from_elem((4, 4), f64::INFINITY));
        Core::NotHermitian { .. } =>
            Slater::<B>::mean_field(modes()?, &Array2::from_shape_fn((4, 4), |(i, j)| i as f64 - j as f64));
        Core::HilbertMismatch { .. } => Times::new::<B>(rbm::<B>(&spins(3), 0.1)?, rbm::<B>(&spins(4), 0.1)?);
    }
    let restricted = SpinOrbitalFermions::with_spin(3, 0.5)?.with_n_fermions_per_spin(&[1, 2])?;
    assert!(Slater::<B>::new(restricted)?.restricted().is_err());
    assert!(MeanField::<B>::new(spins(4))?.set_parameters(&arr1(&[0.0])).is_err());
    assert!(Jastrow::<B>::new(spins(1)).is_err(), "there are no pairs");
    Ok(())
}

/// Layers of an architecture that do not fit each other or the space.
fn architectures<B: RunsVmc>() -> TestResult {
    let build =
        |branch: Branch| Network::<B, Custom<f64>>::from_architecture(spins(4), Architecture::new([branch]));
    let shared = |kernel: Vec<u32>, bias| Branch::new(4).shared("w", 1, bias, (kernel, vec![1]));
    refused! {
        Core::Count { .. } =>
            build(Branch::new(3).dense("a", 2)), build(Branch::new(0).dense("a", 2)), build(Branch::new(16).dense("a", 2)),
            build(Branch::of_pairs(5)?.weighted_sum("w")), build(Branch::new(4)), build(Branch::new(4).activation(Activation::Tanh)),
            build(Branch::of_local_states(&spins(5))?.dense("a", 2)),
            build(Branch::new(4).dense("a", 2).dense("a", 1)), build(Branch::new(4).dense("a", 1).weighted_sum("a.bias")),
            build(shared(vec![0; 5], None)), build(shared(vec![0; 4], Some((vec![0; 2], vec![1])))),
            Network::<B, Custom<f64>>::from_architecture(spins(4), Architecture::new([]));
        Core::TooLarge { .. } =>
            Branch::of_pairs(ALL), Branch::of_local_states(&Spin::new(63.5, (1 << 31) - 1)?.into()),
            build(Branch::new(4).dense("a", ALL).dense("b", ALL));
    }
    // Indices beyond the weights are weights of 0.
    let network = build(Branch::new(4).shared("w", 2, None, (vec![u32::MAX; 8], vec![1])))?;
    let x = B::from_host(spins(4).all_states()?.view(), &B::default_device())?;
    let psi = B::amplitudes_to_host(&operator_core::WaveFunction::<B>::log_psi(&network, &x)?)?;
    assert!(psi.iter().all(|z| z.norm() == 0.0));
    Ok(())
}

fn states_and_ensembles<B: RunsVmc>() -> TestResult {
    let operator = ising(3)?.lower::<B>()?;
    let psi = || rbm::<B>(operator.hilbert(), 0.1);
    let sampler = || HamiltonianSampler::new(&operator);
    let state = || MonteCarloState::new(sampler()?, psi()?, 64);
    let x = |n: usize| B::from_host(Array2::ones((n, 3)).view(), &B::default_device());
    refused! {
        Error::Setting { .. } =>
            MonteCarloState::new(sampler()?, psi()?, 0), state()?.with_chunk_size(0),
            FullSumState::new(psi()?)?.with_chunk_size(0), Ensemble::<B>::of_chains(x(3)?, 0),
            state()?.expect_to_precision(&operator, 0.0, 10), state()?.expect_to_precision(&operator, f64::NAN, 10);
        Error::Shape { .. } =>
            Ensemble::<B>::of_chains(x(3)?, 2), Ensemble::<B>::of_chains(x(3)?, ALL), Ensemble::<B>::exact(x(3)?, arr1(&[])),
            Ensemble::<B>::of_chains(x(4)?, 2)?.stats(&Array1::zeros(3)), Stats::exact(&Array1::zeros(3), &Array1::zeros(2)),
            OnlineStats::new(2)?.push(Array2::zeros((3, 1)).view());
        Error::Core(Core::TooLarge { .. }) =>
            MonteCarloState::new(sampler()?, psi()?, ALL), OnlineStats::new(ALL), OnlineStats::new(1 << 40);
        Error::Core(Core::NotIndexable { .. } | Core::TooLarge { .. }) =>
            FullSumState::new(rbm::<B>(&spins(100), 0.1)?), FullSumState::new(rbm::<B>(&spins(50), 0.1)?);
    }
    // Any target is met by so few samples, or not at all; the number of samples ends it.
    for max_samples in [0, 1] {
        assert!(state()?.expect_to_precision(&operator, 1e-300, max_samples)?.n_samples >= 64);
    }
    for shape in [(0, 0), (0, 5), (5, 0), (1, 1), (2, 1)] {
        let stats = Stats::of_chains(Array2::zeros(shape).view());
        assert!(!stats.check(None).to_string().is_empty() && !stats.to_string().is_empty(), "{stats:?}");
        assert!(!stats.check(Some(f64::NAN)).problems().is_empty());
        let nan = Stats::of_chains(Array2::from_elem(shape, Complex64::new(f64::NAN, f64::INFINITY)).view());
        assert!(!nan.check(None).problems().is_empty(), "{nan:?}");
    }
    Ok(())
}

/// Derivatives whose parts do not belong together.
fn responses<B: RunsVmc>() -> TestResult {
    let stats = Stats::exact(&Array1::zeros(2), &array![0.5, 0.5])?;
    let (energies, weights) = (Array1::from_elem(2, Complex64::ONE), array![0.5, 0.5]);
    let response = |derivatives: LogDerivatives| Response::new(stats, &energies, &weights, derivatives);
    let zeros = Array2::<f64>::zeros;
    let outer = |left, right| DerivativeBlock::Outer { left: zeros(left), right: zeros(right) };
    let uneven = [
        vec![outer((2, 1), (3, 1))],
        vec![DerivativeBlock::Dense(zeros((2, 1))), DerivativeBlock::Dense(zeros((1, 1)))],
        vec![outer((0, 1), (2, 1))],
        vec![],
    ];
    for blocks in uneven {
        refused! { Error::Shape { .. } => response(LogDerivatives::Blocks(blocks.clone())); }
    }
    refused! {
        Error::Shape { .. } =>
            response(zeros((3, 1)).into()), response(zeros((0, 0)).into()), outer((2, 1), (3, 1)).to_dense(),
            Response::new(stats, &Array1::zeros(3), &weights, zeros((2, 1)).into());
        Error::NotFinite { .. } =>
            response(Array2::from_elem((2, 1), f64::NAN).into()),
            response(LogDerivatives::Blocks(vec![DerivativeBlock::Dense(Array2::from_elem((2, 1), f64::NAN))])),
            Response::new(stats, &Array1::from_elem(2, Complex64::new(f64::NAN, 0.0)), &weights, zeros((2, 1)).into());
    }
    assert!(outer((2, 1), (2, 3)).get(ALL, 0).is_none() && outer((2, 1), (2, 0)).get(0, ALL).is_none());
    assert!(LogDerivatives::from(zeros((2, 2))).get(0, ALL).is_none());
    let _ = B::NAME;
    Ok(())
}

fn optimisers<B: RunsVmc>() -> TestResult {
    for x in BAD {
        refused! {
            Error::Setting { .. } =>
                Sgd::new(x), Adam::new(x), Sr::new(x, 0.1), Sr::new(0.1, x), Sgd::new(0.1)?.with_momentum(x),
                Adam::new(0.1)?.with_betas(x, 0.9), Adam::new(0.1)?.with_betas(0.9, x), Adam::new(0.1)?.with_epsilon(x),
                Sgd::new(Schedule::linear(0.1, x, 3)), Sr::new(Schedule::cosine(x, 0.1, 3), 0.1),
                Adam::new(Schedule::exponential(0.1, x, 3)),
                Sr::new(0.1, 0.1)?.with_solver(SrSolver::ConjugateGradients { tolerance: x, max_iterations: 9 });
        }
    }
    refused! {
        Error::Setting { .. } =>
            Sgd::new(0.0), Sgd::new(0.1)?.with_momentum(1.0), Adam::new(0.1)?.with_betas(1.0, 0.9),
            Sr::new(0.1, 0.1)?.with_solver(SrSolver::ConjugateGradients { tolerance: 1e-3, max_iterations: 0 }),
            EarlyStopping::new(0, 0.1), EarlyStopping::new(3, f64::NAN), ConvergenceStopping::new(0.1).with_patience(0),
            ConvergenceStopping::new(0.1).with_smoothing_window(0);
    }
    // Gradients of another length than the last start anew.
    let (mut sgd, mut adam) = (Sgd::new(0.1)?.with_momentum(0.5)?, Adam::new(0.1)?);
    for n in [3, 0, 5] {
        assert_eq!(
            (sgd.step_from_gradient(&Array1::ones(n)).len(), adam.step_from_gradient(&Array1::ones(n)).len()),
            (n, n)
        );
    }
    let _ = B::NAME;
    Ok(())
}

fn runs_and_files<B: RunsVmc>() -> TestResult {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("run.safetensors");
    let operator = ising(3)?.lower::<B>()?;
    let new = || -> variational::Result<_> {
        let sampler = LocalSampler::<B>::new(Spin::half(3)?)?;
        Ok(Vmc::new(
            MonteCarloState::new(sampler, rbm::<B>(operator.hilbert(), 0.1)?, 64)?,
            &operator,
            Sgd::new(0.1)?,
        ))
    };
    refused! {
        Error::Name { .. } =>
            new()?.with_observable("Energy", &operator), new()?.with_observable("Problems", &operator),
            new()?.with_observable("a", &operator)?.with_observable("a", &operator);
        Error::Setting { .. } => new()?.with_checkpoint(&path, 0);
        Error::File { .. } => Snapshot::read(&path), new()?.load_checkpoint(&path), new()?.save_checkpoint(folder.path());
        Error::Content { .. } =>
            Snapshot::new().array::<f64, ndarray::Ix1>("a"), Snapshot::new().read_note::<u64>("a"), Snapshot::new().read_count(""),
            new()?.restore(&Snapshot::new());
    }
    let mut snapshot = Snapshot::new();
    snapshot.insert("a", array![1.0, 2.0].view());
    snapshot.note("n", u64::MAX);
    refused! {
        Error::Content { .. } =>
            snapshot.array::<f64, ndarray::Ix2>("a"), snapshot.array::<i8, ndarray::Ix1>("a"),
            snapshot.array_of_shape::<f64, ndarray::Ix1>("a", &[ALL]), snapshot.read_count("n"), snapshot.read_note::<i8>("n");
    }
    // The third is a file without any array: a snapshot, but not one of a run.
    let empty = "\u{8}\0\0\0\0\0\0\0{}      ";
    for content in ["", "{}", empty, "not a file at all, but longer than a header"] {
        std::fs::write(&path, content)?;
        assert_eq!(Snapshot::read(&path).is_err(), content != empty, "{content:?}");
        assert!(new()?.load_checkpoint(&path).is_err(), "{content:?}");
        assert!(
            variational::load_parameters::<B, _>(&path, &mut rbm::<B>(operator.hilbert(), 0.1)?).is_err()
        );
    }
    assert!(new()?.run(0)?.steps.is_empty());
    Ok(())
}

fn exact_results_and_dynamics<B: RunsVmc + RunsVmc<Complex64>>() -> TestResult {
    let operator = ising(3)?.lower::<B>()?;
    let other = heisenberg(4)?.lower::<B>()?;
    let psi = Array1::from_elem(8, Complex64::ONE);
    let wrong = Array1::from_elem(7, Complex64::ONE);
    refused! {
        Error::Setting { .. } => exact::lowest(&operator, 0), exact::lowest(&operator, 9), exact::lowest(&operator, ALL);
    }
    for time in [f64::NAN, f64::INFINITY] {
        assert!(dynamics::evolve(&operator, &psi, time).is_err(), "{time}");
        assert!(dynamics::evolve_with_derivative(&operator, &operator, &psi, time).is_err(), "{time}");
    }
    assert!(dynamics::evolve(&operator, &wrong, 0.1).is_err());
    assert!(dynamics::evolve(&operator, &Array1::zeros(0), 0.1).is_err());
    assert!(dynamics::evolve_with_derivative(&operator, &operator, &wrong, 0.1).is_err());
    assert!(dynamics::evolve_with_derivative(&operator, &other, &psi, 0.1).is_err());
    assert!(operator.apply(arr1(&[1.0]).view()).is_err());
    Ok(())
}

on_backends!(
    networks,
    architectures,
    states_and_ensembles,
    responses,
    optimisers,
    runs_and_files,
    exact_results_and_dynamics,
);
