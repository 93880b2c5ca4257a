"""Main memory with channels, ranks, banks, rows and refresh behind a scheduling controller."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from simulator.errors import InputError
from simulator.hardware.action import OPERANDS, Action, moves
from simulator.hardware.constant import Constant
from simulator.hardware.dram_geometry import DramController, DramGeometry
from simulator.hardware.dram_presets import DramPreset, dram_preset
from simulator.hardware.dram_timing import DramTiming
from simulator.hardware.specs.base import UnitSpec

_COMMANDS = (
    ("activate", "command", "activate_energy_pj"),
    ("read_burst", "burst", "read_burst_energy_pj"),
    ("write_burst", "burst", "write_burst_energy_pj"),
)
OUTCOMES = ("row_hit", "row_closed", "row_conflict", "refresh_wait", "turnaround")
"""What became of a burst on its way: its row was open; its bank was closed; another row was open; it met a refresh; the
data bus changed direction for it.  The first three add up to the bursts."""
_BACKGROUND = (
    Action("refresh", "rank", "command", "refresh_energy_pj", "memory"),
    Action("active", "rank", "cycle", "active_energy_pj", "memory"),
    Action("idle", "rank", "cycle", "idle_energy_pj", "memory"),
)
PRICES = (*(price for _, _, price in _COMMANDS), "refresh_energy_pj", "active_energy_pj", "idle_energy_pj",
          "read_io_energy_pj_per_bit", "write_io_energy_pj_per_bit")  # fmt: skip


def _nothing() -> Constant:
    """Outcomes are counted so that reports can tell them; the commands that they lead to carry the energy."""
    return Constant(value=0, source="contained in the commands' energies", grade="derived")


class BankedDram(UnitSpec):
    """Every command of every channel is issued in a cycle of its own, under all timing constraints of the device.

    `preset` names a bundled device; what is written beside it replaces its values one by one.  A device that is known
    by its timing only needs prices from elsewhere.  Refresh and background belong to no layer.
    """

    ACTIONS: ClassVar[tuple[Action, ...]] = (
        *moves(
            (
                ("read", "read_io_energy_pj_per_bit"),
                ("write", "write_io_energy_pj_per_bit"),
                ("overfetch", "read_io_energy_pj_per_bit"),
            ),
            "memory",
        ),
        *(Action(verb, operand, unit, price, "memory") for verb, unit, price in _COMMANDS for operand in OPERANDS),  # type: ignore[arg-type]
        *(Action(verb, operand, "burst", "outcome_energy_pj", "memory") for verb in OUTCOMES for operand in OPERANDS),
        *_BACKGROUND,
    )
    COMPONENT: ClassVar[str] = "simulator.components.dram:BankedDram"
    MEMORY: ClassVar[Literal["", "chip", "main"]] = "main"

    type: Annotated[Literal["banked_dram"], Field(description="main memory with channels, banks, rows and refresh")]
    preset: Annotated[
        str | None, Field(strict=True, description="bundled device whose values hold unless others are stated")
    ] = None
    geometry: Annotated[DramGeometry, Field(default=None, description="sizes and address order")]
    timing: Annotated[DramTiming, Field(default=None, description="timings in cycles of the unit's clock")]
    keep_schedule: Annotated[
        bool, Field(strict=True, description="keep every command with its cycle, to be written out")
    ] = False
    controller: Annotated[
        DramController, Field(default_factory=DramController, description="queues and policies of each channel")
    ]
    activate_energy_pj: Annotated[
        Constant, Field(default=None, description="an activate and its precharge, all devices of a rank, pJ")
    ]
    read_burst_energy_pj: Annotated[Constant, Field(default=None, description="a read burst, devices of a rank, pJ")]
    write_burst_energy_pj: Annotated[Constant, Field(default=None, description="a write burst, devices of a rank, pJ")]
    refresh_energy_pj: Annotated[
        Constant, Field(default=None, description="a refresh command, all devices of a rank, pJ")
    ]
    active_energy_pj: Annotated[Constant, Field(default=None, description="a cycle of a rank with an open row, pJ")]
    idle_energy_pj: Annotated[Constant, Field(default=None, description="a cycle of a rank without an open row, pJ")]
    read_io_energy_pj_per_bit: Annotated[Constant, Field(default=None, description="interface, per bit read, pJ")]
    write_io_energy_pj_per_bit: Annotated[Constant, Field(default=None, description="interface, per bit written, pJ")]
    outcome_energy_pj: Annotated[
        Constant,
        Field(default_factory=_nothing, description="a row hit, conflict, wait for refresh or turn-around, pJ"),
    ]

    @property
    def capacity_bytes(self) -> int:
        """Bytes of all channels."""
        return self.geometry.capacity_bytes

    @model_validator(mode="before")
    @classmethod
    def _with_preset(cls, data: Any) -> Any:
        """Fills in what the preset states and the file does not."""
        if not isinstance(data, dict) or not isinstance(data.get("preset", ""), str | None):
            return data
        preset = None
        if data.get("preset") is not None:
            try:
                preset = dram_preset(data["preset"])
            except InputError as error:
                error.key = "preset"
                raise
        filled = dict(data)
        for group in ("geometry", "timing"):
            stated = data.get(group, {})
            if preset is not None and isinstance(stated, dict):
                filled[group] = {**getattr(preset, group).model_dump(exclude_none=True), **stated}
            elif group not in data:
                raise InputError("missing key, and no preset", key=group, allowed="a preset, or all its fields")
        return _with_prices(filled, preset)

    @model_validator(mode="after")
    def _fits(self) -> BankedDram:
        """The parts of an address fit the sizes, and the kind of refresh exists."""
        try:
            self.geometry.address_fields()
        except InputError as error:
            error.key = f"geometry.{error.key}"
            raise
        if self.controller.refresh == "bank" and self.timing.trefi_bank_cycles is None:
            raise InputError("this device has no refresh of single banks", key="controller.refresh", found="bank",
                             allowed=["rank", "none"])  # fmt: skip
        return self


def _with_prices(data: dict[str, Any], preset: DramPreset | None) -> dict[str, Any]:
    missing = [name for name in PRICES if name not in data]
    if not missing:
        return data
    if preset is None:
        raise InputError("missing key, and no preset", key=missing[0], allowed="a constant with source and grade")
    controller = data.get("controller")
    if isinstance(controller, dict) and controller.get("refresh") == "bank" and "refresh_energy_pj" in missing:
        raise InputError("the preset's price is that of the refresh of a rank", key="refresh_energy_pj",
                         allowed="the energy of the refresh of one bank, with its source")  # fmt: skip
    try:
        prices = preset.prices()
    except InputError as error:
        error.key = missing[0]
        raise
    return {**{name: prices[name] for name in missing}, **data}
