"""Area and leakage of a bank of CIM tiles by component, from what a mapping built.

Form: A_tile = n_pe (arrays (R C A_cell + A_row + A_col) + banks x n_adc (A_adc + A_sa)) + A_acc + A_lif + A_buffer +
A_htree, times `layout_overhead`; membranes are neurons x word bits x A_bit.  The area flags of SpikeSim's
`ela_spikesim.py` (commit c2627bc) replace single terms; with all of them the sum is
tiles x [(X/8) A_sub + A_temp + A_tile + P (k^2 A_xb + (X/8) (A_adc + A_mux)) + A_htree] + 22 A_bit x states.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from simulator.errors import InputError
from simulator.hardware.constant import Constant
from simulator.hardware.specs.base import SourcedPart

if TYPE_CHECKING:
    from simulator.hardware.specs.cim_tile import CimTile

BUILT: dict[str, str] = {
    "tiles": "tiles",
    "pes": "processing elements, idle ones included",
    "arrays": "arrays, idle ones included",
    "adcs": "converters, idle ones included",
    "used_pes": "processing elements that hold weights",
    "used_arrays": "arrays that hold weights",
    "neurons": "neurons whose membranes are held",
    "first_neurons": "neurons of the first five layers",
    "source_neurons": "inputs of all layers together",
}
"""Counts of a mapping that area and leakage are made of."""


class FixedArea(SourcedPart):
    """Areas that SpikeSim does not scale (quirks xbar_area_fixed and htree_fixed_8)."""

    crossbar_um2: Annotated[Constant, Field(description="one array of any size, um2")]
    htree_um2: Annotated[Constant, Field(description="H-tree of a tile of any number of processing elements, um2")]


class Area(SourcedPart):
    """Area of one of each, um2; converters bring their own."""

    cell_um2: Annotated[Constant, Field(description="one cell, um2")]
    row_um2: Annotated[Constant, Field(description="driver of one row of one array, um2")]
    column_um2: Annotated[Constant, Field(description="multiplexer, decoder and switches per column of an array, um2")]
    mux_um2: Annotated[Constant, Field(description="whatever each converter needs beside itself, um2")]
    hold_um2: Annotated[Constant, Field(description="sample and hold of one column, um2")]
    shift_add_um2: Annotated[Constant, Field(description="shift-and-add unit of one converter, um2")]
    subtract_um2: Annotated[Constant, Field(description="subtractor of one converter, um2")]
    psum_buffer_um2: Annotated[Constant, Field(description="partial sum buffer of one converter, um2")]
    accumulate_lane_um2: Annotated[Constant, Field(description="one lane of the accumulation unit, um2")]
    lif_lane_um2: Annotated[Constant, Field(description="one lane of the neuron unit, um2")]
    buffer_um2: Annotated[Constant, Field(description="tile buffer, um2")]
    htree_um2: Annotated[Constant, Field(description="H-tree per processing element, um2")]
    network_um2: Annotated[Constant, Field(description="a tile's share of the network between tiles, um2")]
    bit_um2: Annotated[Constant, Field(description="one bit of membrane or input memory, um2")]
    fixed: Annotated[FixedArea | None, Field(description="areas that quirks hold fixed")] = None
    layout_overhead: Annotated[float, Field(ge=1, le=100, description="factor from components to layout")] = 1.0


class Leakage(SourcedPart):
    """Static power of one of each, nW; converters bring their own."""

    cell_nw: Annotated[Constant, Field(description="one cell, nW")]
    row_nw: Annotated[Constant, Field(description="driver of one row of one array, nW")]
    column_nw: Annotated[Constant, Field(description="periphery of one column of one array, nW")]
    shift_add_nw: Annotated[Constant, Field(description="shift-and-add unit of one converter, nW")]
    accumulate_lane_nw: Annotated[Constant, Field(description="one lane of the accumulation unit, nW")]
    lif_lane_nw: Annotated[Constant, Field(description="one lane of the neuron unit, nW")]
    buffer_nw: Annotated[Constant, Field(description="tile buffer, nW")]
    network_nw: Annotated[Constant, Field(description="a tile's share of the networks, nW")]
    bit_nw: Annotated[Constant, Field(description="one bit of membrane or input memory, nW")]


def present(spec: CimTile, built: Mapping[str, int], powered: bool = False) -> dict[str, int]:
    """How many of each piece exist: tiles, pes, arrays, rows, columns, cells, adcs, lanes, bits.

    A chip of a given number of tiles, and every chip under `full_tiles`, has the processing elements that a tile
    has; one made for the network (`tiles: null`) has those that hold weights.  With `powered` only what leaks is
    counted: `power_gating` cuts off processing elements without weights.  Raises InputError for a count that is not
    there.
    """
    missing = [name for name in BUILT if name not in built]
    if missing:
        raise InputError("what the mapping built is not known in full", found=sorted(built), allowed=list(BUILT))
    x = spec.crossbar
    if (spec.tiles is not None or "full_tiles" in spec.quirks) and not (powered and spec.power_gating):
        pes, arrays, adcs = built["pes"], built["arrays"], built["adcs"]
    else:
        pes, arrays = built["used_pes"], built["used_arrays"]
        adcs = (arrays if x.kernel_merge == "private" else pes) * x.bank_adcs
    neurons = built["first_neurons" if "neuron_mem_first5" in spec.quirks else "neurons"]
    word = spec.digital.membrane_bits if "input_mem_22bit" in spec.quirks else spec.input_bits or 1
    return {
        "tiles": built["tiles"],
        "pes": pes,
        "arrays": arrays,
        "rows": arrays * x.rows,
        "columns": arrays * x.columns,
        "cells": arrays * x.rows * x.columns,
        "adcs": adcs,
        "accumulate_lanes": built["tiles"] * spec.digital.accumulate_lanes,
        "lif_lanes": built["tiles"] * spec.digital.lif_lanes,
        "membrane_bits": neurons * spec.digital.membrane_bits,
        "input_bits": built["source_neurons"] * word,
    }


def areas(spec: CimTile, built: Mapping[str, int]) -> dict[str, float]:
    """Area by component, um2; "layout" is what `layout_overhead` adds."""
    n, a = present(spec, built), spec.area
    fixed, tiles = a.fixed, n["tiles"]
    if fixed is not None and "xbar_area_fixed" in spec.quirks:
        crossbars = n["arrays"] * fixed.crossbar_um2.value
    else:
        crossbars = n["cells"] * a.cell_um2.value
    if fixed is not None and "htree_fixed_8" in spec.quirks:
        htree = tiles * fixed.htree_um2.value
    else:
        htree = n["pes"] * a.htree_um2.value
    per_tile = "sub_area_x8_temp_area_1" in spec.quirks
    subtractors = tiles * spec.crossbar.bank_adcs if per_tile else n["adcs"]
    psum_buffers = tiles if per_tile else n["adcs"]
    found = {
        "crossbar": crossbars,
        "row_driver": n["rows"] * a.row_um2.value,
        "column": n["columns"] * a.column_um2.value,
        "adc": n["adcs"] * spec.adc.area_um2.value,
        "mux": n["adcs"] * a.mux_um2.value,
        "hold": n["columns"] * a.hold_um2.value if spec.crossbar.sample_hold else 0.0,
        "shift_add": n["adcs"] * a.shift_add_um2.value,
        "subtract": subtractors * a.subtract_um2.value,
        "psum_buffer": psum_buffers * a.psum_buffer_um2.value,
        "accumulate": n["accumulate_lanes"] * a.accumulate_lane_um2.value,
        "lif": n["lif_lanes"] * a.lif_lane_um2.value,
        "buffer": tiles * a.buffer_um2.value,
        "htree": htree,
        "network": tiles * a.network_um2.value,
        "membrane_memory": n["membrane_bits"] * a.bit_um2.value,
        "input_memory": n["input_bits"] * a.bit_um2.value,
        "unit": spec.area_mm2.value * 1e6,
    }
    found["layout"] = (a.layout_overhead - 1) * math.fsum(found.values())
    return found


def leakages(spec: CimTile, built: Mapping[str, int]) -> dict[str, Constant]:
    """Static power by component, mW, each with the source and grade of its piece; empty under no_static_no_dram."""
    if "no_static_no_dram" in spec.quirks:
        return {}
    n, w = present(spec, built, powered=True), spec.leakage
    pieces = {
        "cell": (n["cells"], w.cell_nw),
        "row_driver": (n["rows"], w.row_nw),
        "column": (n["columns"], w.column_nw),
        "adc": (n["adcs"], spec.adc.leakage_nw),
        "shift_add": (n["adcs"], w.shift_add_nw),
        "accumulate": (n["accumulate_lanes"], w.accumulate_lane_nw),
        "lif": (n["lif_lanes"], w.lif_lane_nw),
        "buffer": (n["tiles"], w.buffer_nw),
        "network": (n["tiles"], w.network_nw),
        "memory": (n["membrane_bits"] + n["input_bits"], w.bit_nw),
    }
    found = {
        f"leakage_{name}": Constant(value=count * piece.value * 1e-6, source=piece.source, grade=piece.grade)
        for name, (count, piece) in pieces.items()
    }
    return {"leakage": spec.leakage_mw, **found}
