"""Closed form of a `pe_array` whose Schedule has columns and timesteps: nodes, and the transfers around them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from simulator.costmodel.channel import Channel, channel_of
from simulator.costmodel.chip import Priced, Term
from simulator.costmodel.commands import Commands
from simulator.costmodel.fused_counts import NodeCounts
from simulator.costmodel.fused_nodes import PARTS, Nodes
from simulator.costmodel.movement import Move, Movement
from simulator.costmodel.overlap import spread, together
from simulator.costmodel.rates import Rates, Stream
from simulator.costmodel.tally import REPETITION, Tally
from simulator.costmodel.timing import Row, Rows, Span
from simulator.costmodel.transfers import SHARED, TRANSFER_TERMS, TURN
from simulator.mapping import schedule as s
from simulator.mapping.fusion.nest import Box, Memories, Planner
from simulator.units import PS_PER_SECOND, ceil_div

ARRAY_TERMS = (
    Term("pe_array.compute", 1.0, "cycles in which the elements of the array work"),
    Term("pe_array.fill", 1.0, "weights and windows on their way from the global buffer into the array's memories"),
    Term("pe_array.state", 1.0, "states of a tile read before and written after it"),
    Term("pe_array.output", 1.0, "outputs of a tile written to the global buffer"),
    Term("pe_array.conflict", 0.0, "accesses to the global buffer that wait for a chunk of a load or store"),
    Term("dma.conflict", 0.0, "chunks of loads and stores that wait for the array's accesses to the global buffer"),
)
CONFLICT, WAITING = PARTS, PARTS + 1
MEETINGS = 6
"""Times that what moves and nodes wait for each other is worked out, each from the times that follow from the last."""
LAUNCH = Term("host.launch", 1.0, "the host hands a task out")


class FusedChip:
    """All rows of a Schedule on one array and its movers; see `chip.Chip`.

    Nothing but the operations of an array that gates depends on spikes, so a repetition is a sample, and all are alike.
    """

    terms: tuple[Term, ...] = (*ARRAY_TERMS, LAUNCH, *TRANSFER_TERMS)
    built: Mapping[str, Mapping[str, int]] = MappingProxyType({})

    def __init__(self, schedule: Any, hardware: Any, network: Any, actions: tuple[str, ...]) -> None:
        self.schedule = schedule
        specs = {name: hardware.units[name] for name in schedule.units}
        self.tally = Tally(schedule.units, schedule.layers, actions)
        self.movement = Movement(hardware, schedule.units, self.tally)
        name, array = next((name, spec) for name, spec in specs.items() if spec.type == "pe_array")
        own = specs[array.weight_memory], specs[array.input_memory]
        planner = Planner(network, array.lanes, Memories.of(array, *own))
        self.nodes = Nodes(dict(hardware.clocks), array, specs[array.global_memory], *own)
        number, host = next((i, spec) for i, spec in enumerate(specs.values()) if spec.type == "host")
        self.tally.add(number, 0, "launch:task", REPETITION, schedule.rows)
        computes = schedule.op == s.COMPUTE
        self._moving, self._computing = np.flatnonzero(~computes), np.flatnonzero(computes)
        self._move = np.array([self._transfer(i) for i in self._moving.tolist()], np.int64)
        counts = NodeCounts(self.tally, specs, name)
        self._node = np.array(self._compute(planner, counts), np.int64)
        self.streams: list[Stream] = counts.gated(network, schedule.layers)
        self.movement.transfers.close()
        self.nodes.close()
        rows = [
            Row(int(unit), int(layer), tuple(schedule.after_of(i).tolist()), i, bool(computes[i]))
            for i, (unit, layer) in enumerate(zip(schedule.unit, schedule.layer, strict=True))
        ]
        self._launch = host.launch_cycles * PS_PER_SECOND / hardware.clocks[host.clock]
        self._rows = Rows(rows, len(schedule.layers), int(host.queue_depth))
        mover = specs[schedule.units[schedule.unit[self._moving[0]]]]
        self._near, self._slack = _held(mover, specs[array.global_memory], hardware)
        self._settle()

    def _transfer(self, i: int) -> int:
        """Number of the price of a load or store."""
        plan = self.schedule
        bits, operand, store = int(plan.bits[i]), s.OPERANDS[plan.operand[i]], bool(plan.op[i] == s.STORE)
        where = int(plan.unit[i]), int(plan.near[i]), int(plan.far[i])
        terms = [(REPETITION, float(max(1, bits)))]
        return self.movement.add(Move(*where, store, int(plan.layer[i]), operand, terms, REPETITION, bits))

    def _compute(self, planner: Planner, counts: NodeCounts) -> list[int]:
        """Numbers of the nodes of all rows that compute; each is counted as often as it runs."""
        plan = self.schedule
        extents = np.stack([getattr(plan, name) for name in ("k0", "k1", "x0", "x1", "t0", "t1")], axis=1)
        found, layers = [], []
        for i in self._computing.tolist():
            layers.append(int(plan.layer[i]))
            found.append(planner.node(Box(plan.layers[layers[-1]], *extents[i].tolist())))
        times = Counter((id(node), layer) for node, layer in zip(found, layers, strict=True))
        numbers: dict[tuple[int, int], int] = {}
        for node, layer in zip(found, layers, strict=True):
            key = id(node), layer
            if key not in numbers:
                counts.book(node, layer, times[key])
                numbers[key] = self.nodes.add(node)
        return [numbers[id(node), layer] for node, layer in zip(found, layers, strict=True)]

    def _settle(self) -> None:
        """Works out from the times of a sample what depends on them: moves that end before the first refresh, commands
        of main memory, and what moves and nodes that meet wait for each other.

        It begins with times in which none delays another.  Afterwards all of this stays as it is.
        """
        moving, whole = self._moving, np.ones(len(self.terms))
        every = np.ones((len(self.streams) + 2, 1))
        self._alone = self.movement.transfers.spans(every, whole[WAITING + 2 :])[0]
        channel = self.movement.transfers.channel(self.movement.specs[int(self.schedule.far[moving[0]])])
        self._extra = np.zeros((moving.size, len(TRANSFER_TERMS)))
        self._conflict, self._waiting = np.zeros(self._computing.size), np.zeros(moving.size)
        self._early = np.ones(moving.size, np.int64)
        self._region = self.schedule.layer[moving].astype(np.int64) * len(s.OPERANDS) + self.schedule.operand[moving]
        self._touching = np.ones(moving.size, np.bool_)
        for _ in range(MEETINGS):
            self._run(whole, 1)
            self._early = (self._rows.times()[1][moving] < channel.interval).astype(np.int64)
            self._meet(channel)
        self._run(whole, 1)
        start, done = (times[moving] for times in self._rows.times())
        self.commands = Commands(self.movement, (start, done))
        self.tally.close()
        self._touching = self.commands.touching
        self._meet(channel)

    def _meet(self, channel: Channel) -> None:
        """What moves and nodes wait for each other at the times of the last run."""
        moving, transfers = self._moving, self.movement.transfers
        unit, store = self.schedule.unit[moving], self.schedule.op[moving] == s.STORE
        (start, begun), (done, ended) = ((times[moving], times[self._computing]) for times in self._rows.times())
        every = np.ones((len(self.streams) + 2, 1))
        bursts = transfers.bursts(every)[self._move, 0] * self._touching
        alone = self._alone[self._move, 0]
        busy = np.minimum(1.0, bursts * channel.pace / np.maximum(alone, 1.0))
        turns = np.stack([bursts / max(1, channel.posted), bursts / max(1, channel.drained)], axis=1)
        slow = alone + self._waiting + self._extra[:, TURN]
        met = together(unit, (start, done), slow, busy, turns, store, self._region, channel.posted > 0)
        self._extra[:, SHARED] = met.shared
        self._extra[:, TURN] = met.turns * channel.turn
        held = transfers.held(every)[self._move, 0]
        self._conflict = spread(unit, start, done, held, begun, ended)
        often = self.nodes.accesses[self._node] / np.maximum(ended - begun, 1.0)
        # A chunk delays the first access that meets it: n - (1 - exp(-a n)) / a, held for n, accesses at a rate a.
        met_by = np.maximum(often * self._near, 1e-6)
        self._conflict *= often * 2 * (met_by + np.expm1(-met_by)) / met_by**2
        lost, waits = (each[self._node] for each in self.nodes.holds(self._slack))
        array = np.zeros(begun.size, np.int64)
        self._waiting = spread(array, begun, ended, lost, start, done)
        self._waiting += spread(array, begun, ended, waits, start, done) / np.maximum(done - start, 1.0)

    def price(self, found: Rates, weights: np.ndarray) -> Priced:
        """A run at these rates, see `chip.Chip`."""
        made = self._run(weights, found.samples)
        samples, one = found.samples, float(made.end[0])
        end = samples * one
        counts = self.tally.counts(found.total, samples)
        shift = np.arange(samples)[:, None] * one
        start, complete = (shift + times[self._moving[self._touching]] for times in self._rows.times())
        self.commands.background(counts, [((start.ravel(), complete.ravel()), end, 1.0)])
        ran = made.start[0] >= 0
        span = np.where(ran[:, None], np.stack([made.start[0], made.last[0] + (samples - 1) * one], axis=1), -1.0)
        return Priced(counts, end, made.busy[0] * samples, span)

    def _run(self, weights: np.ndarray, samples: int) -> Span:
        """The mean sample of so many with these weights of the terms."""
        launch, of_moves = np.split(weights[WAITING + 1 :], [1])
        refreshed = np.array([[1.0, 1 - 1 / samples]])  # of a move that ends before the first refresh, in one sample
        moved = self.movement.transfers.spans(np.ones((len(self.streams) + 2, 2)), of_moves, refreshed)
        extra = self._extra @ of_moves + weights[WAITING] * self._waiting
        nodes = self.nodes.spans(weights[:PARTS])
        hold, done = np.empty((2, self.schedule.rows))
        for times, found in ((hold, moved[0]), (done, moved[1])):
            times[self._moving] = found[self._move, self._early] + extra
            times[self._computing] = nodes[self._node] + weights[CONFLICT] * self._conflict
        return self._rows.run(hold[:, None], done[:, None], self._launch * float(launch[0]))


def _held(dma: Any, buffer: Any, hardware: Any) -> tuple[float, float]:
    """How long, ps, a chunk holds the buffer, and how long a channel goes on while another holds it: all of its own
    buffers but the one that waits are read from main memory meanwhile, half a chunk of one that was under way; then
    those that wait follow each other."""
    far = hardware.units[dma.far]
    channel = channel_of(far, PS_PER_SECOND / hardware.clocks[far.clock])
    bits = dma.chunk_bytes * 8
    period = ceil_div(bits, channel.burst_bits) * channel.pace
    near = ceil_div(bits, buffer.width_bits) * buffer.cycle_cycles * PS_PER_SECOND / hardware.clocks[buffer.clock]
    return near, max(0.0, (dma.buffers - 0.5) * period - near)
