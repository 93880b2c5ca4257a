"""Networks that one unit holds whole: the unit runs a sample as one task and keeps weights and state to itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simulator.errors import InputError
from simulator.mapping import schedule as s
from simulator.mapping.mapping import LayerMapping, Mapping
from simulator.mapping.schedule import Schedule
from simulator.network.network import Network

if TYPE_CHECKING:
    from simulator.hardware import Hardware


def whole_unit(hardware: Hardware) -> str | None:
    """Name of the unit that holds a network whole; None for a chip without one, InputError with several."""
    found = [name for name, spec in hardware.units.items() if getattr(spec, "PREPARE", "")]
    if len(found) > 1:
        raise InputError("a network is placed on one such unit", key=f"hardware {hardware.name}", found=found)
    return found[0] if found else None


def place_whole(network: Network, hardware: Hardware, unit: str) -> Mapping:
    """Every layer on the unit, uncut; what does not fit is refused by the unit."""
    layers = []
    for name in network.layers:
        channels, rows, _ = network.population(name).shape
        layers.append(LayerMapping(name, (unit,), channels, rows))
    return Mapping(hardware.name, network.name, "all", tuple(layers), dict.fromkeys(network.inputs, "chip"))


def lower_whole(mapping: Mapping, network: Network, hardware: Hardware, unit: str) -> Schedule:
    """One COMPUTE per sample, attributed to the first layer; InputError unless the mapping is `place_whole`'s."""
    wanted = place_whole(network, hardware, unit)
    given = {entry.layer: (entry.cores, entry.tile_channels, entry.tile_rows) for entry in mapping.on_cores}
    whole = {entry.layer: (entry.cores, entry.tile_channels, entry.tile_rows) for entry in wanted.on_cores}
    if given != whole or mapping.timesteps != "all":
        raise InputError("this unit holds the whole network, all timesteps at once", key="layers",
                         allowed=f"every layer uncut on {unit}, timesteps all")  # fmt: skip
    first = network.population(network.layers[0] if network.layers else network.inputs[0])
    population = [p.name for p in network.populations].index(first.name)
    number = list(hardware.units).index(unit)
    channels, rows, _ = first.shape
    row = {column: np.array([0]) for column in s.COLUMNS} | {
        "op": np.array([s.COMPUTE]), "unit": np.array([number]), "layer": np.array([int(bool(network.layers))]),
        "operand": np.array([s.PARTIAL_SUM]), "population": np.array([population]), "near": np.array([-1]),
        "far": np.array([-1]), "k1": np.array([channels]), "y1": np.array([rows]), "parts": np.array([1]),
        "first": np.array([1]), "last": np.array([1]),
    }  # fmt: skip
    return Schedule(
        **row,
        after_start=np.zeros(2, np.int64),
        after=np.zeros(0, np.int32),
        prologue=0,
        repeat="sample",
        units=tuple(hardware.units),
        layers=("unattributed", *network.layers),
        populations=tuple(p.name for p in network.populations),
    )
