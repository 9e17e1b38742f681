"""Matrices from QuSpin and OpenFermion, in the order of `Space.states()`."""

from typing import Any

import numpy as np
import openfermion as of
import scipy.sparse as sp
from quspin.basis import boson_basis_1d, spin_basis_1d
from quspin.operators import hamiltonian

from .truth import Space


def quspin_spins(hilbert: dict[str, Any], static: list) -> sp.csr_matrix:
    """QuSpin's matrix of spins; its operators are S, not Pauli matrices."""
    space = Space(hilbert)
    name = {2: "1/2", 3: "1", 4: "3/2"}[space.d]
    total_sz = hilbert.get("total_sz")
    n_up = None if total_sz is None else round(space.n * (space.d - 1) / 2 + total_sz)
    basis = spin_basis_1d(space.n, Nup=n_up, S=name, pauli=0)
    # QuSpin counts from the lowest level.
    return quspin_matrix(basis, static, space, lambda digits: space.d - 1 - digits)


def quspin_bosons(hilbert: dict[str, Any], static: list) -> sp.csr_matrix:
    """QuSpin's matrix of bosons."""
    space = Space(hilbert)
    basis = boson_basis_1d(space.n, Nb=hilbert["n_particles"], sps=space.d)
    return quspin_matrix(basis, static, space, lambda digits: digits)


def quspin_matrix(basis, static, space, to_local) -> sp.csr_matrix:
    unchecked = {"check_symm": False, "check_herm": False, "check_pcon": False}
    matrix = hamiltonian(static, [], basis=basis, dtype=np.complex128, **unchecked).tocsr()
    # Its states are numbers whose leading digit is site 0.
    powers = np.array([space.d**k for k in range(space.n - 1, -1, -1)], dtype=object)
    numbers = np.array([int(state) for state in basis.states], dtype=object)
    digits = (numbers[:, None] // powers % space.d).astype(np.int64)
    order = np.argsort(space.places(to_local(digits)))
    return matrix[order][:, order]


def openfermion_matrix(spec: dict[str, Any]) -> sp.csr_matrix:
    """OpenFermion's matrix of a `fermion_operator_2nd` spec."""
    operator = of.FermionOperator()
    for string, weight in zip(spec["terms"], spec["weights"]):
        operator += of.FermionOperator(string, complex(*weight) if isinstance(weight, list) else weight)
    return restricted(of.get_sparse_operator(operator, n_qubits=Space(spec["hilbert"]).n), spec)


def openfermion_qubits(spec: dict[str, Any]) -> sp.csr_matrix:
    """OpenFermion's matrix of a `pauli_strings` spec."""
    operator = of.QubitOperator()
    for string, weight in zip(spec["strings"], spec["weights"]):
        letters = " ".join(f"{p}{site}" for site, p in enumerate(string) if p != "I")
        operator += of.QubitOperator(letters, complex(*weight) if isinstance(weight, list) else weight)
    return restricted(of.get_sparse_operator(operator, n_qubits=Space(spec["hilbert"]).n), spec)


def restricted(matrix: sp.csc_matrix, spec: dict[str, Any]) -> sp.csr_matrix:
    """A matrix on all states, its first site most significant, on those that meet the constraint."""
    space = Space(spec["hilbert"])
    inside = space.places(space.digits())
    return matrix.tocsr()[inside][:, inside]
