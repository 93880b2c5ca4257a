"""Closed form of a gather core: expected cycles of a timestep's windows, group by group.

Without gating, operations are the dense ones: events of summed pooling beyond these cost cycles, not operations.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from simulator.costmodel.chip import Term
from simulator.costmodel.clustered import Sets
from simulator.costmodel.expectation import expected_cycles, largest_of
from simulator.costmodel.rates import Rates
from simulator.mapping.reach import LINEAR, Fan, Reach


def inputs_per_window(fan: Fan, tile: Reach) -> tuple[np.ndarray, np.ndarray, int]:
    """(per output row, per output column, channels): their product is the inputs that a window of the tile reaches."""
    if fan.mode == LINEAR:
        return np.full(1, fan.row.size), np.full(1, fan.col.size), fan.high_channel - fan.low_channel
    rows = np.bincount(fan.row - tile.y0, minlength=tile.y1 - tile.y0)
    columns = np.bincount(fan.col, minlength=tile.population.shape[2])
    groups = fan.projection.groups if fan.projection.kind == "conv" else 1
    return rows, columns, 1 if fan.per_channel else -(-(fan.high_channel - fan.low_channel) // groups)


def _most(inputs: np.ndarray, first: int, count: int) -> int:
    """Largest of `count` entries from `first` on; a table of one entry holds for every place."""
    return int(inputs[0] if inputs.size == 1 else inputs[first : first + count].max(initial=0))


class Windows:
    """Windows of all gather tasks in classes that are alike, so that one call prices every task.

    A group of windows takes max(least, ceil(n ops / ops per cycle)) cycles for the n events of its slowest window.
    The array starts a group when the neuron unit has taken the one before, so `least` is at least the cycles of that.
    Terms: `cmos_core.windows`, all groups; `cmos_core.fill`, the pipeline before the first and the neurons of the last.
    """

    terms = (
        Term("cmos_core.windows", 1.0, "groups of windows, each as long as its slowest, or as the neurons before"),
        Term("cmos_core.fill", 1.0, "the pipeline before the first window, the neurons of the last"),
    )

    def __init__(self) -> None:
        self._classes: list[tuple[int, float, float, int, int, int]] = []
        self._terms: list[tuple[int, int, int, int]] = []
        self._own: list[tuple[int, int, int, int]] = []
        self._added: list[float] = []
        self._sets = Sets()

    def add(self, spec: Any, tile: Reach, streams: list[int], groups: list[tuple[int, int]]) -> int:
        """A task's timestep: `streams` count the taps of its fans, `groups` are the stream of the neurons that send and
        how many there are.  Returns its place."""
        g = spec.gather
        place = len(self._added)
        lanes = g.neuron_lanes if tile.last else 0
        depth, columns = tile.k1 - tile.k0, tile.population.shape[2]
        across = [inputs_per_window(fan, tile) for fan in tile.fans]
        channels = [min(g.unroll.k, depth - k) for k in range(0, depth, g.unroll.k)]
        found: Counter[tuple[tuple[int, ...], int, int, int]] = Counter()
        before = 0
        for y in range(0, tile.y1 - tile.y0, g.unroll.oy):
            for x in range(0, columns, g.unroll.ox):
                high, wide = min(g.unroll.oy, tile.y1 - tile.y0 - y), min(g.unroll.ox, columns - x)
                reached = tuple(_most(r, y, high) * _most(c, x, wide) for r, c, _ in across)
                for k in channels:
                    found[reached, max(g.window_cycles, before), k, high * wide] += 1
                    before = -(-high * wide * k // lanes) if lanes else 0
        self._added.append(g.fill_cycles + before)
        dense = sum(fan.dense for fan in tile.fans) if g.gating != "skip" else 0
        for (reached, least, k, windows), count in found.items():
            number = len(self._classes)
            self._classes.append(
                (place, count, least, dense, g.ops_per_synapse, g.ops_per_pe_cycle * g.unroll.c)
            )
            for fan, stream, group, n, (_, _, deep) in zip(tile.fans, streams, groups, reached, across, strict=True):
                if not n:
                    continue
                if fan.per_channel and k * windows > 1:
                    self._own.append((number, stream, n, k * windows))
                else:
                    self._terms.append((number, stream, n * deep, self._sets.add(group[0], n * deep, group[1])))
        return place

    def close(self) -> None:
        """All tasks are added."""
        self._table = np.array(self._classes, np.float64).reshape(-1, 6)
        self._term = np.array(self._terms, np.float64).reshape(-1, 4)
        self._sets.close()
        self._extra: dict[tuple[int, int, int], list[int]] = {}
        for number, stream, trials, count in self._own:
            self._extra.setdefault((stream, trials, count), []).append(number)

    def cycles(self, found: Rates, weights: np.ndarray) -> np.ndarray:
        """float64 [tasks, U] expected cycles per timestep, its terms weighted; weights float64 [terms]."""
        value = found.value
        place, count, least, dense = self._table.T[:4, :, None]
        mean = np.zeros((len(self._table), value.shape[1]))
        variance = np.zeros_like(mean)
        if self._term.size:
            number, stream = self._term[:, 0].astype(np.int64), self._term[:, 1].astype(np.int64)
            p, n = value[stream], self._term[:, 2:3]
            beyond = self._sets.extra(found)[self._term[:, 3].astype(np.int64)]
            np.add.at(mean, number, n * p)
            np.add.at(variance, number, np.maximum(n * p * np.maximum(0, 1 - p) + beyond, 0))
        for (stream_of, trials, many), numbers in self._extra.items():
            high, spread = largest_of(many, trials, np.minimum(value[stream_of], 1))
            mean[numbers] += high
            variance[numbers] += spread
        dense_wins = mean < dense
        mean, variance = np.where(dense_wins, dense, mean), np.where(dense_wins, 0, variance)
        total = np.zeros((len(self._added), value.shape[1]))
        for a, b in {(int(row[4]), int(row[5])) for row in self._table}:
            mine = (self._table[:, 4] == a) & (self._table[:, 5] == b)
            taken = expected_cycles(mean[mine], variance[mine], a, b, np.broadcast_to(least[mine], mean[mine].shape))
            np.add.at(total, place[mine, 0].astype(np.int64), count[mine] * taken)
        cycles: np.ndarray = weights[0] * total + weights[1] * np.array(self._added)[:, None]
        return cycles
