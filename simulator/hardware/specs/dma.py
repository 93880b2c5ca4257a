"""The mover of tensors between main memory and on-chip memories."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from simulator.hardware.action import Action, moves
from simulator.hardware.constant import Constant
from simulator.hardware.field_types import Bytes, Cycles, PositiveCycles, Structure
from simulator.hardware.specs.base import UnitSpec


class Dma(UnitSpec):
    """Cuts a transfer into chunks and keeps up to `buffers` of them outstanding (2 = double buffering)."""

    ACTIONS: ClassVar[tuple[Action, ...]] = moves((("transfer", "transfer_energy_pj_per_bit"),), "interconnect")
    STALLS: ClassVar[tuple[str, ...]] = ("dependency", "memory")
    COMPONENT: ClassVar[str] = "simulator.components.dma:Dma"
    REFERENCES: ClassVar[dict[str, tuple[str, ...]]] = {"far": ("dram", "banked_dram")}

    type: Annotated[Literal["dma"], Field(description="engine that moves tensors between memories")]
    chunk_bytes: Annotated[Bytes, Field(description="bytes of one request to main memory")]
    buffers: Annotated[Structure, Field(description="chunks that may be outstanding; 2 is double buffering")]
    setup_cycles: Annotated[Cycles, Field(description="clock cycles to set up one transfer")]
    link_latency_cycles: Annotated[PositiveCycles, Field(description="clock cycles of the link to main memory")]
    far: Annotated[str, Field(strict=True, description="name of the main memory (a dram unit)")]
    transfer_energy_pj_per_bit: Annotated[Constant, Field(description="energy of moving one bit, pJ")]
