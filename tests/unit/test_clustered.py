"""Clustered traces: rate, spread and persistence as the Beta distribution of their blocks says."""

from __future__ import annotations

from math import exp, lgamma, sqrt

import numpy as np
import pytest

from simulator import Activity
from simulator.costmodel.activity import GROUPS
from simulator.errors import InputError
from simulator.network import Network, Neuron, Population
from simulator.trace import check_trace
from simulator.trace.clustered import Clusters, clustered_trace
from tests.unit.test_trace_file import tiny_network

G16 = GROUPS.index(16)


def one(shape: tuple[int, int, int]) -> Network:
    """A single input population."""
    return Network("one", (Population("in", shape, Neuron("input")),), ())


@pytest.mark.parametrize("rate", [0.05, 0.3])
@pytest.mark.parametrize("k", [0.5, 4.0])
def test_groups_inside_a_block_are_beta_binomial(rate: float, k: float) -> None:
    """Of n neurons that share a rate: variance n r (1 - r) (1 + (n - 1) / (k + 1)), empty B(a, b + n) / B(a, b)."""
    steps, n = 40, 16
    trace = clustered_trace(one((n, 24, 24)), steps, rate, seed=3, clusters=Clusters((n, 1, 1), k, 1.0))
    check_trace(trace)
    found = Activity.of(trace)
    a, b = rate * k, (1 - rate) * k
    variance = n * rate * (1 - rate) * (1 + (n - 1) / (k + 1))
    empty = exp(lgamma(b + n) + lgamma(a + b) - lgamma(b) - lgamma(a + b + n))
    for each, expected in (
        (found.mean[0], rate), (found.variance[0, :, G16], variance), (found.empty[0, :, G16], empty),
    ):  # fmt: skip
        error = 5 * float(np.std(each)) / sqrt(steps)
        assert abs(float(each.mean()) - expected) < error < 0.25 * expected


def test_blocks_keep_their_rate_as_long_as_they_are_told() -> None:
    """Covariance of a block's counts in neighbouring steps: (1 - 1 / persistence) n^2 r (1 - r) / (k + 1)."""
    rate, k, n, steps = 0.3, 1.0, 32, 60
    for persistence in (1.0, 4.0):
        trace = clustered_trace(one((n, 20, 20)), steps, rate, seed=7, clusters=Clusters((n, 1, 1), k, persistence))
        block = trace.spikes("in").block(0, 0, steps)
        counts = np.stack([np.bincount(block.step(t)[0] // n, minlength=400) for t in range(steps)]) - n * rate
        each = (counts[1:] * counts[:-1]).mean(axis=1)
        expected = (1 - 1 / persistence) * n * n * rate * (1 - rate) / (k + 1)
        error = 5 * float(np.std(counts[1:] * counts[:-1])) / sqrt(each.size * 400 / persistence)
        assert abs(float(each.mean()) - expected) < error


def test_large_concentrations_are_independent_spikes() -> None:
    trace = clustered_trace(one((16, 30, 30)), 20, 0.2, seed=1, clusters=Clusters((16, 4, 4), 1e8, 4.0))
    found = Activity.of(trace).variance[0, :, G16]
    assert float(found.mean()) == pytest.approx(16 * 0.2 * 0.8, rel=0.03)  # 18000 groups: 1 %


def test_neurons_of_a_block_are_neighbours_in_channel_row_and_column() -> None:
    trace = clustered_trace(one((4, 6, 8)), 1, 0.5, seed=2, clusters=Clusters((2, 3, 4), 1e-6, 1.0))
    fires = np.zeros(4 * 6 * 8, bool)
    fires[trace.spikes("in").block(0, 0, 1).index] = True
    blocks = fires.reshape(2, 3, 2, 4, 2, 2).transpose(0, 2, 4, 1, 3, 5).reshape(8, -1)
    assert (blocks.all(axis=1) | ~blocks.any(axis=1)).all() and 0 < fires.mean() < 1


def test_seeds_repeat_and_extremes_need_no_draw() -> None:
    net = tiny_network()
    assert clustered_trace(net, 5, 0.3, seed=4).sha256 == clustered_trace(net, 5, 0.3, seed=4).sha256
    assert clustered_trace(net, 5, 0.3, seed=4).sha256 != clustered_trace(net, 5, 0.3, seed=5).sha256
    full = clustered_trace(net, 3, {"in": 1.0, "out": 0.0}, samples=2)
    assert full.spikes("in").count == 3 * 2 * 18 and full.spikes("out").count == 0


def test_refusals() -> None:
    for build, message in (
        (lambda: clustered_trace(tiny_network(), 3, {"inn": 0.5, "out": 1}), "did you mean 'in'"),
        (lambda: clustered_trace(tiny_network(), 3, 1.5), "probability"),
        (lambda: Clusters((0, 1, 1)), "block"),
        (lambda: Clusters(concentration=0.0), "concentration"),
        (lambda: Clusters(persistence=0.5), "persistence"),
        (lambda: Clusters(persistence=float("nan")), "persistence"),
    ):
        with pytest.raises(InputError, match=message):
            build()
