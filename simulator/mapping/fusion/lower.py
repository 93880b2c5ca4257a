"""Lowering of a fused mapping: nodes in order, what is fetched and evicted for each, and what streams past.

The algorithm is that of the STEMS scheduler (sjoks93/STEMS 323e004): per node, what it needs is fetched, smallest
first; where the global buffer is full the least important tensors leave it; room for the output is made; after the node
tensors without remaining uses go.  Weights and inputs keep their copy in main memory and are dropped; membranes are
moved, so each time they leave they are written back; spikes are written only where main memory has no copy.
Membranes of a batch of timesteps are used once; membranes of nodes of one timestep once per timestep.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simulator.errors import InputError, unknown
from simulator.mapping import schedule as s
from simulator.mapping.fusion.buffer import GlobalBuffer
from simulator.mapping.fusion.entry import FusedMapping, Fusion
from simulator.mapping.fusion.machine import BufferedArray, array_of, buffered_array
from simulator.mapping.fusion.nodes import Edge, Nodes
from simulator.mapping.fusion.order import Ready, barriers_of
from simulator.mapping.fusion.stream import Streams, streams_of
from simulator.mapping.schedule import Schedule
from simulator.network.network import Network
from simulator.network.sizes import state_bits, weight_bits

if TYPE_CHECKING:
    from simulator.hardware import Hardware


def lower_fused(
    entries: tuple[FusedMapping, ...], fusion: Fusion, steps: int, network: Network, hardware: Hardware
) -> Schedule:
    """The schedule of all nodes for samples of `steps` timesteps; InputError where it does not fit the machine."""
    for entry in entries:
        if entry.unit != array_of(hardware):
            arrays = [name for name in hardware.units if hardware.unit(name).type == "pe_array"]
            raise unknown("pe_array", entry.unit, arrays, key=f"layers.{entry.layer}.unit")
    for p in network.projections:
        if p.kind == "sparse" or p.groups > 1:
            raise InputError(
                "a fused mapping takes dense, depthwise and one-to-one projections without groups",
                key=f"projection {p.name}",
                found=p.kind if p.groups == 1 else f"groups {p.groups}",
            )
    return _Lowering(entries, fusion, steps, network, buffered_array(hardware)).schedule()


class _Lowering:
    """Writes rows in the order in which the host hands them out.

    Tensors are numbered: outputs by node, then weights by population, then membranes by population and column part.
    """

    def __init__(
        self, entries: tuple[FusedMapping, ...], fusion: Fusion, steps: int, network: Network, chip: BufferedArray
    ) -> None:
        self.fusion, self.network, self.chip = fusion, network, chip
        self.nodes = nodes = Nodes(network, entries, fusion, steps)
        count = len(nodes.names)
        self.weights = nodes.count
        self.state = nodes.count + count + np.concatenate(([0], np.cumsum(nodes.parts)))
        barriers = barriers_of(entries) if fusion.barriers == "yes" else {}
        blocks = {entry.layer: barriers.get(entry.block, 0) for entry in entries}
        self.barrier = [blocks.get(name, 0) for name in nodes.names]
        self.population = [network.populations.index(network.population(name)) for name in nodes.names]
        self.row_of = [i - nodes.inputs + 1 if i >= nodes.inputs else 0 for i in range(count)]
        self.column_bits = [0] * count  # of one output column and node
        bits, uses, layer, home = [], nodes.uses().tolist(), [], []
        for i, name in enumerate(nodes.names):
            population = network.population(name)
            c, h, _ = population.shape
            self.column_bits[i] = c * h * population.neuron.stored_bits * nodes.part_steps(i)
            size = nodes.parts[i] * nodes.steps_of[i]
            bits += [self.column_bits[i] * nodes.part_columns(i)] * size
            shown = nodes.edges_from[i][0].layer if i < nodes.inputs and nodes.edges_from[i] else i
            layer += [shown - nodes.inputs] * size
            home += [i < nodes.inputs] * size
        inner = range(nodes.inputs, count)
        self.weight_bits = [weight_bits(network, name) if i in inner else 0 for i, name in enumerate(nodes.names)]
        self.state_bits = [state_bits(network, name) for name in nodes.names]
        bits += self.weight_bits
        uses += [p * t for p, t in zip(nodes.parts, nodes.steps_of, strict=True)]
        for i in range(count):
            bits += [self.state_bits[i] // nodes.parts[i]] * nodes.parts[i]
            uses += [nodes.steps_of[i]] * nodes.parts[i]
        layer += [i - nodes.inputs for i in range(count)]
        layer += [i - nodes.inputs for i in range(count) for _ in range(nodes.parts[i])]
        home += [True] * (len(bits) - len(home))
        by_size = fusion.eviction == "uses_x_size"
        self.buffer = GlobalBuffer(chip.buffer_bits, bits, uses, layer, home, by_size)
        self.streams = [self._streams(i) if i in inner else Streams() for i in range(count)]
        self.rows: list[tuple[int, ...]] = []
        self.after: list[int] = []
        self.after_start: list[int] = [0]

    def _streams(self, i: int) -> Streams:
        nodes, bits = self.nodes, self.buffer.bits
        operands: dict[str | int, int] = {"O": bits[int(nodes.base[i])]}
        if self.weight_bits[i]:
            operands["W"] = self.weight_bits[i]
        if self.state_bits[i]:
            operands["V"] = self.state_bits[i] // nodes.parts[i]
        read: dict[str | int, int] = {}
        for edge in nodes.edges_of[i]:
            per_column = self.column_bits[edge.source] * max(edge.span, 1)
            most = int((edge.end - edge.first).max()) * nodes.part_columns(edge.source)
            operands[edge.source] = per_column * most
            read[edge.source] = per_column * int((edge.columns[:, 1] - edge.columns[:, 0]).max())
        halo = max((p.kernel[1] for p in self.network.incoming(nodes.names[i])), default=1) - 1
        channels = self.network.population(nodes.names[i]).shape[0]
        return streams_of(operands, nodes.names[i], nodes.part_columns(i), channels, halo, self.chip.buffer_bits, read)

    def schedule(self) -> Schedule:
        """All rows, as arrays."""
        for node, population, c, t in Ready(self.nodes, self.barrier, self.fusion.order == "gated"):
            self._node(node, population, c, t)
        columns = np.array(self.rows, np.int64).reshape(-1, len(s.COLUMNS) + len(s.EXTENT))
        return Schedule(
            **{name: columns[:, i] for i, name in enumerate((*s.COLUMNS, *s.EXTENT))},
            after_start=np.array(self.after_start),
            after=np.array(self.after, np.int32),
            prologue=0,
            repeat="sample",
            units=self.chip.units,
            layers=("unattributed", *self.network.layers),
            populations=tuple(p.name for p in self.network.populations),
        )

    def _row(self, unit: int, values: tuple[int, ...], after: list[int]) -> int:
        """Appends a row; of the rows it waits for, the last one of each other unit stands for all of them."""
        last: dict[int, int] = {}
        for row in after:
            if row >= 0:
                owner = self.rows[row][1]
                if owner != unit and row > last.get(owner, -1):
                    last[owner] = row
        self.rows.append(values)
        self.after.extend(last.values())
        self.after_start.append(len(self.after))
        return len(self.rows) - 1

    def _move(
        self, op: int, i: int, operand: int, bits: int, box: tuple[int, int, int, int, int, int], after: list[int],
        layer: int,
    ) -> int:  # fmt: skip
        """A load or store of `box` (channels, columns, timesteps) of population `i`, booked under `layer`."""
        k0, k1, x0, x1, t0, t1 = box
        height = self.network.population(self.nodes.names[i]).shape[1]
        unit = self.chip.load if op == s.LOAD else self.chip.store
        whose = -1 if operand == s.WEIGHT else self.population[i]
        head = (op, unit, self.row_of[layer], operand, whose, self.chip.buffer, self.chip.far, bits)
        return self._row(unit, (*head, k0, k1, 0, height, 0, 1, 0, 0, x0, x1, t0, t1), after)

    def _box(self, i: int, c: int, t: int) -> tuple[int, int, int, int, int, int]:
        """Channels, columns and timesteps of column part c and timestep part t of a population."""
        wide, steps = self.nodes.part_columns(i), self.nodes.part_steps(i)
        channels = self.network.population(self.nodes.names[i]).shape[0]
        return 0, channels, c * wide, (c + 1) * wide, t * steps, (t + 1) * steps

    def _place(self, tensor: int) -> tuple[int, int, int, int]:
        """(population, operand, column part, timestep part) of a tensor."""
        nodes = self.nodes
        if tensor < self.weights:
            i = int(np.searchsorted(nodes.base, tensor, side="right")) - 1
            t, c = divmod(tensor - int(nodes.base[i]), nodes.parts[i])
            return i, s.SPIKE, c, t
        if tensor < self.weights + len(nodes.names):
            return tensor - self.weights, s.WEIGHT, 0, 0
        i = int(np.searchsorted(self.state, tensor, side="right")) - 1
        return i, s.STATE, tensor - int(self.state[i]), 0

    def _evict(self, tensor: int) -> None:
        """A tensor leaves the buffer: written back where main memory has no copy of it."""
        buffer = self.buffer
        row = buffer.used[tensor]
        if not buffer.home[tensor]:
            row = self._write_back(tensor, row)
        buffer.leave(tensor, row)

    def _write_back(self, tensor: int, after: int) -> int:
        buffer = self.buffer
        i, operand, c, t = self._place(tensor)
        row = self._move(s.STORE, i, operand, buffer.bits[tensor], self._box(i, c, t), [after], i)
        buffer.home[tensor], buffer.home_row[tensor] = True, row
        return row

    def _fetch(self, tensor: int, layer: int) -> None:
        buffer = self.buffer
        after = [*buffer.enter(tensor), buffer.home_row[tensor]]
        i, operand, c, t = self._place(tensor)
        if operand == s.STATE:
            buffer.home[tensor] = False  # moved, not copied
            if self.fusion.state_start == "zero" and buffer.uses[tensor] == self.nodes.steps_of[i]:
                buffer.ready[tensor] = tuple(after)
                return
        row = self._move(s.LOAD, i, operand, buffer.bits[tensor], self._box(i, c, t), after, layer)
        buffer.ready[tensor], buffer.used[tensor] = (row,), row

    def _node(self, node: int, i: int, c: int, t: int) -> None:
        """Everything that one node asks for."""
        nodes, buffer, streams = self.nodes, self.buffer, self.streams[i]
        spikes = {edge.source: nodes.needed(edge, c, t) for edge in nodes.edges_of[i]}
        needed = [x for source, tensors in spikes.items() if source not in streams.streamed for x in tensors]
        if self.weight_bits[i] and "W" not in streams.streamed:
            needed.append(self.weights + i)
        state = int(self.state[i]) + c
        if self.state_bits[i] and "V" not in streams.streamed:
            needed.append(state)
        needed.sort(key=lambda x: (buffer.bits[x], x))
        if streams.streamed:
            buffer.clear(needed, self._evict)
        for tensor in needed:
            if tensor not in buffer.inside:
                buffer.make_room(buffer.bits[tensor], needed, self._evict, f"operands of {nodes.names[i]!r}")
                self._fetch(tensor, i)
        after = [row for tensor in needed for row in buffer.ready[tensor]]
        if "O" not in streams.streamed:
            buffer.make_room(buffer.bits[node], needed, self._evict, f"the output of {nodes.names[i]!r}")
            after += buffer.enter(node)
        if streams.streamed:
            row = self._pieces(node, i, c, t, spikes, after)
        else:
            row = self._compute(i, self._box(i, c, t), after)
        for tensor in needed:
            buffer.used[tensor] = row
        if "O" not in streams.streamed:
            buffer.ready[node], buffer.used[node] = (row,), row
        self._release(node, i, state, spikes, row)

    def _compute(self, i: int, box: tuple[int, int, int, int, int, int], after: list[int]) -> int:
        k0, k1, x0, x1, t0, t1 = box
        height = self.network.population(self.nodes.names[i]).shape[1]
        head = (s.COMPUTE, self.chip.array, self.row_of[i], s.PARTIAL_SUM, self.population[i], -1, -1, 0)
        return self._row(self.chip.array, (*head, k0, k1, 0, height, 0, 1, 1, 1, x0, x1, t0, t1), after)

    def _release(self, node: int, i: int, state: int, spikes: dict[int, list[int]], row: int) -> None:
        """Uses are counted down; what nobody needs any more goes, membranes and outputs to main memory."""
        buffer = self.buffer
        used = [x for tensors in spikes.values() for x in tensors]
        if self.weight_bits[i]:
            used.append(self.weights + i)
        for tensor in used:
            buffer.uses[tensor] -= 1
            if buffer.uses[tensor] == 0 and tensor in buffer.inside:
                buffer.leave(tensor, row)
        if self.state_bits[i]:
            buffer.uses[state] -= 1
            if buffer.uses[state] == 0 and state in buffer.inside:
                kept = self.fusion.state_start == "stored"
                buffer.leave(state, self._write_back(state, row) if kept else row)
        if node in buffer.inside and not buffer.uses[node]:
            sink = not self.nodes.edges_from[i]
            buffer.leave(node, self._write_back(node, row) if sink else row)

    def _pieces(self, node: int, i: int, c: int, t: int, spikes: dict[int, list[int]], after: list[int]) -> int:
        """The computation of a node whose streamed operands pass piece by piece; the row of its last piece."""
        streams, buffer = self.streams[i], self.buffer
        _, channels, x0, x1, t0, t1 = self._box(i, c, t)
        state = int(self.state[i]) + c
        row = stored = -1
        for k in range(0, channels, streams.channels):
            weights: list[int] = []
            share = self.weight_bits[i] * streams.channels // channels if "W" in streams.streamed else 0
            if share:
                box = (k, k + streams.channels, 0, 0, 0, 0)
                weights = [self._move(s.LOAD, i, s.WEIGHT, share, box, self._room(share, i), i)]
            windows = [_Window(e, c) for e in self.nodes.edges_of[i] if e.source in streams.streamed]
            for x in range(x0, x1, streams.columns):
                end = min(x + streams.columns, x1)
                box = (k, k + streams.channels, x, end, t0, t1)
                waits = [*after, *weights]
                for window in windows:
                    waits += self._window(window, spikes[window.edge.source], end, i)
                part = (end - x) * streams.channels
                moved = self.state_bits[i] // (channels * self.nodes.width[i]) * part
                moved = moved if "V" in streams.streamed else 0
                if moved:
                    room = self._room(moved, i)
                    fresh = self.fusion.state_start == "zero" and buffer.uses[state] == self.nodes.steps_of[i]
                    waits += room
                    if not fresh:
                        room.append(buffer.home_row[state])
                        waits.append(self._move(s.LOAD, i, s.STATE, moved, box, room, i))
                made = self.column_bits[i] // channels * part if "O" in streams.streamed else 0
                waits += self._room(made, i)
                row = self._compute(i, box, waits)
                if moved:
                    last = self.fusion.state_start == "zero" and buffer.uses[state] == 1
                    stored = row if last else self._move(s.STORE, i, s.STATE, moved, box, [row], i)
                    buffer.give(moved, stored)
                if made:
                    out = self._move(s.STORE, i, s.SPIKE, made, box, [row], i)
                    buffer.give(made, out)
                    buffer.home[node], buffer.home_row[node] = True, out
                for window in windows:
                    window.drop(self.nodes.reads(window.edge, end)[0] if end < x1 else None, row, buffer)
            buffer.give(share, row)
        if "V" in streams.streamed:
            buffer.home_row[state] = stored
        return row

    def _room(self, bits: int, i: int) -> list[int]:
        self.buffer.make_room(bits, self.buffer.inside, self._evict, f"a piece of {self.nodes.names[i]!r}")
        return self.buffer.take(bits)

    def _window(self, window: _Window, tensors: list[int], end: int, i: int) -> list[int]:
        """Loads the columns of a streamed source that a piece ending at output column `end` is the first to read."""
        source = window.edge.source
        low, high = window.loaded, max(window.loaded, self.nodes.reads(window.edge, end - 1)[1])
        if high == low:
            return []
        steps = max(window.edge.span, 1)
        bits = self.column_bits[source] * steps * (high - low)
        after = [*self._room(bits, i), *(self.buffer.home_row[x] for x in tensors)]
        window.held.append((high, bits))
        window.loaded = high
        _, channels, _, _, t0, _ = self._box(source, 0, self._place(tensors[0])[3])
        box = (0, channels, low, high, t0, t0 + steps * self.nodes.part_steps(source))
        return [self._move(s.LOAD, source, s.SPIKE, bits, box, after, i)]


class _Window:
    """Columns of a streamed source as they pass: loaded once, kept while a later piece reads them."""

    def __init__(self, edge: Edge, c: int) -> None:
        self.edge = edge
        self.loaded = int(edge.columns[c, 0])  # columns before this one are in the buffer or were dropped
        self.held: list[tuple[int, int]] = []  # (column after the last, bits) of what was loaded together

    def drop(self, low: int | None, row: int, buffer: GlobalBuffer) -> None:
        """Gives back columns before `low`, the first one that the next piece reads (None: there is no next piece)."""
        while self.held and (low is None or self.held[0][0] <= low):
            buffer.give(self.held.pop(0)[1], row)
