"""Flow of positions through layers on crossbar tiles at mean times: a recurrence over timesteps, streams and positions.

Plain definition; (t, p) is a timestep and a position, all times in cycles from the start of the sample.  Position p of
a stream belongs to copy p % copies and follows the one before of its copy, whose times have a dash; `take*` is that of
the position `depth` before.  Every time is a sum or maximum of the ones given, so that more of any is never earlier.

    window(p)   latest of the leading positions that each projection needs
    start       max(max(window, start') + fetch, start' + period, take*)
    take        max(start + late, windows of one-to-one projections, gate, free')
    free        take + home;   the position is available at free + after, and not before the ones ahead of it
    gate        every reader has made the timestep whose room in the buffer is needed
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

POSITIONS, COPIES, FIRST, FIRST_WINDOW, LAST_WINDOW, LANES, FIRST_COPY = range(7)
"""Columns of `Streams.stream`: positions; copies; place of the first position; its windows; whether arrays compute it;
place of its first copy."""
SOURCE, DELAY, NEED, OWN = range(4)
"""Columns of `Streams.window`: stream that is read, timesteps later; place of its first need; read by the home."""
PERIOD, FETCH, LATE, HOME, AFTER, WORK, TIMES = range(7)
"""Rows of times of a stream; WORK: what of HOME a neuron unit is at work."""


class Streams(NamedTuple):
    """Inputs, then layers in running order.

    stream int64 [N, 7].     window int64 [W, 4].     need int64 [..]: leading positions needed, 0 none
    gate_start int64 [N + 1], gate int64 [.., 2]: readers of each stream: (stream, delay)
    depth, buffered: results that may wait for a home; timesteps that a buffer holds
    """

    stream: np.ndarray
    window: np.ndarray
    need: np.ndarray
    gate_start: np.ndarray
    gate: np.ndarray
    depth: int
    buffered: int


@njit(cache=True)
def opened(streams, n, t, end):
    """Time from which timestep `t` of stream `n` has room; streams, end as in `flow_tiles`."""
    found = 0.0
    for g in range(streams.gate_start[n], streams.gate_start[n + 1]):
        before = t - streams.buffered + streams.gate[g, 1]
        if 0 <= before < t:
            found = max(found, end[before, streams.gate[g, 0]])
    return found


@njit(cache=True)
def available(streams, n, t, p, own, there):
    """Time at which the windows of position (t, p) of stream `n` are there, those of its home if `own`; streams, there
    as in `flow_tiles`."""
    found = 0.0
    for w in range(streams.stream[n, FIRST_WINDOW], streams.stream[n, LAST_WINDOW]):
        if streams.window[w, OWN] != own:
            continue
        made, needed = t - streams.window[w, DELAY], streams.need[streams.window[w, NEED] + p]
        if made >= 0 and needed > 0:
            found = max(found, there[made, streams.stream[streams.window[w, SOURCE], FIRST] + needed - 1])
    return found


@njit(cache=True)
def grow(worked, until, start, cycles):
    """(cycles at work, until when) with an interval from `start` of so many `cycles` more; it may overlap the last."""
    if start == -np.inf:
        return worked, until
    return worked + max(0.0, start + cycles - max(start, until)), max(until, start + cycles)


@njit(cache=True)
def play(streams, n, t, times, start, free, taken, count, busy, there, begin, end, active):
    """Timestep `t` of stream `n`; times float64 [TIMES], its own; the rest as in `flow_tiles`."""
    positions, copies = streams.stream[n, POSITIONS], streams.stream[n, COPIES]
    first, place, depth = streams.stream[n, FIRST], streams.stream[n, FIRST_COPY], streams.depth
    gate = opened(streams, n, t, end)
    lanes = streams.stream[n, LANES] == 1
    latest, until, worked, held = 0.0, busy[n], 0.0, -np.inf
    for p in range(positions):
        c = place + p % copies
        result = 0.0
        window = available(streams, n, t, p, 0, there)
        if p == 0:
            begin[t, n] = max(window, gate if not lanes else 0.0)
        if lanes:
            slot = c * depth + count[c] % depth
            one = max(max(window, start[c]) + times[FETCH], start[c] + times[PERIOD], taken[slot])
            start[c] = one
            result = one + times[LATE]
            if held <= one:
                worked, until = grow(worked, until, held, times[WORK])
                held = -np.inf
            worked, until = grow(worked, until, one, times[LATE])
        worked, until = grow(worked, until, held, times[WORK])
        take = max(result, available(streams, n, t, p, 1, there), gate, free[c])
        held = take + times[HOME] - times[WORK]
        if lanes:
            taken[c * depth + count[c] % depth] = take
            count[c] += 1
        free[c] = take + times[HOME]
        latest = max(latest, free[c] + times[AFTER])
        there[t, first + p] = latest
    worked, until = grow(worked, until, held, times[WORK])
    end[t, n] = latest
    active[t, n], busy[n] = worked, until


@njit(cache=True)
def flow_tiles(streams, times, live, start, free, taken, count, busy, there, begin, end, active):
    """All timesteps of a sample; returns how many were played until every one was like the one before.

    streams: `Streams`.     times float64 [U, N, TIMES]: of timesteps like u; U 1: all are alike, and are played until
    all streams keep their pace, else timestep t is like t.     live uint8 [U, N]: 0 where a stream has not begun
    start, free float64 [copies], taken float64 [copies x depth], count int64 [copies], busy float64 [N]: how things
        stand before the first (in)
    there float64 [T, positions], begin, end, active float64 [T, N] (out): when each position is available; of each
    timestep the beginning, the end, and how long it is at work
    """
    steps, alike = end.shape[0], times.shape[0] == 1
    steady = 0
    for t in range(steps):
        u = 0 if alike else t
        for n in range(end.shape[1]):
            if live[u, n] == 0:
                there[t, streams.stream[n, FIRST] : streams.stream[n, FIRST] + streams.stream[n, POSITIONS]] = 0.0
                begin[t, n], end[t, n], active[t, n] = -1.0, 0.0, 0.0
                continue
            play(streams, n, t, times[u, n], start, free, taken, count, busy, there, begin, end, active)
        if alike and t >= 3:
            same = True
            for n in range(end.shape[1]):
                pace = end[t, n] - end[t - 1, n]
                same = same and abs(pace - (end[t - 1, n] - end[t - 2, n])) <= 1e-9 * pace
            steady = steady + 1 if same else 0
            if steady == 2:
                return t + 1
    return steps
