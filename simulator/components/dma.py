"""DMA channel: moves tensors between DRAM and an SRAM in chunks, several of them under way at once."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from simulator.engine.banked import Access
from simulator.engine.board import Job
from simulator.engine.context import Context


class Dma:
    """One channel.  `buffers` chunks may be under way: buffer i moves chunks i, i + buffers, ... one after another,
    each read from one memory, carried over the link, and written to the other; two buffers are double buffering."""

    def __init__(self, ctx: Context, spec: Any) -> None:
        self.ctx, self.spec = ctx, spec
        self.units: dict[str, Any] = {}
        self._open = 0

    def connect(self, units: dict[str, Any]) -> None:
        """Memories are looked up by name when a job names them."""
        self.units = units

    def start(self) -> None:
        """Starts the channel's process."""
        self.ctx.env.process(self._serve())

    def _serve(self) -> Generator[Any, None, None]:
        ctx = self.ctx
        while True:
            job, start = yield from ctx.next_job()
            yield ctx.until(start + self.spec.setup_cycles)
            yield from self._move(job)
            free = ctx.cycle()
            yield ctx.until(free)
            layer = ctx.work.layer(job.row)
            ctx.log.add_stall("memory", start, free)
            ctx.log.commit(layer)
            ctx.board.complete(job.row)

    def _move(self, job: Job) -> Generator[Any, None, None]:
        ctx = self.ctx
        bits, operand, near, far, store = ctx.work.transfer(job)
        layer = ctx.work.layer(job.row)
        chunk = self.spec.chunk_bytes * 8
        sizes = [min(chunk, bits - at) for at in range(0, bits, chunk)]
        first, second = (self.units[near], self.units[far]) if store else (self.units[far], self.units[near])
        ctx.count(layer, f"transfer:{operand}", bits)
        slots = [
            ctx.env.process(self._buffer(slot, sizes, first, second, layer, operand))
            for slot in range(min(self.spec.buffers, len(sizes)))
        ]
        yield from slots

    def _buffer(
        self, slot: int, sizes: list[int], first: Any, second: Any, layer: int, operand: str
    ) -> Generator[Any, Any, None]:
        ctx = self.ctx
        for i in range(slot, len(sizes), self.spec.buffers):
            for unit, write in ((first, False), (second, True)):
                words = unit.memory.words(sizes[i])
                burst = Access(ctx.first_id + slot, i, words, write, layer, operand, sizes[i])
                moved: tuple[int, int] = yield unit.access(burst)
                grant, release = moved
                clock = ctx.clock
                ctx.log.add_busy(clock.at_or_after(grant), clock.at_or_after(release))
                if write:
                    ctx.received(ctx.name, operand, sizes[i])
                else:
                    ctx.sent(ctx.name, operand, sizes[i])
                    yield ctx.until(ctx.cycle() + self.spec.link_latency_cycles)
