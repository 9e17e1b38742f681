"""Fermions: Hubbard, strings of creation and annihilation operators, t-J, SSH."""

import netket as nk
import numpy as np
import openfermion as of
from netket.operator.fermion import create, destroy, number

from . import truth
from .case import Case, modes, netket_space, numbers, rng
from .other_programs import openfermion_matrix


def cases():
    yield hubbard("fermihubbard_chain_free", modes(3, s=0.5))
    yield hubbard("fermihubbard_chain_n", modes(3, s=0.5, n_fermions=3))
    yield hubbard_square6()
    yield strings("fermion_gen_free", modes(5), hermitian=False, conserve=False)
    yield strings("fermion_gen_fixed", modes(6, n_fermions=3), hermitian=False)
    yield strings("fermion_spin_herm", modes(4, s=0.5, per_spin=[2, 1]), hermitian=True)
    yield strings("fermion_spin_gen", modes(4, s=0.5, per_spin=[1, 2]), hermitian=False)
    yield strings("fermion_spin_orbit_herm", modes(3, s=0.5, n_fermions=3), hermitian=True)
    yield strings("fermion_spin_one_herm", modes(3, s=1.0, per_spin=[1, 2, 1]), hermitian=True)
    yield t_j()
    yield ssh_chain()


def hubbard(name, hilbert):
    """The Hubbard model on an open chain."""
    n, t, u = hilbert["n_orbitals"], 1.25, 4.5
    edges = [[i, i + 1] for i in range(n - 1)]
    space = netket_space(hilbert)
    operator = 0
    for a, b in edges:
        for sz in (-1, 1):
            hop = create(space, a, sz) @ destroy(space, b, sz)
            operator = operator - t * (hop + create(space, b, sz) @ destroy(space, a, sz))
    for i in range(n):
        operator = operator + u * number(space, i, 1) @ number(space, i, -1)
    spec = {"model": "fermi_hubbard", "hilbert": hilbert, "edges": edges, "t": t, "U": u}
    case = Case(name, spec, operator, full=True)
    if hilbert["n_fermions"] is None:
        # OpenFermion has the two spins of a site side by side: its spectrum is the same.
        other = of.get_sparse_operator(of.fermi_hubbard(n, 1, t, u, periodic=False)).toarray()
        case.known_eigenvalues = list(np.linalg.eigvalsh(other))
    return case


def hubbard_square6():
    """Seventy-two modes: Jordan-Wigner strings of two machine words."""
    graph = nk.graph.Square(6)
    hilbert = modes(36, s=0.5, per_spin=[18, 18])
    edges = [[a, b] for a, b in graph.edges()]
    operator = nk.operator.FermiHubbardJax(netket_space(hilbert), graph, t=0.75, U=4.0)
    spec = {"model": "fermi_hubbard", "hilbert": hilbert, "edges": edges, "t": 0.75, "U": 4.0}
    return Case("fermihubbard_square6", spec, operator, n_samples=2)


def strings(name, hilbert, hermitian, conserve=True):
    """Random strings of one to four operators with complex weights, not in normal order."""
    generator = rng(name)
    space = truth.Space(hilbert)
    n, blocks = space.n, [range(first, end) for first, end, _ in space.blocks] or [range(space.n)]
    terms = []
    for _ in range(12):
        terms.append(conserving(generator, blocks, 1))
        terms.append(conserving(generator, blocks, 2))
    if not conserve:
        for length in (1, 1, 2, 3, 3, 4):
            term = [(int(generator.integers(n)), bool(generator.integers(2))) for _ in range(length)]
            terms.append(term)
    # A string that is there twice, one whose square is 0, and orders that give sign and constant.
    terms += [terms[1], [(0, True), (0, True), (0, False), (0, False)], [(1, False), (1, True)]]
    weights = list(zip(numbers(generator, len(terms)), numbers(generator, len(terms))))
    if hermitian:
        terms += [[(mode, not dagger) for mode, dagger in reversed(term)] for term in terms]
        weights += [(re, -im) for re, im in weights]
    texts = [" ".join(f"{mode}^" if dagger else f"{mode}" for mode, dagger in term) for term in terms]
    spec = {
        "model": "fermion_operator_2nd",
        "hilbert": hilbert,
        "terms": texts,
        "weights": [[re, im] for re, im in weights],
    }
    return from_strings(name, spec, hermitian=hermitian)


def conserving(generator, blocks, pairs):
    """As many creation as annihilation operators in each block, in random order."""
    term = []
    for _ in range(pairs):
        block = blocks[generator.integers(len(blocks))]
        term += [(int(generator.choice(block)), True), (int(generator.choice(block)), False)]
    return [term[k] for k in generator.permutation(len(term))]


def from_strings(name, spec, **options):
    """A case whose operator is NetKet's of the same strings."""
    weights = [complex(*w) if isinstance(w, list) else w for w in spec["weights"]]
    space = netket_space(spec["hilbert"])
    # The JAX class compiles for minutes where there are many strings.
    operator = nk.operator.FermionOperator2ndNumba(space, spec["terms"], weights)
    return Case(name, spec, operator, full=True, peers={"OpenFermion": openfermion_matrix(spec)}, **options)


def t_j():
    """The t-J model on a ring of four, with projected hops written out as strings of six operators."""
    n, t, j = 4, 1.0, 0.375
    hilbert = modes(n, s=0.5, per_spin=[2, 1])
    terms, weights = [], []

    def add(weight, term):
        terms.append(term)
        weights.append(weight)

    for a in range(n):
        b = (a + 1) % n
        for i, k in ((a, b), (b, a)):
            for same, other in ((0, n), (n, 0)):
                # c^(1 - n')(1 - n')c with the occupations of the other spin on both sites.
                hop, full_i, full_k = (
                    f"{i + same}^ {k + same}",
                    f"{i + other}^ {i + other}",
                    f"{k + other}^ {k + other}",
                )
                add(-t, hop)
                add(t, f"{hop} {full_i}")
                add(t, f"{hop} {full_k}")
                add(-t, f"{hop} {full_i} {full_k}")
        # J (S.S - n n / 4) = J/2 (S+S- + S-S+ - n_up n_down - n_down n_up).
        down, up = (a, b), (a + n, b + n)
        add(j / 2, f"{up[0]}^ {down[0]} {down[1]}^ {up[1]}")
        add(j / 2, f"{down[0]}^ {up[0]} {up[1]}^ {down[1]}")
        add(-j / 2, f"{up[0]}^ {up[0]} {down[1]}^ {down[1]}")
        add(-j / 2, f"{down[0]}^ {down[0]} {up[1]}^ {up[1]}")
    spec = {"model": "fermion_operator_2nd", "hilbert": hilbert, "terms": terms, "weights": weights}
    case = from_strings("t_j_ring", spec)
    case.known_eigenvalues = projected_t_j(hilbert, t, j)
    return case


def projected_t_j(hilbert, t, j):
    """The spectrum of P (hops + exchange) P with P without double occupation, from the bare operators."""
    n = hilbert["n_orbitals"]
    terms, weights = [], []
    for a in range(n):
        b = (a + 1) % n
        for block in (0, n):
            terms += [f"{a + block}^ {b + block}", f"{b + block}^ {a + block}"]
            weights += [-t, -t]
        # S.S from S+, S- and Sz of sites a and b, and the product of their occupations.
        terms += [f"{a + n}^ {a} {b}^ {b + n}", f"{a}^ {a + n} {b + n}^ {b}"]
        weights += [j / 2, j / 2]
        for x, sx in ((a, -1), (a + n, 1)):
            for y, sy in ((b, -1), (b + n, 1)):
                terms.append(f"{x}^ {x} {y}^ {y}")
                weights.append(j * (sx * sy - 1) / 4)
    bare = {"model": "fermion_operator_2nd", "hilbert": hilbert, "terms": terms, "weights": weights}
    states = truth.Space(hilbert).states()
    single = np.flatnonzero((states[:, :n] + states[:, n:]).max(1) < 2)
    return list(np.linalg.eigvalsh(truth.matrix(bare)[0].toarray()[np.ix_(single, single)]))


def ssh_chain():
    """The Su-Schrieffer-Heeger chain; energies are sums of those of single particles."""
    n, n_fermions, hops = 6, 3, [0.625, 1.375]
    terms, weights, single = [], [], np.zeros((n, n))
    for i in range(n - 1):
        terms += [f"{i}^ {i + 1}", f"{i + 1}^ {i}"]
        weights += [-hops[i % 2]] * 2
        single[i, i + 1] = single[i + 1, i] = -hops[i % 2]
    spec = {
        "model": "fermion_operator_2nd",
        "hilbert": modes(n, n_fermions=n_fermions),
        "terms": terms,
        "weights": weights,
    }
    case = from_strings("ssh_chain", spec)
    levels = np.linalg.eigvalsh(single)
    occupied = truth.Space(spec["hilbert"]).states()
    case.known_eigenvalues = list(occupied @ levels)
    return case
