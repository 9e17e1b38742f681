"""Writes h2_sto3g.fcidump: H2 in STO-3G at 0.7414 angstrom.

Needs nothing but Python. The integrals of s Gaussians are closed formulas (A. Szabo, N. S. Ostlund, Modern
Quantum Chemistry, appendix A); the basis is STO-3G with zeta = 1.24 (W. J. Hehre, R. F. Stewart, J. A. Pople,
J. Chem. Phys. 51, 2657 (1969), in the digits of the Basis Set Exchange); the orbitals follow from symmetry.
"""

from itertools import product
from math import erf, exp, pi, sqrt
from pathlib import Path

BOHR = 0.529177210903  # angstrom, CODATA 2018
DISTANCE = 0.7414 / BOHR
NUCLEI = [0.0, DISTANCE]
PRIMITIVES = [
    (exponent, contraction * (2 * exponent / pi) ** 0.75)
    for exponent, contraction in [
        (3.425250914, 0.1543289673),
        (0.6239137298, 0.5353281423),
        (0.1688554040, 0.4446345422),
    ]
]


def boys(t):
    return 1 - t / 3 if t < 1e-12 else 0.5 * sqrt(pi / t) * erf(sqrt(t))


def one_electron(i, j):
    """Overlap, and kinetic plus nuclear energy, of the atomic orbitals i and j."""
    overlap = energy = 0.0
    for (a, ca), (b, cb) in product(PRIMITIVES, repeat=2):
        p, reduced, d = a + b, a * b / (a + b), NUCLEI[i] - NUCLEI[j]
        center = (a * NUCLEI[i] + b * NUCLEI[j]) / p
        weight = ca * cb * exp(-reduced * d * d)
        s = weight * (pi / p) ** 1.5
        overlap += s
        energy += s * reduced * (3 - 2 * reduced * d * d)
        energy -= sum(weight * 2 * pi / p * boys(p * (center - nucleus) ** 2) for nucleus in NUCLEI)
    return overlap, energy


def two_electron(i, j, k, l):
    """(ij|kl) of atomic orbitals."""
    total = 0.0
    for (a, ca), (b, cb), (c, cc), (d, cd) in product(PRIMITIVES, repeat=4):
        p, q = a + b, c + d
        first = (a * NUCLEI[i] + b * NUCLEI[j]) / p
        second = (c * NUCLEI[k] + d * NUCLEI[l]) / q
        decay = a * b / p * (NUCLEI[i] - NUCLEI[j]) ** 2 + c * d / q * (NUCLEI[k] - NUCLEI[l]) ** 2
        repulsion = 2 * pi**2.5 / (p * q * sqrt(p + q)) * boys(p * q / (p + q) * (first - second) ** 2)
        total += ca * cb * cc * cd * exp(-decay) * repulsion
    return total


def main():
    (own, _), (shared, _) = one_electron(0, 0), one_electron(0, 1)
    bonding, antibonding = 1 / sqrt(2 * (own + shared)), 1 / sqrt(2 * (own - shared))
    orbitals = [[bonding, bonding], [antibonding, -antibonding]]

    def h(p, q):
        pairs = product(range(2), repeat=2)
        return sum(orbitals[p][i] * orbitals[q][j] * one_electron(i, j)[1] for i, j in pairs)

    def g(p, q, r, s):
        total = 0.0
        for i, j, k, l in product(range(2), repeat=4):
            weight = orbitals[p][i] * orbitals[q][j] * orbitals[r][k] * orbitals[s][l]
            total += weight * two_electron(i, j, k, l)
        return total

    lines = [" &FCI NORB=  2,NELEC= 2,MS2=0,", "  ORBSYM=1,5,", "  ISYM=1,", " &END"]
    entries = [(g(0, 0, 0, 0), 1, 1, 1, 1), (g(1, 0, 1, 0), 2, 1, 2, 1)]
    entries += [(g(1, 1, 0, 0), 2, 2, 1, 1), (g(1, 1, 1, 1), 2, 2, 2, 2)]
    entries += [(h(0, 0), 1, 1, 0, 0), (h(1, 1), 2, 2, 0, 0), (1 / DISTANCE, 0, 0, 0, 0)]
    lines += [f"{value:24.16E}" + "".join(f"{index:4d}" for index in indices) for value, *indices in entries]
    Path(__file__).with_name("h2_sto3g.fcidump").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
