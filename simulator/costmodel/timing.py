"""Timing of a repetition: when each row of a Schedule starts and ends, given how long it takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class Row(NamedTuple):
    """unit, layer; earlier rows of the same part that must be complete; number of its price; `memory`: unit of the main
    memory that it shares with rows of other units (-1: none)."""

    unit: int
    layer: int
    after: tuple[int, ...]
    price: int
    computes: bool
    memory: int = -1


class Span(NamedTuple):
    """Of R repetitions, in ps: float64 [R] ends; float64 [R, L] busy time, start (-1: never) and end of each layer."""

    end: np.ndarray
    busy: np.ndarray
    start: np.ndarray
    last: np.ndarray


class Rows:
    """Rows one after another as the host hands them out: each starts when its command is there, its unit is free and
    the rows before it are complete.  A memory serves one row at a time, in order.

    depth: commands that wait at a unit, which may have taken one more.
    """

    def __init__(self, rows: Sequence[Row], layers: int, depth: int) -> None:
        self.layers = layers
        mine: dict[int, list[int]] = {}
        before, gate = [], []
        for i, row in enumerate(rows):
            earlier = mine.setdefault(row.unit, [])
            before.append(earlier[-1] if earlier else -1)
            gate.append(earlier[-depth - 1] if len(earlier) > depth else -1)
            earlier.append(i)
        self._chain = np.array(before, np.int64), np.array(gate, np.int64)
        self._layer = np.array([row.layer if row.computes else -1 for row in rows], np.int64)
        self._price = np.array([row.price for row in rows], np.int64)
        numbers = {unit: n for n, unit in enumerate(dict.fromkeys(row.memory for row in rows if row.memory >= 0))}
        self._memory = np.array([numbers.get(row.memory, -1) for row in rows], np.int64)
        self._until = np.zeros(len(numbers))
        self._after_start = np.cumsum([0, *(len(row.after) for row in rows)], dtype=np.int64)
        self._after = np.array([i for row in rows for i in row.after], np.int64)
        self._begun, self._complete, self._freed = np.zeros((3, len(rows)))

    def run(self, hold: np.ndarray, done: np.ndarray, launch: float, use: np.ndarray | None = None) -> Span:
        """Repetitions with prices float64 [prices, R]: how long a row holds its unit, and when it is complete after its
        start, ps.  launch: ps that the host takes to hand a row out.  use: ps in which a row's memory works for it; a
        row that starts while its memory works for others ends that much behind them, and holds its unit until then."""
        from simulator.kernels.rows import run_rows

        found = hold.shape[1]
        made = Span(
            np.zeros(found),
            np.zeros((found, self.layers)),
            np.full((found, self.layers), -1.0),
            np.zeros((found, self.layers)),
        )
        times = (hold, done, np.zeros_like(hold) if use is None else use)
        hold, done, use = (np.ascontiguousarray(x.T) for x in times)
        tables = self._layer, self._price, self._memory, self._after_start, self._after
        scratch = self._begun, self._complete, self._freed, self._until
        run_rows(*self._chain, *tables, hold, done, use, float(launch), *scratch, made.end, made.busy, made.start,
                 made.last)  # fmt: skip
        return made

    def times(self) -> tuple[np.ndarray, np.ndarray]:
        """float64 [rows] each: start and completion of every row in the last repetition of the last run, ps."""
        return self._begun, self._complete
