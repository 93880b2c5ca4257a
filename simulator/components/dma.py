"""DMA channel: moves tensors between DRAM and an SRAM in chunks, several of them under way at once."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

from simulator.engine.banked import Access
from simulator.engine.board import Job
from simulator.engine.carrier import Carrier, Parcel
from simulator.engine.context import Context
from simulator.mapping.layout import Layout, repeated, requests, runs


@dataclass(frozen=True)
class Chunk:
    """What one request to main memory moves: `bits` that lie in `bursts` bursts from number `block` of their tensor.

    bursts 0: as many as hold the bits; block -1: behind the chunks before it.
    """

    bits: int
    bursts: int = 0
    block: int = -1


@dataclass(frozen=True)
class Route:
    """A transfer from memory `first` to memory `second`; `far` is the one that is main memory."""

    first: Any
    second: Any
    far: Any
    layer: int
    operand: str


class Dma:
    """One channel.  `buffers` chunks may be under way: buffer i moves chunks i, i + buffers, ... one after another,
    each read from one memory, carried over the link (and the bus, where there is one), and written to the other; two
    buffers are double buffering, three are triple buffering."""

    def __init__(self, ctx: Context, spec: Any) -> None:
        self.ctx, self.spec = ctx, spec
        self.units: dict[str, Any] = {}
        self.via: Carrier | None = None
        self.priority = spec.priority or 0

    def connect(self, units: dict[str, Any]) -> None:
        """Memories are looked up by name when a job names them; the path in between is found here."""
        self.units = units
        if self.spec.via is not None:
            self.via = units[self.spec.via].attach(self.ctx.name)

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
        chunks = self._chunks(job, bits, self.units[far])
        first, second = (self.units[near], self.units[far]) if store else (self.units[far], self.units[near])
        route = Route(first, second, self.units[far], layer, operand)
        ctx.count(layer, f"transfer:{operand}", bits)
        slots = [
            ctx.env.process(self._buffer(slot, chunks, route)) for slot in range(min(self.spec.buffers, len(chunks)))
        ]
        yield from slots

    def _chunks(self, job: Job, bits: int, far: Any) -> list[Chunk]:
        """The transfer cut into requests: by bursts of main memory where its tensor has a layout, else by size."""
        size = self.spec.chunk_bytes * 8
        tensor = None if self.spec.layout is None else self.ctx.work.tensor(job)
        if tensor is None:
            return [Chunk(min(size, bits - at)) for at in range(0, bits, size)]
        order, tile = self.spec.layout.order, self.spec.layout.tile
        layout = Layout(order, tile and (tile.channels, tile.rows, tile.columns))
        burst: int = far.memory.burst_bits
        found = runs(layout, tensor.shape, tensor.box, tensor.element_bits)
        stride = -(-layout.elements(tensor.shape) * tensor.element_bits // burst) * burst
        found = repeated(found, stride, tensor.copies)
        first, count, asked = requests(found, burst, max(1, size // burst))
        return [Chunk(*row) for row in zip(asked.tolist(), count.tolist(), first.tolist(), strict=True)]

    def _buffer(self, slot: int, chunks: list[Chunk], route: Route) -> Generator[Any, Any, None]:
        ctx = self.ctx
        requester = ctx.first_id + slot
        for i in range(slot, len(chunks), self.spec.buffers):
            chunk = chunks[i]
            for unit, write in ((route.first, False), (route.second, True)):
                bursts, block = (chunk.bursts, chunk.block) if unit is route.far else (0, -1)
                words = bursts or unit.memory.words(chunk.bits)
                moved: tuple[int, int] = yield unit.access(
                    Access(requester, i, words, write, route.layer, route.operand, chunk.bits, self.priority, block)
                )
                self._worked(moved)
                if write:
                    ctx.received(ctx.name, route.operand, chunk.bits)
                    if self.via is not None:
                        self.via.taken()
                    continue
                ctx.sent(ctx.name, route.operand, chunk.bits)
                yield ctx.until(ctx.cycle() + self.spec.link_latency_cycles)
                if self.via is not None:
                    parcel = Parcel(requester, ctx.number, route.layer, route.operand, chunk.bits, self.priority)
                    self._worked((yield self.via.carry(parcel)))

    def _worked(self, moved: tuple[int, int]) -> None:
        """The channel works while a memory or the bus moves its chunk: from grant to release, ps."""
        clock = self.ctx.clock
        self.ctx.log.add_busy(clock.at_or_after(moved[0]), clock.at_or_after(moved[1]))
