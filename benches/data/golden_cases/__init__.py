"""The operators of the golden files, by subject."""

from collections.abc import Iterator

from . import bosons, fermions, molecules, paulis, spins
from .case import Case


def all_cases() -> Iterator[Case]:
    """Every case, each built afresh."""
    subjects = [spins, paulis, bosons, fermions, molecules]
    for subject in subjects:
        yield from subject.cases()
