"""Activity: statistics of traces equal their plain definition, and those of drawn ones their expectation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from simulator import Activity, load_network
from simulator.costmodel.activity import GROUPS
from simulator.errors import InputError
from simulator.network import Network, Neuron, Pool, Population, Projection
from simulator.trace.dense import dense_trace
from simulator.trace.spikes import MemorySpikes
from simulator.trace.synthetic import bernoulli_trace
from tests.oracles.activity import statistics


@pytest.mark.parametrize("rate", [0.0, 0.02, 0.4, 1.0])
def test_of_a_trace_equals_the_plain_definition(rate: float) -> None:
    trace = bernoulli_trace(load_network("digits"), 3, rate, samples=2, seed=5)
    found = Activity.of(trace)
    for row, population in enumerate(trace.network.populations):
        for name, expected in statistics(trace, population.name).items():
            assert getattr(found, name)[row] == pytest.approx(expected, abs=1e-12), (population.name, name)


def test_samples_of_unequal_length_count_where_they_last() -> None:
    network = load_network("digits")
    found = Activity.of(dense_trace(network, np.array([1, 3])))
    assert found.mean == pytest.approx(np.ones((len(network.populations), 3)))
    assert found.weight.tolist() == [1.0, 0.5, 0.5]


@pytest.mark.parametrize("rate", [0.05, 0.3])
def test_bernoulli_is_what_is_expected_of_drawn_traces(rate: float) -> None:
    """Within four standard errors of 400 timesteps; that of a variance is at most its own size x sqrt(2 / groups)."""
    network = load_network("digits")
    drawn = Activity.of(bernoulli_trace(network, 20, rate, samples=20, seed=3))
    formula = Activity.bernoulli(network, rate, 20, samples=20)
    assert drawn.mean.mean() == pytest.approx(formula.mean.mean(), rel=0.02)
    for row, population in enumerate(network.populations):
        if population.size >= 8 * GROUPS[0]:
            groups = 400 * (population.size // 8)
            quiet, spread = (1 - rate) ** 8, 8 * rate * (1 - rate)
            assert drawn.empty[row, :, 0].mean() == pytest.approx(quiet, abs=4 * (quiet * (1 - quiet) / groups) ** 0.5)
            # within a timestep the mean is estimated too, which takes 1 / (groups of a timestep) off the variance
            low = 8 * 20 / groups
            assert abs(drawn.variance[row, :, 0].mean() / spread - 1) <= low + 6 / groups**0.5


def test_clustered_spikes_leave_groups_empty_and_spread_the_counts() -> None:
    """The first half of conv1 fires, the rest is silent: half of the groups are empty, counts are 0 or n."""
    network = load_network("digits")
    trace = dense_trace(network, 1)
    size = network.population("conv1").size
    half = MemorySpikes(np.array([[0, size // 2]]), np.arange(size // 2, dtype=np.uint32))
    found = Activity.of(replace(trace, populations={**trace.populations, "conv1": half}))
    row = [p.name for p in network.populations].index("conv1")
    assert found.mean[row, 0] == 0.5
    assert found.empty[row, 0] == pytest.approx([0.5] * len(GROUPS))
    assert found.variance[row, 0] == pytest.approx([n * n / 4 for n in GROUPS])


def test_refusals_are_one_message() -> None:
    network = load_network("digits")
    with pytest.raises(InputError, match=r"conv1.*conv9|conv9"):
        Activity.bernoulli(network, {"conv9": 0.1}, 2)
    with pytest.raises(InputError, match="probability"):
        Activity.bernoulli(network, 1.5, 2)
    trace = bernoulli_trace(network, 1, 0.1)
    bare = replace(trace, populations={network.inputs[0]: trace.spikes(network.inputs[0])})
    with pytest.raises(InputError, match="conv1"):
        Activity.of(bare)


@pytest.mark.parametrize(("size", "stride"), [((2, 2), (2, 2)), ((3, 2), (2, 1)), ((2, 3), (3, 3))])
def test_or_pooling_is_counted_where_the_network_has_it(size: tuple[int, int], stride: tuple[int, int]) -> None:
    """Windows that overlap, leave gaps or end before the map; spelled out as the any() of a slice of a map."""
    populations = Population("in", (8, 6, 7), Neuron(model="input")), Population("out", (4, 1, 1), Neuron())
    pool = Pool("or", size, stride)
    network = Network("p", populations, (Projection("p", "in", "out", "linear", pool=pool),))
    trace = bernoulli_trace(network, 3, 0.15, samples=2, seed=7)
    activity = Activity.of(trace)
    found = activity.pooled[0, size[0] * size[1]]
    for t in range(3):
        maps = []
        for sample in range(2):
            flat = np.zeros(8 * 6 * 7, bool)
            flat[trace.spikes("in").block(sample, t, t + 1).step(0)[0]] = True
            grid = flat.reshape(6, 7, 8)
            rows = [r * stride[0] for r in range((6 - size[0]) // stride[0] + 1)]
            columns = [c * stride[1] for c in range((7 - size[1]) // stride[1] + 1)]
            windows = [grid[r : r + size[0], c : c + size[1]].any(axis=(0, 1)) for r in rows for c in columns]
            maps.append(np.concatenate(windows))
        assert found.mean[t] == pytest.approx(np.mean(maps))
        counts = [m[low : low + 8].sum() for m in maps for low in range(0, m.size, 8)]
        assert found.variance[t, 0] == pytest.approx(np.var(counts))
        assert found.empty[t, 0] == pytest.approx(np.mean([c == 0 for c in counts]))
    assert not activity.independent().pooled and not Activity.bernoulli(network, 0.1, 3).pooled
