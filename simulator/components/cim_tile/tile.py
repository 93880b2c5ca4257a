"""The bank of tiles as a unit: takes the layers of a segment, runs their flow, and books what happened."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np

from simulator.components.cim_tile import flow, function, serial
from simulator.components.cim_tile.assembly import Assembly, Member
from simulator.components.cim_tile.flow_reference import FlowReference
from simulator.components.cim_tile.segment import Flow
from simulator.components.cim_tile.vectors import LayerVectors
from simulator.engine.board import Job
from simulator.engine.context import Context
from simulator.mapping.crossbar import CrossbarPlan
from simulator.mapping.crossbar.program import programming
from simulator.mapping.schedule import PROGRAM
from simulator.network import Population

CAUSES = ("network", "partial_sum", "port", "input", "output")
"""Waits inside the bank, in the order of `Flow.waits` from its second column on."""


class CimTile:
    """One bank; see `simulator.hardware.specs.cim_tile` for its fields.

    With `pipeline: stream` all layers of a repetition run as one segment, whose cycle 0 is the arrival of its last
    command; with `after` each layer is a segment of its own.  `segment.py` says what flows, `flow.py` and
    `flow_reference.py` when.
    """

    def __init__(self, ctx: Context, spec: Any) -> None:
        self.ctx, self.spec = ctx, spec
        self.ranges: dict[str, dict[str, int]] = {}
        self.tile_work: dict[str, list[Any]] = {"busy_cycles": [], "layers": []}
        self._vectors: dict[str, LayerVectors] = {}
        self._repetition = (-1, -1)
        self._entered: set[str] = set()  # input populations that are on the chip in this repetition

    def connect(self, units: dict[str, Any]) -> None:
        """A bank asks nothing of other units."""

    def start(self) -> None:
        """Starts the bank's process; in a timeline, layers and tiles have tracks of their own."""
        plan = self.ctx.work.plan
        if plan is not None:
            built = [layer for layer in plan.layers.values() if not layer.omitted]
            self.tile_work["layers"] = [[layer.layer for layer in built if n in layer.tiles] for n in range(plan.tiles)]
            self.tile_work["busy_cycles"] = [0] * plan.tiles
            for layer in built:
                self.ctx.log.add_track("layer", layer.layer)
            for tile in range(plan.tiles):
                self.ctx.log.add_track("tile", str(tile))
        self.ctx.env.process(self._serve())

    @property
    def _plan(self) -> CrossbarPlan:
        plan = self.ctx.work.plan
        assert plan is not None  # a row on this unit names a layer of the plan
        return plan

    def _serve(self) -> Generator[Any, Any, None]:
        ctx = self.ctx
        while True:
            job, start = yield from ctx.next_job()
            yield ctx.until(start)
            if ctx.work.op(job.row) == PROGRAM:
                yield from self._program(job, start)
                continue
            if (job.sample, job.t0) != self._repetition:
                self._repetition = job.sample, job.t0
                self._entered.clear()
            jobs = [job]
            last = 1 if self.spec.pipeline == "after" else len(self._plan.layers)
            while len(jobs) < last:
                job, start = yield from ctx.next_job()
                yield ctx.until(start)
                jobs.append(job)
            yield from self._segment(jobs, start)

    def _program(self, job: Job, start: int) -> Generator[Any, Any, None]:
        """Writes the weights of a layer."""
        ctx = self.ctx
        layer = ctx.work.layer(job.row)
        done = programming(self.spec, ctx.clock.frequency_hz, ctx.work.crossbar(job.row))
        ctx.count(layer, "program:cell", done.cells)
        ctx.count(layer, "program:row", done.rows)
        ctx.log.add_busy(start, start + done.cycles)
        yield ctx.until(start + done.cycles)
        ctx.count(layer, "active:cycle", ctx.log.commit(layer))
        ctx.board.complete(job.row)

    def _segment(self, jobs: list[Job], start: int) -> Generator[Any, Any, None]:
        """Runs the layers of `jobs` from cycle `start`."""
        ctx, spec, work = self.ctx, self.spec, self.ctx.work
        first = jobs[0]
        if ctx.reference:
            function.walk(ctx, jobs)
        present = [job for job in jobs if not work.crossbar(job.row).omitted]
        members = [self._member(job) for job in present]
        made = Assembly(spec, self._plan, work, members, self._inputs(members), first.sample, first.t0, first.t1)
        segment = made.segment()
        found: Flow
        if "overlap_75" in spec.quirks:
            found = serial.run(spec, members, first.t1 - first.t0, self._plan.tiles)
        elif ctx.reference:
            bank = FlowReference(ctx.env, segment, lambda cycle: ctx.until(start + cycle), lambda: ctx.cycle() - start)
            found = yield from bank.run()
        else:
            found = flow.run(segment, tracks=ctx.log.timeline)
        self._book(present, members, made, found, start)
        yield ctx.until(start + found.end)
        for job in jobs:
            ctx.board.complete(job.row)

    def _member(self, job: Job) -> Member:
        """A layer with its vectors; books what they count."""
        ctx = self.ctx
        layer = ctx.work.crossbar(job.row)
        if layer.layer not in self._vectors:
            hertz = ctx.clock.frequency_hz
            self._vectors[layer.layer] = LayerVectors(self.spec, hertz, layer, ctx.work.network)
        found = self._vectors[layer.layer].of(ctx.work, job.sample, job.t0, job.t1)
        number = ctx.work.layer(job.row)
        for action, amount in found.counts.items():
            ctx.count(number, action, amount)
        seen = self.ranges.setdefault(layer.layer, {"rows_on_max": 0, "clip_possible": 0})
        seen["rows_on_max"] = max(seen["rows_on_max"], found.most_rows)
        seen["clip_possible"] += found.clip_possible
        if not ctx.reference:
            ctx.work.delivered += found.synaptic
        return Member(layer, found)

    def _inputs(self, members: list[Member]) -> list[Population]:
        """Input populations that enter the chip for these layers."""
        names = dict.fromkeys(part.projection.source for m in members for part in m.layer.parts)
        found = [self.ctx.work.network.population(name) for name in names if name not in self._plan.layers]
        entering = [population for population in found if population.name not in self._entered]
        self._entered.update(population.name for population in entering)
        return entering

    def _book(self, jobs: list[Job], members: list[Member], made: Assembly, found: Flow, start: int) -> None:
        """States, waits and spans of a segment, and the bits that its spikes moved."""
        ctx, log = self.ctx, self.ctx.log
        log.add_busy_runs(found.runs[0] + start)
        for cause, runs in zip(CAUSES, found.runs[1:], strict=False):
            log.add_stall_runs(cause, runs + start)
        for cause, cycles in zip(CAUSES, found.waits[:, 1:].sum(axis=0).tolist(), strict=True):
            log.add_wait(cause, cycles)
        numbers = [ctx.work.layer(job.row) for job in jobs]
        for number, (begin, end), active in zip(numbers, found.span.tolist(), found.active.tolist(), strict=True):
            ctx.count(number, "active:cycle", active)
            if end:
                ctx.ran(number, ctx.clock.ps(start + begin), ctx.clock.ps(start + end))
        log.commit(numbers[0] if len(numbers) == 1 else 0)
        busy = self.tile_work["busy_cycles"]
        busy[:] = (np.array(busy, np.int64) + found.tiles).tolist()
        if log.timeline and found.tracks is not None:
            self._follow(numbers, members, found.tracks, start)
        if "lumps_per_pe_cycle" in self.spec.quirks:
            return  # buffers, links and neurons lie in the prices per vector
        for population in made.inputs:
            reader = next(n for n, m in zip(numbers, members, strict=True) if _reads(m, population.name))
            ctx.count(reader, "link:spike", made.moved[population.name].linked)
        for number, member in zip(numbers, members, strict=True):
            moved = made.moved[member.layer.layer]
            ctx.count(number, "write:spike", moved.written)
            ctx.count(number, "link:spike", moved.linked)
            ctx.count(number, "fire:state", moved.spikes)

    def _follow(
        self, numbers: list[int], members: list[Member], tracks: tuple[np.ndarray, ...], start: int
    ) -> None:
        """Intervals of layers and tiles; a tile wears the colour of its layer, and none where layers share it."""
        log, row = self.ctx.log, self.ctx.ledger.layers.index
        for number, member, runs in zip(numbers, members, tracks, strict=False):
            log.add_track_runs("layer", member.layer.layer, runs + start, number)
        for tile, runs in enumerate(tracks[len(members) :]):
            on = self.tile_work["layers"][tile]
            log.add_track_runs("tile", str(tile), runs + start, row(on[0]) if len(on) == 1 else 0)


def _reads(member: Member, name: str) -> bool:
    """True when a layer reads the population."""
    return any(part.projection.source == name for part in member.layer.parts)
