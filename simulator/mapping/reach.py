"""What a spike reaches inside one tile: target rows, columns and channels, per projection."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.errors import InputError
from simulator.mapping.operands import part_range
from simulator.network import Network, Population, Projection
from simulator.network.geometry import pooled_shape

GRID, LINEAR, SPARSE = 0, 1, 2


@dataclass(frozen=True)
class Fan:
    """One projection into a tile.  Sources are raw neurons, or pooled ones where pooling is OR (`pooled`).

    shape: (C, H, W) of the source as indexed here.  mode: GRID, LINEAR or SPARSE.
    row_start int32 [H + 1], row int32: output rows inside the tile that a source row reaches; likewise columns.
        LINEAR: one entry 0 per pooled row (column) that holds the source row (column).
        SPARSE: `col_start` is by source neuron, `col` the flat target neurons of the tile; `row` is a single 0.
    lanes int64 [C] (SPARSE: [1]): output channels of the tile that a spike of this channel reaches, per tap.
    per_channel: a spike reaches only its own channel (depthwise, one to one).
    whole: every source row is read; else `first_row` .. `end_row` are.
    low_channel, high_channel: source channels of the tile's input part; others are not read.
    dense int64: synaptic positions of one output neuron with padding, of its input part only.
    """

    projection: Projection
    shape: tuple[int, int, int]
    pooled: bool
    mode: int
    row_start: np.ndarray
    row: np.ndarray
    col_start: np.ndarray
    col: np.ndarray
    lanes: np.ndarray
    per_channel: bool
    first_row: int
    end_row: int
    low_channel: int
    high_channel: int
    dense: int

    @property
    def whole(self) -> bool:
        """True when the tile reads every source row and channel."""
        rows = self.first_row == 0 and self.end_row == self.shape[1]
        return rows and self.high_channel - self.low_channel == self.shape[0]

    @property
    def region(self) -> int:
        """Source neurons in the rows and channels that the tile reads."""
        return (self.end_row - self.first_row) * self.shape[2] * (self.high_channel - self.low_channel)

    @property
    def synapses(self) -> int:
        """Synaptic operations if every source neuron sends one event: the mean fan-out times the source neurons."""
        if self.mode == SPARSE:
            return self.col.size
        return self.row.size * self.col.size * int(self.lanes.sum())

    def reads(self, index: np.ndarray) -> np.ndarray:
        """Bool [n]: which of these flat source neurons the tile reads."""
        channels = np.uint32(self.shape[0])
        line, channel = index // (channels * np.uint32(self.shape[2])), index % channels
        rows = (line >= self.first_row) & (line < self.end_row)
        return rows & (channel >= self.low_channel) & (channel < self.high_channel)


@dataclass(frozen=True)
class Reach:
    """A tile of a layer: output channels k0 .. k1, rows y0 .. y1, one of `parts` input parts."""

    population: Population
    k0: int
    k1: int
    y0: int
    y1: int
    first: bool
    last: bool
    fans: tuple[Fan, ...]

    @property
    def neurons(self) -> int:
        """Neurons of the tile."""
        return (self.k1 - self.k0) * (self.y1 - self.y0) * self.population.shape[2]

    def holds(self, index: np.ndarray) -> np.ndarray:
        """Which of these flat neurons of the layer lie in the tile: bool [n]."""
        return inside(index, self.population.shape, self.k0, self.k1, self.y0, self.y1)


def inside(index: np.ndarray, shape: tuple[int, int, int], k0: int, k1: int, y0: int, y1: int) -> np.ndarray:
    """Which flat channel-last indices of a (C, H, W) grid lie in channels k0 .. k1 and rows y0 .. y1: bool [n]."""
    channels, _, width = shape
    channel, line = index % channels, index // (channels * width)
    found: np.ndarray = (channel >= k0) & (channel < k1) & (line >= y0) & (line < y1)
    return found


def reach(
    network: Network,
    layer: str,
    k0: int,
    k1: int,
    y0: int,
    y1: int,
    part: int = 0,
    parts: int = 1,
    first: bool = True,
    last: bool = True,
) -> Reach:
    """The tile of `layer` with the tables that its core walks."""
    target = network.population(layer)
    fans = tuple(
        _fan(p, network.population(p.source), target, k0, k1, y0, y1, part, parts) for p in network.incoming(layer)
    )
    return Reach(target, k0, k1, y0, y1, first, last, fans)


def _fan(
    p: Projection, source: Population, target: Population, k0: int, k1: int, y0: int, y1: int, part: int, parts: int
) -> Fan:
    pooled = p.pool is not None and p.pool.kind == "or"
    if p.pool is not None and not pooled and p.kind == "sparse":
        raise InputError(
            "a core cannot pool in front of sparse synapses",
            key=f"projection {p.name}",
            found=p.pool.kind,
            allowed=["or"],
        )
    seen = pooled_shape(p, source)
    shape = seen if pooled else source.shape
    lanes = _lanes(p, seen, target, k0, k1, y0, y1)
    low, high = part_range(shape[0], part, parts)
    if p.kind != "sparse":
        lanes[:low] = 0
        lanes[high:] = 0
    to_pooled = [_pool_lists(p, axis, source, pooled) for axis in (0, 1)]
    if p.kind == "sparse":
        return _sparse_fan(p, shape, pooled, target, k0, k1, y0, y1, lanes, (low, high))
    if p.kind == "linear":
        mode = LINEAR
        rows, cols = ([[0] * len(hits) for hits in lists] for lists in to_pooled)
    else:
        mode = GRID
        inside = _axis_lists(p, 0, seen[1], y0, y1)
        rows = [[o for m in hits for o in inside[m]] for hits in to_pooled[0]]
        across = _axis_lists(p, 1, seen[2], 0, target.shape[2])
        cols = [[o for m in hits for o in across[m]] for hits in to_pooled[1]]
    used = [i for i, hits in enumerate(rows) if hits]
    row_start, row = _csr(rows)
    col_start, col = _csr(cols)
    first_row, end_row = (used[0], used[-1] + 1) if used else (0, 0)
    share = high - low
    dense = {
        "conv": -(-share // p.groups) * p.kernel[0] * p.kernel[1],
        "depthwise": p.kernel[0] * p.kernel[1],
        "linear": share * seen[1] * seen[2],
        "one_to_one": 1,
    }[p.kind]
    per_channel = p.kind in ("depthwise", "one_to_one")
    return Fan(
        p, shape, pooled, mode, row_start, row, col_start, col, lanes, per_channel, first_row, end_row, low, high, dense
    )


def _lanes(
    p: Projection, seen: tuple[int, int, int], target: Population, k0: int, k1: int, y0: int, y1: int
) -> np.ndarray:
    channels = np.arange(seen[0])
    if p.kind in ("depthwise", "one_to_one"):
        return ((channels >= k0) & (channels < k1)).astype(np.int64)
    if p.kind == "conv":
        outputs = target.shape[0] // p.groups
        low = channels // (seen[0] // p.groups) * outputs
        return np.maximum(0, np.minimum(low + outputs, k1) - np.maximum(low, k0)).astype(np.int64)
    if p.kind == "linear":
        return np.full(seen[0], (k1 - k0) * (y1 - y0) * target.shape[2], np.int64)
    return np.ones(1, np.int64)


def _pool_lists(p: Projection, axis: int, source: Population, pooled: bool) -> list[list[int]]:
    """For each raw coordinate of an axis the pooled coordinates whose window holds it."""
    size = source.shape[1 + axis]
    if p.pool is None:
        return [[i] for i in range(size)]
    window, stride = p.pool.size[axis], p.pool.stride[axis]
    outputs = (size - window) // stride + 1
    if pooled:
        return [[i] for i in range(outputs)]
    return [[o for o in range(outputs) if o * stride <= i < o * stride + window] for i in range(size)]


def _axis_lists(p: Projection, axis: int, size: int, low: int, high: int) -> list[list[int]]:
    """For each source coordinate of an axis the output coordinates in low .. high that a kernel tap connects it to."""
    kernel, stride, padding, dilation = p.kernel[axis], p.stride[axis], p.padding[axis], p.dilation[axis]
    if p.kind == "one_to_one":
        kernel, stride, padding, dilation = 1, 1, 0, 1
    lists: list[list[int]] = []
    for i in range(size):
        found = []
        for k in range(kernel):
            at = i + padding - k * dilation
            if at % stride == 0 and low <= at // stride < high:
                found.append(at // stride)
        lists.append(sorted(found))
    return lists


def _sparse_fan(
    p: Projection,
    shape: tuple[int, int, int],
    pooled: bool,
    target: Population,
    k0: int,
    k1: int,
    y0: int,
    y1: int,
    lanes: np.ndarray,
    part: tuple[int, int],
) -> Fan:
    assert p.indptr is not None and p.indices is not None
    c, _, w = target.shape
    channel, line = p.indices % c, p.indices // (c * w)
    inside = (channel >= k0) & (channel < k1) & (line >= y0) & (line < y1)
    kept = np.concatenate(([0], np.cumsum(inside)))
    start = kept[p.indptr].astype(np.int32)
    one = np.array([0, 1], np.int32)
    dense = -(-int(p.indices.size) // target.size)
    return Fan(
        p,
        shape,
        pooled,
        SPARSE,
        one,
        np.zeros(1, np.int32),
        start,
        p.indices[inside].astype(np.int32),
        lanes,
        False,
        0,
        shape[1],
        *part,
        dense,
    )


def _csr(lists: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    start = np.zeros(len(lists) + 1, np.int32)
    np.cumsum([len(items) for items in lists], out=start[1:])
    return start, np.array([v for items in lists for v in items], np.int32)
