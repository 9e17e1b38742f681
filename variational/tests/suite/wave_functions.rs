//! Networks against their formulas, their symmetries and finite differences.

use crate::common::{TestResult, networks, rbm, single_networks};
use ndarray::{Array1, Array2, Axis};
use num_complex::Complex64;
use operator_core::graph::{Lattice, PermutationGroup};
use operator_core::hilbert::{Fock, HilbertSpace, Spin};
use operator_core::{Boundary, WaveFunction, testing};
use variational::wave_functions::network::{Activation, Init, NetworkBackend};
use variational::{
    Arnn, Cnn, GroupCnn, Jastrow, MeanField, Mlp, Network, Rbm, RbmModPhase, RbmSymm, Trainable,
};

/// ln ψ from the definition, in the order of the parameters; ln cosh by its two exponentials.
fn formula(parameters: &Array1<f64>, x: &[i8]) -> f64 {
    let n = x.len();
    let n_hidden = (parameters.len() - n) / (n + 1);
    let visible: f64 = (0..n).map(|i| parameters[i] * f64::from(x[i])).sum();
    let hidden = (0..n_hidden).map(|j| {
        let row = n + n_hidden + j * n;
        let theta = parameters[n + j] + (0..n).map(|i| parameters[row + i] * f64::from(x[i])).sum::<f64>();
        // ln (e^θ + e^−θ) / 2 with the larger exponential in front.
        let size = theta.abs();
        size + ((1.0 + (-2.0 * size).exp()) / 2.0).ln()
    });
    visible + hidden.sum::<f64>()
}

fn spaces() -> operator_core::Result<[HilbertSpace; 3]> {
    Ok([Spin::half(7)?.into(), Spin::half(8)?.with_total_sz(1.0)?.into(), Fock::new(3, 4)?.into()])
}

fn log_psi_is_the_formula_at_small_and_large_arguments<B: NetworkBackend>() -> TestResult {
    for hilbert in spaces()? {
        for sigma in [1e-3, 0.3, 300.0] {
            let wave_function = rbm::<B>(&hilbert, sigma)?;
            let states = hilbert.all_states()?;
            let log_psi = B::amplitudes_to_host(
                &wave_function.log_psi(&B::from_host(states.view(), &B::default_device())?)?,
            )?;
            assert_eq!(log_psi.len(), states.nrows());
            for (x, value) in states.rows().into_iter().zip(log_psi) {
                let expected = formula(&wave_function.parameters(), &x.to_vec());
                assert!((value - expected).norm() < 1e-12 * expected.abs().max(1.0), "{value} {expected}");
            }
        }
    }
    Ok(())
}

/// Differences of fourth order with step 10⁻⁵, whose error is rounding, about 10⁻¹⁰.
fn log_derivatives_are_finite_differences<B: NetworkBackend>() -> TestResult {
    for hilbert in [spaces()?[1].clone(), Fock::new(2, 4)?.into()] {
        for (name, mut wave_function) in networks::<B>(&hilbert)? {
            let x = B::from_host(hilbert.states_in(5..19)?.view(), &B::default_device())?;
            let derivatives = wave_function.log_derivatives(&x)?;
            let parameters = wave_function.parameters();
            assert_eq!(derivatives.dim(), (14, wave_function.n_parameters()), "{name}");
            for k in 0..parameters.len() {
                let mut at = |step: f64| {
                    let mut moved = parameters.clone();
                    moved[k] += step;
                    wave_function.set_parameters(&moved)?;
                    B::amplitudes_to_host(&wave_function.log_psi(&x)?)
                };
                let difference = ((at(1e-5)? - at(-1e-5)?) * 8.0 - at(2e-5)? + at(-2e-5)?) / 12e-5;
                for (sample, difference) in difference.iter().enumerate() {
                    let value = derivatives.get(sample, k).ok_or("no such element")?;
                    assert!((value - difference).norm() < 1e-6, "{name}, {k}: {value} {difference}");
                }
            }
        }
    }
    Ok(())
}

/// ln ψ by the formulas of the documentation, on all states of a small space.
fn log_psi_of<B: NetworkBackend>(psi: &dyn Trainable<B>) -> operator_core::Result<Array1<Complex64>> {
    let x = B::from_host(psi.hilbert().all_states()?.view(), &B::default_device())?;
    B::amplitudes_to_host(&psi.log_psi(&x)?)
}

fn modulus_and_phase_are_two_networks<B: NetworkBackend>() -> TestResult {
    let spins = || Spin::half(5).map(HilbertSpace::from);
    let both = RbmModPhase::<B>::new(spins()?, 1.0)?.with_seed(3).with_sigma(0.5)?;
    let (mut modulus, mut phase) =
        (Rbm::<B>::new(spins()?, 1.0)?.with_sigma(0.1)?, Rbm::<B>::new(spins()?, 1.0)?.with_sigma(0.1)?);
    let n = modulus.n_parameters();
    modulus.set_parameters(&both.parameters().slice(ndarray::s![..n]).to_owned())?;
    phase.set_parameters(&both.parameters().slice(ndarray::s![n..]).to_owned())?;
    let expected = log_psi_of::<B>(&modulus)? + log_psi_of::<B>(&phase)? * Complex64::i();
    let difference = log_psi_of::<B>(&both)? - expected;
    assert!(difference.iter().all(|difference| difference.norm() < 1e-13));
    Ok(())
}

fn a_complex_rbm_is_a_product_of_hyperbolic_cosines<B: NetworkBackend>() -> TestResult {
    let hilbert = HilbertSpace::from(Spin::half(4)?);
    let rbm = Rbm::<B, Complex64>::new(hilbert.clone(), 1.0)?.with_seed(5).with_sigma(0.8)?;
    let parameters = rbm.parameters();
    let n = parameters.len() / 2;
    let parameter = |k: usize| Complex64::new(parameters[k], parameters[n + k]);
    let states = hilbert.all_states()?;
    for (x, log_psi) in states.rows().into_iter().zip(log_psi_of::<B>(&rbm)?) {
        let x = |i: usize| f64::from(x[i]);
        let mut psi = (0..4).map(|i| parameter(i) * x(i)).sum::<Complex64>().exp();
        for j in 0..4 {
            let theta = parameter(4 + j) + (0..4).map(|i| parameter(8 + 4 * j + i) * x(i)).sum::<Complex64>();
            psi *= theta.cosh();
        }
        assert!((log_psi.exp() - psi).norm() < 1e-13 * psi.norm(), "{log_psi} {psi}");
    }
    Ok(())
}

/// Networks of a group against all of its permutations, those of a chain and of a rectangle with an open
/// direction.
fn symmetric_networks_are_left_as_they_are<B: NetworkBackend>() -> TestResult {
    let ladder = Lattice::square([3, 2]).boundaries([Boundary::Periodic, Boundary::Open]);
    let mirrored = PermutationGroup::new([vec![0, 1, 2, 3, 4, 5], vec![5, 4, 3, 2, 1, 0]])?;
    for group in [Lattice::chain(6).translations()?, ladder.translations()?, mirrored] {
        let spins = || Spin::half(6).map(HilbertSpace::from);
        let networks: [Box<dyn Trainable<B>>; 3] = [
            Box::new(RbmSymm::<B>::new(spins()?, &group, 2)?.with_seed(1).with_sigma(0.5)?),
            Box::new(GroupCnn::<B>::new(spins()?, &group, &[2, 3, 2], Activation::Gelu)?.with_seed(2)),
            Box::new(
                GroupCnn::<B, Complex64>::new(spins()?, &group, &[2, 2], Activation::LnCosh)?.with_seed(3),
            ),
        ];
        let states = spins()?.all_states()?;
        for network in networks {
            let expected = log_psi_of::<B>(&network)?;
            let spread = expected.iter().map(|z| (z - expected[0]).norm()).fold(0.0, f64::max);
            assert!(spread > 0.05, "a network that is not constant: {spread}");
            for permutation in group.permutations() {
                let moved = states.select(Axis(1), permutation);
                let x = B::from_host(moved.view(), &B::default_device())?;
                let difference = B::amplitudes_to_host(&network.log_psi(&x)?)? - &expected;
                assert!(difference.iter().all(|difference| difference.norm() < 1e-12));
            }
        }
    }
    Ok(())
}

/// All but those with several layers have walkers.
fn walkers_follow_networks<B: NetworkBackend>() -> TestResult {
    let spaces: [HilbertSpace; 3] =
        [Spin::half(6)?.into(), Spin::half(6)?.with_total_sz(1.0)?.into(), Fock::new(3, 5)?.into()];
    for hilbert in spaces {
        let mut n_walked = 0;
        for (name, network) in networks::<B>(&hilbert)? {
            if network.walker().is_some() {
                testing::check_walker::<B, _>(&network, 200, 3)
                    .map_err(|error| format!("{name}: {error}"))?;
                n_walked += 1;
            } else {
                assert!(
                    ["MLP", "CNN", "Arnn"].iter().any(|deep| name.contains(deep)),
                    "{name} has no walker"
                );
            }
        }
        for (name, network) in single_networks::<B>(&hilbert)? {
            if network.walker().is_some() {
                testing::check_walker_within::<B, _>(&network, 1e-5, 200, 3)
                    .map_err(|error| format!("{name} in single precision: {error}"))?;
                n_walked += 1;
            }
        }
        assert_eq!(n_walked, 2 * 9);
    }
    Ok(())
}

/// In single precision the parameters are the same, ln ψ and its derivatives but for rounding.
fn single_precision_rounds_what_double_precision_gives<B: NetworkBackend>() -> TestResult {
    for hilbert in spaces()? {
        let x = B::from_host(hilbert.all_states()?.view(), &B::default_device())?;
        for ((name, mut single), (_, mut double)) in
            single_networks::<B>(&hilbert)?.into_iter().zip(networks::<B>(&hilbert)?)
        {
            assert_eq!(single.layout(), double.layout(), "{name}");
            // Steps that f32 has no number for are kept.
            let parameters = double.parameters() * (1.0 + 1e-10);
            single.set_parameters(&parameters)?;
            double.set_parameters(&parameters)?;
            assert_eq!(single.parameters(), parameters, "{name}");
            let host = |psi: &dyn Trainable<B>| B::amplitudes_to_host(&psi.log_psi(&x)?);
            let mut pairs: Vec<_> = host(&*single)?.into_iter().zip(host(&*double)?).collect();
            let (by_single, by_double) = (single.log_derivatives(&x)?, double.log_derivatives(&x)?);
            assert_eq!(by_single.dim(), by_double.dim(), "{name}");
            let (batch, n) = by_double.dim();
            for (sample, k) in (0..batch).flat_map(|sample| (0..n).map(move |k| (sample, k))) {
                pairs.extend(by_single.get(sample, k).zip(by_double.get(sample, k)));
            }
            assert_eq!(pairs.len(), batch * (1 + n), "{name}");
            let error = |(a, b): &(Complex64, Complex64)| (a - b).norm() / b.norm().max(1.0);
            let largest = pairs.iter().map(error).fold(0.0, f64::max);
            assert!(largest < 1e-4, "{name}: {largest}");
            assert!(largest > 1e-9 || name.contains("Arnn"), "{name} is not in single precision: {largest}");
        }
    }
    Ok(())
}

fn layouts_name_every_parameter_once<B: NetworkBackend>() -> TestResult {
    for (name, network) in networks::<B>(&Spin::half(4)?.into())? {
        let layout = network.layout();
        let names: std::collections::BTreeSet<_> = layout.iter().map(|array| array.name()).collect();
        assert_eq!(names.len(), layout.len(), "{name}: {layout:?}");
        let n_values: usize = layout.iter().map(|array| array.n_values()).sum();
        assert_eq!(n_values, network.n_parameters(), "{name}: {layout:?}");
    }
    Ok(())
}

fn wrong_settings_are_errors<B: NetworkBackend>() -> TestResult {
    use operator_core::Error;
    let spins = Spin::half(4)?;
    for alpha in [0.0, -1.0, 0.1] {
        assert!(matches!(Rbm::<B>::new(spins.clone(), alpha), Err(Error::Count { .. })));
    }
    assert!(matches!(Rbm::<B>::new(spins.clone(), f64::NAN), Err(Error::NotFinite { .. })));
    let group = Lattice::chain(3).translations()?;
    assert!(matches!(RbmSymm::<B>::new(spins.clone(), &group, 1), Err(Error::Count { .. })));
    for network in [
        Mlp::<B, Complex64>::new(spins.clone(), &[2], Activation::Relu).err(),
        Mlp::<B, Complex64>::new(spins.clone(), &[0], Activation::Tanh).err(),
        GroupCnn::<B, Complex64>::new(
            spins.clone(),
            &Lattice::chain(4).translations()?,
            &[],
            Activation::Tanh,
        )
        .err(),
        Jastrow::<B, Complex64>::new(Spin::half(1)?).err(),
    ] {
        assert!(matches!(network, Some(Error::Count { .. })), "{network:?}");
    }
    let open = Lattice::chain(4).boundary(Boundary::Open);
    let refused = Cnn::<B>::new(spins.clone(), &open, 3, &[2], Activation::Tanh);
    assert!(matches!(refused, Err(Error::Lattice(_))));
    for sigma in [f64::NAN, f64::INFINITY] {
        let refused = Mlp::<B>::new(spins.clone(), &[2], Activation::Tanh)?.with_sigma(sigma);
        assert!(matches!(refused, Err(Error::NotFinite { .. })));
        let refused = Arnn::<B>::new(spins.clone(), &[2], Activation::Tanh)?.with_init(Init::Normal(sigma));
        assert!(matches!(refused, Err(Error::NotFinite { .. })));
    }
    let mut wave_function = Rbm::<B>::new(spins, 1.0)?;
    assert!(matches!(wave_function.set_parameters(&Array1::zeros(3)), Err(Error::Count { .. })));
    let narrow = B::from_host(Array2::ones((2, 3)).view(), &B::default_device())?;
    assert!(wave_function.log_psi(&narrow).is_err() && wave_function.log_derivatives(&narrow).is_err());
    Ok(())
}

fn builders_draw_parameters_anew<B: NetworkBackend>() -> TestResult {
    let rbm = || Rbm::<B>::new(Spin::half(4)?, 1.0);
    let (first, second) = (rbm()?.with_seed(3).with_sigma(0.2)?, rbm()?.with_sigma(0.2)?.with_seed(3));
    assert_eq!(first.parameters(), second.parameters(), "in any order");
    assert_eq!(rbm()?.parameters(), rbm()?.with_seed(0).with_sigma(0.01)?.parameters(), "the defaults");
    assert_ne!(first.parameters(), rbm()?.with_seed(4).with_sigma(0.2)?.parameters());
    assert!((&first.parameters() - 20.0 * rbm()?.with_seed(3).parameters()).iter().all(|p| p.abs() < 1e-14));
    let mut moved = first.clone();
    moved.set_parameters(&(2.0 * first.parameters()))?;
    let x = B::from_host(Array2::ones((1, 4)).view(), &B::default_device())?;
    let log_psi = |rbm: &Rbm<B>| B::amplitudes_to_host(&rbm.log_psi(&x)?);
    let before = log_psi(&moved)?;
    let moved = moved.with_device(B::default_device());
    assert_eq!(
        (moved.parameters(), log_psi(&moved)?),
        (2.0 * first.parameters(), before),
        "devices keep them"
    );
    assert_eq!(log_psi(&moved.with_seed(3))?, log_psi(&first)?, "what was evaluated before is forgotten");
    let lecun = rbm()?.with_init(Init::LecunNormal)?.parameters();
    assert!(lecun.iter().skip(4).take(4).all(|&bias| bias == 0.0), "{lecun}");
    Ok(())
}

on_backends!(
    log_psi_is_the_formula_at_small_and_large_arguments,
    log_derivatives_are_finite_differences,
    modulus_and_phase_are_two_networks,
    a_complex_rbm_is_a_product_of_hyperbolic_cosines,
    symmetric_networks_are_left_as_they_are,
    walkers_follow_networks,
    single_precision_rounds_what_double_precision_gives,
    layouts_name_every_parameter_once,
    wrong_settings_are_errors,
    builders_draw_parameters_anew,
);

#[cfg(all(feature = "flat", feature = "padded"))]
#[test]
fn backends_agree_on_the_same_seed() -> TestResult {
    use operator_core::Backend;
    use variational::{Flat, Padded};
    for hilbert in [Spin::half(6)?.into(), HilbertSpace::from(Fock::new(2, 4)?)] {
        let x = hilbert.all_states()?;
        let tensor = Padded::from_host(x.view(), &Padded::default_device())?;
        for ((name, flat), (_, padded)) in
            networks::<Flat>(&hilbert)?.into_iter().zip(networks::<Padded>(&hilbert)?)
        {
            assert_eq!(flat.parameters(), padded.parameters(), "{name}");
            let difference = flat.log_psi(&x)? - Padded::amplitudes_to_host(&padded.log_psi(&tensor)?)?;
            assert!(difference.iter().all(|difference| difference.norm() < 1e-11), "{name}");
            let (flat, padded) = (flat.log_derivatives(&x)?, padded.log_derivatives(&tensor)?);
            let (batch, n) = flat.dim();
            for (sample, k) in (0..batch).flat_map(|sample| (0..n).map(move |k| (sample, k))) {
                let difference = flat.get(sample, k).zip(padded.get(sample, k)).map(|(a, b)| (a - b).norm());
                assert!(difference.is_some_and(|difference| difference < 1e-11), "{name}");
            }
        }
    }
    Ok(())
}

/// Blocks of rows that threads evaluate give the same bits as all rows one by one.
#[cfg(feature = "flat")]
#[test]
fn blocks_of_rows_do_not_change_the_values() -> TestResult {
    use variational::Flat;
    let hilbert = HilbertSpace::from(Spin::half(11)?);
    let x = hilbert.all_states()?;
    for (name, network) in networks::<Flat>(&hilbert)? {
        let (whole, derivatives) = (network.log_psi(&x)?, network.log_derivatives(&x)?);
        for row in (0..x.nrows()).step_by(97) {
            let one = x.select(Axis(0), &[row]);
            assert!((network.log_psi(&one)?[0] - whole[row]).norm() < 1e-12, "{name}");
            let one = network.log_derivatives(&one)?;
            for k in 0..one.dim().1 {
                let difference = one.get(0, k).zip(derivatives.get(row, k)).map(|(a, b)| (a - b).norm());
                assert!(difference.is_some_and(|difference| difference < 1e-12), "{name}");
            }
        }
    }
    Ok(())
}

/// What autograd finds through the tensor of parameters is what is written by hand.
#[cfg(feature = "padded")]
#[test]
fn log_psi_can_be_differentiated_in_a_tensor_of_parameters() -> TestResult {
    use candle_core::{Device, Tensor, Var};
    use num_complex::Complex32;
    use operator_core::Backend;
    use variational::Padded;
    use variational::wave_functions::network::NetworkKind;

    fn check<K: NetworkKind>(network: &Network<Padded, K>, tolerance: f64) -> TestResult {
        let x = network.hilbert().states_in(0..4)?;
        let x = Padded::from_host(x.view(), &Device::Cpu)?;
        let variable = Var::from_vec(network.parameters().to_vec(), network.n_parameters(), &Device::Cpu)?;
        let attached = network.with_parameter_tensor(variable.as_tensor())?;
        assert_eq!(attached.parameters(), network.parameters());
        let log_psi = attached.log_psi(&x)?;
        let derivatives = network.log_derivatives(&x)?;
        for sample in 0..4 {
            let gradient = |part: &Tensor| -> candle_core::Result<Vec<f64>> {
                let gradients = part.get(sample)?.backward()?;
                let zero = variable.as_tensor().zeros_like()?;
                gradients.get(&variable).unwrap_or(&zero).to_vec1()
            };
            let re = gradient(log_psi.re())?;
            let im = match log_psi.im() {
                Some(im) => gradient(im)?,
                None => vec![0.0; re.len()],
            };
            for (k, (re, im)) in re.into_iter().zip(im).enumerate() {
                let expected = derivatives.get(sample, k).ok_or("no such element")?;
                assert!((Complex64::new(re, im) - expected).norm() < tolerance, "{network:?} {k}");
            }
        }
        Ok(())
    }

    let spins = || Spin::half(4).map(HilbertSpace::from);
    let group = Lattice::chain(4).translations()?;
    check(&Rbm::<Padded>::new(spins()?, 1.0)?.with_seed(1).with_sigma(0.5)?, 1e-12)?;
    check(&Rbm::<Padded, Complex64>::new(spins()?, 1.0)?.with_seed(1).with_sigma(0.5)?, 1e-12)?;
    check(&RbmModPhase::<Padded>::new(spins()?, 1.0)?.with_seed(1).with_sigma(0.5)?, 1e-12)?;
    check(&Jastrow::<Padded, Complex64>::new(spins()?)?.with_seed(1).with_sigma(0.5)?, 1e-12)?;
    check(&MeanField::<Padded>::new(spins()?)?.with_seed(1).with_sigma(0.5)?, 1e-12)?;
    check(&Mlp::<Padded>::new(spins()?, &[5, 3], Activation::Gelu)?.with_seed(1), 1e-12)?;
    check(
        &GroupCnn::<Padded, Complex64>::new(spins()?, &group, &[2, 2], Activation::LnCosh)?.with_seed(1),
        1e-12,
    )?;
    check(&Rbm::<Padded, f32>::new(spins()?, 1.0)?.with_seed(1).with_sigma(0.5)?, 1e-6)?;
    check(&Mlp::<Padded, Complex32>::new(spins()?, &[5, 3], Activation::Tanh)?.with_seed(1), 1e-6)?;
    let network = Rbm::<Padded>::new(spins()?, 1.0)?.with_seed(1).with_sigma(0.5)?;
    let short = Tensor::zeros(3, candle_core::DType::F64, &Device::Cpu)?;
    assert!(matches!(network.with_parameter_tensor(&short), Err(operator_core::Error::Count { .. })));
    Ok(())
}

/// What walkers of the network before have in common is not what they start from.
#[cfg(feature = "padded")]
#[test]
fn walkers_follow_the_parameters_of_the_tensor() -> TestResult {
    use candle_core::{Device, Tensor};
    use variational::Padded;

    let network = Rbm::<Padded>::new(Spin::half(4)?, 1.0)?.with_seed(1).with_sigma(0.5)?;
    testing::check_walker(&network, 20, 2)?;
    let doubled = (2.0 * network.parameters()).to_vec();
    let doubled = Tensor::from_vec(doubled, network.n_parameters(), &Device::Cpu)?;
    testing::check_walker(&network.with_parameter_tensor(&doubled)?, 20, 2)?;
    Ok(())
}

/// A layer without units, beside one that has some.
#[cfg(feature = "flat")]
#[test]
fn hidden_layers_without_units_are_followed() -> TestResult {
    use variational::wave_functions::network::{Architecture, Branch, Custom};

    for activation in [Activation::LnCosh, Activation::Tanh] {
        let branches =
            [Branch::new(5).dense("visible", 1), Branch::new(5).dense("none", 0).activation(activation)];
        let network = Network::<backend_flat::Flat, Custom>::from_architecture(
            Spin::half(5)?,
            Architecture::new(branches),
        )?
        .with_seed(1)
        .with_init(Init::Normal(0.5))?;
        testing::check_walker(&network, 100, 2)?;
    }
    Ok(())
}
