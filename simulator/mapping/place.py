"""Automatic placement: tiles and homes for every layer, so that all of it fits, or an error says what does not."""

from __future__ import annotations

from collections.abc import Mapping as ReadOnlyDict
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from simulator.errors import InputError, unknown
from simulator.mapping.capacity import (
    check_mapping,
    does_not_fit,
    is_recurrent,
    largest_part_bits,
    persists,
    weight_bits,
)
from simulator.mapping.chip import Chip, chip_of
from simulator.mapping.crossbar.duplicate import Duplication
from simulator.mapping.crossbar.place import bank_of, place_on_crossbars
from simulator.mapping.fusion.machine import array_of
from simulator.mapping.fusion.place import blocks_of, fused_entries
from simulator.mapping.mapping import (
    DEFAULT_TIMESTEPS_HINT,
    LayerMapping,
    Mapping,
    Timesteps,
    check_choice,
    check_count,
)
from simulator.mapping.operands import Operands
from simulator.mapping.residence import choose_homes, spans_of
from simulator.mapping.tiles import tiles_of, weight_tiles_of
from simulator.mapping.whole import place_whole, whole_unit
from simulator.network.geometry import pooled_shape
from simulator.network.network import Network
from simulator.units import ceil_div

if TYPE_CHECKING:
    from simulator.hardware import Hardware

Wish = int | ReadOnlyDict[str, int] | None


def place(
    network: Network,
    hardware: Hardware,
    *,
    timesteps: Timesteps | None = None,
    tile_channels: Wish = None,
    tile_rows: Wish = None,
    cores: Sequence[str] | None = None,
    weights: str | None = None,
    timesteps_hint: int = DEFAULT_TIMESTEPS_HINT,
    arrangement: str | None = None,
    duplication: Duplication = "none",
) -> Mapping:
    """A mapping of `network` that fits `hardware`.

    Wishes are kept or refused, never bent: `timesteps` "all" or "one", `tile_channels` and `tile_rows` (one number for
    all layers, where a layer has that many, or a number per layer name), `cores` to use, `weights` "resident" or
    "stream", and `timesteps_hint`, the timesteps for which spikes are buffered with timesteps "all".
    A chip of crossbar tiles takes two other wishes only, `arrangement` "kernel" or "im2col" and `duplication`: see
    `simulator.mapping.crossbar.place`.  Behind one global buffer whole layers run, each node all timesteps or one.
    InputError names the tensor, the layer, the memory, the bits needed and the bits available.
    """
    if timesteps is not None:
        check_choice("timesteps", timesteps, "timesteps")
    if weights is not None:
        check_choice("weights", weights, "weights")
    check_count(timesteps_hint, "timesteps_hint")
    unit = bank_of(hardware)
    of_cores: dict[str, object] = {
        "tile_channels": tile_channels,
        "tile_rows": tile_rows,
        "cores": cores,
        "weights": weights,
    }
    of_crossbars: dict[str, object] = {
        "arrangement": arrangement,
        "duplication": None if duplication == "none" else duplication,
    }
    _refuse_wishes(of_crossbars if unit is None else of_cores, hardware.name)
    if unit is not None:
        return place_on_crossbars(network, hardware, unit, arrangement, duplication, timesteps, timesteps_hint)
    whole = whole_unit(hardware)
    if whole is not None:
        _refuse_wishes(of_cores, hardware.name)
        return place_whole(network, hardware, whole)
    if array_of(hardware) is not None:
        _refuse_wishes(of_cores, hardware.name)
        blocks = blocks_of(network)
        time = "0" if timesteps == "one" else "1"
        nodes = fused_entries(network, hardware, time * len(blocks), "0" * len(blocks))
        return Mapping(hardware.name, network.name, "all", nodes, {}, timesteps_hint)
    recurrent = is_recurrent(network)
    if recurrent and timesteps == "all":
        raise InputError(
            "the network is recurrent, so its timesteps must run one by one",
            key="timesteps",
            found="all",
            allowed=["one"],
        )
    chip = chip_of(hardware)
    names = tuple(chip.cores) if cores is None else tuple(chip.core(name, "cores").name for name in cores)
    operands = Operands(network)
    wishes = {"tile_channels": _per_layer(tile_channels, network, 0), "tile_rows": _per_layer(tile_rows, network, 1)}
    mode: Timesteps = timesteps or ("one" if recurrent else "all")
    try:
        entries = _Placer(operands, chip, names, mode, wishes, weights).entries()
    except _NeedsInputParts as refused:
        if timesteps == "all":
            raise refused.error from None
        mode = "one"
        entries = _Placer(operands, chip, names, mode, wishes, weights).entries()
    on = {entry.layer: entry.cores for entry in entries}
    homes = choose_homes(spans_of(operands, chip, on, mode, timesteps_hint), len(entries))
    mapping = Mapping(
        hardware=hardware.name,
        network=network.name,
        timesteps=mode,
        layers=tuple(replace(entry, spikes=homes[entry.layer]) for entry in entries),  # type: ignore[arg-type]
        inputs={name: homes[name] for name in network.inputs},
        timesteps_hint=timesteps_hint,
    )
    check_mapping(mapping, network, hardware)
    return mapping


def _refuse_wishes(wishes: ReadOnlyDict[str, object], hardware: str) -> None:
    """Raises InputError for a wish that means nothing on this kind of chip."""
    for name, value in wishes.items():
        if value is not None:
            raise InputError(f"the wish means nothing on {hardware!r}", key=name, found=value)


def _per_layer(wish: Wish, network: Network, axis: int) -> dict[str, int]:
    if wish is None:
        return {}
    name = ("tile_channels", "tile_rows")[axis]
    if isinstance(wish, int):
        check_count(wish, name)
        return {layer: min(wish, network.population(layer).shape[axis]) for layer in network.layers}
    for layer, value in wish.items():
        if layer not in network.layers:
            raise unknown("layer", layer, network.layers, key=name)
        check_count(value, f"{name}.{layer}")
    return dict(wish)


class _NeedsInputParts(Exception):
    """The weights of not even one channel fit, so the input has to be split: not possible with timesteps "all"."""

    def __init__(self, error: InputError) -> None:
        self.error = error


class _Placer:
    """Tiles all layers for one choice of timesteps."""

    def __init__(
        self,
        operands: Operands,
        chip: Chip,
        cores: tuple[str, ...],
        timesteps: Timesteps,
        wishes: dict[str, dict[str, int]],
        weights: str | None,
    ) -> None:
        self.operands, self.chip, self.cores = operands, chip, cores
        self.network = operands.network
        self.timesteps, self.wishes, self.weights = timesteps, wishes, weights
        self.lanes = min(chip.cores[name].lanes for name in cores)
        self.weight_capacity = min(chip.cores[name].weight.bits for name in cores)
        self.state_capacity = min(chip.cores[name].state.bits for name in cores)

    def entries(self) -> list[LayerMapping]:
        """The layers in running order, tiled; spikes are left on chip."""
        whole = [self._shared_out(name) for name in self.network.layers]
        entries = self._with_state(whole)
        if self.weights == "resident" or (self.weights is None and self._all_resident(entries)):
            return entries
        return self._with_state([self._streamed(entry) for entry in whole])

    def _shared_out(self, layer: str) -> LayerMapping:
        """The layer cut for the cores alone: by channels where every core gets its lanes full, else by rows."""
        c, h, _ = self.network.population(layer).shape
        n = len(self.cores)
        channels, rows = c, h
        if n > 1:
            if c >= n * self.lanes or ceil_div(c, self.lanes) >= min(n, h):
                channels = min(c, ceil_div(ceil_div(c, n), self.lanes) * self.lanes)
            else:
                rows = ceil_div(h, n)
        channels = self.wishes["tile_channels"].get(layer, channels)
        rows = self.wishes["tile_rows"].get(layer, rows)
        return self._on_cores(LayerMapping(layer, self.cores, channels, rows))

    def _on_cores(self, entry: LayerMapping) -> LayerMapping:
        """The entry with no more cores than it has tiles."""
        c, h, _ = self.network.population(entry.layer).shape
        tiles = ceil_div(c, entry.tile_channels) * ceil_div(h, entry.tile_rows)
        return replace(entry, cores=self.cores[: min(len(self.cores), tiles)])

    def _shape(self, entry: LayerMapping) -> tuple[int, int, int]:
        return self.network.population(entry.layer).shape

    def _with_state(self, entries: list[LayerMapping]) -> list[LayerMapping]:
        """Tiles cut until their state fits; with timesteps "one", state that cannot stay goes to DRAM."""
        if self.timesteps == "all":
            return [self._state_within(entry, self.state_capacity) for entry in entries]
        if all(bits <= self.state_capacity for bits in self._state_per_core(entries).values()):
            return entries
        last: InputError | None = None
        for budget in (self.state_capacity * 3 // 4, self.state_capacity // 2, 0):
            kept: dict[str, int] = dict.fromkeys(self.cores, 0)
            homed = [self._keep_or_spill(entry, kept, budget) for entry in entries]
            free = self.state_capacity - max(kept.values())
            spilled = any(e.state == "dram" for e in homed)
            passing = any(not persists(self.timesteps, self.network, e.layer) for e in homed)
            for share in (passing + 2 * spilled, passing + spilled):  # accumulators, and two tiles on the move or one
                try:
                    return [
                        self._state_within(e, free // share)
                        if e.state == "dram" or not persists(self.timesteps, self.network, e.layer)
                        else e
                        for e in homed
                    ]
                except InputError as error:
                    last = error
        assert last is not None  # three budgets were tried, so one error was kept
        raise last

    def _state_per_core(self, entries: list[LayerMapping]) -> dict[str, int]:
        """Bits of state per core when all of it stays, with the largest accumulator tile beside it."""
        kept: dict[str, int] = dict.fromkeys(self.cores, 0)
        scratch: dict[str, int] = dict.fromkeys(self.cores, 0)
        for entry in entries:
            stays = persists(self.timesteps, self.network, entry.layer)
            for t in tiles_of(entry, self._shape(entry)):
                bits = self.operands.state(entry.layer, t.k0, t.k1, t.y0, t.y1)
                if stays:
                    kept[t.core] += bits
                else:
                    scratch[t.core] = max(scratch[t.core], bits)
        return {core: kept[core] + scratch[core] for core in self.cores}

    def _keep_or_spill(self, entry: LayerMapping, kept: dict[str, int], budget: int) -> LayerMapping:
        """State stays in the core while the sum over layers is within `budget`, else it goes to DRAM."""
        if not persists(self.timesteps, self.network, entry.layer):
            return entry
        own: dict[str, int] = {}
        for t in tiles_of(entry, self._shape(entry)):
            own[t.core] = own.get(t.core, 0) + self.operands.state(entry.layer, t.k0, t.k1, t.y0, t.y1)
        if any(kept[core] + bits > budget for core, bits in own.items()):
            return replace(entry, state="dram")
        for core, bits in own.items():
            kept[core] += bits
        return entry

    def _state_within(self, entry: LayerMapping, limit: int) -> LayerMapping:
        """Fewer rows, then fewer channels per tile, until the state of a tile takes at most `limit` bits."""
        _, h, _ = self._shape(entry)
        unit = self.operands.state(entry.layer, 0, 1, 0, 1)
        rows = min(entry.tile_rows, limit // (unit * entry.tile_channels))
        channels = entry.tile_channels
        if rows < 1:
            rows, channels = 1, self._whole_lanes(limit // unit)
        if rows < entry.tile_rows:
            rows = ceil_div(h, ceil_div(h, rows))  # tiles of even height
        fixed_channels = channels != entry.tile_channels and entry.layer in self.wishes["tile_channels"]
        fixed_rows = rows != entry.tile_rows and entry.layer in self.wishes["tile_rows"]
        if channels < 1 or fixed_channels or fixed_rows:
            needed = unit if channels < 1 else unit * entry.tile_channels * entry.tile_rows
            what = "the membranes of one channel and row" if channels < 1 else "the membranes of a tile"
            core = self.chip.cores[self.cores[0]]
            raise does_not_fit(what, entry.layer, "tile_rows", core, "state", needed, limit)
        return self._on_cores(replace(entry, tile_channels=channels, tile_rows=rows))

    def _whole_lanes(self, channels: int) -> int:
        return channels // self.lanes * self.lanes or channels

    def _all_resident(self, entries: list[LayerMapping]) -> bool:
        total: dict[str, int] = dict.fromkeys(self.cores, 0)
        for entry in entries:
            for tile in weight_tiles_of(tiles_of(entry, self._shape(entry))):
                total[tile.core] += weight_bits(self.operands, entry, tile)
        return all(bits <= self.chip.cores[core].weight.bits for core, bits in total.items())

    def _streamed(self, entry: LayerMapping) -> LayerMapping:
        """The largest tile of which two fit the weight memory, else one; then narrower tiles or a split input.

        With timesteps "all" narrower tiles than the core has lanes come before a split input: they leave lanes idle
        in this layer, but a split would force timesteps "one" and load all weights again in every timestep.
        """
        fixed = entry.layer in self.wishes["tile_channels"]
        grain = entry.tile_channels if fixed else min(self.lanes, entry.tile_channels)
        found = self._widest(entry, grain)
        if found is None and self.timesteps == "all" and not fixed:
            found = self._widest(replace(entry, tile_channels=grain), 1)
        if found is not None:
            return found
        if self.timesteps == "one":
            return self._split_input(entry, grain, fixed)
        width = grain if fixed else 1
        core, needed = self.chip.cores[self.cores[0]], self._needs(entry, width)
        what = f"the weights of {width} channel(s)"
        raise _NeedsInputParts(
            does_not_fit(what, entry.layer, "tile_channels", core, "weight", needed, self.weight_capacity)
        )

    def _widest(self, entry: LayerMapping, grain: int) -> LayerMapping | None:
        """The entry with as many times `grain` channels per tile as two buffers hold, else one; None: not even one."""
        full = entry.tile_channels
        for buffers in (2, 1):
            limit = self.weight_capacity // buffers
            if self._needs(entry, grain) > limit:
                continue
            low, high = 1, ceil_div(full, grain)
            while low < high:  # needs rise with the width of a tile
                middle = (low + high + 1) // 2
                if self._needs(entry, min(middle * grain, full)) <= limit:
                    low = middle
                else:
                    high = middle - 1
            return self._tiled(entry, min(low * grain, full), 1, buffers)
        return None

    def _split_input(self, entry: LayerMapping, grain: int, fixed: bool) -> LayerMapping:
        """The fewest input parts with which a tile of `grain` channels fits twice, else narrower tiles."""
        most = max(pooled_shape(p, self.network.population(p.source))[0] for p in self.network.incoming(entry.layer))
        width = grain
        while width:
            for buffers in (2, 1):
                limit = self.weight_capacity // buffers
                if self._needs(entry, width, most) <= limit:
                    low, high = 1, most
                    while low < high:
                        middle = (low + high) // 2
                        if self._needs(entry, width, middle) <= limit:
                            high = middle
                        else:
                            low = middle + 1
                    return self._tiled(entry, width, high, buffers)
            width = 0 if fixed else width // 2
        width = grain if fixed else 1
        core = self.chip.cores[self.cores[0]]
        what = f"the weights of {width} channel(s), with the input split into {most} parts,"
        needed = self._needs(entry, width, most)
        raise does_not_fit(what, entry.layer, "tile_channels", core, "weight", needed, self.weight_capacity)

    def _tiled(self, entry: LayerMapping, channels: int, parts: int, buffers: int) -> LayerMapping:
        changed = replace(
            entry,
            tile_channels=channels,
            input_parts=parts,
            weights="stream",
            weight_buffers=buffers,
        )
        return self._on_cores(changed)

    def _needs(self, entry: LayerMapping, channels: int, parts: int = 1) -> int:
        """Bits of the largest weight tile (or part of one) with this many channels per tile."""
        cut = self._on_cores(replace(entry, tile_channels=channels, input_parts=parts))
        return max(
            largest_part_bits(self.operands, cut, tile) for tile in weight_tiles_of(tiles_of(cut, self._shape(cut)))
        )
