"""Runs a network on input spikes: all populations recorded, sample by sample, each from its initial state."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from simulator.errors import InputError
from simulator.functional.counts import Counts
from simulator.functional.eventwise import EventList, EventRunner, merge_inputs
from simulator.functional.plan import Plan, plan_network
from simulator.functional.stepper import Stepper
from simulator.network import Network
from simulator.trace import Block, Events, Trace

TimedEvents = tuple[np.ndarray, np.ndarray, np.ndarray | None]
CHUNK_STEPS = 64
CHUNK_EVENTS = 1 << 16


@dataclass(frozen=True)
class SampleResult:
    """One sample's run.

    spikes: per population, inputs included, a `Block` of all timesteps; empty for event time bases.
    events: for event time bases per population time int64 [n], index uint32 [n], value int32 [n] or None.
    membranes: per computing population v at the end, int32 or float64 [N], channel last; currents: u likewise, of
        cuba_lif populations only.
    """

    spikes: dict[str, Block]
    events: dict[str, TimedEvents]
    membranes: dict[str, np.ndarray]
    currents: dict[str, np.ndarray]
    counts: Counts


def run_network(network: Network, inputs: Trace) -> Trace:
    """Runs the network's neurons from the input populations' spikes; returns a trace that holds every population.

    The input trace may hold other populations too: they are not used (see `compare_traces`).  With `time_base` "step"
    every timestep is computed; with "us" or "cycle" the network runs event by event, and events keep their times.
    Raises InputError, naming the population or projection, where the network has no weights, an input population has no
    spikes, or something cannot be run in this time base.
    """
    if inputs.time_base == "step":
        from simulator.functional.complete import complete_trace  # which stands on this module

        return complete_trace(network, inputs)[0]
    plan = plan_network(network)
    results = [run_sample(plan, inputs, sample).events for sample in range(inputs.samples)]
    populations = {p.name: _events([events[p.name] for events in results]) for p in network.populations}
    return Trace(
        name=inputs.name,
        network=network,
        time_base=inputs.time_base,
        steps=inputs.steps,
        populations=populations,
        source=f"run of network {network.name} on {inputs.source or inputs.name}",
        labels=inputs.labels,
    )


def run_sample(plan: Plan, inputs: Trace, sample: int) -> SampleResult:
    """Runs one sample; besides the spikes it returns the final membranes and the counts."""
    check_inputs(plan, inputs)
    spikes: dict[str, Block] = {}
    events: dict[str, TimedEvents] = {}
    runner: Stepper | EventRunner
    if inputs.time_base == "step":
        runner = Stepper(plan)
        parts = list(_step_chunks(runner, inputs, sample, CHUNK_STEPS))
        spikes = {p.name: _join([part[p.name] for part in parts]) for p in plan.network.populations}
    else:
        runner = EventRunner(plan)
        events = _run_events(runner, inputs, sample)
    states = runner.states
    return SampleResult(
        spikes=spikes,
        events=events,
        membranes={name: state.v for name, state in states.items()},
        currents={name: state.u for name, state in states.items() if state.u.size},
        counts=runner.counts,
    )


def stream_sample(plan: Plan, inputs: Trace, sample: int, chunk: int = CHUNK_STEPS) -> Iterator[dict[str, Block]]:
    """Runs one sample of timesteps in chunks: yields the blocks of all populations for `chunk` timesteps at a time.

    Memory is that of one chunk however long the sample is.
    """
    check_inputs(plan, inputs)
    yield from _step_chunks(Stepper(plan), inputs, sample, chunk)


def _step_chunks(stepper: Stepper, inputs: Trace, sample: int, chunk: int) -> Iterator[dict[str, Block]]:
    total = int(inputs.steps[sample])
    spikes = {name: inputs.spikes(name) for name in stepper.plan.network.inputs}
    for t0 in range(0, total, chunk):
        t1 = min(t0 + chunk, total)
        yield stepper.advance({name: s.block(sample, t0, t1) for name, s in spikes.items()}, t1 - t0)


def _run_events(runner: EventRunner, inputs: Trace, sample: int) -> dict[str, TimedEvents]:
    """All input events of a sample, `CHUNK_EVENTS` at a time."""
    time, lists = merge_inputs(runner.plan, {n: inputs.events(n) for n in runner.plan.network.inputs}, sample)
    made: dict[str, list[EventList]] = {p.name: [] for p in runner.plan.network.populations}
    for first in range(0, time.size, CHUNK_EVENTS):
        chunk = {name: _between(events, first, first + CHUNK_EVENTS) for name, events in lists.items()}
        for name, events in runner.advance(chunk).items():
            made[name].append(events)
    return {name: _timed(parts, time) for name, parts in made.items()}


def check_inputs(plan: Plan, inputs: Trace) -> None:
    """Raises InputError where the trace does not hold an input population, or holds it in another shape."""
    known = {p.name: p for p in inputs.network.populations}
    for name in plan.network.inputs:
        if name not in inputs.populations:
            raise InputError(
                "the input trace does not hold this input population",
                key=f"trace {inputs.name}: population {name}",
                allowed=list(inputs.populations),
            )
        shape = plan.network.population(name).shape
        if known[name].shape != shape:
            raise InputError(
                "the input population has another shape in the trace than in the network",
                key=f"trace {inputs.name}: population {name}",
                found=known[name].shape,
                allowed=[shape],
            )


def _join(blocks: list[Block]) -> Block:
    """Consecutive blocks as one."""
    counts = [np.diff(block.start) for block in blocks]
    start = np.zeros(sum(c.size for c in counts) + 1, np.int64)
    if counts:
        np.cumsum(np.concatenate(counts), out=start[1:])
    index = np.concatenate([b.index for b in blocks]) if blocks else np.empty(0, np.uint32)
    value = None
    if any(b.value is not None for b in blocks):
        value = np.concatenate([np.ones(b.index.size, np.int32) if b.value is None else b.value for b in blocks])
    return Block(start, index, value)


def _between(events: EventList, first: int, last: int) -> EventList:
    """The events whose place in the merged order is first .. last (exclusive)."""
    a, b = np.searchsorted(events.cause, (first, last))
    return EventList(events.cause[a:b], events.index[a:b], events.value[a:b])


def _timed(parts: list[EventList], time: np.ndarray) -> TimedEvents:
    cause = np.concatenate([p.cause for p in parts]) if parts else np.empty(0, np.int64)
    index = np.concatenate([p.index for p in parts]) if parts else np.empty(0, np.uint32)
    value = np.concatenate([p.value for p in parts]) if any(p.value.size for p in parts) else None
    return time[cause], index, value


def _events(samples: list[TimedEvents]) -> Events:
    """Events of all samples of one population."""
    start = np.zeros(len(samples) + 1, np.int64)
    np.cumsum([time.size for time, _, _ in samples], out=start[1:])
    value = None
    if any(v is not None for _, _, v in samples):
        value = np.concatenate([np.ones(i.size, np.int32) if v is None else v for _, i, v in samples])
    return Events(
        start,
        np.concatenate([t for t, _, _ in samples]) if samples else np.empty(0, np.int64),
        np.concatenate([i for _, i, _ in samples]) if samples else np.empty(0, np.uint32),
        value,
    )
