"""Closed form of a `pe_array` whose Schedule has columns and timesteps: nodes, and the transfers around them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from simulator.costmodel.channel import Channel
from simulator.costmodel.chip import Priced, Term
from simulator.costmodel.commands import Commands
from simulator.costmodel.fused_nodes import PARTS, Nodes
from simulator.costmodel.movement import Move, Movement
from simulator.costmodel.overlap import together
from simulator.costmodel.rates import Rates, Stream
from simulator.costmodel.tally import REPETITION, Tally
from simulator.costmodel.timing import Row, Rows, Span
from simulator.costmodel.transfers import SHARED, TRANSFER_TERMS, TURN
from simulator.mapping import schedule as s
from simulator.mapping.fusion.nest import Box, Memories, Node, Planner
from simulator.mapping.reach import reach
from simulator.units import PS_PER_SECOND, ceil_div

ARRAY_TERMS = (
    Term("pe_array.compute", 1.0, "cycles in which the elements of the array work"),
    Term("pe_array.fill", 1.0, "weights and windows on their way from the global buffer into the array's memories"),
    Term("pe_array.state", 1.0, "states of a tile read before and written after it"),
    Term("pe_array.output", 1.0, "outputs of a tile written to the global buffer"),
)
LAUNCH = Term("host.launch", 1.0, "the host hands a task out")


class FusedChip:
    """All rows of a Schedule on one array and its movers; see `chip.Chip`.

    Nothing but the operations of an array that gates depends on spikes, so a repetition is a sample, and all are alike.
    """

    terms: tuple[Term, ...] = (*ARRAY_TERMS, LAUNCH, *TRANSFER_TERMS)
    built: Mapping[str, Mapping[str, int]] = MappingProxyType({})

    def __init__(self, schedule: Any, hardware: Any, network: Any, actions: tuple[str, ...]) -> None:
        self.schedule, self.network = schedule, network
        specs = {name: hardware.units[name] for name in schedule.units}
        self._number = {name: i for i, name in enumerate(schedule.units)}
        self.streams: list[Stream] = []
        self.tally = Tally(schedule.units, schedule.layers, actions)
        self.movement = Movement(hardware, schedule.units, self.tally)
        name, array = next((name, spec) for name, spec in specs.items() if spec.type == "pe_array")
        self._array, self._spec = self._number[name], array
        own = specs[array.weight_memory], specs[array.input_memory]
        self._buffer = specs[array.global_memory]
        self._planner = Planner(network, array.lanes, Memories.of(array, *own))
        self.nodes = Nodes(dict(hardware.clocks), array, self._buffer, *own)
        self._booked: dict[tuple[int, Node], int] = {}
        self._moves: dict[tuple[int, ...], int] = {}
        self._host = next(i for i, spec in enumerate(specs.values()) if spec.type == "host")
        self.tally.add(self._host, 0, "launch:task", REPETITION, schedule.rows)
        rows = [self._row(i) for i in range(schedule.rows)]
        self._gated()
        self._once = np.ones((len(self.streams) + 2, 1))
        for bank in (self.movement.transfers, self.nodes):
            bank.close()  # type: ignore[attr-defined]
        moved = self.movement.transfers.rows
        rows = [row._replace(price=moved + row.price) if row.computes else row for row in rows]
        host = specs[schedule.units[self._host]]
        self._launch = host.launch_cycles * PS_PER_SECOND / hardware.clocks[host.clock]
        self._rows = Rows(rows, len(schedule.layers), int(host.queue_depth))
        moving = np.flatnonzero(schedule.op != s.COMPUTE)
        self._extra = np.zeros((moved, len(TRANSFER_TERMS)))
        default = np.array([term.weight for term in self.terms])
        self._early = np.ones((moved, 1))
        self._run(default, 1)
        early = self._rows.times()[1][moving] < self._channel(moving).interval
        self._early = early.astype(np.float64)[:, None]
        self._run(default, 1)
        start, complete = self._rows.times()
        self.commands = Commands(self.movement, (start[moving], complete[moving]))
        self._meet(moving)
        self._touching = moving[self.commands.touching]
        self.tally.close()

    def _row(self, i: int) -> Row:
        plan = self.schedule
        unit, layer, after = int(plan.unit[i]), int(plan.layer[i]), tuple(plan.after_of(i).tolist())
        if plan.op[i] == s.COMPUTE:
            return Row(unit, layer, after, self._compute(i, layer), True)
        bits, operand = int(plan.bits[i]), s.OPERANDS[plan.operand[i]]
        move = Move(
            unit, int(plan.near[i]), int(plan.far[i]), bool(plan.op[i] == s.STORE), layer, operand,
            [(REPETITION, float(max(1, bits)))], REPETITION, bits,
        )  # fmt: skip
        return Row(unit, layer, after, self.movement.add(move), False)

    def _compute(self, i: int, layer: int) -> int:
        plan = self.schedule
        extent = (int(getattr(plan, name)[i]) for name in ("k0", "k1", "x0", "x1", "t0", "t1"))
        node = self._planner.node(Box(plan.layers[layer], *extent))
        self._book(node, layer)
        key = layer, node
        if key not in self._booked:
            self._booked[key] = self.nodes.add(node)
        return self._booked[key]

    def _book(self, node: Node, layer: int) -> None:
        """As the array counts a node: its operations, its own memories, and the global buffer."""
        spec, add = self._spec, self.tally.add
        weight, inputs, buffer = (
            self._number[name] for name in (spec.weight_memory, spec.input_memory, spec.global_memory)
        )
        if spec.gating == "none":
            add(self._array, layer, "operate:partial_sum", REPETITION, node.operations)
        for unit, operand, (used, moved) in (
            (weight, "weight", node.weight_read), (inputs, "spike", node.input_read),
        ):  # fmt: skip
            add(unit, layer, f"read:{operand}", REPETITION, used)
            add(unit, layer, f"overfetch:{operand}", REPETITION, moved - used)
        for group in node.groups:
            moves = [("spike", group.inputs, inputs, True)]
            for tile in group.tiles:
                moves += [("weight", tile.weights, weight, True), ("state", tile.state, -1, True),
                          ("state", tile.state, -1, False), ("spike", tile.made, -1, False)]  # fmt: skip
            for operand, bits, into, read in moves:
                if not bits:
                    continue
                width = self._buffer.width_bits
                add(buffer, layer, f"{'read' if read else 'write'}:{operand}", REPETITION, bits)
                add(buffer, layer, f"overfetch:{operand}", REPETITION, ceil_div(bits, width) * width - bits)
                if into >= 0:
                    least = spec.access_bits
                    add(into, layer, f"write:{operand}", REPETITION, bits)
                    add(into, layer, f"overfetch:{operand}", REPETITION, ceil_div(bits, least) * least - bits)

    def _gated(self) -> None:
        """Operations of an array that leaves those without a spike out."""
        if self._spec.gating != "energy":
            return
        known: dict[Stream, int] = {}
        index = {p.name: i for i, p in enumerate(self.network.populations)}
        for layer, name in enumerate(self.schedule.layers[1:], 1):
            channels, height, _ = self.network.population(name).shape
            tile = reach(self.network, name, 0, channels, 0, height)
            for fan in tile.fans:
                p = fan.projection
                window = p.pool.size[0] * p.pool.size[1] if fan.pooled and p.pool is not None else 1
                stream = Stream(index[p.source], p.delay, tile.population.neuron.first_step, window)
                number = known.setdefault(stream, len(known))
                self.tally.add(self._array, layer, "operate:partial_sum", number, fan.synapses)
        self.streams.extend(known)

    def price(self, found: Rates, weights: np.ndarray) -> Priced:
        """A run at these rates, see `chip.Chip`."""
        made = self._run(weights, found.samples)
        samples, one = found.samples, float(made.end[0])
        end = samples * one
        counts = self.tally.counts(found.total, samples)
        shift = np.arange(samples)[:, None] * one
        start, complete = (shift + times[self._touching] for times in self._rows.times())
        self.commands.background(counts, [((start.ravel(), complete.ravel()), end, 1.0)])
        ran = made.start[0] >= 0
        span = np.where(ran[:, None], np.stack([made.start[0], made.last[0] + (samples - 1) * one], axis=1), -1.0)
        return Priced(counts, end, made.busy[0] * samples, span)

    def _channel(self, moving: np.ndarray) -> Channel:
        """Of the main memory."""
        return self.movement.transfers.channel(self.movement.specs[int(self.schedule.far[moving[0]])])

    def _meet(self, moving: np.ndarray) -> None:
        """What moves wait for each other, as they meet where none delays another."""
        start, complete = self._rows.times()
        transfers = self.movement.transfers
        bursts = transfers.bursts(self._once)[:, 0] * self.commands.touching
        channel = self._channel(moving)
        use, store = bursts * channel.pace, self.schedule.op[moving] == s.STORE
        met = together(self.schedule.unit[moving], start[moving], complete[moving], use, bursts, store)
        self._extra[:, SHARED] = met.shared
        self._extra[:, TURN] = met.bursts * (channel.turn / max(1, channel.posted))

    def _run(self, weights: np.ndarray, samples: int) -> Span:
        """The mean sample of so many with these weights of the terms."""
        nodes = self.nodes.spans(weights[:PARTS])[:, None]
        of_moves = weights[PARTS + 1 :]
        extra = (self._extra @ of_moves)[:, None]
        hold, done, _ = self.movement.transfers.spans(self._once, of_moves, 1 - self._early / samples)
        hold, done = np.vstack([hold + extra, nodes]), np.vstack([done + extra, nodes])
        return self._rows.run(hold, done, self._launch * weights[PARTS])
