"""Expected time of positions on crossbar tiles whose projections are driven independently of each other.

Plain definition (`tests/oracles/tile_times.py`): the mean, over which projections are driven, of the longest of them
and of what a position takes at least.  From the longest on, a projection counts where no longer one is driven.
"""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, _nrt=False)
def expected_longest(slot, time, some, least, value, chance, found):
    """Means of the longest; returns nothing.

    slot int64 [places, most]: rows of the projections of each place, -1 none
    time, some float64 [rows, U]: how long each takes where it is driven, and how probable that is
    least float64 [places, U]: what a place takes at least
    value, chance float64 [most] (scratch): times and chances of a place, longest first
    found float64 [places, U] (out)
    """
    for place in range(slot.shape[0]):
        for u in range(least.shape[1]):
            many = 0
            for i in range(slot.shape[1]):
                row = slot[place, i]
                if row < 0:
                    continue
                mine, at = max(time[row, u], least[place, u]), many
                while at > 0 and value[at - 1] < mine:
                    value[at], chance[at] = value[at - 1], chance[at - 1]
                    at -= 1
                value[at], chance[at] = mine, some[row, u]
                many += 1
            total, left = 0.0, 1.0
            for i in range(many):
                total += left * chance[i] * value[i]
                left *= 1.0 - chance[i]
            found[place, u] = total + left * least[place, u]


def room(slot: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Scratch for places like these, int64 [places, most]: value and chance."""
    return np.empty(slot.shape[1]), np.empty(slot.shape[1])
