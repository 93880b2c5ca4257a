"""Closed form of a chip of `cmos_core` units: compiled once per Schedule, priced for any activity."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from simulator.costmodel.chip import Priced, Term
from simulator.costmodel.commands import Commands
from simulator.costmodel.gather import Windows
from simulator.costmodel.lines import Weights, read_lines, span_lines, tap_lines
from simulator.costmodel.movement import Move, Movement
from simulator.costmodel.ports import Ports
from simulator.costmodel.rates import Rates, Stream
from simulator.costmodel.scatter import Events, walks_of, word_of
from simulator.costmodel.tally import ONCE, REPETITION, Tally
from simulator.costmodel.timing import Row, Rows
from simulator.costmodel.transfers import TRANSFER_TERMS
from simulator.mapping import schedule as s
from simulator.mapping.reach import SPARSE, Fan, Reach, reach
from simulator.units import PS_PER_SECOND

LAUNCH = Term("host.launch", 1.0, "the host hands a task to its unit")


class CoreChip:
    """All rows of a Schedule on cores with DMA channels, as tables over streams of events.

    See `chip.Chip`.  Terms: `host.launch`, handing a row to its unit; those of `Ports`, of `Windows` or `Events` as the
    cores' dataflow is, and of `Transfers`.
    """

    built: Mapping[str, Mapping[str, int]] = MappingProxyType({})
    terms: tuple[Term, ...]

    def __init__(self, schedule: Any, hardware: Any, network: Any, actions: tuple[str, ...]) -> None:
        self.schedule, self.hardware, self.network = schedule, hardware, network
        self.specs = [hardware.units[name] for name in schedule.units]
        self.number = {name: i for i, name in enumerate(schedule.units)}
        self.index = {p.name: i for i, p in enumerate(network.populations)}
        self.streams: list[Stream] = []
        self._stream: dict[Stream, int] = {}
        self.tally = Tally(schedule.units, schedule.layers, actions)
        self.movement = Movement(hardware, schedule.units, self.tally)
        self.transfers = self.movement.transfers
        self.ports, self.windows, self.events = Ports(), Windows(), Events()
        self._tasks: dict[tuple[Any, ...], int] = {}
        self._data: list[tuple[float, ...]] = []
        self._active: list[tuple[int, int]] = []
        self._place: list[tuple[int, int]] = []
        rows = [self._row(i) for i in range(schedule.rows)]
        moved = self.transfers.rows
        self.rows = [row._replace(price=moved + row.price) if row.computes else row for row in rows]
        body = [
            row._replace(after=tuple(j - schedule.prologue for j in row.after if j >= schedule.prologue))
            for row in self.rows[schedule.prologue :]
        ]
        self.commands = Commands(self.movement)
        for bank in (self.tally, self.transfers, self.ports, self.windows, self.events):
            bank.close()  # type: ignore[attr-defined]
        self._task = np.array(self._data, np.float64).reshape(-1, 2)
        host = next(spec for spec in self.specs if spec.type == "host")
        self._launch = host.launch_cycles * PS_PER_SECOND / hardware.clocks[host.clock]
        layers, depth = len(schedule.layers), int(host.queue_depth)
        kinds = {spec.dataflow for spec in self._cores()}
        parts: list[tuple[Term, ...]] = [(LAUNCH,), Ports.terms]
        parts += [bank.terms if kind in kinds else () for bank, kind in ((Windows, "gather"), (Events, "scatter"))]
        parts.append(TRANSFER_TERMS)
        self.terms = tuple(term for part in parts for term in part)
        self._cuts = np.cumsum([len(part) for part in parts])[:-1]
        self._before, self._body = (Rows(part, layers, depth) for part in (self.rows[: schedule.prologue], body))
        moves = schedule.op != s.COMPUTE
        self._moves = np.flatnonzero(moves[: schedule.prologue]), np.flatnonzero(moves[schedule.prologue :])

    def stream(
        self,
        population: int,
        delay: int = 0,
        first: int = 0,
        window: int = 1,
        lines: Weights = None,
        once: bool = False,
    ) -> int:
        """Number of a stream; made when new."""
        key = Stream(population, delay, first, window, lines, once=once)
        if key not in self._stream:
            self._stream[key] = len(self.streams)
            self.streams.append(key)
        return self._stream[key]

    def _row(self, i: int) -> Row:
        plan = self.schedule
        unit, layer, after = int(plan.unit[i]), int(plan.layer[i]), tuple(plan.after_of(i).tolist())
        how = ONCE if i < plan.prologue else REPETITION
        host = next(n for n, spec in enumerate(self.specs) if spec.type == "host")
        self.tally.add(host, 0, "launch:task", how, 1)
        if plan.op[i] == s.COMPUTE:
            return Row(unit, layer, after, self._compute(i, unit, layer), True)
        return Row(unit, layer, after, self._transfer(i, unit, layer, how), False, int(plan.far[i]))

    def _transfer(self, i: int, unit: int, layer: int, how: int) -> int:
        plan = self.schedule
        operand, bits = s.OPERANDS[plan.operand[i]], int(plan.bits[i])
        terms = [(how, float(max(1, bits)))] if bits >= 0 else self._recorded(i)
        entry = 0 if self._format() == "bitmap" else self._spike_bits()
        near, far, store = int(plan.near[i]), int(plan.far[i]), bool(plan.op[i] == s.STORE)
        return self.movement.add(Move(unit, near, far, store, layer, operand, terms, how, bits, entry))

    def _recorded(self, i: int) -> list[tuple[int, float]]:
        """(stream, bits per event) of recorded spikes: a bit map, or addresses and one end mark per timestep."""
        plan = self.schedule
        name = plan.populations[plan.population[i]]
        shape = self.network.population(name).shape
        size = int((plan.k1[i] - plan.k0[i]) * (plan.y1[i] - plan.y0[i])) * shape[2]
        live = self.stream(-1)
        if self._format() == "bitmap":
            return [(live, float(size))]
        bits = self._spike_bits()
        return [(live, float(bits)), (self.stream(self.index[name], once=True), float(size * bits))]

    def _cores(self) -> list[Any]:
        return [spec for spec in self.specs if spec.type == "cmos_core"]

    def _format(self) -> str:
        return str(self._cores()[0].spike_format)

    def _spike_bits(self) -> int:
        return int(self._cores()[0].spike_bits)

    def _compute(self, i: int, unit: int, layer: int) -> int:
        plan, spec = self.schedule, self.specs[unit]
        name = plan.layers[layer]
        k0, k1, y0, y1, part, parts = (int(getattr(plan, key)[i]) for key in ("k0", "k1", "y0", "y1", "part", "parts"))
        first, last = bool(plan.first[i]), bool(plan.last[i])
        tile = reach(self.network, name, k0, k1, y0, y1, part, parts, first, last)
        begin = tile.population.neuron.first_step
        streams = [self._arriving(fan, begin, read_lines(fan)) for fan in tile.fans]
        reaching = [self._arriving(fan, begin, tap_lines(fan)) for fan in tile.fans]
        sizes = [math.prod(fan.shape) for fan in tile.fans]
        sending = [self._arriving(fan, begin, None, True) for fan in tile.fans]
        _, rows, columns = tile.population.shape
        live = self.stream(-1, 0, begin)
        own = self.stream(self.index[name], 0, begin, lines=span_lines(y0, y1, rows, columns), once=True)
        memories = tuple(self.number[getattr(spec, f"{key}_memory")] for key in ("weight", "state", "spike"))
        into, out = self._blocks(spec, tile, live, own, (unit, memories[2], layer))
        grouped = any(fan.projection.kind == "conv" and fan.projection.groups > 1 for fan in tile.fans)
        key = (unit, name, k1 - k0, k0 if grouped else 0, y0, y1, part, parts)
        if spec.dataflow == "gather":
            self._book_gather(spec, tile, streams, reaching, live, (unit, *memories), layer)
        else:
            self._book_scatter(spec, tile, streams, reaching, live, own, (unit, *memories), layer)
        if key not in self._tasks:
            self._tasks[key] = len(self._data)
            if spec.dataflow == "gather":
                place = 0, self.windows.add(spec, tile, reaching, list(zip(sending, sizes, strict=True)))
            else:
                weights, state = self.specs[memories[0]], self.specs[memories[1]]
                walks = [walks_of(spec, tile, fan, weights, state) for fan in tile.fans]
                fired = own if last else -1
                pairs = list(zip(streams, reaching, strict=True))
                groups = list(zip(sending, sizes, strict=True))
                place = 1, self.events.add(spec, tile, walks, pairs, groups, state, fired)
            self._place.append(place)
            pooled = any(fan.pooled for fan in tile.fans)
            self.ports.add(spec, self.specs[memories[2]], into, out, pooled)
            clock = PS_PER_SECOND / self.hardware.clocks[spec.clock]
            self._data.append((clock, live))
        self._active.append((self._tasks[key], self.tally.cell(unit, layer, "active:cycle")))
        return self._tasks[key]

    def _arriving(self, fan: Fan, first: int, lines: Weights, once: bool = False) -> int:
        p = fan.projection
        window = p.pool.size[0] * p.pool.size[1] if fan.pooled and p.pool is not None else 1
        return self.stream(self.index[p.source], p.delay, first, window, lines, once)

    def _blocks(
        self, spec: Any, tile: Reach, live: int, own: int, where: tuple[int, int, int]
    ) -> tuple[list[tuple[int, float]], list[tuple[int, float]]]:
        """Bits in and out per timestep; booked at the link (unit) and the spike memory."""
        unit, memory, layer = where
        mark, word = float(spec.spike_bits), self.specs[memory].width_bits
        fans = [fan for fan in tile.fans if fan.region]
        bitmap = spec.spike_format == "bitmap"
        into = [(live, mark)]
        spare = 0.0
        for n, fan in enumerate(fans):
            if bitmap:
                into.append((live, float(fan.region)))
                spare += -(fan.region + (spec.spike_bits if n == len(fans) - 1 else 0)) % word
                continue
            p = fan.projection
            stored = self.network.population(p.source).size if fan.pooled else fan.region  # pooled as they are read
            lines = None if fan.pooled else read_lines(fan)
            begin = tile.population.neuron.first_step
            sent = self.stream(self.index[p.source], p.delay, begin, lines=lines, once=True)  # an entry each
            into.append((sent, float(stored * spec.spike_bits)))
            spare += (word - math.gcd(word, spec.spike_bits)) / 2
        out: list[tuple[int, float]] = []
        if tile.last:
            made = (live, float(tile.neurons)) if bitmap else (own, float(tile.neurons * spec.spike_bits))
            out = [(live, mark), made]
            rest = -(tile.neurons + spec.spike_bits) % word
            spare += rest if bitmap else (word - math.gcd(word, spec.spike_bits)) / 2
        for verb, terms in (("read", into), ("write", out)):
            for stream, bits in terms:
                self.tally.add(unit, layer, "link:spike", stream, bits)
                self.tally.add(memory, layer, f"{verb}:spike", stream, bits)
        self.tally.add(memory, layer, "overfetch:spike", live, spare)
        return into, out

    def _book_gather(
        self, spec: Any, tile: Reach, streams: list[int], reaching: list[int], live: int, units: tuple[int, ...],
        layer: int,
    ) -> None:  # fmt: skip
        """As the gather core books a timestep."""
        core, weight, state = units[:3]
        g, add, neuron = spec.gather, self.tally.add, tile.population.neuron
        for fan, stream, reached in zip(tile.fans, streams, reaching, strict=True):
            operations = _synapses(fan)
            bits = fan.projection.weight_bits
            add(core, layer, "decode:spike", stream, fan.region)
            if g.gating == "none":
                add(core, layer, "accumulate:partial_sum", live, fan.dense * tile.neurons * g.ops_per_synapse)
                add(weight, layer, "read:weight", live, fan.dense * tile.neurons * bits)
            else:
                add(core, layer, "accumulate:partial_sum", reached, operations * g.ops_per_synapse)
                add(weight, layer, "read:weight", reached, operations * bits)
        sums = tile.neurons * neuron.membrane_bits
        if tile.last:
            add(core, layer, "update:state", live, tile.neurons)
            add(core, layer, "normalise:state", live, tile.neurons)
            for verb in ("read", "write"):
                add(state, layer, f"{verb}:state", live, sums * (2 if neuron.model == "cuba_lif" else 1))
        if not tile.first:
            add(state, layer, "read:partial_sum", live, sums)
        if not tile.last:
            add(state, layer, "write:partial_sum", live, sums)

    def _book_scatter(
        self, spec: Any, tile: Reach, streams: list[int], reaching: list[int], live: int, own: int,
        units: tuple[int, ...], layer: int,
    ) -> None:  # fmt: skip
        """As the scatter core books a timestep's events and its scan."""
        core, weight, state = units[:3]
        add, neuron = self.tally.add, tile.population.neuron
        word = word_of(spec, tile, self.specs[state])
        for fan, stream, reached in zip(tile.fans, streams, reaching, strict=True):
            walk = walks_of(spec, tile, fan, self.specs[weight], self.specs[state])
            operations, words = _synapses(fan), walk.mean("words") * fan.region
            bits = fan.projection.weight_bits
            moved = words * (1 if fan.mode == SPARSE else word) * bits
            for action in ("decode:spike", "fifo:spike"):
                add(core, layer, action, stream, fan.region)
            add(core, layer, "accumulate:partial_sum", reached, operations)
            add(weight, layer, "read:weight", reached, operations * bits)
            add(weight, layer, "overfetch:weight", reached, moved - operations * bits)
            for verb in ("read", "write"):
                add(state, layer, f"{verb}:partial_sum", reached, operations * neuron.membrane_bits)
            spare = (words * word - operations) * neuron.membrane_bits
            add(state, layer, "overfetch:partial_sum", reached, 2 * spare)
        if not tile.last:
            return
        add(core, layer, "update:state", live, tile.neurons)
        add(core, layer, "fifo:spike", own, tile.neurons)
        copies = 2 if neuron.model == "cuba_lif" else 1
        bits = tile.neurons * neuron.membrane_bits * copies
        depth = tile.k1 - tile.k0
        swept = tile.neurons // depth * -(-depth // word) * word * neuron.membrane_bits * copies
        for verb in ("read", "write"):
            add(state, layer, f"{verb}:state", live, bits)
        add(state, layer, "overfetch:state", live, 2 * (swept - bits))

    def price(self, found: Rates, weights: np.ndarray) -> Priced:
        """A run at these rates, see `chip.Chip`."""
        steps = float(found.weight.sum())
        one = self.schedule.repeat == "sample"
        repetitions = found.samples * (1 if one else steps)
        counts = self.tally.counts(found.total, repetitions).ravel()
        launch, *parts = np.split(weights, self._cuts)
        work, hold, done, use = self._spans(found, one, parts)
        np.add.at(counts, [cell for _, cell in self._active], work[[task for task, _ in self._active]] * found.samples)
        layers = len(self.schedule.layers)
        busy, span = np.zeros(layers), np.full((layers, 2), -1.0)
        each = self._launch * float(launch[0])
        end = float(self._before.run(hold[:, :1], done[:, :1], each, use[:, :1]).end[0])
        times = [found.samples] if one else (found.weight * found.samples).tolist()
        self._background(counts, end, (hold, done, use), times, each)
        made = self._body.run(hold, done, each, use)
        for n, often in enumerate(times):
            start, last = made.start[n], made.last[n]
            ran = start >= 0
            span[:, 0] = np.where(ran & (span[:, 0] < 0), end + start, span[:, 0])
            span[:, 1] = np.where(ran, end + max(often - 1, 0) * made.end[n] + last, span[:, 1])
            busy += made.busy[n] * often
            end += often * float(made.end[n])
        return Priced(counts.reshape(self.tally.shape), end, busy, span)

    def _background(
        self, counts: np.ndarray, before: float, spans: tuple[np.ndarray, ...], times: list[float], launch: float
    ) -> None:
        """Refreshes and open rows of main memories with banks; `before`: end of the prologue, ps."""
        if not self.commands.banked:
            return
        start, done = (part[self._moves[0]] for part in self._before.times())
        runs = [((start, done), before, 1.0)]
        for n, often in enumerate(times):
            hold, behind, use = (part[:, n : n + 1] for part in spans)
            made = self._body.run(hold, behind, launch, use)
            start, done = (part[self._moves[1]] for part in self._body.times())
            runs.append(((start, done), float(made.end[0]), often))
        self.commands.background(counts, runs)

    def _spans(
        self, found: Rates, one: bool, weights: list[np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Busy cycles of each compute task in a sample, and of all prices (transfers, then tasks) how long they hold
        their unit, when they are complete and how long main memory works for them, ps [prices, repetitions that
        differ].  weights: of the terms of ports, windows, events and transfers."""
        each = np.vstack([found.value, np.ones((2, found.value.shape[1]))])
        moved = np.vstack([found.value @ found.weight[:, None], np.ones((2, 1))]) if one else each
        of_ports, of_windows, of_events, of_transfers = weights
        loads = self.transfers.spans(moved, of_transfers)
        if not len(self._data):
            return np.zeros(0), *loads
        ready, between, behind = self.ports.cycles(each, of_ports)
        banks = [
            bank.cycles(found, own) if own.size else None  # type: ignore[attr-defined]
            for bank, own in ((self.windows, of_windows), (self.events, of_events))
        ]
        cycles = np.stack([banks[kind][place] for kind, place in self._place])  # type: ignore[index]
        live = found.value[self._task[:, 1].astype(np.int64)]
        ps = self._task[:, :1]
        work = (cycles * live) @ found.weight
        if one:
            paced = (np.maximum(cycles, between) * live) @ found.weight[:, None]
            hold = paced + ready[:, :1]
            tail = behind[:, -1:]
        else:
            hold, tail = np.maximum(cycles + ready, between) * live, behind * live
        none = np.zeros_like(hold)
        tasks = hold * ps, (hold + tail) * ps, none
        hold, done, use = (np.vstack(pair) for pair in zip(loads, tasks, strict=True))
        return work, hold, done, use


def _synapses(fan: Fan) -> float:
    """Synaptic operations per event of a projection, summed over the source neurons that the tile reads."""
    if fan.mode == SPARSE:
        return float(fan.col.size)
    return float(fan.row.size) * float(fan.col.size) * float(fan.lanes.sum())
