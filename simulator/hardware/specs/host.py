"""The host: starts tasks, in order, through a command queue."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from simulator.hardware.action import Action
from simulator.hardware.constant import Constant
from simulator.hardware.field_types import Cycles, Structure
from simulator.hardware.specs.base import UnitSpec


class Host(UnitSpec):
    """Issues the tasks of a schedule to the units that carry them out."""

    ACTIONS: ClassVar[tuple[Action, ...]] = (Action("launch", "task", "operation", "launch_energy_pj", "control"),)
    COMPONENT: ClassVar[str] = "simulator.components.host:Host"

    type: Annotated[Literal["host"], Field(description="command processor that launches tasks")]
    launch_cycles: Annotated[Cycles, Field(description="clock cycles the host is busy per launched task")]
    queue_depth: Annotated[Structure, Field(description="launched tasks that may wait in each unit's command queue")]
    launch_energy_pj: Annotated[Constant, Field(description="energy of one launch, pJ")]
