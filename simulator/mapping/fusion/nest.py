"""The loop nest of one computation node: tiles, what is filled into the array's own memories, cycles and accesses.

A tile is lanes.k channels x lanes.oy rows x lanes.ox columns for all timesteps of the node; its states and partial sums
stay in registers.  Tiles that read the same inputs form a group.  Two orders of loops are known:

    weights stay      for output channels: for rows: for columns     inputs are filled once per group of channels
    inputs stay       for rows: for columns: for output channels     weights are filled once if all of them fit

and the one that fills fewer bits is taken.  Along a run of columns an input window keeps what the next one reads too.
Wires (additions, poolings) that keep no state take as many channels and rows at once as the input memory holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from simulator.network import Network, Projection
from simulator.network.geometry import pooled_shape
from simulator.network.sizes import state_bits, weight_bits
from simulator.units import ceil_div


@dataclass(frozen=True)
class Box:
    """What a compute row of a fused mapping makes: a layer's channels, columns and timesteps, half-open; all rows."""

    layer: str
    k0: int
    k1: int
    x0: int
    x1: int
    t0: int
    t1: int


@dataclass(frozen=True)
class Memories:
    """Bits that the weight and the input memory hold and give per cycle, and the least bits of one read."""

    weight: int
    weight_width: int
    input: int
    input_width: int
    access: int

    @classmethod
    def of(cls, array: Any, weight: Any, inputs: Any) -> Memories:
        """From the specs of a `pe_array` and of its two memories."""
        return cls(
            weight.capacity_bytes * 8, weight.width_bits * weight.banks, inputs.capacity_bytes * 8,
            inputs.width_bits * inputs.banks, array.access_bits,
        )  # fmt: skip


@dataclass(frozen=True)
class Tile:
    """cycles: of computation.  weights: bits filled before it.  state: bits read before and written after it.

    made: bits of outputs.
    """

    cycles: int
    weights: int
    state: int
    made: int


@dataclass(frozen=True)
class Group:
    """Tiles that share a window of inputs; inputs: bits filled before the first of them."""

    inputs: int
    tiles: tuple[Tile, ...]


@dataclass(frozen=True)
class Node:
    """A node as the array runs it.

    ahead: the window of the next group can be filled during this one.  operations: of all elements, padding included.
    weight_read, input_read: bits used and bits moved by reads of the two memories.
    """

    groups: tuple[Group, ...]
    ahead: bool
    operations: int
    weight_read: tuple[int, int]
    input_read: tuple[int, int]


class _Source:
    """One projection into the node's layer, counted per tile."""

    def __init__(self, p: Projection, network: Network) -> None:
        source = network.population(p.source)
        c, h, w = pooled_shape(p, source)
        self.p, self.shape = p, (c, h, w)
        self.value_bits = source.neuron.stored_bits
        self.wire = p.kind == "one_to_one" and p.weight_bits == 0
        self.own = p.kind in ("one_to_one", "depthwise")
        """A channel reads its own channel only."""
        self.depth = 1 if self.own else c
        self.taps = {"linear": h * w, "one_to_one": 1}.get(p.kind, p.kernel[0] * p.kernel[1])
        if self.wire and p.pool is not None:
            self.taps = p.pool.size[0] * p.pool.size[1]

    def span(self, axis: int, low: int, high: int) -> tuple[int, int]:
        """Half-open range of source rows (axis 0) or columns (1), inside the map, that outputs low .. high read."""
        p, limit = self.p, self.shape[1 + axis]
        if p.kind == "linear":
            low, high = 0, limit
        elif p.kind != "one_to_one":
            low = low * p.stride[axis] - p.padding[axis]
            high = (high - 1) * p.stride[axis] - p.padding[axis] + p.dilation[axis] * (p.kernel[axis] - 1) + 1
        low, high = min(max(low, 0), limit), min(max(high, 0), limit)
        if p.pool is not None and high > low:
            low, high = low * p.pool.stride[axis], (high - 1) * p.pool.stride[axis] + p.pool.size[axis]
        return low, max(low, high)


class Planner:
    """Makes the nodes of one array; equal boxes at other timesteps share a node."""

    def __init__(self, network: Network, lanes: Any, memories: Memories) -> None:
        self.network, self.lanes, self.memories = network, lanes, memories
        self._nodes: dict[tuple[str, int, int, int, int, int], Node] = {}

    def node(self, box: Box) -> Node:
        """The loop nest of a box."""
        key = (box.layer, box.k0, box.k1, box.x0, box.x1, box.t1 - box.t0)
        if key not in self._nodes:
            self._nodes[key] = _Nest(self, box).node()
        return self._nodes[key]


class _Nest:
    """Works one node out."""

    def __init__(self, planner: Planner, box: Box) -> None:
        self.memories, self.box = planner.memories, box
        network = planner.network
        population = network.population(box.layer)
        channels, self.height, width = population.shape
        self.sources = [_Source(p, network) for p in network.incoming(box.layer)]
        self.steps = box.t1 - box.t0
        neurons = channels * self.height * width
        self.state_of = state_bits(network, box.layer) // neurons
        self.made_of = population.neuron.stored_bits * self.steps
        self.weight_of = weight_bits(network, box.layer) // channels
        lanes = planner.lanes
        self.lanes = lanes
        self.k, self.oy, self.ox = lanes.k, lanes.oy, lanes.ox
        if all(s.wire for s in self.sources) and not self.state_of:
            bits = self._window(0, self.height, box.x0, box.x0 + self.ox, box.k1 - box.k0)
            if 2 * bits <= self.memories.input:
                self.k, self.oy = box.k1 - box.k0, self.height
        self.used, self.moved = [0, 0], [0, 0]
        self._fastest: dict[tuple[str, int, int], tuple[int, tuple[int, int]]] = {}

    def _window(self, y0: int, y1: int, x0: int, x1: int, channels: int, after: int | None = None) -> int:
        """Bits of the inputs of outputs [y0, y1) x [x0, x1); only those that outputs before column `after` do not read.

        channels: output channels, for projections whose channels read their own.
        """
        total = 0
        for s in self.sources:
            rows, columns = s.span(0, y0, y1), s.span(1, x0, x1)
            low = columns[0] if after is None else max(columns[0], s.span(1, x0, after)[1])
            depth = channels if s.own else s.shape[0]
            total += (rows[1] - rows[0]) * max(0, columns[1] - low) * depth * s.value_bits * self.steps
        return total

    def node(self) -> Node:
        """The fastest of the plans that this array has, with everything counted.

        Where the weights of all lanes do not fit their memory, fewer channels at once may be filled once and stay.
        """
        plans = [self._plan()]
        while self.weight_of * self.k > self.memories.weight and self.k > 1:
            self.k = ceil_div(self.k, 2)
            plans.append(self._plan())
        return min(plans, key=self._cost)

    def _cost(self, node: Node) -> int:
        """Cycles of a plan if nothing ran beside another."""
        cap, tiles = self.memories, [tile for group in node.groups for tile in group.tiles]
        filled = sum(ceil_div(tile.weights, cap.weight_width) for tile in tiles)
        filled += sum(ceil_div(group.inputs, cap.input_width) for group in node.groups)
        return filled + sum(tile.cycles for tile in tiles)

    def _plan(self) -> Node:
        """Tiles of `k` channels, `oy` rows and `ox` columns in the better order."""
        box, cap = self.box, self.memories
        self.used, self.moved = [0, 0], [0, 0]
        ks = [(k, min(k + self.k, box.k1)) for k in range(box.k0, box.k1, self.k)]
        ys = [(y, min(y + self.oy, self.height)) for y in range(0, self.height, self.oy)]
        xs = [(x, min(x + self.ox, box.x1)) for x in range(box.x0, box.x1, self.ox)]
        places = [(y, x) for y in ys for x in xs]
        wide = any(not s.own for s in self.sources)
        depths = [box.k1 - box.k0 if wide else k[1] - k[0] for k in ks]
        largest = max(self._window(*y, *x, depths[0]) for y in ys for x in (xs[0], xs[len(xs) // 2]))
        keeps = largest <= cap.input
        windows = {depth: self._windows(ys, xs, depth, keeps) for depth in set(depths)}
        weights, group = self.weight_of * (box.k1 - box.k0), self.weight_of * self.k
        resident = weights <= cap.weight
        every = sum(sum(windows[depth]) for depth in depths)
        once = keeps and wide
        inputs_stay = (sum(windows[depths[0]]) if once else every) + weights * (1 if resident else len(places))
        plan: list[Group] = []
        if group <= cap.weight and every + weights < inputs_stay:
            for k, depth in zip(ks, depths, strict=True):
                for i, (y, x) in enumerate(places):
                    share = self.weight_of * (k[1] - k[0]) if i == 0 else 0
                    plan.append(Group(windows[depth][i], (self._tile(k, y, x, share),)))
        else:
            for i, (y, x) in enumerate(places):
                filled = [self.weight_of * (k[1] - k[0]) if i == 0 or not resident else 0 for k in ks]
                tiles = [self._tile(k, y, x, bits) for k, bits in zip(ks, filled, strict=True)]
                if once:
                    plan.append(Group(windows[depths[0]][i], tuple(tiles)))
                else:
                    plan += [Group(windows[depth][i], (tile,)) for depth, tile in zip(depths, tiles, strict=True)]
        ahead = keeps and largest + max(windows[depths[0]][1:], default=0) <= cap.input
        outputs = (box.k1 - box.k0) * self.height * (box.x1 - box.x0) * self.steps
        return Node(
            tuple(plan), ahead, outputs * self._operations(), (self.used[0], self.moved[0]),
            (self.used[1], self.moved[1]),
        )  # fmt: skip

    def _windows(self, ys: list[tuple[int, int]], xs: list[tuple[int, int]], depth: int, keeps: bool) -> list[int]:
        """Bits of inputs filled for each place, row by row; `keeps`: what it shares with the one before stays."""
        found = []
        for y in ys:
            for i, x in enumerate(xs):
                found.append(self._window(*y, *x, depth, xs[i - 1][1] if i and keeps else None))
        return found

    def _operations(self) -> int:
        """Operations per output and timestep; the sum of n wired operands takes n - 1, a pooling one per input."""
        wires = [s.taps for s in self.sources if s.wire]
        return sum(s.depth * s.taps for s in self.sources if not s.wire) + max(0, sum(wires) - max(0, len(wires) - 1))

    def _tile(self, k: tuple[int, int], y: tuple[int, int], x: tuple[int, int], weights: int) -> Tile:
        """One tile; its reads of the array's own memories are added up."""
        channels, area = k[1] - k[0], (y[1] - y[0]) * (x[1] - x[0])
        cap, cycles = self.memories, 0
        wires = [s for s in self.sources if s.wire]
        for s in self.sources:
            if s.wire:
                continue
            used = channels * s.depth * s.taps, s.depth * s.taps * area * (channels if s.own else 1)
            took, moved = self._rounds(s, channels, area)
            cycles += took
            self._read(0, used[0] * s.p.weight_bits, moved[0])
            self._read(1, used[1] * s.value_bits, moved[1])
        if wires:
            value = sum(s.taps * s.value_bits for s in wires) * channels * area
            lanes = ceil_div(channels, self.lanes.k) * ceil_div(y[1] - y[0], self.lanes.oy) * (x[1] - x[0])
            operations = max(1, sum(s.taps for s in wires) - len(wires) + 1)
            cycles += max(lanes * operations, ceil_div(value, cap.input_width))
            self._read(1, value, ceil_div(value, cap.access) * cap.access)
        return Tile(cycles * self.steps, weights, channels * area * self.state_of, channels * area * self.made_of)

    def _rounds(self, s: _Source, channels: int, area: int) -> tuple[int, tuple[int, int]]:
        """Cycles for one source of a tile, and bits read from the weight and the input memory for it.

        As many input channels at once as are fastest, of those the most: where a memory cannot feed all lanes in a
        cycle, fewer may leave less of its words unused.
        """
        key = s.p.name, channels, area
        if key not in self._fastest:
            most = 1 if s.own else min(self.lanes.c, s.depth)
            found = [self._at_once(s, channels, area, ways) for ways in range(most, 0, -1)]
            self._fastest[key] = min(found, key=lambda each: each[0])
        return self._fastest[key]

    def _at_once(self, s: _Source, channels: int, area: int, ways: int) -> tuple[int, tuple[int, int]]:
        """The same for `ways` input channels at once; the last round may have fewer."""
        cap, full, rest = self.memories, s.depth // ways, s.depth % ways
        cycles, weights, values = 0, 0, 0
        for at_once, times in ((ways, full), (rest, 1 if rest else 0)):
            weight = channels * at_once * s.p.weight_bits
            value = area * s.value_bits * (channels if s.own else at_once)
            moved = [ceil_div(bits, cap.access) * cap.access for bits in (weight, value)]
            rate = max(1, ceil_div(moved[0], cap.weight_width), ceil_div(moved[1], cap.input_width))
            cycles += times * rate
            weights += times * moved[0]
            values += times * moved[1]
        return cycles * s.taps, (weights * s.taps, values * s.taps)

    def _read(self, memory: int, used: int, moved: int) -> None:
        self.used[memory] += used * self.steps
        self.moved[memory] += max(used, moved) * self.steps
