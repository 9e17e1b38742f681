//! Configurations that differ in a few sites from samples, and local estimators that evaluate these.

use std::collections::HashSet;
use std::num::NonZeroUsize;
use std::sync::Mutex;

use crate::common::{Named, TestResult, heisenberg, ising, networks, single_networks};
use ndarray::{Array1, Array2, Axis};
use num_complex::{Complex32, Complex64};
use operator_core::hilbert::{Fock, HilbertSpace, Spin};
use operator_core::testing::{SplitMix, Table};
use operator_core::{Backend, DiscreteOperator, Element, Error, WaveFunction};
use proptest::prelude::*;
use variational::wave_functions::network::{
    Activation, Architecture, Branch, Custom, NetworkBackend, Scalar,
};
use variational::{LocalKernel, Mlp, Network, Rbm, RunsVmc, Times};

fn two_layers<B: NetworkBackend, T: Scalar>(hilbert: &HilbertSpace) -> operator_core::Result<Named<B>> {
    let n_sites = hilbert.n_sites();
    let hidden = Branch::new(n_sites).dense("first", 7).activation(Activation::Tanh);
    let hidden = hidden.dense("second", 5).activation(Activation::LnCosh);
    let architecture = Architecture::new([Branch::new(n_sites).weighted_sum("visible"), hidden]);
    let custom = Network::<B, Custom<T>>::from_architecture(hilbert.clone(), architecture)?;
    Ok(("RBM with two layers", Box::new(custom.with_seed(3).with_sigma(0.5)?)))
}

/// All networks, RBMs with a second hidden layer, and a product.
fn deep_and_other_networks<B: NetworkBackend>(
    hilbert: &HilbertSpace,
) -> operator_core::Result<Vec<Named<B>>> {
    let mlp = Mlp::<B>::new(hilbert.clone(), &[6, 3], Activation::Relu)?.with_seed(4);
    let rbm = Rbm::<B, Complex64>::new(hilbert.clone(), 1.0)?.with_seed(5).with_sigma(0.2)?;
    let mut all = networks::<B>(hilbert)?;
    all.extend([two_layers::<B, f64>(hilbert)?, two_layers::<B, Complex64>(hilbert)?]);
    all.push(("MLP times RBM", Box::new(Times::new(mlp, rbm)?)));
    Ok(all)
}

/// Samples, and states that differ from some of them in up to `n_changes` sites, in no order.
struct Batch {
    x: Array2<i8>,
    connected: Array2<i8>,
    origins: Vec<usize>,
}

impl Batch {
    fn random(
        hilbert: &HilbertSpace,
        n_samples: usize,
        n_connected: usize,
        n_changes: usize,
        seed: u64,
    ) -> Self {
        let mut rng = SplitMix::new(seed);
        let x = hilbert.random_states(n_samples, &mut rng).unwrap();
        let origins: Vec<usize> = (0..n_connected).map(|_| rng.below(n_samples)).collect();
        let mut connected = x.select(Axis(0), &origins);
        for mut row in connected.rows_mut() {
            let other = hilbert.random_states(1, &mut rng).unwrap();
            for _ in 0..rng.below(n_changes + 1) {
                let site = rng.below(row.len());
                match hilbert.is_constrained() {
                    true => row.swap(site, rng.below(x.ncols())),
                    false => row[site] = other[[0, site]],
                }
            }
        }
        Batch { x, connected, origins }
    }

    /// Within rounding of what is added up, which complex tanh near its poles makes some hundred times larger.
    fn check<B: NetworkBackend>(&self, hilbert: &HilbertSpace) -> TestResult {
        let on_device = |x: &Array2<i8>| B::from_host(x.view(), &B::default_device());
        let (x, connected) = (on_device(&self.x)?, on_device(&self.connected)?);
        let mut single = single_networks::<B>(hilbert)?;
        single.extend([two_layers::<B, f32>(hilbert)?, two_layers::<B, Complex32>(hilbert)?]);
        for (networks, tolerance) in [(deep_and_other_networks::<B>(hilbert)?, 1e-12), (single, 1e-3)] {
            for (name, network) in networks {
                let whole = B::amplitudes_to_host(&network.log_psi(&connected)?)?;
                let changed = network.log_psi_connected(&x, &connected, &self.origins)?;
                let changed = B::amplitudes_to_host(&changed)?;
                assert_eq!(changed.len(), whole.len(), "{name}");
                for (changed, whole) in changed.iter().zip(&whole) {
                    let size = 1.0 + whole.norm();
                    assert!((changed - whole).norm() <= tolerance * size, "{name}: {changed} {whole}");
                }
            }
        }
        Ok(())
    }
}

fn on_every_backend(batch: &Batch, hilbert: &HilbertSpace) -> TestResult {
    #[cfg(feature = "flat")]
    batch.check::<variational::Flat>(hilbert)?;
    #[cfg(feature = "padded")]
    batch.check::<variational::Padded>(hilbert)?;
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn changed_configurations_have_the_values_of_whole_ones(
        n_samples in 1usize..9, n_connected in 1usize..20, n_changes in 0usize..7, seed: u64
    ) {
        let spins = Spin::half(6).unwrap();
        let spaces: [HilbertSpace; 3] =
            [spins.clone().into(), spins.with_total_sz(1.0).unwrap().into(), Fock::new(3, 5).unwrap().into()];
        for hilbert in spaces {
            let batch = Batch::random(&hilbert, n_samples, n_connected, n_changes, seed);
            on_every_backend(&batch, &hilbert).unwrap();
        }
    }
}

/// More rows than are evaluated at a time, of samples too.
#[test]
fn blocks_of_rows_keep_their_origins() -> TestResult {
    let hilbert = HilbertSpace::from(Spin::half(9)?);
    on_every_backend(&Batch::random(&hilbert, 700, 1300, 2, 1), &hilbert)
}

fn origins_that_are_not_there_are_errors<B: NetworkBackend>() -> TestResult {
    let spins = Spin::half(3)?;
    let mlp = Mlp::<B>::new(spins.clone(), &[4, 2], Activation::Tanh)?.with_seed(1);
    let batch = |n| B::from_host(Array2::ones((n, 3)).view(), &B::default_device());
    let error = |origins: &[usize]| mlp.log_psi_connected(&batch(2)?, &batch(3)?, origins).map(|_| ());
    assert!(error(&[0, 1, 1]).is_ok());
    assert!(matches!(error(&[0, 1]), Err(Error::Count { got: 2, .. })));
    assert!(matches!(error(&[0, 1, 2]), Err(Error::OriginOutOfRange { row: 2, origin: 2, n_samples: 2 })));
    let narrow = B::from_host(Array2::ones((2, 2)).view(), &B::default_device())?;
    let wrong = [(&narrow, &batch(2)?), (&batch(2)?, &narrow)]
        .map(|(x, connected)| mlp.log_psi_connected(x, connected, &[0, 1]).is_err());
    // Where nothing is known of samples, they are not looked at.
    assert_eq!(wrong, [B::adds_changes(&B::default_device()), true]);
    Ok(())
}

/// Each sample against its row of the matrix: `Σ_x' <x|O|x'> ψ(x') / ψ(x)`.
fn deep_networks_have_the_local_estimators_of_the_matrix<B: RunsVmc>() -> TestResult {
    for definition in [ising(6)?, heisenberg(8)?] {
        let operator = definition.lower::<B>()?;
        let matrix = operator.to_dense()?;
        let states = definition.hilbert().all_states()?;
        let x = B::from_host(states.view(), &B::default_device())?;
        let mut n_deep = 0;
        for (name, network) in deep_and_other_networks::<B>(definition.hilbert())? {
            if network.walker().is_some() {
                continue;
            }
            n_deep += 1;
            let log_psi = B::amplitudes_to_host(&network.log_psi(&x)?)?;
            let expected: Array1<(Complex64, f64)> = (0..states.nrows())
                .map(|s| {
                    let terms = log_psi
                        .iter()
                        .zip(matrix.row(s))
                        .map(|(to, mel)| (to - log_psi[s]).exp() * mel.to_complex());
                    (terms.clone().sum(), terms.map(|term| term.norm()).sum())
                })
                .collect();
            for chunk_size in [0, 1, 5, 64].map(NonZeroUsize::new) {
                let local = B::local_estimators(&operator, &network, &x, chunk_size)?;
                for (local, (expected, size)) in local.iter().zip(&expected) {
                    assert!((local - expected).norm() <= 1e-11 * size, "{name}: {local} {expected}");
                }
            }
        }
        assert_eq!(n_deep, 12);
    }
    Ok(())
}

on_backends!(origins_that_are_not_there_are_errors, deep_networks_have_the_local_estimators_of_the_matrix,);

#[cfg(feature = "flat")]
#[test]
fn threads_do_not_change_estimators_of_deep_networks() -> TestResult {
    use variational::Flat;
    let operator = ising(12)?.lower::<Flat>()?;
    let x = operator.hilbert().random_states(300, &mut SplitMix::new(5))?;
    for (name, network) in deep_and_other_networks::<Flat>(operator.hilbert())? {
        let on = |n_threads| -> Result<Array1<Complex64>, Box<dyn std::error::Error>> {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build()?;
            Ok(pool.install(|| Flat::local_estimators(&operator, &network, &x, NonZeroUsize::new(1500)))?)
        };
        assert_eq!(on(1)?, on(2)?, "{name}");
    }
    Ok(())
}

/// What a wave function was asked for.
struct Asked<W> {
    psi: W,
    log_psi: Mutex<Vec<Array2<i8>>>,
    connected: Mutex<Vec<Batch>>,
}

impl<B: Backend, W: WaveFunction<B>> WaveFunction<B> for Asked<W> {
    fn hilbert(&self) -> &HilbertSpace {
        self.psi.hilbert()
    }

    fn log_psi(&self, x: &B::Configurations) -> operator_core::Result<B::Amplitudes> {
        self.log_psi.lock().expect("not poisoned").push(B::to_host(x)?);
        self.psi.log_psi(x)
    }

    fn log_psi_connected(
        &self,
        x: &B::Configurations,
        connected: &B::Configurations,
        origins: &[usize],
    ) -> operator_core::Result<B::Amplitudes> {
        let batch = Batch { x: B::to_host(x)?, connected: B::to_host(connected)?, origins: origins.to_vec() };
        self.connected.lock().expect("not poisoned").push(batch);
        self.psi.log_psi_connected(x, connected, origins)
    }
}

/// Each connected configuration comes once, with samples that it differs from, and there are never more of
/// either than the chunk size.
#[cfg(feature = "flat")]
fn check_requests<O>(operator: &O, x: &Array2<i8>, chunk_size: usize) -> TestResult
where
    O: DiscreteOperator<Backend: LocalKernel<O> + Backend<Configurations = Array2<i8>>>,
{
    let table = Table::<O::Backend>::random(operator.hilbert().clone(), 3)?;
    let asked = Asked { psi: table, log_psi: Mutex::default(), connected: Mutex::default() };
    // Through references and boxes too.
    let boxed: Box<dyn WaveFunction<O::Backend> + '_> = Box::new(&asked);
    O::Backend::local_estimators(operator, &boxed, x, NonZeroUsize::new(chunk_size))?;
    drop(boxed);
    let log_psi = asked.log_psi.lock().map_err(|_| "poisoned")?;
    let samples: Vec<_> = log_psi.iter().map(|x| x.view()).collect();
    assert_eq!(ndarray::concatenate(Axis(0), &samples)?, x, "only the samples");
    assert!(samples.iter().all(|x| x.nrows() <= chunk_size));
    let batches = asked.connected.lock().map_err(|_| "poisoned")?;
    assert!(!batches.is_empty());
    for Batch { x, connected, origins } in batches.iter() {
        assert!(connected.nrows() <= chunk_size && x.nrows() <= connected.nrows());
        let distinct: HashSet<Vec<i8>> = connected.rows().into_iter().map(|row| row.to_vec()).collect();
        assert_eq!((distinct.len(), origins.len()), (connected.nrows(), connected.nrows()));
        for (to, &origin) in connected.rows().into_iter().zip(origins) {
            assert!(to.iter().zip(x.row(origin)).filter(|(a, b)| a != b).count() <= 1);
        }
    }
    Ok(())
}

#[cfg(feature = "flat")]
#[test]
fn local_estimators_ask_for_connected_configurations_with_their_samples() -> TestResult {
    use sum_operator::{AnyOperator, BackendKind};
    let definition = ising(6)?;
    let x = definition.hilbert().all_states()?;
    let twice = ndarray::concatenate![Axis(0), x, x];
    for chunk_size in [1, 7, 50, 1000] {
        check_requests(&definition.lower::<variational::Flat>()?, &twice, chunk_size)?;
        check_requests(&AnyOperator::new(&definition, BackendKind::Flat)?, &twice, chunk_size)?;
    }
    Ok(())
}

/// Of each sample as many states as the padded backend has slots, unused ones included.
#[cfg(feature = "padded")]
#[test]
fn states_of_an_operator_have_the_values_of_rows() -> TestResult {
    use backend_padded::{Padded, TensorConn};
    use operator_core::{BoseHubbard, Boundary, FermiHubbard, Graph, Model, hilbert::SpinOrbitalFermions};

    let chain = |n| Graph::chain(n, Boundary::Periodic);
    let bosons = Fock::new(3, 5)?.with_n_particles(4)?;
    let fermions = SpinOrbitalFermions::with_spin(4, 0.5)?.with_n_fermions_per_spin(&[2, 1])?;
    let operators = [
        ising(6)?.lower::<Padded>()?,
        heisenberg(6)?.lower::<Padded>()?,
        BoseHubbard::new(bosons, &chain(5)?, 1.5)?.lower::<Padded>()?,
        FermiHubbard::new(fermions, &chain(4)?, 1.0, 4.0)?.lower::<Padded>()?,
    ];
    // The first has more samples than the host evaluates at a time.
    for (operator, n_samples) in operators.into_iter().zip([600, 20, 20, 20]) {
        let hilbert = operator.hilbert();
        let x = hilbert.random_states(n_samples, &mut SplitMix::new(3))?;
        let x = Padded::from_host(x.view(), &Padded::default_device())?;
        let conn = operator.conn(&x)?;
        let states = conn.conn_states(x.dtype());
        let rows = Padded::conn_rows(&states)?;
        for (networks, tolerance) in [
            (deep_and_other_networks::<Padded>(hilbert)?, 1e-12),
            (single_networks::<Padded>(hilbert)?, 1e-4),
        ] {
            for (name, network) in networks {
                let of_rows = network.log_psi(&rows)?.to_host()?;
                let of_states = network.log_psi_conn(&x, &states)?.to_host()?;
                assert_eq!(of_states.len(), of_rows.len(), "{name}");
                // Imaginary parts may differ by multiples of 2π.
                for (a, b) in of_states.iter().zip(&of_rows) {
                    let ratio = (a - b).exp();
                    assert!((ratio - 1.0).norm() <= tolerance * (1.0 + b.norm()), "{name}: {a} {b}");
                }
                let expected = Padded::local_estimators(&operator, &network, &x, None)?;
                for chunk_size in [None, NonZeroUsize::new(3), NonZeroUsize::new(100)] {
                    let local =
                        backend_padded::local_estimators_on_device(&operator, &network, &x, chunk_size)?;
                    for (a, b) in local.iter().zip(&expected) {
                        assert!((a - b).norm() <= 30.0 * tolerance * (1.0 + b.norm()), "{name}: {a} {b}");
                    }
                }
            }
        }
    }
    // Rows do not depend on the samples that they come from; what is summed from changed sites does.
    let operator = ising(6)?.lower::<Padded>()?;
    let x = Padded::from_host(operator.hilbert().all_states()?.view(), &Padded::default_device())?;
    let states = operator.conn(&x)?.conn_states(x.dtype());
    let depends_on_samples = |network: &dyn WaveFunction<Padded>| -> operator_core::Result<bool> {
        let of_others = network.log_psi_conn(&x.neg().map_err(backend_padded::failed)?, &states)?;
        let of_rows = network.log_psi(&Padded::conn_rows(&states)?)?;
        let [a, b] = [of_others, of_rows].map(|psi| Padded::amplitudes_to_host(&psi));
        Ok(a? != b?)
    };
    let rbm = Rbm::<Padded>::new(operator.hilbert().clone(), 1.0)?.with_seed(1).with_sigma(0.3)?;
    assert!(depends_on_samples(&rbm)?);
    let mlp = Mlp::<Padded>::new(operator.hilbert().clone(), &[4, 3], Activation::Tanh)?;
    assert!(depends_on_samples(&mlp)?);
    let jastrow =
        variational::Jastrow::<Padded>::new(operator.hilbert().clone())?.with_seed(1).with_sigma(0.3)?;
    assert!(!depends_on_samples(&jastrow)?);
    Ok(())
}

/// A network that gives no connected configurations but by rows.
#[cfg(feature = "padded")]
struct ByRows<W>(W);

#[cfg(feature = "padded")]
impl<W: WaveFunction<variational::Padded>> WaveFunction<variational::Padded> for ByRows<W> {
    fn hilbert(&self) -> &HilbertSpace {
        self.0.hilbert()
    }

    fn log_psi(&self, x: &candle_core::Tensor) -> operator_core::Result<backend_padded::ComplexTensor> {
        self.0.log_psi(x)
    }
}

/// In the network's parameters and in the Hamiltonian's, of real and of imaginary parts.
#[cfg(feature = "padded")]
#[test]
fn gradients_through_units_that_change_are_those_through_rows() -> TestResult {
    use backend_padded::{ComplexTensor, Padded, failed, local_estimator_tensor};
    use candle_core::{DType, Tensor, Var};
    use operator_core::Definition;
    use variational::Trainable;

    fn check<K>(definition: &Definition, network: &Network<Padded, K>, tolerance: f64) -> TestResult
    where
        K: variational::wave_functions::network::NetworkKind,
    {
        let device = Padded::default_device();
        let operator = definition.lower::<Padded>()?;
        let lambda = Var::new(definition.parameters().to_vec(), &device).map_err(failed)?;
        let operator = operator.with_parameter_tensor(lambda.as_tensor())?;
        let x = Padded::from_host(definition.hilbert().all_states()?.view(), &device)?;
        let theta = Var::new(network.parameters().to_vec(), &device).map_err(failed)?;
        let network = network.with_parameter_tensor(theta.as_tensor())?;
        let ways = [
            local_estimator_tensor(&operator, &network, &x)?,
            local_estimator_tensor(&operator, &ByRows(&network), &x)?,
        ];
        let parts = |local: &ComplexTensor| [Some(local.re().clone()), local.im().cloned()];
        let [got, expected] = ways.each_ref().map(parts);
        for (got, expected) in got.into_iter().zip(expected) {
            let (Some(got), Some(expected)) = (got, expected) else { continue };
            let gradients =
                |local: &Tensor| local.mean_all().and_then(|mean| mean.backward()).map_err(failed);
            let (got, expected) = (gradients(&got)?, gradients(&expected)?);
            for var in [&lambda, &theta] {
                let difference = |got: &Tensor, expected: &Tensor| {
                    let size = expected.abs()?.max_all()?.to_dtype(DType::F64)?.to_scalar::<f64>()?;
                    let error =
                        (got - expected)?.abs()?.max_all()?.to_dtype(DType::F64)?.to_scalar::<f64>()?;
                    Ok((error, size))
                };
                let (Some(got), Some(expected)) = (got.get(var), expected.get(var)) else {
                    return Err("a gradient is missing".into());
                };
                let (error, size) = difference(got, expected).map_err(failed)?;
                assert!(size > 1e-3 && error < tolerance * (1.0 + size), "{definition}: {error} {size}");
            }
        }
        Ok(())
    }

    for definition in [ising(6)?, heisenberg(6)?] {
        let hilbert = definition.hilbert();
        check(&definition, &Rbm::<Padded>::new(hilbert.clone(), 1.0)?.with_seed(1).with_sigma(0.3)?, 1e-11)?;
        let complex = Rbm::<Padded, Complex64>::new(hilbert.clone(), 1.5)?.with_seed(2).with_sigma(0.3)?;
        check(&definition, &complex, 1e-11)?;
        check(&definition, &Rbm::<Padded, f32>::new(hilbert.clone(), 1.0)?.with_sigma(0.3)?, 1e-4)?;
        check(&definition, &Mlp::<Padded>::new(hilbert.clone(), &[4], Activation::LnCosh)?, 1e-11)?;
    }
    Ok(())
}
