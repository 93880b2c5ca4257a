"""The Record of a machine that has run: its ledger, times, spikes and intervals, gathered."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.errors import InvariantError
from simulator.machine import Machine
from simulator.mapping import dump_mapping
from simulator.record import Output, Record, UnitTime
from simulator.record_effective import effective_operations
from simulator.record_network import network_facts
from simulator.record_timeline import interval_kinds, intervals, tracks
from simulator.trace import StepSpikesBuilder, Trace
from simulator.workload import Workload

if TYPE_CHECKING:
    from simulator.mapping import Mapping, Schedule
    from simulator.network import Network


def record_made(
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
    """What `machine` left after it ran `trace` under the mapping `plan`.

    engine, activity, seed, timeline: as asked of `simulate`; facts: what is known beside the machine (saturations,
    membranes, crossbar, beside_network).
    """
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
        timeline=intervals(machine) if timeline else None,
        kinds=interval_kinds(machine),
        tracks=tracks(machine) if timeline else (),
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
