//! Compares spaces with lists of all rows, and checks their errors.

use super::*;
use crate::error::Error;
use proptest::prelude::*;
use rand::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;

fn spaces() -> Vec<HilbertSpace> {
    let fermions = SpinOrbitalFermions::with_spin(3, 0.5).unwrap();
    vec![
        Spin::half(5).unwrap().into(),
        Spin::half(6).unwrap().with_total_sz(1.0).unwrap().into(),
        Spin::half(5).unwrap().with_total_sz(-0.5).unwrap().into(),
        Spin::new(1.0, 4).unwrap().with_total_sz(0.0).unwrap().into(),
        Spin::new(1.5, 3).unwrap().into(),
        Qubit::new(4).unwrap().into(),
        Fock::new(3, 3).unwrap().into(),
        Fock::new(2, 5).unwrap().with_n_particles(4).unwrap().into(),
        Fock::new(2, 2).unwrap().with_n_particles(4).unwrap().into(),
        fermions.clone().into(),
        fermions.with_n_fermions(2).unwrap().into(),
        fermions.with_n_fermions_per_spin(&[2, 1]).unwrap().into(),
    ]
    .into_iter()
    .chain(tensors())
    .collect()
}

fn tensors() -> Vec<HilbertSpace> {
    let spins: HilbertSpace = Spin::half(3).unwrap().with_total_sz(0.5).unwrap().into();
    let bosons: HilbertSpace = Fock::new(2, 2).unwrap().with_n_particles(2).unwrap().into();
    let fermions = SpinOrbitalFermions::with_spin(2, 0.5).unwrap();
    let fermions: HilbertSpace = fermions.with_n_fermions_per_spin(&[1, 2]).unwrap().into();
    vec![
        (HilbertSpace::from(Spin::new(1.0, 2).unwrap()) * Fock::new(3, 1).unwrap()).unwrap(),
        (bosons.clone() * spins.clone()).unwrap(),
        (fermions.clone() * Fock::new(2, 1).unwrap()).unwrap(),
        HilbertSpace::tensor([Qubit::new(1).unwrap().into(), fermions, spins]).unwrap(),
        HilbertSpace::tensor([bosons]).unwrap(),
    ]
}

/// All rows of local states in lexicographic order of indices that satisfy the constraint.
fn brute_force(space: &HilbertSpace) -> Vec<Vec<i8>> {
    let mut rows: Vec<Vec<usize>> = vec![vec![]];
    for site in 0..space.n_sites() {
        let dim = space.local_dim(site);
        rows = rows.iter().flat_map(|row| (0..dim).map(move |d| [row.clone(), vec![d]].concat())).collect();
    }
    let allowed = |row: &&Vec<usize>| {
        space.blocks().iter().all(|block| {
            let sum: usize = row[block.start..block.start + block.n_sites].iter().sum();
            block.total.is_none_or(|total| total == sum)
        })
    };
    let value = |(site, &d): (usize, &usize)| space.local(site).value(d);
    rows.iter().filter(allowed).map(|row| row.iter().enumerate().map(value).collect()).collect()
}

#[test]
fn all_states_are_the_brute_force_list_in_its_order() {
    for space in spaces() {
        let states = space.all_states().unwrap();
        let rows: Vec<Vec<i8>> = states.rows().into_iter().map(|row| row.to_vec()).collect();
        assert_eq!(rows, brute_force(&space), "{space}");
        let indices = space.states_to_indices(states.view()).unwrap();
        assert_eq!(indices.to_vec(), (0..rows.len()).collect::<Vec<_>>(), "{space}");
        assert!((space.log2_n_states() - (rows.len() as f64).log2()).abs() < 1e-9, "{space}");
    }
}

#[test]
fn sixty_spins_are_numbered_by_binomials() {
    let space: HilbertSpace = Spin::half(60).unwrap().with_total_sz(0.0).unwrap().into();
    assert_eq!(space.n_states().unwrap(), 118_264_581_564_861_424);
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    let states = space.random_states(200, &mut rng).unwrap();
    space.check(states.view()).unwrap();
    let indices = space.states_to_indices(states.view()).unwrap();
    assert_eq!(space.indices_to_states(indices.as_slice().unwrap()).unwrap(), states);
}

#[test]
fn large_spaces_are_sampled_though_not_numbered() {
    let spins: HilbertSpace = Spin::half(1000).unwrap().with_total_sz(0.0).unwrap().into();
    let bosons: HilbertSpace = Fock::new(4, 400).unwrap().with_n_particles(400).unwrap().into();
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(2);
    for space in [spins, bosons] {
        assert!(!space.is_indexable());
        space.check(space.random_states(5, &mut rng).unwrap().view()).unwrap();
    }
    let spins: HilbertSpace = Spin::half(1000).unwrap().with_total_sz(0.0).unwrap().into();
    // log2 C(1000, 500) by Stirling's series.
    let (n, pi) = (1000.0f64, std::f64::consts::PI);
    let expected = n - 0.5 * (pi * n / 2.0).log2() + (-1.0 / (4.0 * n)) / std::f64::consts::LN_2;
    assert!((spins.log2_n_states() - expected).abs() < 1e-6);
}

#[test]
fn random_states_are_uniform() {
    // 19 states, 18 degrees of freedom: a correct sampler exceeds a chi-square of 42.3 with probability 1e-3.
    uniform(Fock::new(2, 4).unwrap().with_n_particles(4).unwrap().into(), 19, 42.3);
    // 18 states, 17 degrees of freedom: 40.8 with probability 1e-3.
    let bosons: HilbertSpace = Fock::new(2, 3).unwrap().with_n_particles(2).unwrap().into();
    let spins = Spin::half(3).unwrap().with_total_sz(-0.5).unwrap();
    uniform((bosons * spins).unwrap(), 18, 40.8);
}

fn uniform(space: HilbertSpace, n_states: usize, bound: f64) {
    assert_eq!(space.n_states().unwrap(), n_states);
    let n = 1000 * n_states;
    let states = space.random_states(n, &mut Xoshiro256PlusPlus::seed_from_u64(3)).unwrap();
    let mut counts = vec![0.0f64; n_states];
    space.states_to_indices(states.view()).unwrap().iter().for_each(|&k| counts[k] += 1.0);
    let chi_square: f64 = counts.iter().map(|count| (count - 1000.0).powi(2) / 1000.0).sum();
    assert!(chi_square < bound, "{space}: {chi_square}");
}

#[test]
fn states_of_a_product_are_pairs_of_states_the_first_most_significant() {
    for (a, b) in tensors().into_iter().zip(spaces()) {
        let product = (a.clone() * b.clone()).unwrap();
        let (left, right) = (a.all_states().unwrap(), b.all_states().unwrap());
        let pairs = left.rows().into_iter().flat_map(|l| right.rows().into_iter().map(move |r| (l, r)));
        let states = product.all_states().unwrap();
        assert_eq!(states.nrows(), left.nrows() * right.nrows());
        for (state, (l, r)) in states.rows().into_iter().zip(pairs) {
            assert_eq!(state.to_vec(), [l.to_vec(), r.to_vec()].concat());
        }
    }
}

#[test]
fn products_of_products_are_products_of_their_factors() {
    let [a, b, c]: [HilbertSpace; 3] =
        [Spin::half(2).unwrap().into(), Qubit::new(1).unwrap().into(), Fock::new(2, 2).unwrap().into()];
    let left = ((a.clone() * b.clone()).unwrap() * c.clone()).unwrap();
    let right = (a.clone() * (b.clone() * c.clone()).unwrap()).unwrap();
    assert_eq!(left, right);
    assert_eq!(left.to_string(), "Spin(1/2, 2 sites) ⊗ Qubit(1) ⊗ Fock(n_max = 2, 2 sites)");
    assert_eq!(left.factors(), [a.clone(), b, c]);
    assert_eq!(HilbertSpace::tensor([a.clone()]).unwrap(), a);
    let HilbertSpace::Tensor(tensor) = left else { panic!("a product is a tensor") };
    assert_eq!((0..3).map(|k| tensor.sites(k).unwrap()).collect::<Vec<_>>(), [0..2, 2..3, 3..5]);
}

#[test]
fn products_of_other_factors_are_other_spaces() {
    let qubits = HilbertSpace::from(Qubit::new(2).unwrap());
    let bosons = HilbertSpace::from(Fock::new(1, 2).unwrap());
    assert_eq!(qubits.blocks(), bosons.blocks());
    let spin = || Spin::half(1).unwrap();
    let products = [
        (qubits.clone() * spin()).unwrap(),
        (bosons.clone() * spin()).unwrap(),
        (HilbertSpace::from(spin()) * qubits.clone()).unwrap(),
        (qubits.clone() * bosons.clone()).unwrap(),
        (qubits.clone() * qubits.clone()).unwrap(),
        Qubit::new(4).unwrap().into(),
        qubits,
        bosons,
    ];
    for (k, a) in products.iter().enumerate() {
        for (l, b) in products.iter().enumerate() {
            assert_eq!(a == b, k == l, "{a} and {b}");
        }
    }
    #[expect(clippy::mutable_key_type, reason = "what is found when it is needed is not hashed")]
    let distinct: std::collections::HashSet<_> = products.iter().chain(&products).collect();
    assert_eq!(distinct.len(), products.len());
}

#[test]
fn fermion_modes_are_those_of_fermion_factors() {
    let fermions = HilbertSpace::from(SpinOrbitalFermions::with_spin(2, 0.5).unwrap());
    let other = SpinOrbitalFermions::new(3).unwrap();
    let both = (fermions.clone() * other.clone()).unwrap();
    assert!(both.is_fermionic() && fermions.is_fermionic());
    let space = HilbertSpace::tensor([fermions, Qubit::new(2).unwrap().into(), other.into()]).unwrap();
    assert!(!space.is_fermionic());
    let modes: Vec<_> = (0..10).map(|site| space.modes_with(site)).collect();
    let [first, second] = [Some(0..4), Some(6..9)];
    assert_eq!(modes[..4], vec![first; 4]);
    assert_eq!(modes[4..6], [None, None]);
    assert_eq!(modes[6..9], vec![second; 3]);
    assert_eq!(modes[9], None, "there is no site 9");
}

proptest! {
    #[test]
    fn ranking_and_unranking_are_inverse(which in 0..spaces().len(), seed in any::<u64>()) {
        let space = &spaces()[which];
        let index = seed as usize % space.n_states().unwrap();
        let mut x = vec![0; space.n_sites()];
        space.state_at(index, &mut x).unwrap();
        prop_assert_eq!(space.index_of(&x).unwrap(), index);
    }

    #[test]
    fn any_bytes_are_accepted_or_refused_without_panic(
        which in 0..spaces().len(), x in proptest::collection::vec(any::<i8>(), 0..8)
    ) {
        let space = &spaces()[which];
        let listed = brute_force(space).contains(&x);
        prop_assert_eq!(space.check_row(0, &x).is_ok(), listed);
    }
}

#[test]
fn bad_samples_and_spaces_are_refused_with_the_value_and_the_remedy() {
    let message = |error: Error| error.to_string();
    let space: HilbertSpace = Spin::half(4).unwrap().with_total_sz(0.0).unwrap().into();
    assert_eq!(
        message(space.check_row(3, &[1, 2, 1, 1]).unwrap_err()),
        "sample 3 has quantum number 2 at site 1; Spin(1/2, 4 sites, total_sz = 0) allows 1 and -1"
    );
    assert_eq!(
        message(space.check_row(3, &[1, 1]).unwrap_err()),
        "samples have 2 sites; Spin(1/2, 4 sites, total_sz = 0) has 4"
    );
    assert_eq!(
        message(space.check_row(1, &[1, 1, 1, -1]).unwrap_err()),
        "sample 1 is outside Spin(1/2, 4 sites, total_sz = 0): total_sz = 1, expected total_sz = 0"
    );
    assert_eq!(
        message(space.state_at(6, &mut [0; 4]).unwrap_err()),
        "state 6 does not exist: Spin(1/2, 4 sites, total_sz = 0) has 6 states"
    );
    let fermions = SpinOrbitalFermions::with_spin(2, 0.5).unwrap();
    let product = HilbertSpace::tensor([
        space.clone(),
        Fock::new(2, 2).unwrap().with_n_particles(1).unwrap().into(),
        fermions.with_n_fermions_per_spin(&[1, 1]).unwrap().into(),
    ]);
    let product = product.unwrap();
    let found = |x: &[i8]| message(product.check_row(0, x).unwrap_err());
    assert!(
        found(&[1, 1, 1, -1, 0, 1, 0, 1, 0, 1])
            .ends_with(": total_sz = 1 on sites 0 to 3, expected total_sz = 0 on sites 0 to 3")
    );
    assert!(
        found(&[1, -1, 1, -1, 0, 2, 0, 1, 0, 1])
            .ends_with(": 2 particles on sites 4 to 5, expected 1 particles on sites 4 to 5")
    );
    assert!(
        found(&[1, -1, 1, -1, 0, 1, 0, 1, 1, 1])
            .ends_with(": 2 fermions in modes 8 to 9, expected 1 fermions in modes 8 to 9")
    );
    assert!(found(&[1, -1, 1, -1, 0, 3, 0, 1, 0, 1]).contains("quantum number 3 at site 5"));
    let large: HilbertSpace = Qubit::new(100).unwrap().into();
    assert_eq!(
        message(large.n_states().unwrap_err()),
        "Qubit(100) has about 2^100 states, too many to be numbered; use samples instead of all states"
    );
    let large: HilbertSpace = Qubit::new(40).unwrap().into();
    assert!(message(large.all_states().unwrap_err()).contains("4.398e13 bytes"));
    for error in [
        Spin::new(0.3, 4).unwrap_err(),
        Spin::new(f64::NAN, 4).unwrap_err(),
        Spin::half(4).unwrap().with_total_sz(0.5).unwrap_err(),
        Spin::half(4).unwrap().with_total_sz(3.0).unwrap_err(),
        Qubit::new(0).unwrap_err(),
        Fock::new(0, 2).unwrap_err(),
        Fock::new(2, 2).unwrap().with_n_particles(5).unwrap_err(),
        SpinOrbitalFermions::new(2).unwrap().with_n_fermions(3).unwrap_err(),
        SpinOrbitalFermions::with_spin(2, 0.5).unwrap().with_n_fermions_per_spin(&[1]).unwrap_err(),
        SpinOrbitalFermions::with_spin(2, 0.5).unwrap().mode(0, 2).unwrap_err(),
        TensorHilbert::new(Vec::<HilbertSpace>::new()).unwrap_err(),
        TensorHilbert::new([Qubit::new(2).unwrap()]).unwrap().sites(1).unwrap_err(),
    ] {
        assert!(matches!(error, Error::InvalidHilbert(_)), "{error}");
    }
}
