"""A segment: everything that decides in which cycle the vectors, partial sums and spikes of some layers flow.

The definition of the flow stands in `simulator/kernels/cim_flow_tables.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Stream:
    """Positions of one population that the segment makes: so many per timestep, from timestep `first` on."""

    positions: int
    first: int


@dataclass(frozen=True)
class Window:
    """Leading positions of a stream that must be available: `need` int64 [positions of the reader]; 0: none.

    stream: index into `Segment.streams`.  delay: timesteps by which the reader looks back.
    """

    stream: int
    delay: int
    need: np.ndarray


@dataclass(frozen=True)
class LayerFlow:
    """A layer: its stream, its copies, and cycles by timestep and position.

    vectors int64 [T, positions, row blocks, 4]: lat, occ, fetch, active (0: the vector is skipped).
    homes int64 [T, positions, 4]: own fetch, work, write (>= 1), send (0: nobody elsewhere reads the spikes).
    """

    stream: int
    copies: int
    vectors: np.ndarray
    homes: np.ndarray


@dataclass(frozen=True)
class Lane:
    """A row block of one copy in one tile; `home` is the home of the copy, `send` the cycles that a result holds the
    tile's egress (0: the home is in this tile), `window` None where everything it reads was there before."""

    layer: int
    copy: int
    block: int
    tile: int
    home: int
    send: int
    window: Window | None


@dataclass(frozen=True)
class Home:
    """Accumulation and neurons of one copy, in `tile`; `windows` are those that it reads itself (one to one)."""

    layer: int
    copy: int
    tile: int
    windows: tuple[Window, ...]


@dataclass(frozen=True)
class InputFlow:
    """An input population: its stream, and `cycles` int64 [T, positions] (>= 1) on the chip's input port."""

    stream: int
    cycles: np.ndarray


@dataclass(frozen=True)
class Segment:
    """Layers that run at the same time, for `steps` timesteps from 0.

    depth: results of a lane that may wait for its home.     hop: cycles from an egress to a reader.
    buffered: timesteps that a buffer holds.     tiles: buffer ports.     egresses: one per tile, or 1 for a shared bus.
    readers: per stream (stream of the reader, delay).
    """

    steps: int
    depth: int
    hop: int
    buffered: int
    tiles: int
    egresses: int
    streams: tuple[Stream, ...]
    inputs: tuple[InputFlow, ...]
    layers: tuple[LayerFlow, ...]
    lanes: tuple[Lane, ...]
    homes: tuple[Home, ...]
    readers: tuple[tuple[tuple[int, int], ...], ...]

    def egress(self, tile: int) -> int:
        """The egress of a tile."""
        return tile % self.egresses


@dataclass(frozen=True)
class Flow:
    """What happened in a segment, in cycles from its start.

    end: cycle in which the last position became available.     span int64 [layers, 2]: start and end of each layer.
    active int64 [layers]: cycles in which a lane or home of the layer worked.     tiles int64 [tiles]: likewise of the
        tile, whichever layer it belonged to.
    waits int64 [layers, 6]: cycles that lanes and homes waited, by cause (`simulator/kernels/cim_flow_tables.py`).
    runs: int64 [n, 2] intervals of each state of the bank; where several overlap the first in order of states counts.
    tracks: int64 [n, 2] intervals of `active`, layer by layer, then of `tiles`; rising, none touches the next.  None
        where nobody wants them.
    """

    end: int
    span: np.ndarray
    active: np.ndarray
    tiles: np.ndarray
    waits: np.ndarray
    runs: tuple[np.ndarray, ...]
    tracks: tuple[np.ndarray, ...] | None = None


def joined(intervals: Iterable[tuple[int, int]]) -> np.ndarray:
    """int64 [n, 2]: what the intervals cover together, rising; none is empty, none touches the next."""
    found: list[list[int]] = []
    for start, end in sorted(intervals):
        if start == end:
            continue
        if found and start <= found[-1][1]:
            found[-1][1] = max(found[-1][1], end)
        else:
            found.append([start, end])
    return np.array(found, np.int64).reshape(-1, 2)
