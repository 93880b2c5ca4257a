"""What wordlines of crossbars see: sets of inputs and the planes that they are driven with, at any rates."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from simulator.costmodel.activity import GROUPS
from simulator.costmodel.clustered import Sets
from simulator.costmodel.rates import Rates
from simulator.kernels import tile_inputs as kernel
from simulator.mapping.crossbar import CrossbarPart

MANY_GROUPS = 16
"""Groups of a population from which the growth of their emptiness with their size is believed."""
SOME_EMPTY = 4
"""Empty windows of a timestep from which their share is believed."""


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
        stream, raw, first, largest, before, one, most, less, window, taps, area = (
            np.array(self._set, np.int64).reshape(-1, 11).T
        )
        near, far = np.log(np.maximum(most / less, 1 + 1e-9)), np.log(raw / most)
        self._of = np.ascontiguousarray(np.stack([stream, first, largest, before, one, window], axis=1))
        self._amount = np.ascontiguousarray(np.stack([raw, area, near, far, np.log(taps)], axis=1))
        widest = max((len(taps) for *_, taps in self._windows), default=0)
        self._taps, self._part = np.ones((len(self._windows), widest)), np.zeros((len(self._windows), widest))
        for i, (*_, found) in enumerate(self._windows):
            self._taps[i, : len(found)], self._part[i, : len(found)] = np.array(found, np.float64).T
        positions = np.maximum(self._part.sum(axis=1), 1)
        self._part /= positions[:, None]
        self._least = SOME_EMPTY / positions
        self._window = np.array([(seen, one[pixel]) for seen, pixel, _ in self._windows], np.int64).reshape(-1, 2)
        bits = [(stream, area, -1 if bit is None else bit, signs) for stream, area, bit, signs in self._plane]
        self._planes = np.array(bits, np.int64).reshape(-1, 4)
        self._questions: dict[int, kernel.Questions] = {}

    def at(self, found: Rates) -> Seen:
        """All sets and planes at these rates; see `kernels/tile_inputs.py`."""
        if found.samples not in self._questions:
            self._questions[found.samples] = kernel.Questions(
                *self._sets.tables(found.samples), self._of, self._amount, self._window, self._least, self._taps,
                self._part, self._planes,
            )  # fmt: skip
        ask, steps = self._questions[found.samples], found.value.shape[1]
        size, off, share = (np.empty((len(of), steps)) for of in (self._of, self._planes, self._planes))
        kernel.see_inputs(ask, found.value, found.empty, self._everything, size, off, share)
        return Seen(size, off, share)
