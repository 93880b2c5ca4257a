"""Checks that a mapping on crossbars fits its network and hardware, and gives its plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulator.errors import InputError, unknown
from simulator.mapping.capacity import check_names
from simulator.mapping.crossbar.plan import CrossbarPlan, crossbar_plan
from simulator.mapping.mapping import Mapping
from simulator.network.network import Network

if TYPE_CHECKING:
    from simulator.hardware import Hardware


def check_crossbars(mapping: Mapping, network: Network, hardware: Hardware) -> CrossbarPlan:
    """The plan of a mapping on crossbars; InputError at the first name that does not exist or thing that does not fit.

    All layers live on one unit: a layer's partial sums and spikes travel in that unit's own network.
    """
    banks = [name for name in hardware.units if hardware.units[name].type == "cim_tile"]
    if not banks:
        raise InputError(
            "the hardware has no cim_tile unit, so no layer can lie on crossbars",
            key=f"hardware {hardware.name}",
            found=sorted({spec.type for spec in hardware.units.values()}),
        )
    if mapping.inputs:
        raise InputError(
            "inputs stream into crossbar tiles through the chip's input port and wait nowhere",
            key="inputs",
            found=list(mapping.inputs),
            allowed="{}",
        )
    check_names(mapping, network, hardware.name, ())
    for entry in mapping.on_crossbars:
        if entry.unit not in banks:
            raise unknown("cim_tile unit", entry.unit, banks, key=f"layers.{entry.layer}.unit")
    unit = mapping.on_crossbars[0].unit
    for entry in mapping.on_crossbars:
        if entry.unit != unit:
            raise InputError(
                "all layers of a network must live on one cim_tile unit",
                key=f"layers.{entry.layer}.unit",
                found=entry.unit,
                allowed=[unit],
            )
    if mapping.timesteps != "all":
        raise InputError(
            "tiles pass spikes on timestep by timestep by themselves", key="timesteps", found="one", allowed=["all"]
        )
    spec: Any = hardware.units[unit]
    if spec.pipeline == "after":
        _check_one_by_one(network, unit)
    return crossbar_plan(network, spec, mapping.on_crossbars, unit)


def _check_one_by_one(network: Network, unit: str) -> None:
    """Layers that run one after another, each for all timesteps, cannot wait for each other's earlier timesteps."""
    for group in network.groups:
        if len(group) > 1:
            raise InputError(
                "the layers are recurrent, so they must run side by side",
                key=f"units.{unit}.pipeline",
                found=f"after, with layers {', '.join(group)}",
                allowed=["stream"],
            )
