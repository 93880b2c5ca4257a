"""The array of a CIM tile: its cells, how weights sit in it, how it is driven and read."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from simulator.errors import InputError
from simulator.hardware.constant import Constant
from simulator.hardware.field_types import MAX_STRUCTURE, Cycles, Structure
from simulator.hardware.specs.base import Part, SourcedPart
from simulator.units import ceil_div


def _all_rows(fields: dict[str, Any]) -> int:
    """Every row of a bit line: of one array, or of however many arrays a processing element joins."""
    return MAX_STRUCTURE if fields.get("kernel_merge") == "analog" else int(fields.get("rows", 1))


class Crossbar(Part):
    """One array: rows take inputs, columns give sums, `mux_ratio` columns share a converter."""

    rows: Annotated[Structure, Field(description="rows of one array")]
    columns: Annotated[Structure, Field(description="columns of one array")]
    cell_bits: Annotated[int, Structure, Field(le=8, description="bits of a weight that one cell holds")]
    signed: Annotated[
        Literal["offset", "differential_columns", "differential_rows", "reference_column"],
        Field(description="how negative weights are stored: shifted by an offset, in pairs, or against one column"),
    ]
    row_policy: Annotated[
        Literal["static", "static_skip", "pack"],
        Field(description="row groups: fixed, fixed with empty ones left out, or active rows packed together"),
    ]
    select_cycles: Annotated[Cycles, Field(description="clock cycles of the row selector per group (pack only)")]
    sample_hold: Annotated[
        bool, Field(strict=True, description="one read per group, its columns are held while they are converted")
    ]
    conduct: Annotated[
        Literal["selected", "all"], Field(description="columns that draw current in a mux step (no sample and hold)")
    ]
    kernel_merge: Annotated[
        Literal["analog", "mux", "private"],
        Field(description="arrays of a processing element: bit lines joined, one bank in turns, or a bank each"),
    ]
    zero_skip: Annotated[
        Literal["none", "pe", "array"], Field(description="what is left out when no row of it is active")
    ]
    redrive_per_mux_step: Annotated[
        bool, Field(strict=True, description="word lines are driven anew at each mux step, and cost again")
    ]
    mux_ratio: Annotated[Structure, Field(description="columns that share one converter")]
    rows_parallel: Annotated[
        Structure,
        Field(
            default_factory=_all_rows,
            description="most rows that may be on at the same time on one bit line, joined arrays counted together; "
            "left out: all of them",
        ),
    ]

    @model_validator(mode="after")
    def _fits(self) -> Crossbar:
        if self.rows_parallel > self.rows and self.kernel_merge != "analog":
            raise InputError(
                "more rows are on at the same time than there are",
                key="crossbar.rows_parallel",
                found=self.rows_parallel,
                allowed=f"at most {self.rows} (crossbar.rows)",
            )
        if self.mux_ratio > self.columns:
            raise InputError(
                "a converter is shared by more columns than there are",
                key="crossbar.mux_ratio",
                found=self.mux_ratio,
                allowed=f"at most {self.columns} (crossbar.columns)",
            )
        if self.signed == "differential_rows" and self.rows % 2:
            raise InputError(
                "differential rows come in pairs", key="crossbar.rows", found=self.rows, allowed="an even number"
            )
        if self.sample_hold and self.redrive_per_mux_step:
            raise InputError(
                "with sample and hold the word lines are driven once, not at each mux step",
                key="crossbar.redrive_per_mux_step",
                found=True,
                allowed=[False],
            )
        return self

    @property
    def bank_adcs(self) -> int:
        """Converters of one bank: ceil(columns / mux_ratio)."""
        return ceil_div(self.columns, self.mux_ratio)

    def mux_steps(self, columns: int) -> int:
        """Mux steps M to convert `columns` used columns: ceil(columns / converters of the bank)."""
        return ceil_div(columns, self.bank_adcs)


class Cell(SourcedPart):
    """The programmed cell as the bit line sees it: a resistance between on and off, in series with its switch."""

    on_ohm: Annotated[Constant, Field(description="resistance at the highest level, ohm")]
    off_ohm: Annotated[Constant, Field(description="resistance at the lowest level, ohm; above on_ohm")]
    access_ohm: Annotated[Constant, Field(description="resistance of the access device in series, ohm")]

    @model_validator(mode="after")
    def _fits(self) -> Cell:
        if not 0 < self.on_ohm.value < self.off_ohm.value:
            raise InputError(
                "the on resistance lies between zero and the off resistance",
                key="cell.on_ohm",
                found=self.on_ohm.value,
                allowed=f"above 0, below {self.off_ohm.value} (cell.off_ohm)",
            )
        return self

    @property
    def mean_milli_us(self) -> int:
        """Conductance of a cell at the mean level with its switch in series, in thousandths of a microsiemens.

        1 / (2 / (1/on + 1/off) + access), rounded to an integer so that counts of it are integers.
        """
        middle = 2 / (1 / self.on_ohm.value + 1 / self.off_ohm.value)
        return round(1e9 / (middle + self.access_ohm.value))
