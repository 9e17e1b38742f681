"""The work that NetKet does. Each function prepares an item once and returns (run, facts): `run` does the work
to its end, and `facts` are the counts that belong to it. Warm-up and compilation are over on return."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import product
from typing import Any

import jax
import netket as nk
import numpy as np
import optax
from netket.vqs.mc import kernels, kernels_packed

import systems
from timing import best_seconds

#: The connected configurations that a network gets at once, of which the fastest counts; None is all.
CHUNK_SIZES = (None, 2048, 8192)

Prepared = tuple[Callable[[], object], dict[str, Any]]


def fastest(prepare: Callable[..., Prepared], ways: Iterable) -> Prepared:
    """Of several ways to do a work, the one with the shortest run. Those that need more memory than there is do not count."""
    best, seconds, failure = None, np.inf, ValueError("there is no way to do it")
    for way in ways:
        try:
            prepared = prepare(way)
            needed = best_seconds(prepared[0], 3)
        except jax.errors.JaxRuntimeError as error:
            failure = error
            continue
        if needed < seconds:
            best, seconds = prepared, needed
    if best is None:
        raise failure
    return best


@contextmanager
def local_kernel(packed: bool) -> Iterator[None]:
    """Local estimators by NetKet's padded kernel, or by its experimental one that skips padding. NetKet reads the flag
    in each call."""
    nk.config.update("NETKET_EXPERIMENTAL_PACKED_KERNEL", packed)
    try:
        yield
    finally:
        nk.config.update("NETKET_EXPERIMENTAL_PACKED_KERNEL", False)


def conn(system: str, kind: str, batch: int = 1024):
    """Connected elements of a batch: flattened with numba, padded with JAX."""
    operator, samples = systems.operator(system, kind), systems.states(system, batch)
    if kind == "numba":
        sections = np.empty(batch, np.int32)

        def run():
            return operator.get_conn_flattened(samples, sections)

        _, mels = run()
        facts = {"slots": len(mels)}
    else:
        samples = jax.device_put(samples)
        # The operator is a JAX pytree: an argument, as in NetKet's own kernels.
        get_conn_padded = jax.jit(lambda operator, samples: operator.get_conn_padded(samples))

        def run():
            return jax.block_until_ready(get_conn_padded(operator, samples))

        _, mels = run()
        facts = {"slots": mels.size}
    return run, facts | {"elements": int(np.count_nonzero(mels)), "batch": batch}


def make_state(
    system: str,
    kind: str,
    n_samples: int,
    rule: str | None = None,
    chains: int = 16,
    model: str = "rbm",
    alpha: int = 1,
):
    """A Hamiltonian and a Monte-Carlo state, in f64."""
    hamiltonian = systems.operator(system, kind)
    sampler = make_sampler(system, rule or default_rule(system), hamiltonian, chains)
    network = make_model(system, model, alpha)
    return hamiltonian, nk.vqs.MCState(sampler, network, n_samples=n_samples, seed=1, sampler_seed=2)


def make_model(system: str, model: str, alpha: int = 1):
    match model:
        case "rbm":
            return nk.models.RBM(alpha=alpha, param_dtype=float)
        case "mlp":
            n_sites = systems.space(system).size
            return nk.models.MLP(
                hidden_dims=(n_sites, n_sites), hidden_activations=jax.numpy.tanh, param_dtype=float
            )
        case _:
            raise ValueError(f"{model} is not a model; there are rbm and mlp")


def default_rule(system: str) -> str:
    return "local" if systems.space(system).constraint is None else "exchange"


def make_sampler(system: str, rule: str, hamiltonian, chains: int) -> nk.sampler.Sampler:
    hilbert = systems.space(system)
    match rule:
        case "local":
            return nk.sampler.MetropolisLocal(hilbert, n_chains=chains)
        case "exchange":
            return nk.sampler.MetropolisExchange(hilbert, graph=systems.graph(system), n_chains=chains)
        case "hamiltonian_jax" | "hamiltonian_numba":
            # NetKet picks the JAX or the numba rule by the class of the operator.
            return nk.sampler.MetropolisHamiltonian(hilbert, hamiltonian=hamiltonian, n_chains=chains)
        case _:
            raise ValueError(
                f"{rule} is not a rule; there are local, exchange, hamiltonian_jax and hamiltonian_numba"
            )


def local_energy(
    system: str,
    kind: str = "jax",
    samples: int = 1024,
    chains: int = 16,
    model: str = "rbm",
    packed: bool = False,
    chunk_sizes: Iterable[int | None] = CHUNK_SIZES,
    alpha: int = 1,
):
    """Local estimators of the energy on samples that are there."""
    hamiltonian, state = make_state(system, kind, samples, chains=chains, model=model, alpha=alpha)
    state.sample()

    def prepared(chunk_size):
        def run():
            with local_kernel(packed):
                return jax.block_until_ready(state.local_estimators(hamiltonian, chunk_size=chunk_size))

        run()
        facts = {"samples": state.n_samples, "parameters": state.n_parameters}
        return run, facts | {"chunk_size": chunk_size}

    return fastest(prepared, chunk_sizes)


def operator_gradient(
    system: str,
    samples: int = 1024,
    packed: bool = False,
    gradient: bool = True,
    chunk_sizes: Iterable[int | None] = CHUNK_SIZES,
    alpha: int = 1,
):
    """The mean energy of an RBM on given samples and its derivatives in the Hamiltonian's couplings, or the mean alone.

    Samples and the RBM's parameters are the other side's; only the couplings are differentiated.
    """
    operator_with, couplings = systems.operator_of_couplings(system)
    model = make_model(system, "rbm", alpha)
    spins, variables = systems.shared_samples_and_rbm(system, samples, alpha)
    spins, variables = jax.device_put((spins, variables))

    def prepared(chunk_size):
        def mean_energy(couplings, variables, spins):
            kernel, options = kernels.local_value_kernel_jax, {}
            if packed:
                kernel, options = kernels_packed.local_value_kernel_jax_packed, {"chunk_size": chunk_size}
            elif chunk_size is not None:
                kernel, options = kernels.local_value_kernel_jax_chunked, {"chunk_size": chunk_size}
            local = kernel(model.apply, variables, spins, operator_with(couplings), **options)
            return local.mean()

        work = jax.jit(jax.value_and_grad(mean_energy) if gradient else mean_energy)

        def run():
            return jax.block_until_ready(work(couplings, variables, spins))

        energy, derivatives = run() if gradient else (run(), {})
        facts = {"samples": samples, "energy": float(energy), "chunk_size": chunk_size}
        return run, facts | {f"d{name}": float(np.sum(value)) for name, value in derivatives.items()}

    return fastest(prepared, chunk_sizes)


def sampling(system: str, rule: str, chains: int = 256, chain_length: int = 1, alpha: int = 1):
    """Metropolis sampling; a proposal is one step of one chain."""
    kind = "numba" if rule == "hamiltonian_numba" else "jax"
    _, state = make_state(system, kind, chains, rule, chains, alpha=alpha)
    sampler, model, variables = state.sampler, state.model, state.variables
    chain = sampler.init_state(model, variables, seed=3)
    chain = sampler.reset(model, variables, state=chain)

    def run():
        nonlocal chain
        samples, chain = sampler.sample(model, variables, state=chain, chain_length=chain_length)
        return jax.block_until_ready(samples)

    run()
    proposals = chains * chain_length * sampler.sweep_size
    return run, {"proposals": proposals, "chains": chains}


def vmc_sr_step(
    system: str = "heisenberg_10x10_sz0",
    samples: int = 1008,
    chains: int = 16,
    use_ntk: bool = True,
    on_the_fly: bool | None = None,
    packed: bool = False,
    chunk_sizes: Iterable[int | None] | None = None,
    alpha: int = 1,
):
    """One whole step of VMC_SR: sampling, local energies, the linear system, the update.

    Without `on_the_fly`, the faster of NetKet's two ways to the kernel.
    """

    def prepared(way):
        on_the_fly, chunk_size = way
        hamiltonian, state = make_state(system, "jax", samples, chains=chains, alpha=alpha)
        state.chunk_size = chunk_size
        driver = nk.driver.VMC_SR(
            hamiltonian,
            optax.sgd(0.01),
            diag_shift=0.01,
            variational_state=state,
            use_ntk=use_ntk,
            on_the_fly=on_the_fly,
        )

        def run():
            with local_kernel(packed):
                driver.run(1, show_progress=False)
            return jax.block_until_ready(state.parameters)

        run()
        facts = {"samples": state.n_samples, "parameters": state.n_parameters, "chains": chains}
        facts |= {"discarded_per_chain": state.n_discard_per_chain, "chunk_size": chunk_size}
        return run, facts | {"on_the_fly": on_the_fly}

    ways = (False, True) if on_the_fly is None and use_ntk else (bool(on_the_fly),)
    return fastest(prepared, product(ways, chunk_sizes or (None, samples)))


def first_energy(
    system: str = "heisenberg_10x10_sz0", samples: int = 1008, packed: bool = False, alpha: int = 1
) -> float:
    """The energy of a fresh RBM; what a new process is timed on."""
    hamiltonian, state = make_state(system, "jax", samples, alpha=alpha)
    with local_kernel(packed):
        return float(state.expect(hamiltonian).mean.real)
