"""Spike traces: in memory, in HDF5 files, and read from the formats of the field."""

from simulator.trace.spikes import Block, Events, MemorySpikes, Spikes, StepSpikesBuilder
from simulator.trace.trace import Trace, check_trace

__all__ = ["Block", "Events", "MemorySpikes", "Spikes", "StepSpikesBuilder", "Trace", "check_trace"]
