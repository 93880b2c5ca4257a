"""The neurosynaptic core (ODIN class): 256 neurons and 256 x 256 synapses behind one time-multiplexed update unit."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from simulator.errors import InputError
from simulator.hardware.action import Action
from simulator.hardware.constant import Constant
from simulator.hardware.field_types import Integer, Structure
from simulator.hardware.specs.base import UnitSpec

SOURCES = 256
MAX_DELAY = 2**20

Neuron = Annotated[int, Field(ge=0, le=SOURCES - 1), Integer]
Delay = Annotated[int, Field(ge=0, le=MAX_DELAY), Integer]


class NeurosynapticCore(UnitSpec):
    """Input handshake, event FIFO, controller, sweep over all neurons per event, output handshake.

    A synaptic operation is one neuron update of a neuron event, zero weights included; time references, virtual and
    single-synapse events make updates that are none.
    """

    ACTIONS: ClassVar[tuple[Action, ...]] = (
        Action("accumulate", "partial_sum", "operation", "accumulate_energy_pj", "compute"),
        Action("update", "state", "neuron", "update_energy_pj", "compute"),
        Action("accept", "spike", "spike", "accept_energy_pj", "interconnect"),
        Action("send", "spike", "spike", "send_energy_pj", "interconnect"),
        Action("fifo", "spike", "spike", "fifo_energy_pj", "control"),
        Action("read", "state", "bit", "state_read_energy_pj_per_bit", "memory"),
        Action("write", "state", "bit", "state_write_energy_pj_per_bit", "memory"),
        Action("read", "weight", "bit", "weight_read_energy_pj_per_bit", "memory"),
        Action("write", "weight", "bit", "weight_write_energy_pj_per_bit", "memory"),
        Action("clock", "cycle", "cycle", "clock_energy_pj", "control"),
    )
    STALLS: ClassVar[tuple[str, ...]] = ("dependency", "handshake", "output", "input")
    COMPONENT: ClassVar[str] = "simulator.components.neurosynaptic_core:NeurosynapticCore"
    PREPARE: ClassVar[str] = "simulator.components.neurosynaptic_core.prepare:prepare"

    type: Annotated[Literal["neurosynaptic_core"], Field(description="time-multiplexed crossbar core with AER links")]
    dialect: Annotated[
        Literal["tinyodin", "odin"],
        Field(description="words, neurons and controller: signed 12-bit membranes, or 8-bit ones that learn"),
    ]
    last_neuron: Annotated[Neuron, Field(description="last neuron of a sweep; the first is 0")]
    fifo_depth: Annotated[Structure, Field(description="events that the scheduler FIFO holds")]
    open_loop: Annotated[bool, Field(strict=True, description="spikes leave, but do not enter the FIFO")]
    source_addresses: Annotated[
        bool, Field(strict=True, description="the output sends the source of each neuron event instead of spikes")
    ]
    monitored: Annotated[Neuron, Field(description="odin: neuron in whose update a source address is sent")]
    update_unmapped: Annotated[bool, Field(strict=True, description="odin: synapses learn without their mapping bit")]
    propagate_unmapped: Annotated[bool, Field(strict=True, description="odin: weights count without their mapping bit")]
    learn_on_synapse: Annotated[bool, Field(strict=True, description="odin: single-synapse events learn")]
    image: Annotated[
        str | None,
        Field(min_length=1, strict=True, description="folder with neurons_init.hex and synapses_init.hex"),
    ] = None
    fit: Annotated[
        Literal["exact", "nearest"],
        Field(description="a network with other weights, resets or biases: refused, or scaled and rounded"),
    ] = "exact"
    request_delay_cycles: Annotated[Delay, Field(description="clock cycles in which the sender answers")]
    acknowledge_delay_cycles: Annotated[Delay, Field(description="clock cycles until the receiver acknowledges")]
    release_delay_cycles: Annotated[Delay, Field(description="clock cycles until the receiver's acknowledge falls")]
    state_word_bits: Annotated[Structure, Field(description="bits of a word of the neuron memory, one neuron")]
    weight_word_bits: Annotated[Structure, Field(description="bits of a word of the synapse memory, eight synapses")]
    accumulate_energy_pj: Annotated[Constant, Field(description="energy of one synaptic operation, pJ")]
    update_energy_pj: Annotated[Constant, Field(description="energy of a neuron update by any other event, pJ")]
    accept_energy_pj: Annotated[Constant, Field(description="energy of an input handshake, pJ")]
    send_energy_pj: Annotated[Constant, Field(description="energy of an output handshake, pJ")]
    fifo_energy_pj: Annotated[Constant, Field(description="energy of one FIFO push with its pop, pJ")]
    state_read_energy_pj_per_bit: Annotated[Constant, Field(description="energy of a bit read, neuron memory, pJ")]
    state_write_energy_pj_per_bit: Annotated[Constant, Field(description="energy of a bit written, neuron memory, pJ")]
    weight_read_energy_pj_per_bit: Annotated[Constant, Field(description="energy of a bit read, synapse memory, pJ")]
    weight_write_energy_pj_per_bit: Annotated[
        Constant, Field(description="energy of a bit written, synapse memory, pJ")
    ]
    clock_energy_pj: Annotated[Constant, Field(description="energy of one clock cycle, idle ones included, pJ")]

    @model_validator(mode="after")
    def _whole_words(self) -> NeurosynapticCore:
        if self.dialect == "odin" and (self.last_neuron + 1) % 8:
            raise InputError(
                "a core that learns has whole synapse words only",
                key="last_neuron",
                found=self.last_neuron,
                allowed="7, 15, 23, ... 255",
            )
        return self
