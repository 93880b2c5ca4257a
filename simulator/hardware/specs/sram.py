"""On-chip memory: banks with ports, a latency, a time a bank is held, prices per bit, both leakages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, GetJsonSchemaHandler, ValidationError
from pydantic_core import CoreSchema

from simulator.errors import InputError
from simulator.hardware.action import Action, moves
from simulator.hardware.cacti import Macro, sram_macro, sram_series, sram_source
from simulator.hardware.constant import Constant
from simulator.hardware.field_types import Bytes, PositiveCycles, Structure
from simulator.hardware.specs.base import Part, UnitSpec
from simulator.units import cycles_from_ns

FILLED = (
    "latency_cycles", "cycle_cycles", "read_energy_pj_per_bit", "write_energy_pj_per_bit", "leakage_mw", "area_mm2",
)  # fmt: skip
"""What a macro states where the file does not; gate leakage comes with leakage."""
BITS_PER_BYTE = 8


class SramMacro(Part):
    """Macros of 64 bits out of the bundled CACTI 7 table, from which missing values are filled in."""

    series: Annotated[str, Field(strict=True, description="series of the table: device type and node, such as lop28")]

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """The series are named."""
        full = handler.resolve_ref_schema(handler(schema))
        full["properties"]["series"]["enum"] = list(sram_series())
        return full


class SramShape(Part):
    """What of a memory decides its macros."""

    macro: SramMacro
    capacity_bytes: Bytes
    banks: Structure
    width_bits: Structure


class Sram(UnitSpec):
    """`banks` banks of words of `width_bits`; an access holds one port of one bank for `cycle_cycles`.

    Bits of a word that nobody asked for are over-fetch and cost what a read costs.  With `macro`, values that are left
    out are filled in when the file is loaded.
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
    MEMORY: ClassVar[Literal["", "chip", "main"]] = "chip"

    type: Annotated[Literal["sram"], Field(description="banked on-chip memory")]
    capacity_bytes: Annotated[Bytes, Field(description="capacity of all banks together, bytes")]
    banks: Annotated[Structure, Field(description="number of banks that work at the same time")]
    ports: Annotated[Structure, Field(description="read/write ports per bank")]
    width_bits: Annotated[Structure, Field(description="bits of one word of one bank")]
    latency_cycles: Annotated[PositiveCycles, Field(description="clock cycles from an access to its data")]
    cycle_cycles: Annotated[PositiveCycles, Field(description="clock cycles a port of a bank is held per word")]
    read_energy_pj_per_bit: Annotated[Constant, Field(description="dynamic energy of a bit read, pJ")]
    write_energy_pj_per_bit: Annotated[Constant, Field(description="dynamic energy of a bit written, pJ")]
    gate_leakage_mw: Annotated[
        Constant,
        Field(default=None, description="gate leakage, mW, where leakage_mw is subthreshold leakage alone"),
    ]
    macro: Annotated[
        SramMacro | None, Field(description="macros whose values hold where this file states none")
    ] = None

    @classmethod
    def filled(cls, plain: dict[str, Any], clock_hz: int | None) -> dict[str, Any]:
        """Values that the file leaves out, by the recipe of `_from_macros`; what it states stays.

        A stated leakage_mw is all leakage, so no gate leakage joins it.  InputError for an unknown series and for
        macros outside the table.
        """
        missing = [name for name in FILLED if plain.get(name) is None]
        if plain.get("macro") is None or not missing:
            return plain
        try:
            shape = SramShape.model_validate({name: plain.get(name) for name in SramShape.model_fields})
        except ValidationError:
            return {**plain, **_stand_ins(missing)}
        values = _from_macros(shape, clock_hz or 1)
        if "leakage_mw" in missing:
            missing.append("gate_leakage_mw")
        return {**plain, **{name: values[name] for name in missing if plain.get(name) is None}}

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """With a macro, what it fills in may be left out."""
        full = handler.resolve_ref_schema(handler(schema))
        always = [name for name in full["required"] if name not in FILLED]
        return {
            **full, "required": always, "if": {"required": ["macro"]}, "then": {}, "else": {"required": list(FILLED)}
        }  # fmt: skip

    def built_leakage_mw(self, built: Mapping[str, int]) -> dict[str, Constant]:
        """Both leakages where both are stated."""
        found = super().built_leakage_mw(built)
        return {name: power for name, power in found.items() if power is not None}


def _stand_ins(missing: list[str]) -> dict[str, Any]:
    """Values for a description whose macros cannot be told: its validation says what is wrong, and nothing else."""
    return {name: 1 if name.endswith("_cycles") else _constant(0.0, "none") for name in missing}


def _from_macros(shape: SramShape, clock_hz: int) -> dict[str, Any]:
    """Values of a memory of 64-bit macros.

    A word lies in ceil(width / 64) macros side by side, of which each bank has one row; narrower words share a row as
    many as fit.  An access reads or writes one row of each: energy per bit is macros x pJ / width.  Times are rounded
    up to cycles; leakages and area are those of all macros.
    """
    width = 64
    beside = -(-shape.width_bits // width)
    words = -(-shape.capacity_bytes * BITS_PER_BYTE // (shape.banks * shape.width_bits))
    rows = -(-words // max(1, width // shape.width_bits))
    capacity, macros = rows * width // BITS_PER_BYTE, shape.banks * beside
    try:
        macro = sram_macro(shape.macro.series, capacity)
    except InputError as error:
        inside = shape.macro.series in sram_series()
        key = "capacity_bytes" if inside else "macro.series"
        found = f"{macros} macros of {capacity} bytes" if inside else error.found
        raise InputError(error.message, key=key, found=found, allowed=error.allowed, nearest=error.nearest) from None
    return _values(macro, macros, beside / shape.width_bits, sram_source(shape.macro.series, capacity), clock_hz)


def _values(macro: Macro, macros: int, per_bit: float, source: str, clock_hz: int) -> dict[str, Any]:
    source = f"{source}; {macros} macros"
    return {
        "latency_cycles": max(1, cycles_from_ns(macro.access_ns, clock_hz, "up")),
        "cycle_cycles": max(1, cycles_from_ns(macro.cycle_ns, clock_hz, "up")),
        "read_energy_pj_per_bit": _constant(macro.read_pj * per_bit, source),
        "write_energy_pj_per_bit": _constant(macro.write_pj * per_bit, source),
        "leakage_mw": _constant(macro.leak_mw * macros, f"{source}; subthreshold leakage"),
        "gate_leakage_mw": _constant(macro.gate_leak_mw * macros, f"{source}; gate leakage"),
        "area_mm2": _constant(macro.area_mm2 * macros, source),
    }


def _constant(value: float, source: str) -> dict[str, Any]:
    return {"value": value, "source": source, "grade": "derived"}
