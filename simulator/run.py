"""simulate(...): a network's spikes on a machine, to a Record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from simulator.engine.held import prepare_whole
from simulator.errors import InputError, InvariantError, unknown
from simulator.invariants import check_record
from simulator.machine import Machine, build
from simulator.mapping import dump_mapping, lower, place
from simulator.mapping.crossbar.check import check_crossbars
from simulator.mapping.fusion.machine import array_of
from simulator.mapping.whole import whole_unit
from simulator.record import Output, Record, Track, UnitTime
from simulator.record_beside import beside_network
from simulator.record_effective import effective_operations
from simulator.record_network import network_facts
from simulator.trace import StepSpikesBuilder, Trace
from simulator.workload import Workload

if TYPE_CHECKING:
    from simulator.engine.environment import Environment
    from simulator.functional.crossbar import Crossbars
    from simulator.hardware import Hardware
    from simulator.mapping import Mapping, Schedule
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
    record = _record(machine, network, trace, plan, schedule, engine, activity, seed, bool(timeline), facts)
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


def _record(
    machine: Machine,
    network: Network,
    trace: Trace,
    plan: Mapping,
    schedule: Schedule,
    engine: str,
    activity: str,
    seed: int,
    timeline: bool,
    facts: dict[str, Any],
) -> Record:
    units = machine.units
    hardware, work, ledger = machine.hardware, machine.work, machine.ledger
    times: dict[str, UnitTime] = {}
    for name, unit in units.items():
        ctx, log = unit.ctx, unit.ctx.log
        cycles = ctx.clock.at_or_after(machine.end_ps)
        stall = dict(zip(log.causes, log.stall, strict=True))
        idle = cycles - log.busy - sum(log.stall)
        if idle < 0:
            raise InvariantError(f"unit {name}: {log.busy} busy and {sum(log.stall)} stalled of {cycles} cycles")
        times[name] = UnitTime(ctx.clock.name, cycles, log.busy, idle, stall, dict(sorted(log.waits.items())))
    busy = np.stack([unit.ctx.log.bins for unit in units.values()])
    text = dump_mapping(plan)
    return Record(
        hardware=hardware,
        network=network_facts(network),
        trace={
            "name": trace.name,
            "sha256": trace.sha256,
            "samples": trace.samples,
            "timesteps": int(work.steps.max(initial=0)),
            "total_steps": int(work.steps.sum()),
        },
        mapping={"name": f"{plan.network} on {plan.hardware}", "sha256": plan.sha256, "timesteps": plan.timesteps},
        mapping_text=text,
        engine=engine,
        activity=activity,
        seed=seed,
        units=ledger.units,
        layers=ledger.layers,
        actions=ledger.actions,
        counts=ledger.counts,
        cycles=times,
        end_ps=machine.end_ps,
        layer_span=machine.layer_span,
        layer_busy_ps=machine.layer_busy_ps,
        sample_end_ps=np.array(machine.sample_end_ps, np.int64),
        steps=np.array(machine.step_end_ps, np.int64),
        work=_work(machine, network, work, facts),
        busy=busy,
        bin_cycles=np.array([unit.ctx.log.bin_cycles for unit in units.values()], np.int64),
        timeline=_timeline(machine) if timeline else None,
        kinds=_kinds(machine),
        tracks=_tracks(machine) if timeline else (),
        outputs=_outputs(network, work),
        membranes=facts["membranes"],
        built={} if work.plan is None else {work.plan.unit: work.plan.built},
        commands={n: units[n].commands() for n in units if getattr(hardware.units[n], "keep_schedule", False)},
    )


def _work(machine: Machine, network: Network, work: Workload, facts: dict[str, Any]) -> dict[str, Any]:
    sent = work.fan_outs()
    dense = work.dense_operations()
    spikes = {p.name: _count(work, p.name) for p in network.populations}
    total_steps = int(work.steps.sum())
    updates = 0
    for name in network.layers:
        population = network.population(name)
        skipped = sum(min(int(s), population.neuron.first_step) for s in work.steps)
        updates += population.size * (total_steps - skipped)
    operations = sum(sent.values())
    if not network.layers:  # a stimulus without a network: the operations are those that the unit counted
        operations = int(machine.ledger.counts[..., machine.ledger.index("accumulate:partial_sum")].sum())
    return {
        "input_spikes": sum(spikes[name] for name in network.inputs),
        "spikes": spikes,
        "synaptic_operations": operations,
        "dense_operations": sum(dense.values()),
        "neuron_updates": updates,
        "output_spikes": sum(spikes[name] for name in network.outputs),
        "saturations": facts["saturations"],
        "synaptic_by_layer": sent,
        "dense_by_layer": dense,
        "sent_fanout_spikes": sum(sent.values()),
        "delivered_spikes": work.delivered,
        "dropped_spikes": sum(sent[name] for name in work.left_out) + work.dropped,
        "link_bits": _links(machine),
        **_converted(machine, facts),
        **({"beside_network": facts["beside_network"]} if facts.get("beside_network") else {}),
        **effective_operations(network, _with_made(work)),
    }


def _converted(machine: Machine, facts: dict[str, Any]) -> dict[str, Any]:
    """How long each crossbar tile worked; and what the converters saw, by layer: bounds that need no weights, then
    codes of real devices."""
    found: dict[str, dict[str, Any]] = {}
    for unit in machine.units.values():
        for layer, ranges in getattr(unit, "ranges", {}).items():
            found[layer] = {**ranges, **facts.get("crossbar", {}).get(layer, {})}
    tiles = {name: unit.tile_work for name, unit in machine.units.items() if hasattr(unit, "tile_work")}
    return {key: value for key, value in (("tiles", tiles), ("crossbar", found)) if value}


def _with_made(work: Workload) -> Trace:
    """The trace, completed by the spikes that a computing run made."""
    populations = dict(work.trace.populations)
    for name, samples in work.made.items():
        builder = StepSpikesBuilder()
        for steps in samples:
            builder.begin_sample()
            for index, value in steps:
                builder.add_step(index, value)
        populations[name] = builder.build(int(work.steps.max(initial=0)))
    return replace(work.trace, populations=populations)


def _links(machine: Machine) -> dict[str, dict[str, dict[str, int]]]:
    """Bits at both ends of every link, by operand; nothing is broadcast or fetched in vain on the links there are."""
    return {
        link: {
            operand: {"sent": sent, "broadcast": 0, "received": received, "overfetch": 0}
            for operand, (sent, received) in operands.items()
        }
        for unit in machine.units.values()
        for link, operands in unit.ctx.links.items()
    }


def _count(work: Workload, name: str) -> int:
    if name in work.made:
        return sum(_total(pair) for sample in work.made[name] for pair in sample)
    total = 0
    for sample in range(work.trace.samples):
        for t in range(int(work.steps[sample])):
            total += _total(work.spikes(name, sample, t))
    return total


def _total(pair: tuple[np.ndarray, np.ndarray | None]) -> int:
    index, value = pair
    return int(index.size if value is None else np.abs(value).sum())


def _outputs(network: Network, work: Workload) -> dict[str, Output]:
    outputs = {}
    for name in network.outputs:
        builder = StepSpikesBuilder()
        for sample in range(work.trace.samples):
            builder.begin_sample()
            for t in range(int(work.steps[sample])):
                index, value = work.made[name][sample][t] if name in work.made else work.spikes(name, sample, t)
                builder.add_step(index, value)
        spikes = builder.build(int(work.steps.max(initial=0)))
        value = spikes.value
        if value is None and network.population(name).neuron.output != "binary":
            value = np.ones(spikes.index.size, np.int32)
        outputs[name] = Output(spikes.step_start, spikes.index, value)
    return outputs


def _kinds(machine: Machine) -> tuple[str, ...]:
    kinds = ["busy"]
    for unit in machine.units.values():
        kinds += [f"stall:{c}" for c in unit.ctx.log.causes if f"stall:{c}" not in kinds]
    return tuple(kinds)


def _tracks(machine: Machine) -> tuple[Track, ...]:
    """Parts of units in the timeline; raises InputError where its column of numbers cannot hold so many."""
    found = tuple(Track(name, *key) for name, unit in machine.units.items() for key in unit.ctx.log.tracks)
    most = np.iinfo(np.uint16).max - len(machine.units)
    if len(found) > most:
        raise InputError(
            "too many layers and tiles for a timeline; run without one", found=len(found), allowed=f"at most {most}"
        )
    return found


def _timeline(machine: Machine) -> dict[str, np.ndarray]:
    kinds = _kinds(machine)
    columns: dict[str, list[np.ndarray]] = {"start": [], "duration": [], "unit": [], "kind": [], "ref": []}
    for number, unit in enumerate(machine.units.values()):
        log = unit.ctx.log
        codes = np.array([0, *(kinds.index(f"stall:{c}") for c in log.causes)], np.uint8)
        start, duration, kind, ref = log.intervals()
        columns["start"].append(start)
        columns["duration"].append(duration)
        columns["unit"].append(np.full(start.size, number, np.uint16))
        columns["kind"].append(codes[kind])
        columns["ref"].append(ref)
    parts = [part for unit in machine.units.values() for part in unit.ctx.log.tracks.values()]
    for number, part in enumerate(parts, start=len(machine.units)):
        for runs, ref in part:
            columns["start"].append(runs[:, 0])
            columns["duration"].append(runs[:, 1] - runs[:, 0])
            for column, value in (("unit", number), ("kind", 0), ("ref", ref)):
                columns[column].append(np.full(len(runs), value, np.int64))
    types = {"start": np.int64, "duration": np.int64, "unit": np.uint16, "kind": np.uint8, "ref": np.int32}
    return {key: (np.concatenate(parts) if parts else np.empty(0)).astype(types[key]) for key, parts in columns.items()}
