"""What a gather core must do, worked out from the network and its spikes alone: taps, operations and cycles.

Written without the simulator's kernels and tables, with sums over shifted maps, so that a benchmark can hold the
machine against it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from simulator.mapping import Mapping
from simulator.network import Network, Projection
from simulator.network.geometry import dense_operations, synapses_inside, weight_count
from simulator.trace import Trace


@dataclass(frozen=True)
class Expected:
    """What the closed forms give for a layer, over all timesteps of one sample.

    sop      synaptic operations that spikes cause
    walked   synaptic operations that the array has time for: those of `sop` with gating skip; otherwise at least one
             per dense position
    cycles   cycles in which the array executes them: window group by window group, ceil(taps x ops / ops per cycle)
    """

    sop: int
    walked: int
    cycles: int


def expected(network: Network, layer: str, mapping: Mapping, gather: Any, trace: Trace) -> Expected:
    """`Expected` of one layer of the trace's first sample; `gather` is the core's block of that name."""
    shape = network.population(layer).shape
    dense = sum(positions(network, p) for p in network.incoming(layer)) // network.population(layer).size
    width = mapping.layer(layer).tile_channels
    sop = walked = cycles = 0
    for t in range(int(trace.steps[0])):
        taps = sum(_taps(network, p, trace, t) for p in network.incoming(layer))
        walk = taps if gather.gating == "skip" else np.maximum(taps, dense)
        sop, walked = sop + int(np.sum(taps)), walked + int(np.sum(walk))
        for low in range(0, shape[0], width):
            high = min(low + width, shape[0])
            for k in range(low, high, gather.unroll.k):
                most = walk[:, :, k : min(k + gather.unroll.k, high)].max(axis=2)
                group = -(-most * gather.ops_per_synapse // gather.ops_per_pe_cycle)
                cycles += int(np.maximum(group, gather.window_cycles).sum())
    return Expected(sop, walked, cycles)


def _taps(network: Network, p: Projection, trace: Trace, t: int) -> np.ndarray:
    """int64 [H, W, C] of the target: synapses of `p` on which an event arrives in timestep t."""
    c, h, w = network.population(p.source).shape
    channels, rows, columns = network.population(p.target).shape
    events = np.zeros(h * w * c, np.int64)
    events[trace.spikes(p.source).block(0, t, t + 1).index] = 1
    events = events.reshape(h, w, c)
    if p.pool is not None:
        (ky, kx) = p.pool.size
        if p.pool.stride != p.pool.size or h % ky or w % kx:
            raise ValueError(f"projection {p.name}: windows overlap or leave a rest")
        events = events.reshape(h // ky, ky, w // kx, kx, c).sum(axis=(1, 3))
        if p.pool.kind == "or":
            events = np.minimum(events, 1)
    if p.kind == "one_to_one":
        return events
    if p.kind == "linear":
        return np.full((rows, columns, channels), events.sum(), np.int64)
    (py, px), (sy, sx) = p.padding, p.stride
    flat = np.pad(events.sum(axis=2), ((py, py), (px, px)))
    total = np.zeros((rows, columns), np.int64)
    for y in range(p.kernel[0]):
        for x in range(p.kernel[1]):
            total += flat[y : y + sy * (rows - 1) + 1 : sy, x : x + sx * (columns - 1) + 1 : sx]
    return np.repeat(total[:, :, None], channels, axis=2)


def positions(network: Network, p: Projection) -> int:
    """Dense synaptic positions of a projection per timestep, padding included."""
    return dense_operations(p, network.population(p.source), network.population(p.target))


def inside(network: Network, p: Projection) -> int:
    """The same without positions in the padding."""
    return synapses_inside(p, network.population(p.source), network.population(p.target))


def weights(network: Network, p: Projection) -> int:
    """Stored weights of a projection."""
    return weight_count(p, network.population(p.source), network.population(p.target))
