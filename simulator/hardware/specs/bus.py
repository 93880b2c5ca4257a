"""A path between memories that several movers share."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from simulator.hardware.action import Action, moves
from simulator.hardware.constant import Constant
from simulator.hardware.field_types import PositiveCycles, Structure
from simulator.hardware.specs.base import UnitSpec


class Bus(UnitSpec):
    """Carries one chunk at a time for whoever names it in `via`; who goes next says the arbitration.

    first_come: in order of asking, then of the file.  priority: the higher `priority` of the mover first, then as
    before.  round_robin: movers in turn, in order of the file.
    """

    ACTIONS: ClassVar[tuple[Action, ...]] = moves((("transfer", "transfer_energy_pj_per_bit"),), "interconnect")
    COMPONENT: ClassVar[str] = "simulator.components.bus:Bus"

    type: Annotated[Literal["bus"], Field(description="shared path between memories")]
    width_bits: Annotated[Structure, Field(description="bits carried per clock cycle")]
    latency_cycles: Annotated[PositiveCycles, Field(description="clock cycles from the last word to its arrival")]
    arbitration: Annotated[
        Literal["first_come", "priority", "round_robin"], Field(description="which mover that waits goes next")
    ] = "first_come"
    credits: Annotated[Structure, Field(description="chunks on the way or arrived and not yet stored")]
    transfer_energy_pj_per_bit: Annotated[Constant, Field(description="energy of carrying one bit, pJ")]
