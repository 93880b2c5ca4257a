"""The core's main process: takes compute tasks, runs their timesteps on its datapath, writes the spikes out."""

from __future__ import annotations

import importlib
from collections.abc import Generator
from typing import Any

from simulator.components.cmos_core.port import SpikePort
from simulator.engine.board import Job
from simulator.engine.context import Context, Feed
from simulator.errors import InputError

COMMIT_ROWS = 1 << 16


class CmosCore:
    """One core; see `simulator.hardware.specs.cmos_core` for its fields.

    Its datapath is chosen by dataflow and engine.  The process runs ahead of the event loop in its private state and
    meets the loop only where it shares something: the spike memory, credits, and the task board.
    """

    def __init__(self, ctx: Context, spec: Any) -> None:
        self.ctx, self.spec = ctx, spec

    def connect(self, units: dict[str, Any]) -> None:
        """Finds the core's memories and makes its datapath."""
        spec = self.spec
        self.port = SpikePort(self.ctx, spec, units[spec.spike_memory])
        twin = "_reference" if self.ctx.reference else ""
        self.private = [units[spec.weight_memory].ctx, units[spec.state_memory].ctx]
        for memory in self.private:
            self._claim(memory)
        module = importlib.import_module(f"simulator.components.cmos_core.{spec.dataflow}{twin}")
        self.datapath = module.Datapath(self.ctx, spec, self.port, units[spec.weight_memory], units[spec.state_memory])

    def _claim(self, memory: Context) -> None:
        """The memory is accessed in this core's own cycles: it must share the core's clock and have no other owner."""
        if memory.owner not in (None, self.ctx.name) or memory.clock != self.ctx.clock:
            raise InputError(
                "a core's weight and state memory must be its own and run on its clock",
                key=f"units.{self.ctx.name}",
                found=f"{memory.name} on clock {memory.clock.name}, owned by {memory.owner}",
            )
        memory.owner = self.ctx.name

    def start(self) -> None:
        """Starts the core's process."""
        self.ctx.env.process(self._serve())

    def _serve(self) -> Generator[Any, None, None]:
        ctx = self.ctx
        while True:
            job, start = yield from ctx.next_job()
            yield ctx.until(start)
            self._attribute(0, start)
            free = yield from self._task(job, start)
            yield ctx.until(free)  # the next command leaves the queue when the core is free, not ahead of time
            self._attribute(ctx.work.layer(job.row), free)

    def _task(self, job: Job, start: int) -> Generator[Any, None, int]:
        """Runs one task from cycle `start`; returns the cycle in which the core is free again."""
        ctx, port, datapath = self.ctx, self.port, self.datapath
        layer = ctx.work.layer(job.row)
        tile = ctx.work.tile(job.row)
        steps = range(max(job.t0, tile.population.neuron.first_step), job.t1)

        def feeds() -> Generator[list[Feed], None, None]:
            for t in steps:
                yield ctx.work.feeds(job.row, job.sample, t)

        fetcher = ctx.env.process(port.fetch(feeds, layer))
        datapath.begin(job, tile, layer)
        writes: list[Any] = []
        floor = committed = start
        for t in steps:
            drained = yield from datapath.step(t, floor)
            if not tile.last:
                floor = drained
                continue
            slot = port.output_credits.take()
            fire = drained
            if slot is not None:
                yield slot
                fire = max(drained, ctx.cycle())
                ctx.log.add_stall("output", drained, fire)
            floor, left, spikes = yield from datapath.fire(t, fire)
            bits = tile.neurons if self.spec.spike_format == "bitmap" else spikes * self.spec.spike_bits
            writes.append(port.write(left, bits + self.spec.spike_bits, layer))
            if ctx.log.pending > COMMIT_ROWS:
                committed = self._commit(layer, committed, floor)
                writes = [write for write in writes if not write.processed]
        yield fetcher
        self._commit(layer, committed, floor)
        ctx.env.process(self._finish(job, start, floor, writes, layer))
        return floor

    def _attribute(self, layer: int, until: int) -> None:
        """In a timeline the core's own memories wear the colour of the layer that it works on."""
        for memory in self.private:
            if memory.log.segments is not None:
                memory.log.commit(layer, until)

    def _commit(self, layer: int, start: int, end: int) -> int:
        """Settles the core's cycles start .. end, so that a long task keeps no more than a few intervals."""
        ctx = self.ctx
        ctx.log.add_stall("input", start, end)
        ctx.count(layer, "active:cycle", ctx.log.commit(layer, end))
        for memory in self.private:
            if memory.log.pending > COMMIT_ROWS:
                memory.log.commit(0, min(end, ctx.cycle()))
        return end

    def _finish(self, job: Job, start: int, end: int, writes: list[Any], layer: int) -> Generator[Any, None, None]:
        """The task is complete when the core is free and every output block lies in memory."""
        ctx = self.ctx
        yield ctx.until(end)
        yield from writes
        ctx.ran(layer, ctx.clock.ps(start), ctx.env.now)
        ctx.board.complete(job.row)
