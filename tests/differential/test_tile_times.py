"""Kernel of positions whose projections are driven independently, against adding up all cases."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.kernels.tile_times import expected_longest, room
from tests.oracles import tile_times as oracle


@pytest.mark.parametrize("most", [1, 2, 4])
def test_longest_is_the_mean_over_all_cases(most: int) -> None:
    rng = np.random.Generator(np.random.PCG64(most))
    rows, places, steps = 7, 9, 3
    slot = np.where(rng.random((places, most)) < 0.8, rng.integers(0, rows, (places, most)), -1)
    time, some, least = rng.integers(0, 6, (rows, steps)) / 2, rng.random((rows, steps)), rng.random((places, steps))
    some[0], some[1] = 0, 1
    found = np.empty((places, steps))
    expected_longest(slot, time, some, least, *room(slot), found)
    for place in range(places):
        mine = [row for row in slot[place].tolist() if row >= 0]
        for u in range(steps):
            plain = oracle.expected_longest(time[mine, u].tolist(), some[mine, u].tolist(), float(least[place, u]))
            assert found[place, u] == pytest.approx(plain, rel=1e-12)
