"""Kernels and `run_network` against the plain definitions in tests/oracles, on random networks with every option."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.functional import Stepper, plan_network, run_network, run_sample, stream_sample
from simulator.trace import Trace
from tests.oracles.network import oracle_events, oracle_network, trace_steps
from tests.oracles.random_network import random_events, random_network, random_steps


def check_steps(arithmetic: str, seed: int) -> int:
    rng = np.random.Generator(np.random.PCG64(seed))
    network = random_network(rng, arithmetic)
    inputs = random_steps(rng, network)
    plan = plan_network(network)
    made = run_network(network, inputs)
    spikes = 0
    for sample in range(inputs.samples):
        expected = oracle_network(network, inputs, sample)
        for population in network.populations:
            name = population.name
            assert trace_steps(made, name, sample) == expected.spikes[name], (name, sample)
            spikes += 0 if population.is_input else sum(map(len, expected.spikes[name]))
        result = run_sample(plan, inputs, sample)
        assert result.counts.synaptic_operations == expected.operations
        assert result.counts.saturations == expected.saturations
        for name, v in result.membranes.items():
            assert v.tolist() == expected.v[name], name
        for name, u in result.currents.items():
            assert u.tolist() == expected.u[name], name
    return spikes


@pytest.mark.parametrize("seed", range(24))
def test_integer_networks_equal_the_oracle(seed: int) -> None:
    check_steps("int", seed)


@pytest.mark.parametrize("seed", range(100, 116))
def test_float_networks_equal_the_oracle(seed: int) -> None:
    check_steps("float", seed)


def test_the_random_networks_do_fire_and_saturate() -> None:
    """The comparisons above mean something only if neurons fire and membranes saturate."""
    assert sum(check_steps("int", seed) > 20 for seed in range(4)) >= 3
    saturated = 0
    for seed in range(6):
        rng = np.random.Generator(np.random.PCG64(seed))
        network = random_network(rng)
        saturated += sum(oracle_network(network, random_steps(rng, network)).saturations.values())
    assert saturated > 0


@pytest.mark.parametrize("arithmetic", ["int", "float"])
@pytest.mark.parametrize("seed", range(200, 210))
def test_event_by_event_equals_the_oracle(arithmetic: str, seed: int) -> None:
    rng = np.random.Generator(np.random.PCG64(seed))
    network = random_network(rng, arithmetic, eventwise=True)
    inputs = random_events(rng, network)
    made = run_network(network, inputs)
    for sample in range(inputs.samples):
        for name, expected in oracle_events(network, inputs, sample).items():
            if network.population(name).is_input:
                continue
            time, index, value = made.events(name).sample(sample)
            values = [1] * index.size if value is None else value.tolist()
            assert list(zip(time.tolist(), index.tolist(), values, strict=True)) == expected, (name, sample)


@pytest.mark.parametrize("chunk", [1, 2, 3, 5])
@pytest.mark.parametrize("seed", [0, 8, 9, 36])
def test_chunks_of_time_do_not_change_the_run(chunk: int, seed: int) -> None:
    rng = np.random.Generator(np.random.PCG64(seed))
    network = random_network(rng)
    inputs = random_steps(rng, network, samples=1, steps=11)
    whole = run_sample(plan_network(network), inputs, 0)
    assert any(p.delay > 1 and whole.spikes[p.source].index.size for p in network.projections)
    parts = list(stream_sample(plan_network(network), inputs, 0, chunk))
    for name, block in whole.spikes.items():
        assert np.concatenate([p[name].index for p in parts]).tolist() == block.index.tolist()
        assert np.concatenate([np.diff(p[name].start) for p in parts]).tolist() == np.diff(block.start).tolist()


def test_chunks_of_events_do_not_change_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.Generator(np.random.PCG64(203))
    network = random_network(rng, eventwise=True)
    inputs = random_events(rng, network, samples=1, count=200)
    plan = plan_network(network)
    whole = run_sample(plan, inputs, 0)
    monkeypatch.setattr("simulator.functional.run.CHUNK_EVENTS", 7)
    monkeypatch.setattr("simulator.functional.eventwise.CAPACITY", 1)
    parts = run_sample(plan, inputs, 0)
    assert whole.events[network.outputs[0]][0].size > 0
    assert whole.counts == parts.counts
    for name, (time, index, _) in whole.events.items():
        assert parts.events[name][0].tolist() == time.tolist()
        assert parts.events[name][1].tolist() == index.tolist()


def test_a_sum_beyond_int32_stays_exact() -> None:
    """int16 weights times large values leave int32: the run switches to the wide accumulator."""
    from simulator.network import Network, Neuron, Population, Projection
    from simulator.trace import MemorySpikes

    weights = np.full((1, 4), 32767, np.int16)
    network = Network(
        "wide",
        (Population("in", (4, 1, 1), Neuron("input")),
         Population("out", (1, 1, 1), Neuron("if", threshold=np.array([2**40]), output="multi"))),
        (Projection("p", "in", "out", "linear", weights=weights),),
    )  # fmt: skip
    value = np.array([2**26, 2**26, -(2**26), 5], np.int32)
    spikes = MemorySpikes(np.array([[0, 4]]), np.arange(4, dtype=np.uint32), value)
    trace = Trace("wide", network, "step", np.array([1]), {"in": spikes})
    stepper = Stepper(plan_network(network))
    block = stepper.advance({"in": spikes.block(0, 0, 1)}, 1)["out"]
    total = 32767 * (2**26 + 5)
    assert block.value is not None and block.value.tolist() == [total // 2**40]
    assert oracle_network(network, trace).spikes["out"] == [{0: total // 2**40}]
