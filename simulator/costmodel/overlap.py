"""Loads and stores that run together: what one of them waits for the other at the main memory that both use."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Together(NamedTuple):
    """Of each move, float64 [n]: ps of work for others that delays it, and bursts of stores that interrupt loads."""

    shared: np.ndarray
    bursts: np.ndarray


def together(
    unit: np.ndarray, start: np.ndarray, done: np.ndarray, use: np.ndarray, bursts: np.ndarray, store: np.ndarray
) -> Together:
    """Moves by unit that moves them (int64 [n]), in order; start, done, ps: when each would run if it were alone.

    use, bursts: ps in which main memory works for it, and its bursts.  store: bool [n].  Two moves that overlap share
    the memory evenly: of what it would do for both in that time, what goes beyond the time comes later, for both.  Two
    stores, or two loads, change no direction of the data bus.
    """
    shared, turned = np.zeros(start.size), np.zeros(start.size)
    lasts = np.maximum(done - start, 1.0)
    for mover in np.unique(unit):
        mine, others = np.flatnonzero(unit == mover), np.flatnonzero(unit != mover)
        others = others[np.argsort(start[others], kind="stable")]
        until = np.maximum.accumulate(done[others]) if others.size else done[others]
        for i in mine.tolist():
            first = int(np.searchsorted(until, start[i], side="right"))
            end = int(np.searchsorted(start[others], done[i], side="left"))
            beside = others[first:end]
            both = np.maximum(0.0, np.minimum(done[beside], done[i]) - np.maximum(start[beside], start[i]))
            asked = both / lasts[beside] * use[beside] + both / lasts[i] * use[i]
            shared[i] = np.maximum(0.0, asked - both).sum()
            of_store = np.broadcast_to(bursts[i] / lasts[i], beside.shape) if store[i] else (bursts / lasts)[beside]
            turned[i] = (both * of_store)[store[beside] != store[i]].sum()
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
