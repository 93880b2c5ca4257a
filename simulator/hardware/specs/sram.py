"""On-chip memory: banks with ports, a latency, a time a bank is held, prices per bit."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from simulator.hardware.action import Action, moves
from simulator.hardware.constant import Constant
from simulator.hardware.field_types import Bytes, PositiveCycles, Structure
from simulator.hardware.specs.base import UnitSpec


class Sram(UnitSpec):
    """`banks` banks of words of `width_bits`; an access holds one port of one bank for `cycle_cycles`.

    Bits of a word that nobody asked for are over-fetch and cost what a read costs.
    """

    ACTIONS: ClassVar[tuple[Action, ...]] = moves(
        (
            ("read", "read_energy_pj_per_bit"),
            ("write", "write_energy_pj_per_bit"),
            ("overfetch", "read_energy_pj_per_bit"),
        ),
        "memory",
    )
    COMPONENT: ClassVar[str] = "simulator.components.sram:Sram"

    type: Annotated[Literal["sram"], Field(description="banked on-chip memory")]
    capacity_bytes: Annotated[Bytes, Field(description="capacity of all banks together, bytes")]
    banks: Annotated[Structure, Field(description="number of banks that work at the same time")]
    ports: Annotated[Structure, Field(description="read/write ports per bank")]
    width_bits: Annotated[Structure, Field(description="bits of one word of one bank")]
    latency_cycles: Annotated[PositiveCycles, Field(description="clock cycles from an access to its data")]
    cycle_cycles: Annotated[PositiveCycles, Field(description="clock cycles a port of a bank is held per word")]
    read_energy_pj_per_bit: Annotated[Constant, Field(description="dynamic energy of a bit read, pJ")]
    write_energy_pj_per_bit: Annotated[Constant, Field(description="dynamic energy of a bit written, pJ")]
