"""Sets of inputs: binomial where spikes are independent, counted where they come in clusters."""

from __future__ import annotations

import math

import numpy as np
import pytest

from simulator import Activity, Trace, load_network, load_trace
from simulator.costmodel.activity import GROUPS
from simulator.costmodel.clustered import Sets
from simulator.costmodel.rates import Rates, Stream, rates
from simulator.network import Network, Neuron, Population
from simulator.trace.spikes import StepSpikesBuilder

SIZES = (0, 1, 2, 5, 8, 12, 16, 27, 64, 100, 128, 129, 576, 2304)


def asked(found: Rates, size: int, inputs: tuple[int, ...] = SIZES) -> tuple[np.ndarray, np.ndarray]:
    """P(empty) and extra variance of sets of the first stream, [inputs, U] each."""
    sets = Sets()
    places = [sets.add(0, n, size) for n in inputs]
    sets.close()
    assert places == list(range(len(inputs))) and sets.add(0, inputs[0], size) == 0
    return sets.quiet(found), sets.extra(found)


@pytest.mark.parametrize("rate", [0.0, 0.001, 0.03, 0.3, 0.8, 1.0])
@pytest.mark.parametrize("samples", [1, 50])
def test_independent_inputs_are_binomial(rate: float, samples: int) -> None:
    """Whatever the size of the population, and so whichever groups are believed."""
    network = load_network("digits")
    for row, population in enumerate(network.populations):
        found = rates([Stream(row, 0, 0)], Activity.bernoulli(network, rate, 2, samples))
        quiet, extra = asked(found, population.size)
        expected = np.array([(1 - rate) ** n for n in SIZES])
        assert np.allclose(quiet, expected[:, None], rtol=1e-9, atol=1e-200)
        assert np.abs(extra).max() <= 1e-9


def clustered(block: int, rate: float, high: float, seed: int = 4) -> tuple[Activity, np.ndarray]:
    """Blocks of neurons, `block` long on average, are on with probability `rate`; each neuron of such a block sends
    with probability `high`.  Block ends are drawn, so that no size of a set is special."""
    size, steps = 1 << 18, 1
    network = Network("c", (Population("in", (64, 64, 64), Neuron(model="input")),), ())
    generator = np.random.Generator(np.random.PCG64(seed))
    number = np.cumsum(generator.random(size) < 1 / block)
    on = (generator.random(number[-1] + 1) < rate)[number]
    sent = on & (generator.random(size) < high)
    builder = StepSpikesBuilder()
    builder.begin_sample()
    builder.add_step(np.flatnonzero(sent).astype(np.uint32))
    trace = Trace("c", network, "step", np.array([steps]), {"in": builder.build(steps)}, "drawn")
    return Activity.of(trace), sent


@pytest.mark.parametrize("block", [16, 64, 256])
@pytest.mark.parametrize("inputs", [8, 12, 24, 48, 64, 96, 128])
def test_clusters_are_counted_right(block: int, inputs: int) -> None:
    """Directly counted on sets of consecutive neurons; sizes that are no group lie between two that are."""
    activity, sent = clustered(block, 0.2, 0.3)
    quiet, extra = asked(rates([Stream(0, 0, 0)], activity), sent.size, (inputs,))
    filled = sent[: sent.size // inputs * inputs].reshape(-1, inputs).sum(axis=1)
    p = sent.mean()
    known = inputs in GROUPS
    assert quiet[0, 0] == pytest.approx((filled == 0).mean(), rel=1e-9 if known else 0.05)
    beyond = filled.var() - inputs * p * (1 - p)
    assert extra[0, 0] == pytest.approx(beyond, rel=1e-9 if known else 0.15, abs=1e-9)
    assert beyond > 0.2 * inputs * p * (1 - p)  # independent inputs would be far off


def test_sets_beyond_the_largest_group_lie_between_alike_and_independent_groups() -> None:
    activity, _ = clustered(256, 0.2, 0.3)
    found = rates([Stream(0, 0, 0)], activity)
    quiet, extra = asked(found, 1 << 18, (128, 256))
    assert quiet[1] == pytest.approx(quiet[0] ** 2)
    assert 2 * extra[0] < extra[1] < (256 * 255) / (128 * 127) * extra[0]


def test_recorded_spikes_that_exclude_each_other_spread_less() -> None:
    """In the digits trace channels of a position of conv1 exclude each other; groups of 16 are positions there."""
    trace = load_trace("digits")
    network, activity = trace.network, Activity.of(trace)
    row = [p.name for p in network.populations].index("conv1")
    found = rates([Stream(row, 0, 0)], activity)
    _, extra = asked(found, network.populations[row].size, (16,))
    p = activity.mean[row]
    direct = np.zeros(p.size)
    for t in range(p.size):
        counts = []
        for sample in range(activity.samples):
            index, _ = trace.spikes("conv1").block(sample, t, t + 1).step(0)
            counts.append(np.bincount(index // 16, minlength=64))
        direct[t] = np.concatenate(counts).var()
    assert np.allclose(16 * p * (1 - p) + extra[0], direct, rtol=1e-9, atol=1e-12)
    assert extra[0].mean() < 0


def test_too_few_groups_are_not_believed() -> None:
    """One sample of ten neurons has one group of 8: independent inputs are assumed; with 8 samples it counts."""
    empty = np.full((1, 1, len(GROUPS)), 0.9)
    variance = np.full((1, 1, len(GROUPS)), 5.0)
    few = Rates(np.array([[0.1]]), variance, empty, np.ones(1), 7)
    assert asked(few, 10, (8,))[0][0, 0] == pytest.approx(0.9**8) and asked(few, 10, (8,))[1][0, 0] == 0
    more = Rates(np.array([[0.1]]), variance, empty, np.ones(1), 8)
    assert asked(more, 10, (8,))[0][0, 0] == pytest.approx(0.9)
    assert asked(more, 10, (8,))[1][0, 0] == pytest.approx(5 - 8 * 0.1 * 0.9)


def test_groups_of_which_none_was_empty_leave_the_smaller_size_to_speak() -> None:
    empty = np.array([[[0.25, 0.125, 0.0, 0.0, 0.0]]])
    found = Rates(np.array([[0.1]]), np.zeros((1, 1, len(GROUPS))), empty, np.ones(1), 1)
    quiet, extra = asked(found, 1 << 20, (16, 32, 256))
    assert quiet[:, 0] == pytest.approx([0.125, 0.125**2, 0.125**16])
    assert extra[0, 0] == pytest.approx(-16 * 0.09) and math.isfinite(extra[2, 0])
