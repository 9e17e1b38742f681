//! Slater determinants, alone and times another wave function.

use crate::common::{Table, TestResult, rbm};
use ndarray::{Array1, Array2};
use num_complex::Complex64;
use operator_core::hilbert::{HilbertSpace, Spin, SpinOrbitalFermions};
use operator_core::terms::{Ladder, Terms};
use operator_core::testing::{SplitMix, check_walker};
use operator_core::{
    Backend, Boundary, Definition, DiscreteOperator, Error, FermiHubbard, Graph, Lower, Model, WaveFunction,
};
use sampler::{ExchangeSampler, HamiltonianSampler};
use variational::{FullSumState, MonteCarloState, RunsVmc, Slater, Times, Trainable, VariationalState};

fn spaces() -> operator_core::Result<Vec<HilbertSpace>> {
    let with_spin = SpinOrbitalFermions::with_spin(4, 0.5)?;
    Ok(vec![
        SpinOrbitalFermions::new(6)?.with_n_fermions(3)?.into(),
        with_spin.with_n_fermions_per_spin(&[2, 2])?.into(),
        with_spin.with_n_fermions_per_spin(&[3, 1])?.into(),
        with_spin.with_n_fermions_per_spin(&[0, 4])?.into(),
        // One determinant over all modes.
        with_spin.with_n_fermions(3)?.into(),
        SpinOrbitalFermions::with_spin(3, 1.0)?.with_n_fermions_per_spin(&[1, 2, 1])?.into(),
    ])
}

fn log_psi<B: Backend, W: WaveFunction<B>>(
    psi: &W,
    x: &Array2<i8>,
) -> operator_core::Result<Array1<Complex64>> {
    B::amplitudes_to_host(&psi.log_psi(&B::from_host(x.view(), &B::default_device())?)?)
}

/// By the sum over all permutations.
fn determinant(matrix: &Array2<f64>) -> f64 {
    let n = matrix.nrows();
    if n == 0 {
        return 1.0;
    }
    let minor = |column: usize| {
        Array2::from_shape_fn((n - 1, n - 1), |(i, k)| matrix[[i + 1, k + usize::from(k >= column)]])
    };
    let sign = |column: usize| if column.is_multiple_of(2) { 1.0 } else { -1.0 };
    (0..n).map(|column| sign(column) * matrix[[0, column]] * determinant(&minor(column))).sum()
}

fn amplitudes_are_determinants_of_filled_orbitals<B: RunsVmc>() -> TestResult {
    for (seed, hilbert) in spaces()?.into_iter().enumerate() {
        let psi = Slater::<B>::new(hilbert.clone())?.with_seed(seed as u64)?;
        let states = hilbert.all_states()?;
        for (x, value) in states.rows().into_iter().zip(log_psi(&psi, &states)?) {
            let expected: f64 = (hilbert.blocks().iter().enumerate())
                .map(|(k, block)| {
                    let filled: Vec<usize> =
                        (0..block.sites().len()).filter(|i| x[block.sites().start + i] == 1).collect();
                    psi.orbitals(k).map_or(f64::NAN, |m| determinant(&m.select(ndarray::Axis(0), &filled)))
                })
                .product();
            assert!((value.exp() - expected).norm() < 1e-12, "{x}: {value} {expected}");
        }
    }
    Ok(())
}

/// `Σ_m coefficients[m] c†_m` on all fillings of the modes, where nothing is fixed.
fn create<B: RunsVmc>(
    hilbert: &HilbertSpace,
    start: usize,
    coefficients: &[f64],
) -> operator_core::Result<Array2<f64>> {
    let mut terms = Terms::new(hilbert.clone());
    for (m, &coefficient) in coefficients.iter().enumerate() {
        terms.fermion(coefficient, &[Ladder::create(start + m)])?;
    }
    Definition::new("create", terms)?.lower::<B>()?.to_dense()
}

/// The state is `Π c†_k |0>` by the matrices of creation operators, up to a sign, so Jordan-Wigner strings
/// are those of operators.
fn states_are_made_by_creation_operators<B: RunsVmc>() -> TestResult {
    for (seed, hilbert) in spaces()?.into_iter().enumerate() {
        let psi = Slater::<B>::new(hilbert.clone())?.with_seed(10 + seed as u64)?;
        let free = HilbertSpace::from(SpinOrbitalFermions::new(hilbert.n_sites())?);
        let mut state = Array1::zeros(free.n_states()?);
        state[free.index_of(&vec![0; hilbert.n_sites()])?] = 1.0;
        for (k, block) in hilbert.blocks().iter().enumerate().rev() {
            let orbitals = psi.orbitals(k).ok_or("no orbitals")?;
            for orbital in orbitals.columns().into_iter().rev() {
                state = create::<B>(&free, block.sites().start, &orbital.to_vec())?.dot(&state);
            }
        }
        let states = hilbert.all_states()?;
        let expected = free.states_to_indices(states.view())?.mapv(|index| state[index]);
        let values = log_psi(&psi, &states)?.mapv(Complex64::exp);
        assert!((state.dot(&state) - 1.0).abs() < 1e-12, "all of it is in the space");
        let overlap: Complex64 = values.iter().zip(&expected).map(|(a, b)| a * b).sum();
        assert!((overlap.re.abs() - 1.0).abs() < 1e-12, "{hilbert}: {overlap}");
    }
    Ok(())
}

/// Hops `t_ij c†_is c_js` of every spin state.
fn hops(hilbert: &HilbertSpace, hopping: &Array2<f64>) -> operator_core::Result<Definition> {
    let mut terms = Terms::new(hilbert.clone());
    let n_orbitals = hopping.nrows();
    for start in (0..hilbert.n_sites()).step_by(n_orbitals) {
        for ((i, j), &t) in hopping.indexed_iter() {
            terms.fermion(t, &[Ladder::create(start + i), Ladder::destroy(start + j)])?;
        }
    }
    Definition::new("hops", terms)
}

fn ring(n_sites: usize) -> operator_core::Result<(Graph, Array2<f64>)> {
    let graph = Graph::chain(n_sites, Boundary::Periodic)?;
    let mut hopping = Array2::zeros((n_sites, n_sites));
    for &[i, j] in graph.edges() {
        (hopping[[i, j]], hopping[[j, i]]) = (-1.0, -1.0);
    }
    Ok((graph, hopping))
}

/// `−2 cos(2πk/L)`, the n lowest.
fn filled_levels(n_sites: usize, n_particles: usize) -> f64 {
    let mut levels: Vec<f64> =
        (0..n_sites).map(|k| -2.0 * (std::f64::consts::TAU * k as f64 / n_sites as f64).cos()).collect();
    levels.sort_by(f64::total_cmp);
    levels.iter().take(n_particles).sum()
}

fn free_fermions_on_a_ring_are_exact_without_variance<B: RunsVmc>() -> TestResult {
    // Closed shells: 1, 3 or 5 of a spin.
    for (n_sites, per_spin) in [(6, [3, 3]), (5, [3, 1]), (7, [1, 5])] {
        let (graph, hopping) = ring(n_sites)?;
        let space = SpinOrbitalFermions::with_spin(n_sites, 0.5)?.with_n_fermions_per_spin(&per_spin)?;
        let operator = FermiHubbard::new(space.clone(), &graph, 1.0, 0.0)?.lower::<B>()?;
        let psi = Slater::<B>::mean_field(space.clone(), &hopping)?;
        let expected: f64 = per_spin.iter().map(|&n| filled_levels(n_sites, n)).sum();
        let exact = FullSumState::<B, _>::new(psi.clone())?.expect(&operator)?;
        let sampler = HamiltonianSampler::new(&operator)?.with_seed(3);
        let sampled = MonteCarloState::new(sampler, psi.clone(), 400)?.expect(&operator)?;
        let exchange = ExchangeSampler::<B>::new(space, &graph)?.with_seed(4);
        let exchanged = MonteCarloState::new(exchange, psi, 400)?.expect(&operator)?;
        for stats in [exact, sampled, exchanged] {
            assert!((stats.mean - expected).norm() < 1e-9, "{stats}, {expected}");
            assert!(stats.variance < 1e-18, "{stats}");
        }
    }
    Ok(())
}

/// Random hops between all orbitals, so that every sign of every order counts.
fn free_fermions_with_any_hops_are_exact_without_variance<B: RunsVmc>() -> TestResult {
    for (seed, n_particles) in [(1, 1), (2, 2), (3, 3), (4, 4)] {
        let mut rng = SplitMix::new(seed);
        let random = Array2::from_shape_simple_fn((5, 5), || rng.number());
        let hopping = &random + &random.t();
        let space = SpinOrbitalFermions::with_spin(5, 0.5)?.with_n_fermions_per_spin(&[n_particles, 2])?;
        let operator = hops(&space.clone().into(), &hopping)?.lower::<B>()?;
        let stats =
            FullSumState::<B, _>::new(Slater::<B>::mean_field(space, &hopping)?)?.expect(&operator)?;
        let exact = variational::exact::ground_state_energy(&operator)?;
        assert!((stats.mean - exact).norm() < 1e-10 && stats.variance < 1e-18, "{stats}, {exact}");
    }
    Ok(())
}

/// Central differences with step 10⁻⁵: their error is about 10⁻⁹ here, where amplitudes may be small.
fn check_derivatives<B: Backend, W: Trainable<B>>(psi: &mut W, states: &Array2<i8>) -> TestResult {
    let parameters = psi.parameters();
    assert_eq!(parameters.len(), psi.n_parameters());
    let n_values: usize = psi.layout().iter().map(variational::ParameterArray::n_values).sum();
    assert_eq!(n_values, parameters.len());
    let derivatives = psi.log_derivatives(&B::from_host(states.view(), &B::default_device())?)?;
    assert_eq!(derivatives.dim(), (states.nrows(), parameters.len()));
    for k in 0..parameters.len() {
        let mut at = |step: f64| {
            let mut moved = parameters.clone();
            moved[k] += step;
            psi.set_parameters(&moved)?;
            log_psi(psi, states)
        };
        let difference = (at(1e-5)? - at(-1e-5)?) / 2e-5;
        for (sample, difference) in difference.iter().enumerate() {
            let value = derivatives.get(sample, k).ok_or("no such element")?;
            let scale = value.norm().max(1.0);
            assert!((value - difference).norm() < 1e-6 * scale.powi(3), "{k}: {value} {difference}");
        }
    }
    psi.set_parameters(&parameters)?;
    Ok(())
}

fn log_derivatives_are_finite_differences<B: RunsVmc>() -> TestResult {
    for (seed, hilbert) in spaces()?.into_iter().enumerate() {
        let mut psi = Slater::<B>::new(hilbert.clone())?.with_seed(seed as u64)?;
        check_derivatives::<B, _>(&mut psi, &hilbert.all_states()?)?;
    }
    let equal = &spaces()?[1];
    let mut shared = Slater::<B>::new(equal.clone())?.with_seed(3)?.restricted()?;
    assert_eq!(shared.n_parameters(), 4 * 2);
    check_derivatives::<B, _>(&mut shared, &equal.all_states()?)
}

/// With interactions, where the gradient is not zero; central differences as in the tests of gradients.
fn energy_gradients_are_finite_differences<B: RunsVmc>() -> TestResult {
    let (graph, hopping) = ring(4)?;
    let space = SpinOrbitalFermions::with_spin(4, 0.5)?.with_n_fermions_per_spin(&[2, 1])?;
    let operator = FermiHubbard::new(space.clone(), &graph, 1.0, 4.0)?.lower::<B>()?;
    let slater = Slater::<B>::new(space.clone())?.with_seed(5)?;
    assert!(Slater::<B>::mean_field(space.clone(), &hopping).is_ok());
    let product = Times::new(slater, rbm::<B>(&space.into(), 0.2)?)?;
    let parameters = Trainable::<B>::parameters(&product);
    let mut state = FullSumState::<B, _>::new(product)?;
    let gradient = state.expect_and_grad(&operator)?.1;
    assert!(gradient.iter().any(|g| g.abs() > 0.1));
    for k in 0..parameters.len() {
        let mut energy = |step: f64| -> variational::Result<f64> {
            let mut moved = parameters.clone();
            moved[k] += step;
            Trainable::<B>::set_parameters(state.wave_function_mut(), &moved)?;
            Ok(state.expect(&operator)?.mean.re)
        };
        let difference = (energy(1e-4)? - energy(-1e-4)?) / 2e-4;
        assert!((gradient[k] - difference).abs() < 1e-6, "{k}: {} {difference}", gradient[k]);
    }
    Ok(())
}

fn walkers_keep_up_with_determinants<B: RunsVmc>() -> TestResult {
    for (seed, hilbert) in spaces()?.into_iter().enumerate() {
        let seed = seed as u64;
        if hilbert.n_states()? > 1 {
            check_walker::<B, _>(&Slater::<B>::new(hilbert.clone())?.with_seed(seed)?, 2000, seed)?;
        }
    }
    let shared = Slater::<B>::new(spaces()?[1].clone())?.with_seed(3)?.restricted()?;
    check_walker::<B, _>(&shared, 400, 1)?;
    let large = SpinOrbitalFermions::with_spin(16, 0.5)?.with_n_fermions_per_spin(&[8, 6])?;
    check_walker::<B, _>(&Slater::<B>::new(large)?.with_seed(2)?, 4000, 2)?;
    // Momentum is conserved: many amplitudes are zero.
    let ring_space = SpinOrbitalFermions::with_spin(6, 0.5)?.with_n_fermions_per_spin(&[3, 2])?;
    check_walker::<B, _>(&Slater::<B>::mean_field(ring_space, &ring(6)?.1)?, 2000, 3)?;
    Ok(())
}

/// All amplitudes where two particles share an orbital vanish, to the last bit of what they are made of.
fn amplitudes_that_cancel_are_zero<B: RunsVmc>() -> TestResult {
    let space = SpinOrbitalFermions::new(4)?.with_n_fermions(2)?;
    let twice = ndarray::array![[0.3, 0.1], [0.6, 0.2], [0.9, 0.3], [0.7, -0.4]];
    let psi = Slater::<B>::from_orbitals(space, [twice])?;
    let x = ndarray::array![[1, 1, 0, 0], [1, 0, 1, 0], [1, 0, 0, 1]];
    let values = log_psi(&psi, &x)?;
    assert_eq!((values[0].re, values[1].re), (f64::NEG_INFINITY, f64::NEG_INFINITY));
    assert!((values[2].exp() - (-0.12 - 0.07)).norm() < 1e-15, "{values}");
    Ok(())
}

fn products_are_products<B: RunsVmc>() -> TestResult {
    let hilbert = spaces()?.swap_remove(2);
    let states = hilbert.all_states()?;
    let slater = Slater::<B>::new(hilbert.clone())?.with_seed(1)?;
    let mut psi = Times::new(slater.clone(), rbm::<B>(&hilbert, 0.3)?)?;
    let expected = log_psi(&slater, &states)? + log_psi(&rbm::<B>(&hilbert, 0.3)?, &states)?;
    let difference = log_psi::<B, _>(&psi, &states)? - expected;
    assert!(difference.iter().all(|difference| difference.norm() < 1e-14));
    check_derivatives::<B, _>(&mut psi, &states)?;
    let complex = Table::<B>::random(&hilbert)?;
    check_derivatives::<B, _>(&mut Times::new(complex.clone(), slater.clone())?, &states)?;
    let names: Vec<String> =
        Trainable::<B>::layout(&psi).into_iter().map(|array| array.name().to_owned()).collect();
    assert_eq!(names[..2], ["first.orbitals.0", "first.orbitals.1"]);
    assert!(names.len() > 2 && names[2..].iter().all(|name| name.starts_with("second.")), "{names:?}");

    assert!(WaveFunction::<B>::walker(&Times::new(complex.0.clone(), slater.clone())?).is_none());
    let walked = Times::new(slater.clone(), complex.0.with_walker())?;
    check_walker::<B, _>(&walked, 1000, 1)?;

    let elsewhere = rbm::<B>(&spaces()?[1], 0.3)?;
    assert!(matches!(Times::new(slater, elsewhere), Err(Error::HilbertMismatch { .. })));
    let few = Array1::zeros(3);
    assert!(matches!(Trainable::<B>::set_parameters(&mut psi, &few), Err(Error::Count { .. })));
    Ok(())
}

fn wrong_spaces_and_orbitals_are_errors<B: RunsVmc>() -> TestResult {
    let with_spin = SpinOrbitalFermions::with_spin(4, 0.5)?;
    for space in [HilbertSpace::from(Spin::half(4)?), with_spin.clone().into()] {
        assert!(matches!(Slater::<B>::new(space), Err(Error::WrongHilbert { .. })));
    }
    let space = HilbertSpace::from(with_spin.with_n_fermions_per_spin(&[2, 1])?);
    let zeros = |n| Array2::zeros((4, n));
    let message = |orbitals: Vec<Array2<f64>>| match Slater::<B>::from_orbitals(space.clone(), orbitals) {
        Ok(_) => "no error".into(),
        Err(error) => error.to_string(),
    };
    assert_eq!(message(vec![zeros(2), zeros(1)]), "no error");
    assert_eq!(message(vec![]), "0 orbital matrices; expected 2, one a spin state, or 1 that they share");
    assert_eq!(message(vec![zeros(2)]), "2 columns in the orbital matrix of spin state 1; expected 1");
    assert!(message(vec![zeros(2) * f64::NAN, zeros(1)]).contains("NaN"));
    assert!(Slater::<B>::new(space.clone())?.restricted().is_err());
    let hopping = Array2::<f64>::eye(4);
    let mut skew = hopping.clone();
    skew[[0, 1]] = 0.5;
    assert!(matches!(Slater::<B>::mean_field(space.clone(), &skew), Err(Error::NotHermitian { .. })));
    for bad in [zeros(3), Array2::eye(8)] {
        assert!(matches!(Slater::<B>::mean_field(space.clone(), &bad), Err(Error::Count { .. })));
    }
    assert!(matches!(
        Slater::<B>::mean_field(space.clone(), &(hopping * f64::INFINITY)),
        Err(Error::NotFinite { .. })
    ));
    let mut psi = Slater::<B>::new(space)?;
    assert!(matches!(psi.set_parameters(&Array1::zeros(3)), Err(Error::Count { .. })));
    let outside = B::from_host(Array2::ones((2, 8)).view(), &B::default_device())?;
    assert!(psi.log_psi(&outside).is_err() && psi.log_derivatives(&outside).is_err());
    Ok(())
}

on_backends!(
    amplitudes_are_determinants_of_filled_orbitals,
    states_are_made_by_creation_operators,
    free_fermions_on_a_ring_are_exact_without_variance,
    free_fermions_with_any_hops_are_exact_without_variance,
    log_derivatives_are_finite_differences,
    energy_gradients_are_finite_differences,
    walkers_keep_up_with_determinants,
    amplitudes_that_cancel_are_zero,
    products_are_products,
    wrong_spaces_and_orbitals_are_errors,
);

/// `Lower` is what makes the backends' operators; the walker is the same on all of them.
#[cfg(all(feature = "flat", feature = "padded"))]
#[test]
fn backends_agree() -> TestResult {
    use variational::{Flat, Padded};
    fn values<B: Lower<f64>>(hilbert: &HilbertSpace) -> operator_core::Result<Array1<Complex64>> {
        log_psi(&Slater::<B>::new(hilbert.clone())?.with_seed(4)?, &hilbert.all_states()?)
    }
    for hilbert in spaces()? {
        assert_eq!(values::<Flat>(&hilbert)?, values::<Padded>(&hilbert)?);
    }
    Ok(())
}
