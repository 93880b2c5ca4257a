"""Windows of convolutions: in what share of them nothing is on, as a trace shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simulator.network.geometry import pooled_shape

if TYPE_CHECKING:
    from simulator.network import Projection
    from simulator.trace import Trace

CHUNK = 64


def empty_windows(trace: Trace) -> dict[int, np.ndarray]:
    """By number of a convolution (depthwise ones too): float64 [T], share of its output positions in whose window no
    input is on, over the samples that have the timestep.  Padding is never on; pooled inputs are on where any is."""
    found: dict[int, np.ndarray] = {}
    known: dict[tuple[object, ...], np.ndarray] = {}
    for number, p in enumerate(trace.network.projections):
        if p.kind not in ("conv", "depthwise"):
            continue
        pool = None if p.pool is None else (p.pool.size, p.pool.stride)
        key = p.source, p.kernel, p.stride, p.padding, p.dilation, pool
        if key not in known:
            known[key] = _share(trace, p)
        found[number] = known[key]
    return found


def _share(trace: Trace, projection: Projection) -> np.ndarray:
    source = trace.network.population(projection.source)
    channels, height, width = source.shape
    steps = np.asarray(trace.steps, np.int64)
    total, samples = np.zeros((2, int(steps.max(initial=0))))
    for sample, length in enumerate(steps.tolist()):
        samples[:length] += 1
        for low in range(0, length, CHUNK):
            block = trace.spikes(source.name).block(sample, low, min(low + CHUNK, length))
            on = np.zeros((block.start.size - 1, height * width), bool)
            for i in range(block.start.size - 1):
                on[i, block.step(i)[0].astype(np.int64) // channels] = True
            filled = _filled(on.reshape(-1, height, width), projection, pooled_shape(projection, source)[1:])
            total[low : low + len(on)] += 1 - filled.mean(axis=(1, 2))
    found: np.ndarray = total / np.maximum(samples, 1)
    return found


def _filled(on: np.ndarray, p: Projection, shape: tuple[int, int]) -> np.ndarray:
    """Whether each window holds something, bool [T, output rows, columns]; on bool [T, H, W], `shape` once pooled."""
    if p.pool is not None:
        on = _joined(on, p.pool.size, p.pool.stride, (1, 1), shape)
    padded = np.pad(on, ((0, 0), *((n, n) for n in p.padding)))
    spans = [(k - 1) * d + 1 for k, d in zip(p.kernel, p.dilation, strict=True)]
    made = [(n + 2 * pad - span) // stride + 1
            for n, pad, span, stride in zip(shape, p.padding, spans, p.stride, strict=True)]  # fmt: skip
    return _joined(padded, p.kernel, p.stride, p.dilation, (made[0], made[1]))


def _joined(
    on: np.ndarray, size: tuple[int, int], stride: tuple[int, int], dilation: tuple[int, int], made: tuple[int, int]
) -> np.ndarray:
    """Whether any of `size` places of each window is on, bool [T, *made]."""
    found = np.zeros((len(on), *made), bool)
    for y in range(size[0]):
        for x in range(size[1]):
            top, left = y * dilation[0], x * dilation[1]
            rows = slice(top, top + (made[0] - 1) * stride[0] + 1, stride[0])
            found |= on[:, rows, left : left + (made[1] - 1) * stride[1] + 1 : stride[1]]
    return found
