"""Where in a map spikes count: which rows and columns a tile reads, and how many places each of them reaches."""

from __future__ import annotations

import numpy as np

from simulator.mapping.reach import SPARSE, Fan

Weights = tuple[tuple[int, ...], tuple[int, ...]] | None


def read_lines(fan: Fan) -> Weights:
    """Weights of the rows and columns of a fan's source: 1 where the tile reads it; None where it reads all of them."""
    _, rows, columns = fan.shape
    return span_lines(fan.first_row, fan.end_row, rows, columns)


def tap_lines(fan: Fan) -> Weights:
    """Rows (columns) that each row (column) of a fan's source reaches in the tile; None where all reach equally many.

    Sparse synapses do not follow rows and columns: None.
    """
    if fan.mode == SPARSE:
        return None
    rows, columns = np.diff(fan.row_start), np.diff(fan.col_start)
    if (rows == rows[0]).all() and (columns == columns[0]).all():
        return None
    return tuple(rows.tolist()), tuple(columns.tolist())


def span_lines(low: int, high: int, rows: int, columns: int) -> Weights:
    """1 for rows low .. high of a map and all its columns; None for all rows."""
    if low == 0 and high == rows:
        return None
    return tuple(int(low <= row < high) for row in range(rows)), (1,) * columns
