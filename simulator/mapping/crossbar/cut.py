"""Cutting the weights of one projection into row blocks and column blocks that fit a crossbar."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from simulator.errors import InputError
from simulator.mapping.crossbar.block import RowBlock, Segment
from simulator.network.projection import Projection
from simulator.units import ceil_div


@dataclass(frozen=True)
class ArraySize:
    """What one array holds: inputs (rows; half of them with differential rows) and outputs (weights per row).

    arrays     arrays per processing element, or None: as many as the layer's kernel has positions
    slices, columns_per_weight   columns that one weight takes
    rows_per_input   physical rows of one input: 2 with differential rows
    reserved   columns that hold no weights
    """

    rows: int
    outputs: int
    arrays: int | None
    slices: int
    columns_per_weight: int
    rows_per_input: int
    reserved: int


def array_size(spec: Any, projection: Projection) -> ArraySize:
    """The size of `spec`'s arrays in inputs and weights of this projection.

    Columns per weight: slices = ceil(weight_bits / cell_bits), twice that for differential columns; differential rows
    halve the rows; a reference column takes one column of the array.  InputError where not even one weight fits.
    """
    crossbar = spec.crossbar
    slices = ceil_div(max(1, projection.weight_bits), crossbar.cell_bits)  # a wire stores nothing and uses no array
    each = slices * (2 if crossbar.signed == "differential_columns" else 1)
    reserved = 1 if crossbar.signed == "reference_column" else 0
    lines = 2 if crossbar.signed == "differential_rows" else 1
    rows = crossbar.rows // lines
    outputs = (crossbar.columns - reserved) // each
    if rows < 1 or outputs < 1:
        raise InputError(
            f"not one weight of {projection.weight_bits} bits fits an array of {crossbar.rows} rows and "
            f"{crossbar.columns} columns with {crossbar.cell_bits} bits per cell and signed: {crossbar.signed}",
            key=f"projection {projection.name}",
            found=f"{each} columns per weight",
            allowed=f"at most {crossbar.columns - reserved}",
        )
    arrays = None if spec.arrays_per_pe == "kernel" else int(spec.arrays_per_pe)
    return ArraySize(rows, outputs, arrays, slices, each, lines, reserved)


def cut(
    projection: Projection,
    shape: tuple[int, int, int],
    outputs: int,
    taps: int,
    part: int,
    kernel: bool,
    size: ArraySize,
) -> list[RowBlock]:
    """Row blocks of a projection with `taps` window positions of `shape[0]` channels into `outputs` outputs.

    Arrangement "kernel" (`kernel` True): block i holds channels [i * rows, (i + 1) * rows), one array per tap.
    "im2col": rows are flattened tap by tap, cut into arrays of `size.rows`; `size.arrays` arrays in a row per
    processing element.  Groups have blocks of their own; depthwise channels lie on diagonals.
    """
    if projection.kind == "one_to_one":
        return []
    if projection.kind == "depthwise":
        return _depthwise(shape[0], taps, part, kernel, size)
    groups = projection.groups if projection.kind == "conv" else 1
    inside, made = shape[0] // groups, outputs // groups
    blocks = []
    for group in range(groups):
        columns = _ranges(group * made, (group + 1) * made, size.outputs)
        low, high = group * inside, (group + 1) * inside
        for arrays in _kernel(low, high, taps, size) if kernel else _flat(low, high, taps, size):
            blocks.append(RowBlock(part, arrays, columns))
    return blocks


def _kernel(low: int, high: int, taps: int, size: ArraySize) -> list[tuple[tuple[Segment, ...], ...]]:
    """Channels low .. high cut into blocks of `size.rows`, one array per tap."""
    return [tuple((Segment(tap, c0, c1),) for tap in range(taps)) for c0, c1 in _ranges(low, high, size.rows)]


def _flat(low: int, high: int, taps: int, size: ArraySize) -> list[tuple[tuple[Segment, ...], ...]]:
    """Flattened rows (tap, channel) cut into arrays of `size.rows`, `size.arrays` of them (default 1) per block."""
    width = high - low
    arrays = []
    for r0, r1 in _ranges(0, taps * width, size.rows):
        segments = []
        for tap in range(r0 // width, (r1 - 1) // width + 1):
            c0, c1 = max(r0 - tap * width, 0), min(r1 - tap * width, width)
            segments.append(Segment(tap, low + c0, low + c1))
        arrays.append(tuple(segments))
    return _chunks(arrays, size.arrays or 1)


def _depthwise(channels: int, taps: int, part: int, kernel: bool, size: ArraySize) -> list[RowBlock]:
    """Diagonal blocks: every channel has rows of its own and one output, so rows and columns limit it together."""
    width = min(size.outputs, size.rows if kernel else size.rows // taps)
    blocks = []
    if width == 0:  # the kernel of one channel is longer than a column: it is cut along its taps
        for c in range(channels):
            for arrays in _flat(c, c + 1, taps, size):
                blocks.append(RowBlock(part, arrays, ((c, c + 1),)))
        return blocks
    for c0, c1 in _ranges(0, channels, width):
        segments = tuple(Segment(tap, c0, c1) for tap in range(taps))
        arrays = tuple((s,) for s in segments) if kernel else (segments,)
        blocks.append(RowBlock(part, arrays, ((c0, c1),)))
    return blocks


def _ranges(low: int, high: int, width: int) -> tuple[tuple[int, int], ...]:
    return tuple((start, min(start + width, high)) for start in range(low, high, width))


def _chunks(arrays: list[tuple[Segment, ...]], count: int) -> list[tuple[tuple[Segment, ...], ...]]:
    return [tuple(arrays[i : i + count]) for i in range(0, len(arrays), count)]
