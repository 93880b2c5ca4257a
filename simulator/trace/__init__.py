"""Spike traces: in memory, in HDF5 files, and read from the formats of the field."""

from simulator.trace.arrays import trace_from_arrays
from simulator.trace.binning import bin_events
from simulator.trace.dense import DenseSpikes, dense_trace
from simulator.trace.events import CameraEvents, UnitEvents
from simulator.trace.file import FileSpikes, TraceWriter, read_trace, write_trace
from simulator.trace.load import load_trace
from simulator.trace.recordings import events_trace
from simulator.trace.spikes import Block, Events, MemorySpikes, Spikes, StepSpikesBuilder
from simulator.trace.synthetic import bernoulli_trace
from simulator.trace.trace import Trace, check_trace

__all__ = [
    "Block",
    "CameraEvents",
    "DenseSpikes",
    "Events",
    "FileSpikes",
    "MemorySpikes",
    "Spikes",
    "StepSpikesBuilder",
    "Trace",
    "TraceWriter",
    "UnitEvents",
    "bernoulli_trace",
    "bin_events",
    "check_trace",
    "dense_trace",
    "events_trace",
    "load_trace",
    "read_trace",
    "trace_from_arrays",
    "write_trace",
]
