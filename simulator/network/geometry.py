"""Shapes and fan-outs of projections: what one spike reaches, and what a dense layer would compute.

"Inside" counts leave out positions that fall into zero padding: an event-driven core can never execute them.
"""

from __future__ import annotations

import numpy as np

from simulator.network.population import Population
from simulator.network.projection import Projection


def pooled_shape(projection: Projection, source: Population) -> tuple[int, int, int]:
    """(C, H, W) that the synapses see: the source's shape after the projection's pooling."""
    c, h, w = source.shape
    if projection.pool is None:
        return c, h, w
    (py, px), (sy, sx) = projection.pool.size, projection.pool.stride
    return c, (h - py) // sy + 1, (w - px) // sx + 1


def conv_output(size: int, kernel: int, stride: int, padding: int, dilation: int) -> int:
    """Output positions along one axis of a convolution."""
    return (size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1


def axis_taps(size: int, kernel: int, stride: int, padding: int, dilation: int, outputs: int) -> np.ndarray:
    """int64 [size]: how many (tap, output) pairs an input at each coordinate of one axis reaches."""
    taps = np.zeros(size, np.int64)
    for k in range(kernel):
        position = np.arange(outputs, dtype=np.int64) * stride + k * dilation - padding
        np.add.at(taps, position[(position >= 0) & (position < size)], 1)
    return taps


def targets_per_tap(projection: Projection, target: Population) -> int:
    """Target neurons that one tap of one spike reaches (output channels of its group)."""
    if projection.kind in ("conv",):
        return target.shape[0] // projection.groups
    return 1


def fan_out(projection: Projection, source: Population, target: Population) -> np.ndarray:
    """int64 [C, H, W] of the pooled source: synaptic operations that one spike at each place causes.

    Zero weights count, padding does not.
    """
    c, h, w = pooled_shape(projection, source)
    if projection.kind == "linear":
        return np.full((c, h, w), target.size, np.int64)
    if projection.kind == "one_to_one":
        return np.ones((c, h, w), np.int64)
    if projection.kind == "sparse":
        assert projection.indptr is not None
        flat = np.diff(projection.indptr).astype(np.int64)  # channel last
        return flat.reshape(h, w, c).transpose(2, 0, 1)
    (ky, kx), (sy, sx) = projection.kernel, projection.stride
    (py, px), (dy, dx) = projection.padding, projection.dilation
    rows = axis_taps(h, ky, sy, py, dy, target.shape[1])
    cols = axis_taps(w, kx, sx, px, dx, target.shape[2])
    return np.broadcast_to(rows[:, None] * cols[None, :] * targets_per_tap(projection, target), (c, h, w)).copy()


def synapses_inside(projection: Projection, source: Population, target: Population) -> int:
    """Synaptic positions per timestep without padding: what a core executes if every (pooled) input fires once."""
    return int(fan_out(projection, source, target).sum())


def dense_operations(projection: Projection, source: Population, target: Population) -> int:
    """Synaptic positions per timestep with padding: C_in * C_out * k^2 * H_out * W_out, the usual MAC count."""
    c, h, w = pooled_shape(projection, source)
    if projection.kind == "linear":
        return c * h * w * target.size
    if projection.kind == "one_to_one":
        return target.size
    if projection.kind == "sparse":
        assert projection.indptr is not None
        return int(projection.indptr[-1])
    ky, kx = projection.kernel
    c_in = 1 if projection.kind == "depthwise" else c // projection.groups
    return c_in * ky * kx * target.size


def weight_count(projection: Projection, source: Population, target: Population) -> int:
    """Number of stored weights of the projection."""
    c, h, w = pooled_shape(projection, source)
    ky, kx = projection.kernel
    if projection.kind == "conv":
        return target.shape[0] * (c // projection.groups) * ky * kx
    if projection.kind == "depthwise":
        return c * ky * kx
    if projection.kind == "linear":
        return c * h * w * target.size
    if projection.kind == "one_to_one":
        return c
    assert projection.indptr is not None
    return int(projection.indptr[-1])
