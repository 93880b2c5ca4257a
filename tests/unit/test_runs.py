"""Runs: what belongs together is added up, or its largest kept, as numpy's unbuffered loops do."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.costmodel.runs import Runs


@pytest.mark.parametrize("index", [[0, 0, 2, 3], [2, 0, 2, 1, 0], [4], []])
def test_rows_that_belong_together(index: list[int]) -> None:
    rows = np.array(index, np.int64)
    table = np.random.Generator(np.random.PCG64(len(index))).random((rows.size, 3))
    added, largest = np.zeros((2, 5, 3))
    np.add.at(added, rows, table)
    np.maximum.at(largest, rows, table)
    assert Runs(rows, 5).sums(table) == pytest.approx(added, rel=1e-15)
    assert (Runs(rows, 5).longest(table) == largest).all()
