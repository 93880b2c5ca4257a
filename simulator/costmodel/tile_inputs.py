"""What wordlines of crossbars see: sets of inputs and the planes that they are driven with, at any rates."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from simulator.costmodel.activity import GROUPS
from simulator.costmodel.clustered import Sets
from simulator.costmodel.rates import Rates
from simulator.mapping.crossbar import CrossbarPart

MANY_GROUPS = 32
"""Groups of a population from which the growth of their emptiness with their size is believed."""
CLUSTERED = 0.9
"""Power of that growth below which spikes count as clustered; nearer to 1 it may be chance."""
SOME_EMPTY = 4
"""Empty windows of a timestep from which their share is believed."""
NEVER = -700.0
"""Logarithm of a probability that is zero to a float64."""


class Seen(NamedTuple):
    """Inputs at some rates, float64 [.., U].

    size [sets]: inputs of a set, as so many that are independent of each other.  off, share [planes]: logarithm of the
    probability that an input is off in a plane; probability that it is on.
    """

    size: np.ndarray
    off: np.ndarray
    share: np.ndarray

    def quiet(self, sets: np.ndarray, planes: np.ndarray) -> np.ndarray:
        """Logarithm of the probability that no input of each set is on, float64 [sets, U]."""
        found: np.ndarray = self.size[sets] * self.off[planes]
        return found


class Source(NamedTuple):
    """A projection's inputs: stream, its neurons, how many of them one input adds up; plane that tells which
    inputs are on; planes that wordlines are driven with; number of its windows, -1 none."""

    stream: int
    neurons: int
    area: int
    some: int
    planes: tuple[int, int]
    windows: int = -1


class Inputs:
    """Sets and planes of all layers: add them, `close`, then ask at any rates.  everything: all inputs are on."""

    def __init__(self, everything: bool) -> None:
        self._everything = everything
        self._sets = Sets()
        self._known: dict[tuple[int, ...], int] = {}
        self._windows: list[tuple[Any, ...]] = []
        self._set: list[tuple[int, ...]] = []
        self._plane: list[tuple[Any, ...]] = []

    def source(self, stream: int, neurons: int, part: CrossbarPart | None, folded: bool = False) -> Source:
        """Inputs of a projection, or (part None) neurons as they are; of OR pooling `stream` is what it leaves.

        neurons: of the stream;  folded: all planes are driven at once.
        """
        pool = None if part is None else part.projection.pool
        area = 1 if pool is None or pool.kind == "or" else pool.size[0] * pool.size[1]
        some = len(self._plane)
        self._plane.append((stream, area, None, 1))
        if part is None or folded or part.planes == ((1, 0),):
            return Source(stream, neurons, area, some, (some, some + 1))
        signs = len({sign for sign, _ in part.planes})
        self._plane += [(stream, area, bit, signs) for _, bit in part.planes]
        return Source(stream, neurons, area, some, (some + 1, len(self._plane)))

    def windowed(self, source: Source, seen: int, channels: int, taps: list[tuple[int, int]]) -> Source:
        """The source with what is known of its windows: stream `seen` of the share in which something is on; `channels`
        of the map; taps inside the map and positions that are like that."""
        pixel = self.set_of(source, channels)
        self._windows.append((seen, pixel, taps))
        return source._replace(windows=len(self._windows) - 1)

    def set_of(self, source: Source, inputs: int, taps: int = 1) -> int:
        """Number of a set of so many inputs of a source, at so many places of its map; -1 where there is none."""
        if not inputs:
            return -1
        windows = source.windows if taps > 1 else -1
        key = source.stream, inputs, source.area, windows, taps if windows >= 0 else 1
        if key not in self._known:
            self._known[key] = len(self._set)
            raw = inputs * source.area
            one = max(1, raw // taps) if windows >= 0 else raw
            trusted = [n for n in GROUPS if source.neurons // n >= MANY_GROUPS]
            beyond = len(trusted) > 1 and raw > trusted[-1]
            known = (trusted[-1], trusted[-2]) if beyond else (raw, raw)
            places = (self._sets.add(source.stream, n, source.neurons) for n in (raw, *known, one))
            self._set.append((source.stream, raw, *places, *known, windows, taps, source.area))
        return self._known[key]

    def close(self) -> None:
        """All is added."""
        self._sets.close()
        self._of, self._raw, *places, largest, before, windows, taps, self._area = (
            np.array(self._set, np.int64).reshape(-1, 11).T
        )
        self._places, self._one = places[:3], places[3]
        self._spread = np.flatnonzero(windows >= 0)
        self._spread_of, self._taps = windows[self._spread], np.log(taps[self._spread])[:, None]
        widest = max((len(taps) for *_, taps in self._windows), default=0)
        self._inside = np.ones((2, len(self._windows), widest, 1))
        self._inside[1] = 0
        for i, (*_, found) in enumerate(self._windows):
            self._inside[:, i, : len(found), 0] = np.array(found, np.float64).T
        positions = np.maximum(self._inside[1].sum(axis=1, keepdims=True), 1)
        self._inside[1] /= positions
        self._least = SOME_EMPTY / positions[:, 0]
        self._seen, self._pixel = np.array([w[:2] for w in self._windows], np.int64).reshape(-1, 2).T
        self._beyond = largest < self._raw
        self._growth = np.log(self._raw / largest), np.log(np.maximum(largest / before, 1 + 1e-9))
        self._plane_of = np.array([stream for stream, *_ in self._plane], np.int64)
        self._some = np.array([bit is None for *_, bit, _ in self._plane], bool)
        self._plane_area = np.array([area for _, area, *_ in self._plane], np.float64)

    def at(self, found: Rates) -> Seen:
        """All sets and planes at these rates."""
        value = np.ones_like(found.value) if self._everything else np.clip(found.value, 0, 1)
        alone = np.log(np.maximum(1 - value, np.exp(NEVER)))
        size = np.repeat((self._raw / self._area)[:, None], value.shape[1], axis=1)
        if not self._everything:
            logs = self._quiet(found)
            every = self._raw[:, None] * alone[self._of]
            known = (every < 0) & (logs > 0.98 * NEVER)
            size *= np.where(known, logs / np.where(known, every, 1), 1)
        off = self._plane_area[:, None] * alone[self._plane_of]
        off = np.maximum(off, NEVER)
        share = -np.expm1(off)
        for i in np.flatnonzero(~self._some):
            stream, area, bit, signs = self._plane[i]
            share[i] = _bit_share(value[stream], area, bit, signs)
            off[i] = np.log(np.maximum(1 - share[i], np.exp(NEVER)))
        return Seen(size, off, share)


    def _quiet(self, found: Rates) -> np.ndarray:
        """Logarithm of the probability that no neuron of a set sends, float64 [sets, U].

        A window is compact, not a row of neurons: beyond the largest group its logarithm grows as a power of the size,
        with the power of the two largest groups; of independent neurons that is 1.
        """
        every = np.log(np.maximum(self._sets.quiet(found), np.exp(NEVER)))
        logs, last, before = (every[p] for p in self._places)
        near, far = self._growth[1][:, None], self._growth[0][:, None]
        some = self._beyond[:, None] & (before < 0) & (last < 0)
        power = np.clip(np.log(np.where(some, last, 1) / np.where(some, before, 1)) / near, 0, 1)
        power = np.where(power > CLUSTERED, 1, power)
        logs = np.where(some, np.maximum(last * np.exp(power * far), NEVER), logs)
        if self._spread.size:
            power, known = self._growth_of_windows(found, every[self._one[self._pixel]])
            each = every[self._one[self._spread]] * np.exp(power[self._spread_of] * self._taps)
            logs[self._spread] = np.where(known[self._spread_of], np.maximum(each, NEVER), logs[self._spread])
        return logs

    def _growth_of_windows(self, found: Rates, one: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(power with which the logarithm of P(nothing on) grows from one place of a map to several; where that is
        known), [windows, U]; `one` is the logarithm of one place.

        So that on average over the positions exp(one taps^power) is the share of empty windows that was counted.
        """
        value = found.value[self._seen]
        taps, share = self._inside
        known = (value >= 0) & (1 - value >= self._least) & (one < 0) & (one > 0.9 * NEVER)
        empty = np.where(known, np.minimum(1 - value, 1 - 1e-12), 0.5)
        typical = np.maximum(np.log((taps * share).sum(axis=1)), 1e-9)
        safe = np.where(known, one, -1)
        power = np.log(np.log(empty) / safe) / typical
        for _ in range(2):
            made = (share * np.exp(safe[:, None] * taps ** power[:, None])).sum(axis=1)
            power = power + np.log(np.log(empty) / np.log(np.clip(made, 1e-300, 1 - 1e-15))) / typical
        return np.clip(power, 0, 2), known


def _bit_share(p: np.ndarray, area: int, bit: int, signs: int) -> np.ndarray:
    """Share of inputs that have a bit set, for neurons that send with `p`.

    A summed value is the number of spikes in its window, binomial.  Where a source sends both signs, each has half of
    the spikes.
    """
    if area == 1:
        return p / signs if bit == 0 else np.zeros_like(p)
    share, below = np.zeros_like(p), 1.0
    for k in range(area + 1):
        if k >> bit & 1:
            share = share + below * p**k * (1 - p) ** (area - k)
        below = below * (area - k) / (k + 1)
    return share
