"""Lowering: a mapping becomes the schedule of loads, computes and stores that it implies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Literal

import numpy as np

from simulator.mapping import schedule as s
from simulator.mapping.capacity import Plan, check_mapping, check_names, persists
from simulator.mapping.chip import Channel
from simulator.mapping.crossbar.lower import lower_on_crossbars
from simulator.mapping.fusion.lower import lower_fused
from simulator.mapping.mapping import LayerMapping, Mapping
from simulator.mapping.schedule import Schedule
from simulator.mapping.tiles import Tile
from simulator.mapping.whole import lower_whole, whole_unit
from simulator.network.network import Network
from simulator.network.projection import Projection

if TYPE_CHECKING:
    from simulator.hardware import Hardware


def lower(mapping: Mapping, network: Network, hardware: Hardware) -> Schedule:
    """The schedule of `mapping`; InputError where the mapping does not fit the network or the hardware.

    Per layer the loop order is channel tile, row tile, input part (innermost).  A streamed weight tile is loaded once
    per core, for all its row tiles; with several input parts it is loaded again for each row tile.
    """
    if mapping.on_crossbars:
        return lower_on_crossbars(mapping, network, hardware)
    whole = whole_unit(hardware)
    if whole is not None:
        return lower_whole(mapping, network, hardware, whole)
    if mapping.fusion is not None:
        check_names(mapping, network, hardware.name, ())
        return lower_fused(mapping.fused, mapping.fusion, mapping.timesteps_hint, network, hardware)
    return _Lowering(check_mapping(mapping, network, hardware)).schedule()


@dataclass
class _Weights:
    """One streamed weight tile (or part of it) on its way through the ring of buffers of a core."""

    layer: str
    k0: int
    k1: int
    y0: int
    y1: int
    part: int
    parts: int
    bits: int
    buffers: int
    load: int = -1
    last_use: int = -1


@dataclass
class _CoreState:
    """What is in flight on one core while rows are written."""

    ring: list[_Weights] = field(default_factory=list)
    loaded: int = 0
    state_stores: list[int] = field(default_factory=list)
    unstored: Callable[[], int] | None = None
    tile_spike_uses: list[int] = field(default_factory=list)


class _Lowering:
    """Writes rows in the order in which the host hands them out."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.network = plan.operands.network
        self.mapping = plan.mapping
        self.layer_row = {name: i + 1 for i, name in enumerate(self.network.layers)}
        self.population_index = {p.name: i for i, p in enumerate(self.network.populations)}
        self.rows: list[tuple[int, ...]] = []
        self.after: list[int] = []
        self.after_start: list[int] = [0]
        self.turns = {"load": 0, "store": 0}
        self.cores = {name: _CoreState() for name in plan.chip.cores}
        self.resident: dict[tuple[str, str, int], int] = {}
        self.computed: dict[str, list[int]] = {}
        self.stored: dict[str, list[int]] = {}
        self.input_loads: dict[str, list[int]] = {}

    def schedule(self) -> Schedule:
        """All rows, as arrays."""
        for layer in self.network.layers:
            self._load_resident(layer)
        prologue = len(self.rows)
        for layer in self.network.layers:
            self._queue_streams(layer)
        self._load_inputs()
        previous: str | None = None
        for layer in self.network.layers:
            self._layer(layer, previous)
            previous = layer
        columns = np.array(self.rows, np.int64).reshape(-1, len(s.COLUMNS))
        repeat: Literal["sample", "step"] = "sample" if self.mapping.timesteps == "all" else "step"
        return Schedule(
            **{name: columns[:, i] for i, name in enumerate(s.COLUMNS)},
            after_start=np.array(self.after_start),
            after=np.array(self.after, np.int32),
            prologue=prologue,
            repeat=repeat,
            units=self.plan.chip.units,
            layers=("unattributed", *self.network.layers),
            populations=tuple(p.name for p in self.network.populations),
        )

    def _row(self, values: tuple[int, ...], after: list[int]) -> int:
        self.rows.append(values)
        self.after.extend(dict.fromkeys(a for a in after if a >= 0))
        self.after_start.append(len(self.after))
        return len(self.rows) - 1

    def _transfer(
        self,
        op: int,
        layer: str,
        operand: int,
        near: int,
        bits: int,
        box: tuple[int, int, int, int],
        after: list[int],
        *,
        population: str | None = None,
        part: tuple[int, int] = (0, 1),
    ) -> int:
        """A LOAD or STORE row on the next DMA channel in turn."""
        way, channels = ("load", self.plan.chip.loads) if op == s.LOAD else ("store", self.plan.chip.stores)
        channel: Channel = channels[self.turns[way] % len(channels)]
        self.turns[way] += 1
        index = -1 if population is None else self.population_index[population]
        row = (op, channel.unit, self.layer_row[layer], operand, index, near, channel.far, bits, *box, *part, 0, 0)
        return self._row(row, after)

    def _load_resident(self, layer: str) -> None:
        entry = self.mapping.layer(layer)
        if entry.weights != "resident":
            return
        for tile in self.plan.weight_tiles[layer]:
            bits = self.plan.operands.weights(layer, tile.k0, tile.k1, tile.rows)
            if bits:
                box = (tile.k0, tile.k1, tile.rows[0][0], tile.rows[-1][1])
                near = self.plan.chip.cores[tile.core].weight.unit
                key = (layer, tile.core, tile.k0)
                self.resident[key] = self._transfer(s.LOAD, layer, s.WEIGHT, near, bits, box, [])

    def _queue_streams(self, layer: str) -> None:
        """Lines up the layer's streamed weight tiles on each core, in the order in which they are used."""
        entry = self.mapping.layer(layer)
        if entry.weights != "stream":
            return
        parts = entry.input_parts
        for tile in self.plan.weight_tiles[layer]:
            uses = [tile.rows] if parts == 1 else [(rows,) for rows in tile.rows]
            for rows in uses:
                for part in range(parts):
                    bits = self.plan.operands.weights(layer, tile.k0, tile.k1, rows, part, parts)
                    if bits:
                        low, high = rows[0][0], rows[-1][1]
                        item = _Weights(layer, tile.k0, tile.k1, low, high, part, parts, bits, entry.weight_buffers)
                        self.cores[tile.core].ring.append(item)

    def _load_inputs(self) -> None:
        """Loads, once per repetition, the input populations that stay on chip."""
        for name in self.network.inputs:
            targets = [p.target for p in self.network.outgoing(name)]
            if self.mapping.inputs[name] != "chip" or not targets:
                continue
            first = min(targets, key=self.layer_row.__getitem__)
            memories = {self.plan.chip.cores[c].spike.unit for t in targets for c in self.mapping.layer(t).cores}
            self.input_loads[name] = [self._load_spikes(first, name, near, None, []) for near in sorted(memories)]

    def _load_spikes(
        self, layer: str, source: str, near: int, box: tuple[int, int, int, int] | None, after: list[int]
    ) -> int:
        c, h, _ = self.network.population(source).shape
        return self._transfer(
            s.LOAD, layer, s.SPIKE, near, s.AS_RECORDED, box or (0, c, 0, h), after, population=source
        )

    def _layer(self, layer: str, previous: str | None) -> None:
        entry = self.mapping.layer(layer)
        for core in entry.cores:
            self._load_weights_up_to(core, layer)
        barrier, by_memory = self._sources(layer, entry, previous)
        last: dict[str, int] = {}
        stores: dict[int, int] = {}
        tiles = self.plan.tiles[layer]
        for tile in tiles:
            near = self.plan.chip.cores[tile.core].spike.unit
            row = self._tile(layer, entry, tile, barrier + by_memory.get(near, []))
            last[tile.core] = row
            if entry.spikes == "dram":
                box = (tile.k0, tile.k1, tile.y0, tile.y1)
                store = self._transfer(s.STORE, layer, s.SPIKE, near, s.AS_RECORDED, box, [row], population=layer)
                stores[self.rows[store][1]] = store
        for core in entry.cores:
            self._store_state(core)
        self.computed[layer] = list(last.values())
        self.stored[layer] = list(stores.values())

    def _sources(self, layer: str, entry: LayerMapping, previous: str | None) -> tuple[list[int], dict[int, list[int]]]:
        """Rows that every compute of the layer waits for, and by spike memory the loads that fill it."""
        barrier: list[int] = []
        by_memory: dict[int, list[int]] = {}
        memories = dict.fromkeys(self.plan.chip.cores[c].spike.unit for c in entry.cores)
        turn = [] if previous is None else self.computed[previous]
        for source in dict.fromkeys(p.source for p in self.network.incoming(layer)):
            inflow = self.plan.inflows[layer, source]
            if inflow == "whole":
                for near in memories:
                    row = self._load_spikes(layer, source, near, None, self._made(layer, source) + turn)
                    by_memory.setdefault(near, []).append(row)
            elif inflow == "chip" and source in self.input_loads:
                barrier += self.input_loads[source]
            else:
                barrier += self._made(layer, source)
        return barrier, by_memory

    def _made(self, layer: str, source: str) -> list[int]:
        """The last rows, per unit, that bring this repetition's spikes of `source` to their home."""
        waits = [p for p in self.network.incoming(layer) if p.source == source and self._same_repetition(p)]
        if not waits or source not in self.computed:
            return []
        return self.stored[source] or self.computed[source]

    def _same_repetition(self, projection: Projection) -> bool:
        return self.mapping.timesteps == "all" or projection.delay == 0

    def _load_weights_up_to(self, core: str, layer: str) -> None:
        """Emits the load of the core's next weight tile if that belongs to `layer` and a buffer is known to free."""
        state = self.cores[core]
        if state.loaded == len(state.ring) or state.ring[state.loaded].layer != layer:
            return
        self._emit_load(core)

    def _emit_load(self, core: str) -> None:
        """Loads the next weight tile of the ring once the tile whose buffer it takes is no longer used."""
        state = self.cores[core]
        i = state.loaded
        item = state.ring[i]
        freed = i - self._depth(state.ring, i)
        after = [state.ring[freed].last_use] if freed >= 0 else []
        item.load = self._transfer(
            s.LOAD,
            item.layer,
            s.WEIGHT,
            self.plan.chip.cores[core].weight.unit,
            item.bits,
            (item.k0, item.k1, item.y0, item.y1),
            after,
            part=(item.part, item.parts),
        )
        state.loaded += 1

    @staticmethod
    def _depth(ring: list[_Weights], i: int) -> int:
        """Tiles the weight memory holds when tile `i` comes in: a tile with one buffer takes all of it."""
        return min(ring[i].buffers, ring[i - 1].buffers) if i else ring[i].buffers

    def _weights_for(self, layer: str, tile: Tile, part: int) -> tuple[int, _Weights | None]:
        """The row that loads the weights of a compute (-1: it has none), and its place in the ring."""
        key = (layer, tile.core, tile.k0)
        if self.mapping.layer(layer).weights == "resident":
            return self.resident.get(key, -1), None
        state = self.cores[tile.core]
        wanted = (layer, tile.k0, part)

        def serves(item: _Weights) -> bool:
            return (item.layer, item.k0, item.part) == wanted and item.y0 <= tile.y0 < item.y1

        current = next((j for j in range(state.loaded - 1, max(state.loaded - 3, -1), -1) if serves(state.ring[j])), -1)
        if current < 0:
            if state.loaded == len(state.ring) or not serves(state.ring[state.loaded]):
                return -1, None
            current = state.loaded
            self._emit_load(tile.core)
        ahead = state.loaded
        if ahead == current + 1 and ahead < len(state.ring) and self._depth(state.ring, ahead) == 2:
            self._emit_load(tile.core)
        return state.ring[current].load, state.ring[current]

    def _tile(self, layer: str, entry: LayerMapping, tile: Tile, barrier: list[int]) -> int:
        """Loads, computes and stores of one tile; returns the row of its last compute."""
        core = self.plan.chip.cores[tile.core]
        state = self.cores[tile.core]
        box = (tile.k0, tile.k1, tile.y0, tile.y1)
        parts = entry.input_parts
        moves = entry.state == "dram" and persists(self.mapping.timesteps, self.network, layer)
        bits = self.plan.operands.state(layer, *box)
        waits = list(barrier)
        if moves:
            depth = self.plan.state_buffers[tile.core]
            if depth == 1:
                self._store_state(tile.core)
            n = len(state.state_stores) + (state.unstored is not None)  # tiles whose state came before this one's
            free = [state.state_stores[n - depth]] if n >= depth else []
            waits.append(self._transfer(s.LOAD, layer, s.STATE, core.state.unit, bits, box, free, population=layer))
        row = -1
        for part in range(parts):
            load, item = self._weights_for(layer, tile, part)
            spikes = self._tile_spikes(layer, tile, part, parts)
            self._store_state(tile.core)
            values = (s.COMPUTE, core.unit, self.layer_row[layer], s.PARTIAL_SUM, self.population_index[layer])
            flags = (part, parts, int(part == 0), int(part == parts - 1))
            row = self._row((*values, -1, -1, 0, *box, *flags), [load, *spikes, *waits])
            if item is not None:
                item.last_use = row
            if spikes:
                state.tile_spike_uses.append(row)
        if moves:
            state.unstored = partial(
                self._transfer, s.STORE, layer, s.STATE, core.state.unit, bits, box, [row], population=layer
            )
        return row

    def _store_state(self, core: str) -> None:
        """Emits the store that still stands out on a core, if any.

        It comes after the loads of the next tile, so that these do not queue behind it where one DMA does both.
        """
        state = self.cores[core]
        if state.unstored is not None:
            state.state_stores.append(state.unstored())
            state.unstored = None

    def _tile_spikes(self, layer: str, tile: Tile, part: int, parts: int) -> list[int]:
        """Loads of the spikes that are read from DRAM again for this compute; two such computes are in flight."""
        uses = self.cores[tile.core].tile_spike_uses
        free = uses[-2:-1]
        near = self.plan.chip.cores[tile.core].spike.unit
        boxes: dict[str, tuple[int, int, int, int]] = {}
        for p in self.network.incoming(layer):
            if self.plan.inflows[layer, p.source] != "tile":
                continue
            box = self.plan.operands.source_range(p, tile.k0, tile.k1, tile.y0, tile.y1, part, parts)
            if p.source in boxes:
                old = boxes[p.source]
                box = (min(box[0], old[0]), max(box[1], old[1]), min(box[2], old[2]), max(box[3], old[3]))
            boxes[p.source] = box
        return [
            self._load_spikes(layer, source, near, box, self._made(layer, source) + free)
            for source, box in boxes.items()
            if box[0] < box[1] and box[2] < box[3]
        ]
