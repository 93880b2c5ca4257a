"""Cores that hold a whole network, in ordinary runs: function, engines, losses, what is refused, traces of cycles."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simulator import Hardware, Network, Trace, load_hardware, load_record, place, run_network, simulate
from simulator.cli import run_command
from simulator.components.reckon_core.image import LINES
from simulator.errors import InputError
from simulator.network import Neuron, Population, Projection
from simulator.network.file import write_network
from simulator.network.neuron import Decay
from simulator.network.projection import Pool
from simulator.trace import Events, StepSpikesBuilder
from simulator.trace.file import write_trace
from tests.differential.compare import differences
from tests.order.shuffled import ShuffledEnvironment

CLOSED = ["core.open_loop=false"]


def chip(name: str, *changes: str) -> Hardware:
    """A bundled chip with a short sweep, so that runs are quick."""
    return load_hardware(name, [*([] if name == "reckon28" else ["core.last_neuron=31"]), *changes])


def random_network(seed: int, sizes: tuple[int, ...] = (7, 6), odin: bool = False, **changes: Any) -> Network:
    """A chain of layers with weights of 4 bits; for `odin` one sign per source and membranes that stop at 0."""
    rng = np.random.Generator(np.random.PCG64(seed))
    populations = [Population("l0", (sizes[0], 1, 1), Neuron("input"))]
    projections = []
    for k, (a, b) in enumerate(pairwise(sizes), 1):
        weights = rng.integers(-8, 8, (b, a))
        if odin:
            weights = np.where(rng.random(a) < 0.3, -1, 1) * rng.integers(0, 8, (b, a))
        floor = np.zeros(1, np.int64) if odin else None
        fields: dict[str, Any] = {"threshold": rng.integers(1, 15, b), "reset": "zero", "floor": floor}
        fields["compare"] = ("ge", "gt")[int(rng.integers(2))]
        populations.append(Population(f"l{k}", (b, 1, 1), Neuron(**({"model": "if"} | fields | changes))))
        projections.append(Projection(f"p{k}", f"l{k - 1}", f"l{k}", "linear", weights=weights.astype(np.int8)))
    return Network(f"random {seed}", tuple(populations), tuple(projections), "int")


def random_steps(network: Network, seed: int, spikes: int, steps: int = 12, samples: int = 2) -> Trace:
    """So many input spikes in every timestep."""
    rng = np.random.Generator(np.random.PCG64(seed + 1000))
    size = network.population("l0").size
    builder = StepSpikesBuilder()
    for _ in range(samples):
        builder.begin_sample()
        for _ in range(steps):
            builder.add_step(np.sort(rng.choice(size, spikes, replace=False)).astype(np.uint32))
    return Trace("steps", network, "step", np.full(samples, steps), {"l0": builder.build()})


def random_cycles(network: Network, seed: int, spacing: int, events: int = 40) -> Trace:
    """One sample of events of the inputs at most `spacing` cycles apart."""
    rng = np.random.Generator(np.random.PCG64(seed + 2000))
    time = np.cumsum(rng.integers(0, spacing, events))
    index = rng.integers(0, network.population("l0").size, events).astype(np.uint32)
    given = {"l0": Events(np.array([0, events]), time, index)}
    return Trace("cycles", network, "cycle", np.array([int(time[-1]) + 1]), given)


@pytest.mark.parametrize("name", ["tinyodin", "odin28"])
def test_one_event_at_a_time_is_the_networks_own_arithmetic(name: str) -> None:
    spikes = 0
    for seed in range(25):
        network = random_network(seed, odin=name == "odin28")
        trace = random_steps(network, seed, spikes=1)
        record = simulate(chip(name), network, trace)
        expected = run_network(network, trace)
        ours = record.outputs["l1"]
        for sample in range(trace.samples):
            block = expected.spikes("l1").block(sample, 0, 12)
            first, last = ours.step_start[sample, 0], ours.step_start[sample, -1]
            assert (ours.step_start[sample] - first).tolist() == block.start.tolist()
            assert ours.index[first:last].tolist() == block.index.tolist()
        count = record.work["output_spikes"]
        assert record.work["beside_network"] == {"l1": {"same": count, "unit_only": 0, "network_only": 0}}
        spikes += count
    assert spikes > 100


@pytest.mark.parametrize("name", ["tinyodin", "odin28"])
def test_chains_of_layers_are_the_network_run_event_by_event(name: str) -> None:
    for seed in range(15):
        network = random_network(seed, (7, 6, 5), odin=name == "odin28")
        trace = random_cycles(network, seed, spacing=(1, 400)[seed % 2] + 1)
        record = simulate(chip(name, *CLOSED, "core.fifo_depth=4096"), network, trace)
        expected = run_network(network, trace)
        for layer in network.layers:
            assert record.work["spikes"][layer] == expected.events(layer).count
        ours = record.outputs["l2"]
        counts = np.bincount(ours.index, ours.value, 5)
        assert counts.tolist() == np.bincount(expected.events("l2").index, minlength=5).tolist()
        assert record.work["dropped_spikes"] == 0
        assert record.work["synaptic_operations"] == 40 * 6 + 5 * record.work["spikes"]["l1"]


def test_several_events_a_timestep_may_fire_on_the_way() -> None:
    """Weights 5, then -5, threshold 4: the core fires at the first event, the network sees a sum of 0."""
    weights = np.array([[5, -5]], np.int8)
    populations = (
        Population("l0", (2, 1, 1), Neuron("input")),
        Population("l1", (1, 1, 1), Neuron("if", threshold=np.array([4]), reset="zero")),
    )
    network = Network("way", populations, (Projection("p", "l0", "l1", "linear", weights=weights),), "int")
    record = simulate(chip("tinyodin"), network, random_steps(network, 0, spikes=2, steps=1, samples=1))
    assert record.work["beside_network"] == {"l1": {"same": 0, "unit_only": 1, "network_only": 0}}
    assert record.summary()["work"]["beside_network"] == record.work["beside_network"]
    assert record.membranes["l1"].tolist() == [-5]


@pytest.mark.parametrize("name", ["tinyodin", "odin28", "reckon28"])
def test_engines_agree_in_every_number(name: str) -> None:
    for seed in range(6):
        sizes = ((7, 6), (7, 6, 5))[seed % 2]
        network = random_network(seed, sizes, odin=name == "odin28")
        trace = random_steps(network, seed, spikes=3, steps=4)
        hardware = chip(name, *([] if name == "reckon28" else CLOSED))
        fast = simulate(hardware, network, trace, timeline=True)
        shuffled = ShuffledEnvironment(seed)
        plain = simulate(hardware, network, trace, engine="reference", timeline=True, environment=shuffled)
        assert differences(fast, plain) == []
        assert fast.cycles["core"].busy > 0 and fast.timeline is not None
        assert fast.work["delivered_spikes"] == fast.work["sent_fanout_spikes"] > 0


def test_operations_are_charged_to_the_layer_that_they_are_done_for() -> None:
    """An event of an input belongs to the first layer; one of l1 to l2, as do those of l2, which feed nobody."""
    network = random_network(4, (7, 6, 5))
    record = simulate(chip("tinyodin", *CLOSED), network, random_steps(network, 4, spikes=3))
    done = record.counts[1, :, record.actions.index("accumulate:partial_sum")].tolist()
    spikes = record.work["spikes"]
    assert done == [0, 32 * spikes["l0"], 32 * (spikes["l1"] + spikes["l2"])] and spikes["l2"] > 0
    layers = record.summary()["latency"]["per_layer"]
    stalls = record.cycles["core"].stall["output"]
    assert 64 * (spikes["l1"] + spikes["l2"]) <= layers["l2"]["cycles"] <= done[2] * 2 + stalls
    assert layers["l1"]["cycles"] == record.summary()["latency"]["cycles"] > layers["l2"]["end"] - layers["l2"]["start"]


def test_spikes_lost_to_a_full_fifo_are_dropped_spikes() -> None:
    network = random_network(3, (7, 12, 4), threshold=np.ones(1, np.int64))
    network = replace(network, projections=tuple(
        replace(p, weights=np.abs(p.weights).astype(np.int8) % 8) for p in network.projections))  # fmt: skip
    trace = random_steps(network, 3, spikes=5, steps=3)
    records = [simulate(chip("tinyodin", *CLOSED, f"core.fifo_depth={depth}"), network, trace) for depth in (2, 128)]
    short, deep = (record.work for record in records)
    assert deep["dropped_spikes"] == 0 < short["dropped_spikes"]
    assert short["delivered_spikes"] + short["dropped_spikes"] == short["sent_fanout_spikes"]


def test_timesteps_follow_each_other_without_overlap() -> None:
    """An empty timestep is one time reference: request in cycle r, sweep r + 3 .. r + 66, idle in r + 71 (32 neurons,
    no delay of the sender but one cycle); the next one is due in that cycle."""
    network = random_network(0)
    builder = StepSpikesBuilder()
    builder.begin_sample()
    for _ in range(3):
        builder.add_step(np.empty(0, np.uint32))
    trace = Trace("empty", network, "step", np.array([3]), {"l0": builder.build()})
    record = simulate(chip("tinyodin"), network, trace)
    assert record.summary()["latency"]["cycles"] == 1 + 3 * 71 + 2  # the next request waits one cycle more, twice
    counts = dict(zip(record.actions, record.counts[1, 1].tolist(), strict=True))
    assert counts["update:state"] == 3 * 32 and counts["accumulate:partial_sum"] == 0 and counts["accept:spike"] == 3


def test_a_timestep_ends_when_the_output_link_is_idle_too() -> None:
    """A membrane that starts at its threshold fires in the first time reference, as the network does.

    Eight neurons: request 1, sweep 4 .. 19, spike of the last one in 19, link idle after 6 + 100 + 1 cycles in 127; the
    second request comes then, its sweep is 130 .. 145, and the handshake is over in 150.
    """
    network = random_network(0, (7, 1), threshold=np.array([3]), initial=np.array([3]), compare="ge")
    trace = random_steps(network, 0, spikes=0, steps=2, samples=1)
    hardware = load_hardware("tinyodin", ["core.last_neuron=7", "core.acknowledge_delay_cycles=100"])
    record = simulate(hardware, network, trace)
    assert record.work["beside_network"] == {"l1": {"same": 1, "unit_only": 0, "network_only": 0}}
    assert record.summary()["latency"]["cycles"] == 150


WEIGHTS = np.ones((6, 7), np.int8)


def changed(**projection: Any) -> Network:
    network = random_network(0)
    return replace(network, projections=(replace(network.projections[0], **({"weights": WEIGHTS} | projection)),))


def float_network() -> Network:
    population = Population("l1", (2, 1, 1), Neuron("if", np.ones(1), np.zeros(1), np.zeros(1), "zero"))
    p = Projection("p1", "l0", "l1", "linear", weights=np.ones((2, 7), np.float32))
    return Network("float", (random_network(0).population("l0"), population), (p,), "float")


@pytest.mark.parametrize(
    ("network", "name", "message"),
    [
        (random_network(0, (200, 60)), "tinyodin", "population l0 of 200: .*found '260.*at most 256"),
        (random_network(0, (7, 30)), "tinyodin", r"units\.core\.last_neuron: the sweep ends .*found 31.*36 \.\. 255"),
        (random_network(0, (7, 6, 5)), "tinyodin", r"layer l2 takes spikes of layer l1, .*core\.open_loop=false"),
        (changed(delay=1), "tinyodin", r"layer l1: projection p1\.delay: .*found 1"),
        (changed(pool=Pool("or", (1, 1), (1, 1))), "tinyodin", "layer l1: projection p1: .*without pooling"),
        (random_network(0, output="multi"), "tinyodin", "layer l1: output: .*found 'multi'"),
        (random_network(0, dead_steps=2), "tinyodin", "layer l1: dead_steps: .*found 2"),
        (random_network(0, decay_v=Decay("shift", shift=2), model="lif"), "tinyodin", "population l1: .*leak"),
        (random_network(0, reset="subtract"), "tinyodin", "population l1: .*reset to zero"),
        (
            changed(weights=np.eye(6, 7, dtype=np.int8) - np.eye(6, 7, 1, np.int8)),
            "odin28",
            "layer l1: projection p1, source neuron 1 of l0: .*one sign",
        ),
        (random_network(0).topology(), "tinyodin", "layer l1: projection p1: .*needs weights.*neurocycle run"),
        (float_network(), "tinyodin", "arithmetic: .*integers"),
    ],
)
def test_what_a_core_cannot_hold_is_refused_by_layer(network: Network, name: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        simulate(chip(name), network, random_steps(network, 0, spikes=1))


def test_weights_of_eight_bits_are_refused_or_scaled() -> None:
    network = random_network(0)
    weights = np.array(network.projections[0].weights, np.int64)
    layer = network.population("l1")
    more = replace(layer, neuron=replace(layer.neuron, threshold=layer.neuron.threshold * 15))
    wide = replace(network, populations=(network.populations[0], more), projections=(
        replace(network.projections[0], weights=(weights * 15).astype(np.int8)),))  # fmt: skip
    with pytest.raises(InputError, match=r"layer l1: .*found '-120 .. 105'; allowed: -8 .. 7.*core\.fit=nearest"):
        simulate(chip("tinyodin"), wide, random_steps(wide, 0, spikes=1))
    record = simulate(chip("tinyodin", "core.fit=nearest"), wide, random_steps(wide, 0, spikes=1))
    assert record.work["delivered_spikes"] == 2 * 12 * 6


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("tinyodin", {"activity": "dense"}, "activity dense"),
        ("reckon28", {"trace": "cycle"}, "one population of lines"),
        ("tinyodin", {"image": "somewhere"}, "core.image: an image goes with a stimulus"),
        ("event_core_28nm", {"trace": "cycle"}, "time_base cycle"),
    ],
)
def test_runs_that_mean_nothing_are_refused(name: str, change: dict[str, str], message: str) -> None:
    network = random_network(0)
    trace = random_cycles(network, 0, 100) if change.get("trace") else random_steps(network, 0, spikes=1)
    hardware = load_hardware(name, [f"core.image={change['image']}"] if "image" in change else [])
    with pytest.raises(InputError, match=message):
        simulate(hardware, network, trace, activity=change.get("activity", "spikes"))


def test_a_mapping_must_keep_the_network_whole() -> None:
    network, hardware = random_network(0), chip("tinyodin")
    plan = place(network, hardware)
    assert simulate(hardware, network, random_steps(network, 0, spikes=1), plan).mapping["sha256"] == plan.sha256
    cut = replace(plan, layers=(replace(plan.on_cores[0], tile_channels=3),))
    with pytest.raises(InputError, match="holds the whole network"):
        simulate(hardware, network, random_steps(network, 0, spikes=1), cut)
    with pytest.raises(InputError, match="tile_channels"):
        place(network, hardware, tile_channels=3)


def words(size: int, *samples: tuple[list[int], list[int]]) -> Trace:
    """A stimulus of words: one population without layers, cycles and words of each sample."""
    network = Network("words", (Population("input", (size, 1, 1), Neuron("input")),), ())
    time, index = (np.concatenate([sample[k] for sample in samples]) for k in (0, 1))
    starts = np.cumsum([0, *(len(sample[0]) for sample in samples)])
    events = Events(starts, time.astype(np.int64), index.astype(np.uint32))
    return Trace("words", network, "cycle", np.array([max(sample[0]) + 1 for sample in samples]), {"input": events})


def result(capsys: pytest.CaptureFixture[str], *argv: str) -> dict[str, Any]:
    """The JSON object that a command prints."""
    assert run_command([*argv, "--json"]) == 0
    return dict(json.loads(capsys.readouterr().out))


@pytest.mark.parametrize(("name", "size", "word", "cycles", "reads"), [
    ("tinyodin", 1 << 10, 9, 523, 64), ("odin28", 1 << 17, 9 << 8 | 7, 522, 32),
])  # fmt: skip
def test_a_stimulus_of_words_from_the_command_line(
    name: str, size: int, word: int, cycles: int, reads: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A neuron event due in cycle 0 is requested in 1; its sweep of 512 cycles begins nine cycles later, in 10."""
    trace = words(size, ([0], [word]))
    write_trace(trace, tmp_path / "words.h5")
    out = tmp_path / "out"
    found = result(capsys, "replay", str(tmp_path / "words.h5"), "--hw", name, "--timeline", "-o", str(out))
    assert found["latency"]["cycles"] == cycles
    assert found["movement_bits"]["core"]["state"]["read"] == 256 * load_hardware(name).unit("core").state_word_bits
    assert found["movement_bits"]["core"]["weight"]["read"] == reads * 32
    seconds = cycles / 75e6
    assert found["work"]["synaptic_operations"] == 256
    assert found["throughput"]["gsops"] == pytest.approx(256 / seconds / 1e9)
    assert found["energy_pj"]["total"] == pytest.approx(256 * 8.43 + cycles * 1.78 + 0.0273e9 * seconds, rel=1e-6)
    time = found["utilization"]["core"]
    assert time["busy"] + time["idle"] + sum(time["stall"].values()) == cycles and time["stall"]["handshake"] > 0
    assert load_record(out / "record.h5").summary() == found
    assert {"timeline.png", "energy.png", "config.resolved.yaml"} <= {p.name for p in out.iterdir()}
    assert result(capsys, "info", str(tmp_path / "words.h5"))["time_base"] == "cycle"
    assert result(capsys, "info", str(out))["kind"] == "record"
    plain = simulate(load_hardware(name), trace.network, trace, engine="reference", timeline=True)
    assert differences(plain, simulate(load_hardware(name), trace.network, trace, timeline=True)) == []


def test_lines_of_a_recurrent_core_from_a_trace_of_cycles() -> None:
    """S, I 1, one input, tick, last tick; the input arrives no earlier than it is due."""
    lines = [LINES.index(letter) << 8 | value for letter, value in [("S", 0), ("I", 1), ("E", 5), ("T", 0), ("X", 0)]]
    hardware = chip("reckon28")
    soon, late = (words(len(LINES) << 8, ([0, 0, due, due, due], lines)) for due in (0, 5000))
    records = [simulate(hardware, t.network, t, engine=e) for t in (soon, late) for e in ("kernel", "reference")]
    assert differences(*records[:2]) == [] and differences(*records[2:]) == []
    ends = [record.summary()["latency"]["cycles"] for record in records]
    assert ends[2] - ends[0] == 5000 - 8  # S and I take 4 cycles each before the input would have come
    with pytest.raises(InputError, match="tick outside a sample"):
        simulate(hardware, soon.network, words(len(LINES) << 8, ([0], lines[3:4])))


@pytest.mark.parametrize(("name", "size"), [("tinyodin", 1 << 10), ("reckon28", len(LINES) << 8)])
def test_words_have_no_values(name: str, size: int) -> None:
    trace = words(size, ([1], [0]))
    valued = replace(trace.events("input"), value=np.array([2], np.int32))
    with pytest.raises(InputError, match="population input: a word of a stimulus has no value; found 2"):
        simulate(load_hardware(name), trace.network, replace(trace, populations={"input": valued}))


@pytest.mark.parametrize(("name", "size", "word"), [("tinyodin", 1 << 10, 0x300), ("reckon28", len(LINES) << 8, 0)])
def test_every_sample_has_its_own_stimulus(name: str, size: int, word: int) -> None:
    """A second sample whose one event is due a thousand cycles later takes as much longer (cycle 0 counts as 1)."""
    both, one = words(size, ([1], [word]), ([1001], [word])), words(size, ([1], [word]))
    record = simulate(load_hardware(name), both.network, both)
    alone = simulate(load_hardware(name), one.network, one)
    first, second = record.sample_end_ps.tolist()
    hertz = load_hardware(name).clocks["core"]
    assert first == alone.end_ps
    assert round((second - 2 * first) * hertz / 1e12) == 1000


def test_a_network_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    network = random_network(1)
    trace = random_steps(network, 1, spikes=3)
    write_network(network, tmp_path / "net.h5")
    write_trace(trace, tmp_path / "inputs.h5")
    write_trace(run_network(network, trace), tmp_path / "whole.h5")
    net, inputs, whole, out = (str(tmp_path / name) for name in ("net.h5", "inputs.h5", "whole.h5", "out"))
    ran = result(capsys, "run", net, inputs, "--hw", "tinyodin", "--timeline", "-o", out)
    called = simulate(load_hardware("tinyodin"), network, trace)
    assert ran["work"]["spikes"]["l1"] == called.work["spikes"]["l1"]
    assert ran["energy_pj"]["total"] == called.energy.total
    replayed = result(capsys, "replay", whole, "--network", net, "--hw", "tinyodin")
    assert {k: v for k, v in replayed.items() if k != "trace"} == {k: v for k, v in ran.items() if k != "trace"}
    assert run_command(["plot", out, "--what", "timeline", "--what", "raster"]) == 0
    assert run_command(["run", net, inputs, "--hw", "tinyodin"]) == 0
    assert "as the network" in capsys.readouterr().out
    assert run_command(["replay", whole, "--hw", "tinyodin"]) == 2
    error = capsys.readouterr().err
    assert "needs weights" in error and error.count("\n") == 1
