"""Windows of a layer in its sources: how many leading positions of a source an output position needs."""

from __future__ import annotations

import numpy as np

from simulator.mapping.crossbar.part import CrossbarPart
from simulator.network.population import Population

Grid = tuple[int, int]


def needed(part: CrossbarPart, grid: Grid, source: Population, source_grid: Grid) -> np.ndarray:
    """int64 [positions of the layer]: leading positions of the source, in raster order, that hold its whole window.

    grid, source_grid: (H, W) of the positions of the layer and of its source; a source that is smaller than its map
    (one position for all, or counted after pooling) makes its map in proportion.  0 where all of the window is padding.
    """
    last = [_last(part, axis, grid[axis], source.shape[1 + axis]) for axis in (0, 1)]
    rows, columns = (
        np.where(at < 0, -1, at * source_grid[axis] // source.shape[1 + axis]) for axis, at in enumerate(last)
    )
    inside = (rows[:, None] >= 0) & (columns[None, :] >= 0)
    count = np.where(inside, rows[:, None] * source_grid[1] + columns[None, :] + 1, 0)
    found: np.ndarray = count.astype(np.int64).reshape(-1)
    return found


def _last(part: CrossbarPart, axis: int, outputs: int, size: int) -> np.ndarray:
    """int64 [outputs]: the last coordinate of the source's map under a tap, along one axis; -1 where there is none."""
    p = part.projection.pool
    seen = part.shape[1 + axis]
    found = np.full(outputs, -1, np.int64)
    for tap in range(part.kernel[axis]):
        at = np.arange(outputs) * part.stride[axis] - part.padding[axis] + tap * part.dilation[axis]
        inside = (at >= 0) & (at < seen)
        raw = at if p is None else np.minimum(at * p.stride[axis] + p.size[axis] - 1, size - 1)
        found = np.where(inside, np.maximum(found, raw), found)
    return found
