"""An independent reading of specs, for checking NetKet.

Every operator becomes a sum of products of single-site matrices, fermions by the Jordan-Wigner map. Such a
sum is either a Kronecker-product matrix, or one row of it where the space is too large. Nothing here knows
NetKet.
"""

from collections import defaultdict
from itertools import product
from typing import Any

import numpy as np
import scipy.sparse as sp

X = np.array([[0, 1], [1, 0]], complex)
Y = np.array([[0, -1j], [1j, 0]])
Z = np.array([[1, 0], [0, -1]], complex)
PAULI = {"X": X, "Y": Y, "Z": Z}
LOWER = np.array([[0, 1], [0, 0]], complex)

#: A coefficient and the matrix on each site that it touches.
Product = tuple[complex, dict[int, np.ndarray]]


class Space:
    """The Hilbert space of a spec: local states in order, and the constraint."""

    def __init__(self, hilbert: dict[str, Any]):
        self.hilbert = hilbert
        kind = hilbert["kind"]
        # (first site, end, units above the first local state) of each block with a fixed sum.
        self.blocks: list[tuple[int, int, int]] = []
        if kind == "spin":
            two_s = round(2 * hilbert["s"])
            self.n = hilbert["n"]
            self.local_states = list(range(two_s, -two_s - 1, -2))
            if hilbert["total_sz"] is not None:
                self.blocks = [(0, self.n, round(self.n * hilbert["s"] - hilbert["total_sz"]))]
        elif kind == "qubit":
            self.n, self.local_states = hilbert["n"], [0, 1]
        elif kind == "fock":
            self.n, self.local_states = hilbert["n"], list(range(hilbert["n_max"] + 1))
            if hilbert["n_particles"] is not None:
                self.blocks = [(0, self.n, hilbert["n_particles"])]
        elif kind == "spin_orbital_fermions":
            orbitals, s = hilbert["n_orbitals"], hilbert["s"]
            self.n, self.local_states = orbitals * (1 if s is None else round(2 * s) + 1), [0, 1]
            if hilbert["n_fermions_per_spin"] is not None:
                counts = hilbert["n_fermions_per_spin"]
                self.blocks = [(k * orbitals, (k + 1) * orbitals, c) for k, c in enumerate(counts)]
            elif hilbert["n_fermions"] is not None:
                self.blocks = [(0, self.n, hilbert["n_fermions"])]
        else:
            raise ValueError(f"{kind} is not a kind of Hilbert space")
        self.d = len(self.local_states)

    @property
    def size(self) -> int:
        """Number of states without the constraint."""
        return self.d**self.n

    def digits(self) -> np.ndarray:
        """Local indices of all states that meet the constraint, in lexicographic order."""
        every = np.array(list(product(range(self.d), repeat=self.n)), np.int8)
        meets = np.ones(len(every), bool)
        for first, end, count in self.blocks:
            meets &= every[:, first:end].sum(1) == count
        return every[meets]

    def states(self) -> np.ndarray:
        """Quantum numbers of all states that meet the constraint, in lexicographic order of local indices."""
        return np.array(self.local_states, np.int8)[self.digits()]

    def places(self, digits: np.ndarray) -> np.ndarray:
        """Row numbers of states in the matrix without the constraint."""
        weights = self.d ** np.arange(self.n - 1, -1, -1)
        return digits.astype(np.int64) @ weights

    def random_states(self, rng: np.random.Generator, n: int) -> np.ndarray:
        """States that meet the constraint; not uniform where sites hold more than one particle."""
        digits = rng.integers(0, self.d, (n, self.n))
        for first, end, count in self.blocks:
            digits[:, first:end] = 0
            for row in digits:
                for _ in range(count):
                    room = first + np.flatnonzero(row[first:end] < self.d - 1)
                    row[rng.choice(room)] += 1
        return np.array(self.local_states, np.int8)[digits]


def multiply(coefficient: complex, factors: list[tuple[int, np.ndarray]]) -> Product:
    """A product of single-site matrices, the leftmost first, with one matrix a site."""
    matrices: dict[int, np.ndarray] = {}
    for site, matrix in factors:
        matrices[site] = matrices[site] @ matrix if site in matrices else matrix
    return coefficient, matrices


def fermion_string(coefficient: complex, operators: list[tuple[int, bool]]) -> Product:
    """A product of creation (True) and annihilation operators by the Jordan-Wigner map."""
    factors = []
    for mode, dagger in operators:
        factors += [(site, Z) for site in range(mode)]
        factors.append((mode, LOWER.T if dagger else LOWER))
    return multiply(coefficient, factors)


def parse_string(string: str) -> list[tuple[int, bool]]:
    """The operators of "i^ j^ k l"."""
    return [(int(word.rstrip("^")), word.endswith("^")) for word in string.split()]


def expand(spec: dict[str, Any]) -> list[Product]:
    """An operator as a sum of products of single-site matrices."""
    return EXPANSIONS[spec["model"]](spec, Space(spec["hilbert"]))


def ising(spec, space):
    h = np.broadcast_to(spec["h"], space.n)
    j = np.broadcast_to(spec["J"], len(spec["edges"]))
    yield from ((-h[i], {i: X}) for i in range(space.n))
    yield from ((j[k], {a: Z, b: Z}) for k, (a, b) in enumerate(spec["edges"]))


def heisenberg(spec, space):
    edges = spec["edges"]
    colors = spec.get("edge_colors") or [0] * len(edges)
    j = np.atleast_1d(spec["J"])
    rule = spec.get("sign_rule")
    if rule is None:
        rule = len(j) == 1 and is_bipartite(space.n, edges)
    rule = np.broadcast_to(rule, len(j))
    for color, (a, b) in zip(colors, edges):
        exchange = -j[color] if rule[color] else j[color]
        yield from [(j[color], {a: Z, b: Z}), (exchange, {a: X, b: X}), (exchange, {a: Y, b: Y})]


def is_bipartite(n, edges):
    """Whether no closed walk along edges has odd length."""
    adjacency = sp.lil_matrix((n, n))
    for a, b in edges:
        adjacency[a, b] = adjacency[b, a] = 1
    adjacency = adjacency.toarray()
    walks = adjacency.copy()
    for _ in range(n):
        if np.trace(walks) > 0:
            return False
        walks = np.minimum(walks @ adjacency @ adjacency, 1)
    return True


def pauli_strings(spec, _space):
    for string, weight in zip(spec["strings"], spec["weights"]):
        yield as_complex(weight), {site: PAULI[p] for site, p in enumerate(string) if p != "I"}


def as_complex(weight):
    return complex(*weight) if isinstance(weight, list) else complex(weight)


def local(spec, space):
    for term in spec["terms"]:
        sites = term["sites"]
        matrix = np.array(term["re"], complex)
        if term.get("im") is not None:
            matrix += 1j * np.array(term["im"])
        for row, column in zip(*np.nonzero(matrix)):
            shape = (space.d,) * len(sites)
            digits = zip(sites, np.unravel_index(row, shape), np.unravel_index(column, shape))
            yield matrix[row, column], {site: unit(space.d, r, c) for site, r, c in digits}


def unit(d, row, column):
    matrix = np.zeros((d, d), complex)
    matrix[row, column] = 1
    return matrix


def bose_hubbard(spec, space):
    b = np.diag(np.sqrt(np.arange(1, space.d)), 1).astype(complex)
    n = b.T @ b
    one = np.eye(space.d)
    hop, v, mu = spec.get("J", 1.0), spec.get("V", 0.0), spec.get("mu", 0.0)
    for a, c in spec["edges"]:
        yield from [(-hop, {a: b.T, c: b}), (-hop, {a: b, c: b.T}), (v, {a: n, c: n})]
    yield from ((1.0, {i: spec["U"] / 2 * n @ (n - one) - mu * n}) for i in range(space.n))


def fermi_hubbard(spec, space):
    orbitals = space.hilbert["n_orbitals"]
    for block in (0, orbitals):
        for a, b in spec["edges"]:
            a, b = a + block, b + block
            yield fermion_string(-spec["t"], [(a, True), (b, False)])
            yield fermion_string(-spec["t"], [(b, True), (a, False)])
    for i in range(orbitals):
        up = i + orbitals
        yield fermion_string(spec["U"], [(up, True), (up, False), (i, True), (i, False)])


def fermion_operator_2nd(spec, _space):
    for string, weight in zip(spec["terms"], spec["weights"]):
        yield fermion_string(as_complex(weight), parse_string(string))


EXPANSIONS = {
    "ising": ising,
    "heisenberg": heisenberg,
    "pauli_strings": pauli_strings,
    "local": local,
    "bose_hubbard": bose_hubbard,
    "fermi_hubbard": fermi_hubbard,
    "fermion_operator_2nd": fermion_operator_2nd,
}


def matrix(spec: dict[str, Any]) -> tuple[sp.csr_matrix, sp.csr_matrix]:
    """The matrix on the states that meet the constraint, and what of it leaves them."""
    space = Space(spec["hilbert"])
    total = sp.csr_matrix((space.size, space.size), dtype=complex)
    for coefficient, factors in expand(spec):
        total = total + coefficient * kronecker(factors, space)
    inside = space.places(space.digits())
    outside = np.setdiff1d(np.arange(space.size), inside)
    rows = total[inside]
    return rows[:, inside].tocsr(), rows[:, outside].tocsr()


def kronecker(factors: dict[int, np.ndarray], space: Space) -> sp.csr_matrix:
    """A product of single-site matrices, the first site most significant."""
    result, done = sp.identity(1, complex, "csr"), 0
    for site in sorted(factors):
        result = sp.kron(result, sp.identity(space.d ** (site - done)), "csr")
        result = sp.kron(result, factors[site], "csr")
        done = site + 1
    return sp.kron(result, sp.identity(space.d ** (space.n - done)), "csr")


def row(products: list[Product], space: Space, state: np.ndarray) -> dict[tuple[int, ...], complex]:
    """The elements <x|O|x'> of one x, by x'."""
    local_index = {quantum: k for k, quantum in enumerate(space.local_states)}
    digits = [local_index[int(quantum)] for quantum in state]
    elements: dict[tuple[int, ...], complex] = defaultdict(complex)
    for coefficient, factors in products:
        branches = [(coefficient, {})]
        for site, matrix_ in factors.items():
            line = matrix_[digits[site]]
            branches = [
                (amplitude * line[to], changes | {site: to})
                for amplitude, changes in branches
                for to in np.flatnonzero(line)
            ]
        for amplitude, changes in branches:
            target = [int(quantum) for quantum in state]
            for site, to in changes.items():
                target[site] = space.local_states[to]
            elements[tuple(target)] += amplitude
    return elements
