"""Pipeline of layers on crossbar tiles: when each timestep of each layer begins and ends, at mean rates.

The slowest layer sets the pace; a layer follows its source position by position.  Layer l makes its P positions of a
timestep `pace` cycles apart, each `late` cycles after the window of its last input is there:

    end = max over positions p of (window of p available) + (P - p) pace + late
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from simulator.mapping.crossbar import CrossbarPart

SAMPLED = 33
SETTLED = 12


class Follow(NamedTuple):
    """A layer reads `source` (number of a stream) `delay` timesteps later; at sampled positions `at` it needs the first
    `need` positions of the source, both as shares of all positions."""

    source: int
    delay: int
    at: np.ndarray
    need: np.ndarray


def follow(
    part: CrossbarPart, grid: tuple[int, int], source: int, raw: tuple[int, int], made: tuple[int, int]
) -> Follow:
    """The window of one projection: `raw` is the (H, W) of the source's map, `made` that of its positions."""
    last = []
    for axis in (0, 1):
        pool = part.projection.pool
        at = (
            np.arange(grid[axis])[:, None] * part.stride[axis]
            - part.padding[axis]
            + np.arange(part.kernel[axis]) * part.dilation[axis]
        )
        at = np.where((at >= 0) & (at < part.shape[1 + axis]), at, -1).max(axis=1)
        if pool is not None:
            at = np.where(at < 0, -1, np.minimum(at * pool.stride[axis] + pool.size[axis] - 1, raw[axis] - 1))
        last.append(np.where(at < 0, -1, at * made[axis] // raw[axis]))
    need = np.where((last[0][:, None] >= 0) & (last[1] >= 0), last[0][:, None] * made[1] + last[1] + 1, 0).ravel()
    positions = grid[0] * grid[1]
    sampled = np.unique(np.linspace(0, positions - 1, min(SAMPLED, positions)).astype(np.int64))
    return Follow(source, part.projection.delay, sampled / positions, need[sampled] / (made[0] * made[1]))


def run_flow(
    paces: np.ndarray,
    late: np.ndarray,
    follows: list[list[Follow]],
    readers: list[list[tuple[int, int]]],
    buffered: int,
    weight: np.ndarray,
) -> tuple[float, np.ndarray]:
    """(end, float64 [streams, 2] start and end) of one sample, in cycles.

    paces, late float64 [streams, U]: cycles of a whole timestep, and from window to result, of timesteps like u;
    weight [U]: how many there are.  follows, readers: per stream what it reads, and who reads it (stream, delay).  A
    timestep begins when every reader is done with the one that lies `buffered` earlier.  Where all timesteps are alike
    the pace of the last of SETTLED holds for the rest.
    """
    streams = len(follows)
    total = round(float(weight.sum()))
    kinds = np.zeros(total, np.int64) if weight.size == 1 else np.arange(total)
    played = total if weight.size > 1 else min(total, SETTLED)
    begin, end = np.zeros((streams, played)), np.zeros((streams, played))
    for t in range(played):
        u = kinds[t]
        for n in range(streams):
            start = end[n, t - 1] - late[n, u] if t else 0.0
            start = max(start, begin[n, t - 1] + paces[n, u] if t else 0.0)
            for reader, delay in readers[n]:
                before = t - buffered + delay
                if 0 <= before < t:
                    start = max(start, end[reader, before])
            finish = start + paces[n, u]
            first = start
            for f in follows[n]:
                made = t - f.delay
                if made < 0 or (f.source >= n and not f.delay):
                    continue
                there = begin[f.source, made] + (end[f.source, made] - begin[f.source, made]) * f.need
                there = np.where(f.need > 0, there, 0)
                first = max(first, float(there[0]))
                finish = max(finish, float((there + (1 - f.at) * paces[n, u]).max()))
            begin[n, t], end[n, t] = first, finish + late[n, u]
    if not played:
        return 0.0, np.zeros((streams, 2))
    more = total - played
    extra = more * (end[:, -1] - end[:, -2]) if more else np.zeros(streams)
    span = np.stack([begin[:, 0], end[:, -1] + extra], axis=1)
    return float(span[:, 1].max()), span
