"""The converter of a bit line: a named, sourced block that any CIM unit may swap for another."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, GetJsonSchemaHandler, model_validator
from pydantic_core import CoreSchema

from simulator.errors import InputError
from simulator.hardware.constant import Constant
from simulator.hardware.field_types import Cycles, Structure
from simulator.hardware.specs.base import Part, SourcedPart
from simulator.units import ceil_div

Kind = Literal["sar", "flash", "survey", "integrate_steps"]


class Steps(Part):
    """Times and prices of a converter that integrates input pulses and counts down in steps (NeuRRAM)."""

    integrate_ps: Annotated[Cycles, Field(description="time of one integration step, ps")]
    adc_ps: Annotated[Cycles, Field(description="time of one conversion step, ps")]
    phase_ps: Annotated[Cycles, Field(description="time between phases, ps")]
    integrate_energy_pj: Annotated[Constant, Field(description="energy of one integration step of one column, pJ")]
    sample_energy_pj: Annotated[Constant, Field(description="energy of one sample of one column, pJ")]
    step_energy_pj: Annotated[Constant, Field(description="energy of one conversion step of one column, pJ")]


class AdcBlock(SourcedPart):
    """A converter: what a conversion takes and costs, and whether that holds the current of the cells."""

    LIBRARY: ClassVar[str] = "adc_blocks"

    name: Annotated[str, Field(strict=True, min_length=1, description="name of the block in reports")]
    kind: Annotated[
        Kind, Field(description="how it converts; integrate_steps counts down the charge of several input pulses")
    ]
    node_nm: Annotated[Structure | None, Field(description="technology node, nm; left out: not stated")] = None
    bits: Annotated[int, Structure, Field(le=24, description="bits of one result")]
    time_ps: Annotated[
        Cycles | None, Field(description="time of one conversion, ps; left out: the unit's timing.convert_ps")
    ] = None
    early_stop: Annotated[
        bool, Field(strict=True, description="stops after the bits that the rows in use can fill (kind sar)")
    ] = False
    cell_current: Annotated[
        Literal["included", "excluded"],
        Field(description="whether its prices contain the current of the cells; read:cell is priced here if they do"),
    ]
    phases: Annotated[
        Literal["two_phase", "one_phase"],
        Field(description="whether inputs of more than three bits are integrated in two parts (integrate_steps)"),
    ] = "two_phase"
    steps: Annotated[Steps | None, Field(description="present with kind integrate_steps, and only then")] = None
    convert_energy_pj: Annotated[Constant, Field(description="energy of one conversion, pJ")]
    idle_convert_energy_pj: Annotated[
        Constant, Field(description="energy of one conversion of a column without an active row, pJ")
    ]
    conductance_energy_pj_per_milli_us: Annotated[
        Constant,
        Field(description="energy per conversion and 0.001 microsiemens of active cells on its column, pJ"),
    ]
    read_cell_energy_pj: Annotated[
        Constant, Field(description="energy per active cell and read where cell_current is included, pJ")
    ]
    area_um2: Annotated[Constant, Field(description="area of one converter, um2")]
    leakage_nw: Annotated[Constant, Field(description="leakage of one converter, nW; 0 must be stated too")]

    @model_validator(mode="after")
    def _fits(self) -> AdcBlock:
        if (self.steps is not None) != (self.kind == "integrate_steps"):
            raise InputError(
                "steps belong to kind integrate_steps, and only there",
                key="adc.steps",
                found=f"kind: {self.kind}, steps {'absent' if self.steps is None else 'present'}",
            )
        if self.early_stop and self.kind != "sar":
            raise InputError(
                "only a successive-approximation converter can stop early",
                key="adc.early_stop",
                found=f"kind: {self.kind}",
                allowed="sar",
            )
        return self

    def convert_ps(self, bits: int) -> int | None:
        """Time of a conversion that stops after `bits` bits, ps, rounded up; None where the block states no time.

        A SAR converter takes one step to sample and one per bit (NeuroSim V1.4 SarADC.cpp: t = (b + 1) ns).
        """
        if self.time_ps is None or bits >= self.bits:
            return self.time_ps
        return ceil_div(self.time_ps * (bits + 1), self.bits + 1)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """A YAML file may write a name; a block of the library needs no more."""
        full = handler.resolve_ref_schema(handler(schema))
        body = {key: value for key, value in full.items() if key not in ("title", "description")}
        return {"anyOf": [{"type": "string", "minLength": 1}, body]}
