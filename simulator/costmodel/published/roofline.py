"""Roofline bound: no run is faster than its operations at peak, nor than its main-memory bits at full bandwidth.

Source: S. Williams, A. Waterman, D. Patterson, "Roofline: an insightful visual performance model for multicore
architectures", Communications of the ACM 52(4), 2009.
"""

from __future__ import annotations

from typing import Any

from simulator.costmodel.activity import Activity
from simulator.costmodel.published.operations import synaptic_operations
from simulator.errors import InputError
from simulator.hardware import Hardware
from simulator.mapping.schedule import LOAD, STORE, Schedule
from simulator.units import PS_PER_SECOND


def bound_ps(schedule: Schedule, hardware: Hardware, activity: Activity) -> float:
    """Shortest possible run, ps: max(operations / peak of all cores, bits from and to main memory / bandwidth).

    Loads whose bits depend on spikes are left out, so the bound holds whatever they are.  InputError where no unit
    states a peak.
    """
    peak = 0.0
    for name in hardware.units:
        spec: Any = hardware.units[name]
        per_cycle = getattr(spec, "peak_ops_per_cycle", None)
        if per_cycle:
            factor = int(getattr(getattr(spec, "gather", None), "ops_per_synapse", 1))
            peak += per_cycle / factor * hardware.clocks[spec.clock]
    if not peak:
        raise InputError("no unit of this hardware states a peak of operations", key=f"hardware {hardware.name}")
    compute = sum(synaptic_operations(activity).values()) / peak
    moves = ((schedule.op == LOAD) | (schedule.op == STORE)) & (schedule.bits > 0)
    repetitions = activity.samples if schedule.repeat == "sample" else int(activity.steps.sum())
    busy: dict[int, float] = {}
    for i in moves.nonzero()[0].tolist():
        far: Any = hardware.units[schedule.units[schedule.far[i]]]
        if hasattr(far, "burst_cycles"):
            times = 1 if i < schedule.prologue else repetitions
            rate = far.burst_bits / far.burst_cycles * hardware.clocks[far.clock]
            busy[int(schedule.far[i])] = busy.get(int(schedule.far[i]), 0.0) + int(schedule.bits[i]) * times / rate
    return max(compute, *busy.values()) * PS_PER_SECOND if busy else compute * PS_PER_SECOND
