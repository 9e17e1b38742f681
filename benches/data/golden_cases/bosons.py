"""Bose-Hubbard models."""

import netket as nk

from .case import Case, fock, netket_space
from .other_programs import quspin_bosons


def cases():
    open_chain = [[0, 1], [1, 2], [2, 3]]
    values = {"U": 1.75, "J": -0.625, "V": 0.5, "mu": 0.875}
    yield bose_hubbard("bosehubbard_open_chain", fock(2, 4), open_chain, values, full=True)
    # No V and no mu: the default is 0.
    longer = [*open_chain, [3, 4]]
    yield bose_hubbard("bosehubbard_open_chain_n", fock(3, 5, 4), longer, {"U": 2.5, "J": 1.125}, full=True)
    square = [[a, b] for a, b in nk.graph.Square(8).edges()]
    values = {"U": 1.0, "J": 0.5, "V": 0.25, "mu": 0.125}
    yield bose_hubbard("bosehubbard_square8_n", fock(4, 64, 64), square, values, n_samples=1)


def bose_hubbard(name, hilbert, edges, values, **options):
    graph = nk.graph.Graph(edges)
    operator = nk.operator.BoseHubbard(netket_space(hilbert), graph, **values)
    spec = {"model": "bose_hubbard", "hilbert": hilbert, "edges": edges, **values}
    peers = {}
    if hilbert["n"] < 10:
        u, mu, n = values["U"], values.get("mu", 0.0), hilbert["n"]
        hops = [[-values["J"], a, b] for a, b in edges]
        static = [
            ["+-", hops],
            ["-+", hops],
            ["nn", [[u / 2, i, i] for i in range(n)] + [[values.get("V", 0.0), a, b] for a, b in edges]],
            ["n", [[-u / 2 - mu, i] for i in range(n)]],
        ]
        peers["QuSpin"] = quspin_bosons(hilbert, static)
    return Case(name, spec, operator, peers=peers, **options)
