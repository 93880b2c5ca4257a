"""Roofline bound: no run is faster than its operations at peak, nor than its main-memory bits at full bandwidth.

Source: S. Williams, A. Waterman, D. Patterson, "Roofline: an insightful visual performance model for multicore
architectures", Communications of the ACM 52(4), 2009.
"""

from __future__ import annotations

from typing import Any

from simulator.costmodel.activity import Activity
from simulator.costmodel.published.model import PublishedModel
from simulator.costmodel.published.operations import synaptic_operations
from simulator.errors import InputError
from simulator.hardware import Hardware
from simulator.mapping.crossbar.check import check_crossbars
from simulator.mapping.mapping import Mapping
from simulator.mapping.place import place
from simulator.mapping.schedule import LOAD, STORE, Schedule
from simulator.network.geometry import dense_operations
from simulator.units import PS_PER_SECOND


def bound_ps(schedule: Schedule, hardware: Hardware, activity: Activity, mapping: Mapping | None = None) -> float:
    """Shortest possible run, ps: max(operations / peak, bits from and to main memory / bandwidth).

    A core executes the operations that spikes cause, an array those of every input; a crossbar uses each weight that
    it holds at most once per vector.  Loads whose bits depend on spikes are left out, so the bound holds whatever they
    are.  InputError where no unit states a peak.
    """
    found = [compute for name in hardware.units if (compute := _computing(name, hardware, activity, mapping))]
    if not found:
        raise InputError("no unit of this hardware states a peak of operations", key=f"hardware {hardware.name}")
    work, peak = (sum(column) for column in zip(*found, strict=True))
    moves = ((schedule.op == LOAD) | (schedule.op == STORE)) & (schedule.bits > 0)
    repetitions = activity.samples if schedule.repeat == "sample" else int(activity.steps.sum())
    busy: dict[int, float] = {}
    for i in moves.nonzero()[0].tolist():
        far = int(schedule.far[i])
        times = 1 if i < schedule.prologue else repetitions
        rate = bits_per_second(hardware, schedule.units[far])
        busy[far] = busy.get(far, 0.0) + int(schedule.bits[i]) * times / rate
    return max(work / len(found) / peak, *busy.values(), 0.0) * PS_PER_SECOND


def bits_per_second(hardware: Hardware, name: str) -> float:
    """Full bandwidth of a main memory."""
    spec: Any = hardware.units[name]
    if hasattr(spec, "burst_bits"):
        per_cycle = spec.burst_bits / spec.burst_cycles
    else:
        per_cycle = spec.geometry.channels * spec.geometry.burst_bytes * 8 / spec.timing.burst_cycles
    return float(per_cycle * hardware.clocks[spec.clock])


def _computing(
    name: str, hardware: Hardware, activity: Activity, mapping: Mapping | None
) -> tuple[float, float] | None:
    """(operations of the run, operations per second) of a unit; None where it does not compute."""
    spec: Any = hardware.units[name]
    if spec.type == "pe_array":
        lanes = spec.lanes
        return float(_dense(activity)), float(lanes.k * lanes.c * lanes.oy * lanes.ox * hardware.clocks[spec.clock])
    if spec.type == "cim_tile":
        return crossbar_seconds(hardware, activity, mapping), 1.0
    per_cycle = getattr(spec, "peak_ops_per_cycle", None)
    if not per_cycle:
        return None
    factor = int(getattr(getattr(spec, "gather", None), "ops_per_synapse", 1))
    return sum(synaptic_operations(activity).values()), per_cycle / factor * hardware.clocks[spec.clock]


def _dense(activity: Activity) -> int:
    """Operations of all inputs of convolutions and linear layers over the run, padding included."""
    network = activity.network
    return int(activity.steps.sum()) * sum(
        dense_operations(p, network.population(p.source), network.population(p.target))
        for p in network.projections
        if p.kind != "one_to_one"
    )


def crossbar_seconds(hardware: Hardware, activity: Activity, mapping: Mapping | None) -> float:
    """Seconds of the layer that its crossbars limit most: operations / weights held x the shortest vector.

    A vector that reads anything takes at least one group of rows.  Inputs of several bits are left out: one read may
    stand for many of their events.
    """
    network = activity.network
    plan = check_crossbars(place(network, hardware) if mapping is None else mapping, network, hardware)
    spec: Any = hardware.units[plan.unit]
    hertz = int(hardware.clocks[spec.clock])
    operations = synaptic_operations(activity)
    step = spec.timing.mux_ps, spec.convert_ps(), 0 if spec.crossbar.sample_hold else spec.timing.read_ps
    turn = sum(spec.cycles(ps, hertz) for ps in step) / hertz
    longest = 0.0
    for name, layer in plan.layers.items():
        weights = sum(layer.weights(i) for i in range(len(layer.parts))) * layer.copies
        if not weights or any(len(part.planes) > 1 for part in layer.parts):
            continue
        blocks = enumerate(layer.row_blocks)
        used = max(layer.columns_of(number, i) for number, block in blocks for i in range(len(block.columns)))
        longest = max(longest, operations[name] / weights * spec.crossbar.mux_steps(used) * turn)
    return longest


def _answer(schedule: Schedule, hardware: Hardware, activity: Activity, mapping: Mapping | None = None) -> float | None:
    if not any(_peaked(spec) for spec in hardware.units.values()):
        return None
    return bound_ps(schedule, hardware, activity, mapping)


def _peaked(spec: Any) -> bool:
    return spec.type in ("pe_array", "cim_tile") or bool(getattr(spec, "peak_ops_per_cycle", 0))


MODEL = PublishedModel("roofline", "Williams, Waterman, Patterson, CACM 52(4), 2009: a lower bound", _answer)
