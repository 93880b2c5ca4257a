"""The array as a process: fills, states, computation and outputs of one tile after another."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from simulator.engine.banked import Access
from simulator.engine.context import Context
from simulator.mapping.fusion.nest import Memories, Node, Planner
from simulator.units import ceil_div

MAIN, AHEAD = 0, 1
"""Requester ids: the tile at work, and the fill of the next window."""


class PeArray:
    """See `simulator.hardware.specs.pe_array`.

    Per tile: its weights are filled, its states read, then it computes, then states and outputs are written; each waits
    for the one before.  The window of the next group is filled beside, where the input memory holds both.  The global
    buffer serves the array and the movers of tensors by its arbiter; the array's own memories serve it alone.
    """

    def __init__(self, ctx: Context, spec: Any) -> None:
        self.ctx, self.spec = ctx, spec
        self.buffer: Any = None
        self.own: dict[str, Any] = {}
        self.planner: Planner | None = None

    def connect(self, units: dict[str, Any]) -> None:
        """Finds the three memories."""
        spec = self.spec
        self.buffer = units[spec.global_memory]
        self.own = {"weight": units[spec.weight_memory], "spike": units[spec.input_memory]}
        sizes = Memories.of(spec, self.own["weight"].spec, self.own["spike"].spec)
        self.planner = Planner(self.ctx.work.network, spec.lanes, sizes)

    def start(self) -> None:
        """Starts the array's process."""
        self.ctx.env.process(self._serve())

    def _serve(self) -> Generator[Any, Any, None]:
        ctx = self.ctx
        assert self.planner is not None
        while True:
            job, _ = yield from ctx.next_job()
            started = ctx.env.now
            layer = ctx.work.layer(job.row)
            node = self.planner.node(ctx.work.box(job.row))
            yield from self._node(node, layer)
            reached = ctx.work.reached(job.row, job.sample)
            ctx.work.delivered += reached
            ctx.count(layer, "operate:partial_sum", reached if self.spec.gating == "energy" else node.operations)
            for operand, (used, moved) in (("weight", node.weight_read), ("spike", node.input_read)):
                self.own[operand].book(layer, "read", operand, used, moved)
            ctx.ran(layer, started, ctx.env.now)
            ctx.log.commit(layer)
            for memory in self.own.values():
                memory.ctx.log.commit(layer)
            ctx.board.complete(job.row)

    def _node(self, node: Node, layer: int) -> Generator[Any, Any, None]:
        ctx, log, env = self.ctx, self.ctx.log, self.ctx.env
        ahead: Any = None
        for i, group in enumerate(node.groups):
            begin = ctx.cycle()
            if ahead is not None:
                yield ahead
                ahead = None
            elif group.inputs:
                yield from self._fill("spike", group.inputs, layer, MAIN)
            log.add_stall("input_fill", begin, ctx.cycle())
            if node.ahead and i + 1 < len(node.groups) and node.groups[i + 1].inputs:
                ahead = env.process(self._fill("spike", node.groups[i + 1].inputs, layer, AHEAD))
            for tile in group.tiles:
                if tile.weights:
                    begin = ctx.cycle()
                    yield from self._fill("weight", tile.weights, layer, MAIN)
                    log.add_stall("weight_fill", begin, ctx.cycle())
                if tile.state:
                    yield from self._move("state", tile.state, layer, False, "state")
                yield from self._compute(tile.cycles)
                if tile.state:
                    yield from self._move("state", tile.state, layer, True, "state")
                yield from self._move("spike", tile.made, layer, True, "output")

    def _compute(self, cycles: int) -> Generator[Any, Any, None]:
        ctx = self.ctx
        begin = ctx.cycle()
        steps = [begin + 1 + i for i in range(cycles)] if ctx.reference else [begin + cycles]
        for end in steps:  # the plain definition counts every cycle
            yield ctx.until(end)
            ctx.log.add_busy(begin, end)
            for memory in self.own.values():
                memory.ctx.log.add_busy(begin, end)
            begin = end

    def _move(self, operand: str, bits: int, layer: int, write: bool, cause: str) -> Generator[Any, Any, None]:
        """A tile's states or outputs between registers and global buffer."""
        begin = self.ctx.cycle()
        yield self._access(operand, bits, layer, write, MAIN)
        self.ctx.log.add_stall(cause, begin, self.ctx.cycle())

    def _fill(self, operand: str, bits: int, layer: int, who: int) -> Generator[Any, Any, None]:
        """From the global buffer into one of the array's own memories, at the pace of the slower one."""
        ctx, memory = self.ctx, self.own[operand]
        granted: tuple[int, int] = yield self._access(operand, bits, layer, False, who)
        begin = ctx.clock.at_or_after(granted[0])
        width = memory.spec.width_bits * memory.spec.banks
        end = max(ctx.cycle(), begin + memory.spec.latency_cycles + ceil_div(bits, width))
        yield ctx.until(end)
        least = self.spec.access_bits
        memory.book(layer, "write", operand, bits, ceil_div(bits, least) * least)
        memory.ctx.log.add_busy(begin, end)

    def _access(self, operand: str, bits: int, layer: int, write: bool, who: int) -> Any:
        memory = self.buffer.memory
        return self.buffer.access(Access(self.ctx.first_id + who, 0, memory.words(bits), write, layer, operand, bits))
