"""Tap tables: which outputs a pixel reaches along one axis of a convolution, and weights in scatter order.

Plain numpy, run once per projection.  The tables take stride, padding and dilation out of the kernels: a kernel only
walks from `start[x]` to `start[x + 1]`, adds offsets, and never meets a bound or a division by the stride.
"""

from __future__ import annotations

import numpy as np


def tap_order(kernel: int, stride: int, dilation: int) -> np.ndarray:
    """int64 [kernel]: the order in which the taps of one axis are stored.

    The taps that one pixel uses go down by stride / dilation from each output to the next.  Storing them in that order,
    one residue class after the other, makes the weights of neighbouring outputs neighbours as well, so that a kernel
    adds one long run instead of one run per output.  Where the stride is no multiple of the dilation it is descending.
    """
    step = stride // dilation if stride % dilation == 0 else 1
    order = [tap for first in range(min(step, kernel)) for tap in range(kernel - 1, -1, -1) if tap % step == first]
    return np.array(order, np.int64)


def axis_runs(
    size: int, kernel: int, stride: int, padding: int, dilation: int, outputs: int, merge: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Runs of (stored tap, output) pairs for each input coordinate of one axis, outputs rising.

    Returns int64 arrays `start` [size + 1] and, per run, `slot` (position in `tap_order` of its first tap), `output`
    (its first output coordinate) and `length` (pairs in the run; always 1 without `merge`).
    """
    slot_of = {int(tap): slot for slot, tap in enumerate(tap_order(kernel, stride, dilation))}
    start, slots, firsts, lengths = [0], [], [], []
    for x in range(size):
        last = (-2, -2)
        lowest = max(0, -(-(x + padding - dilation * (kernel - 1)) // stride))
        for output in range(lowest, min(outputs - 1, (x + padding) // stride) + 1):
            tap, rest = divmod(x + padding - output * stride, dilation)
            if rest:
                continue
            slot = slot_of[tap]
            if merge and last == (output - 1, slot - 1):
                lengths[-1] += 1
            else:
                slots.append(slot)
                firsts.append(output)
                lengths.append(1)
            last = (output, slot)
        start.append(len(slots))
    return tuple(np.array(values, np.int64) for values in (start, slots, firsts, lengths))  # type: ignore[return-value]


def conv_order(weights: np.ndarray, groups: int, stride: tuple[int, int], dilation: tuple[int, int]) -> np.ndarray:
    """Flat [C_in, ky, kx, C_out / groups] of weights [C_out, C_in / groups, ky, kx], taps in `tap_order`."""
    c_out, c_group, ky, kx = weights.shape
    grouped = weights.reshape(groups, c_out // groups, c_group, ky, kx).transpose(0, 2, 3, 4, 1)
    grouped = grouped[:, :, tap_order(ky, stride[0], dilation[0])][:, :, :, tap_order(kx, stride[1], dilation[1])]
    return np.ascontiguousarray(grouped).reshape(-1)


def linear_order(weights: np.ndarray, source: tuple[int, int, int], target: tuple[int, int, int]) -> np.ndarray:
    """Flat weights [N_in, N_out], both channel last, of linear weights [N_out, N_in], both in C, H, W order."""
    to_last = weights.reshape(*target, *source).transpose(4, 5, 3, 1, 2, 0)
    return np.ascontiguousarray(to_last).reshape(-1)


def pool_ranges(size: int, window: int, stride: int) -> tuple[np.ndarray, np.ndarray]:
    """int64 [size] twice: first and last (exclusive) pooled coordinate whose window holds each input coordinate."""
    outputs = (size - window) // stride + 1
    x = np.arange(size, dtype=np.int64)
    first = np.maximum(0, -(-(x - window + 1) // stride))
    last = np.minimum(outputs, x // stride + 1)
    return first, np.maximum(first, last)
