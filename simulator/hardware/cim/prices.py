"""What a CIM tile is charged for: its actions, the price of each, and the lumps of the SpikeSim estimator."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from simulator.hardware.action import Action
from simulator.hardware.constant import Constant
from simulator.hardware.specs.base import SourcedPart


class Prices(SourcedPart):
    """One price per action; an action whose energy lies inside another's costs 0 and its source says which."""

    slot_row_energy_pj: Annotated[
        Constant, Field(description="energy of one row of the array, active or not, per read step, pJ")
    ]
    drive_row_energy_pj: Annotated[Constant, Field(description="energy of driving one active row, pJ")]
    select_row_energy_pj: Annotated[Constant, Field(description="energy of selecting one packed row group, pJ")]
    read_cell_energy_pj: Annotated[
        Constant, Field(description="energy of one active cell per read, pJ (ADC blocks that exclude cell current)")
    ]
    read_column_energy_pj: Annotated[Constant, Field(description="energy of the multiplexer per column selected, pJ")]
    hold_column_energy_pj: Annotated[Constant, Field(description="energy of sampling and holding one column, pJ")]
    shift_add_partial_sum_energy_pj: Annotated[Constant, Field(description="energy of merging one slice, pJ")]
    subtract_partial_sum_energy_pj: Annotated[Constant, Field(description="energy of one sign correction, pJ")]
    accumulate_partial_sum_energy_pj: Annotated[Constant, Field(description="energy of adding one partial sum, pJ")]
    update_state_energy_pj: Annotated[Constant, Field(description="energy of updating one neuron, pJ")]
    fire_state_energy_pj: Annotated[Constant, Field(description="energy of one output spike in the neuron unit, pJ")]
    read_spike_energy_pj_per_bit: Annotated[Constant, Field(description="energy of a tile buffer bit read, pJ")]
    write_spike_energy_pj_per_bit: Annotated[Constant, Field(description="energy of a tile buffer bit written, pJ")]
    read_state_energy_pj_per_bit: Annotated[Constant, Field(description="energy of a membrane bit read, pJ")]
    write_state_energy_pj_per_bit: Annotated[Constant, Field(description="energy of a membrane bit written, pJ")]
    link_spike_energy_pj_per_bit: Annotated[Constant, Field(description="energy of a spike bit between tiles, pJ")]
    link_partial_sum_energy_pj_per_bit: Annotated[
        Constant, Field(description="energy of a partial sum bit between tiles, pJ")
    ]
    latch_row_energy_pj: Annotated[Constant, Field(description="energy of latching one row's input, pJ")]
    check_vector_energy_pj: Annotated[Constant, Field(description="energy of one zero test, pJ")]
    program_cell_energy_pj: Annotated[Constant, Field(description="energy of one pulse on one cell, pJ")]
    program_row_energy_pj: Annotated[Constant, Field(description="energy of one pulse on one row, cells apart, pJ")]
    active_cycle_energy_pj: Annotated[Constant, Field(description="energy of one busy clock cycle, pJ")]


class Lumps(SourcedPart):
    """Energies that SpikeSim charges per input vector of a processing element (quirk lumps_per_pe_cycle)."""

    tile_buffer_energy_pj: Annotated[Constant, Field(description="tile buffer per vector, pJ")]
    htree_energy_pj: Annotated[Constant, Field(description="H-tree per vector, pJ")]
    fetch_energy_pj: Annotated[Constant, Field(description="memory fetch per vector, pJ")]
    neuron_energy_pj: Annotated[Constant, Field(description="neuron unit per vector, pJ")]
    crossbar_step_energy_pj: Annotated[Constant, Field(description="one array per mux step, pJ")]
    row_energy_pj_per_thousandth: Annotated[
        Constant, Field(description="array per thousandth of an active row (patch_events), pJ")
    ]
    temp_energy_pj: Annotated[Constant, Field(description="temporary buffer per mux step, pJ")]
    sub_energy_pj: Annotated[Constant, Field(description="subtractor per event as printed, pJ (sub_unit_slip)")]
    sub_meant_energy_pj: Annotated[
        Constant, Field(description="subtractor per event as meant, pJ (without the quirk sub_unit_slip)")
    ]


ACTIONS: tuple[Action, ...] = (
    Action("slot", "row", "row", "prices.slot_row_energy_pj", "compute"),
    Action("drive", "row", "row", "prices.drive_row_energy_pj", "compute"),
    Action("select", "row", "operation", "prices.select_row_energy_pj", "control"),
    Action("read", "cell", "cell", "prices.read_cell_energy_pj", "compute", "adc.read_cell_energy_pj"),
    Action("read", "column", "column", "prices.read_column_energy_pj", "compute"),
    Action("convert", "column", "conversion", "adc.convert_energy_pj", "compute"),
    Action("convert_idle", "column", "conversion", "adc.idle_convert_energy_pj", "compute"),
    Action("conduct", "column", "milli-microsiemens", "adc.conductance_energy_pj_per_milli_us", "compute"),
    Action("hold", "column", "column", "prices.hold_column_energy_pj", "compute"),
    Action("integrate", "column", "operation", "adc.steps.integrate_energy_pj", "compute"),
    Action("sample", "column", "operation", "adc.steps.sample_energy_pj", "compute"),
    Action("step", "column", "operation", "adc.steps.step_energy_pj", "compute"),
    Action("shift_add", "partial_sum", "operation", "prices.shift_add_partial_sum_energy_pj", "compute"),
    Action("subtract", "partial_sum", "operation", "prices.subtract_partial_sum_energy_pj", "compute"),
    Action("accumulate", "partial_sum", "operation", "prices.accumulate_partial_sum_energy_pj", "compute"),
    Action("update", "state", "neuron", "prices.update_state_energy_pj", "compute"),
    Action("fire", "state", "spike", "prices.fire_state_energy_pj", "compute"),
    Action("read", "spike", "bit", "prices.read_spike_energy_pj_per_bit", "memory"),
    Action("write", "spike", "bit", "prices.write_spike_energy_pj_per_bit", "memory"),
    Action("read", "state", "bit", "prices.read_state_energy_pj_per_bit", "memory"),
    Action("write", "state", "bit", "prices.write_state_energy_pj_per_bit", "memory"),
    Action("link", "spike", "bit", "prices.link_spike_energy_pj_per_bit", "interconnect"),
    Action("link", "partial_sum", "bit", "prices.link_partial_sum_energy_pj_per_bit", "interconnect"),
    Action("latch", "row", "row", "prices.latch_row_energy_pj", "control"),
    Action("check", "vector", "vector", "prices.check_vector_energy_pj", "control"),
    Action("program", "cell", "cell", "prices.program_cell_energy_pj", "memory"),
    Action("program", "row", "row", "prices.program_row_energy_pj", "memory"),
    Action("active", "cycle", "cycle", "prices.active_cycle_energy_pj", "control"),
    Action("lump_tile_buffer", "vector", "vector", "lumps.tile_buffer_energy_pj", "memory"),
    Action("lump_htree", "vector", "vector", "lumps.htree_energy_pj", "interconnect"),
    Action("lump_fetch", "vector", "vector", "lumps.fetch_energy_pj", "memory"),
    Action("lump_neuron", "vector", "vector", "lumps.neuron_energy_pj", "compute"),
    Action("lump_crossbar_step", "array", "array", "lumps.crossbar_step_energy_pj", "compute"),
    Action("lump_row", "row", "row", "lumps.row_energy_pj_per_thousandth", "compute"),
    Action("lump_temp", "column", "column", "lumps.temp_energy_pj", "memory"),
    Action("lump_sub", "column", "column", "lumps.sub_energy_pj", "compute", "lumps.sub_meant_energy_pj"),
)
"""In the order of the ledger.  The last eight are counted under the quirk lumps_per_pe_cycle only."""
