"""Effective operations of random networks against the plain definition, synapse by synapse."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from simulator.network import Network
from simulator.record_effective import effective_operations, nonzero_fan_out
from simulator.trace import StepSpikesBuilder, Trace
from tests.oracles.network import trace_steps
from tests.oracles.random_network import random_events, random_network, random_steps
from tests.oracles.synapse import pool, synapses


def full_trace(rng: np.random.Generator, network: Network) -> Trace:
    """Random spikes of all populations, some with values; samples of different length."""
    inputs = random_steps(rng, network)
    populations = dict(inputs.populations)
    for name in network.layers:
        size, graded = network.population(name).size, rng.random() < 0.5
        builder = StepSpikesBuilder()
        for length in inputs.steps.tolist():
            builder.begin_sample()
            for _ in range(length):
                index = np.flatnonzero(rng.random(size) < 0.3).astype(np.uint32)
                builder.add_step(index, rng.integers(-1, 3, index.size).astype(np.int32) if graded else None)
        populations[name] = builder.build()
    return replace(inputs, populations=populations)


def plain(network: Network, trace: Trace) -> dict[str, int]:
    """Every spike meets every synapse; a timestep is all AC or all MAC per projection."""
    counts = {"effective_macs": 0, "effective_acs": 0}
    for projection in network.projections:
        source, target = network.population(projection.source), network.population(projection.target)
        area = 1
        if projection.pool is not None and projection.pool.kind == "average":
            area = projection.pool.size[0] * projection.pool.size[1]
        for sample in range(trace.samples):
            steps = trace_steps(trace, projection.source, sample)
            for spikes in steps[: max(0, len(steps) - projection.delay)]:
                seen = {i: v for i, v in pool(projection, source, spikes).items() if v}
                each = sum(1 for i in seen for _, weight in synapses(projection, source, target, i) if weight)
                kind = "effective_acs" if all(abs(v) == area for v in seen.values()) else "effective_macs"
                counts[kind] += each
    return counts


@pytest.mark.parametrize("seed", range(40))
def test_counts_are_those_of_the_plain_definition(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.Generator(np.random.PCG64(seed))
    network = random_network(rng, ("int", "float")[seed % 2])
    trace = full_trace(rng, network)
    monkeypatch.setattr("simulator.record_effective.STEPS", 1 + seed % 5)
    assert effective_operations(network, trace) == plain(network, trace)


@pytest.mark.parametrize("seed", range(40))
def test_fan_out_is_the_number_of_nonzero_synapses(seed: int) -> None:
    rng = np.random.Generator(np.random.PCG64(100 + seed))
    network = random_network(rng)
    for projection in network.projections:
        source, target = network.population(projection.source), network.population(projection.target)
        found = nonzero_fan_out(projection, source, target)
        expected = [sum(1 for _, w in synapses(projection, source, target, i) if w) for i in range(found.size)]
        assert found.tolist() == expected, projection


def test_what_cannot_be_known_is_left_out() -> None:
    rng = np.random.Generator(np.random.PCG64(1))
    network = random_network(rng)
    assert effective_operations(network.topology(), full_trace(rng, network)) == {}
    assert effective_operations(network, random_steps(rng, network)) == {}, "inputs only"
    flat = random_network(rng, eventwise=True)
    assert effective_operations(flat, random_events(rng, flat)) == {}
