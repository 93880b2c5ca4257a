"""The neurosynaptic core (tinyODIN, ODIN): registers, memory images, and its run as a kernel and as processes."""

from simulator.components.neurosynaptic_core.core import Image, NeurosynapticCore, Recording, Stimulus
from simulator.components.neurosynaptic_core.image import (
    decode_neurons,
    decode_synapses,
    encode_neurons,
    encode_synapses,
)
from simulator.components.neurosynaptic_core.registers import (
    DIALECTS,
    ODIN,
    TINYODIN,
    Registers,
    is_register,
    named_registers,
)
from simulator.components.neurosynaptic_core.replay import OPERATIONS, STATES, Core, Log

__all__ = [
    "DIALECTS",
    "ODIN",
    "OPERATIONS",
    "STATES",
    "TINYODIN",
    "Core",
    "Image",
    "Log",
    "NeurosynapticCore",
    "Recording",
    "Registers",
    "Stimulus",
    "decode_neurons",
    "decode_synapses",
    "encode_neurons",
    "encode_synapses",
    "is_register",
    "named_registers",
]
