"""The tick-driven recurrent core (ReckOn class): two input sources, one neuron array, a few output integrators."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from simulator.hardware.action import Action
from simulator.hardware.constant import Constant
from simulator.hardware.field_types import MAX_CYCLES, Cycles, Integer
from simulator.hardware.specs.base import UnitSpec

ROOM = 256
OUTPUT_ROOM = 16

Size = Annotated[int, Field(ge=1, le=ROOM), Integer]


class ReckonCore(UnitSpec):
    """Per timestep: leak and fire over all neuron pairs, then one pass over all pairs per input or recurrent spike."""

    ACTIONS: ClassVar[tuple[Action, ...]] = (
        Action("accumulate", "partial_sum", "operation", "accumulate_energy_pj", "compute"),
        Action("update", "state", "neuron", "update_energy_pj", "compute"),
        Action("accept", "spike", "spike", "accept_energy_pj", "interconnect"),
        Action("read", "state", "bit", "state_read_energy_pj_per_bit", "memory"),
        Action("write", "state", "bit", "state_write_energy_pj_per_bit", "memory"),
        Action("read", "weight", "bit", "weight_read_energy_pj_per_bit", "memory"),
        Action("active", "cycle", "cycle", "active_energy_pj", "control"),
    )
    STALLS: ClassVar[tuple[str, ...]] = ("dependency", "input")
    COMPONENT: ClassVar[str] = "simulator.components.reckon_core:ReckonCore"
    PREPARE: ClassVar[str] = "simulator.components.reckon_core.prepare:prepare"

    type: Annotated[Literal["reckon_core"], Field(description="tick-driven recurrent core")]
    inputs: Annotated[Size, Field(description="input neurons")]
    recurrent: Annotated[Size, Field(description="recurrent neurons")]
    outputs: Annotated[int, Field(ge=1, le=OUTPUT_ROOM, description="output integrators"), Integer]
    image: Annotated[
        str | None,
        Field(min_length=1, strict=True, description="folder with config.txt and the memory images to start from"),
    ] = None
    start_cycles: Annotated[Cycles, Field(description="clock cycles of the bench before its first action")]
    sample_cycles: Annotated[
        int,
        Field(ge=3, le=MAX_CYCLES, description="clock cycles from a sample's start to the bench's next action"),
        Integer,
    ]
    level_cycles: Annotated[Cycles, Field(description="clock cycles from a change of a level to the next action")]
    accumulate_energy_pj: Annotated[Constant, Field(description="energy of a weight added to a neuron or output, pJ")]
    update_energy_pj: Annotated[Constant, Field(description="energy of a neuron's leak and threshold, pJ")]
    accept_energy_pj: Annotated[Constant, Field(description="energy of an input handshake, pJ")]
    state_read_energy_pj_per_bit: Annotated[Constant, Field(description="energy of a bit read, neuron memory, pJ")]
    state_write_energy_pj_per_bit: Annotated[Constant, Field(description="energy of a bit written, neuron memory, pJ")]
    weight_read_energy_pj_per_bit: Annotated[Constant, Field(description="energy of a bit read, weight memory, pJ")]
    active_energy_pj: Annotated[Constant, Field(description="energy of a busy clock cycle, pJ")]
