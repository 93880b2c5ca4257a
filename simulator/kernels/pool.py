"""Pooling of a spike list: spikes of a population to spikes of the smaller grid that synapses see."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def pool_spikes(
    index,
    value,
    row_first,
    row_last,
    col_first,
    col_last,
    grid,
    pooled_index,
    pooled_value,
    channels,
    width,
    pooled_width,
    only_presence,
):
    """Sums (or joins by OR) the spikes of each window; returns how many pooled spikes there are.

    index uint32 [n], value int32 [n] or [0] (all 1): one timestep's spikes, flat channel last
    row_first, row_last int64 [H]; col_first, col_last int64 [W]: pooled rows and columns whose window holds a
        coordinate, last exclusive; empty where windows leave a gap
    grid int32 [N_pooled]: scratch, zero on entry and on return
    pooled_index uint32 [N_pooled], pooled_value int32 [N_pooled]: the result, index rising
    channels, width: of the source; pooled_width: of the pooled grid
    only_presence: True for OR (a pooled value is 1 if any spike of its window is non-zero), False for sums

    A window whose sum is 0 (signed spikes that cancel) is no pooled spike.  The caller makes sure that sums fit int32.
    """
    graded = value.size > 0
    for i in range(index.size):
        flat = np.int64(index[i])
        pixel = flat // channels
        c = flat - pixel * channels
        y = pixel // width
        x = pixel - y * width
        s = value[i] if graded else np.int32(1)
        for row in range(row_first[y], row_last[y]):
            for col in range(col_first[x], col_last[x]):
                at = (row * pooled_width + col) * channels + c
                if not only_presence:
                    grid[at] += s
                elif s != 0:
                    grid[at] = 1
    count = 0
    for at in range(grid.size):
        if grid[at] != 0:
            pooled_index[count] = at
            pooled_value[count] = grid[at]
            grid[at] = 0
            count += 1
    return count
