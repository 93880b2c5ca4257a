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


@njit(cache=True, _nrt=False)
def opened(streams, n, t, end):
    """Time from which a stream's buffer has room.

    streams: `Streams`.     n, t: stream and timestep.     end float64 [T, N]: ends of earlier timesteps.
    """
    found = 0.0
    for g in range(streams.gate_start[n], streams.gate_start[n + 1]):
        before = t - streams.buffered + streams.gate[g, 1]
        if 0 <= before < t:
            found = max(found, end[before, streams.gate[g, 0]])
    return found


@njit(cache=True, _nrt=False)
def available(streams, n, t, own, there, found):
    """Times at which the windows of a stream's positions are there; returns nothing.

    streams: `Streams`.     n, t: stream and timestep.     own: 1 for the windows that the home reads, 0 for the others
    there float64 [R, positions]: as in `flow_tiles`
    found float64 [positions of n or more] (out): 0 where a position needs nothing
    """
    positions = streams.stream[n, POSITIONS]
    found[:positions] = 0.0
    for w in range(streams.stream[n, FIRST_WINDOW], streams.stream[n, LAST_WINDOW]):
        made = t - streams.window[w, DELAY]
        if streams.window[w, OWN] != own or made < 0:
            continue
        source = there[made % there.shape[0], streams.stream[streams.window[w, SOURCE], FIRST] :]
        need = streams.need[streams.window[w, NEED] : streams.window[w, NEED] + positions]
        for p in range(positions):
            if need[p] > 0:
                found[p] = max(found[p], source[need[p] - 1])


@njit(cache=True, _nrt=False)
def grow(worked, until, start, cycles):
    """Work with one more interval, which may overlap the last: returns (cycles at work, until when).

    worked, until: both before it.     start, cycles: of the interval.
    """
    end = start + cycles
    return worked + max(0.0, end - max(start, until)), max(until, end)


@njit(cache=True, _nrt=False)
def worked_of(one, take, lanes, late, home, work, until):
    """Work of a timestep: returns (cycles at work, until when).

    one, take float64 [positions]: `start` and `take` of each position.     lanes: whether arrays compute the stream
    late, home, work: its times.     until: end of the work before.
    """
    worked, held = 0.0, -np.inf
    for p in range(take.size):
        if lanes:
            # Intervals grow in the order of their starts: the neurons of the position before, the arrays.
            early = held <= one[p]
            if p == 0:
                worked, until = grow(worked, until, one[p], late)
            else:
                worked, until = grow(worked, until, held if early else one[p], work if early else late)
                worked, until = grow(worked, until, one[p] if early else held, late if early else work)
        elif p > 0:
            worked, until = grow(worked, until, held, work)
        held = take[p] + home - work
    return grow(worked, until, held, work)


@njit(cache=True, _nrt=False)
def play(streams, n, t, times, start, free, taken, turn, busy, there, begin, end, active, needs, own):
    """One timestep of one stream; returns nothing.

    streams: `Streams`.     n, t: stream and timestep.     times float64 [TIMES]: those of the stream
    start, free, taken, turn, busy, there, begin, end, active: as in `flow_tiles` (in, out)
    needs, own float64 [most positions] (scratch): when the windows of lanes and of the home are there
    """
    copies, first, place = streams.stream[n, COPIES], streams.stream[n, FIRST], streams.stream[n, FIRST_COPY]
    depth, lanes, positions = streams.depth, streams.stream[n, LANES] == 1, streams.stream[n, POSITIONS]
    fetch, late, home, after = times[FETCH], times[LATE], times[HOME], times[AFTER]
    step = max(fetch, times[PERIOD])
    gate = opened(streams, n, t, end)
    available(streams, n, t, 0, there, needs)
    available(streams, n, t, 1, there, own)
    begin[t, n] = needs[0] if lanes else max(needs[0], gate)
    for copy in range(min(copies, positions)):
        c = place + copy
        last, ready, slot, ring = start[c], free[c], turn[c], taken[c * depth : c * depth + depth]
        for p in range(copy, positions, copies):
            take = max(max(own[p], gate), ready)
            if lanes:
                last = max(last + step, max(needs[p] + fetch, ring[slot]))
                take = max(take, last + late)
                ring[slot] = take
                slot = slot + 1 if slot + 1 < depth else 0
            needs[p], own[p] = last, take
            ready = take + home
        start[c], free[c], turn[c] = last, ready, slot
    latest, out = 0.0, there[t % there.shape[0], first : first + positions]
    for p in range(positions):
        latest = max(latest, own[p] + home + after)
        out[p] = latest
    end[t, n] = latest
    active[t, n], busy[n] = worked_of(needs[:positions], own[:positions], lanes, late, home, times[WORK], busy[n])


@njit(cache=True)
def flow_tiles(streams, times, live, start, free, taken, turn, busy, there, begin, end, active):
    """All timesteps of a sample; returns how many were played until every one was like the one before.

    streams: `Streams`.     times float64 [U, N, TIMES]: of timesteps like u; U 1: all are alike, and are played until
    all streams keep their pace, else timestep t is like t.     live uint8 [U, N]: 0 where a stream has not begun
    start, free float64 [copies]: start and end of the position before (in, out)
    taken float64 [copies x depth]: when homes took the last `depth` results, as a ring (in, out)
    turn int64 [copies]: place in the ring (in, out).     busy float64 [N]: end of the work before (in, out)
    there float64 [R, positions] (scratch): when each position is available, of timestep t in row t % R; R is more than
    every delay
    begin, end, active float64 [T, N] (out): of each timestep the beginning, the end, and how long it is at work
    """
    steps, alike = end.shape[0], times.shape[0] == 1
    most = 0
    for n in range(end.shape[1]):
        most = max(most, streams.stream[n, POSITIONS])
    needs, own = np.empty(most), np.empty(most)
    steady = 0
    for t in range(steps):
        u = 0 if alike else t
        for n in range(end.shape[1]):
            if live[u, n] == 0:
                first = streams.stream[n, FIRST]
                there[t % there.shape[0], first : first + streams.stream[n, POSITIONS]] = 0.0
                begin[t, n], end[t, n], active[t, n] = -1.0, 0.0, 0.0
                continue
            play(streams, n, t, times[u, n], start, free, taken, turn, busy, there, begin, end, active, needs, own)
        if alike and t >= 3:
            same = True
            for n in range(end.shape[1]):
                pace = end[t, n] - end[t - 1, n]
                same = same and abs(pace - (end[t - 1, n] - end[t - 2, n])) <= 1e-9 * pace
            steady = steady + 1 if same else 0
            if steady == 2:
                return t + 1
    return steps
