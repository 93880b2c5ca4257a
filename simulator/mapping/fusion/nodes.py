"""Computation nodes: layers cut by columns and timesteps, and which node needs what others make.

A node is a number: `base[population] + t * parts + c` for timestep part t and column part c of a population.  Inputs of
the network are cut like the layer that reads them, so a node of an input stands for a tensor that main memory holds.
Nothing is kept per pair of nodes: a column part needs a contiguous range of its source's parts, and ranges only rise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.errors import InputError
from simulator.mapping.fusion.entry import FusedMapping, Fusion
from simulator.network.geometry import pooled_shape
from simulator.network.network import Network
from simulator.network.projection import Projection


@dataclass(frozen=True)
class Edge:
    """What the nodes of a layer read of one source (numbers of populations).

    columns     int64 [parts, 2]: half-open range of source columns, inside the map, that a column part reads
    first, end  int64 [parts]: half-open range of the source's column parts that hold them
    span        timestep parts of the source per timestep part of the layer; 0: several parts of the layer share one
    """

    source: int
    layer: int
    columns: np.ndarray
    first: np.ndarray
    end: np.ndarray
    span: int


class Nodes:
    """All nodes of a network under a mapping for `steps` timesteps.

    names, parts, steps_of, width, base: per population its name, column parts, timestep parts, columns and first node.
    """

    def __init__(self, network: Network, entries: tuple[FusedMapping, ...], fusion: Fusion, steps: int) -> None:
        self.network, self.steps, self._padded = network, steps, fusion.halo == "padded"
        self._by_column: dict[tuple[int, int], np.ndarray] = {}
        by_layer = {entry.layer: entry for entry in entries}
        self.names = [*network.inputs, *network.layers]
        self.inputs = len(network.inputs)
        number = {name: i for i, name in enumerate(self.names)}
        self.width = [network.population(name).shape[2] for name in self.names]
        self.parts = [0] * len(self.names)
        self.steps_of = [0] * len(self.names)
        for name in network.layers:
            entry, i = by_layer[name], number[name]
            if self.width[i] % entry.columns:
                raise InputError(
                    "the column ranges of a layer must be equal",
                    key=f"layers.{name}.columns",
                    found=entry.columns,
                    allowed=f"a divisor of {self.width[i]}",
                )
            self.parts[i] = entry.columns
            self.steps_of[i] = steps if entry.node_timesteps == "one" else 1
        self._cut_inputs(number)
        sizes = [p * s for p, s in zip(self.parts, self.steps_of, strict=True)]
        self.base = np.concatenate(([0], np.cumsum(sizes, dtype=np.int64)))
        self.count = int(self.base[-1])
        self.edges_of: list[list[Edge]] = [[] for _ in self.names]  # by layer
        self.edges_from: list[list[Edge]] = [[] for _ in self.names]  # by source
        for name in network.layers:
            for source in dict.fromkeys(p.source for p in network.incoming(name)):
                edge = self._edge(number[source], number[name])
                self.edges_of[number[name]].append(edge)
                self.edges_from[number[source]].append(edge)

    def _cut_inputs(self, number: dict[str, int]) -> None:
        """An input is cut as finely as its readers, where its width allows."""
        for i, name in enumerate(self.network.inputs):
            readers = [number[p.target] for p in self.network.outgoing(name)]
            fine = max((self.parts[r] for r in readers), default=1)
            self.parts[i] = nearest_divisor(self.width[i], fine)
            self.steps_of[i] = max((self.steps_of[r] for r in readers), default=1)

    def _edge(self, source: int, layer: int) -> Edge:
        columns = self._columns(source, layer, self.parts[layer])
        wide = self.width[source] // self.parts[source]
        ratio = self.steps_of[source] // self.steps_of[layer]
        return Edge(source, layer, columns, columns[:, 0] // wide, (columns[:, 1] - 1) // wide + 1, ratio)

    def _columns(self, source: int, layer: int, parts: int) -> np.ndarray:
        """int64 [parts, 2]: half-open range of the source's columns that each of `parts` ranges of the layer reads."""
        wide = self.width[layer] // parts
        x0 = np.arange(parts, dtype=np.int64) * wide
        low, high = np.full_like(x0, self.width[source]), np.zeros_like(x0)
        for p in self.network.incoming(self.names[layer]):
            if p.source == self.names[source]:
                if p.delay:
                    raise InputError("a fused mapping has no delays", key=f"projection {p.name}", found=p.delay)
                a, b = _reads(p, self.network, x0, x0 + wide, self._padded)
                low, high = np.minimum(low, a), np.maximum(high, b)
        return np.stack((low, high), axis=1)

    def reads(self, edge: Edge, x: int) -> tuple[int, int]:
        """Half-open range of the source's columns that output column `x` of the layer reads."""
        key = (edge.source, edge.layer)
        if key not in self._by_column:
            self._by_column[key] = self._columns(edge.source, edge.layer, self.width[edge.layer])
        low, high = self._by_column[key][x].tolist()
        return low, high

    def part_steps(self, population: int) -> int:
        """Timesteps of one node."""
        return self.steps // self.steps_of[population]

    def part_columns(self, population: int) -> int:
        """Columns of one node."""
        return self.width[population] // self.parts[population]

    def needed(self, edge: Edge, c: int, t: int) -> list[int]:
        """Nodes of the source that the layer's node (c, t) reads."""
        t0, t1 = (t * edge.span, (t + 1) * edge.span) if edge.span else (self._shared(edge, t),) * 2
        t1 = max(t1, t0 + 1)
        base, parts = int(self.base[edge.source]), self.parts[edge.source]
        first, end = int(edge.first[c]), int(edge.end[c])
        return [base + s * parts + x for s in range(t0, t1) for x in range(first, end)]

    def _shared(self, edge: Edge, t: int) -> int:
        return t * self.steps_of[edge.source] // self.steps_of[edge.layer]

    def readers(self, edge: Edge, c: int, t: int) -> list[int]:
        """Nodes of the layer that read the source's node (c, t)."""
        first = int(np.searchsorted(edge.end, c, side="right"))
        end = int(np.searchsorted(edge.first, c, side="right"))
        if edge.span:
            t0, t1 = t // edge.span, t // edge.span + 1
        else:
            ratio = self.steps_of[edge.layer] // self.steps_of[edge.source]
            t0, t1 = t * ratio, (t + 1) * ratio
        base, parts = int(self.base[edge.layer]), self.parts[edge.layer]
        return [base + s * parts + x for s in range(t0, t1) for x in range(first, end)]

    def open_inputs(self) -> np.ndarray:
        """int64 [nodes]: nodes of layers that each node waits for."""
        waits = np.zeros(self.count, np.int64)
        for edges in self.edges_of:
            for edge in edges:
                if edge.source >= self.inputs:
                    per_part = (edge.end - edge.first) * max(edge.span, 1)
                    base, end = self.base[edge.layer], self.base[edge.layer + 1]
                    waits[base:end] += np.tile(per_part, self.steps_of[edge.layer])
        return waits

    def uses(self) -> np.ndarray:
        """int64 [nodes]: nodes that read what each node makes."""
        found = np.zeros(self.count, np.int64)
        for edges in self.edges_from:
            for edge in edges:
                change = np.zeros(self.parts[edge.source] + 1, np.int64)
                np.add.at(change, edge.first, 1)
                np.add.at(change, edge.end, -1)
                per_part = change.cumsum()[:-1]
                if not edge.span:
                    per_part = per_part * (self.steps_of[edge.layer] // self.steps_of[edge.source])
                base, end = self.base[edge.source], self.base[edge.source + 1]
                found[base:end] += np.tile(per_part, self.steps_of[edge.source])
        return found


def nearest_divisor(number: int, wish: int) -> int:
    """The divisor of `number` that is nearest to `wish`; the smaller one of two."""
    return min((d for d in range(1, number + 1) if number % d == 0), key=lambda d: (abs(d - wish), d))


def _reads(
    p: Projection, network: Network, x0: np.ndarray, x1: np.ndarray, padded: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Half-open ranges of source columns that output columns x0 .. x1 read through one projection."""
    _, _, wide = pooled_shape(p, network.population(p.source))
    if p.kind in ("linear", "sparse"):
        low, high = np.zeros_like(x0), np.full_like(x1, wide)
    elif p.kind == "one_to_one":
        low, high = x0, x1
    else:
        shift = p.padding[1] if padded else 0
        low = x0 * p.stride[1] - shift
        high = (x1 - 1) * p.stride[1] - shift + p.dilation[1] * (p.kernel[1] - 1) + 1
    low = np.clip(low, 0, wide - 1)
    high = np.clip(high, low + 1, wide)
    if p.pool is not None:
        low, high = low * p.pool.stride[1], (high - 1) * p.pool.stride[1] + p.pool.size[1]
    return low, high
