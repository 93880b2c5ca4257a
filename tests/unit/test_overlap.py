"""What moves that meet wait for each other, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.costmodel.overlap import spread, together

LOAD, STORE = 0, 1


def met(
    rows: list[tuple[int, float, float, float, float]], stores_first: bool = False, regions: tuple[int, ...] = ()
) -> tuple[list[float], list[float]]:
    """Rows of (unit, start, how long it takes alone, share of that in which memory works for it, turns); unit 1 stores.
    A store turns the bus three times as often where loads are of its own region; left out, all regions differ."""
    unit, start, alone, busy, turns = (np.array(column) for column in zip(*rows, strict=True))
    region = np.array(regions) if regions else np.arange(len(rows))
    both = np.stack([turns, 3 * turns], axis=1)
    times = start, start + alone
    found = together(unit, times, alone, busy, both, unit == STORE, region, stores_first)
    return found.shared.tolist(), found.turns.tolist()


def test_two_moves_that_fill_the_memory_share_it() -> None:
    """For the 40 of the store each gets half of the memory; the load goes on alone, the store beside the load."""
    rows = [(LOAD, 0.0, 120.0, 1.0, 10.0), (STORE, 20.0, 40.0, 1.0, 4.0)]
    assert met(rows) == ([20, 40], [4, 8])
    assert met(rows, regions=(7, 7)) == ([20, 40], [12, 24])


def test_only_what_is_beyond_the_time_is_late() -> None:
    """Together they ask for 1.25 of what the memory gives: a fifth of the load's 40, and a quarter more for the store.
    Then for .75 of it."""
    lost = met([(LOAD, 0, 120, 1, 10), (STORE, 20, 40, 0.25, 4)])[0]
    assert lost == pytest.approx([8, 10], rel=1e-12)
    assert met([(LOAD, 0, 120, 0.5, 10), (STORE, 20, 40, 0.25, 4)])[0] == [0, 0]


def test_a_memory_with_queues_serves_stores_first() -> None:
    """A load gets what a store leaves: nothing, or three quarters; two loads share."""
    assert met([(LOAD, 0, 120, 1, 10), (STORE, 20, 40, 1, 4)], True)[0] == [40, 0]
    assert met([(LOAD, 0, 120, 1, 10), (STORE, 20, 40, 0.25, 4)], True)[0] == [10, 0]
    assert met([(LOAD, 0, 120, 0.5, 10), (STORE, 20, 40, 0.25, 4)], True)[0] == [0, 0]
    assert met([(LOAD, 0, 100, 1, 10), (2, 20, 20, 1, 4)], True)[0] == [10, 20]


def test_a_load_that_is_nearly_done_waits_for_a_whole_store() -> None:
    """It has 5 to go when a store begins; of 20 after that it loses all, of a store behind its end nothing."""
    rows = [(LOAD, 0, 25, 1, 10), (STORE, 20, 20, 1, 4), (STORE, 60, 20, 1, 4)]
    assert met(rows, True)[0] == [20, 0, 0]


def test_two_loads_turn_no_bus() -> None:
    """Units 0 and 2 both load."""
    assert met([(LOAD, 0, 100, 1, 10), (2, 20, 20, 1, 4)]) == ([10, 20], [0, 0])


def test_weight_between_two_times() -> None:
    """Of 10 over 0 .. 100 and 8 over 50 .. 90 on two movers, and 4 over 100 .. 104 behind the first."""
    unit, weight = np.array([0, 1, 0]), np.array([10.0, 8.0, 4.0])
    start, done = np.array([0.0, 50.0, 100.0]), np.array([100.0, 90.0, 104.0])
    found = spread(unit, start, done, weight, np.array([0.0, 20.0, 60.0, 102.0]), np.array([100.0, 70.0, 200.0, 103.0]))
    assert found.tolist() == [18, 5 + 4, 4 + 6 + 4, 1]
