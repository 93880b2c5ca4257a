"""The plan of a network on a bank of crossbar tiles: every layer's blocks, who reads whom, and what has to be built."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from simulator.errors import InputError, nearest
from simulator.mapping.crossbar.entry import CrossbarMapping
from simulator.mapping.crossbar.lay import lay_out
from simulator.mapping.crossbar.layer import CrossbarLayer
from simulator.mapping.crossbar.quirk import check_quirks, shares_tiles
from simulator.network.network import Network
from simulator.units import ceil_div


@dataclass(frozen=True, eq=False)
class CrossbarPlan:
    """All layers of a network on one `cim_tile` unit.

    unit       name of the unit
    layers     by name, in running order
    consumers  for every population the (layer, part) that read it
    tiles      tiles that the unit is built with
    built      what the mapping makes the unit consist of:
               tiles, pes, arrays, banks (ADC banks), adcs   as built, idle ones included
               used_tiles, used_pes, used_arrays             holding weights of a layer
               pe_arrays                                     most arrays in one processing element
               neurons                                       positions x outputs of all layers on tiles
               first_neurons                                 the same of the first five layers (area quirk)
               source_neurons                                pooled inputs of all parts on tiles
               cells                                         physical cells of all arrays
    """

    unit: str
    layers: dict[str, CrossbarLayer]
    consumers: dict[str, tuple[tuple[str, int], ...]]
    tiles: int
    built: dict[str, int]

    def leaves(self, name: str) -> list[bool]:
        """Of each copy of a layer: whether its spikes leave their tile, because somebody reads them in another."""
        layer, readers = self.layers[name], self._reading_tiles(name)
        return [bool(readers - {layer.home_tile(copy)}) for copy in range(layer.copies)]

    def _reading_tiles(self, name: str) -> set[int]:
        """Tiles in which somebody reads the spikes of a population."""
        found: set[int] = set()
        for reader, number in self.consumers[name]:
            layer = self.layers[reader]
            if layer.omitted:
                continue
            if layer.parts[number].digital:
                found.update(layer.home_tile(copy) for copy in range(layer.copies))
            found.update(lane.tile for lane in layer.lanes() if layer.row_blocks[lane.row_block].part == number)
        return found


def crossbar_plan(
    network: Network, spec: Any, entries: Iterable[CrossbarMapping], unit: str | None = None
) -> CrossbarPlan:
    """The plan of `entries`, one per layer, on a unit described by `spec` (a `cim_tile`).

    Raises InputError where a layer has no entry, an arrangement does not fit, delays exceed the buffered timesteps,
    layers overlap, or more tiles are needed than there are.
    """
    by_name: dict[str, CrossbarMapping] = {}
    for entry in entries:
        by_name[entry.layer] = entry
    for name in network.layers:
        if name not in by_name:
            raise InputError(
                f"the mapping does not say where layer {name!r} goes", key="layers", nearest=nearest(name, by_name)
            )
    _check_delays(network, spec)
    layers = {name: lay_out(network, spec, by_name[name]) for name in network.layers}
    check_quirks(spec, network, layers)
    _check_room(spec, layers)
    consumers: dict[str, list[tuple[str, int]]] = {p.name: [] for p in network.populations}
    for name, layer in layers.items():
        for number, part in enumerate(layer.parts):
            consumers[part.projection.source].append((name, number))
    used = max((layer.tiles.stop for layer in layers.values() if not layer.omitted), default=1)
    tiles = used if spec.tiles is None else int(spec.tiles)
    if used > tiles:
        raise InputError(
            f"network {network.name!r} needs {used} tiles of {spec.pes_per_tile} processing elements, "
            f"{tiles} are available",
            key=f"units.{unit or 'cim'}.tiles",
        )
    readers = {name: tuple(found) for name, found in consumers.items()}
    return CrossbarPlan(unit or "cim", layers, readers, tiles, _built(spec, layers, tiles))


def _check_delays(network: Network, spec: Any) -> None:
    """A projection may reach back over fewer timesteps than the tile buffers hold."""
    steps = int(spec.buffer.steps)
    for p in network.projections:
        if p.delay >= steps:
            raise InputError(
                f"the delay reaches back further than the tile buffers, which hold {steps} timestep(s)",
                key=f"projection {p.name}",
                found=f"delay {p.delay}",
                allowed=f"at most {steps - 1}; see buffer.steps of the cim_tile unit",
            )


def _check_room(spec: Any, layers: dict[str, CrossbarLayer]) -> None:
    """No processing element holds two layers, and no tile does unless the unit shares tiles."""
    taken = sorted((layer for layer in layers.values() if layer.pes), key=lambda layer: layer.first_pe)
    for before, after in pairwise(taken):
        if after.first_pe < before.end_pe:
            raise InputError(
                f"layers {before.layer!r} and {after.layer!r} overlap",
                key=f"layers.{after.layer}.first_pe",
                found=after.first_pe,
                allowed=f"at least {before.end_pe}",
            )
        if not shares_tiles(spec) and after.tiles.start < before.tiles.stop:
            raise InputError(
                f"layers {before.layer!r} and {after.layer!r} share a tile, which this unit does not allow",
                key=f"layers.{after.layer}.first_pe",
                found=after.first_pe,
                allowed=f"at least {before.tiles.stop * int(spec.pes_per_tile)}",
            )


def _built(spec: Any, layers: dict[str, CrossbarLayer], tiles: int) -> dict[str, int]:
    """Counts of what is built; a tile is built with all its processing elements.

    Idle processing elements have as many arrays as `arrays_per_pe` says, or as the largest used one has.
    """
    present = [layer for layer in layers.values() if not layer.omitted]
    used_pes = sum(layer.pes for layer in present)
    widest = max((n for layer in present for n in layer.pe_arrays), default=1)
    pes = tiles * int(spec.pes_per_tile)
    arrays = sum(layer.built_arrays for layer in present) + (pes - used_pes) * widest
    private = spec.crossbar.kernel_merge == "private"
    banks = arrays if private else pes
    sizes = [layer.positions * layer.outputs for layer in present]
    sources = sum(part.shape[0] * part.shape[1] * part.shape[2] for layer in present for part in layer.parts)
    return {
        "tiles": tiles,
        "pes": pes,
        "arrays": arrays,
        "banks": banks,
        "adcs": banks * ceil_div(int(spec.crossbar.columns), int(spec.crossbar.mux_ratio)),
        "used_tiles": len({tile for layer in present for tile in layer.tiles}),
        "used_pes": used_pes,
        "used_arrays": sum(layer.arrays for layer in present),
        "pe_arrays": widest,
        "neurons": sum(sizes),
        "first_neurons": sum(sizes[:5]),
        "source_neurons": sources,
        "cells": arrays * int(spec.crossbar.rows) * int(spec.crossbar.columns),
    }
