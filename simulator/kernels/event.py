"""Event kernels: neurons that may fire at every single input event, without timesteps.

Each event adds its weights to the neurons it reaches, one neuron after the other in rising index, and each of them is
tested at once.  The emitted events keep the order of their causes.
"""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def touch(v, at, delta, threshold, floor, strict, to_zero, output, low, high, totals):
    """One neuron receives `delta`; returns what it sends (0: nothing).

    v int32 or float64 [N] (in, out); at: the neuron; delta int64 or float64; threshold, floor of this neuron; totals
    int64 [4] (out): totals[3] counts clamped write-backs.  strict, to_zero, output, low, high: as in `event_conv`.
    """
    x = v[at] + delta
    sent = np.int64(0)
    size = abs(x) if output == 1 else x
    if size > threshold or (size == threshold and not strict):
        if output == 2:
            sent = np.int64(min(-((-x) // threshold) - 1 if strict else x // threshold, 2147483647))
        else:
            sent = np.int64(1) if x > 0 else np.int64(-1)
        x = x - x if to_zero else x - sent * threshold
    x = max(x, floor)
    stored = min(max(x, low), high)
    if stored != x:
        totals[3] += 1
    v[at] = stored
    return sent


@njit(cache=True)
def event_conv(
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
    v,
    threshold,
    floor,
    out_event,
    out_index,
    out_value,
    totals,
    first,
    last,
    channels,
    width,
    channel_weights,
    group_in,
    group_out,
    scale,
    strict,
    to_zero,
    output,
    low,
    high,
):
    """Events first .. last of a projection (conv, depthwise, linear or one_to_one) into IF neurons.

    index, value, weights; row_start, row_weight, row_target; col_start, col_weight, col_target, col_length; channels,
        width, channel_weights, group_in, group_out: as in `synapse.conv_scatter` (depthwise: group_out 1)
    v int32 or float64 [N] (in, out).     threshold, floor int64 or float64 [width of a parameter row], repeated over v
    out_event int64, out_index uint32, out_value int32, all [capacity >= N] (out): what was sent, and by which event
    totals int64 [4] (out): [0] next event to process, [1] events emitted, and, added to, [2] synaptic operations,
        [3] clamped write-backs
    scale: 2**weight_shift.     strict, to_zero, output: as in `neuron.fire_row`.     low, high: limits of stored v

    first, last: events to process, last exclusive.  Returns early, with totals[0] < last, when the next event could
    emit more than there is room for.
    """
    graded = value.size > 0
    period = threshold.size
    emitted = 0
    operations = np.int64(0)
    event = first
    while event < last and out_index.size - emitted >= v.size:
        flat = np.int64(index[event])
        pixel = flat // channels
        c = flat - pixel * channels
        y = pixel // width
        x = pixel - y * width
        s = np.int64(value[event]) if graded else np.int64(1)
        for row in range(row_start[y], row_start[y + 1]):
            weight_row = c * channel_weights + row_weight[row]
            target_row = c // group_in * group_out + row_target[row]
            for run in range(col_start[x], col_start[x + 1]):
                w = weight_row + col_weight[run]
                a = target_row + col_target[run]
                for k in range(col_length[run]):
                    delta = weights[w + k] * s * scale
                    p = (a + k) % period
                    sent = touch(v, a + k, delta, threshold[p], floor[p], strict, to_zero, output, low, high, totals)
                    if sent != 0:
                        out_event[emitted] = event
                        out_index[emitted] = a + k
                        out_value[emitted] = sent
                        emitted += 1
                operations += col_length[run] * abs(s)
        event += 1
    totals[0] = event
    totals[1] = emitted
    totals[2] += operations


@njit(cache=True)
def event_sparse(
    index,
    value,
    weights,
    indptr,
    indices,
    v,
    threshold,
    floor,
    out_event,
    out_index,
    out_value,
    totals,
    first,
    last,
    scale,
    strict,
    to_zero,
    output,
    low,
    high,
):
    """Events first .. last of a sparse projection into IF neurons.

    index, value, weights, indptr, indices: as in `synapse.sparse_scatter`; rows sorted, no target twice in one.
    v, threshold, floor, out_event, out_index, out_value, totals, first, last, scale, strict, to_zero, output, low,
        high, and the result: as in `event_conv`.
    """
    graded = value.size > 0
    period = threshold.size
    emitted = 0
    operations = np.int64(0)
    event = first
    while event < last and out_index.size - emitted >= v.size:
        s = np.int64(value[event]) if graded else np.int64(1)
        begin, end = indptr[index[event]], indptr[index[event] + 1]
        for k in range(begin, end):
            at = np.int64(indices[k])
            p = at % period
            sent = touch(
                v, at, weights[k] * s * scale, threshold[p], floor[p], strict, to_zero, output, low, high, totals
            )
            if sent != 0:
                out_event[emitted] = event
                out_index[emitted] = at
                out_value[emitted] = sent
                emitted += 1
        operations += (end - begin) * abs(s)
        event += 1
    totals[0] = event
    totals[1] = emitted
    totals[2] += operations
