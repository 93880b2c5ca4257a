"""Weights as levels of crossbar cells: slices of bits and the scheme that gives them a sign.

With w the weight, b its bits, and c the bits of a cell, a weight takes S = ceil(b / c) columns, least significant
first.  The four schemes:

    offset                 w + 2^(b-1) in S columns; 2^(b-1) per driven row is subtracted digitally
    reference_column       the same; one more column per processing element holds 2^(b-1) in every row and is subtracted
    differential_columns   max(w, 0) in S columns and max(-w, 0) in S others, subtracted after conversion
    differential_rows      max(w, 0) on one row and max(-w, 0) on a second one driven with the opposite voltage: the
                           column carries the difference
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.errors import InputError
from simulator.kernels.taps import linear_order
from simulator.mapping.crossbar import CrossbarPart, RowBlock
from simulator.network import Population, Projection


@dataclass(frozen=True)
class Columns:
    """Target levels of one row block, all its column blocks side by side.

    levels      int64 [rows, columns], 0 .. 2^cell_bits - 1
    minus       the same of the second row of each input with differential rows, else None
    outputs     int64 [n]: outputs that the block reaches
    output      int64 [columns]: index into `outputs`, -1 for a reference column
    weight      int64 [columns]: what one level is worth
    reference   int64 [columns]: column whose result is subtracted, -1 for none; it stands further left
    place       int64 [columns]: column within its array
    offset      subtracted from every output per driven row
    """

    levels: np.ndarray
    minus: np.ndarray | None
    outputs: np.ndarray
    output: np.ndarray
    weight: np.ndarray
    reference: np.ndarray
    place: np.ndarray
    offset: int


def dense_weights(projection: Projection, shape: tuple[int, int, int], target: Population) -> np.ndarray:
    """int64 [taps, C, outputs] of the pooled source `shape`: zero where there is no synapse.

    conv, depthwise: a tap is ky * kw + kx, an output is a channel.  linear, sparse: a tap is a position y * W + x of
    the whole map, an output is a neuron, flat and channel last; parallel synapses of a pair are summed.
    """
    w = projection.weights
    assert w is not None
    c, height, width = shape
    w = w.astype(np.int64)
    if projection.kind == "linear":
        return linear_order(w, shape, target.shape).reshape(height * width, c, target.size)
    if projection.kind == "sparse":
        assert projection.indptr is not None and projection.indices is not None
        dense = np.zeros((height * width * c, target.size), np.int64)
        rows = np.repeat(np.arange(dense.shape[0]), np.diff(projection.indptr))
        np.add.at(dense, (rows, projection.indices), w)
        return dense.reshape(height * width, c, target.size)
    dense = np.zeros((projection.kernel[0] * projection.kernel[1], c, target.shape[0]), np.int64)
    if projection.kind == "depthwise":
        channel = np.arange(c)
        dense[:, channel, channel] = w.reshape(c, -1).T
        return dense
    c_in, c_out = c // projection.groups, target.shape[0] // projection.groups
    for g in range(projection.groups):
        own = w[g * c_out : (g + 1) * c_out]
        dense[:, g * c_in : (g + 1) * c_in, g * c_out : (g + 1) * c_out] = own.transpose(2, 3, 1, 0).reshape(
            dense.shape[0], c_in, c_out
        )
    return dense


def block_columns(weights: np.ndarray, block: RowBlock, part: CrossbarPart, scheme: str, cell_bits: int) -> Columns:
    """Levels of one row block; `weights` is what `dense_weights` made of the part's projection.

    Raises InputError where a weight does not fit the projection's weight_bits.
    """
    bits, slices = part.projection.weight_bits, part.slices
    signed = scheme in ("differential_columns", "differential_rows")
    low, high = -(1 << (bits - 1)), (1 << (bits - 1)) - (0 if signed else 1)
    if weights.min(initial=0) < low or weights.max(initial=0) > high:
        raise InputError(
            f"the weights do not fit {bits} bits on a crossbar of scheme {scheme}",
            key=f"projection {part.projection.name}: weight_bits",
            found=(int(weights.min()), int(weights.max())),
            allowed=f"{low} .. {high}",
        )
    segments = [s for array in block.arrays for s in array]
    rows = np.concatenate([weights[s.tap, s.c0 : s.c1] for s in segments])
    offset = 0 if signed else 1 << (bits - 1)
    signs = 2 if scheme == "differential_columns" else 1
    outputs: list[int] = []
    output, weight, reference, place = [], [], [], []
    chosen: list[np.ndarray] = []
    opposite: list[np.ndarray] = []
    shifts = np.arange(slices, dtype=np.int64) * cell_bits
    top = (1 << cell_bits) - 1

    def sliced(values: np.ndarray) -> np.ndarray:
        """[rows, n] values as [rows, n, S] levels."""
        return (values[:, :, None] >> shifts) & top

    for o0, o1 in block.columns:
        w = rows[:, o0:o1]
        n = o1 - o0
        base = len(outputs)
        first = sum(c.shape[1] for c in chosen)
        if scheme == "differential_columns":
            cells = np.stack([sliced(w.clip(0)), sliced((-w).clip(0))], axis=3)
        else:
            cells = sliced(w + offset if offset else w.clip(0))
        opposite.append(sliced((-w).clip(0)).reshape(len(w), -1))
        reserved = int(scheme == "reference_column")
        if reserved:
            chosen.append(np.full((len(w), 1), offset >> int(shifts[-1]), np.int64))
            output.append([-1])
            weight.append([0])
            reference.append([-1])
        chosen.append(cells.reshape(len(w), -1))
        per = slices * signs
        output.append(np.repeat(np.arange(base, base + n), per).tolist())
        worth = np.repeat(np.int64(1) << shifts, signs) * np.tile([1, -1][:signs], slices)
        weight.append(np.tile(worth, n).tolist())
        ends = np.full(per, -1)
        if reserved:
            ends[-1] = first
        reference.append(np.tile(ends, n).tolist())
        place.append(list(range(reserved + n * per)))
        outputs += range(o0, o1)
    return Columns(
        levels=np.concatenate(chosen, axis=1),
        minus=np.concatenate(opposite, axis=1) if scheme == "differential_rows" else None,
        outputs=np.array(outputs, np.int64),
        output=np.concatenate(output).astype(np.int64),
        weight=np.concatenate(weight).astype(np.int64),
        reference=np.concatenate(reference).astype(np.int64),
        place=np.concatenate(place).astype(np.int64),
        offset=0 if scheme == "reference_column" else offset,
    )
