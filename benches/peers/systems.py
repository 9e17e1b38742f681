"""The systems of the comparison as NetKet has them, and random states of their spaces."""

from collections.abc import Callable, Iterator

import jax
import jax.numpy as jnp
import netket as nk
import numpy as np

#: Seed of the random states.
SEED = 1234
#: Seed of the Pauli strings.
PAULI_SEED = 42
#: Seed of an RBM that both sides have, and the standard deviation of its parameters.
RBM_SEED, RBM_SIGMA = 1, 0.01


def lcg(seed: int) -> Iterator[int]:
    """Knuth's 64-bit linear congruential generator; yields the upper 31 bits of each new state."""
    state = seed
    while True:
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        yield state >> 33


def random_pauli_strings(n_strings: int, n_qubits: int, seed: int) -> tuple[list[str], list[float]]:
    """Random strings of four letters, from `lcg(seed)` alone.

    With `next` the next number of the generator, for each string in turn: for each of four letters, the site
    is `next % n_qubits`, drawn again while it is taken, then its letter is `"XYZ"[next % 3]`; after the four,
    the weight is `next / 2^30 - 1`.
    """
    draw = lcg(seed)
    strings, weights = [], []
    for _ in range(n_strings):
        letters = ["I"] * n_qubits
        for _ in range(4):
            site = next(draw) % n_qubits
            while letters[site] != "I":
                site = next(draw) % n_qubits
            letters[site] = "XYZ"[next(draw) % 3]
        strings.append("".join(letters))
        weights.append(next(draw) / 2**30 - 1)
    return strings, weights


def graph(name: str) -> nk.graph.AbstractGraph:
    match name:
        case "ising_chain_100":
            return nk.graph.Chain(100)
        case "ising_square_10x10" | "ising_square_10x10_by_bonds" | "heisenberg_10x10_sz0":
            return nk.graph.Square(10)
        case "j1j2_10x10_sz0":
            return nk.graph.Square(10, max_neighbor_order=2)
        case "bose_hubbard_8x8_nmax4":
            return nk.graph.Square(8)
        case "fermi_hubbard_6x6":
            return nk.graph.Square(6)
        case _:
            raise ValueError(f"{name} has no graph")


def space(name: str) -> nk.hilbert.DiscreteHilbert:
    match name:
        case "ising_chain_100" | "ising_square_10x10" | "ising_square_10x10_by_bonds":
            return nk.hilbert.Spin(0.5, 100)
        case "heisenberg_10x10_sz0" | "j1j2_10x10_sz0":
            return nk.hilbert.Spin(0.5, 100, total_sz=0)
        case "bose_hubbard_8x8_nmax4":
            return nk.hilbert.Fock(4, 64, n_particles=64)
        case "fermi_hubbard_6x6":
            return nk.hilbert.SpinOrbitalFermions(36, s=0.5, n_fermions_per_spin=(18, 18))
        case "pauli_1000_4local_40q":
            return nk.hilbert.Qubit(40)
        case _:
            raise ValueError(f"{name} is not a system")


def operator(name: str, kind: str) -> nk.operator.DiscreteOperator:
    """A system's Hamiltonian, of NetKet's numba or JAX classes."""
    if kind not in ("numba", "jax"):
        raise ValueError(f"{kind} is not a kind of operator; there are numba and jax")
    numba, ops, hilbert = kind == "numba", nk.operator, space(name)
    match name:
        case "ising_chain_100" | "ising_square_10x10":
            ising = ops.IsingNumba if numba else ops.IsingJax
            return ising(hilbert, graph(name), h=1.0, J=1.0)
        case "heisenberg_10x10_sz0" | "j1j2_10x10_sz0":
            local = ops.LocalOperatorNumba if numba else ops.LocalOperatorJax
            j = 1.0 if name == "heisenberg_10x10_sz0" else [1.0, 0.5]
            return ops.Heisenberg(hilbert, graph(name), J=j, cls=local)
        case "bose_hubbard_8x8_nmax4":
            bose = ops.BoseHubbardNumba if numba else ops.BoseHubbardJax
            return bose(hilbert, graph(name), U=4.0, J=1.0)
        case "fermi_hubbard_6x6":
            if not numba:
                return ops.FermiHubbardJax(hilbert, graph(name), t=1.0, U=4.0)
            return ops.FermionOperator2ndNumba(hilbert, *hubbard_strings(graph(name), 1.0, 4.0))
        case "pauli_1000_4local_40q":
            pauli = ops.PauliStringsNumba if numba else ops.PauliStringsJax
            return pauli(hilbert, *random_pauli_strings(1000, 40, PAULI_SEED))


@jax.tree_util.register_pytree_node_class
class IsingByBonds(nk.operator.IsingJax):
    """NetKet's Ising model, but J is an array with a value for each edge."""

    @jax.jit
    def get_conn_padded(self, x):
        (h, j, edges), metadata = self.tree_flatten()
        uniform = nk.operator.IsingJax.tree_unflatten(metadata, (h, jnp.ones_like(h), edges))
        states, mels = uniform.get_conn_padded(x)
        bonds = x[..., edges[:, 0]] * x[..., edges[:, 1]]
        return states, mels.at[..., 0].set(bonds.astype(j.dtype) @ j)


def operator_of_couplings(name: str) -> tuple[Callable, dict[str, jax.Array]]:
    """A function that makes a Hamiltonian of its couplings, so that JAX can differentiate in them, and their values."""
    match name:
        case "ising_square_10x10":
            kind, j = nk.operator.IsingJax, jnp.ones(())
        case "ising_square_10x10_by_bonds":
            a, b = np.array(graph(name).edges()).T
            kind, j = IsingByBonds, jnp.asarray(0.5 + (a + b) % 100 / 100)
        case _:
            raise ValueError(f"{name} is not a system whose couplings are differentiated")
    (_, _, edges), metadata = nk.operator.IsingJax(space(name), graph(name), h=1.0).tree_flatten()

    def operator(couplings):
        return kind.tree_unflatten(metadata, (couplings["h"], couplings["J"], edges))

    return operator, {"h": jnp.ones(()), "J": j}


def shared_samples_and_rbm(name: str, n_samples: int, alpha: int) -> tuple[np.ndarray, dict]:
    """Random spins, int8 of shape (n_samples, sites), and the variables of an RBM, both from `lcg` alone.

    A spin is 2 (next >> 30) - 1, sample after sample. A parameter is sqrt(3) sigma (next / 2^30 - 1), first those of
    the sites, then those of the hidden units, then the weights of the first hidden unit, and so on.
    """
    n_sites = space(name).size
    draw = lcg(SEED)
    spins = np.array([2 * (next(draw) >> 30) - 1 for _ in range(n_samples * n_sites)], np.int8)
    draw = lcg(RBM_SEED)

    def parameters(*shape):
        numbers = np.array([next(draw) / 2**30 - 1 for _ in range(np.prod(shape))])
        return np.sqrt(3) * RBM_SIGMA * numbers.reshape(shape)

    n_hidden = alpha * n_sites
    visible, hidden, weights = parameters(n_sites), parameters(n_hidden), parameters(n_hidden, n_sites)
    layers = {"visible_bias": visible, "Dense": {"bias": hidden, "kernel": weights.T}}
    return spins.reshape(n_samples, n_sites), {"params": layers}


def hubbard_strings(lattice: nk.graph.AbstractGraph, t: float, u: float) -> tuple[list[str], list[float]]:
    """The Hubbard model in strings, as NetKet has no numba class for it."""
    n = lattice.n_nodes
    strings, weights = [], []
    for block in (0, n):
        for a, b in lattice.edges():
            strings += [f"{a + block}^ {b + block}", f"{b + block}^ {a + block}"]
            weights += [-t, -t]
    for i in range(n):
        strings.append(f"{i + n}^ {i + n} {i}^ {i}")
        weights.append(u)
    return strings, weights


def states(name: str, batch: int) -> np.ndarray:
    """Random states of a system's space, int8 of shape (batch, sites), always the same ones."""
    rng = np.random.default_rng(SEED)
    match name:
        case "ising_chain_100" | "ising_square_10x10":
            return rng.choice(np.array([-1, 1], np.int8), (batch, 100))
        case "heisenberg_10x10_sz0" | "j1j2_10x10_sz0":
            return rng.permuted(np.tile(np.array([-1, 1], np.int8), (batch, 50)), axis=1)
        case "bose_hubbard_8x8_nmax4":
            # Sixty-four particles on the 4 * 64 places of the sites.
            return rng.permuted(np.tile(np.array([1, 0, 0, 0], np.int8), (batch, 64)), axis=1).reshape(
                batch, 64, 4
            ).sum(2, dtype=np.int8)
        case "fermi_hubbard_6x6":
            spins = [rng.permuted(np.tile(np.array([0, 1], np.int8), (batch, 18)), axis=1) for _ in range(2)]
            return np.concatenate(spins, axis=1)
        case "pauli_1000_4local_40q":
            return rng.choice(np.array([0, 1], np.int8), (batch, 40))
        case _:
            raise ValueError(f"{name} is not a system")
