"""The peers' side of the comparison: does with NetKet and QuSpin what a driver asks for.

    python netket_side.py < items

Reads work items from stdin, one JSON object a line, and answers each at once with one JSON line: the item, and

- `seconds`: the best of `repeats` runs (default 5), warm-up and compilation not counted;
- counts: `elements` (non-zero connected elements), `slots` (those that NetKet returned, zeros and padding
  included), `samples`, `proposals`, `parameters`, `states`, `nonzeros`;
- or `error`, in place of both.

What is prepared for an item is kept, so that a driver that sends an item again and again, in turn with work of its
own, pays for compilation once. The keys of an item other than `what` and `repeats`:

| what | keys |
| --- | --- |
| `about` | – ; versions, threads, the systems |
| `conn` | `system`, `kind` (`numba`: flattened, `jax`: padded), `batch` (1024) |
| `local_energy` | `system`, `kind` (`jax`), `samples` (1024), `chains` (16), `model` (`rbm`, or `mlp`: two hidden layers of tanh), `packed`, `chunk_sizes` |
| `operator_gradient` | `system` (`ising_square_10x10`, `ising_square_10x10_by_bonds`), `samples` (1024), `gradient` (true), `packed`, `chunk_sizes` |
| `sampling` | `system`, `rule` (`local`, `exchange`, `hamiltonian_jax`, `hamiltonian_numba`), `chains` (256), `chain_length` (1) |
| `vmc_sr_step` | `system`, `samples` (1008), `chains` (16), `use_ntk` (true), `on_the_fly` (the faster), `packed`, `chunk_sizes` |
| `first_energy` | `system`, `samples` (1008), `packed`; seconds from the start of a new process to its first energy |
| `quspin_sparse` | `n` (20) |
| `quspin_apply` | `n` (20), `matrix_free` (false) |

Works of an RBM also take `alpha` (1), the hidden units for each site. With `packed` (false), local energies come from the
kernel of NETKET_EXPERIMENTAL_PACKED_KERNEL=1, which evaluates the network only on connected configurations that differ
from their sample. Of the `chunk_sizes`, numbers of configurations that the network gets at once (null for all), the
fastest one counts; the answer has it as `chunk_size`.

Systems: ising_chain_100, ising_square_10x10, heisenberg_10x10_sz0, j1j2_10x10_sz0, bose_hubbard_8x8_nmax4
(64 particles), fermi_hubbard_6x6 (18 + 18 fermions), pauli_1000_4local_40q. The wave function is an RBM in f64 unless
another is named. Its energies and samples need a system with a graph of its sites: the first four.
ising_square_10x10_by_bonds has its own J for each bond of sites a and b, 0.5 + (a + b) % 100 / 100.

The Pauli strings of pauli_1000_4local_40q come from a linear congruential generator, so that another program can make
the same ones: s <- 6364136223846793005 s + 1442695040888963407 modulo 2^64 from s = 42, and `next` is the new
s >> 33. For each of the 1000 strings, four times: the site is next % 40, drawn again while it is taken, then its
letter is "XYZ"[next % 3]; after that the weight is next / 2^30 - 1. The samples and the RBM of `operator_gradient` come
from it too, see `shared_samples_and_rbm` in systems.py.
"""

import importlib.metadata
import json
import os
import subprocess
import sys
from functools import cache
from typing import Any

from timing import best_seconds

SYSTEMS = [
    "ising_chain_100",
    "ising_square_10x10",
    "heisenberg_10x10_sz0",
    "j1j2_10x10_sz0",
    "bose_hubbard_8x8_nmax4",
    "fermi_hubbard_6x6",
    "pauli_1000_4local_40q",
]
PACKAGES = ["netket", "jax", "jaxlib", "numba", "numpy", "scipy", "quspin"]
VARIABLES = ["NETKET_SHARDING", "XLA_PYTHON_CLIENT_PREALLOCATE", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS", "XLA_FLAGS"]
FIRST_ENERGY = "--first-energy"
# One process and one device have nothing to share out, and the numba Hamiltonian rule refuses to run with sharding.
os.environ.setdefault("NETKET_SHARDING", "0")
# The other side may compute on the same GPU, of which JAX would take most of the memory.
os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")


def main() -> None:
    if FIRST_ENERGY in sys.argv[1:]:
        import netket_work

        print(netket_work.first_energy(**json.loads(sys.argv[2])), flush=True)
        return
    # Only answers go to stdout, whatever the libraries print.
    answers, sys.stdout = sys.stdout, sys.stderr
    for line in sys.stdin:
        if line.strip():
            print(json.dumps(answer(line)), file=answers, flush=True)


def answer(line: str) -> dict[str, Any]:
    """The item with its results, or with what went wrong."""
    item: Any = None
    try:
        item = json.loads(line)
        options = dict(item)
        what, repeats = options.pop("what"), options.pop("repeats", 5)
        match what:
            case "about":
                return item | about()
            case "first_energy":
                return item | first_energy(options, repeats)
            case _:
                run, facts = prepared(what, json.dumps(options, sort_keys=True))
                return item | facts | {"seconds": best_seconds(run, repeats)}
    except Exception as error:  # an answer for every item: the driver waits for it
        item = item if isinstance(item, dict) else {"item": line.strip()}
        return item | {"error": f"{type(error).__name__}: {error}"}


@cache
def prepared(what: str, options: str):
    """What an item needs, made once."""
    if what.startswith("quspin"):
        import quspin_work as work

        known = ["quspin_sparse", "quspin_apply"]
    else:
        import netket_work as work

        known = ["conn", "local_energy", "operator_gradient", "sampling", "vmc_sr_step"]
    if what not in known:
        raise ValueError(f"{what} is not known")
    return getattr(work, what)(**json.loads(options))


def first_energy(options: dict[str, Any], repeats: int) -> dict[str, Any]:
    """Time from the start of a new Python to the line with its energy."""
    command = [sys.executable, __file__, FIRST_ENERGY, json.dumps(options)]
    energy = ""

    def run():
        nonlocal energy
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        energy = done.stdout

    return {"seconds": best_seconds(run, repeats), "energy": float(energy)}


def about() -> dict[str, Any]:
    """Versions and threads."""
    import jax
    import netket  # noqa: F401  turns on double precision in JAX
    import numba

    return {
        "python": sys.version.split()[0],
        "versions": {name: importlib.metadata.version(name) for name in PACKAGES},
        "cpus": len(os.sched_getaffinity(0)),
        "numba_threads": numba.get_num_threads(),
        "jax_device": jax.devices()[0].device_kind,
        "jax_x64": jax.config.jax_enable_x64,
        "environment": {name: os.environ[name] for name in VARIABLES if name in os.environ},
        "systems": SYSTEMS,
    }


if __name__ == "__main__":
    main()
