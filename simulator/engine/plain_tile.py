"""The function of a tile in plain Python: accumulators, taps and neuron updates, one synapse at a time."""

from __future__ import annotations

import numpy as np

from simulator.engine.board import Job
from simulator.engine.context import Context
from simulator.mapping.reach import SPARSE, Reach
from simulator.network.geometry import pooled_shape
from simulator.network.plain import PlainPopulation, weight
from simulator.network.projection import Projection


class PlainTile:
    """Membranes and accumulators of a layer, and the synapses into one tile of it.

    State is kept per layer (`store`), so that tiles and timesteps of one sample share it; a new sample resets it.
    """

    def __init__(self, ctx: Context, job: Job, tile: Reach) -> None:
        store, network = ctx.plain, ctx.work.network
        self.ctx, self.job, self.tile, self.network = ctx, job, tile, network
        name = tile.population.name
        if name not in store or store[name]["sample"] != job.sample:
            store[name] = {
                "sample": job.sample,
                "plain": PlainPopulation(tile.population),
                "sums": {p.name: {} for p in network.incoming(name)},
                "saturations": store.get(name, {}).get("saturations", 0),
            }
        self.entry = store[name]
        self.plain: PlainPopulation = self.entry["plain"]

    def targets(self, projection: int, flat: int) -> list[tuple[tuple[int, int, int], list[int]]]:
        """Taps of a source neuron in walking order: its pooled place and the flat target neurons of each tap."""
        fan = self.tile.fans[projection]
        if fan.mode == SPARSE:
            low, high = fan.col_start[flat], fan.col_start[flat + 1]
            return [((0, 0, int(flat)), [int(fan.col[i])]) for i in range(low, high)]
        c, _, w = fan.shape
        channel, y, x = flat % c, flat // c // w, flat // c % w
        return self._grid(fan.projection, fan.pooled, channel, y, x)

    def _grid(
        self, p: Projection, pooled: bool, channel: int, y: int, x: int
    ) -> list[tuple[tuple[int, int, int], list[int]]]:
        tile = self.tile
        source = self.network.population(p.source)
        seen = pooled_shape(p, source)
        channels, _, width = tile.population.shape
        places = [[(py, px) for px in _windows(p, 1, x, seen[2], pooled)] for py in _windows(p, 0, y, seen[1], pooled)]
        inside = range(tile.k0, tile.k1)
        taps: list[tuple[tuple[int, int, int], list[int]]] = []
        for line in places:
            for oy in range(tile.y0, tile.y1):
                for py, px in line:
                    hits = []
                    for ox in range(width):
                        ks = [
                            k
                            for k in inside
                            if _connected(p, seen, tile.population.shape, (channel, py, px), (k, oy, ox))
                        ]
                        if ks:
                            hits.append(((channel, py, px), [(oy * width + ox) * channels + k for k in ks]))
                    taps.extend(hits)
        if p.kind == "linear":
            merged: list[tuple[tuple[int, int, int], list[int]]] = []
            for line in places:
                for place in line:
                    flat = [
                        (oy * width + ox) * channels + k
                        for oy in range(tile.y0, tile.y1)
                        for ox in range(width)
                        for k in inside
                    ]
                    merged.append(((channel, *place), flat))
            return merged
        return taps

    def add(self, projection: int, place: tuple[int, int, int], targets: list[int], value: int) -> None:
        """One tap: adds the weights from `place` to `targets`, times `value`; nothing where spikes are replayed."""
        if not self.ctx.work.computing:
            return
        fan = self.tile.fans[projection]
        p = fan.projection
        sums = self.entry["sums"][p.name]
        channels, _, width = self.tile.population.shape
        seen = pooled_shape(p, self.network.population(p.source))
        for i in targets:
            if fan.mode == SPARSE:
                assert p.indptr is not None and p.indices is not None and p.weights is not None
                row = slice(int(p.indptr[place[2]]), int(p.indptr[place[2] + 1]))
                w = int(np.asarray(p.weights[row], np.int64)[p.indices[row] == i].sum())
                w //= max(1, int((p.indices[row] == i).sum()))
            else:
                to = (i % channels, i // channels // width, i // channels % width)
                w = weight(p, seen, self.tile.population.shape, place, to)
            sums[i] = sums.get(i, 0) + w * value

    def update(self, t: int) -> tuple[np.ndarray, np.ndarray | None]:
        """Updates every neuron of the tile in scan order and returns the spikes; accumulators are cleared."""
        tile, plain = self.tile, self.plain
        channels, _, width = tile.population.shape
        neuron = tile.population.neuron
        if not self.ctx.work.computing:
            return self._replayed(t)
        index: list[int] = []
        value: list[int] = []
        for position in range(tile.y0 * width, tile.y1 * width):
            for k in range(tile.k0, tile.k1):
                i = position * channels + k
                if t in neuron.reset_steps or not neuron.stateful:
                    initial = neuron.initial
                    plain.v[i], plain.u[i] = int(initial[k % initial.size]), 0
                sent, clamped = plain.update(i, self._arrived(i))
                self.entry["saturations"] += clamped
                if sent:
                    index.append(i)
                    value.append(sent)
        multi = neuron.output != "binary"
        return np.array(index, np.uint32), np.array(value, np.int32) if multi else None

    def _replayed(self, t: int) -> tuple[np.ndarray, np.ndarray | None]:
        """The recorded spikes that lie in this tile."""
        tile = self.tile
        index, value = self.ctx.work.fired(self.job.row, self.job.sample, t)
        mine = tile.holds(index)
        return index[mine], None if value is None else value[mine]

    def _arrived(self, i: int) -> int:
        total = 0
        for fan in self.tile.fans:
            p = fan.projection
            part = self.entry["sums"][p.name].pop(i, 0)
            if p.pool is not None and p.pool.kind == "average":
                part >>= (p.pool.size[0] * p.pool.size[1]).bit_length() - 1
            total += part
        return total


def _windows(p: Projection, axis: int, at: int, pooled_size: int, pooled: bool) -> list[int]:
    """Pooled coordinates whose window holds raw coordinate `at`; coordinates are pooled already under OR pooling."""
    if p.pool is None or pooled:
        return [at]
    size, stride = p.pool.size[axis], p.pool.stride[axis]
    return [o for o in range(pooled_size) if o * stride <= at < o * stride + size]


def _connected(
    p: Projection,
    seen: tuple[int, int, int],
    target: tuple[int, int, int],
    at: tuple[int, int, int],
    to: tuple[int, int, int],
) -> bool:
    """True when a synapse (of whatever weight) joins pooled source `at` and target `to`."""
    (c, y, x), (k, oy, ox) = at, to
    if p.kind == "linear":
        return True
    if p.kind == "one_to_one":
        return at == to
    for axis, (i, o) in enumerate(((y, oy), (x, ox))):
        offset = i + p.padding[axis] - o * p.stride[axis]
        if offset % p.dilation[axis] or not 0 <= offset // p.dilation[axis] < p.kernel[axis]:
            return False
    if p.kind == "depthwise":
        return c == k
    return k // (target[0] // p.groups) == c // (seen[0] // p.groups)
