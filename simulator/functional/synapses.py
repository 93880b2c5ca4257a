"""Prepared projections: weights in scatter order, tap tables, pooling; one call delivers one timestep's spikes."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from simulator.errors import InputError
from simulator.kernels.pool import pool_spikes
from simulator.kernels.synapse import conv_scatter, depthwise_scatter, sparse_scatter
from simulator.kernels.taps import axis_runs, conv_order, linear_order, pool_ranges, tap_order
from simulator.network.geometry import pooled_shape
from simulator.network.population import Population
from simulator.network.projection import Projection

UNIT = np.empty(0, np.int32)
"""The `value` argument of the kernels where every spike counts 1."""

SpikeList = tuple[np.ndarray, np.ndarray]
"""index uint32 [n] and value int32 [n], or int32 [0] where every spike counts 1."""


@dataclass(frozen=True)
class Taps:
    """Tables of `simulator.kernels.taps`, offsets multiplied out: the arguments of the conv kernels.

    Arrays int64 as in `conv_scatter`; channels and width of the source, weights per channel, channels per group.
    """

    row_start: np.ndarray
    row_weight: np.ndarray
    row_target: np.ndarray
    col_start: np.ndarray
    col_weight: np.ndarray
    col_target: np.ndarray
    col_length: np.ndarray
    channels: int
    width: int
    channel_weights: int
    group_in: int
    group_out: int


@dataclass
class Pooling:
    """Prepared pooling of a projection's source, with its scratch arrays."""

    only_presence: bool
    channels: int
    width: int
    pooled_width: int
    rows: tuple[np.ndarray, np.ndarray]
    cols: tuple[np.ndarray, np.ndarray]
    grid: np.ndarray
    index: np.ndarray = field(init=False)
    value: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self.index = np.empty(self.grid.size, np.uint32)
        self.value = np.empty(self.grid.size, np.int32)

    def pool(self, index: np.ndarray, value: np.ndarray) -> SpikeList:
        """The pooled spike list, index rising; views of scratch arrays, valid until the next call."""
        if magnitude((index, value)) >= 2**31:
            raise InputError("the values of one timestep are too large to be pooled", allowed="a sum below 2**31")
        count = pool_spikes(
            index, value, *self.rows, *self.cols, self.grid, self.index, self.value,
            self.channels, self.width, self.pooled_width, self.only_presence,
        )  # fmt: skip
        return self.index[:count], UNIT if self.only_presence else self.value[:count]


@dataclass(frozen=True)
class Synapses:
    """A projection made ready for the kernels.

    `weights` is flat and in scatter order; `taps` holds the tables of conv, depthwise, linear and one_to_one, `indptr`
    and `indices` those of sparse projections.  `area` is the window of average pooling (1: none); `largest` the
    largest |weight|, an int in integer networks.
    """

    projection: Projection
    weights: np.ndarray
    taps: Taps | None
    indptr: np.ndarray | None
    indices: np.ndarray | None
    pooling: Pooling | None
    area: int
    largest: float

    def pooled(self, spikes: SpikeList) -> SpikeList:
        """What the synapses see of the source's spikes."""
        return spikes if self.pooling is None else self.pooling.pool(*spikes)

    def scatter(self, spikes: SpikeList, acc: np.ndarray) -> int:
        """Adds pooled spikes to the target's accumulator [N], without the division of average pooling.

        Returns the synaptic operations.  `acc` must be wide enough: see `bound`.
        """
        index, value = spikes
        t = self.taps
        if t is None:
            return sparse_scatter(index, value, self.weights, self.indptr, self.indices, acc)
        if self.projection.kind in ("depthwise", "one_to_one"):
            return depthwise_scatter(
                index, value, self.weights, t.row_start, t.row_weight, t.row_target,
                t.col_start, t.col_weight, t.col_target, acc, t.channels, t.width, t.channel_weights,
            )  # fmt: skip
        return conv_scatter(
            index, value, self.weights, t.row_start, t.row_weight, t.row_target,
            t.col_start, t.col_weight, t.col_target, t.col_length, acc,
            t.channels, t.width, t.channel_weights, t.group_in, t.group_out,
        )  # fmt: skip

    def bound(self, spikes: SpikeList) -> int:
        """No partial sum of these (pooled) spikes exceeds this, in whatever order they come (integer networks)."""
        return int(self.largest) * magnitude(spikes)


def magnitude(spikes: SpikeList) -> int:
    """Sum of |value| of a spike list."""
    index, value = spikes
    return int(np.abs(value.astype(np.int64)).sum()) if value.size else index.size


def prepare_synapses(projection: Projection, source: Population, target: Population) -> Synapses:
    """Brings weights and geometry into kernel order; raises InputError where the projection has no weights."""
    if projection.weights is None:
        raise InputError(
            "the projection has no weights, so it cannot be run (a topology can only be replayed)",
            key=f"projection {projection.name}",
        )
    seen = pooled_shape(projection, source)
    taps = indptr = indices = None
    if projection.kind == "sparse":
        indptr, indices, weights = _rows(projection)
    else:
        weights, taps = _tables(projection, seen, target)
    integer = projection.weights.dtype.kind == "i"
    largest = np.abs(weights.astype(np.int64 if integer else np.float64)).max(initial=0)
    pool = projection.pool
    return Synapses(
        projection=projection,
        weights=weights,
        taps=taps,
        indptr=indptr,
        indices=indices,
        pooling=_pooling(projection, source, seen),
        area=pool.size[0] * pool.size[1] if pool is not None and pool.kind == "average" else 1,
        largest=largest.item(),
    )


def _tables(p: Projection, seen: tuple[int, int, int], target: Population) -> tuple[np.ndarray, Taps]:
    c, h, w = seen
    assert p.weights is not None
    if p.kind == "linear":
        weights = linear_order(p.weights, seen, target.shape)
        one = axis_runs(1, 1, 1, 0, 1, 1, False)
        return weights, _taps(one, one, (1, 1, target.size), (target.size, 1), (c * h * w, 1))
    if p.kind == "one_to_one":
        rows, cols = axis_runs(h, 1, 1, 0, 1, h, False), axis_runs(w, 1, 1, 0, 1, w, False)
        return np.ascontiguousarray(p.weights), _taps(rows, cols, (1, 1, 1), (c, w), (c, w), depthwise=True)
    (ky, kx), depthwise = p.kernel, p.kind == "depthwise"
    group_out = 1 if depthwise else target.shape[0] // p.groups
    # Only then do neighbouring outputs lie next to each other; the depthwise kernel takes one output at a time.
    merge = not depthwise and group_out == target.shape[0]
    rows = axis_runs(h, ky, p.stride[0], p.padding[0], p.dilation[0], target.shape[1], False)
    cols = axis_runs(w, kx, p.stride[1], p.padding[1], p.dilation[1], target.shape[2], merge)
    if depthwise:
        order_y, order_x = tap_order(ky, p.stride[0], p.dilation[0]), tap_order(kx, p.stride[1], p.dilation[1])
        weights = np.ascontiguousarray(p.weights[:, order_y][:, :, order_x]).reshape(-1)
    else:
        weights = conv_order(p.weights, p.groups, p.stride, p.dilation)
    groups = c if depthwise else p.groups
    return weights, _taps(rows, cols, (ky, kx, group_out), (target.shape[0], target.shape[2]), (c, w), c // groups)


def _taps(
    rows: tuple[np.ndarray, ...],
    cols: tuple[np.ndarray, ...],
    kernel: tuple[int, int, int],
    target: tuple[int, int],
    source: tuple[int, int],
    group_in: int | None = None,
    depthwise: bool = False,
) -> Taps:
    """`kernel` is (ky, kx, group_out), `target` and `source` are (channels, width)."""
    ky, kx, group_out = kernel
    channels, width = target
    return Taps(
        row_start=rows[0],
        row_weight=rows[1] * (kx * group_out),
        row_target=rows[2] * (width * channels),
        col_start=cols[0],
        col_weight=cols[1] * group_out,
        col_target=cols[2] * channels,
        col_length=cols[3] * group_out,
        channels=source[0],
        width=source[1],
        channel_weights=ky * kx * group_out,
        group_in=1 if depthwise else source[0] if group_in is None else group_in,
        group_out=group_out,
    )


def _rows(p: Projection) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """CSR with each row's targets rising (equal ones keep their order), so that accumulators are walked forwards."""
    assert p.indptr is not None and p.indices is not None and p.weights is not None
    indptr = p.indptr.astype(np.int64)
    row = np.repeat(np.arange(indptr.size - 1), np.diff(indptr))
    order = np.lexsort((p.indices, row))
    return indptr, p.indices[order].astype(np.int64), np.ascontiguousarray(p.weights[order])


def _pooling(p: Projection, source: Population, seen: tuple[int, int, int]) -> Pooling | None:
    if p.pool is None:
        return None
    c, h, w = source.shape
    return Pooling(
        only_presence=p.pool.kind == "or",
        channels=c,
        width=w,
        pooled_width=seen[2],
        rows=pool_ranges(h, p.pool.size[0], p.pool.stride[0]),
        cols=pool_ranges(w, p.pool.size[1], p.pool.stride[1]),
        grid=np.zeros(seen[0] * seen[1] * seen[2], np.int32),
    )
