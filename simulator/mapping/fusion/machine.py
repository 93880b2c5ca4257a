"""What a fused mapping sees of the hardware: the array, its global buffer, and the channels to main memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simulator.errors import InputError

if TYPE_CHECKING:
    from simulator.hardware import Hardware


@dataclass(frozen=True)
class BufferedArray:
    """A `pe_array` unit; numbers are places in `units`, the buffer's size is in bits."""

    name: str
    units: tuple[str, ...]
    array: int
    buffer: int
    buffer_bits: int
    load: int
    store: int
    far: int


def array_of(hardware: Hardware) -> str | None:
    """Name of the `pe_array` unit of a machine; None where there is none."""
    specs: dict[str, Any] = dict(hardware.units)
    return next((name for name, spec in specs.items() if spec.type == "pe_array"), None)


def buffered_array(hardware: Hardware) -> BufferedArray:
    """The array of `hardware` with what surrounds it; InputError where a part is missing."""
    specs: dict[str, Any] = dict(hardware.units)
    names = tuple(specs)
    arrays = [name for name in names if specs[name].type == "pe_array"]
    movers = [name for name in names if specs[name].type == "dma"]
    if len(arrays) != 1 or not movers:
        raise InputError(
            "a fused mapping needs exactly one pe_array unit and at least one dma",
            key=f"hardware {hardware.name}",
            found=sorted(f"{name}: {spec.type}" for name, spec in specs.items()),
        )
    buffer = specs[arrays[0]].global_memory
    return BufferedArray(
        hardware.name,
        names,
        names.index(arrays[0]),
        names.index(buffer),
        int(specs[buffer].capacity_bytes) * 8,
        names.index(movers[0]),
        names.index(movers[-1]),
        names.index(specs[movers[0]].far),
    )
