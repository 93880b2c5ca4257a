"""A unit's state in each cycle: the painting kernel, the busy bins and cut commits, beside a cycle-by-cycle oracle."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.engine import statelog
from simulator.engine.statelog import StateLog
from simulator.kernels.bins import add_runs
from simulator.kernels.sweep import paint
from tests.oracles.sweep import painted

CAUSES = ("first", "second")
INTERVALS = st.lists(
    st.tuples(st.integers(0, 60), st.integers(0, 25), st.integers(0, 2)).map(lambda t: (t[0], t[0] + t[1], t[2])),
    max_size=12,
)


@settings(deadline=None)
@given(INTERVALS)
def test_paint_equals_the_oracle(intervals: list[tuple[int, int, int]]) -> None:
    columns = np.array(intervals, np.int64).reshape(-1, 3)
    times = np.concatenate((columns[:, 0], columns[:, 1]))
    start, end, kind = (np.empty(times.size, np.int64) for _ in range(3))
    kinds = np.ascontiguousarray(columns[:, 2])
    depth = np.zeros(3, np.int64)
    n = paint(times, np.argsort(times), kinds, depth, start, end, kind)
    found = list(zip(start[:n].tolist(), end[:n].tolist(), kind[:n].tolist(), strict=True))
    assert found == painted(intervals)
    assert not depth.any()


def fill(log: StateLog, intervals: list[tuple[int, int, int]]) -> None:
    for start, end, kind in intervals:
        if kind == 0:
            log.add_busy(start, end)
        else:
            log.add_stall(CAUSES[kind - 1], start, end)


@settings(deadline=None)
@given(INTERVALS, st.lists(st.integers(0, 90), max_size=4))
def test_totals_do_not_depend_on_where_commits_cut(intervals: list[tuple[int, int, int]], cuts: list[int]) -> None:
    expected = [0, 0, 0]
    for start, end, kind in painted(intervals):
        expected[kind] += end - start
    log = StateLog(CAUSES, paint, add_runs)
    fill(log, intervals)
    for cut in sorted(cuts):
        log.commit(0, cut)
    log.commit(0)
    assert [log.busy, *log.stall] == expected
    assert int(log.bins.sum()) == log.busy
    assert log.pending == 0


def test_bins_widen_and_keep_every_cycle() -> None:
    log = StateLog(CAUSES, paint, add_runs)
    spans = [(5, 9), (statelog.BINS - 3, statelog.BINS + 4), (10 * statelog.BINS + 1, 10 * statelog.BINS + 6)]
    for start, end in spans:
        log.add_busy(start, end)
        log.commit(0)
    width = log.bin_cycles
    expected = np.zeros(statelog.BINS, np.int64)
    for start, end in spans:
        for cycle in range(start, end):
            expected[cycle // width] += 1
    assert width == 16
    np.testing.assert_array_equal(log.bins, expected)
