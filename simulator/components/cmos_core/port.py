"""The core's door to the spike memory: blocks of spikes in and out, over links with credits."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

import numpy as np
from simpy.events import Event

from simulator.engine.banked import Access
from simulator.engine.context import Context, Feed
from simulator.engine.credit import Credits


@dataclass
class Block:
    """Events of one projection in one timestep that travel together; `last` closes the timestep.

    `ready` is the core's cycle from which the block may be read.
    """

    projection: int
    index: np.ndarray
    value: np.ndarray | None
    bits: int
    last: bool
    ready: int = 0


class SpikePort:
    """Fetches input blocks ahead of use and writes output blocks behind it."""

    def __init__(self, ctx: Context, spec: Any, memory: Any) -> None:
        self.ctx, self.spec, self.memory = ctx, spec, memory
        self.input_credits = Credits(ctx.env, spec.input_credits)
        self.output_credits = Credits(ctx.env, spec.output_credits)
        self._inbox: deque[Block] = deque()
        self._waiting: Event | None = None
        self._link_free = 0
        self._out_free = 0
        self._sent: Event | None = None
        self._bursts = [0, 0]

    def blocks(self, feeds: list[Feed]) -> list[Block]:
        """A timestep's events cut into blocks; there is always a last one, which carries the end-of-step marker."""
        spec = self.spec
        cut: list[Block] = []
        for feed in feeds:
            size = max(1, feed.index.size) if spec.spike_format == "bitmap" else spec.input_buffer_spikes
            dropped = feed.stored - feed.index.size
            for low in range(0, max(1, feed.index.size), size):
                high = min(low + size, feed.index.size)
                bits = feed.region if spec.spike_format == "bitmap" else (high - low + dropped) * spec.spike_bits
                dropped = 0
                value = None if feed.value is None else feed.value[low:high]
                cut.append(Block(feed.projection, feed.index[low:high], value, bits, False))
        cut = [block for block in cut if block.bits > 0]
        if not cut:
            cut.append(Block(0, np.empty(0, np.uint32), None, 0, False))
        cut[-1].last = True
        cut[-1].bits += spec.spike_bits
        return cut

    def fetch(self, steps: Callable[[], Any], layer: int) -> Generator[Any, Any, None]:
        """Process: reads the blocks of all timesteps in order, as far ahead as credits allow."""
        ctx, spec = self.ctx, self.spec
        for feeds in steps():
            for block in self.blocks(feeds):
                slot = self.input_credits.take()
                if slot is not None:
                    yield slot
                if ctx.clock.ps(ctx.cycle()) > ctx.env.now:
                    yield ctx.until(ctx.cycle())
                moved: tuple[int, int] = yield self._access(block.bits, False, layer)
                ctx.sent(f"{ctx.name}.in", "spike", block.bits)
                start = max(ctx.clock.at_or_after(moved[0]), self._link_free)
                self._link_free = start + -(-block.bits // spec.link_width_bits)
                block.ready = max(ctx.cycle(), self._link_free) + spec.link_latency_cycles
                ctx.count(layer, "link:spike", block.bits)
                self._inbox.append(block)
                if self._waiting is not None:
                    event, self._waiting = self._waiting, None
                    event.succeed()

    def next_block(self) -> Generator[Any, None, Block]:
        """The next block; its `ready` cycle may still lie ahead."""
        while not self._inbox:
            self._waiting = self.ctx.env.event()
            yield self._waiting
        block = self._inbox.popleft()
        self.ctx.received(f"{self.ctx.name}.in", "spike", block.bits)
        return block

    def free_input(self, cycle: int) -> None:
        """The block read last leaves the input buffer in `cycle`, which may lie ahead."""
        self.ctx.env.call_at(max(self.ctx.env.now, self.ctx.clock.ps(cycle)), self.input_credits.give)

    def write(self, left: int | Event, bits: int, layer: int) -> Event:
        """An output block leaves the core in cycle `left` (or when that event fires), after the blocks before it; the
        event returned fires when the block lies in the spike memory."""
        before, self._sent = self._sent, self.ctx.env.event()
        return self.ctx.env.process(self._write(left, bits, layer, before, self._sent))

    def _write(
        self, left: int | Event, bits: int, layer: int, before: Event | None, sent: Event
    ) -> Generator[Any, None, None]:
        ctx, spec = self.ctx, self.spec
        if isinstance(left, Event):
            yield left
            cycle = ctx.cycle()
        else:
            cycle = left
        if before is not None and not before.processed:
            yield before
        ctx.sent(f"{ctx.name}.out", "spike", bits)
        self._out_free = max(cycle, self._out_free) + -(-bits // spec.link_width_bits)
        arrival = self._out_free + spec.link_latency_cycles
        sent.succeed()
        yield ctx.until(arrival)
        ctx.count(layer, "link:spike", bits)
        yield self._access(bits, True, layer)
        ctx.received(f"{ctx.name}.out", "spike", bits)
        self.output_credits.give()

    def _access(self, bits: int, write: bool, layer: int) -> Event:
        unit = self.memory
        bank = self._bursts[write]  # reads and writes count apart: their order within an instant must not matter
        # One read is under way at a time, but as many writes as there are credits; each has an id of its own.
        requester = self.ctx.first_id + (1 + bank % self.spec.output_credits if write else 0)
        self._bursts[write] += 1
        burst = Access(requester, bank, unit.memory.words(bits), write, layer, "spike", bits)
        event: Event = unit.access(burst)
        return event


def work(ctx: Context, runs: np.ndarray, *memories: Any) -> None:
    """The core, and memories of its own, work in these intervals: int64 [n, 2] of start and end cycles."""
    ctx.log.add_busy_runs(runs)
    for memory in memories:
        memory.ctx.log.add_busy_runs(runs)
