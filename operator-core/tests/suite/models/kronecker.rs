//! Each model's matrix against products of matrices on single sites, with random parameters.

use ndarray::array;
use num_complex::Complex64;
use operator_core::hilbert::{Fock, Qubit, Spin, SpinOrbitalFermions};
use operator_core::terms::Ladder;
use operator_core::{
    BoseHubbard, Boundary, FermiHubbard, FermionOperator2nd, Graph, HilbertSpace, KitaevHoneycomb, Model,
    Rydberg, Ssh, TJ, Xyz,
};
use proptest::collection::vec;
use proptest::prelude::*;

use super::matrix::{Matrix, assert_close, block, dagger, dense, destroy, on, paulis, real};

fn numbers(n: usize) -> impl Strategy<Value = Vec<f64>> {
    vec(-3.0..3.0f64, n)
}

fn triangle() -> Graph {
    Graph::from_edges(3, [[0, 1], [2, 1], [2, 0]]).unwrap()
}

/// An even cycle in which no bond equals another by symmetry, with a tail.
fn path_of_four() -> Graph {
    Graph::from_edges(4, [[0, 1], [3, 1], [2, 3], [0, 2]]).unwrap()
}

fn scaled(factor: f64, matrix: &Matrix) -> Matrix {
    matrix.mapv(|z| z * factor)
}

fn sum(dim: usize, parts: impl IntoIterator<Item = Matrix>) -> Matrix {
    parts.into_iter().fold(Matrix::zeros((dim, dim)), |sum, part| sum + part)
}

/// 2 Sx, 2 Sy, 2 Sz as textbooks print them.
fn twice_spin(two_s: usize) -> [Matrix; 3] {
    let (two, three) = (2f64.sqrt(), 3f64.sqrt());
    let (x, raise, z) = match two_s {
        1 => return paulis(),
        2 => (
            array![[0.0, two, 0.0], [two, 0.0, two], [0.0, two, 0.0]],
            array![[0.0, two, 0.0], [0.0, 0.0, two], [0.0, 0.0, 0.0]],
            array![[2.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, -2.0]],
        ),
        3 => (
            array![
                [0.0, three, 0.0, 0.0],
                [three, 0.0, 2.0, 0.0],
                [0.0, 2.0, 0.0, three],
                [0.0, 0.0, three, 0.0]
            ],
            array![
                [0.0, three, 0.0, 0.0],
                [0.0, 0.0, 2.0, 0.0],
                [0.0, 0.0, 0.0, three],
                [0.0, 0.0, 0.0, 0.0]
            ],
            array![[3.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, -1.0, 0.0], [0.0, 0.0, 0.0, -3.0]],
        ),
        _ => panic!("no matrices of spin {two_s}/2 here"),
    };
    let y = real(raise.t().to_owned() - &raise) * Complex64::I;
    [real(x), y, real(z)]
}

fn xyz_matrix(graph: &Graph, two_s: usize, j: [&[f64]; 3], h: &[f64]) -> Matrix {
    let (n, operators) = (graph.n_nodes(), twice_spin(two_s));
    let dim = (two_s + 1).pow(n as u32);
    let bonds = graph.edges().iter().enumerate().flat_map(|(bond, &[a, b])| {
        let operators = operators.iter().zip(j).collect::<Vec<_>>();
        operators
            .into_iter()
            .map(move |(o, j)| scaled(j[bond], &on(n, a, o).dot(&on(n, b, o))))
            .collect::<Vec<_>>()
    });
    let field = h.iter().enumerate().map(|(site, h)| scaled(-h, &on(n, site, &operators[2])));
    sum(dim, bonds.chain(field))
}

fn spins(two_s: usize, n: usize) -> Spin {
    Spin::new(two_s as f64 / 2.0, n).unwrap()
}

/// c of each orbital and spin state, as `[orbital][spin state]`.
fn electrons(n_orbitals: usize) -> Vec<[Matrix; 2]> {
    let mode = |orbital, spin| destroy(2 * n_orbitals, spin * n_orbitals + orbital);
    (0..n_orbitals).map(|orbital| [mode(orbital, 0), mode(orbital, 1)]).collect()
}

fn number(c: &Matrix) -> Matrix {
    dagger(c).dot(c)
}

/// Checks a model of electrons on all states, and on some numbers of each spin.
fn check_electrons<M: Model>(n_orbitals: usize, expected: &Matrix, model: impl Fn(HilbertSpace) -> M) {
    let free = SpinOrbitalFermions::with_spin(n_orbitals, 0.5).unwrap();
    let full: HilbertSpace = free.clone().into();
    assert_close(&dense(&model(full.clone())), expected);
    for per_spin in [[1, 2], [2, 2], [0, 1]] {
        let part: HilbertSpace = free.with_n_fermions_per_spin(&per_spin).unwrap().into();
        assert_close(&dense(&model(part.clone())), &block(expected, &full, &part));
    }
    let part: HilbertSpace = free.with_n_fermions(3).unwrap().into();
    assert_close(&dense(&model(part.clone())), &block(expected, &full, &part));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn bose_hubbard_is_its_sum(j in numbers(3), u in numbers(3), v in numbers(3), mu in numbers(3)) {
        let (s2, s3) = (2f64.sqrt(), 3f64.sqrt());
        let b = real(array![
            [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, s2, 0.0], [0.0, 0.0, 0.0, s3], [0.0, 0.0, 0.0, 0.0]
        ]);
        let b: Vec<Matrix> = (0..3).map(|site| on(3, site, &b)).collect();
        let n: Vec<Matrix> = b.iter().map(number).collect();
        let one = Matrix::eye(64);
        let sites = (0..3).map(|i| scaled(0.5 * u[i], &n[i].dot(&(&n[i] - &one))) - scaled(mu[i], &n[i]));
        let bonds = triangle().edges().iter().enumerate().map(|(bond, &[p, q])| {
            let hop = dagger(&b[p]).dot(&b[q]);
            scaled(v[bond], &n[p].dot(&n[q])) - scaled(j[bond], &(&hop + &dagger(&hop)))
        }).collect::<Vec<_>>();
        let expected = sum(64, sites.chain(bonds));
        let model = |space: HilbertSpace| {
            let model = BoseHubbard::new(space, &triangle(), u.clone()).unwrap();
            model.with_j(j.clone()).with_v(v.clone()).with_mu(mu.clone())
        };
        let free = Fock::new(3, 3).unwrap();
        let full: HilbertSpace = free.clone().into();
        assert_close(&dense(&model(full.clone())), &expected);
        let part: HilbertSpace = free.with_n_particles(4).unwrap().into();
        assert_close(&dense(&model(part.clone())), &block(&expected, &full, &part));
    }

    #[test]
    fn fermi_hubbard_is_its_sum(t in numbers(3), u in numbers(3)) {
        let c = electrons(3);
        let hops = triangle().edges().iter().enumerate().flat_map(|(bond, &[i, j])| {
            [0, 1].map(|s| {
                let hop = dagger(&c[i][s]).dot(&c[j][s]);
                scaled(-t[bond], &(&hop + &dagger(&hop)))
            })
        }).collect::<Vec<_>>();
        let onsite = (0..3).map(|i| scaled(u[i], &number(&c[i][0]).dot(&number(&c[i][1]))));
        let expected = sum(64, onsite.chain(hops));
        check_electrons(3, &expected, |space| {
            FermiHubbard::new(space, &triangle(), t.clone(), u.clone()).unwrap()
        });
    }

    #[test]
    fn t_j_is_its_projected_sum(t in numbers(3), j in numbers(3), penalty in -3.0..3.0f64) {
        let c = electrons(3);
        let one = Matrix::eye(64);
        let double = |i: usize| number(&c[i][0]).dot(&number(&c[i][1]));
        let density = |i: usize| number(&c[i][0]) + number(&c[i][1]);
        // S = 1/2 Σ c†_a σ_ab c_b; up, the spin state 1, is the first row of σ.
        let spin = |i: usize, pauli: &Matrix| {
            sum(64, [0, 1].into_iter().flat_map(|a| [0, 1].map(|b| {
                dagger(&c[i][1 - a]).dot(&c[i][1 - b]).mapv(|z| 0.5 * z * pauli[[a, b]])
            })))
        };
        let bonds = triangle().edges().iter().enumerate().map(|(bond, &[p, q])| {
            let hops = sum(64, [0, 1].map(|s| dagger(&c[p][s]).dot(&c[q][s])));
            let exchange = sum(64, paulis().map(|pauli| spin(p, &pauli).dot(&spin(q, &pauli))))
                - scaled(0.25, &density(p).dot(&density(q)));
            let h = scaled(-t[bond], &(&hops + &dagger(&hops))) + scaled(j[bond], &exchange);
            let single = (&one - &double(p)).dot(&(&one - &double(q)));
            single.dot(&h).dot(&single)
        }).collect::<Vec<_>>();
        let expected = sum(64, bonds.into_iter().chain((0..3).map(|i| scaled(penalty, &double(i)))));
        check_electrons(3, &expected, |space| {
            TJ::new(space, &triangle(), t.clone(), j.clone()).unwrap().with_penalty(penalty)
        });
    }

    #[test]
    fn ssh_is_its_sum(t in numbers(6)) {
        let (t1, t2) = ([t[0], t[2], t[4]], [t[1], t[3], t[5]]);
        let c: Vec<Matrix> = (0..6).map(|mode| destroy(6, mode)).collect();
        let hops = |n_bonds: usize| sum(64, (0..n_bonds).map(|bond| {
            let hop = dagger(&c[bond]).dot(&c[(bond + 1) % 6]);
            scaled(-t[bond], &(&hop + &dagger(&hop)))
        }));
        let space = SpinOrbitalFermions::new(6).unwrap();
        let ring = Ssh::new(space.clone(), Boundary::Periodic, t1, t2).unwrap();
        assert_close(&dense(&ring), &hops(6));
        let chain = Ssh::new(space, Boundary::Open, t1, &t2[..2]).unwrap();
        assert_close(&dense(&chain), &hops(5));
        // With spin, every state hops by itself: here as two rings, one after the other.
        let electrons = SpinOrbitalFermions::with_spin(2, 0.5).unwrap();
        let c: Vec<Matrix> = (0..4).map(|mode| destroy(4, mode)).collect();
        let hop = dagger(&c[0]).dot(&c[1]) + dagger(&c[2]).dot(&c[3]);
        let dimer = Ssh::new(electrons, Boundary::Periodic, t[0], t[1]).unwrap();
        assert_close(&dense(&dimer), &scaled(-t[0] - t[1], &(&hop + &dagger(&hop))));
    }

    #[test]
    fn fermion_strings_are_their_products(
        strings in vec(vec((0..4usize, any::<bool>()), 0..5), 1..8), weights in numbers(16), constant in -3.0..3.0f64,
    ) {
        let c: Vec<Matrix> = (0..4).map(|mode| destroy(4, mode)).collect();
        let weights = &weights[..2 * strings.len()];
        let weights: Vec<Complex64> = weights.chunks(2).map(|w| Complex64::new(w[0], w[1])).collect();
        let products = strings.iter().zip(&weights).map(|(string, weight)| {
            let factors = string.iter().map(|&(mode, creates)| match creates {
                true => dagger(&c[mode]),
                false => c[mode].clone(),
            });
            factors.fold(Matrix::eye(16), |product, factor| product.dot(&factor)).mapv(|z| z * weight)
        });
        let expected = sum(16, products) + scaled(constant, &Matrix::eye(16));
        let space = SpinOrbitalFermions::new(4).unwrap();
        let ladder = |&(mode, creates): &(usize, bool)| {
            if creates { Ladder::create(mode) } else { Ladder::destroy(mode) }
        };
        let ladders = strings.iter().map(|string| string.iter().map(ladder).collect::<Vec<_>>());
        let listed = FermionOperator2nd::from_ladders(space.clone(), ladders, weights.clone()).unwrap();
        let listed = listed.with_constant(constant).unwrap();
        assert_close(&dense(&listed), &expected);
        let letters = strings.iter().map(|string| {
            let factors = string.iter().map(|(mode, creates)| format!("{mode}{}", if *creates { "^" } else { "" }));
            factors.collect::<Vec<_>>().join(" ")
        });
        let text = FermionOperator2nd::new(space, letters, weights).unwrap().with_constant(constant).unwrap();
        prop_assert_eq!(text.definition().unwrap(), listed.definition().unwrap());
    }

    #[test]
    fn xyz_is_its_sum(j in vec(numbers(4), 3), h in numbers(4)) {
        let graph = path_of_four();
        let expected = xyz_matrix(&graph, 1, [&j[0], &j[1], &j[2]], &h);
        let [jx, jy, jz] = [&j[0], &j[1], &j[2]].map(Vec::as_slice);
        for space in [HilbertSpace::from(spins(1, 4)), Qubit::new(4).unwrap().into()] {
            let model = Xyz::new(space, &graph, jx, jy, jz).unwrap().with_field(&h[..]);
            assert_close(&dense(&model), &expected);
        }
        for (two_s, graph) in [(2, triangle()), (3, Graph::chain(2, Boundary::Open).unwrap())] {
            let (n, m) = (graph.n_nodes(), graph.n_edges());
            let expected = xyz_matrix(&graph, two_s, [&jx[..m], &jy[..m], &jz[..m]], &h[..n]);
            let model = Xyz::new(spins(two_s, n), &graph, &jx[..m], &jy[..m], &jz[..m]).unwrap();
            assert_close(&dense(&model.with_field(&h[..n])), &expected);
        }
    }

    #[test]
    fn xxz_keeps_the_magnetisation(j in numbers(4), delta in -2.0..2.0f64) {
        for (two_s, graph) in [(1, path_of_four()), (2, triangle())] {
            let (n, j) = (graph.n_nodes(), &j[..graph.n_edges()]);
            let jz: Vec<f64> = j.iter().map(|j| j * delta).collect();
            let expected = xyz_matrix(&graph, two_s, [j, j, &jz], &[]);
            let (full, part) = (spins(two_s, n), spins(two_s, n).with_total_sz(0.0).unwrap());
            assert_close(&dense(&Xyz::xxz(full.clone(), &graph, j, delta).unwrap()), &expected);
            let expected = block(&expected, &full.into(), &part.clone().into());
            assert_close(&dense(&Xyz::xxz(part, &graph, j, delta).unwrap()), &expected);
        }
    }

    #[test]
    fn kitaev_torus_is_its_sum(j in vec(numbers(4), 3)) {
        let graph = Graph::kitaev_honeycomb([2, 2], Boundary::Periodic).unwrap();
        // The first site of cell (a, b) is 2 (2 a + b); its y and z bonds lead to the cells before.
        let cell = |a: usize, b: usize| 2 * (2 * (a % 2) + b % 2);
        let ends = |a: usize, b: usize| [cell(a, b) + 1, cell(a + 1, b) + 1, cell(a, b + 1) + 1];
        let mut expected = Matrix::zeros((256, 256));
        for (site, ends) in [(0, 0), (0, 1), (1, 0), (1, 1)].map(|(a, b)| (cell(a, b), ends(a, b))) {
            for ((end, pauli), (color, j)) in ends.into_iter().zip(paulis()).zip(j.iter().enumerate()) {
                let bond = graph.edges_of_color(color).position(|[p, q]| [p, q] == [site.min(end), site.max(end)]);
                let j = j[bond.unwrap()];
                expected = expected - scaled(j, &on(8, site, &pauli).dot(&on(8, end, &pauli)));
            }
        }
        let [jx, jy, jz] = [&j[0], &j[1], &j[2]].map(Vec::as_slice);
        let model = KitaevHoneycomb::new(spins(1, 8), &graph, jx, jy, jz).unwrap();
        assert_close(&dense(&model), &expected);
    }

    #[test]
    fn rydberg_atoms_are_their_sum(
        omega in numbers(4), delta in numbers(4), c6 in -3.0..3.0f64, side in 1.0..2.0f64,
    ) {
        let positions = [[0.0, 0.0], [side, 0.0], [0.0, 2.0], [side, 2.0]];
        let [x, _, z] = paulis();
        for (space, sign) in [(HilbertSpace::from(spins(1, 4)), 1.0), (Qubit::new(4).unwrap().into(), -1.0)] {
            let n: Vec<Matrix> = (0..4)
                .map(|i| scaled(0.5, &(Matrix::eye(16) + scaled(sign, &on(4, i, &z)))))
                .collect();
            let drive = sum(16, (0..4).map(|i| scaled(omega[i] / 2.0, &on(4, i, &x)) - scaled(delta[i], &n[i])));
            let pair = |i: usize, j: usize, r: f64| scaled(c6 / r.powi(6), &n[i].dot(&n[j]));
            let near = pair(0, 1, side) + pair(2, 3, side) + pair(0, 2, 2.0) + pair(1, 3, 2.0);
            let diagonal = (side * side + 4.0).sqrt();
            let far = pair(0, 3, diagonal) + pair(1, 2, diagonal);
            let model = Rydberg::new(space, positions, omega.clone(), delta.clone(), c6).unwrap();
            assert_close(&dense(&model), &(&drive + &near + far));
            assert_close(&dense(&model.with_cutoff(2.1).unwrap()), &(drive + near));
        }
    }
}
