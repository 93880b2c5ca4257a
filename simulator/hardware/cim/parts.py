"""Timing and digital parts of a CIM tile: clocks, lanes, buffers, network, programming."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from simulator.hardware.field_types import Cycles, PositiveCycles, Structure
from simulator.hardware.specs.base import Part


class Timing(Part):
    """Analog times in ps, each rounded up to whole cycles of the unit's clock; digital times in cycles."""

    wordline_ps: Annotated[Cycles, Field(description="from the row latch to settled word lines, ps")]
    read_ps: Annotated[Cycles, Field(description="read pulse and settling of the bit lines, ps")]
    hold_ps: Annotated[Cycles, Field(description="to sample the columns (sample and hold only), ps")]
    mux_ps: Annotated[Cycles, Field(description="to switch the column multiplexer, ps")]
    convert_ps: Annotated[
        Cycles | None, Field(description="conversion time for an ADC block that states none, ps")
    ] = None
    shift_add_cycles: Annotated[Cycles, Field(description="clock cycles through the shift-and-add unit")]
    check_cycles: Annotated[Cycles, Field(description="clock cycles of the zero test (zero_skip none: not spent)")]
    accumulate_cycles: Annotated[Cycles, Field(description="clock cycles per word of an accumulation lane")]
    lif_cycles: Annotated[PositiveCycles, Field(description="clock cycles per neuron of a neuron lane")]
    pe_cycle_clocks: Annotated[
        PositiveCycles | None, Field(description="clock cycles of any vector under the quirk fixed_pe_cycle")
    ] = None


class Digital(Part):
    """Accumulation over row blocks, and neurons; per tile."""

    accumulate_lanes: Annotated[Structure, Field(description="partial sums added at the same time, per tile")]
    lif_lanes: Annotated[Structure, Field(description="neurons updated at the same time, per tile")]
    lif_mode: Annotated[
        Literal["all", "touched"],
        Field(description="neurons updated in a timestep: all, or those that a partial sum arrived for"),
    ]
    membrane_bits: Annotated[Structure, Field(description="bits of a stored membrane")]
    psum_bits: Annotated[Structure, Field(description="bits of a partial sum on the network")]


class Buffer(Part):
    """The tile's store of input spikes, and the places of partial sums."""

    port_bits: Annotated[Structure, Field(description="bits that the tile's buffer port moves per clock cycle")]
    line_buffer: Annotated[
        bool, Field(strict=True, description="a window fetches only what the window before did not have")
    ]
    psum_depth: Annotated[Structure, Field(description="results per lane that may wait for the accumulation unit")]
    steps: Annotated[Structure, Field(description="timesteps whose spikes the buffers hold")]
    input_mode: Annotated[
        Literal["bitmap", "event"], Field(description="how rows are latched: a bit per row, or an address per spike")
    ]
    address_bits: Annotated[Structure, Field(description="bits of one spike address (input_mode event)")]
    zero_flags: Annotated[
        bool,
        Field(
            strict=True,
            description="a flag per position says that nothing fired there: its bit map is not written, sent or read",
        ),
    ] = False


class TileNetwork(Part):
    """Between tiles: an egress port per tile, and the chip's input port."""

    kind: Annotated[
        Literal["htree", "bus", "mesh"], Field(description="what joins the tiles; the tiles of a bus share one egress")
    ]
    link_bits: Annotated[Structure, Field(description="bits that a tile's egress moves per clock cycle")]
    hop_cycles: Annotated[PositiveCycles, Field(description="clock cycles from a tile's egress to another tile")]
    input_port_bits: Annotated[Structure, Field(description="bits that enter the chip per clock cycle")]


class Write(Part):
    """Programming of the cells before the first input."""

    set_ps: Annotated[Cycles, Field(description="length of a set pulse, ps")]
    reset_ps: Annotated[Cycles, Field(description="length of a reset pulse, ps")]
    parallel_cells: Annotated[Structure, Field(description="cells of an array written by one pulse")]
    verify_steps: Annotated[Structure, Field(description="pulses per cell until it holds its level, verify included")]
    count: Annotated[bool, Field(strict=True, description="programming is part of the run: its time and its energy")]
