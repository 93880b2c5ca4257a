"""What the functional room refuses, and how it compares traces."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from simulator.errors import InputError
from simulator.functional import compare_traces, plan_network, run_network, run_sample
from simulator.network import Decay, Network, Neuron, Pool, Population, Projection
from simulator.trace import Events, MemorySpikes, Trace


def network_of(neuron: Neuron, **projection) -> Network:
    """Four inputs in a 2 x 2 square, one neuron per place."""
    populations = (Population("in", (1, 2, 2), Neuron("input")), Population("out", (1, 2, 2), neuron))
    options = {"weights": np.array([5], np.int8), **projection}
    return Network("small", populations, (Projection("p", "in", "out", "one_to_one", **options),))


IF = Neuron("if", threshold=np.array([5]))


def steps_trace(network: Network, index: list[list[int]]) -> Trace:
    start = np.cumsum([0, *map(len, index)])[None]
    flat = np.array([i for step in index for i in step], np.uint32)
    return Trace("t", network, "step", np.array([len(index)]), {"in": MemorySpikes(start, flat)})


def events_of(network: Network, time: list[int], index: list[int]) -> Trace:
    events = Events(np.array([0, len(time)]), np.array(time, np.int64), np.array(index, np.uint32))
    return Trace("t", network, "us", np.array([100]), {"in": events})


def test_a_topology_cannot_run() -> None:
    network = network_of(IF)
    with pytest.raises(InputError, match="projection p: the projection has no weights"):
        run_network(network.topology(), steps_trace(network, [[0]]))


def test_missing_and_misshapen_inputs_are_named() -> None:
    network = network_of(IF)
    trace = steps_trace(network, [[0]])
    with pytest.raises(InputError, match="population in: the input trace does not hold"):
        run_network(network, replace(trace, populations={}))
    other = Network("other", (Population("in", (4, 1, 1), Neuron("input")),), ())
    with pytest.raises(InputError, match="another shape"):
        run_network(network, replace(trace, network=other))


def test_an_index_outside_never_reaches_a_kernel() -> None:
    network = network_of(IF)
    with pytest.raises(InputError, match="population in: a spike's neuron index"):
        run_network(network, steps_trace(network, [[0], [4]]))
    with pytest.raises(InputError, match="population in: an event's neuron index"):
        run_network(network, events_of(network, [1], [4]))
    with pytest.raises(InputError, match="times must not decrease"):
        run_network(network, events_of(network, [2, 1], [0, 0]))


@pytest.mark.parametrize(
    ("neuron", "projection", "what"),
    [
        (replace(IF, model="lif", decay_v=Decay("shift", shift=2)), {}, "population out: a leak"),
        (replace(IF, bias=np.array([1])), {}, "population out: a bias"),
        (replace(IF, dead_steps=1), {}, "population out: dead_steps"),
        (replace(IF, stateful=False), {}, "population out: a stateless neuron"),
        (IF, {"delay": 1}, "projection p: a delay"),
    ],
)
def test_what_needs_timesteps_is_refused_event_by_event(neuron: Neuron, projection: dict, what: str) -> None:
    network = network_of(neuron, **projection)
    with pytest.raises(InputError, match=what):
        run_network(network, events_of(network, [1], [0]))


def test_pooling_that_needs_timesteps_is_refused_event_by_event() -> None:
    for pool, what in ((Pool("average", (2, 2), (2, 2)), "average"), (Pool("sum", (2, 2), (1, 1)), "overlapping")):
        populations = (Population("in", (1, 2, 2), Neuron("input")), Population("out", (1, 1, 1), IF))
        weights = np.ones((1, 1, 1, 1), np.int8)
        network = Network("n", populations, (Projection("p", "in", "out", "conv", pool=pool, weights=weights),))
        with pytest.raises(InputError, match=f"projection p: .*{what}"):
            run_network(network, events_of(network, [1], [0]))


def test_recurrence_is_refused_event_by_event() -> None:
    populations = (Population("in", (1, 1, 1), Neuron("input")), Population("out", (1, 1, 1), IF))
    one = np.ones(1, np.int8)
    projections = (
        Projection("p", "in", "out", "one_to_one", weights=one),
        Projection("back", "out", "out", "one_to_one", weights=one, delay=1),
    )
    network = Network("n", populations, projections)
    with pytest.raises(InputError, match="population out: recurrence"):
        run_network(network, events_of(network, [1], [0]))


@pytest.mark.parametrize(
    ("neuron", "what"),
    [
        (replace(IF, decay_v=Decay("shift", shift=2)), "an if neuron has no decay"),
        (replace(IF, decay_u=Decay("shift", shift=2)), "only a cuba_lif neuron"),
        (replace(IF, initial=np.array([2**40])), "initial does not fit"),
        (replace(IF, threshold=np.array([2**61])), "too large"),
        (replace(IF, model="lif", decay_v=Decay("multiply", numerator=2**40, bits=41)), "decay out of range"),
    ],
)
def test_parameters_that_a_run_cannot_honour_are_refused(neuron: Neuron, what: str) -> None:
    with pytest.raises(InputError, match=what):
        plan_network(network_of(neuron))


def test_samples_start_afresh() -> None:
    """Half a threshold left by one sample does not reach the next."""
    network = network_of(replace(IF, threshold=np.array([10])))
    spikes = MemorySpikes(np.array([[0, 1], [1, 2]]), np.zeros(2, np.uint32))
    trace = Trace("t", network, "step", np.array([1, 1]), {"in": spikes})
    assert run_network(network, trace).spikes("out").count == 0
    assert run_sample(plan_network(network), trace, 1).membranes["out"].tolist() == [5, 0, 0, 0]


def test_average_pooling_rounds_towards_minus_infinity() -> None:
    populations = (Population("in", (1, 2, 2), Neuron("input")), Population("out", (1, 1, 1), IF))
    weights = np.full((1, 1, 1, 1), -3, np.int8)
    pool = Pool("average", (2, 2), (2, 2))
    network = Network("n", populations, (Projection("p", "in", "out", "conv", pool=pool, weights=weights),))
    result = run_sample(plan_network(network), steps_trace(network, [[0, 1, 3]]), 0)
    assert result.membranes["out"].tolist() == [-3]  # -9 / 4 = -2.25
    assert result.counts.synaptic_operations == {"p": 3}


def test_events_fire_at_once_and_keep_their_time() -> None:
    network = network_of(replace(IF, threshold=np.array([8]), floor=np.array([-8])))
    made = run_network(network, events_of(network, [3, 3, 9, 20], [1, 1, 2, 1])).events("out")
    assert made.time.tolist() == [3] and made.index.tolist() == [1]


def test_compare_names_the_first_difference() -> None:
    network = network_of(IF)
    made = run_network(network, steps_trace(network, [[0, 3], [1], [2]]))
    assert compare_traces(made, made) is None
    other = steps_trace(network, [[3, 0], [1], [2]])
    out = MemorySpikes(np.array([[0, 2, 3, 5]]), np.array([0, 3, 1, 0, 2], np.uint32))
    found = compare_traces(made, replace(other, populations={**other.populations, "out": out}), chunk=2)
    assert found is not None
    assert (found.population, found.sample, found.step, found.index, found.a, found.b) == ("out", 0, 2, 0, 0, 1)
    assert "population out, sample 0, step 2, neuron 0: 0 against 1" in str(found)


def test_compare_refuses_traces_of_other_lengths() -> None:
    network = network_of(IF)
    with pytest.raises(InputError, match="samples or timesteps"):
        compare_traces(steps_trace(network, [[0]]), steps_trace(network, [[0], [1]]))
    with pytest.raises(InputError, match="time bases"):
        compare_traces(steps_trace(network, [[0]]), events_of(network, [0], [0]))


def test_compare_looks_at_times_of_events() -> None:
    network = network_of(IF)
    a, b = events_of(network, [3, 5], [1, 1]), events_of(network, [3, 6], [1, 1])
    found = compare_traces(a, b)
    assert found is not None and (found.step, found.index, found.a, found.b) == (5, 1, 1, 0)
