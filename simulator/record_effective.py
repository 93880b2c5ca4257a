"""NeuroBench's effective synaptic operations of a trace: zero inputs and zero weights left out.

An operation counts once per non-zero input and non-zero weight, whatever the input's value.  It is an accumulate (AC)
where all inputs of a projection in that timestep are -1, 0 or 1, and a multiply-accumulate (MAC) otherwise: the rule of
NeuroBench's SynapticOperations, applied per sample and timestep.  Pooled inputs are what the synapses see.
"""

from __future__ import annotations

import numpy as np

from simulator.network import Network
from simulator.network.geometry import pooled_shape
from simulator.network.population import Population
from simulator.network.projection import Projection
from simulator.trace import Events, Spikes, Trace

STEPS = 64
"""Timesteps looked at together: memory stays bounded whatever the trace's length."""


def effective_operations(network: Network, trace: Trace) -> dict[str, int]:
    """`effective_macs` and `effective_acs` over all samples, for `Record.work`.

    Empty where they cannot be known: a topology without weights, or a trace that lacks a source's spikes or timesteps.
    """
    macs = acs = 0
    for projection in network.projections:
        spikes = trace.populations.get(projection.source)
        if projection.weights is None or spikes is None or isinstance(spikes, Events):
            return {}
        source, target = network.population(projection.source), network.population(projection.target)
        key = f"nonzero_fan_out:{projection.name}"
        if key not in network.derived:
            network.derived[key] = nonzero_fan_out(projection, source, target)
        fan_out = network.derived[key]
        for sample, steps in enumerate(trace.steps.tolist()):
            last = steps - projection.delay  # later spikes would arrive after the sample's end
            for t0 in range(0, last, STEPS):
                each, binary = _count(projection, source, spikes, fan_out, sample, t0, min(t0 + STEPS, last))
                acs += int(each[binary].sum())
                macs += int(each[~binary].sum())
    return {"effective_macs": macs, "effective_acs": acs}


def nonzero_fan_out(projection: Projection, source: Population, target: Population) -> np.ndarray:
    """Non-zero weights that one input at each place meets inside the map: int64 [pooled neurons, channel-last]."""
    assert projection.weights is not None
    c, h, w = pooled_shape(projection, source)
    nonzero = projection.weights != 0
    if projection.kind == "linear":
        return nonzero.sum(axis=0, dtype=np.int64).reshape(c, h, w).transpose(1, 2, 0).reshape(-1)
    if projection.kind == "one_to_one":
        return np.tile(nonzero.astype(np.int64), h * w)
    if projection.kind == "sparse":
        assert projection.indptr is not None
        return np.diff(np.concatenate(([0], np.cumsum(nonzero, dtype=np.int64)))[projection.indptr])
    if projection.kind == "conv":
        groups = projection.groups
        grouped = nonzero.reshape(groups, -1, *nonzero.shape[1:])
        nonzero = grouped.sum(axis=1, dtype=np.int64).reshape(c, *nonzero.shape[2:])
    reach = [_reach(n, axis, projection, target.shape[1 + axis]) for axis, n in enumerate((h, w))]
    return np.einsum("yk,xl,ckl->yxc", *reach, nonzero).reshape(-1)


def _reach(size: int, axis: int, projection: Projection, outputs: int) -> np.ndarray:
    """int64 [size, kernel]: 1 where an input at a coordinate meets a tap at some output position."""
    kernel, stride, padding, dilation = (
        pair[axis] for pair in (projection.kernel, projection.stride, projection.padding, projection.dilation)
    )
    found = np.zeros((size, kernel), np.int64)
    for k in range(kernel):
        place = np.arange(outputs) * stride + k * dilation - padding
        found[place[(place >= 0) & (place < size)], k] = 1
    return found


def _count(
    projection: Projection, source: Population, spikes: Spikes, fan_out: np.ndarray, sample: int, t0: int, t1: int
) -> tuple[np.ndarray, np.ndarray]:
    """Operations int64 per timestep t0 .. t1, and whether all inputs of the timestep are -1, 0 or 1."""
    block = spikes.block(sample, t0, t1)
    if block.value is None and projection.pool is None:  # by far the most frequent case needs no more
        sums = np.concatenate(([0], np.cumsum(fan_out[block.index])))
        return np.diff(sums[block.start]), np.ones(t1 - t0, bool)
    step = np.repeat(np.arange(t1 - t0), np.diff(block.start))
    index = block.index.astype(np.int64)
    value = np.ones(index.size, np.int64) if block.value is None else block.value.astype(np.int64)
    step, index, value = _nonzero(step, index, value)
    area = 1
    if projection.pool is not None:
        step, index, value = _nonzero(*_pooled(projection, source, step, index, value))
        area = projection.pool.size[0] * projection.pool.size[1] if projection.pool.kind == "average" else 1
    sums = np.concatenate(([0], np.cumsum(fan_out[index])))
    each = np.diff(sums[np.searchsorted(step, np.arange(t1 - t0 + 1))])
    binary = np.ones(t1 - t0, bool)
    binary[step[np.abs(value) != area]] = False
    return each, binary


def _nonzero(step: np.ndarray, index: np.ndarray, value: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    keep = value != 0
    return step[keep], index[keep], value[keep]


def _pooled(
    projection: Projection, source: Population, step: np.ndarray, index: np.ndarray, value: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Step, index and value of pooled inputs: sums over each window, or 1 for OR pooling (windows may overlap)."""
    assert projection.pool is not None
    (c, _, w), (_, rows, columns) = source.shape, pooled_shape(projection, source)
    y, x, channel = index // (w * c), index // c % w, index % c
    (size_y, size_x), (stride_y, stride_x) = projection.pool.size, projection.pool.stride
    keys, values = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for dy in range(size_y):
        for dx in range(size_x):
            row, column = (y - dy) // stride_y, (x - dx) // stride_x
            inside = ((y - dy) % stride_y == 0) & ((x - dx) % stride_x == 0)
            inside &= (row >= 0) & (row < rows) & (column >= 0) & (column < columns)
            keys.append((((step * rows + row) * columns + column) * c + channel)[inside])
            values.append(value[inside])
    key, place = np.unique(np.concatenate(keys), return_inverse=True)
    total = np.zeros(key.size, np.int64)
    merged = np.concatenate(values)
    np.add.at(total, place, np.ones_like(merged) if projection.pool.kind == "or" else merged)
    if projection.pool.kind == "or":
        total = np.minimum(total, 1)
    neurons = rows * columns * c
    return key // neurons, key % neurons, total
