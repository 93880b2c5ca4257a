"""Sizes in bits of what a tile needs: weights, state and spikes, counted exactly from the network."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from simulator.network.geometry import pooled_shape
from simulator.network.network import Network
from simulator.network.projection import Projection

Rows = Sequence[tuple[int, int]]


def part_range(channels: int, part: int, parts: int) -> tuple[int, int]:
    """Half-open range of the (pooled) source channels that belong to input part `part` of `parts`."""
    return channels * part // parts, channels * (part + 1) // parts


class Operands:
    """Operand sizes of one network; channel and row ranges are half-open and count output channels and rows."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self._sparse: dict[tuple[str, int, int], np.ndarray] = {}

    def weights(self, layer: str, k0: int, k1: int, rows: Rows, part: int = 0, parts: int = 1) -> int:
        """Weight bits for output channels [k0, k1) of `layer`, input part `part` of `parts`.

        `rows` lists the row ranges that are computed with them: a kernel serves all rows alike, but the weights of
        linear and sparse projections belong to single neurons.
        """
        return sum(p.weight_bits * self._count(p, k0, k1, rows, part, parts) for p in self.network.incoming(layer))

    def _count(self, p: Projection, k0: int, k1: int, rows: Rows, part: int, parts: int) -> int:
        target = self.network.population(p.target)
        c, h, w = pooled_shape(p, self.network.population(p.source))
        a, b = part_range(c, part, parts)
        taps = p.kernel[0] * p.kernel[1]
        if p.kind == "conv":
            if p.groups == 1:
                return (b - a) * taps * (k1 - k0)
            inputs, outputs = c // p.groups, target.shape[0] // p.groups
            return taps * sum(
                _overlap(k0, k1, g * outputs, (g + 1) * outputs) * _overlap(a, b, g * inputs, (g + 1) * inputs)
                for g in range(k0 // outputs, (k1 - 1) // outputs + 1)
            )
        if p.kind == "depthwise":
            return taps * _overlap(k0, k1, a, b)
        if p.kind == "one_to_one":
            return _overlap(k0, k1, a, b)
        if p.kind == "linear":
            return (b - a) * h * w * (k1 - k0) * target.shape[2] * sum(y1 - y0 for y0, y1 in rows)
        table = self._sparse_table(p, c, part, parts)
        return sum(int(table[k1, y1] - table[k0, y1] - table[k1, y0] + table[k0, y0]) for y0, y1 in rows)

    def _sparse_table(self, p: Projection, channels: int, part: int, parts: int) -> np.ndarray:
        """int64 [C + 1, H + 1]: weights of a sparse projection to channels below k and rows below y."""
        key = (p.name, part, parts)
        if key not in self._sparse:
            assert p.indptr is not None and p.indices is not None  # a checked network has both
            c, h, w = self.network.population(p.target).shape
            targets = np.asarray(p.indices, np.int64)
            if parts > 1:
                a, b = part_range(channels, part, parts)
                source = np.repeat(np.arange(p.indptr.size - 1), np.diff(p.indptr)) % channels
                targets = targets[(source >= a) & (source < b)]
            counts = np.bincount(targets % c * h + targets // (c * w), minlength=c * h).reshape(c, h)
            table = np.zeros((c + 1, h + 1), np.int64)
            table[1:, 1:] = counts.cumsum(0).cumsum(1)
            self._sparse[key] = table
        return self._sparse[key]

    def state(self, layer: str, k0: int, k1: int, y0: int, y1: int) -> int:
        """Bits of the membranes (and currents, for current-based neurons) of a tile; accumulators if not stateful."""
        population = self.network.population(layer)
        values = 2 if population.neuron.model == "cuba_lif" else 1
        return (k1 - k0) * (y1 - y0) * population.shape[2] * population.neuron.membrane_bits * values

    def spikes(self, population: str, steps: int) -> int:
        """Bits of a bitmap of the population's spikes over `steps` timesteps."""
        found = self.network.population(population)
        return found.size * steps * found.neuron.stored_bits

    def source_range(
        self, p: Projection, k0: int, k1: int, y0: int, y1: int, part: int, parts: int
    ) -> tuple[int, int, int, int]:
        """Channels and rows (c0, c1, y0, y1) of the source that a tile with these output ranges can receive from."""
        source = self.network.population(p.source)
        c, h, _ = pooled_shape(p, source)
        c0, c1 = part_range(c, part, parts)
        if p.kind in ("depthwise", "one_to_one"):
            c0, c1 = max(c0, k0), min(c1, k1)
        elif p.kind == "conv" and p.groups > 1:
            outputs, inputs = self.network.population(p.target).shape[0] // p.groups, c // p.groups
            c0, c1 = max(c0, k0 // outputs * inputs), min(c1, ((k1 - 1) // outputs + 1) * inputs)
        low, high = 0, h
        if p.kind == "one_to_one":
            low, high = y0, y1
        elif p.kind in ("conv", "depthwise"):
            low = min(max(y0 * p.stride[0] - p.padding[0], 0), h)
            high = min(max((y1 - 1) * p.stride[0] - p.padding[0] + p.dilation[0] * (p.kernel[0] - 1) + 1, low), h)
        if p.pool is not None and high > low:
            low, high = low * p.pool.stride[0], (high - 1) * p.pool.stride[0] + p.pool.size[0]
        return c0, max(c0, c1), low, high


def _overlap(a0: int, a1: int, b0: int, b1: int) -> int:
    return max(0, min(a1, b1) - max(a0, b0))
