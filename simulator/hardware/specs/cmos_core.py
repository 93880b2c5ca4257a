"""The event-driven CMOS core: an array of processing elements with a scatter or a gather dataflow."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from simulator.errors import InputError
from simulator.hardware.action import Action
from simulator.hardware.constant import Constant
from simulator.hardware.field_types import Cycles, Integer, PositiveCycles, Structure
from simulator.hardware.specs.base import Part, UnitSpec


class Scatter(Part):
    """Per spike: decode the address, then add a row of weights to each position of its fan-out."""

    lanes: Annotated[Structure, Field(description="output channels updated at the same time")]
    engines: Annotated[Structure, Field(description="spikes whose fan-out is walked at the same time")]
    fifo_depth: Annotated[Structure, Field(description="places of the input spike FIFO")]
    feed_cycles: Annotated[PositiveCycles, Field(description="clock cycles to push one spike into the FIFO")]
    decode_cycles: Annotated[PositiveCycles, Field(description="clock cycles to decode the address of a spike")]
    pipeline_cycles: Annotated[Cycles, Field(description="clock cycles from weight fetch to membrane write")]
    bank_row_skew: Annotated[
        Cycles, Field(description="membrane banks by which one row of the map is shifted against the row above")
    ]
    accumulate_cycles: Annotated[PositiveCycles, Field(description="clock cycles a membrane bank is held per word")]
    update_cycles: Annotated[PositiveCycles, Field(description="clock cycles of the update scan per membrane word")]
    output_fifo_depth: Annotated[Structure, Field(description="places of the output spike FIFO")]
    output_cycles: Annotated[PositiveCycles, Field(description="clock cycles to send one spike from the output FIFO")]


class Unroll(Part):
    """Processing elements along each loop; the array has k * c * oy * ox of them."""

    k: Annotated[Structure, Field(description="output channels")]
    c: Annotated[Structure, Field(description="input channels")]
    oy: Annotated[Structure, Field(description="output rows")]
    ox: Annotated[Structure, Field(description="output columns")]

    @property
    def elements(self) -> int:
        """Number of processing elements."""
        return self.k * self.c * self.oy * self.ox


class Gather(Part):
    """Per output position: walk its window of inputs; gating decides what a missing spike saves."""

    unroll: Annotated[Unroll, Field(description="processing elements along each loop")]
    ops_per_pe_cycle: Annotated[Structure, Field(description="operations of one processing element per clock cycle")]
    ops_per_synapse: Annotated[
        Literal[1, 2], Integer, Field(description="operations a synaptic operation counts for: 1 add, 2 select and add")
    ]
    gating: Annotated[
        Literal["none", "energy", "skip"], Field(description="what a missing spike saves: nothing, energy, or both")
    ]
    window_cycles: Annotated[PositiveCycles, Field(description="least clock cycles per group of windows")]
    neuron_lanes: Annotated[Structure, Field(description="neurons updated per clock cycle")]
    fill_cycles: Annotated[Cycles, Field(description="clock cycles to fill the pipeline at the start of a task")]


class CmosCore(UnitSpec):
    """Spike FIFO, address decode, weight fetch, accumulation in banked membranes, neuron update, output FIFO."""

    ACTIONS: ClassVar[tuple[Action, ...]] = (
        Action("accumulate", "partial_sum", "operation", "accumulate_energy_pj", "compute"),
        Action("decode", "spike", "spike", "decode_energy_pj", "control"),
        Action("update", "state", "neuron", "update_energy_pj", "compute"),
        Action("normalise", "state", "neuron", "normalise_energy_pj", "compute"),
        Action("fifo", "spike", "spike", "fifo_energy_pj", "control"),
        Action("link", "spike", "bit", "link_energy_pj_per_bit", "interconnect"),
        Action("active", "cycle", "cycle", "active_energy_pj", "control"),
    )
    STALLS: ClassVar[tuple[str, ...]] = ("weight_load", "dependency", "output_fifo", "output", "input")
    COMPONENT: ClassVar[str] = "simulator.components.cmos_core:CmosCore"
    REFERENCES: ClassVar[dict[str, tuple[str, ...]]] = {
        "weight_memory": ("sram",),
        "state_memory": ("sram",),
        "spike_memory": ("sram",),
    }

    type: Annotated[Literal["cmos_core"], Field(description="event-driven array of processing elements")]
    dataflow: Annotated[
        Literal["scatter", "gather"], Field(description="per spike over its fan-out, or per output window")
    ]
    scatter: Annotated[Scatter | None, Field(description="present with dataflow scatter, and only then")] = None
    gather: Annotated[Gather | None, Field(description="present with dataflow gather, and only then")] = None
    weight_memory: Annotated[str, Field(strict=True, description="name of the sram unit that holds weights")]
    state_memory: Annotated[str, Field(strict=True, description="name of the sram unit that holds membranes")]
    spike_memory: Annotated[str, Field(strict=True, description="name of the sram unit that holds spikes")]
    spike_bits: Annotated[Structure, Field(description="bits of one spike address in a list of spikes")]
    spike_format: Annotated[
        Literal["address", "bitmap"], Field(description="how spikes are stored: list of addresses, or a bit per neuron")
    ]
    input_buffer_spikes: Annotated[Structure, Field(description="spikes per block that travels to the core")]
    input_credits: Annotated[Structure, Field(description="blocks that may be on their way to the core")]
    output_credits: Annotated[Structure, Field(description="blocks that may be on their way from the core")]
    link_width_bits: Annotated[Structure, Field(description="bits per clock cycle of the core's spike links")]
    link_latency_cycles: Annotated[PositiveCycles, Field(description="clock cycles of the core's spike links")]
    accumulate_energy_pj: Annotated[
        Constant, Field(description="energy of one executed operation, pJ (ops_per_synapse of them per synapse)")
    ]
    decode_energy_pj: Annotated[Constant, Field(description="energy of decoding one spike, pJ")]
    update_energy_pj: Annotated[Constant, Field(description="energy of one neuron update, pJ")]
    normalise_energy_pj: Annotated[
        Constant, Field(description="energy of the batch-norm unit per neuron and timestep, pJ")
    ]
    fifo_energy_pj: Annotated[Constant, Field(description="energy of one FIFO push with its pop, pJ")]
    link_energy_pj_per_bit: Annotated[Constant, Field(description="energy of one bit on a spike link, pJ")]
    active_energy_pj: Annotated[Constant, Field(description="energy of one busy clock cycle (clock tree), pJ")]

    @model_validator(mode="after")
    def _one_dataflow(self) -> CmosCore:
        for part in ("scatter", "gather"):
            if (getattr(self, part) is not None) != (self.dataflow == part):
                state = "is missing" if self.dataflow == part else "does not belong here"
                raise InputError(
                    f"{part} {state}",
                    key=part,
                    found=f"dataflow: {self.dataflow}",
                    allowed=f"exactly one of scatter and gather, the one named by dataflow ({self.dataflow})",
                )
        return self

    @property
    def peak_ops_per_cycle(self) -> int:
        """Operations per clock cycle when nothing waits."""
        if self.gather is not None:
            return self.gather.unroll.elements * self.gather.ops_per_pe_cycle
        return self.scatter.lanes * self.scatter.engines if self.scatter is not None else 0
