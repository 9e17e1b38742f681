"""What a golden file is made from."""

from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

import netket as nk
import numpy as np

from .truth import Space


@dataclass
class Case:
    """An operator in two forms that share no code: a spec, and an operator of NetKet."""

    name: str
    spec: dict[str, Any]
    operator: nk.operator.DiscreteOperator
    #: Whether the file lists all states and the whole matrix.
    full: bool = False
    n_samples: int = 4
    hermitian: bool = True
    #: The same matrix from other programs, in the order of `Space.states()`.
    peers: dict[str, Any] = field(default_factory=dict)
    #: Eigenvalues known in closed form or from elsewhere; each must be in the spectrum.
    known_eigenvalues: list[float] = field(default_factory=list)

    def __post_init__(self):
        self.space = Space(self.spec["hilbert"])
        self.spec["hermitian"] = self.hermitian


def rng(name: str) -> np.random.Generator:
    """A generator whose seed is the name of a case."""
    return np.random.default_rng(crc32(name.encode()))


def numbers(generator: np.random.Generator, n: int) -> list[float]:
    """Normal deviates with three digits."""
    return [round(float(value), 3) for value in generator.normal(size=n)]


def spin(n: int, total_sz: float | None = None, s: float = 0.5) -> dict[str, Any]:
    return {"kind": "spin", "s": s, "n": n, "total_sz": total_sz}


def qubit(n: int) -> dict[str, Any]:
    return {"kind": "qubit", "n": n}


def fock(n_max: int, n: int, n_particles: int | None = None) -> dict[str, Any]:
    return {"kind": "fock", "n_max": n_max, "n": n, "n_particles": n_particles}


def modes(
    n_orbitals: int,
    s: float | None = None,
    n_fermions: int | None = None,
    per_spin: list[int] | None = None,
) -> dict[str, Any]:
    return {
        "kind": "spin_orbital_fermions",
        "n_orbitals": n_orbitals,
        "s": s,
        "n_fermions": n_fermions,
        "n_fermions_per_spin": per_spin,
    }


def netket_space(hilbert: dict[str, Any]) -> nk.hilbert.DiscreteHilbert:
    """NetKet's Hilbert space of a spec."""
    match hilbert["kind"]:
        case "spin":
            return nk.hilbert.Spin(s=hilbert["s"], N=hilbert["n"], total_sz=hilbert["total_sz"])
        case "qubit":
            return nk.hilbert.Qubit(hilbert["n"])
        case "fock":
            return nk.hilbert.Fock(hilbert["n_max"], hilbert["n"], n_particles=hilbert["n_particles"])
        case "spin_orbital_fermions":
            per_spin = hilbert["n_fermions_per_spin"]
            return nk.hilbert.SpinOrbitalFermions(
                hilbert["n_orbitals"],
                s=hilbert["s"],
                n_fermions=hilbert["n_fermions"],
                n_fermions_per_spin=None if per_spin is None else tuple(per_spin),
            )
        case kind:
            raise ValueError(f"{kind} is not a kind of Hilbert space")
