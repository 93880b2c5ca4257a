"""Closed form of crossbar tiles: exact where the tile's own formulas are, homogeneous in its weights, monotone."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from simulator import Activity, Network, Record, estimate, load_hardware, lower, place, simulate
from simulator.costmodel.estimate import compiled
from simulator.costmodel.estimated import Estimate
from simulator.costmodel.rates import rates
from simulator.hardware import Hardware
from simulator.network import Neuron, Pool, Population, Projection
from simulator.network.zoo import vgg9
from simulator.trace.dense import dense_trace
from simulator.trace.synthetic import bernoulli_trace

STEPS = 3
CHIPS = ("cim_spikesim64", "cim_rram65", "cim_neurosim65", "cim_isaac32", "cim_neurram130")


def small() -> Network:
    """Two convolutions with an identity around the second, OR pooling, a depthwise layer and a classifier."""
    def one(name: str, shape: tuple[int, int, int], model: str = "if") -> Population:
        return Population(name, shape, Neuron(model))  # type: ignore[arg-type]

    same = {"kernel": (3, 3), "padding": (1, 1), "weight_bits": 4}
    pool = Pool("or", (2, 2), (2, 2))
    return Network(
        "small",
        (one("in", (2, 12, 12), "input"), one("a", (24, 12, 12)), one("b", (24, 12, 12)), one("c", (24, 6, 6)),
         one("fc", (10, 1, 1))),
        (
            Projection("a", "in", "a", "conv", **same),  # type: ignore[arg-type]
            Projection("b", "a", "b", "conv", **same),  # type: ignore[arg-type]
            Projection("i", "a", "b", "one_to_one"),
            Projection("c", "b", "c", "depthwise", pool=pool, **same),  # type: ignore[arg-type]
            Projection("fc", "c", "fc", "linear", weight_bits=4),
        ),
    )  # fmt: skip


def both(chip: str, network: Network, rate: float, overrides: tuple[str, ...] = ()) -> tuple[Record, Estimate]:
    """A run and its estimate; rate 1: every neuron fires."""
    hardware = load_hardware(chip, list(overrides))
    mapping = place(network, hardware)
    trace = dense_trace(network, STEPS) if rate == 1 else bernoulli_trace(network, STEPS, rate, seed=4)
    made = estimate(lower(mapping, network, hardware), hardware, Activity.of(trace), mapping=mapping)
    return simulate(hardware, network, trace, mapping), made


def compare_counts(record: Record, made: Estimate, without: tuple[str, ...] = ("active:cycle",)) -> None:
    for a, action in enumerate(record.actions):
        if action not in without:
            assert made.counts[:, :, a].tolist() == record.counts[:, :, a].tolist(), action


@pytest.mark.parametrize("chip", CHIPS)
def test_every_count_is_exact_where_every_neuron_fires(chip: str) -> None:
    """The time is that of a pipeline without any chance."""
    record, made = both(chip, small(), 1)
    compare_counts(record, made)
    assert made.end_ps == pytest.approx(record.end_ps, rel=0.02)


@pytest.mark.parametrize("chip", ["cim_isaac32", "cim_neurosim65"])
def test_time_is_exact_where_it_does_not_depend_on_spikes(chip: str) -> None:
    """Fixed groups, no zero test, a tile per layer: what is left is the cycle in which sums and spikes meet."""
    record, made = both(chip, small(), 0.1)
    assert made.end_ps == pytest.approx(record.end_ps, rel=0.002)


def test_the_estimators_own_schedule_is_exact() -> None:
    record, made = both("cim_spikesim64_ela", vgg9(input_shape=(3, 16, 16)), 0.1)
    compare_counts(record, made, ())
    assert made.end_ps == record.end_ps
    assert made.layer_span.tolist() == record.layer_span.tolist()


def test_programming_is_counted_once() -> None:
    record, made = both("cim_rram65", small(), 1, ("cim.write.count=true",))
    plain = both("cim_rram65", small(), 1)
    compare_counts(record, made)
    written = record.end_ps - plain[0].end_ps
    assert written > 0
    assert made.end_ps - plain[1].end_ps == pytest.approx(written, abs=1)


@pytest.mark.parametrize(
    "overrides",
    [
        ("cim.adc.early_stop=true",), ("cim.crossbar.row_policy=pack",), ("cim.pipeline=after",),
        ("cim.buffer.input_mode=event",), ("cim.crossbar.kernel_merge=mux",), ("cim.crossbar.zero_skip=pe",),
        ("cim.buffer.line_buffer=true",), ("cim.crossbar.sample_hold=true", "cim.crossbar.redrive_per_mux_step=false"),
    ],
)  # fmt: skip
def test_settings_of_a_tile_are_followed(overrides: tuple[str, ...]) -> None:
    """Within 6 % of a drawn run of three timesteps, which is what chance and waiting leave."""
    record, made = both("cim_rram65", small(), 0.15, overrides)
    assert made.end_ps == pytest.approx(record.end_ps, rel=0.06)
    assert made.total_pj == pytest.approx(record.energy.total, rel=0.02)


def priced(hardware: Hardware, rate: float, weights: np.ndarray | None = None) -> tuple[float, float]:
    """(end, energy without weights) of the small network under independent spikes, the mapping of the plain chip."""
    network = small()
    plain = load_hardware("cim_rram65" if "rram" in hardware.name else "cim_spikesim64")
    schedule = lower(place(network, plain), network, plain)
    activity = Activity.bernoulli(network, rate, STEPS)
    chip, _ = compiled(schedule, hardware, network)
    used = np.array([term.weight for term in chip.terms]) if weights is None else weights
    end = chip.price(rates(chip.streams, activity), used).end
    return end, estimate(schedule, hardware, activity).total_pj


@pytest.mark.parametrize("chip", ["cim_spikesim64", "cim_rram65"])
def test_time_is_homogeneous_and_monotone_in_the_weights(chip: str) -> None:
    hardware = load_hardware(chip)
    rng = np.random.Generator(np.random.PCG64(5))
    count = len(compiled(lower(place(small(), hardware), small(), hardware), hardware, small())[0].terms)
    for _ in range(3):
        weights = rng.uniform(0, 2, count)
        end = priced(hardware, 0.1, weights)[0]
        assert priced(hardware, 0.1, 3 * weights)[0] == pytest.approx(3 * end, rel=1e-9)
        for n in range(count):
            more = weights.copy()
            more[n] += 0.7
            assert priced(hardware, 0.1, more)[0] >= end * (1 - 1e-12)


@pytest.mark.parametrize("chip", ["cim_spikesim64", "cim_rram65"])
def test_fewer_spikes_are_never_slower_whatever_the_weights(chip: str) -> None:
    hardware = load_hardware(chip)
    rng = np.random.Generator(np.random.PCG64(6))
    for weights in (None, rng.uniform(0, 2, 9), rng.uniform(0, 2, 9)):
        ends = [priced(hardware, rate, weights)[0] for rate in (0.0, 0.003, 0.02, 0.1, 0.3, 0.6, 0.9, 1.0)]
        assert all(a <= b * (1 + 1e-12) for a, b in pairwise(ends))


@pytest.mark.parametrize(
    ("chip", "field", "values"),
    [
        ("cim_spikesim64", "crossbar.mux_ratio", (16, 8, 4, 1)),
        ("cim_spikesim64", "buffer.port_bits", (8, 64, 576)),
        ("cim_spikesim64", "buffer.psum_depth", (1, 2, 4)),
        ("cim_spikesim64", "buffer.steps", (2, 3, 5)),
        ("cim_spikesim64", "network.link_bits", (8, 32, 128)),
        ("cim_spikesim64", "network.input_port_bits", (1, 2, 64)),
        ("cim_spikesim64", "digital.lif_lanes", (1, 8, 64)),
        ("cim_spikesim64", "digital.accumulate_lanes", (1, 8, 64)),
        ("cim_rram65", "crossbar.rows_parallel", (4, 16, 64)),
        ("cim_rram65", "crossbar.mux_ratio", (16, 8, 1)),
        ("cim_rram65", "network.link_bits", (8, 32, 128)),
    ],
)
def test_more_of_a_tile_is_never_slower(chip: str, field: str, values: tuple[int, ...]) -> None:
    for rate in (0.02, 0.2):
        ends = [priced(load_hardware(chip, [f"cim.{field}={value}"]), rate)[0] for value in values]
        assert all(a >= b * (1 - 1e-12) for a, b in pairwise(ends)), ends


def test_clusters_are_seen() -> None:
    """All spikes in one corner of the map: few windows hold any, which the mean alone does not tell."""
    network, hardware = small(), load_hardware("cim_spikesim64")
    mapping = place(network, hardware)
    trace = bernoulli_trace(network, STEPS, 0.02, seed=1)
    moved = {}
    for name in trace.populations:
        spikes, shape = trace.spikes(name), network.population(name).shape
        small_part = max(1, shape[0] * shape[1] * shape[2] // 12)
        index = np.concatenate([np.sort(np.unique(spikes.block(0, t, t + 1).step(0)[0] % small_part))
                                for t in range(STEPS)])  # fmt: skip
        length = [np.unique(spikes.block(0, t, t + 1).step(0)[0] % small_part).size for t in range(STEPS)]
        starts = np.cumsum([0, *length])[None, :]
        moved[name] = type(spikes)(step_start=starts, index=index.astype(np.uint32), value=None)
    clustered = type(trace)("corner", trace.network, "step", trace.steps, moved)
    record, activity = simulate(hardware, network, clustered, mapping), Activity.of(clustered)
    schedule = lower(mapping, network, hardware)
    errors = [abs(estimate(schedule, hardware, known, mapping=mapping).total_pj / record.energy.total - 1)
              for known in (activity, activity.independent())]  # fmt: skip
    assert errors[0] < 0.05
    assert errors[1] > 3 * errors[0]
