"""Plain definition of a run: a whole network, timestep by timestep or event by event, in Python numbers."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.network import Network
from simulator.trace import Trace
from tests.oracles.neuron import Cell, channel, clamp, sent, update
from tests.oracles.synapse import Spikes, deliver, pool, synapses


@dataclass
class OracleRun:
    """Result of one sample.

    spikes: per population a list over timesteps of {index: value}; v, u: per computing population, by index.
    operations per projection; saturations per population.
    """

    spikes: dict[str, list[Spikes]]
    v: dict[str, list]
    u: dict[str, list]
    operations: dict[str, int]
    saturations: dict[str, int]


def trace_steps(trace: Trace, population: str, sample: int) -> list[Spikes]:
    """One population's timesteps as {index: value}."""
    steps = int(trace.steps[sample])
    block = trace.spikes(population).block(sample, 0, steps)
    result = []
    for t in range(steps):
        index, value = block.step(t)
        ones = [1] * index.size
        result.append(dict(zip(index.tolist(), ones if value is None else value.tolist(), strict=True)))
    return result


def oracle_network(network: Network, inputs: Trace, sample: int = 0) -> OracleRun:
    """Runs one sample of a step trace: for every timestep every population in running order, neuron by neuron."""
    integer = network.arithmetic == "int"
    spikes: dict[str, list[Spikes]] = {p.name: [] for p in network.populations}
    for name in network.inputs:
        spikes[name] = trace_steps(inputs, name, sample)
    order = [network.population(name) for group in network.groups for name in group]
    order = [population for population in order if not population.is_input]
    cells = {p.name: [Cell(channel(p.neuron.initial, i % p.shape[0])) for i in range(p.size)] for p in order}
    operations = {p.name: 0 for p in network.projections}
    saturations = {p.name: 0 for p in order}
    for t in range(int(inputs.steps[sample])):
        for population in order:
            neuron, name = population.neuron, population.name
            if t in neuron.reset_steps:
                for i, cell in enumerate(cells[name]):
                    cell.v, cell.u = channel(neuron.initial, i % population.shape[0]), 0
            sums = [0 if integer else 0.0] * population.size
            for projection in network.incoming(name):
                source = network.population(projection.source)
                if t < projection.delay:
                    continue
                seen = pool(projection, source, spikes[source.name][t - projection.delay])
                own = [0 if integer else 0.0] * population.size
                average = projection.pool is not None and projection.pool.kind == "average"
                operations[projection.name] += deliver(projection, source, population, seen, own if average else sums)
                if average:
                    area = projection.pool.size[0] * projection.pool.size[1]
                    sums = [a + (b // area if integer else b / area) for a, b in zip(sums, own, strict=True)]
            sending: Spikes = {}
            if t >= neuron.first_step:
                for i, cell in enumerate(cells[name]):
                    n, saturated = update(neuron, cell, sums[i], i % population.shape[0], integer)
                    saturations[name] += saturated
                    if n:
                        sending[i] = n
            spikes[name].append(sending)
    return OracleRun(
        spikes,
        {name: [cell.v for cell in items] for name, items in cells.items()},
        {name: [cell.u for cell in items] for name, items in cells.items()},
        operations,
        saturations,
    )


def oracle_events(network: Network, inputs: Trace, sample: int = 0) -> dict[str, list[tuple[int, int, int]]]:
    """Runs one sample of an event trace: (time, index, value) of every population, in order.

    Every input event goes through all layers before the next one.
    """
    integer = network.arithmetic == "int"
    roots = []
    for rank, name in enumerate(network.inputs):
        time, index, value = inputs.events(name).sample(sample)
        for i in range(time.size):
            roots.append((int(time[i]), rank, i, name, int(index[i]), 1 if value is None else int(value[i])))
    layers = [network.population(name) for group in network.groups for name in group]
    layers = [population for population in layers if not population.is_input]
    v = {p.name: [channel(p.neuron.initial, i % p.shape[0]) for i in range(p.size)] for p in layers}
    made: dict[str, list[tuple[int, int, int]]] = {p.name: [] for p in network.populations}
    for time, _, _, name, index, value in sorted(roots):
        now: dict[str, list[tuple[int, int]]] = {p.name: [] for p in network.populations}
        now[name].append((index, value))
        for population in layers:
            neuron = population.neuron
            for projection in network.incoming(population.name):
                source = network.population(projection.source)
                for cause, s in now[source.name]:
                    for seen, amount in pool(projection, source, {cause: s}).items():
                        for at, weight in synapses(projection, source, population, seen):
                            c = at % population.shape[0]
                            threshold = channel(neuron.threshold, c)
                            x = v[population.name][at] + weight * amount * 2**neuron.weight_shift
                            n = sent(neuron, x, threshold)
                            if n:
                                x = 0 if neuron.reset == "zero" else x - n * threshold
                                now[population.name].append((at, n))
                            if neuron.floor is not None:
                                x = max(x, channel(neuron.floor, c))
                            v[population.name][at], _ = clamp(x, neuron.membrane_bits if integer else None)
        for key, events in now.items():
            made[key].extend((time, index, value) for index, value in events)
    return made
