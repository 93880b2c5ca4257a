"""Checks that a mapping names things that exist and that every tensor fits where the mapping puts it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulator.errors import InputError, nearest, unknown
from simulator.mapping.chip import Chip, Core, chip_of
from simulator.mapping.mapping import LayerMapping, Mapping
from simulator.mapping.operands import Operands
from simulator.mapping.residence import Inflow, inflows_of, spans_of
from simulator.mapping.tiles import Tile, WeightTile, tiles_of, weight_tiles_of
from simulator.network.geometry import pooled_shape
from simulator.network.network import Network

if TYPE_CHECKING:
    from simulator.hardware import Hardware


@dataclass(frozen=True)
class Plan:
    """A checked mapping with what lowering needs: tiles, weight tiles, how spikes arrive, depth of state buffering.

    `state_buffers[core]` is the number of tiles (1 or 2) whose state from DRAM the core's state memory holds at once.
    """

    mapping: Mapping
    chip: Chip
    operands: Operands
    tiles: dict[str, list[Tile]]
    weight_tiles: dict[str, list[WeightTile]]
    inflows: dict[tuple[str, str], Inflow]
    state_buffers: dict[str, int]


def check_mapping(mapping: Mapping, network: Network, hardware: Hardware) -> Plan:
    """Raises InputError at the first name that does not exist or the first tensor that does not fit."""
    chip = chip_of(hardware)
    _check_names(mapping, network, chip)
    for entry in mapping.on_cores:
        _check_entry(entry, mapping, network)
    operands = Operands(network)
    tiles = {name: tiles_of(mapping.layer(name), network.population(name).shape) for name in network.layers}
    weight_tiles = {name: weight_tiles_of(found) for name, found in tiles.items()}
    buffers = {}
    for core in chip.cores.values():
        _check_weights(mapping, operands, core, weight_tiles)
        buffers[core.name] = _check_state(mapping, operands, core, tiles)
    cores = {name: mapping.layer(name).cores for name in network.layers}
    homes = {**mapping.inputs, **{entry.layer: entry.spikes for entry in mapping.on_cores}}
    spans = spans_of(operands, chip, cores, mapping.timesteps, mapping.timesteps_hint)
    inflows = inflows_of(operands, chip, cores, spans, homes)
    return Plan(mapping, chip, operands, tiles, weight_tiles, inflows, buffers)


def is_recurrent(network: Network) -> bool:
    """Whether a population's spikes come back to it, so that timesteps have to run one by one."""
    return any(len(group) > 1 for group in network.groups) or any(p.source == p.target for p in network.projections)


def weight_bits(operands: Operands, entry: LayerMapping, tile: WeightTile) -> int:
    """Bits of all input parts of a weight tile."""
    return operands.weights(entry.layer, tile.k0, tile.k1, tile.rows)


def largest_part_bits(operands: Operands, entry: LayerMapping, tile: WeightTile) -> int:
    """Bits of the largest input part of a weight tile; with several parts, of what one row tile needs of it."""
    parts = entry.input_parts
    if parts == 1:
        return weight_bits(operands, entry, tile)
    return max(
        operands.weights(entry.layer, tile.k0, tile.k1, [rows], part, parts)
        for rows in _distinct_sizes(tile.rows)
        for part in range(parts)
    )


def _distinct_sizes(rows: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
    return rows if len(rows) <= 64 else (rows[0], rows[-1])


def check_names(mapping: Mapping, network: Network, hardware: str, inputs: tuple[str, ...]) -> None:
    """Raises InputError unless the mapping is for `hardware` and `network` and names every layer and all `inputs`."""
    for kind, said, real in (("hardware", mapping.hardware, hardware), ("network", mapping.network, network.name)):
        if said != real:
            raise InputError(f"the mapping was made for another {kind}", key=kind, found=said, allowed=[real])
    layers = [entry.layer for entry in mapping.layers]
    for kind, named, wanted in (("layer", layers, network.layers), ("input", list(mapping.inputs), inputs)):
        for name in named:
            if name not in wanted:
                raise unknown(kind, name, wanted, key=f"{kind}s.{name}")
        for name in wanted:
            if name not in named:
                raise InputError(
                    f"the mapping does not say where {kind} {name!r} goes", key=f"{kind}s", nearest=nearest(name, named)
                )


def _check_names(mapping: Mapping, network: Network, chip: Chip) -> None:
    check_names(mapping, network, chip.name, network.inputs)
    for entry in mapping.on_cores:
        for name in entry.cores:
            chip.core(name, f"layers.{entry.layer}.cores")
    if mapping.timesteps == "all" and is_recurrent(network):
        raise InputError(
            "the network is recurrent, so its timesteps must run one by one",
            key="timesteps",
            found="all",
            allowed=["one"],
        )


def _check_entry(entry: LayerMapping, mapping: Mapping, network: Network) -> None:
    key = f"layers.{entry.layer}"
    c, h, _ = network.population(entry.layer).shape
    channels = max(pooled_shape(p, network.population(p.source))[0] for p in network.incoming(entry.layer))
    limits = (("tile_channels", c), ("tile_rows", h), ("input_parts", channels))
    for name, limit in limits:
        if getattr(entry, name) > limit:
            raise InputError(
                "more than the layer has", key=f"{key}.{name}", found=getattr(entry, name), allowed=f"1 .. {limit}"
            )
    if mapping.timesteps == "all" and entry.input_parts > 1:
        raise InputError(
            'input parts need timesteps "one": with "all", partial sums of all timesteps would have to be kept',
            key=f"{key}.input_parts",
            found=entry.input_parts,
            allowed="1",
        )
    if mapping.timesteps == "all" and entry.state == "dram":
        raise InputError(
            'with timesteps "all" state never leaves the core', key=f"{key}.state", found="dram", allowed=["core"]
        )


def does_not_fit(what: str, layer: str, field: str, core: Core, role: str, needed: int, available: int) -> InputError:
    """The error for a tensor that is too large for a memory of a core."""
    memory = getattr(core, role)
    return InputError(
        f"{what} of layer {layer!r} do not fit memory {memory.name!r} of {core.name!r}: "
        f"{needed} bits needed, {available} bits available",
        key=f"layers.{layer}.{field}",
    )


def _check_weights(mapping: Mapping, operands: Operands, core: Core, weight_tiles: dict[str, list[WeightTile]]) -> None:
    """Resident weights together, and beside them the buffers of streamed ones."""
    resident = 0
    here = {name: [t for t in found if t.core == core.name] for name, found in weight_tiles.items()}
    for name, found in here.items():
        entry = mapping.layer(name)
        if entry.weights == "resident" and found:
            own = sum(weight_bits(operands, entry, tile) for tile in found)
            if resident + own > core.weight.bits:
                raise does_not_fit(
                    "the resident weights", name, "weights", core, "weight", own, core.weight.bits - resident
                )
            resident += own
    for name, found in here.items():
        entry = mapping.layer(name)
        if entry.weights == "stream" and found:
            needed = entry.weight_buffers * max(largest_part_bits(operands, entry, tile) for tile in found)
            if needed > core.weight.bits - resident:
                what = f"{entry.weight_buffers} buffer(s) for the streamed weights"
                raise does_not_fit(what, name, "tile_channels", core, "weight", needed, core.weight.bits - resident)


def _check_state(mapping: Mapping, operands: Operands, core: Core, tiles: dict[str, list[Tile]]) -> int:
    """Returns how many tiles of state from DRAM fit at once (1 or 2)."""
    kept, scratch, moved = 0, 0, 0
    passing: list[tuple[str, int]] = []
    for name, found in tiles.items():
        sizes = [operands.state(name, t.k0, t.k1, t.y0, t.y1) for t in found if t.core == core.name]
        if not sizes:
            continue
        if not persists(mapping.timesteps, operands.network, name):
            scratch = max(scratch, max(sizes))
            passing.append((name, max(sizes)))
        elif mapping.layer(name).state == "dram":
            moved = max(moved, max(sizes))
            passing.append((name, max(sizes)))
        else:
            own = sum(sizes)
            if kept + own > core.state.bits:
                raise does_not_fit("the membranes", name, "state", core, "state", own, core.state.bits - kept)
            kept += own
    free = core.state.bits - kept
    for name, size in passing:
        if size > free:
            raise does_not_fit("the membranes of a tile", name, "tile_rows", core, "state", size, free)
    if scratch + moved > free:
        name = max(passing, key=lambda item: item[1])[0]
        what = "the accumulators of one tile and the membranes of one that is loaded meanwhile, as"
        raise does_not_fit(what, name, "tile_rows", core, "state", scratch + moved, free)
    return 2 if scratch + 2 * moved <= free else 1


def persists(timesteps: str, network: Network, layer: str) -> bool:
    """Whether the layer's state has to survive from one repetition of the schedule to the next."""
    return timesteps == "one" and network.population(layer).neuron.stateful
