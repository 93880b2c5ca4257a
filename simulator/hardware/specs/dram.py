"""Main memory at burst grain: a latency, a time per burst, a price per bit, a background power."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from simulator.hardware.action import Action, moves
from simulator.hardware.constant import Constant
from simulator.hardware.field_types import Bytes, Cycles, PositiveCycles, Structure
from simulator.hardware.specs.base import UnitSpec


class Dram(UnitSpec):
    """One channel, held for `burst_cycles` per burst of `burst_bits`; requests in order of arrival.

    Bits that a burst moves and nobody asked for are over-fetch and cost what a read costs.
    """

    ACTIONS: ClassVar[tuple[Action, ...]] = moves(
        (
            ("read", "read_energy_pj_per_bit"),
            ("write", "write_energy_pj_per_bit"),
            ("overfetch", "read_energy_pj_per_bit"),
        ),
        "memory",
    )
    COMPONENT: ClassVar[str] = "simulator.components.dram:Dram"
    MEMORY: ClassVar[Literal["", "chip", "main"]] = "main"

    type: Annotated[Literal["dram"], Field(description="main memory channel with fixed latency and bandwidth")]
    capacity_bytes: Annotated[Bytes, Field(description="capacity in bytes")]
    burst_bits: Annotated[Structure, Field(description="bits moved by one burst")]
    burst_cycles: Annotated[PositiveCycles, Field(description="clock cycles the channel is held per burst")]
    latency_cycles: Annotated[Cycles, Field(description="clock cycles from the grant of a request to its first data")]
    queue_depth: Annotated[
        Structure | None, Field(description="requests that may wait at the channel; left out: unlimited")
    ] = None
    read_energy_pj_per_bit: Annotated[Constant, Field(description="dynamic energy of a bit read, pJ")]
    write_energy_pj_per_bit: Annotated[Constant, Field(description="dynamic energy of a bit written, pJ")]
    background_mw: Annotated[Constant, Field(description="power of the idle devices and their refresh, mW")]
