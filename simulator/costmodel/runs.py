"""Runs: sums and maxima of the rows of a table that belong together, for tables with few rows."""

from __future__ import annotations

import numpy as np


class Runs:
    """Rows by what they belong to, `index` int64 [rows]; made once, for tables float64 [rows, U].

    The same as `np.add.at` and `np.maximum.at` into zeros [size, U], a few times quicker.
    """

    def __init__(self, index: np.ndarray, size: int) -> None:
        self._size = size
        order = np.argsort(index, kind="stable")
        self._order = None if np.array_equal(order, np.arange(order.size)) else order
        self._of, self._first = np.unique(index[order], return_index=True)

    def sums(self, table: np.ndarray) -> np.ndarray:
        """float64 [size, U], 0 where there is no row."""
        return self._over(np.add, table)

    def longest(self, table: np.ndarray) -> np.ndarray:
        """float64 [size, U] of a table >= 0, 0 where there is no row."""
        return self._over(np.maximum, table)

    def _over(self, work: np.ufunc, table: np.ndarray) -> np.ndarray:
        found = np.zeros((self._size, table.shape[1]))
        if self._of.size:
            found[self._of] = work.reduceat(table if self._order is None else table[self._order], self._first)
        return found
