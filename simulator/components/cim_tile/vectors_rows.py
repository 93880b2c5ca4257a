"""Row blocks of a projection as the tables that its vectors are counted with."""

from __future__ import annotations

from typing import Any

import numpy as np

from simulator.kernels.cim_vectors import Rows
from simulator.mapping.crossbar import CrossbarLayer, CrossbarPart
from simulator.mapping.crossbar.groups import Run, cut_groups, domains_of, mux_steps


def row_tables(spec: Any, layer: CrossbarLayer, number: int) -> Rows:
    """Tables of projection `number` of a layer on the crossbars of `spec`."""
    part, crossbar = layer.parts[number], spec.crossbar
    merged = crossbar.kernel_merge == "analog"
    limit = part.group_limit(spec.crossbar.rows_parallel)
    runs: list[Run] = []
    group_start, domain_start, block_start = [0], [0], [0]
    arrays: list[int] = []
    mux, summed = [], []
    for place in range(part.first_block, part.end_block):
        block = layer.row_blocks[place]
        for domain in domains_of(block, merged):
            for group in [domain] if crossbar.row_policy == "pack" else cut_groups(domain, limit):
                runs += [run for _, run in group]
                arrays.append(len({array for array, _ in group}))
                group_start.append(len(runs))
            domain_start.append(len(arrays))
        block_start.append(len(domain_start) - 1)
        mux.append(max(mux_steps(spec, layer.columns_of(place, c)) for c in range(len(block.columns))))
        tree = (len(block.arrays) - 1).bit_length() * spec.timing.accumulate_cycles
        summed.append(tree if crossbar.kernel_merge == "private" else 0)
    table = np.array(runs, np.int64).reshape(-1, 3)
    starts = [np.array(values, np.int64) for values in (group_start, domain_start, block_start, arrays, mux, summed)]
    tap, low, high = (np.ascontiguousarray(column) for column in table.T)
    return Rows(tap, low, high, fresh_taps(spec, layer, part), *starts)


def fresh_taps(spec: Any, layer: CrossbarLayer, part: CrossbarPart) -> np.ndarray:
    """uint8 [taps]: taps that the window before, one position of the same copy earlier in the row, did not hold.

    Without a line buffer every tap is.
    """
    fresh = np.ones(part.kernel, np.uint8)
    moved = part.stride[1] * layer.copies
    if spec.buffer.line_buffer and moved % part.dilation[1] == 0:
        fresh[:, : max(0, part.kernel[1] - moved // part.dilation[1])] = 0
    return fresh.ravel()


def whole_windows(spec: Any, layer: CrossbarLayer) -> np.ndarray:
    """uint8 [positions]: the window is the first of its copy in a row of the output, so that nothing of it is there."""
    position = np.arange(layer.positions)
    before = position - layer.copies
    width = layer.grid[1]
    whole = (before < 0) | (before // width != position // width)
    return (whole if spec.buffer.line_buffer else np.ones_like(whole)).astype(np.uint8)


def window_rows(rows: Rows, whole: np.ndarray) -> np.ndarray:
    """int64 [positions, blocks]: inputs that a bitmap fetch of each vector holds, padding included."""
    first = rows.group_start[rows.domain_start[rows.block_start]]
    width = rows.high - rows.low
    every = np.concatenate(([0], np.cumsum(width)))[first]
    fresh = np.concatenate(([0], np.cumsum(width * rows.fresh[rows.tap])))[first]
    return np.where(whole[:, None] != 0, np.diff(every), np.diff(fresh))
