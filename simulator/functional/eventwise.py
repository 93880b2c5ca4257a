"""Runs IF networks event by event, without timesteps: every event may fire the neurons it reaches at once.

Order: an input event passes through all layers before the next one.  Input events of several populations are merged by
time, ties in the order of the network's populations.  Events that arrive at a population from several projections are
taken by the input event that caused them, then in file order of the projections.  An event carries its cause's time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from simulator.errors import InputError
from simulator.functional.counts import Counts
from simulator.functional.plan import Layer, Plan
from simulator.functional.soma import OUTPUT, State
from simulator.functional.synapses import UNIT, Synapses
from simulator.kernels.event import event_conv, event_sparse
from simulator.trace.spikes import Events

CAPACITY = 1 << 16


@dataclass(frozen=True)
class EventList:
    """Events of one population: cause int64 [n] (the input event), index uint32 [n], value int32 [n] or [0] (all 1)."""

    cause: np.ndarray
    index: np.ndarray
    value: np.ndarray


def check_eventwise(plan: Plan) -> None:
    """Raises InputError, naming the population or projection, where something needs timesteps."""
    for group in plan.groups:
        if len(group) > 1:
            _refuse("recurrence", f"population {group[0].name}")
    for layer in plan.layers:
        neuron, key = layer.soma.population.neuron, f"population {layer.name}"
        if neuron.model != "if":
            _refuse("a leak", key, neuron.model)
        if not neuron.stateful:
            _refuse("a stateless neuron", key)
        if np.any(neuron.bias):
            _refuse("a bias", key)
        for field in ("dead_steps", "first_step", "reset_steps"):
            if getattr(neuron, field):
                _refuse(field, key, getattr(neuron, field))
        for synapses in layer.incoming:
            p, key = synapses.projection, f"projection {synapses.projection.name}"
            if p.source == p.target:
                _refuse("recurrence", f"population {layer.name}")
            if p.delay:
                _refuse("a delay in timesteps", key, p.delay)
            if p.pool is not None and p.pool.kind == "average":
                _refuse("average pooling", key)
            if p.pool is not None and any(s < n for s, n in zip(p.pool.stride, p.pool.size, strict=True)):
                _refuse("pooling with overlapping windows", key)
            if synapses.indptr is not None and synapses.indices is not None:
                same = (np.diff(synapses.indices) == 0) & (np.diff(_row_of(synapses)) == 0)
                if same.any():
                    raise InputError("two synapses join the same neurons, so an event would reach one twice", key=key)


def _refuse(what: str, key: str, found: object | None = None) -> None:
    raise InputError(
        f"{what} cannot be run event by event, bin the input into timesteps",
        key=key,
        found=found,
        allowed="if neurons without bias, feed-forward projections without delay",
    )


def _row_of(synapses: Synapses) -> np.ndarray:
    assert synapses.indptr is not None
    return np.repeat(np.arange(synapses.indptr.size - 1), np.diff(synapses.indptr))


class EventRunner:
    """State of one sample between chunks of input events: membranes and counts."""

    def __init__(self, plan: Plan) -> None:
        check_eventwise(plan)
        self.plan = plan
        self.counts = Counts.zero(plan.network)
        self.states: dict[str, State] = {layer.name: layer.soma.new_state() for layer in plan.layers}

    def advance(self, inputs: Mapping[str, EventList]) -> dict[str, EventList]:
        """Runs a chunk of input events through all layers; returns the events of every population."""
        made = {name: inputs[name] for name in self.plan.network.inputs}
        for layer in self.plan.layers:
            made[layer.name] = self._layer(layer, made)
        return made

    def _layer(self, layer: Layer, made: Mapping[str, EventList]) -> EventList:
        sources = [_pooled(s, made[s.projection.source]) for s in layer.incoming]
        parts: list[EventList] = []
        for which, first, last in _turns([source.cause for source in sources]):
            parts.extend(self._deliver(layer, layer.incoming[which], sources[which], first, last))
        graded = layer.soma.population.neuron.output != "binary"
        return EventList(
            np.concatenate([p.cause for p in parts]) if parts else np.empty(0, np.int64),
            np.concatenate([p.index for p in parts]) if parts else np.empty(0, np.uint32),
            np.concatenate([p.value for p in parts]) if parts and graded else UNIT,
        )

    def _deliver(self, layer: Layer, s: Synapses, events: EventList, first: int, last: int) -> Iterator[EventList]:
        """Events first .. last of one projection, in as many kernel calls as the output buffer needs."""
        soma, neuron, v = layer.soma, layer.soma.population.neuron, self.states[layer.name].v
        capacity = max(min(CAPACITY, (last - first) * v.size), v.size)
        out = (np.empty(capacity, np.int64), np.empty(capacity, np.uint32), np.empty(capacity, np.int32))
        totals = np.zeros(4, np.int64)
        rule = (
            1 << neuron.weight_shift, neuron.compare == "gt", neuron.reset == "zero", OUTPUT[neuron.output],
            soma.low, soma.high,
        )  # fmt: skip
        while first < last:
            if s.taps is None:
                event_sparse(events.index, events.value, s.weights, s.indptr, s.indices, v, soma.threshold, soma.floor,
                             *out, totals, first, last, *rule)  # fmt: skip
            else:
                t = s.taps
                event_conv(
                    events.index, events.value, s.weights, t.row_start, t.row_weight, t.row_target,
                    t.col_start, t.col_weight, t.col_target, t.col_length, v, soma.threshold, soma.floor,
                    *out, totals, first, last, t.channels, t.width, t.channel_weights, t.group_in, t.group_out, *rule,
                )  # fmt: skip
            first, count = int(totals[0]), int(totals[1])
            yield EventList(events.cause[out[0][:count]], out[1][:count].copy(), out[2][:count].copy())
        self.counts.synaptic_operations[s.projection.name] += int(totals[2])
        self.counts.neuron_updates[layer.name] += int(totals[2])
        self.counts.saturations[layer.name] += int(totals[3])


def _turns(causes: list[np.ndarray]) -> Iterator[tuple[int, int, int]]:
    """Merges event lists by cause: (list, first, last) of consecutive events that come from one list."""
    if len(causes) == 1:
        yield 0, 0, causes[0].size
        return
    cause = np.concatenate(causes) if causes else np.empty(0, np.int64)
    origin = np.repeat(np.arange(len(causes)), [c.size for c in causes])
    origin = origin[np.argsort(cause, kind="stable")]
    edges = np.flatnonzero(np.diff(origin)) + 1
    at = [0] * len(causes)
    for part in np.split(origin, edges):
        if part.size:
            which = int(part[0])
            yield which, at[which], at[which] + part.size
            at[which] += part.size


def _pooled(s: Synapses, events: EventList) -> EventList:
    """Events as the synapses see them; an event in a gap between windows vanishes."""
    pool = s.pooling
    if pool is None:
        return events
    pixel, c = np.divmod(events.index.astype(np.int64), pool.channels)
    y, x = np.divmod(pixel, pool.width)
    row, col = pool.rows[0][y], pool.cols[0][x]
    kept = (row < pool.rows[1][y]) & (col < pool.cols[1][x])
    index = ((row * pool.pooled_width + col) * pool.channels + c)[kept].astype(np.uint32)
    if pool.only_presence:
        if events.value.size:
            fires = events.value[kept] != 0
            return EventList(events.cause[kept][fires], index[fires], UNIT)
        return EventList(events.cause[kept], index, UNIT)
    return EventList(events.cause[kept], index, events.value[kept] if events.value.size else UNIT)


def merge_inputs(plan: Plan, events: Mapping[str, Events], sample: int) -> tuple[np.ndarray, dict[str, EventList]]:
    """Input events of one sample with their place in the merged order, and the time int64 [n] of each place."""
    times, lists = [], {}
    for name in plan.network.inputs:
        if name not in events:
            raise InputError(
                "the input events do not hold this input population", key=f"population {name}", found=list(events)
            )
        time, index, value = events[name].sample(sample)
        size = plan.network.population(name).size
        if index.size and int(index.max()) >= size:
            raise InputError(
                "an event's neuron index lies outside the population",
                key=f"population {name}",
                found=int(index.max()),
                allowed=f"0 .. {size - 1}",
            )
        if (np.diff(time) < 0).any():
            raise InputError("times must not decrease", key=f"population {name}, sample {sample}")
        times.append(time)
        lists[name] = (
            np.ascontiguousarray(index, np.uint32),
            UNIT if value is None else np.ascontiguousarray(value, np.int32),
        )
    merged = np.concatenate(times) if times else np.empty(0, np.int64)
    order = np.argsort(merged, kind="stable")
    place = np.empty(merged.size, np.int64)
    place[order] = np.arange(merged.size)
    result, at = {}, 0
    for name, time in zip(plan.network.inputs, times, strict=True):
        result[name] = EventList(place[at : at + time.size], *lists[name])
        at += time.size
    return merged[order], result
