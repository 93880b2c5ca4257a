"""Scatter datapath, plain definition: feeder, dispatcher, engines, banks, scan and output link as SimPy processes.

One process per event that is walked; every wait goes through an arbiter of the engine.  It computes the neurons too.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator
from typing import Any

import numpy as np
from simpy.events import Event

from simulator.components.cmos_core.port import SpikePort, work
from simulator.components.cmos_core.scatter import book_events, book_scan
from simulator.components.cmos_core.scatter_tables import ScatterTables
from simulator.engine.arbiter import Arbiter, BankedPorts, Servers
from simulator.engine.board import Job
from simulator.engine.context import Context
from simulator.engine.levels import GRANT_BANK, GRANT_ENGINE
from simulator.engine.plain_tile import PlainTile
from simulator.mapping.reach import GRID, LINEAR, SPARSE, Reach


class Datapath:
    """A scatter core event by event; see `kernels/scatter.py` for the words of the definition."""

    def __init__(self, ctx: Context, spec: Any, port: SpikePort, weights: Any, state: Any) -> None:
        self.ctx, self.spec, self.port = ctx, spec, port
        self.weights, self.state = weights, state
        env, scatter = ctx.env, spec.scatter
        banks = state.spec.banks
        self.banks = Arbiter(env, GRANT_BANK, BankedPorts(banks, banks))
        self.engines = Arbiter(env, GRANT_ENGINE, Servers(scatter.engines))
        self.age = 0
        self.fifo: deque[tuple[int, int, int, int]] = deque()
        self.fifo_moved = env.event()
        self.out_fifo: deque[int] = deque()
        self.out_moved = env.event()
        self.out_pushed = self.out_through = 0
        self.out_waiting: deque[tuple[int, Event]] = deque()
        env.process(self._link())

    def begin(self, job: Job, tile: Reach, layer: int) -> None:
        """A task starts."""
        self.job, self.tile, self.layer = job, tile, layer
        self.tables = ScatterTables(tile, self.spec, self.weights.spec, self.state.spec)
        self.plain = PlainTile(self.ctx, job, tile)

    def step(self, t: int, floor: int) -> Generator[Any, None, int]:
        """Takes in all events of timestep t, not before cycle `floor`; returns when all is accumulated."""
        ctx = self.ctx
        yield ctx.until(floor)
        self.counts = np.zeros((max(1, len(self.tables.fans)), 8), np.int64)
        self.walking = 0
        self.worked = floor
        self.idle = ctx.env.event()
        self.fed = False
        feeder = ctx.env.process(self._feed(floor))
        yield ctx.env.process(self._dispatch())
        yield feeder
        while self.walking:
            yield self.idle
        if self.counts[:, 0].sum():
            empty = self.worked + self.spec.scatter.pipeline_cycles
            self._work(self.worked, empty, self.weights, self.state)
            yield ctx.until(max(empty, ctx.cycle()))
        book_events(self, self.counts)
        return ctx.cycle()

    def _feed(self, floor: int) -> Generator[Any, None, None]:
        ctx, s = self.ctx, self.spec.scatter
        last = False
        while not last:
            block = yield from self.port.next_block()
            last = block.last
            yield ctx.until(max(block.ready, floor))
            for i in range(block.index.size):
                value = 1 if block.value is None else int(block.value[i])
                for _ in range(abs(value)):
                    yield ctx.until(ctx.cycle() + s.feed_cycles)
                    waited = ctx.cycle()
                    while len(self.fifo) >= s.fifo_depth:
                        yield self.fifo_moved
                    ctx.log.add_wait("fifo", ctx.cycle() - waited)
                    sign = 1 if value > 0 else -1
                    self.fifo.append((block.projection, int(block.index[i]), sign, ctx.cycle()))
                    self._fifo_changed()
            self.port.free_input(ctx.cycle())
        self.fed = True
        self._fifo_changed()

    def _fifo_changed(self) -> None:
        moved, self.fifo_moved = self.fifo_moved, self.ctx.env.event()
        moved.succeed()

    def _dispatch(self) -> Generator[Any, None, None]:
        ctx, s, tables = self.ctx, self.spec.scatter, self.tables
        while True:
            while not self.fifo and not self.fed:
                yield self.fifo_moved
            if not self.fifo:
                return
            yield ctx.until(max(self.fifo[0][3] + 1, ctx.cycle()))
            projection, flat, sign, _ = self.fifo.popleft()
            self._fifo_changed()
            popped = ctx.cycle()
            taps = self._taps(projection, flat)
            row = self.counts[projection]
            row[0] += 1
            bits = sum(words for _, words, _, _ in taps) * tables.fans[projection].weight_word
            bits *= tables.fans[projection].weight_bits * self.weights.spec.cycle_cycles
            yield ctx.until(popped + s.decode_cycles + -(-bits // tables.fetch_den))
            fetched = ctx.cycle()
            self._work(popped, fetched, self.weights, self.state)
            self.worked = max(self.worked, fetched)
            if not taps:
                row[7] += 1
                continue
            granted = ctx.env.event()
            self.engines.request(0, 0, granted.succeed)
            yield granted
            ctx.log.add_wait("engine", ctx.cycle() - fetched)
            self.walking += 1
            ctx.env.process(self._walk(projection, taps, sign, self.age))
            self.age += 1

    def _taps(self, projection: int, flat: int) -> list[tuple[int, int, tuple[int, int, int], list[int]]]:
        """(bank, words, pooled place, targets) per tap, in walking order."""
        fan, tables = self.tile.fans[projection], self.tables
        if fan.mode != SPARSE and fan.lanes[flat % fan.shape[0]] == 0:
            return []
        channels, _, width = self.tile.population.shape
        taps = []
        for place, targets in self.plain.targets(projection, flat):
            if fan.mode == LINEAR:
                for word in range(0, len(targets), tables.word):
                    taps.append((word // tables.word % tables.banks, 1, place, targets[word : word + tables.word]))
                continue
            position = targets[0] // channels
            words = -(-len(targets) // tables.word) if fan.mode == GRID else 1
            bank = (position // width * tables.skew + position % width) % tables.banks
            if fan.mode == SPARSE and self.tile.population.shape[1:] == (1, 1):
                bank = (targets[0] - self.tile.k0) // tables.word % tables.banks
            taps.append((bank, words, place, targets))
        return taps

    def _walk(self, projection: int, taps: list[Any], sign: int, age: int) -> Generator[Any, None, None]:
        ctx, s = self.ctx, self.spec.scatter
        start = ctx.cycle()
        yield ctx.until(start + 1)
        row = self.counts[projection]
        for bank, words, place, targets in taps:
            asked = ctx.cycle()
            granted = ctx.env.event()
            self.banks.request(age, bank, granted.succeed)
            yield granted
            ctx.log.add_wait("bank", ctx.cycle() - asked)
            self.plain.add(projection, place, targets, sign)
            row[1] += 1
            row[2] += len(targets)
            row[3] += words
            yield ctx.until(ctx.cycle() + words * s.accumulate_cycles)
            self.banks.release(bank)
        self.engines.release(0)
        self._work(start, ctx.cycle(), self.weights, self.state)
        self.worked = max(self.worked, ctx.cycle())
        self.walking -= 1
        if not self.walking:
            idle, self.idle = self.idle, ctx.env.event()
            idle.succeed()

    def fire(self, t: int, start: int) -> Generator[Any, None, tuple[int, int | Event, int]]:
        """The update scan from cycle `start`: (its end, when the last spike has left, spikes)."""
        ctx, s, tile, tables = self.ctx, self.spec.scatter, self.tile, self.tables
        yield ctx.until(start)
        index, value = self.plain.update(t)
        ctx.work.publish(self.job.row, self.job.sample, t, index, value)
        channels = tile.population.shape[0]
        words: dict[tuple[int, int], int] = {}
        for i in index.tolist():
            key = (i // channels, (i % channels - tile.k0) // tables.word)
            words[key] = words.get(key, 0) + 1
        cycle, last_push = start, start - 1
        width = tile.population.shape[2]
        for position in range(tile.y0 * width, tile.y1 * width):
            for part in range(-(-(tile.k1 - tile.k0) // tables.word)):
                begun = cycle
                yield ctx.until(begun + s.update_cycles)
                for _ in range(words.get((position, part), 0)):
                    earliest = max(last_push + 1, begun + s.update_cycles)
                    yield ctx.until(earliest)
                    while len(self.out_fifo) >= s.output_fifo_depth:
                        yield self.out_moved
                    last_push = ctx.cycle()
                    ctx.log.add_stall("output_fifo", earliest, last_push)
                    ctx.log.add_wait("output_fifo", last_push - earliest)
                    self._work(cycle, earliest, self.state)
                    cycle = last_push
                    self.out_fifo.append(last_push)
                    self.out_pushed += 1
                    self._out_changed()
                end = max(begun + s.update_cycles, last_push)
                self._work(cycle, end, self.state)
                cycle = end
        yield ctx.until(cycle)
        book_scan(self, index.size)
        if self.out_through == self.out_pushed:
            return cycle, cycle, int(index.size)
        through = ctx.env.event()
        self.out_waiting.append((self.out_pushed, through))
        return cycle, through, int(index.size)

    def _work(self, start: int, end: int, *memories: Any) -> None:
        if end > start:
            work(self.ctx, np.array([[start, end]], np.int64), *memories)

    def _out_changed(self) -> None:
        moved, self.out_moved = self.out_moved, self.ctx.env.event()
        moved.succeed()

    def _link(self) -> Generator[Event, None, None]:
        """Takes the spikes out of the output FIFO, one every output_cycles."""
        ctx, s = self.ctx, self.spec.scatter
        while True:
            while not self.out_fifo:
                yield self.out_moved
            yield ctx.until(max(self.out_fifo[0] + 1, ctx.cycle()))
            self.out_fifo.popleft()
            self._out_changed()
            yield ctx.until(ctx.cycle() + s.output_cycles)
            self.out_through += 1
            while self.out_waiting and self.out_waiting[0][0] <= self.out_through:
                self.out_waiting.popleft()[1].succeed()
