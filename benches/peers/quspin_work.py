"""The work that QuSpin does, in the form of netket_work.py: a Heisenberg ring in Pauli matrices at Sz = 0."""

import time

import numpy as np
from quspin.basis import spin_basis_1d
from quspin.operators import hamiltonian, quantum_LinearOperator

#: Checks of symmetries and Hermiticity, which QuSpin would run on each construction.
UNCHECKED = {"check_symm": False, "check_herm": False, "check_pcon": False}


def heisenberg(n: int):
    """The basis, the couplings, and the seconds that the basis took."""
    start = time.perf_counter()
    basis = spin_basis_1d(n, Nup=n // 2, pauli=0)
    seconds = time.perf_counter() - start
    bonds = [(i, (i + 1) % n) for i in range(n)]
    # At pauli = 0 its operators are S: sigma sigma = 4 S S, and Sx Sx + Sy Sy = (S+ S- + S- S+) / 2.
    flips, poles = [[2.0, *bond] for bond in bonds], [[4.0, *bond] for bond in bonds]
    return basis, [["+-", flips], ["-+", flips], ["zz", poles]], seconds


def quspin_sparse(n: int = 20):
    """Construction of the CSR matrix on a basis that is there."""
    basis, static, seconds = heisenberg(n)

    def run():
        return hamiltonian(static, [], basis=basis, dtype=np.float64, **UNCHECKED).tocsr()

    matrix = run()
    return run, {"states": basis.Ns, "nonzeros": int(matrix.nnz), "basis_seconds": seconds}


def quspin_apply(n: int = 20, matrix_free: bool = False):
    """One product of the matrix with a vector, from the CSR matrix or without a matrix."""
    basis, static, _ = heisenberg(n)
    if matrix_free:
        operator = quantum_LinearOperator(static, basis=basis, dtype=np.float64, **UNCHECKED)
    else:
        operator = hamiltonian(static, [], basis=basis, dtype=np.float64, **UNCHECKED)
    vector = np.random.default_rng(1).normal(size=basis.Ns)

    def run():
        return operator.dot(vector)

    product = run()
    return run, {"states": basis.Ns, "norm": float(np.linalg.norm(product))}
