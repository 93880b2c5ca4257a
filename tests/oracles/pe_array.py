"""A computation node counted output by output and input by input, without tiles' closed forms."""

from __future__ import annotations

from itertools import product
from typing import Any

from simulator.network import Network
from simulator.network.geometry import pooled_shape

Input = tuple[str, int, int, int]


def inputs_of(network: Network, layer: str, rows: range, columns: range, channels: range) -> set[Input]:
    """Source neurons (source, channel, row, column) that these outputs read, inside the maps."""
    found: set[Input] = set()
    for p in network.incoming(layer):
        c, h, w = pooled_shape(p, network.population(p.source))
        for y, x in product(rows, columns):
            if p.kind == "linear":
                places = list(product(range(h), range(w)))
            elif p.kind == "one_to_one":
                places = [(y, x)]
            else:
                places = [
                    (
                        y * p.stride[0] - p.padding[0] + dy * p.dilation[0],
                        x * p.stride[1] - p.padding[1] + dx * p.dilation[1],
                    )
                    for dy, dx in product(range(p.kernel[0]), range(p.kernel[1]))
                ]
            own = p.kind in ("one_to_one", "depthwise")
            for (a, b), k in product(places, channels if own else range(c)):
                if 0 <= a < h and 0 <= b < w:
                    if p.pool is None:
                        found.add((p.source, k, a, b))
                        continue
                    for dy, dx in product(range(p.pool.size[0]), range(p.pool.size[1])):
                        found.add((p.source, k, a * p.pool.stride[0] + dy, b * p.pool.stride[1] + dx))
    return found


def bits(network: Network, inputs: set[Input], steps: int) -> int:
    """Bits of a set of inputs over `steps` timesteps."""
    return sum(network.population(source).neuron.stored_bits * steps for source, *_ in inputs)


def operations(network: Network, layer: str, outputs: int, steps: int) -> int:
    """Operations with padding: a sum of n wires is n - 1 additions, a pooling one per input."""
    each, wires = 0, 0
    for p in network.incoming(layer):
        c, h, w = pooled_shape(p, network.population(p.source))
        if p.kind == "one_to_one" and not p.weight_bits:
            each += 1 if p.pool is None else p.pool.size[0] * p.pool.size[1]
            wires += 1
        elif p.kind == "linear":
            each += c * h * w
        elif p.kind == "one_to_one":
            each += 1
        else:
            each += p.kernel[0] * p.kernel[1] * (1 if p.kind == "depthwise" else c)
    return (each - max(0, wires - 1)) * outputs * steps


def fills(network: Network, layer: str, lanes: Any, box: Any) -> int:
    """Input bits of a node where windows stay along a run of columns and each run is filled once, for all channels."""
    height = network.population(layer).shape[1]
    total = 0
    for y in range(0, height, lanes.oy):
        rows = range(y, min(y + lanes.oy, height))
        before: set[Input] = set()
        for x in range(box.x0, box.x1, lanes.ox):
            columns = range(x, min(x + lanes.ox, box.x1))
            window = inputs_of(network, layer, rows, columns, range(box.k0, box.k1))
            total += bits(network, window - before, box.t1 - box.t0)
            before = window
    return total
