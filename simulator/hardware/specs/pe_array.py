"""An array of processing elements that works through computation nodes, fed from one global buffer."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from simulator.hardware.action import Action
from simulator.hardware.constant import Constant
from simulator.hardware.field_types import Structure
from simulator.hardware.specs.base import Part, UnitSpec


class Lanes(Part):
    """Processing elements along each loop; the array has k * c * oy * ox of them."""

    k: Annotated[Structure, Field(description="output channels")]
    c: Annotated[Structure, Field(description="input channels, added up before the output register")]
    oy: Annotated[Structure, Field(description="output rows")]
    ox: Annotated[Structure, Field(description="output columns")]


class PeArray(UnitSpec):
    """Per cycle one operation per element; weights and inputs from memories of its own, sums and states in registers.

    A tile (k x oy x ox outputs) reads its states from the global buffer once, accumulates over timesteps, input
    channels and kernel positions, writes the states back and then its outputs.
    """

    ACTIONS: ClassVar[tuple[Action, ...]] = (
        Action("operate", "partial_sum", "operation", "operation_energy_pj", "compute"),
    )
    STALLS: ClassVar[tuple[str, ...]] = ("dependency", "weight_fill", "input_fill", "state", "output")
    COMPONENT: ClassVar[str] = "simulator.components.pe_array:PeArray"
    REFERENCES: ClassVar[dict[str, tuple[str, ...]]] = {
        "global_memory": ("sram",),
        "weight_memory": ("sram",),
        "input_memory": ("sram",),
    }

    type: Annotated[Literal["pe_array"], Field(description="array of processing elements behind a global buffer")]
    lanes: Annotated[Lanes, Field(description="processing elements along each loop")]
    gating: Annotated[
        Literal["none", "energy"], Field(description="what a missing spike saves: nothing, or the operation's energy")
    ]
    access_bits: Annotated[Structure, Field(description="least bits of one read of the weight or input memory")]
    global_memory: Annotated[str, Field(strict=True, description="name of the sram unit that all operands share")]
    weight_memory: Annotated[str, Field(strict=True, description="name of the sram unit that feeds weights")]
    input_memory: Annotated[str, Field(strict=True, description="name of the sram unit that feeds inputs")]
    operation_energy_pj: Annotated[Constant, Field(description="energy of one operation, pJ: accumulate, add or pool")]
