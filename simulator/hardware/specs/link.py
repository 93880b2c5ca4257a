"""A path between memories that belongs to one mover."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from simulator.hardware.action import Action, moves
from simulator.hardware.constant import Constant
from simulator.hardware.field_types import PositiveCycles, Structure
from simulator.hardware.specs.base import UnitSpec


class Link(UnitSpec):
    """Point to point: carries the chunks of the one mover that names it in `via`, one after another."""

    ACTIONS: ClassVar[tuple[Action, ...]] = moves((("transfer", "transfer_energy_pj_per_bit"),), "interconnect")
    COMPONENT: ClassVar[str] = "simulator.components.link:Link"

    type: Annotated[Literal["link"], Field(description="path between memories that belongs to one mover")]
    width_bits: Annotated[Structure, Field(description="bits carried per clock cycle")]
    latency_cycles: Annotated[PositiveCycles, Field(description="clock cycles from the last word to its arrival")]
    credits: Annotated[Structure, Field(description="chunks on the way or arrived and not yet stored")]
    transfer_energy_pj_per_bit: Annotated[Constant, Field(description="energy of carrying one bit, pJ")]
