"""Scatter kernels: one timestep's spikes of a projection into the accumulator of its target.

Common to all of them: `index` is uint32 [n], flat channel-last indices of the (pooled) source; `value` is int32 [n], or
int32 [0] where every spike counts 1; `acc` is int32, int64 or float64 [N_target], channel last, and is added to.  The
caller chooses an `acc` wide enough that no sum overflows, so the result does not depend on the order of the spikes
(float sums are made in the order of `index`).  Each kernel returns the synaptic operations: |value| times the
targets reached, with zero weights counted and positions in the padding left out.
"""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def conv_scatter(
    index,
    value,
    weights,
    row_start,
    row_weight,
    row_target,
    col_start,
    col_weight,
    col_target,
    col_length,
    acc,
    channels,
    width,
    channel_weights,
    group_in,
    group_out,
):
    """Convolution, also grouped, strided, dilated, padded; and linear, as a 1 x 1 image of N_in channels.

    index, value, acc: see the module.      weights: flat [channels, ky, kx, group_out] as `taps.conv_order` has it
    row_start int64 [H + 1]; row_weight, row_target int64 [row taps]: offsets into a channel's weights and into acc
    col_start int64 [W + 1]; col_weight, col_target, col_length int64 [column runs]: likewise; length in elements
    channels, width: of the source          channel_weights: weights per source channel, ky * kx * group_out
    group_in, group_out: source and target channels per group

    For every spike at (y, x, c) with value s, every output position whose window covers (y, x) and every target channel
    of c's group: acc[position, channel] += s * weight.
    """
    operations = np.int64(0)
    graded = value.size > 0
    for i in range(index.size):
        flat = np.int64(index[i])
        pixel = flat // channels
        c = flat - pixel * channels
        y = pixel // width
        x = pixel - y * width
        s = np.int64(value[i]) if graded else np.int64(1)
        weight_base = c * channel_weights
        target_base = c // group_in * group_out
        reached = np.int64(0)
        for row in range(row_start[y], row_start[y + 1]):
            weight_row = weight_base + row_weight[row]
            target_row = target_base + row_target[row]
            for run in range(col_start[x], col_start[x + 1]):
                length = col_length[run]
                w = weight_row + col_weight[run]
                a = target_row + col_target[run]
                source = weights[w : w + length]  # slices: the inner loops then vectorise without index checks
                target = acc[a : a + length]
                if s == 1:
                    for k in range(length):
                        target[k] += source[k]
                else:
                    for k in range(length):
                        target[k] += source[k] * s
                reached += length
        operations += reached * abs(s)
    return operations


@njit(cache=True)
def depthwise_scatter(
    index,
    value,
    weights,
    row_start,
    row_weight,
    row_target,
    col_start,
    col_weight,
    col_target,
    acc,
    channels,
    width,
    channel_weights,
):
    """One kernel per channel (depthwise), or one weight per channel (one_to_one, as a 1 x 1 kernel).

    index, value, acc: see the module.      weights: flat [channels, ky, kx], taps in the order of `taps.tap_order`
    row_start int64 [H + 1]; row_weight, row_target int64 [row taps]: offsets into a channel's weights and into acc
    col_start int64 [W + 1]; col_weight, col_target int64 [column taps]: likewise
    channels, width: of the source          channel_weights: ky * kx

    For every spike at (y, x, c) with value s and every output position whose window covers it:
    acc[position, c] += s * weight.
    """
    operations = np.int64(0)
    graded = value.size > 0
    for i in range(index.size):
        flat = np.int64(index[i])
        pixel = flat // channels
        c = flat - pixel * channels
        y = pixel // width
        x = pixel - y * width
        s = np.int64(value[i]) if graded else np.int64(1)
        weight_base = c * channel_weights
        for row in range(row_start[y], row_start[y + 1]):
            weight_row = weight_base + row_weight[row]
            target_row = c + row_target[row]
            for col in range(col_start[x], col_start[x + 1]):
                acc[target_row + col_target[col]] += weights[weight_row + col_weight[col]] * s
        operations += (row_start[y + 1] - row_start[y]) * (col_start[x + 1] - col_start[x]) * abs(s)
    return operations


@njit(cache=True)
def sparse_scatter(index, value, weights, indptr, indices, acc):
    """Synapses in compressed sparse rows, one row per source neuron.

    index, value, acc: see the module.      weights: [nnz], int8, int16, float32 or float64
    indptr int64 [N_source + 1]; indices int64 or int32 [nnz], flat channel-last target of each synapse

    For every spike with value s and every synapse of its neuron: acc[target] += s * weight.
    """
    operations = np.int64(0)
    graded = value.size > 0
    for i in range(index.size):
        first, last = indptr[index[i]], indptr[index[i] + 1]
        s = np.int64(value[i]) if graded else np.int64(1)
        for k in range(first, last):
            acc[indices[k]] += weights[k] * s
        operations += (last - first) * abs(s)
    return operations
