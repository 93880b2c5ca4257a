"""Function without time: what a network's neurons do with input spikes, exactly, before any hardware is involved."""

from simulator.functional.compare import Difference, compare_traces
from simulator.functional.complete import complete_trace
from simulator.functional.counts import Counts
from simulator.functional.eventwise import EventRunner
from simulator.functional.plan import Layer, Plan, plan_network
from simulator.functional.run import SampleResult, check_inputs, run_network, run_sample, stream_sample
from simulator.functional.stepper import Stepper

__all__ = [
    "Counts",
    "Difference",
    "EventRunner",
    "Layer",
    "Plan",
    "SampleResult",
    "Stepper",
    "check_inputs",
    "compare_traces",
    "complete_trace",
    "plan_network",
    "run_network",
    "run_sample",
    "stream_sample",
]
