"""The hydrogen molecule in STO-3G at 0.7414 angstrom, from the integrals that come with OpenFermion."""

import os
from itertools import product

import netket as nk
import openfermion as of
from openfermion.config import DATA_DIRECTORY

from .case import Case, modes, netket_space, qubit
from .fermions import from_strings
from .other_programs import openfermion_qubits

#: Full configuration interaction, in hartree.
GROUND_STATE = -1.13727


def cases():
    molecule = of.MolecularData(filename=os.path.join(DATA_DIRECTORY, "H2_sto-3g_singlet_0.7414.hdf5"))
    molecule.load()
    yield h2_fermions(molecule)
    yield h2_qubits(molecule)


def h2_fermions(molecule):
    """sum h_pq p^ q + 1/2 sum V_pqrs p^ q^ r s over spins; the nuclear repulsion is a remark in the spec."""
    n = molecule.n_orbitals
    one, two = molecule.one_body_integrals, molecule.two_body_integrals
    terms, weights = [], []

    def add(weight, term):
        if abs(weight) > 1e-12:
            terms.append(term)
            weights.append(float(weight))

    orbitals = range(n)
    for block in (0, n):
        for p in orbitals:
            for q in orbitals:
                add(one[p, q], f"{p + block}^ {q + block}")
    for left, right in product((0, n), repeat=2):
        for p, q, r, s in product(orbitals, repeat=4):
            # OpenFermion's order: two[p, q, r, s] belongs to p^ q^ r s.
            term = f"{p + left}^ {q + right}^ {r + right} {s + left}"
            add(two[p, q, r, s] / 2, term)
    spec = {
        "model": "fermion_operator_2nd",
        "hilbert": modes(n, s=0.5, per_spin=[1, 1]),
        "terms": terms,
        "weights": weights,
        "nuclear_repulsion": molecule.nuclear_repulsion,
    }
    case = from_strings("h2_sto3g", spec)
    case.known_eigenvalues = [molecule.fci_energy - molecule.nuclear_repulsion]
    return case


def h2_qubits(molecule):
    """The Jordan-Wigner image on four qubits, with the nuclear repulsion, spins side by side."""
    image = of.jordan_wigner(of.get_fermion_operator(molecule.get_molecular_hamiltonian()))
    n, strings, weights = 4, [], []
    for letters, weight in image.terms.items():
        if abs(weight) > 1e-12:
            string = dict(letters)
            strings.append("".join(string.get(site, "I") for site in range(n)))
            weights.append(float(weight.real))
    spec = {"model": "pauli_strings", "hilbert": qubit(n), "strings": strings, "weights": weights}
    operator = nk.operator.PauliStrings(netket_space(spec["hilbert"]), strings, weights)
    peers = {"OpenFermion": openfermion_qubits(spec)}
    if abs(molecule.fci_energy - GROUND_STATE) > 1e-5:
        raise ValueError(f"H2: {molecule.fci_energy} hartree; expected {GROUND_STATE}")
    known = [molecule.fci_energy]
    return Case("h2_sto3g_qubits", spec, operator, full=True, peers=peers, known_eigenvalues=known)
