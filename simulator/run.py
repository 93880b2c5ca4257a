"""simulate(...): a network's spikes on a machine, to a Record."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from simulator.engine.held import prepare_whole
from simulator.errors import InputError, unknown
from simulator.invariants import check_record
from simulator.machine import Machine, build
from simulator.mapping import lower, place
from simulator.mapping.crossbar.check import check_crossbars
from simulator.mapping.fusion.machine import array_of
from simulator.mapping.whole import whole_unit
from simulator.record import Record
from simulator.record_beside import beside_network
from simulator.record_made import record_made
from simulator.trace import Trace
from simulator.workload import Workload

if TYPE_CHECKING:
    from simulator.engine.environment import Environment
    from simulator.functional.crossbar import Crossbars
    from simulator.hardware import Hardware
    from simulator.mapping import Mapping
    from simulator.mapping.crossbar import CrossbarPlan
    from simulator.network import Network

ENGINES = ("kernel", "reference")
ACTIVITIES = ("spikes", "dense")


def simulate(
    hardware: Hardware,
    network: Network,
    trace: Trace,
    mapping: Mapping | None = None,
    *,
    engine: Literal["kernel", "reference"] = "kernel",
    activity: Literal["spikes", "dense"] = "spikes",
    timeline: bool | None = None,
    seed: int = 0,
    progress: Callable[[int], None] | None = None,
    environment: Environment | None = None,
) -> Record:
    """Runs `trace` on `hardware` and returns what happened.

    A trace that holds every population is replayed; one that holds the inputs only is run first (LIF kernels make the
    rest), or, by the reference engine, while the machine runs.  `mapping` defaults to `place(network, hardware)`.
    A unit that holds a whole network and decides itself what fires is given the inputs only, and takes events in cycles
    too.  activity "dense" pretends that every neuron fires in every timestep.  `timeline` keeps every interval.
    `environment` replaces the event loop (tests shuffle its ties).  Raises InputError for input that cannot run.
    """
    if engine not in ENGINES:
        raise unknown("engine", engine, ENGINES)
    if activity not in ACTIVITIES:
        raise unknown("activity", activity, ACTIVITIES)
    whole = whole_unit(hardware)
    if trace.time_base != "step" and (whole is None or trace.time_base != "cycle"):
        raise InputError(
            "this machine advances in timesteps, the trace holds events",
            key=f"trace {trace.name}",
            found=f"time_base {trace.time_base}",
            allowed="bin it with --import dt_us=..., rounding=..., multiple=...",
        )
    _check_fit(network, trace)
    plan = _placed(network, hardware, trace) if mapping is None else mapping
    schedule = lower(plan, network, hardware)
    schedule.check_steps(trace.steps)
    crossbars = check_crossbars(plan, network, hardware) if plan.on_crossbars else None
    arrays = _programmed(network, hardware, crossbars, seed) if activity == "spikes" else None
    computing = engine == "reference" and not trace.complete and activity == "spikes" and network.arithmetic == "int"
    # Devices decide what fires, and units that hold a whole network take it as known, before the machine runs.
    computing = computing and arrays is None and whole is None and plan.fusion is None
    held = prepare_whole(hardware, network, trace, activity)
    facts: dict[str, Any] = {"saturations": 0, "membranes": {}, "crossbar": {}}
    if held is not None:
        full, facts["membranes"] = held.trace, held.membranes
        if held.decides:
            facts["beside_network"] = beside_network(network, trace, held.trace)
    elif activity == "dense":
        from simulator.trace.dense import dense_trace

        full = dense_trace(network, trace.steps)
    elif trace.complete or computing:
        full = trace
        if arrays is not None:
            facts["crossbar"] = arrays.convert(trace)
    elif arrays is not None:
        full, facts = _complete_on(arrays, trace)
    else:
        full, facts = _complete(network, trace)
    work = Workload(schedule, network, full, computing, _stored(hardware), crossbars, held.stimulus if held else None)
    machine = build(
        hardware,
        schedule,
        network,
        work,
        reference=engine == "reference",
        timeline=bool(timeline),
        environment=environment,
    )
    machine.run(progress)
    if computing:
        _read_back(machine, facts)
    record = record_made(machine, network, trace, plan, schedule, engine, activity, seed, bool(timeline), facts)
    check_record(record)
    return record


def _check_fit(network: Network, trace: Trace) -> None:
    """Refuses a trace whose populations are not those of the network."""
    by_name = {p.name: p for p in network.populations}
    for population in trace.network.populations:
        if population.name not in trace.populations:
            continue
        if population.name not in by_name:
            raise unknown("population", population.name, by_name, key=f"trace {trace.name}")
        if by_name[population.name].shape != population.shape:
            raise InputError(
                "the trace does not fit the network: population shapes differ",
                key=f"trace {trace.name}: population {population.name}",
                found=population.shape,
                allowed=[by_name[population.name].shape],
            )
    for name in network.inputs:
        if name not in trace.populations:
            raise InputError(
                "the trace does not hold this input population",
                key=f"trace {trace.name}: population {name}",
                allowed=list(trace.populations),
            )


def _placed(network: Network, hardware: Hardware, trace: Trace) -> Mapping:
    """The default mapping; nodes are made for the length of the trace's samples."""
    if array_of(hardware) is None:
        return place(network, hardware)
    return place(network, hardware, timesteps_hint=max(1, int(trace.steps.max(initial=1))))


def _complete(network: Network, trace: Trace) -> tuple[Trace, dict[str, Any]]:
    """The trace with every population, and what the run of the neurons counted besides."""
    from simulator.functional import complete_trace

    full, counts, membranes = complete_trace(network, trace)
    recorded = [name for name in trace.populations if not network.population(name).is_input]
    if recorded:
        from simulator.functional import compare_traces

        difference = compare_traces(trace, full)
        if difference is not None:
            raise InputError(f"the recorded spikes differ from the run: {difference}", key=f"trace {trace.name}")
    return full, {"saturations": sum(counts.saturations.values()), "membranes": membranes, "crossbar": {}}


def _programmed(network: Network, hardware: Hardware, plan: CrossbarPlan | None, seed: int) -> Crossbars | None:
    """The network's weights in real cells, where the unit has a `device:` and the network its weights."""
    if plan is None or not network.has_weights or getattr(hardware.units[plan.unit], "device", None) is None:
        return None
    from simulator.functional.crossbar import Crossbars

    return Crossbars(network, hardware.units[plan.unit], plan, seed)


def _complete_on(arrays: Crossbars, trace: Trace) -> tuple[Trace, dict[str, Any]]:
    """As `_complete`, with what devices and converters make of the sums; recorded inner spikes are not used."""
    found = arrays.run(trace)
    saturations = sum(found.counts.saturations.values())
    return found.trace, {"saturations": saturations, "membranes": found.membranes, "crossbar": found.facts}


def _stored(hardware: Hardware) -> tuple[str, int]:
    """How spikes are stored: format and bits per address, which all cores of a machine must share."""
    found: set[tuple[str, int]] = set()
    for name in hardware.units:
        spec = hardware.unit(name)
        if hasattr(spec, "spike_format"):
            found.add((spec.spike_format, getattr(spec, "spike_bits", 32)))
    if len(found) > 1:
        raise InputError("all cores must store spikes alike", key=f"hardware {hardware.name}", found=sorted(found))
    return found.pop() if found else ("address", 32)


def _read_back(machine: Machine, facts: dict[str, Any]) -> None:
    """Saturations and final membranes of a run that computed while it ran."""
    entries = next(iter(machine.units.values())).ctx.plain
    facts["membranes"] = {name: np.array(entry["plain"].v, np.int64) for name, entry in entries.items()}
    facts["saturations"] = sum(entry["saturations"] for entry in entries.values())
