"""Loads and stores that run together: what one of them waits for the other at the main memory that both use."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Together(NamedTuple):
    """Of each move, float64 [n]: ps that it loses to others, and how often stores come between loads."""

    shared: np.ndarray
    turns: np.ndarray


def together(
    unit: np.ndarray, times: tuple[np.ndarray, np.ndarray], busy: np.ndarray, turns: np.ndarray, store: np.ndarray,
    region: np.ndarray, stores_first: bool,
) -> Together:  # fmt: skip
    """Moves by unit that moves them (int64 [n]), in order; times, ps: when each starts and ends.

    busy: share of the time in which main memory works for a move that is alone.  store: bool [n].  turns: [n, 2], how
    often a store comes between loads of other regions (int64 [n]), and between loads of its own.
    Two moves that overlap and ask for more than the memory gives both run slower by that factor; `stores_first`: a load
    gets what a store leaves, because full queues of writes are drained before anything is read.  Two stores, or two
    loads, change no direction of the data bus.
    """
    start, done = times
    shared, turned = np.zeros(start.size), np.zeros(start.size)
    lasts = np.maximum(done - start, 1.0)
    for mover in np.unique(unit):
        mine, others = np.flatnonzero(unit == mover), np.flatnonzero(unit != mover)
        others = others[np.argsort(start[others], kind="stable")]
        until = np.maximum.accumulate(done[others]) if others.size else done[others]
        low = np.searchsorted(until, start[mine], side="right").tolist()
        high = np.searchsorted(start[others], done[mine], side="left").tolist()
        for i, first, end in zip(mine.tolist(), low, high, strict=True):
            if first >= end:
                continue
            beside = others[first:end]
            both = np.maximum(0.0, np.minimum(done[beside], done[i]) - np.maximum(start[beside], start[i]))
            given = 1 / np.maximum(1.0, busy[beside] + busy[i])
            if stores_first:
                left = np.minimum(1.0, (1 - busy[beside]) / max(busy[i], 1e-9))
                given = np.where(store[beside] == store[i], given, 1.0 if store[i] else left)
            shared[i] = (both * (1 - given)).sum()
            stores = np.full(beside.size, i) if store[i] else beside
            pace = turns[stores, (region[beside] == region[i]).astype(np.int64)] / lasts[stores]
            turned[i] = (both * pace)[store[beside] != store[i]].sum()
    return Together(shared, turned)


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
