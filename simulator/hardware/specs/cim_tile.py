"""RRAM compute-in-memory: a bank of identical tiles of crossbars with their network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from simulator.errors import InputError
from simulator.hardware.action import Action
from simulator.hardware.cim.adc import AdcBlock
from simulator.hardware.cim.area import Area, Leakage, areas, leakages
from simulator.hardware.cim.crossbar import Cell, Crossbar
from simulator.hardware.cim.device import Device
from simulator.hardware.cim.parts import Buffer, Digital, TileNetwork, Timing, Write
from simulator.hardware.cim.prices import ACTIONS, Lumps, Prices
from simulator.hardware.cim.quirks import Quirks
from simulator.hardware.constant import Constant
from simulator.hardware.field_types import Structure
from simulator.hardware.specs.base import UnitSpec
from simulator.units import PS_PER_SECOND, ceil_div


def _arrays(value: Any) -> Any:
    whole = isinstance(value, int | float) and not isinstance(value, bool) and float(value).is_integer()
    if value == "kernel" or (whole and value >= 1):
        return value if value == "kernel" else int(value)
    raise PydanticCustomError("arrays", "Input should be kernel or a positive integer")


Arrays = Annotated[Structure | Literal["kernel"], BeforeValidator(_arrays)]


HTREE_ELEMENTS = 8
"""Elements that SpikeSim's H-tree energy is for, ela_spikesim.py of commit c2627bc: 19.64 pJ x 8."""


class CimTile(UnitSpec):
    """Tiles of processing elements; an element holds the arrays of one kernel and their converters.

    Input vectors are driven row group by row group, columns are multiplexed onto converters, results shifted and
    added over bit slices, accumulated over kernel positions and row blocks, and fed to digital neurons.
    """

    ACTIONS: ClassVar[tuple[Action, ...]] = ACTIONS
    STALLS: ClassVar[tuple[str, ...]] = ("dependency", "network", "partial_sum", "port", "input")
    COMPONENT: ClassVar[str] = "simulator.components.cim_tile:CimTile"

    type: Annotated[Literal["cim_tile"], Field(description="bank of RRAM compute-in-memory tiles")]
    tiles: Annotated[
        Structure | None, Field(description="tiles of the chip; left out: as many as the mapping needs")
    ] = None
    pes_per_tile: Annotated[Structure, Field(description="processing elements per tile")]
    arrays_per_pe: Annotated[
        Arrays, Field(description="arrays per processing element; kernel: one per kernel position of the layer")
    ]
    tile_sharing: Annotated[bool, Field(strict=True, description="layers may share a tile")]
    arrangement: Annotated[
        Literal["kernel", "im2col"], Field(description="an array per kernel position, or the window along the rows")
    ]
    pipeline: Annotated[
        Literal["stream", "after"], Field(description="layers follow each other position by position, or whole")
    ]
    input_bits: Annotated[
        Annotated[int, Structure, Field(le=16)] | None,
        Field(description="bits of an input; left out: what the source population sends"),
    ] = None
    power_gating: Annotated[
        bool, Field(strict=True, description="processing elements without weights are cut off and do not leak")
    ] = False
    crossbar: Annotated[Crossbar, Field(description="the array, its cells and how it is read")]
    cell: Annotated[Cell, Field(description="resistances of the cell, for energy that follows conductance")]
    adc: Annotated[AdcBlock, Field(description="the converter: name of a block in adc_blocks.yaml, or a whole block")]
    timing: Annotated[Timing, Field(description="times of each step")]
    digital: Annotated[Digital, Field(description="accumulation and neuron units")]
    buffer: Annotated[Buffer, Field(description="tile buffer")]
    network: Annotated[TileNetwork, Field(description="network between tiles")]
    write: Annotated[Write, Field(description="programming of cells")]
    device: Annotated[
        Device | None, Field(description="non-idealities of the devices for the functional path; left out: ideal")
    ] = None
    quirks: Annotated[
        Quirks, Field(description="compatibility flags of published estimators: a set, a flag, or a list")
    ] = ()
    prices: Annotated[Prices, Field(description="energy of each action")]
    lumps: Annotated[
        Lumps | None, Field(description="energies per vector, with the quirk lumps_per_pe_cycle and only then")
    ] = None
    area: Annotated[Area, Field(description="area of each component")]
    leakage: Annotated[Leakage, Field(description="static power of each component")]

    @model_validator(mode="after")
    def _consistent(self) -> CimTile:
        lumped = "lumps_per_pe_cycle" in self.quirks
        if lumped != (self.lumps is not None):
            raise InputError(
                "the quirk lumps_per_pe_cycle needs prices per vector" if lumped
                else "prices per vector are legal with the quirk lumps_per_pe_cycle only",
                key="lumps",
                found=f"lumps {'absent' if self.lumps is None else 'present'}, quirks {list(self.quirks)}",
            )  # fmt: skip
        for flag in ("xbar_area_fixed", "htree_fixed_8"):
            if flag in self.quirks and self.area.fixed is None:
                raise InputError(f"the quirk {flag} needs the areas it holds fixed", key="area.fixed", found="nothing")
        fixed = self.area.fixed
        if (
            self.lumps is not None
            and fixed is not None
            and "sram_energy_is_area" not in self.quirks
            and self.lumps.crossbar_step_energy_pj.value == fixed.crossbar_um2.value
        ):
            raise InputError(
                "one number serves as the energy and as the area of an array, which only the quirk "
                "sram_energy_is_area allows",
                key="lumps.crossbar_step_energy_pj",
                found=fixed.crossbar_um2.value,
                allowed="an energy with a source of its own",
            )
        if "fixed_pe_cycle" in self.quirks and self.timing.pe_cycle_clocks is None:
            raise InputError(
                "the quirk fixed_pe_cycle needs the clocks of a vector", key="timing.pe_cycle_clocks", found="nothing"
            )
        if self.adc.early_stop and self.crossbar.sample_hold:
            raise InputError(
                "columns that are held are all converted in full: early stop needs sample_hold false",
                key="adc.early_stop",
                found=f"early_stop: true, crossbar.sample_hold: {self.crossbar.sample_hold}",
                allowed=[False],
            )
        if self.adc.kind != "integrate_steps" and not self.convert_ps():
            raise InputError(
                f"the ADC block {self.adc.name} states no conversion time, and timing.convert_ps does not either",
                key="timing.convert_ps",
                found=self.timing.convert_ps,
                allowed="ps, above 0",
            )
        return self

    def price_of(self, action: Action) -> Constant | None:
        """As in the base class, with three prices that follow a setting.

        Cells are priced by the converter where its block contains their current.  Without `sub_unit_slip` a
        subtraction costs what was meant, without `htree_fixed_8` the H-tree grows with the elements of a tile.
        """
        instead = {
            "read:cell": self.adc.cell_current == "included",
            "lump_sub:column": "sub_unit_slip" not in self.quirks,
        }
        price: Constant | None = self.at(action.instead if instead.get(action.name) else action.price)
        if action.name == "lump_htree:vector" and price is not None and "htree_fixed_8" not in self.quirks:
            share = self.pes_per_tile / HTREE_ELEMENTS
            source = f"{price.source}; x {self.pes_per_tile} of {HTREE_ELEMENTS} elements"
            return Constant(value=price.value * share, source=source, grade="derived")
        return price

    def cycles(self, ps: int, clock_hz: int) -> int:
        """Whole cycles of a clock of `clock_hz` Hz that an analog time of `ps` picoseconds takes."""
        return ceil_div(ps * clock_hz, PS_PER_SECOND)

    def convert_ps(self, bits: int | None = None) -> int:
        """Time of one conversion of `bits` bits (None: all), ps: that of the ADC block, else timing.convert_ps."""
        stated = self.adc.convert_ps(self.adc.bits if bits is None else bits)
        return stated if stated is not None else self.timing.convert_ps or 0

    @property
    def check_cycles(self) -> int:
        """Clock cycles of the zero test; none without zero skipping."""
        return 0 if self.crossbar.zero_skip == "none" else self.timing.check_cycles

    @property
    def zero_skip(self) -> str:
        """Zero skipping that takes effect: joined bit lines cannot leave out a single array."""
        joined = self.crossbar.kernel_merge == "analog" and self.crossbar.zero_skip == "array"
        return "pe" if joined else self.crossbar.zero_skip

    @property
    def bank_adcs(self) -> int:
        """Converters of one bank."""
        return self.crossbar.bank_adcs

    def built_area_um2(self, built: Mapping[str, int]) -> dict[str, float]:
        """Area by component, um2, of what a mapping built; without a mapping that of the unit's fixed part."""
        return areas(self, built) if built else super().built_area_um2(built)

    def built_leakage_mw(self, built: Mapping[str, int]) -> dict[str, Constant]:
        """Static power by component, mW; without a mapping that of the unit's fixed part."""
        return leakages(self, built) if built else super().built_leakage_mw(built)
