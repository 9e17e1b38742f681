"""Pauli strings: complex weights, identities, duplicates, more than 64 qubits."""

import netket as nk

from .case import Case, netket_space, numbers, qubit, rng, spin
from .other_programs import openfermion_qubits


def cases():
    yield small("pauli_complex", qubit(5), complex_weights=True)
    yield small("pauli_complex_spin", spin(5), complex_weights=True)
    yield small("pauli_duplicates", qubit(5), complex_weights=False)
    yield large()


def small(name, hilbert, complex_weights):
    """Random strings with the identity and with strings that are there twice, some adding up to 0."""
    generator = rng(name)
    n = hilbert["n"]
    strings = ["".join(generator.choice(list("IIXYZ"), n)) for _ in range(14)]
    strings += ["I" * n, strings[0], strings[3], "I" * n, strings[5]]
    weights = numbers(generator, len(strings))
    if complex_weights:
        weights = [[re, im] for re, im in zip(weights, numbers(generator, len(strings)))]
    # The last string cancels an earlier one.
    weights[-1] = [-part for part in weights[5]] if complex_weights else -weights[5]
    spec = {"model": "pauli_strings", "hilbert": hilbert, "strings": strings, "weights": weights}
    operator = nk.operator.PauliStrings(netket_space(hilbert), strings, values(weights))
    peers = {"OpenFermion": openfermion_qubits(spec)}
    return Case(name, spec, operator, full=True, hermitian=not complex_weights, peers=peers)


def values(weights):
    return [complex(*weight) if isinstance(weight, list) else weight for weight in weights]


def large():
    """Strings of four letters on seventy qubits, some across the border of the first 64."""
    generator = rng("pauli_70q")
    n, strings = 70, []
    for k in range(60):
        letters = ["I"] * n
        low = 60 if k % 2 else 0
        for site in low + generator.choice(n - low, 4, replace=False):
            letters[site] = str(generator.choice(list("XYZ")))
        strings.append("".join(letters))
    weights = [[re, im] for re, im in zip(numbers(generator, 60), numbers(generator, 60))]
    spec = {"model": "pauli_strings", "hilbert": qubit(n), "strings": strings, "weights": weights}
    operator = nk.operator.PauliStrings(netket_space(spec["hilbert"]), strings, values(weights))
    return Case("pauli_70q", spec, operator, hermitian=False, n_samples=2)
