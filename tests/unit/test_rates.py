"""Rates of streams: delays, first timesteps, and what is known of groups."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from simulator import Activity, load_network, load_trace
from simulator.costmodel.activity import GROUPS, Lines, Pooled
from simulator.costmodel.rates import Stream, rates


def test_groups_follow_their_population_late_and_not_at_all_before_the_first_step() -> None:
    activity = Activity.of(load_trace("digits"))
    made = rates([Stream(1, 0, 0), Stream(1, 2, 3)], activity)
    assert made.empty.shape == made.variance.shape == (2, made.value.shape[1], len(GROUPS))
    assert np.array_equal(made.empty[0], activity.empty[1]) and np.array_equal(made.variance[0], activity.variance[1])
    assert np.array_equal(made.variance[1, 3:], activity.variance[1, 1:-2])
    assert (made.empty[1, :3] == 1).all() and (made.variance[1, :3] == 0).all()


def test_independent_activity_keeps_the_rates_and_forgets_clusters() -> None:
    known = Activity.of(load_trace("digits"))
    plain = known.independent()
    assert np.array_equal(known.mean, plain.mean)
    p, n = known.active[1, 2], min(GROUPS[1], known.network.populations[1].size)
    assert plain.variance[1, 2, 1] == pytest.approx(n * p * (1 - p)) and plain.empty[1, 2, 1] == pytest.approx(
        (1 - p) ** n
    )
    drawn = Activity.bernoulli(load_network("digits"), 0.2, 3)
    assert np.allclose(drawn.empty, drawn.independent().empty)


def test_pooled_streams_are_as_counted_or_else_independent() -> None:
    """Clusters: two neighbours that fire together leave 10 % of the windows on, not 19 %."""
    network, groups = load_network("digits"), np.full((3, len(GROUPS)), 0.5)
    plain = Activity.bernoulli(network, 0.1, 3)
    even = Lines(np.ones(8), np.ones(8))
    known = replace(plain, pooled={(1, 2): Pooled(np.array([0.1, 0.1, 0.4]), groups, groups, even)})
    streams = [Stream(1, 0, 0, 2), Stream(1, 1, 2, 2)]
    assert np.allclose(rates(streams, plain).value[0], 0.19)
    made = rates(streams, known)
    assert made.value.tolist() == [[0.1, 0.1, 0.4], [0, 0, 0.1]]
    assert made.empty[1, :, 0].tolist() == [1, 1, 0.5] and made.variance[1, :, 0].tolist() == [0, 0, 0.5]


def test_streams_side_by_side_are_those_asked_for_one_by_one() -> None:
    """Plain, late, pooled and constant streams, with and without lines, in any order."""
    activity = Activity.of(load_trace("digits"))
    lines = ((1, 2, 2, 2, 2, 2, 2, 1), (3, 1, 1, 1, 1, 1, 1, 3))
    streams = [
        Stream(2, 0, 0), Stream(-1, 0, 0), Stream(1, 1, 0), Stream(1, 0, 0, 1, lines), Stream(2, 0, 0, 4),
        Stream(-1, 0, 2), Stream(0, 0, 0), Stream(3, 0, 1), Stream(0, 0, 0, 9), Stream(1, 0, 3, 4),
    ]  # fmt: skip
    made = rates(streams, activity)
    for n, stream in enumerate(streams):
        alone = rates([stream], activity)
        for name in ("value", "variance", "empty"):
            assert np.array_equal(getattr(made, name)[n], getattr(alone, name)[0]), (name, stream)
    assert np.array_equal(made.value[6], activity.mean[0]) and np.array_equal(made.variance[0], activity.variance[2])
    assert (made.value[1] == 1).all() and made.value[5].tolist()[:3] == [0, 0, 1]


def test_neurons_that_send_several_events_count_once_where_asked() -> None:
    plain = Activity.bernoulli(load_network("digits"), 0.5, 2)
    known = replace(plain, active=plain.mean / 2)
    made = rates([Stream(1, 0, 0), Stream(1, 0, 0, once=True), Stream(1, 1, 0, once=True)], known)
    assert made.value[:2, 0].tolist() == [0.5, 0.25] and made.value[2].tolist() == [0, 0.25]
