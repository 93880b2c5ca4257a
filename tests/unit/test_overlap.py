"""What moves that meet wait for each other, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.costmodel.overlap import spread, together

LOAD, STORE = 0, 1


def met(
    rows: list[tuple[int, float, float, float, float]], stores_first: bool = False, regions: tuple[int, ...] = ()
) -> tuple[list[float], list[float]]:
    """Rows of (unit, start, done, share of the time that memory works for it, turns); unit 1 stores.  A store turns the
    bus three times as often where loads are of its own region; left out, all regions differ."""
    unit, start, done, busy, turns = (np.array(column) for column in zip(*rows, strict=True))
    region = np.array(regions) if regions else np.arange(len(rows))
    both = np.stack([turns, 3 * turns], axis=1)
    found = together(unit, (start, done), busy, both, unit == STORE, region, stores_first)
    return found.shared.tolist(), found.turns.tolist()


def test_two_moves_that_fill_the_memory_share_it() -> None:
    """In the 40 that they are together each gets half of the memory; the store turns the bus 4 times, or 12."""
    rows = [(LOAD, 0.0, 120.0, 1.0, 10.0), (STORE, 20.0, 60.0, 1.0, 4.0)]
    assert met(rows) == ([20, 20], [4, 4])
    assert met(rows, regions=(7, 7)) == ([20, 20], [12, 12])


def test_only_what_is_beyond_the_time_is_late() -> None:
    """Together they ask for 1.25 of what the memory gives, so that a fifth of the time is lost; then for .75 of it."""
    lost = met([(LOAD, 0, 120, 1, 10), (STORE, 20, 60, 0.25, 4)])[0]
    assert lost == pytest.approx([8, 8], rel=1e-12)
    assert met([(LOAD, 0, 120, 0.5, 10), (STORE, 20, 60, 0.25, 4)])[0] == [0, 0]


def test_a_memory_with_queues_serves_stores_first() -> None:
    """A load gets what a store leaves: nothing, or three quarters; two loads share."""
    assert met([(LOAD, 0, 120, 1, 10), (STORE, 20, 60, 1, 4)], True)[0] == [40, 0]
    assert met([(LOAD, 0, 120, 1, 10), (STORE, 20, 60, 0.25, 4)], True)[0] == [10, 0]
    assert met([(LOAD, 0, 120, 0.5, 10), (STORE, 20, 60, 0.25, 4)], True)[0] == [0, 0]
    assert met([(LOAD, 0, 100, 1, 10), (2, 20, 40, 1, 4)], True)[0] == [10, 10]


def test_moves_that_meet_in_part() -> None:
    """5 of 20 together, one after the other on either side; a quarter of the store's turns."""
    found = met([(LOAD, 0, 25, 1, 10), (STORE, 20, 40, 1, 4), (LOAD, 40, 60, 1, 2)])
    assert found == ([2.5, 2.5, 0], [1, 1, 0])


def test_two_loads_turn_no_bus() -> None:
    """Units 0 and 2 both load."""
    assert met([(LOAD, 0, 100, 1, 10), (2, 20, 40, 1, 4)]) == ([10, 10], [0, 0])


def test_weight_between_two_times() -> None:
    """Of 10 over 0 .. 100 and 8 over 50 .. 90 on two movers, and 4 over 100 .. 104 behind the first."""
    unit, weight = np.array([0, 1, 0]), np.array([10.0, 8.0, 4.0])
    start, done = np.array([0.0, 50.0, 100.0]), np.array([100.0, 90.0, 104.0])
    found = spread(unit, start, done, weight, np.array([0.0, 20.0, 60.0, 102.0]), np.array([100.0, 70.0, 200.0, 103.0]))
    assert found.tolist() == [18, 5 + 4, 4 + 6 + 4, 1]
