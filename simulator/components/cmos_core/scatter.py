"""Scatter datapath, kernel engine: one kernel call per block of events and one per update scan."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np

from simulator.components.cmos_core.port import SpikePort, work
from simulator.components.cmos_core.scatter_tables import ScatterTables
from simulator.engine.board import Job
from simulator.engine.context import Context
from simulator.kernels import scatter as kernel
from simulator.mapping.reach import Reach

NEVER = -(1 << 40)
IDLE = 1 << 62
NO_INDEX = np.empty(0, np.uint32)
NO_VALUE = np.empty(0, np.int32)


class Datapath:
    """Cycles and counts of a scatter core; `kernels/scatter.py` holds the definition."""

    def __init__(self, ctx: Context, spec: Any, port: SpikePort, weights: Any, state: Any) -> None:
        self.ctx, self.spec, self.port = ctx, spec, port
        self.weights, self.state = weights, state
        scatter = spec.scatter
        self.fifo = np.zeros(scatter.fifo_depth, np.int64)
        self.engines = np.full(scatter.engines * 10, IDLE, np.int64)
        self.engines[1::10] = 0
        self.ages = np.zeros(2 * scatter.engines + 1, np.int64)
        self.bank_free = np.zeros(state.spec.banks, np.int64)
        self.st = np.zeros(7, np.int64)
        self.out_fifo = np.zeros(scatter.output_fifo_depth, np.int64)
        self.out_state = np.array([NEVER, 0, 0, 0], np.int64)
        self.runs = np.zeros((spec.input_buffer_spikes + 2, 2), np.int64)
        self._tables: dict[int, ScatterTables] = {}

    def begin(self, job: Job, tile: Reach, layer: int) -> None:
        """A task starts."""
        self.job, self.tile, self.layer = job, tile, layer
        if job.row not in self._tables:
            self._tables[job.row] = ScatterTables(tile, self.spec, self.weights.spec, self.state.spec)
        self.tables = self._tables[job.row]

    def step(self, t: int, floor: int) -> Generator[Any, None, int]:
        """Takes in all events of timestep t, not before cycle `floor`; returns when all is accumulated."""
        tables, log = self.tables, self.ctx.log
        counts = np.zeros((max(1, len(tables.fans)), 8), np.int64)
        kernel.begin_step(floor, self.st)
        last = False
        while not last:
            block = yield from self.port.next_block()
            last = block.last
            ready = max(block.ready, floor)
            pushed = max(int(self.st[0]), ready)  # an empty block is read after the events of the one before
            if block.index.size:
                events = block.index.size if block.value is None else int(np.abs(block.value).sum())
                if events + 2 > len(self.runs):
                    self.runs = np.zeros((events + 2, 2), np.int64)
                pushed = max(self._call(block.projection, block.index, block.value, counts, ready, False), ready)
            self.port.free_input(pushed)
        end = self._call(0, NO_INDEX, None, counts, floor, True)
        total = counts.sum(axis=0)
        log.add_wait("bank", int(total[4]))
        log.add_wait("engine", int(total[5]))
        log.add_wait("fifo", int(total[6]))
        book_events(self, counts)
        return max(end, ready)  # the end-of-step marker may come after the last event is done

    def _call(
        self, projection: int, index: np.ndarray, value: np.ndarray | None, counts: np.ndarray, ready: int, finish: bool
    ) -> int:
        """One kernel call: a block of events, or the end of the timestep."""
        s, t, fan = self.spec.scatter, self.tables, self.tables.fans[projection]
        cycle = kernel.integrate(
            index,
            NO_VALUE if value is None else value,
            t.row_start,
            t.row,
            t.col_start,
            t.col,
            t.words,
            t.ops,
            t.fetch,
            self.fifo,
            self.engines,
            self.ages,
            self.bank_free,
            self.st,
            self.runs,
            counts[projection],
            ready,
            fan.channels,
            fan.width,
            fan.mode,
            fan.row_base,
            fan.col_base,
            fan.chan_base,
            s.feed_cycles,
            s.decode_cycles,
            t.fetch_den,
            s.accumulate_cycles,
            finish,
            s.pipeline_cycles,
        )
        if self.st[6]:
            work(self.ctx, self.runs[: self.st[6]].copy(), self.weights, self.state)
            self.st[6] = 0
        return int(cycle)

    def fire(self, t: int, start: int) -> Generator[Any, None, tuple[int, int, int]]:
        """The update scan from cycle `start`: (its end, the cycle in which the last spike left, spikes)."""
        s, tile, tables = self.spec.scatter, self.tile, self.tables
        index, _ = self.ctx.work.fired(self.job.row, self.job.sample, t)
        channels, _, width = tile.population.shape
        counts = np.zeros(3, np.int64)
        runs = np.zeros((index.size, 2), np.int64)
        end = int(
            kernel.scan(
                index,
                self.out_fifo,
                self.out_state,
                runs,
                counts,
                start,
                channels,
                tile.k0,
                tile.k1,
                tile.y0,
                tile.y1,
                width,
                tables.word,
                s.update_cycles,
                s.output_cycles,
            )
        )
        log = self.ctx.log
        log.add_stall_runs("output_fifo", runs[: counts[2]].copy())
        work(self.ctx, free_runs(start, end, runs[: counts[2]]), self.state)
        log.add_wait("output_fifo", int(counts[1]))
        spikes = int(counts[0])
        book_scan(self, spikes)
        return end, max(end, int(self.out_state[2])), spikes  # earlier spikes may still be on their way out
        yield  # a generator, like its twin that waits


def free_runs(start: int, end: int, stalls: np.ndarray) -> np.ndarray:
    """int64 [n + 1, 2]: start .. end without the (ordered, disjoint) stalls."""
    edges = np.concatenate(([start], stalls.ravel(), [end])).astype(np.int64)
    return np.ascontiguousarray(edges.reshape(-1, 2))


def book_events(path: Any, counts: np.ndarray) -> None:
    """Books one timestep's accumulation; counts int64 [fans, 8] as in `kernels.scatter.integrate`."""
    ctx, layer, tables = path.ctx, path.layer, path.tables
    total = counts.sum(axis=0)
    ctx.count(layer, "decode:spike", int(total[0]))
    ctx.count(layer, "fifo:spike", int(total[0]))
    ctx.count(layer, "accumulate:partial_sum", int(total[2]))
    ctx.work.delivered += int(total[2])
    used = moved = 0
    for fan, row in zip(tables.fans, counts, strict=False):
        used += int(row[2]) * fan.weight_bits
        moved += int(row[3]) * fan.weight_word * fan.weight_bits
    path.weights.book(layer, "read", "weight", used, moved)
    bits = int(total[2]) * tables.membrane_bits
    swept = int(total[3]) * tables.word * tables.membrane_bits
    path.state.book(layer, "read", "partial_sum", bits, swept)
    path.state.book(layer, "write", "partial_sum", bits, swept)


def book_scan(path: Any, spikes: int) -> None:
    """Books one update scan of the tile."""
    ctx, layer, tile, tables = path.ctx, path.layer, path.tile, path.tables
    ctx.count(layer, "update:state", tile.neurons)
    ctx.count(layer, "fifo:spike", spikes)
    positions = tile.neurons // (tile.k1 - tile.k0)
    words = positions * -(-(tile.k1 - tile.k0) // tables.word)
    copies = 2 if tile.population.neuron.model == "cuba_lif" else 1
    bits = tile.neurons * tables.membrane_bits * copies
    swept = words * tables.word * tables.membrane_bits * copies
    path.state.book(layer, "read", "state", bits, swept)
    path.state.book(layer, "write", "state", bits, swept)
