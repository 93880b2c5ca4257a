"""What a mapping sees of the hardware: cores with their memories, and the DMA channels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simulator.errors import InputError, unknown

if TYPE_CHECKING:
    from simulator.hardware import Hardware


@dataclass(frozen=True)
class Memory:
    """An on-chip memory: its unit index, name and capacity in bits."""

    unit: int
    name: str
    bits: int


@dataclass(frozen=True)
class Core:
    """A core, how many output channels it computes side by side, and its three memories."""

    unit: int
    name: str
    lanes: int
    weight: Memory
    state: Memory
    spike: Memory


@dataclass(frozen=True)
class Channel:
    """A DMA unit and the DRAM behind it (unit indices)."""

    unit: int
    far: int


@dataclass(frozen=True)
class Chip:
    """Cores by name in file order; DMA channels for loads and for stores (the same one where there is only one)."""

    name: str
    units: tuple[str, ...]
    cores: dict[str, Core]
    loads: tuple[Channel, ...]
    stores: tuple[Channel, ...]

    def core(self, name: str, key: str) -> Core:
        """The core called `name`; `key` says where the name stands."""
        try:
            return self.cores[name]
        except KeyError:
            raise unknown("core", name, self.cores, key=key) from None


def chip_of(hardware: Hardware) -> Chip:
    """The mapper's view of `hardware`; InputError where it has no cores or no DMA, or cores share a private memory."""
    specs: dict[str, Any] = dict(hardware.units)
    names = tuple(specs)
    index = {name: i for i, name in enumerate(names)}

    def memory(core: str, role: str) -> Memory:
        name = getattr(specs[core], role)
        if name not in specs or specs[name].type != "sram":
            srams = [n for n in names if specs[n].type == "sram"]
            raise unknown("sram", name, srams, key=f"units.{core}.{role}")
        return Memory(index[name], name, int(specs[name].capacity_bytes) * 8)

    cores: dict[str, Core] = {}
    owner: dict[str, str] = {}
    for name in names:
        spec = specs[name]
        if spec.type != "cmos_core":
            continue
        lanes = spec.scatter.lanes if spec.dataflow == "scatter" else spec.gather.unroll.k
        weight, state, spike = (memory(name, f"{role}_memory") for role in ("weight", "state", "spike"))
        for role, found in (("weight_memory", weight), ("state_memory", state)):
            if found.name in owner:
                raise InputError(
                    f"the memory is already used by {owner[found.name]}; weight and state memories are private",
                    key=f"units.{name}.{role}",
                    found=found.name,
                )
            owner[found.name] = f"{name}.{role}"
        cores[name] = Core(index[name], name, int(lanes), weight, state, spike)
    for core in cores.values():
        if core.spike.name in owner:
            raise InputError(
                f"the memory is already used by {owner[core.spike.name]}; spikes need a memory of their own",
                key=f"units.{core.name}.spike_memory",
                found=core.spike.name,
            )
    channels = [Channel(index[n], index[specs[n].far]) for n in names if specs[n].type == "dma"]
    if not cores or not channels:
        raise InputError(
            f"the hardware has no {'cmos_core' if not cores else 'dma'} unit, so no layer can be placed on it",
            key=f"hardware {hardware.name}",
            found=sorted({spec.type for spec in specs.values()}),
        )
    stores = channels[1::2] or channels
    return Chip(hardware.name, names, cores, tuple(channels[0::2]), tuple(stores))
