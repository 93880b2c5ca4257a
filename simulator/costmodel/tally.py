"""Tally: which counters of the ledger grow with which stream, and by how much."""

from __future__ import annotations

import numpy as np

ONCE, REPETITION = -1, -2
"""In place of a stream: counted once per run; once per repetition of the body."""


class Tally:
    """Counters of a run as a linear function of its streams' totals."""

    def __init__(self, units: tuple[str, ...], layers: tuple[str, ...], actions: tuple[str, ...]) -> None:
        self.shape = len(units), len(layers), len(actions)
        self._action = {name: i for i, name in enumerate(actions)}
        self._found: dict[tuple[int, int], float] = {}
        self._cell = self._stream = np.empty(0, np.int64)
        self._times = np.empty(0)

    def cell(self, unit: int, layer: int, action: str) -> int:
        """Flat place of a counter."""
        return (unit * self.shape[1] + layer) * self.shape[2] + self._action[action]

    def add(self, unit: int, layer: int, action: str, stream: int, times: float) -> None:
        """The counter grows by `times` per event of `stream`; indices of unit, layer and stream."""
        if times:
            key = self.cell(unit, layer, action), stream
            self._found[key] = self._found.get(key, 0.0) + times

    def close(self) -> None:
        """All is added: the tables are packed."""
        keys = np.array(list(self._found), np.int64).reshape(-1, 2)
        self._cell, self._stream = keys[:, 0].copy(), keys[:, 1].copy()
        self._times = np.array(list(self._found.values()))

    def counts(self, totals: np.ndarray, repetitions: float) -> np.ndarray:
        """float64 [units, layers, actions] of a run whose streams sum to `totals`."""
        every = np.append(totals, [repetitions, 1.0])
        size = self.shape[0] * self.shape[1] * self.shape[2]
        return np.bincount(self._cell, self._times * every[self._stream], size).reshape(self.shape)
