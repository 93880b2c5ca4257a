"""Sources: the networks and spikes that the names in a case stand for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simulator.costmodel.architectures import FAMILIES, architecture
from simulator.errors import InputError
from simulator.network.load import load_network
from simulator.network.snasnet import snasnet
from simulator.trace.clustered import Clusters, clustered_trace
from simulator.trace.dense import dense_trace
from simulator.trace.load import load_trace
from simulator.trace.spikes import StepSpikesBuilder
from simulator.trace.synthetic import bernoulli_trace
from simulator.trace.trace import Trace

if TYPE_CHECKING:
    from simulator.costmodel.case import Case
    from simulator.network import Network

GENERATED = "generated/"
RECORDED = "recorded/"
SNASNET = "snasnet/"
SPREAD = (0.5, 1.5)
"""Populations of a drawn trace fire with the case's density times a factor drawn evenly from this range."""
CHANNELS, SIDES, CONCENTRATIONS, PERSISTENCES = (4, 8, 16), (2, 4, 8), (0.5, 1.0, 2.0, 4.0), (1.0, 2.0, 4.0, 8.0)
"""What blocks of clustered spikes are drawn from, see `simulator.trace.clustered`."""


def network_of(name: str, directory: str | None) -> Network:
    """The topology that `name` stands for.

    generated/FAMILY/SEED/INDEX  an architecture of `simulator.costmodel.architectures`
    snasnet/CELL/CHANNELS        a network of two equal cells, see `simulator.network.snasnet`
    recorded/KIND/NAME           a recording in `directory`, see `simulator.costmodel.recorded`
    anything else                a bundled network, or the path of one
    """
    if name.startswith(GENERATED):
        parts = name.split("/")
        if len(parts) != 4 or parts[1] not in FAMILIES or not (parts[2] + parts[3]).isdecimal():
            raise InputError("not a drawn architecture", found=name, allowed=f"{GENERATED}FAMILY/SEED/INDEX")
        return architecture(int(parts[2]), int(parts[3]), parts[1])
    if name.startswith(SNASNET):
        parts = name.split("/")
        if len(parts) != 3 or not parts[2].isdecimal() or not 1 <= int(parts[2]) <= 1024:
            raise InputError("not a network of cells", found=name, allowed=f"{SNASNET}CELL/CHANNELS")
        return snasnet(parts[1], channels=int(parts[2]), hidden=4 * int(parts[2]))
    if name.startswith(RECORDED):
        from simulator.costmodel.recorded import recording

        return recording(name, directory).network
    return load_network(name).topology()


def trace_of(case: Case, network: Network) -> Trace:
    """Spikes of every population of a case's network; the same for the same case."""
    if case.kind == "recorded":
        from simulator.costmodel.recorded import recording

        return recording(case.network, case.directory).trace(case.seed, case.steps)
    if case.kind == "trained":
        return _samples(load_trace(case.network), case.seed, case.samples)
    if case.density is None:
        raise InputError("a drawn case needs a density", key=f"case {case.name}")
    if case.density >= 1:
        return dense_trace(network, np.full(case.samples, case.steps, np.int64))
    rates = rates_of(case, network)
    if case.kind == "clustered":
        return clustered_trace(network, case.steps, rates, case.samples, case.seed, clusters_of(case))
    return bernoulli_trace(network, case.steps, rates, case.samples, case.seed)


def rates_of(case: Case, network: Network) -> dict[str, float]:
    """Density of every population: layers of a network differ in it, so factors are drawn from `SPREAD`."""
    generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence([case.seed, 977])))
    factors = generator.uniform(*SPREAD, len(network.populations))
    density = float(case.density or 0)
    return {p.name: min(0.95, density * f) for p, f in zip(network.populations, factors.tolist(), strict=True)}


def clusters_of(case: Case) -> Clusters:
    """How the spikes of a clustered case cluster; drawn, as nothing says how those of a network will."""
    generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence([case.seed, 978])))
    side = int(generator.choice(SIDES))
    return Clusters(
        (int(generator.choice(CHANNELS)), side, side),
        float(generator.choice(CONCENTRATIONS)),
        float(generator.choice(PERSISTENCES)),
    )


def _samples(trace: Trace, first: int, count: int) -> Trace:
    """Samples `first` and following of a trace, as a trace of their own."""
    if not 0 <= first < first + count <= trace.samples:
        raise InputError("the trace has fewer samples", key=f"trace {trace.name}", found=first + count)
    populations = {}
    for name in trace.populations:
        builder = StepSpikesBuilder()
        for sample in range(first, first + count):
            builder.begin_sample()
            builder.add_block(trace.spikes(name).block(sample, 0, int(trace.steps[sample])))
        populations[name] = builder.build()
    return Trace(
        f"{trace.name}[{first}:{first + count}]",
        trace.network.topology(),
        "step",
        trace.steps[first : first + count],
        populations,
        trace.source,
    )


