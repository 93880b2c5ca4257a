"""Estimates of cores that hold a network whole, against runs: to the cycle where statistics say all, else near."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from simulator import Activity, Hardware, Network, Trace, estimate, load_hardware, lower, place, simulate
from simulator.costmodel.estimate import compiled, priced
from simulator.costmodel.estimated import Estimate
from simulator.errors import InputError
from simulator.network import Neuron, Population, Projection
from simulator.record import Record
from simulator.trace import StepSpikesBuilder
from tests.differential.test_whole_units import CLOSED, chip, random_network, random_steps
from tests.unit.test_reckon_placement import recurrent_network

DEEP = (*CLOSED, "core.fifo_depth=4096", "core.last_neuron=63")
ERROR = 0.03


def estimated(hardware: Hardware, network: Network, activity: Activity) -> Estimate:
    """The estimate of the one mapping that there is."""
    return estimate(lower(place(network, hardware), network, hardware), hardware, activity)


def activity_of(trace: Trace, record: Record) -> Activity:
    """What the core fired in the mean: it may fire several times in a timestep."""
    network, steps = trace.network, int(trace.steps.sum())
    rate = {name: count / (network.population(name).size * steps) for name, count in record.work["spikes"].items()}
    rate |= {"l0": record.work["input_spikes"] / (network.population("l0").size * steps)}
    made = Activity.bernoulli(network, {name: min(value, 1.0) for name, value in rate.items()}, trace.steps)
    mean = np.array([[rate[p.name]] * made.mean.shape[1] for p in network.populations])
    return replace(made, mean=mean)


def counts_of(found: Record | Estimate) -> dict[tuple[str, str, str], int]:
    """(unit, layer, action) -> count, where there is one."""
    return {
        (unit, layer, action): int(found.counts[u, n, a])
        for u, unit in enumerate(found.units)
        for n, layer in enumerate(found.layers)
        for a, action in enumerate(found.actions)
        if found.counts[u, n, a]
    }


@pytest.mark.parametrize("name", ["tinyodin", "odin28"])
@pytest.mark.parametrize("changes", [
    (), ("core.source_addresses=true", "core.monitored=5"), ("core.source_addresses=true", "core.monitored=31"),
    ("core.request_delay_cycles=4",), ("core.request_delay_cycles=0", "core.release_delay_cycles=3"),
    ("core.acknowledge_delay_cycles=5", "host.launch_cycles=10"),
])  # fmt: skip
def test_one_layer_is_exact(name: str, changes: tuple[str, ...]) -> None:
    """All counts; of weights, a sweep reads a word again where it stands for the last neuron of the word before.

    The neurons have addresses 7 to 12: the first of them is one, and how often it fires the statistics do not say.
    """
    hardware, network = chip(name, *changes), random_network(3, odin=name == "odin28")
    trace = random_steps(network, 3, spikes=4)
    record = simulate(hardware, network, trace)
    found = estimated(hardware, network, activity_of(trace, record))
    assert record.work["output_spikes"] > 10
    assert found.end_ps == pytest.approx(record.end_ps, abs=2)
    ours, theirs = counts_of(found), counts_of(record)
    assert ours.keys() == theirs.keys()
    spec = hardware.unit("core")
    standing = 0 if spec.source_addresses else 6 + spec.acknowledge_delay_cycles + spec.release_delay_cycles
    fired = record.outputs["l1"]
    first = np.bincount(fired.index, fired.value, 6)[0] - record.work["output_spikes"] / 6
    theirs["core", "l1", "read:weight"] -= round(first * standing * spec.weight_word_bits)
    assert ours == theirs
    assert found.layer_busy_ps == pytest.approx(record.layer_busy_ps, abs=2)


@pytest.mark.parametrize("name", ["tinyodin", "odin28"])
@pytest.mark.parametrize("seed", range(4))
def test_chains_of_layers_are_near(name: str, seed: int) -> None:
    hardware, network = chip(name, *DEEP), random_network(seed, (20, 14, 9), odin=name == "odin28")
    trace = random_steps(network, seed, spikes=5, steps=10)
    record = simulate(hardware, network, trace)
    found = estimated(hardware, network, activity_of(trace, record))
    assert found.end_ps == pytest.approx(record.end_ps, rel=ERROR / 10)
    assert found.total_pj == pytest.approx(record.energy.total, rel=ERROR / 10)
    assert found.layer_busy_ps[2] == pytest.approx(record.layer_busy_ps[2], rel=ERROR)


def test_biases_are_an_event_of_every_timestep() -> None:
    hardware = chip("tinyodin", "core.fit=nearest")
    network = random_network(1, bias=np.array([1, 2, 3, 0, 0, 1]), reset="subtract")
    trace = random_steps(network, 1, spikes=2)
    record = simulate(hardware, network, trace)
    found = estimated(hardware, network, activity_of(trace, record))
    assert found.end_ps == pytest.approx(record.end_ps, abs=2)
    assert counts_of(found)["core", "l1", "accept:spike"] == trace.steps.sum() * 4


def recurrent_trace(network: Network, rate: float, steps: list[int], seed: int) -> Trace:
    """Every neuron sends with the same probability, all populations recorded."""
    rng = np.random.Generator(np.random.PCG64(seed))
    spikes = {}
    for population in network.populations:
        builder = StepSpikesBuilder()
        for count in steps:
            builder.begin_sample()
            for _ in range(count):
                builder.add_step(np.flatnonzero(rng.random(population.size) < rate).astype(np.uint32))
        spikes[population.name] = builder.build()
    return Trace("drawn", network, "step", np.array(steps), spikes)


@pytest.mark.parametrize("shape", [(6, 10, 3), (9, 4, 2), (10, 7, 1), (4, 5, 12)])
@pytest.mark.parametrize("rate", [0.0, 1.0])
@pytest.mark.parametrize("output", [True, False])
def test_ticks_are_exact_where_all_or_none_send(shape: tuple[int, int, int], rate: float, output: bool) -> None:
    whole = recurrent_network(*shape)
    network = whole if output else Network("two", whole.populations[:2], whole.projections[:2], whole.arithmetic)
    hardware = load_hardware("reckon28", ["host.launch_cycles=7", "core.start_cycles=3"])
    trace = recurrent_trace(network, rate, [5, 5], 0)
    record = simulate(hardware, network, trace)
    found = estimated(hardware, network, Activity.of(trace))
    assert counts_of(found) == counts_of(record)
    assert found.end_ps == pytest.approx(record.end_ps, abs=2)
    assert found.layer_busy_ps == pytest.approx(record.layer_busy_ps, abs=2)


@pytest.mark.parametrize("seed", range(6))
def test_drawn_traces_on_a_recurrent_core_are_near(seed: int) -> None:
    network = recurrent_network(40 + 9 * seed, 90 - 7 * seed, 5)
    trace = recurrent_trace(network, (0.02, 0.1, 0.3)[seed % 3], [12, 9], seed)
    hardware = load_hardware("reckon28", ["core.leakage_mw=0.01", "core.active_energy_pj=3"])
    record = simulate(hardware, network, trace)
    found = estimated(hardware, network, Activity.of(trace))
    assert found.end_ps == pytest.approx(record.end_ps, rel=ERROR)
    assert found.total_pj == pytest.approx(record.energy.total, rel=ERROR)


@pytest.mark.parametrize("name", ["tinyodin", "reckon28"])
def test_terms_add_up_and_more_is_never_faster(name: str) -> None:
    network = recurrent_network() if name == "reckon28" else random_network(2, (9, 8, 7))
    hardware = load_hardware(name) if name == "reckon28" else chip(name, *DEEP, "host.launch_cycles=3")
    schedule = lower(place(network, hardware), network, hardware)
    activity = Activity.bernoulli(network, 0.3, 6)
    form, actions = compiled(schedule, hardware, network)
    assert len(form.terms) <= 10 and all(term.meaning for term in form.terms)

    def end(weights: np.ndarray) -> int:
        return priced(schedule, hardware, activity, form, actions, weights).end_ps

    ones = np.ones(len(form.terms))
    single = [end(row) for row in np.eye(len(form.terms))]
    assert sum(single) == pytest.approx(end(ones), abs=len(single))
    assert all(part > 0 for term, part in zip(form.terms, single, strict=True) if term.name != "host.launch")
    assert end(2 * ones) == pytest.approx(2 * end(ones), abs=2)
    more = Activity.bernoulli(network, 0.4, 6)
    assert priced(schedule, hardware, more, form, actions, ones).end_ps > end(ones)


def test_what_has_no_closed_form_is_refused() -> None:
    words = Network("words", (Population("l0", (100, 1, 1), Neuron("input")),), (), "int")
    with pytest.raises(InputError, match="a stimulus without layers has no closed form"):
        estimated(load_hardware("tinyodin"), words, Activity.bernoulli(words, 0.1, 2))
    network = random_network(0, (7, 6, 5))
    with pytest.raises(InputError, match="which an open loop never brings"):
        estimated(load_hardware("tinyodin"), network, Activity.bernoulli(network, 0.1, 2))
    with pytest.raises(InputError, match="an image goes with a stimulus"):
        estimated(load_hardware("tinyodin", ["core.image=somewhere"]), network, Activity.bernoulli(network, 0.1, 2))
    wide = recurrent_network(6, 257)
    with pytest.raises(InputError, match="larger than the core"):
        estimated(load_hardware("reckon28"), wide, Activity.bernoulli(wide, 0.1, 2))
    few = recurrent_network()
    with pytest.raises(InputError, match="recurrent: the network is larger than the core; found 10"):
        estimated(load_hardware("reckon28", ["core.recurrent=8"]), few, Activity.bernoulli(few, 0.1, 2))


def test_events_with_times_have_no_statistics_by_timestep() -> None:
    network = Network("one", (Population("l0", (4, 1, 1), Neuron("input")), Population("l1", (3, 1, 1), Neuron("if"))),
                      (Projection("p", "l0", "l1", "linear"),), "int")  # fmt: skip
    with pytest.raises(InputError, match="activity is counted per timestep"):
        Activity.of(Trace("cycles", network, "cycle", np.array([1]), {}))
