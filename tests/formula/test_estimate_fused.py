"""Closed form of fused schedules against the simulator: exact for an array that nothing disturbs, close where movers of
tensors meet, monotone everywhere."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from simulator import Activity, Record, estimate, load_hardware, lower, simulate
from simulator.costmodel.architectures import architecture
from simulator.costmodel.estimate import compiled, priced
from simulator.costmodel.estimated import Estimate
from simulator.costmodel.rates import rates
from simulator.costmodel.wishes import placed
from simulator.hardware import Hardware
from simulator.mapping import Mapping
from simulator.mapping.fusion import FusedMapping
from simulator.network import Network, Neuron, Population, Projection
from simulator.trace.dense import dense_trace
from simulator.trace.synthetic import bernoulli_trace

WAYS = ("default", "time=0", "depth=1", "time=0 depth=1")
SMALL = (2, 4, 5, 11)
"""Drawn networks that take less than 40 us on the array."""


def both(
    hardware: Hardware, network: Network, mapping: Mapping, steps: int, rate: float = 1.0, samples: int = 1
) -> tuple[Record, Estimate]:
    """A run and its estimate; rate 1: every neuron fires."""
    trace = dense_trace(network, steps) if rate == 1 else bernoulli_trace(network, steps, rate, seed=2, samples=samples)
    made = estimate(lower(mapping, network, hardware), hardware, Activity.of(trace))
    return simulate(hardware, network, trace, mapping), made


def one_layer(rng: np.random.Generator) -> tuple[Network, list[str], int]:
    """A convolution, an array with its memories and movers, and timesteps."""
    c, k, kernel = int(rng.integers(1, 20)), int(rng.integers(1, 40)), int(rng.choice([1, 3]))
    h, w = (int(rng.integers(3, 12)) for _ in range(2))
    image = Neuron("input", output="multi", value_bits=int(rng.choice([1, 4])))
    neuron = Neuron(membrane_bits=12) if rng.random() < 0.7 else Neuron(model="if", stateful=False)
    layer = Projection(
        "p", "image", "a", "conv", kernel=(kernel, kernel), padding=(kernel // 2,) * 2,
        weight_bits=int(rng.choice([4, 8])),
    )  # fmt: skip
    network = Network("one", (Population("image", (c, h, w), image), Population("a", (k, h, w), neuron)), (layer,))
    fields: dict[str, list[int]] = {
        "array.lanes.k": [4, 8, 32], "array.lanes.c": [1, 2, 3], "array.lanes.oy": [2, 4, 16],
        "global.width_bits": [64, 256, 1024], "global.latency_cycles": [1, 2, 3], "weight.latency_cycles": [1, 2, 3],
        "input.capacity_bytes": [512, 16384], "dma[0..1].chunk_bytes": [64, 256, 4096], "dma[0..1].buffers": [1, 2, 3],
        "dma[0..1].setup_cycles": [0, 3, 8], "dram.burst_cycles": [1, 2, 3], "dram.latency_cycles": [1, 7, 19],
    }  # fmt: skip
    return network, [f"{name}={rng.choice(values)}" for name, values in fields.items()], int(rng.integers(1, 4))


@pytest.mark.parametrize("seed", range(20))
def test_a_layer_alone_is_exact(seed: int) -> None:
    """Loads, the node and its stores follow each other: nothing meets, so that every count and cycle is known.  Only
    where several chunks are on their way their mean pace stands for how they interleave."""
    network, overrides, steps = one_layer(np.random.Generator(np.random.PCG64(seed)))
    hardware = load_hardware("stems_meta1m", overrides)
    mapping = Mapping("stems_meta1m", "one", "all", (FusedMapping("a", "array", 0, "all"),), {}, steps)
    record, made = both(hardware, network, mapping, steps)
    assert (made.counts == record.counts).all()
    assert made.layer_busy_ps.tolist() == record.layer_busy_ps.tolist()
    if "dma[0..1].buffers=1" in overrides:
        assert made.end_ps == record.end_ps
    assert made.end_ps == pytest.approx(record.end_ps, rel=5e-3)


def weighed(hardware: Hardware, network: Network, mapping: Mapping, samples: int = 1) -> Estimate:
    """With every stall that only calibration can size as the physics behind it says."""
    activity = Activity.of(bernoulli_trace(network, 3, 0.1, seed=1, samples=samples))
    schedule = lower(mapping, network, hardware)
    chip, actions = compiled(schedule, hardware, network)
    return priced(schedule, hardware, activity, chip, actions, np.ones(len(chip.terms)))


@pytest.mark.parametrize("index", SMALL)
def test_drawn_networks_on_flat_main_memory(index: int) -> None:
    """Counts do not depend on what meets."""
    hardware, network = load_hardware("stems_meta1m"), architecture(0, index, "fused")
    for way in WAYS:
        mapping = placed(network, hardware, way, 3)
        record, made = both(hardware, network, mapping, 3)
        assert (made.counts == record.counts).all()
        assert made.end_ps == pytest.approx(record.end_ps, rel=0.05)
        assert weighed(hardware, network, mapping).end_ps == pytest.approx(record.end_ps, rel=0.01)


def test_drawn_networks_on_banked_main_memory() -> None:
    """What is asked of an estimate without calibration, in the mean: 5 % of latency and 1.5 % of energy."""
    hardware = load_hardware("stems_meta1m_lpddr4")
    latency, energy = [], []
    for index in SMALL:
        network = architecture(0, index, "fused")
        for way in WAYS:
            mapping = placed(network, hardware, way, 3)
            record, made = both(hardware, network, mapping, 3)
            latency.append(abs(made.end_ps / record.end_ps - 1))
            energy.append(abs(made.total_pj / record.energy.total - 1))
            assert weighed(hardware, network, mapping).end_ps == pytest.approx(record.end_ps, rel=0.04)
            unit = record.units.index("dram")
            for action in ("read:state", "overfetch:weight", "read_burst:weight"):
                column = record.actions.index(action)
                assert (made.counts[unit, :, column] == record.counts[unit, :, column]).all(), action
            ranks = [record.actions.index(f"{verb}:rank") for verb in ("active", "idle")]
            assert made.counts[unit, 0, ranks].sum() == pytest.approx(1.6e-3 * made.end_ps, abs=1)  # 1.6 GHz
    assert np.mean(latency) < 0.05
    assert np.mean(energy) < 0.015


def test_samples_follow_each_other() -> None:
    """A sample of its own ends before the first refresh meets a load; the others do not."""
    hardware, network = load_hardware("stems_meta1m_lpddr4"), architecture(0, 2, "fused")
    mapping = placed(network, hardware, "default", 3)
    record, made = both(hardware, network, mapping, 3, 0.3, samples=3)
    one = weighed(hardware, network, mapping)
    assert made.samples == 3
    assert 3 * one.end_ps < weighed(hardware, network, mapping, 3).end_ps < 1.05 * record.end_ps
    assert weighed(hardware, network, mapping, 3).end_ps == pytest.approx(record.end_ps, rel=0.05)


@pytest.mark.parametrize("rate", [0.1, 1.0])
def test_a_gated_array_counts_what_spikes_reach(rate: float) -> None:
    """Spread over 2 600 neurons of a few timesteps the count is within some percent of its expectation."""
    hardware, network = load_hardware("stems_meta1m", ["array.gating=energy"]), architecture(0, 11, "fused")
    record, made = both(hardware, network, placed(network, hardware, "default", 3), 3, rate)
    index = record.actions.index("operate:partial_sum")
    found, expected = (int(x.counts[:, :, index].sum()) for x in (made, record))
    assert found == expected if rate == 1 else found == pytest.approx(expected, rel=0.05)
    assert made.end_ps == pytest.approx(record.end_ps, rel=0.02)


@pytest.mark.parametrize("kind", ["bus", "link"])
def test_a_path_between_the_memories(kind: str, tmp_path: Path) -> None:
    """Loads take a path of 32 bits per cycle and 5 cycles of latency, stores their own: half of main memory's pace."""
    file = tmp_path / "chip.yaml"
    fields = f"{{type: {kind}, clock: core, width_bits: 32, latency_cycles: 5, credits: 4, source: x, grade: assumed, "
    fields += "arbitration: first_come, " if kind == "bus" else ""
    fields += "transfer_energy_pj_per_bit: 1, leakage_mw: 0, area_mm2: 0}"
    file.write_text(
        f"extends: stems_meta1m\nname: with_path\nunits:\n  in: {fields}\n  out: {fields}\n"
        "  dma[0]: {via: in}\n  dma[1]: {via: out}\n"
    )
    hardware, network = load_hardware(str(file)), architecture(0, 11, "fused")
    record, made = both(hardware, network, placed(network, hardware, "default", 2), 2)
    assert (made.counts == record.counts).all()
    assert record.counts[record.units.index("in")].sum() > 0
    assert made.end_ps == pytest.approx(record.end_ps, rel=0.02)


def chip_of(hardware: Hardware, network: Network, mapping: Mapping) -> tuple[object, object]:
    """Compiled closed form and the rates of one timestep-independent activity."""
    chip, _ = compiled(lower(mapping, network, hardware), hardware, network)
    return chip, rates(chip.streams, Activity.bernoulli(network, 1.0, 3))


def test_time_is_monotone_and_homogeneous_in_its_terms() -> None:
    hardware, network = load_hardware("stems_meta1m_lpddr4"), architecture(0, 12, "fused")
    chip, found = chip_of(hardware, network, placed(network, hardware, "depth=1", 3))
    rng = np.random.Generator(np.random.PCG64(1))
    for _ in range(20):
        weights = rng.uniform(0, 2, len(chip.terms))  # type: ignore[attr-defined]
        more = weights + rng.uniform(0, 1, weights.size) * (rng.random(weights.size) < 0.3)
        end, twice, above = (chip.price(found, w).end for w in (weights, 2 * weights, more))  # type: ignore[attr-defined]
        assert twice == pytest.approx(2 * end, rel=1e-12)
        assert above >= end * (1 - 1e-12)
    names = [term.name for term in chip.terms]  # type: ignore[attr-defined]
    default = np.array([term.weight for term in chip.terms])  # type: ignore[attr-defined]
    for name in ("pe_array.compute", "pe_array.fill", "pe_array.state", "dma.stream", "dram.miss"):
        more = default + (np.array(names) == name)
        assert chip.price(found, more).end > chip.price(found, default).end, name  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("dram.burst_cycles", (8, 4, 2, 1)),
        ("dma[0..1].buffers", (1, 2, 4)),
        ("dma[0..1].setup_cycles", (9, 3, 0)),
        ("global.width_bits", (128, 256, 512, 1024)),
        ("global.latency_cycles", (6, 3, 1)),
        ("weight.width_bits", (32, 64, 128, 256)),
        ("input.width_bits", (32, 64, 128)),
        ("input.capacity_bytes", (1024, 4096, 16384)),
        ("array.lanes.k", (8, 16, 32, 64)),
        ("array.lanes.c", (1, 2, 3, 4, 6)),
        ("array.lanes.oy", (2, 4, 8, 16)),
    ],
)
def test_more_hardware_is_never_slower(field: str, values: tuple[int, ...]) -> None:
    plain = load_hardware("stems_meta1m")
    for index in (4, 10):
        network = architecture(0, index, "fused")
        schedule = lower(placed(network, plain, "default", 2), network, plain)
        activity = Activity.bernoulli(network, 0.2, 2)
        ends = [
            estimate(schedule, load_hardware("stems_meta1m", [f"{field}={value}"]), activity).end_ps
            for value in values
        ]
        assert all(b <= a for a, b in pairwise(ends)), (index, ends)


def test_a_schedule_of_another_kind_is_priced_by_its_own_closed_form() -> None:
    """Equal weights, another network object: the closed form is kept; other hardware: a new one."""
    hardware, network = load_hardware("stems_meta1m"), architecture(0, 5, "fused")
    schedule = lower(placed(network, hardware, "default", 2), network, hardware)
    first, _ = compiled(schedule, hardware, network)
    assert compiled(schedule, hardware, replace(network))[0] is first
    assert compiled(schedule, load_hardware("stems_meta1m_lpddr4"), network)[0] is not first
