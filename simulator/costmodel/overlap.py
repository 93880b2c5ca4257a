"""Loads and stores that run together: what one of them waits for the other at the main memory that both use."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Together(NamedTuple):
    """Of each move, float64 [n]: ps that it loses to others, and how often stores come between loads."""

    shared: np.ndarray
    turns: np.ndarray


def together(
    unit: np.ndarray, times: tuple[np.ndarray, np.ndarray], alone: np.ndarray, busy: np.ndarray, turns: np.ndarray,
    store: np.ndarray, region: np.ndarray, stores_first: bool,
) -> Together:  # fmt: skip
    """Moves by unit that moves them (int64 [n]), in order; times, ps: when each starts and ends.

    alone: how long a move would take, ps.  busy: share of that in which main memory works for it.  store: bool [n].
    turns: [n, 2], how often a store comes between loads of other regions (int64 [n]), and between loads of its own.
    A move goes on from its start as fast as the others, at their times, let it: two that ask for more than the memory
    gives both run slower by that factor; `stores_first`: a load gets what a store leaves, because full queues of writes
    are drained before anything is read.  Two stores, or two loads, change no direction of the data bus.
    """
    start, done = times
    shared, turned = np.zeros(start.size), np.zeros(start.size)
    lasts = np.maximum(done - start, 1.0)
    for mover in np.unique(unit):
        mine, others = np.flatnonzero(unit == mover), np.flatnonzero(unit != mover)
        others = others[np.argsort(start[others], kind="stable")]
        until = np.maximum.accumulate(done[others]) if others.size else done[others]
        first = np.searchsorted(until, start[mine], side="right").tolist()
        beside = others.tolist()
        for i, j in zip(mine.tolist(), first, strict=True):
            at, left = float(start[i]), float(alone[i])
            for k in map(beside.__getitem__, range(j, len(beside))):
                free = max(0.0, float(start[k]) - at)
                if free >= left:
                    break
                at, left = at + free, left - free
                both = float(done[k]) - at
                if both <= 0:
                    continue
                pace = _pace(float(busy[i]), float(busy[k]), bool(store[i]), bool(store[k]), stores_first)
                both = min(both, left / pace) if pace else both
                at, left = at + both, left - both * pace
                if store[i] != store[k]:
                    of = i if store[i] else k
                    turned[i] += both * turns[of, int(region[i] == region[k])] / lasts[of]
            shared[i] = max(0.0, at + left - start[i] - alone[i])
    return Together(shared, turned)


def _pace(mine: float, other: float, store: bool, other_stores: bool, stores_first: bool) -> float:
    """How fast a move goes on beside another; see `together`."""
    if stores_first and store != other_stores:
        return 1.0 if store else min(1.0, (1 - other) / max(mine, 1e-9))
    return 1 / max(1.0, mine + other)


def spread(
    unit: np.ndarray, start: np.ndarray, done: np.ndarray, weight: np.ndarray, since: np.ndarray, until: np.ndarray
) -> np.ndarray:
    """float64 [m]: what falls between since and until of moves that each spread `weight` evenly from start to done.

    Moves by unit that moves them (int64 [n]), in order; since, until: float64 [m].
    """
    found = np.zeros(since.size)
    for mover in np.unique(unit):
        mine = np.flatnonzero(unit == mover)
        times = np.stack([start[mine], np.maximum(done[mine], start[mine])], axis=1).ravel()
        total = np.cumsum(weight[mine])
        reached = np.stack([total - weight[mine], total], axis=1).ravel()
        found += np.interp(until, times, reached, left=0.0) - np.interp(since, times, reached, left=0.0)
    return found
