"""Makes the golden files of operators that NetKet's own models do not cover.

    python make_golden.py [CASE ...]

Writes golden/CASE.json for all cases or those named. Each operator is built twice without common code: as a
spec, read by golden_cases/truth.py, and as an operator of NetKet; many a third time, by QuSpin or OpenFermion.
A case on which two of them differ is an error, and its file is not written. requirements.txt has the versions.
"""

import argparse
import json
import sys
import warnings
from pathlib import Path

import jax
import numpy as np
import scipy.sparse as sp

from golden_cases import Case, all_cases, truth
from golden_cases.case import rng

TOLERANCE = 1e-10
DROPPED = 1e-12
FOLDER = Path(__file__).parent / "golden"
ABOUT = (
    "Reference connected elements of discrete operators. samples[i] is a configuration in quantum numbers. "
    "conn[i] lists every x' with <x|O|x'> != 0 as [x', re, im], duplicates summed, |mel|<1e-12 dropped, sorted "
    "lexicographically by x'. dense, where present, is the full matrix in the order of all_states "
    "(row = x, column = x')."
)
#: Above this number of states without constraint, an operator is checked by rows only.
MATRIX_SIZE = 2**16


class Differs(Exception):
    """Two constructions of one operator disagree."""


def main() -> int:
    jax.config.update("jax_enable_x64", True)
    # On spaces with a fixed number of fermions NetKet recommends another class, which has no numba form.
    warnings.filterwarnings("ignore", message="(?s).*fixed number of fermions")
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("cases", nargs="*", metavar="CASE")
    wanted = parser.parse_args().cases
    failed = 0
    for case in all_cases():
        if wanted and case.name not in wanted:
            continue
        try:
            contents, checks = make(case)
        except Differs as error:
            print(f"FAILED {case.name}: {error}", file=sys.stderr)
            failed += 1
            continue
        path = FOLDER / f"{case.name}.json"
        path.write_text(json.dumps(contents, separators=(",", ":")) + "\n")
        print(f"{case.name}: {path.stat().st_size} bytes; {', '.join(checks)}")
    return 1 if failed else 0


def make(case: Case) -> tuple[dict, list[str]]:
    """The contents of a case's file, and what it was checked against."""
    checks = []
    contents = {"about": ABOUT, "name": case.name, "spec": case.spec}
    if case.space.size <= MATRIX_SIZE:
        order = check_matrix(case, checks)
        states = case.space.states()
        if case.full:
            contents |= full(case, order)
        picked = rng(f"samples of {case.name}").choice(len(states), min(case.n_samples, len(states)), False)
        samples = states[picked]
    else:
        samples = case.space.random_states(rng(f"samples of {case.name}"), case.n_samples)
    conn = [check_row(case, sample) for sample in samples]
    checks.append(f"{len(samples)} rows")
    contents |= {"samples": samples.tolist(), "conn": conn}
    return contents, checks


def check_matrix(case: Case, checks: list[str]) -> np.ndarray:
    """Compares all matrices; returns the row numbers of NetKet's states in our order."""
    states = case.space.states()
    expected, outside = truth.matrix(case.spec)
    if outside.nnz and abs(outside).max() > TOLERANCE:
        raise Differs("the operator leaves its constrained space")
    if (abs(expected - expected.conj().T).max() < TOLERANCE) != case.hermitian:
        raise Differs(f"hermitian = {case.hermitian} is not what the matrix is")
    listed = np.asarray(case.operator.hilbert.all_states()).astype(np.int8)
    ours = {state.tobytes(): k for k, state in enumerate(states)}
    if {state.tobytes() for state in listed} != set(ours) or len(listed) != len(states):
        raise Differs("NetKet has other states")
    order = np.array([ours[state.tobytes()] for state in listed])
    # Spins 1/2 of fixed magnetisation come by ascending quantum numbers; all else by ascending local index.
    hilbert = case.spec["hilbert"]
    backwards = hilbert["kind"] == "spin" and hilbert["s"] == 0.5 and hilbert["total_sz"] is not None
    if not (np.diff(order) == (-1 if backwards else 1)).all():
        raise Differs("NetKet lists its states in another order")
    netket = sp.csr_matrix(case.operator.to_sparse())
    compare("NetKet's matrix", netket, expected[order][:, order])
    checks.append(f"{len(states)} states")
    for name, matrix in case.peers.items():
        compare(f"{name}'s matrix", matrix, expected)
        checks.append(name)
    if case.known_eigenvalues:
        eigenvalues = np.linalg.eigvalsh(expected.toarray())
        for value in case.known_eigenvalues:
            if abs(eigenvalues - value).min() > 1e-8:
                raise Differs(f"the eigenvalue {value} is missing")
        checks.append("known eigenvalues")
    return order


def compare(name: str, matrix, expected) -> None:
    difference = abs(matrix - expected).max() if matrix.shape == expected.shape else np.inf
    if difference > TOLERANCE:
        raise Differs(f"{name} differs by {difference}")


def full(case: Case, order: np.ndarray) -> dict:
    """All states in NetKet's order, the dense matrix and its eigenvalues."""
    dense = np.asarray(case.operator.to_dense())
    imaginary = np.iscomplexobj(dense) and abs(dense.imag).max() > DROPPED
    return {
        "all_states": case.space.states()[order].tolist(),
        "dense_re": short(dense.real),
        "dense_im": short(dense.imag) if imaginary else None,
        "eigvals": np.linalg.eigvalsh(dense).tolist() if case.hermitian else None,
    }


def short(matrix: np.ndarray) -> list[list[float]]:
    """A matrix as lists, its zeros written as short as JSON allows."""
    return [[0 if value == 0 else float(value) for value in row] for row in matrix]


def check_row(case: Case, sample: np.ndarray) -> list:
    """NetKet's connected elements of a sample, equal to the independent ones."""
    states, mels = case.operator.get_conn(sample)
    elements: dict[tuple[int, ...], complex] = {}
    for state, mel in zip(np.asarray(states), np.asarray(mels)):
        key = tuple(int(quantum) for quantum in state)
        elements[key] = elements.get(key, 0) + complex(mel)
    expected = truth.row(list(truth.expand(case.spec)), case.space, sample)
    for key in elements.keys() | expected.keys():
        difference = abs(elements.get(key, 0) - expected.get(key, 0))
        if difference > TOLERANCE:
            raise Differs(f"the element of {sample.tolist()} to {key} differs by {difference}")
    kept = {key: mel for key, mel in elements.items() if abs(mel) >= DROPPED}
    return [[list(key), mel.real, mel.imag] for key, mel in sorted(kept.items())]


if __name__ == "__main__":
    sys.exit(main())
