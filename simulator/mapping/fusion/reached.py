"""Synaptic operations that spikes cause inside a computation node."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from simulator.mapping.reach import GRID, Fan, reach
from simulator.network.network import Network

Events = tuple[np.ndarray, np.ndarray | None]
"""Index uint32 [n] and value int32 [n] (None: all 1) of the events of one projection in one timestep."""


class Reached:
    """Counts operations by node; what a projection's events weigh per source column is worked out once per timestep."""

    def __init__(self, network: Network, arriving: Callable[[Fan, int, int], Events]) -> None:
        """`arriving(fan, sample, t)`: the events that reach a projection in a timestep, pooled where it pools."""
        self.network, self.arriving = network, arriving
        self._fans: dict[tuple[str, int, int], tuple[Fan, ...]] = {}
        self._weighed: dict[tuple[str, int], np.ndarray] = {}
        self._sample = -1

    def operations(
        self, layer: str, channels: tuple[int, int], columns: tuple[int, int], sample: int, steps: range
    ) -> int:
        """Operations for the spikes of `steps` that fall on output `channels` and `columns` (half-open), all rows."""
        if sample != self._sample:
            self._sample = sample
            self._weighed.clear()
        key = (layer, *channels)
        if key not in self._fans:
            _, height, _ = self.network.population(layer).shape
            self._fans[key] = tuple(reach(self.network, layer, *channels, 0, height).fans)
        total = 0
        for fan in self._fans[key]:
            if fan.mode == GRID:
                inside = (fan.col >= columns[0]) & (fan.col < columns[1])
                counted = np.concatenate(([0], np.cumsum(inside, dtype=np.int64)))
                hits = counted[fan.col_start[1:]] - counted[fan.col_start[:-1]]
            else:
                hits = np.diff(fan.col_start).astype(np.int64) * (columns[0] == 0)  # whole layers only
            for t in steps:
                total += int((self._weights(fan, sample, t) @ fan.lanes) @ hits)
        return total

    def _weights(self, fan: Fan, sample: int, t: int) -> np.ndarray:
        """int64 [W, C]: events per source column and channel, each times the output rows that it reaches."""
        key = (fan.projection.name, t)
        found = self._weighed.get(key)
        if found is None:
            channels, height, width = fan.shape
            rows = np.diff(fan.row_start).astype(np.int64)
            index, value = self.arriving(fan, sample, t)
            if value is None and index.size == channels * height * width:
                found = np.full((width, channels), int(rows.sum()), np.int64)
            else:
                row, rest = np.divmod(index.astype(np.int64), width * channels)
                times = rows[row] if value is None else rows[row] * np.abs(value)
                found = np.bincount(rest, times, width * channels).astype(np.int64).reshape(width, channels)
            self._weighed[key] = found
        return found
