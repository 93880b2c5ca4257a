"""The workload of a run: what each row of a Schedule reads and makes, from a trace or as the run goes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from simulator.engine.board import Job
from simulator.engine.context import Feed, Tensor
from simulator.kernels.pool import pool_spikes
from simulator.mapping.crossbar import CrossbarLayer, CrossbarPlan
from simulator.mapping.fusion.nest import Box
from simulator.mapping.fusion.reached import Reached
from simulator.mapping.reach import GRID, LINEAR, Fan, Reach, inside, reach
from simulator.mapping.schedule import LOAD, OPERANDS, SPIKE, STORE, WEIGHT, Schedule
from simulator.network import Network
from simulator.network.geometry import dense_operations, pooled_shape
from simulator.trace import Block, Trace

CHUNK = 64
Pair = tuple[np.ndarray, np.ndarray | None]
NOTHING: Pair = (np.empty(0, np.uint32), None)


class StepReader:
    """Timesteps of one population out of a trace, a chunk of them at a time."""

    def __init__(self, spikes: Any) -> None:
        self.spikes = spikes
        self._key = (-1, -1)
        self._block: Block | None = None

    def step(self, sample: int, t: int, steps: int) -> Pair:
        """Index and value of timestep t."""
        key = (sample, t // CHUNK)
        if key != self._key:
            low = key[1] * CHUNK
            self._key, self._block = key, self.spikes.block(sample, low, min(low + CHUNK, steps))
        assert self._block is not None
        return self._block.step(t % CHUNK)


class Workload:
    """`simulator.engine.context.Work` for one run.

    `trace` holds the input populations and, unless `computing`, all the others; a computing run (reference engine)
    learns the inner spikes from its cores.  `plan` is there where layers live on crossbars,
    `stimulus(row, sample)` where a unit holds the network whole and was prepared for the trace.
    """

    def __init__(
        self,
        schedule: Schedule,
        network: Network,
        trace: Trace,
        computing: bool,
        stored: tuple[str, int],
        plan: CrossbarPlan | None = None,
        stimulus: Callable[[int, int], Any] | None = None,
    ) -> None:
        self.schedule, self.network, self.trace, self.computing = schedule, network, trace, computing
        self.spike_format, self.spike_bits = stored
        self.plan = plan
        self._readers = {name: StepReader(trace.spikes(name)) for name in trace.populations}
        self._made: dict[str, dict[int, list[Pair]]] = {p.name: {} for p in network.populations}
        self._made_sample = -1
        self._tiles: dict[int, Reach] = {}
        self._pools: dict[int, Any] = {}
        self._reached = Reached(network, self.spikes_sent)
        if stimulus is not None:
            self.stimulus = stimulus
        self.delivered = 0
        self.dropped = 0
        self.made: dict[str, list[list[Pair]]] = {}
        self.steps = trace.steps

    def after(self, row: int) -> tuple[list[int], list[int]]:
        """Rows to wait for: loads of weights, and the others."""
        s = self.schedule
        weights: list[int] = []
        others: list[int] = []
        for i in s.after_of(row).tolist():
            (weights if s.op[i] == LOAD and s.operand[i] == WEIGHT else others).append(i)
        return weights, others

    def tile(self, row: int) -> Reach:
        """The tile of a compute row; made once."""
        found = self._tiles.get(row)
        if found is None:
            s = self.schedule
            layer = s.layers[s.layer[row]]
            k0, k1, y0, y1 = (int(getattr(s, name)[row]) for name in ("k0", "k1", "y0", "y1"))
            found = reach(
                self.network,
                layer,
                k0,
                k1,
                y0,
                y1,
                int(s.part[row]),
                int(s.parts[row]),
                bool(s.first[row]),
                bool(s.last[row]),
            )
            self._tiles[row] = found
        return found

    def box(self, row: int) -> Box:
        """What a compute row of a fused mapping makes."""
        s = self.schedule
        extent = (int(getattr(s, name)[row]) for name in ("k0", "k1", "x0", "x1", "t0", "t1"))
        return Box(s.layers[s.layer[row]], *extent)

    def reached(self, row: int, sample: int) -> int:
        """Synaptic operations that the sample's spikes cause in the box of a row, from its neurons' first step on."""
        b = self.box(row)
        steps = range(max(b.t0, self.network.population(b.layer).neuron.first_step), b.t1)
        return self._reached.operations(b.layer, (b.k0, b.k1), (b.x0, b.x1), sample, steps)

    def stream(self, row: int) -> list[int]:
        """Rows whose output a row consumes as it arrives."""
        found: list[int] = self.schedule.stream_of(row).tolist()
        return found

    def crossbar(self, row: int) -> CrossbarLayer:
        """The layer of a compute or program row on crossbars."""
        assert self.plan is not None
        return self.plan.layers[self.schedule.layers[self.schedule.layer[row]]]

    @property
    def left_out(self) -> tuple[str, ...]:
        """Layers that a published estimator's quirks leave out: they receive no spike."""
        layers = {} if self.plan is None else self.plan.layers
        return tuple(name for name, layer in layers.items() if layer.omitted)

    def op(self, row: int) -> int:
        """What a row does: LOAD, COMPUTE, STORE or PROGRAM."""
        return int(self.schedule.op[row])

    def layer(self, row: int) -> int:
        """Ledger row of a Schedule row."""
        return int(self.schedule.layer[row])

    def feeds(self, row: int, sample: int, t: int) -> list[Feed]:
        """Events per projection of the tile in timestep t."""
        result = []
        for i, fan in enumerate(self.tile(row).fans):
            if fan.region == 0:
                continue
            index, value = self.spikes(fan.projection.source, sample, t - fan.projection.delay)
            stored = index.size
            if fan.pooled:
                index, value = self._pool(fan, index, value)
            if not fan.whole:
                mine = fan.reads(index)
                index = index[mine]
                value = None if value is None else value[mine]
                stored = index.size if not fan.pooled else stored
            result.append(Feed(i, index, value, max(stored, index.size), fan.region))
        return result

    def spikes(self, population: str, sample: int, t: int) -> Pair:
        """Spikes of a whole population in timestep t; none before the start."""
        if t < 0:
            return NOTHING
        reader = self._readers.get(population)
        if reader is not None and not (self.computing and not self.network.population(population).is_input):
            return reader.step(sample, t, int(self.steps[sample]))
        parts = self._made[population].get(t, []) if self._made_sample == sample else []
        if not parts:
            return NOTHING
        index = np.concatenate([p[0] for p in parts])
        order = np.argsort(index, kind="stable")
        if all(p[1] is None for p in parts):
            return index[order].astype(np.uint32), None
        value = np.concatenate([np.ones(p[0].size, np.int32) if p[1] is None else p[1] for p in parts])
        return index[order].astype(np.uint32), value[order]

    def fired(self, row: int, sample: int, t: int) -> Pair:
        """Spikes of the row's layer in timestep t, rising."""
        return self.spikes(self.schedule.layers[self.schedule.layer[row]], sample, t)

    def publish(self, row: int, sample: int, t: int, index: np.ndarray, value: np.ndarray | None) -> None:
        """A tile of a computing run made these spikes in timestep t."""
        if not self.computing:
            return
        if sample != self._made_sample:
            self._made_sample = sample
            for steps in self._made.values():
                steps.clear()
        name = self.schedule.layers[self.schedule.layer[row]]
        self._made[name].setdefault(t, []).append((index, value))

    def end_sample(self, sample: int) -> None:
        """Keeps what a computing run made in this sample."""
        if not self.computing:
            return
        for name in self.network.layers:
            steps = [self.spikes(name, sample, t) for t in range(int(self.steps[sample]))]
            self.made.setdefault(name, []).append(steps)

    def transfer(self, job: Job) -> tuple[int, str, str, str, bool]:
        """(bits, operand, on-chip memory, DRAM, True for a store) of a load or store."""
        s, row = self.schedule, job.row
        bits = int(s.bits[row])
        if bits < 0:
            bits = self._spike_bits(job)
        units = s.units
        return max(1, bits), OPERANDS[s.operand[row]], units[s.near[row]], units[s.far[row]], s.op[row] == STORE

    def tensor(self, job: Job) -> Tensor | None:
        """The part of a tensor that a load or store moves; None where the row has none of fixed size (weights, lists
        of addresses)."""
        s, row = self.schedule, job.row
        spikes = s.operand[row] == SPIKE
        if s.population[row] < 0 or (spikes and self.spike_format != "bitmap"):
            return None
        shape = self.network.population(s.populations[s.population[row]]).shape
        steps, columns = (job.t0, job.t1), (0, shape[2])
        if s.x0.size:
            steps, columns = (int(s.t0[row]), int(s.t1[row])), (int(s.x0[row]), int(s.x1[row]))
        copies = steps[1] - steps[0] if spikes else 1
        box = ((int(s.k0[row]), int(s.k1[row])), (int(s.y0[row]), int(s.y1[row])), columns)
        elements = copies * math.prod(high - low for low, high in box)
        bits = self.transfer(job)[0]
        return Tensor(shape, box, bits // elements, copies) if elements and bits % elements == 0 else None

    def _spike_bits(self, job: Job) -> int:
        """Bits of the spikes of a row's population, channels and rows as recorded in the job's timesteps."""
        s, row = self.schedule, job.row
        name = s.populations[s.population[row]]
        shape = self.network.population(name).shape
        k0, k1, y0, y1 = (int(getattr(s, key)[row]) for key in ("k0", "k1", "y0", "y1"))
        if self.spike_format == "bitmap":
            return (k1 - k0) * (y1 - y0) * shape[2] * (job.t1 - job.t0)
        total = 0
        late = self._delay(row, name) if s.repeat == "step" else 0
        for t in range(job.t0 - late, job.t1 - late):
            index, _ = self.spikes(name, job.sample, t)
            if (k1 - k0, y1 - y0) == shape[:2]:
                total += index.size
                continue
            total += int(inside(index, shape, k0, k1, y0, y1).sum())
        return (total + job.t1 - job.t0) * self.spike_bits

    def _delay(self, row: int, population: str) -> int:
        """Timesteps by which a load for one layer lags: the spikes that the layer takes in now were sent then."""
        if self.schedule.op[row] != LOAD or not self.schedule.layer[row]:
            return 0
        layer = self.schedule.layers[self.schedule.layer[row]]
        return min((p.delay for p in self.network.incoming(layer) if p.source == population), default=0)

    def _pool(self, fan: Fan, index: np.ndarray, value: np.ndarray | None) -> Pair:
        """OR pooling in front of the synapses: one event per window that holds a spike."""
        p = fan.projection
        source = self.network.population(p.source)
        assert p.pool is not None
        seen = pooled_shape(p, source)
        first, last = [], []
        for axis in (0, 1):
            at = np.arange(source.shape[1 + axis])
            window, stride = p.pool.size[axis], p.pool.stride[axis]
            low = np.maximum(0, -(-(at - window + 1) // stride))
            high = np.minimum(at // stride + 1, seen[1 + axis])
            first.append(low.astype(np.int64))
            last.append(np.maximum(low, high).astype(np.int64))
        size = seen[0] * seen[1] * seen[2]
        out_index, out_value = np.empty(size, np.uint32), np.empty(size, np.int32)
        n = pool_spikes(
            index,
            np.empty(0, np.int32) if value is None else value,
            first[0],
            last[0],
            first[1],
            last[1],
            np.zeros(size, np.int32),
            out_index,
            out_value,
            source.shape[0],
            source.shape[2],
            seen[2],
            True,
        )
        return out_index[:n].copy(), None

    def fan_outs(self) -> dict[str, int]:
        """Synaptic operations that the spikes of the trace cause, per layer: the sum of the fan-outs of spikes sent."""
        totals = dict.fromkeys(self.network.layers, 0)
        for layer in self.network.layers:
            c, h, _ = self.network.population(layer).shape
            first_step = self.network.population(layer).neuron.first_step
            for fan in reach(self.network, layer, 0, c, 0, h).fans:
                reaches = _reaches(fan)
                for sample in range(self.trace.samples):
                    steps = int(self.steps[sample])
                    for t in range(first_step, steps):
                        index, value = self.spikes_sent(fan, sample, t)
                        hit = reaches[index]
                        totals[layer] += int((hit if value is None else hit * np.abs(value)).sum())
        return totals

    def spikes_sent(self, fan: Fan, sample: int, t: int) -> Pair:
        """Events of a projection that arrive in timestep t."""
        name = fan.projection.source
        t -= fan.projection.delay
        if self.computing and name in self.made:
            index, value = self.made[name][sample][t] if t >= 0 else NOTHING
        else:
            index, value = self.spikes(name, sample, t)
        return self._pool(fan, index, value) if fan.pooled else (index, value)

    def dense_operations(self) -> dict[str, int]:
        """Synaptic positions per layer over all samples and timesteps, padding included."""
        total = int(self.steps.sum())
        by_name = {p.name: p for p in self.network.populations}
        return {
            layer: total
            * sum(dense_operations(p, by_name[p.source], by_name[layer]) for p in self.network.incoming(layer))
            for layer in self.network.layers
        }


def _reaches(fan: Fan) -> np.ndarray:
    """int64 [source neurons]: synaptic operations per event, flat channel last."""
    if fan.mode not in (GRID, LINEAR):
        return np.diff(fan.col_start).astype(np.int64)
    rows = np.diff(fan.row_start).astype(np.int64)
    cols = np.diff(fan.col_start).astype(np.int64)
    return (rows[:, None, None] * cols[None, :, None] * fan.lanes[None, None, :]).ravel()
