"""Spike traces: in memory, in HDF5 files, and read from the formats of the field."""

from simulator.trace.dense import DenseSpikes, dense_trace
from simulator.trace.file import FileSpikes, TraceWriter, read_trace, write_trace
from simulator.trace.spikes import Block, Events, MemorySpikes, Spikes, StepSpikesBuilder
from simulator.trace.synthetic import bernoulli_trace
from simulator.trace.trace import Trace, check_trace

__all__ = [
    "Block",
    "DenseSpikes",
    "Events",
    "FileSpikes",
    "MemorySpikes",
    "Spikes",
    "StepSpikesBuilder",
    "Trace",
    "TraceWriter",
    "bernoulli_trace",
    "check_trace",
    "dense_trace",
    "read_trace",
    "write_trace",
]
