"""Spin models: XXZ, XYZ, J1-J2, Kitaev, Rydberg atoms, higher spins."""

import netket as nk
import numpy as np
from netket.operator.spin import sigmam, sigmap, sigmax, sigmay, sigmaz

from . import truth
from .case import Case, netket_space, numbers, qubit, rng, spin
from .other_programs import openfermion_qubits, quspin_spins


def cases():
    yield xxz_ring_sz0()
    yield xyz_ring_fields()
    yield xyz_open_local()
    yield ising_disordered()
    yield heisenberg_open_chain_sz1()
    yield heisenberg_ring7_sz_half()
    yield heisenberg_square10_sz0()
    yield j1j2_triangular_patch()
    yield j1j2_triangular_torus()
    yield j1j2_kagome_patch()
    yield kitaev_honeycomb()
    yield rydberg_chain()
    yield heisenberg_spin1_ring()
    yield heisenberg_spin1_anisotropy_sz0()
    yield heisenberg_spin_three_half_sz()


def ring(n):
    return [[i, (i + 1) % n] for i in range(n)]


def chain(n):
    return [[i, i + 1] for i in range(n - 1)]


class Strings:
    """A `pauli_strings` spec that grows."""

    def __init__(self, hilbert):
        self.n = hilbert["n"]
        self.spec = {"model": "pauli_strings", "hilbert": hilbert, "strings": [], "weights": []}

    def add(self, weight, letters=""):
        """Adds a string given as {site: letter}."""
        self.spec["strings"].append("".join(dict(letters).get(site, "I") for site in range(self.n)))
        self.spec["weights"].append(weight)


def xxz_ring_sz0():
    """XXZ ring with a field along z of random size, in Sz = 0, as matrices on bonds."""
    n, jxy, jz = 8, 1.125, -0.75
    fields = numbers(rng("xxz"), n)
    hilbert = spin(n, 0)
    space = netket_space(hilbert)
    operator = nk.operator.LocalOperator(space, dtype=float)
    bond = jxy * (np.kron(truth.X, truth.X) + np.kron(truth.Y, truth.Y)) + jz * np.kron(truth.Z, truth.Z)
    terms = [matrix_term(edge, bond) for edge in ring(n)]
    terms += [matrix_term([i], field * truth.Z) for i, field in enumerate(fields)]
    for i, j in ring(n):
        operator += 2 * jxy * sigmap(space, i) @ sigmam(space, j)
        operator += 2 * jxy * sigmam(space, i) @ sigmap(space, j)
        operator += jz * sigmaz(space, i) @ sigmaz(space, j)
    for i, field in enumerate(fields):
        operator += field * sigmaz(space, i)
    flips = [[2 * jxy, i, j] for i, j in ring(n)]
    poles = [[4 * jz, i, j] for i, j in ring(n)]
    z = [[2 * field, i] for i, field in enumerate(fields)]
    peers = {"QuSpin": quspin_spins(hilbert, [["+-", flips], ["-+", flips], ["zz", poles], ["z", z]])}
    spec = {"model": "local", "hilbert": hilbert, "terms": terms}
    return Case("xxz_ring_sz0", spec, operator, full=True, peers=peers)


def xyz_ring_fields():
    """XYZ ring with random fields along x, y and z: complex."""
    n, couplings = 6, {"X": 0.875, "Y": -1.25, "Z": 0.5}
    fields = {letter: numbers(rng(f"xyz {letter}"), n) for letter in "XYZ"}
    sigma = {"X": sigmax, "Y": sigmay, "Z": sigmaz}
    strings = Strings(spin(n))
    space = netket_space(strings.spec["hilbert"])
    operator = nk.operator.LocalOperator(space, dtype=complex)
    static = []
    for letter, coupling in couplings.items():
        for i, j in ring(n):
            strings.add(coupling, {i: letter, j: letter})
            operator += coupling * sigma[letter](space, i) @ sigma[letter](space, j)
        for i, field in enumerate(fields[letter]):
            strings.add(field, {i: letter})
            operator += field * sigma[letter](space, i)
        static.append([2 * letter.lower(), [[4 * coupling, i, j] for i, j in ring(n)]])
        static.append([letter.lower(), [[2 * field, i] for i, field in enumerate(fields[letter])]])
    peers = {
        "QuSpin": quspin_spins(strings.spec["hilbert"], static),
        "OpenFermion": openfermion_qubits(strings.spec),
    }
    return Case("xyz_ring_fields", strings.spec, operator, full=True, peers=peers)


def xyz_open_local():
    """XYZ open chain with a Dzyaloshinskii-Moriya term, as matrices on sites listed backwards."""
    n, jx, jy, jz, d, hx = 5, 0.75, 1.5, -0.625, 0.375, 0.875
    hilbert = spin(n)
    space = netket_space(hilbert)
    operator = nk.operator.LocalOperator(space, dtype=complex)
    terms, static = [], {key: [] for key in ("xx", "yy", "zz", "xy", "yx")}
    for i, j in chain(n):
        # The first listed site, j, is the most significant digit.
        bond = jx * np.kron(truth.X, truth.X) + jy * np.kron(truth.Y, truth.Y) + jz * np.kron(truth.Z, truth.Z)
        bond += d * (np.kron(truth.Y, truth.X) - np.kron(truth.X, truth.Y))
        terms.append(matrix_term([j, i], bond))
        operator += jx * sigmax(space, i) @ sigmax(space, j)
        operator += jy * sigmay(space, i) @ sigmay(space, j)
        operator += jz * sigmaz(space, i) @ sigmaz(space, j)
        operator += d * (sigmax(space, i) @ sigmay(space, j) - sigmay(space, i) @ sigmax(space, j))
        for key, weight in (("xx", jx), ("yy", jy), ("zz", jz), ("xy", d), ("yx", -d)):
            static[key].append([4 * weight, i, j])
    for end in (0, n - 1):
        terms.append(matrix_term([end], hx * truth.X))
        operator += hx * sigmax(space, end)
    static["x"] = [[2 * hx, 0], [2 * hx, n - 1]]
    spec = {"model": "local", "hilbert": hilbert, "terms": terms}
    peers = {"QuSpin": quspin_spins(hilbert, [[key, terms] for key, terms in static.items()])}
    return Case("xyz_open_local", spec, operator, full=True, peers=peers)


def matrix_term(sites, matrix):
    """A term of a `local` spec."""
    matrix = np.asarray(matrix, complex)
    term = {"sites": sites, "re": matrix.real.tolist()}
    if matrix.imag.any():
        term["im"] = matrix.imag.tolist()
    return term


def ising_disordered():
    """Ising ring with one chord, a field a site and a coupling an edge."""
    n, edges = 6, ring(6) + [[1, 4]]
    h, j = numbers(rng("ising h"), n), numbers(rng("ising J"), len(edges))
    hilbert = spin(n)
    space = netket_space(hilbert)
    operator = nk.operator.LocalOperator(space, dtype=float)
    for i in range(n):
        operator += -h[i] * sigmax(space, i)
    for (a, b), coupling in zip(edges, j):
        operator += coupling * sigmaz(space, a) @ sigmaz(space, b)
    spec = {"model": "ising", "hilbert": hilbert, "edges": edges, "h": h, "J": j}
    static = [
        ["x", [[-2 * h[i], i] for i in range(n)]],
        ["zz", [[4 * coupling, a, b] for (a, b), coupling in zip(edges, j)]],
    ]
    return Case("ising_disordered", spec, operator, full=True, peers={"QuSpin": quspin_spins(hilbert, static)})


def heisenberg(name, hilbert, edges, j, colors=None, **options):
    """A Heisenberg model whose sign rule is the default."""
    graph = nk.graph.Graph([(*edge, color) for edge, color in zip(edges, colors)] if colors else edges)
    operator = nk.operator.Heisenberg(netket_space(hilbert), graph, J=j)
    spec = {"model": "heisenberg", "hilbert": hilbert, "edges": edges, "J": j}
    if colors:
        spec["edge_colors"] = colors
    return Case(name, spec, operator, **options)


def quspin_heisenberg(hilbert, bonds, sign=1):
    """QuSpin's matrix of bonds (coupling, i, j); `sign` is that of the exchange."""
    flips = [[2 * sign * j, a, b] for j, a, b in bonds]
    poles = [[4 * j, a, b] for j, a, b in bonds]
    return quspin_spins(hilbert, [["+-", flips], ["-+", flips], ["zz", poles]])


def heisenberg_open_chain_sz1():
    """An open chain is bipartite, so the sign rule is on by default."""
    hilbert, edges, j = spin(6, 1), chain(6), 0.75
    peers = {"QuSpin": quspin_heisenberg(hilbert, [(j, *edge) for edge in edges], sign=-1)}
    return heisenberg("heisenberg_open_chain_sz1", hilbert, edges, j, full=True, peers=peers)


def heisenberg_ring7_sz_half():
    """An odd ring is not bipartite, so the sign rule is off by default."""
    hilbert, edges, j = spin(7, 0.5), ring(7), 1.25
    peers = {"QuSpin": quspin_heisenberg(hilbert, [(j, *edge) for edge in edges])}
    return heisenberg("heisenberg_ring7_sz_half", hilbert, edges, j, full=True, peers=peers)


def heisenberg_square10_sz0():
    """A hundred sites: configurations of two machine words."""
    edges = [[a, b] for a, b in nk.graph.Square(10).edges()]
    return heisenberg("heisenberg_square10_sz0", spin(100, 0), edges, 1.0, n_samples=1)


def lattice_bonds(lattice):
    """Edges and colours of a lattice of NetKet, sorted; colour 1 are next-nearest neighbours."""
    colored = sorted(([*map(int, edge)], int(color)) for *edge, color in lattice.edges(return_color=True))
    return [edge for edge, _ in colored], [color for _, color in colored]


def checked_triangular(shape, pbc):
    """Edges of a triangular lattice, from NetKet, compared with the displacements written out here."""
    edges, colors = lattice_bonds(nk.graph.Triangular(shape, pbc=pbc, max_neighbor_order=2))
    expected = set()
    for color, moves in enumerate([[(1, 0), (0, 1), (1, -1)], [(1, 1), (2, -1), (1, -2)]]):
        for x in range(shape[0]):
            for y in range(shape[1]):
                for dx, dy in moves:
                    to = (x + dx, y + dy)
                    if pbc:
                        to = (to[0] % shape[0], to[1] % shape[1])
                    if 0 <= to[0] < shape[0] and 0 <= to[1] < shape[1]:
                        pair = sorted([x * shape[1] + y, to[0] * shape[1] + to[1]])
                        expected.add((*pair, color))
    found = {(*sorted(edge), color) for edge, color in zip(edges, colors)}
    if found != expected:
        raise ValueError(f"triangular lattice {shape}: {sorted(found ^ expected)} are in one list only")
    return edges, colors


def j1j2(name, hilbert, edges, colors, **options):
    j = [1.0, 0.375]
    peers = {}
    bonds = [(j[color], *edge) for edge, color in zip(edges, colors)]
    peers["QuSpin"] = quspin_heisenberg(hilbert, bonds)
    return heisenberg(name, hilbert, edges, j, colors, peers=peers, **options)


def j1j2_triangular_patch():
    return j1j2("j1j2_triangular_patch", spin(8, 0), *checked_triangular([2, 4], False), full=True)


def j1j2_triangular_torus():
    return j1j2("j1j2_triangular_torus", spin(16, 0), *checked_triangular([4, 4], True))


def j1j2_kagome_patch():
    edges, colors = lattice_bonds(nk.graph.Kagome([2, 2], pbc=False, max_neighbor_order=2))
    return j1j2("j1j2_kagome_patch", spin(12, 1), edges, colors)


def kitaev_honeycomb():
    """Kitaev's model on a torus of 3 x 2 cells; the plaquettes must commute with it."""
    lx, ly, couplings = 3, 2, {"X": 1.0, "Y": -0.625, "Z": 1.375}
    strings = Strings(spin(2 * lx * ly))
    space = netket_space(strings.spec["hilbert"])
    sigma = {"X": sigmax, "Y": sigmay, "Z": sigmaz}

    def site(x, y, sublattice):
        return 2 * ((x % lx) * ly + y % ly) + sublattice

    operator = nk.operator.LocalOperator(space, dtype=complex)
    static = []
    for x in range(lx):
        for y in range(ly):
            for letter, (dx, dy) in {"Z": (0, 0), "X": (1, 0), "Y": (0, 1)}.items():
                a, b, j = site(x + dx, y + dy, 0), site(x, y, 1), couplings[letter]
                strings.add(j, {a: letter, b: letter})
                operator += j * sigma[letter](space, a) @ sigma[letter](space, b)
                static.append([2 * letter.lower(), [[4 * j, a, b]]])
    h = truth.matrix(strings.spec)[0]
    # Around a hexagon each site carries the letter of its bond that points away.
    plaquette = Strings(strings.spec["hilbert"])
    plaquette.add(
        1.0,
        {
            site(1, 0, 0): "Y",
            site(1, 0, 1): "X",
            site(0, 0, 1): "Z",
            site(0, 1, 0): "X",
            site(0, 1, 1): "Y",
            site(1, 1, 0): "Z",
        },
    )
    w = truth.matrix(plaquette.spec)[0]
    if abs(h @ w - w @ h).max() > 1e-12:
        raise ValueError("Kitaev honeycomb: a plaquette does not commute with the Hamiltonian")
    peers = {"QuSpin": quspin_spins(strings.spec["hilbert"], static)}
    return Case("kitaev_honeycomb", strings.spec, operator, peers=peers)


def rydberg_chain():
    """Rydberg atoms, Omega/2 sum X - delta sum n + sum C6/r^6 n n, with all van der Waals tails."""
    n, omega, delta, c6 = 6, 1.25, 0.875, 5.0
    strings = Strings(qubit(n))
    space = netket_space(strings.spec["hilbert"])
    x, occupied = [[0, 1], [1, 0]], np.diag([0, 1])
    operator = nk.operator.LocalOperator(space, dtype=float)
    for i in range(n):
        # n = (1 - Z) / 2.
        strings.add(omega / 2, {i: "X"})
        strings.add(-delta / 2)
        strings.add(delta / 2, {i: "Z"})
        operator += nk.operator.LocalOperator(space, omega / 2 * np.array(x), [i])
        operator += nk.operator.LocalOperator(space, -delta * occupied, [i])
        for j in range(i + 1, n):
            v = c6 / (j - i) ** 6
            for weight, letters in ((1, {}), (-1, {i: "Z"}), (-1, {j: "Z"}), (1, {i: "Z", j: "Z"})):
                strings.add(weight * v / 4, letters)
            operator += nk.operator.LocalOperator(space, v * np.kron(occupied, occupied), [i, j])
    peers = {"OpenFermion": openfermion_qubits(strings.spec)}
    return Case("rydberg_chain", strings.spec, operator, full=True, peers=peers)


def spin_matrices(s):
    """2S matrices along x, y and z, in the order of local states."""
    m = np.arange(s, -s - 1, -1)
    plus = np.diag(np.sqrt(s * (s + 1) - m[1:] * (m[1:] + 1)), 1)
    return plus + plus.T, -1j * (plus - plus.T), np.diag(2 * m)


def higher_spins(name, hilbert, edges, j, anisotropy=0.0):
    """Bonds J (2S)(2S), plus a single-ion term D (2Sz)^2, as matrices."""
    matrices = spin_matrices(hilbert["s"])
    bond = j * sum(np.kron(m, m) for m in matrices).real
    space = netket_space(hilbert)
    operator = nk.operator.LocalOperator(space, dtype=complex)
    for a, b in edges:
        operator += j * sum(sigma(space, a) @ sigma(space, b) for sigma in (sigmax, sigmay, sigmaz))
    terms = [matrix_term(edge, bond) for edge in edges]
    if anisotropy:
        terms += [matrix_term([i], anisotropy * matrices[2] @ matrices[2]) for i in range(hilbert["n"])]
        operator += anisotropy * sum(sigmaz(space, i) @ sigmaz(space, i) for i in range(hilbert["n"]))
    spec = {"model": "local", "hilbert": hilbert, "terms": terms}
    flips, poles = [[2 * j, a, b] for a, b in edges], [[4 * j, a, b] for a, b in edges]
    poles += [[4 * anisotropy, i, i] for i in range(hilbert["n"])]
    peers = {"QuSpin": quspin_spins(hilbert, [["+-", flips], ["-+", flips], ["zz", poles]])}
    return Case(name, spec, operator, full=True, peers=peers)


def heisenberg_spin1_ring():
    return higher_spins("heisenberg_spin1_ring", spin(4, s=1.0), ring(4), 0.75)


def heisenberg_spin1_anisotropy_sz0():
    return higher_spins("heisenberg_spin1_anisotropy_sz0", spin(5, 0, s=1.0), chain(5), 0.625, -0.375)


def heisenberg_spin_three_half_sz():
    return higher_spins("heisenberg_spin_three_half_sz", spin(3, 0.5, s=1.5), ring(3), 1.125)
