"""Numbers a scatter core derives from a tile: membrane words, banks, weight fetches, per projection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from simulator.mapping.reach import GRID, LINEAR, SPARSE, Fan, Reach


@dataclass(frozen=True)
class FanTable:
    """One projection's share of the packed tables: where they begin, and its bit widths."""

    mode: int
    channels: int
    width: int
    row_base: int
    col_base: int
    chan_base: int
    weight_bits: int
    weight_word: int


class ScatterTables:
    """All projections of a tile, packed one after another for the kernel.

    A membrane word holds `word` neurons: as many as the lanes work on and as one row of the state memory holds.
    A weight word holds the weights of one membrane word; reading it takes its bits / (banks x width) cycles of the
    weight memory.
    """

    def __init__(self, tile: Reach, spec: Any, weights: Any, state: Any) -> None:
        scatter = spec.scatter
        self.tile = tile
        self.banks = state.banks
        self.membrane_bits = tile.population.neuron.membrane_bits
        self.word = max(1, min(scatter.lanes, state.width_bits // self.membrane_bits))
        self.fetch_den = weights.banks * weights.width_bits
        self.skew = scatter.bank_row_skew
        rows: list[np.ndarray] = []
        row_starts: list[np.ndarray] = []
        cols: list[np.ndarray] = []
        col_starts: list[np.ndarray] = []
        words: list[np.ndarray] = []
        ops: list[np.ndarray] = []
        fetch: list[np.ndarray] = []
        self.fans: list[FanTable] = []
        sizes = [0, 0, 0, 0, 0]
        for fan in tile.fans:
            n_words = -(-fan.lanes // self.word)
            bits = fan.projection.weight_bits
            weight_word = 1 if fan.mode == SPARSE else self.word
            per_tap = weight_word * bits * weights.cycle_cycles * (n_words if fan.mode == GRID else 1)
            self.fans.append(
                FanTable(fan.mode, fan.shape[0], fan.shape[2], sizes[0], sizes[1], sizes[4], bits, weight_word)
            )
            row_starts.append(fan.row_start + sizes[2])
            col_starts.append(fan.col_start + sizes[3])
            rows.append(self.row_bank(fan, fan.row))
            cols.append(self.col_bank(fan, fan.col))
            words.append(n_words)
            ops.append(fan.lanes)
            fetch.append(np.broadcast_to(per_tap, fan.lanes.shape).astype(np.int64))
            sizes[0] += fan.row_start.size
            sizes[1] += fan.col_start.size
            sizes[2] += fan.row.size
            sizes[3] += fan.col.size
            sizes[4] += fan.lanes.size
        self.row_start, self.row = _pack(row_starts, np.int32), _pack(rows, np.int32)
        self.col_start, self.col = _pack(col_starts, np.int32), _pack(cols, np.int32)
        self.words, self.ops, self.fetch = (_pack(part, np.int64) for part in (words, ops, fetch))

    def row_bank(self, fan: Fan, row: np.ndarray) -> np.ndarray:
        """Bank offset of output rows; the words of linear layers are spread over the banks instead."""
        return row * self.skew % self.banks if fan.mode == GRID else np.zeros_like(row)

    def col_bank(self, fan: Fan, col: np.ndarray) -> np.ndarray:
        """Bank offset of output columns (SPARSE: bank of flat target neurons)."""
        if fan.mode == LINEAR:
            return np.zeros_like(col)
        if fan.mode == GRID:
            return col % self.banks
        channels, rows, width = self.tile.population.shape
        if rows == 1 and width == 1:
            return (col - self.tile.k0) // self.word % self.banks
        position = col // channels
        return (position // width * self.skew + position % width) % self.banks


def _pack(parts: list[np.ndarray], dtype: type) -> np.ndarray:
    return np.ascontiguousarray(np.concatenate(parts)).astype(dtype)
