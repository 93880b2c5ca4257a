"""The core's main process: takes a sample as its task, runs it on its own clock, books what it did."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np

from simulator.components.reckon_core.drive import Driver, Recording, Stimulus, run_stimulus
from simulator.components.reckon_core.image import Image
from simulator.components.reckon_core.placement import image_of, stimulus_of_network
from simulator.components.reckon_core.reference import Reference
from simulator.engine.board import Job
from simulator.engine.context import Context
from simulator.errors import InputError
from simulator.mapping.recurrent import layers_of

WORD_BITS = 128
"""Bits of a word of every memory: two neurons, or 16 weights."""
SEND_CYCLES = 5
"""Cycles in which a sample's result leaves."""


class ReckonCore:
    """One core; see `simulator.hardware.specs.reckon_core` for its fields.

    A task is one sample.  It is made of the network's spikes, which are known before the machine runs; a workload of
    lines with due cycles has a method `stimulus(row, sample)` that gives the image the core holds and the lines.  The
    core shares nothing while a sample runs, so the kernel runs it ahead and the process sleeps until its end.
    """

    def __init__(self, ctx: Context, spec: Any) -> None:
        self.ctx, self.spec = ctx, spec
        self.driver = Driver(spec.start_cycles, spec.sample_cycles, spec.level_cycles)
        self.readout = 0
        self.recordings: dict[tuple[int, int], Recording] = {}

    def connect(self, units: dict[str, Any]) -> None:
        """The core's four memories are its own: it needs no other unit."""

    def start(self) -> None:
        """Starts the core's process."""
        self.ctx.env.process(self._serve())

    def _serve(self) -> Generator[Any, Any, None]:
        ctx = self.ctx
        while True:
            job, start = yield from ctx.next_job()
            yield ctx.until(start)
            image, stimulus = self._sample(job)
            self._fits(image)
            recording = yield from self._run(image, stimulus, start)
            end = start + recording.cycles
            yield ctx.until(end)
            self._book(job, recording, start)
            if stimulus.beyond is not None:
                ctx.work.delivered += int(recording.counts[6] + recording.counts[7]) - stimulus.beyond
            for layer in {ctx.work.layer(job.row), self.readout}:
                ctx.ran(layer, ctx.clock.ps(start), ctx.env.now)
            self.recordings[job.row, job.sample] = recording
            ctx.board.complete(job.row)

    def _sample(self, job: Job) -> tuple[Image, Stimulus]:
        """What the core holds and is driven with in a task; finds the ledger row of its output layer."""
        work = self.ctx.work
        self.readout = work.layer(job.row)
        if hasattr(work, "stimulus"):
            image, stimulus = work.stimulus(job.row, job.sample)
            return image, stimulus
        output = layers_of(work.network).output
        if output is not None:
            self.readout = self.ctx.ledger.layers.index(output)
        lines = stimulus_of_network(work.network, lambda name, t: work.spikes(name, job.sample, t), job.t1)
        return image_of(work.network), lines

    def _fits(self, image: Image) -> None:
        """InputError where a network is larger than the core."""
        for field in ("inputs", "recurrent", "outputs"):
            size, room = getattr(image, field), getattr(self.spec, field)
            if size > room:
                raise InputError("the network is larger than the core", key=f"units.{self.ctx.name}.{field}",
                                 found=size, allowed=f"at most {room}")  # fmt: skip

    def _run(self, image: Image, stimulus: Stimulus, start: int) -> Generator[Any, Any, Recording]:
        """Runs a sample that begins in cycle `start`."""
        ctx = self.ctx
        if not ctx.reference:
            return run_stimulus(image, stimulus, self.driver)
        plain = Reference(ctx.env, lambda cycle: ctx.until(start + cycle), image, stimulus, self.driver)
        yield ctx.env.process(plain.run())
        return plain.recording()

    def _book(self, job: Job, recording: Recording, start: int) -> None:
        """Adds a sample's counts and its busy cycles, and the cycles in which inputs kept the core waiting."""
        ctx, layer = self.ctx, self.ctx.work.layer(job.row)
        reads, writes, inputs, recurrents, outputs, _, synapses, readouts = recording.counts.tolist()
        steps = int((recording.ticks[:, 3] > 0).sum())
        ctx.count(layer, "accept:spike", len(recording.events))
        ctx.count(layer, "accumulate:partial_sum", synapses)
        ctx.count(self.readout, "accumulate:partial_sum", readouts)
        ctx.count(layer, "update:state", steps * self._updated(recording))
        ctx.count(layer, "read:state", reads * WORD_BITS)
        ctx.count(layer, "write:state", writes * WORD_BITS)
        ctx.count(layer, "read:weight", (inputs + recurrents) * WORD_BITS)
        ctx.count(self.readout, "read:weight", outputs * WORD_BITS)
        runs = busy_runs(recording) + start
        ctx.log.add_busy_runs(runs)
        ready = np.concatenate(([start], runs[:, 1]))[: len(runs)]
        ctx.log.add_stall_runs("input", np.stack((ready, runs[:, 0]), axis=1))
        ctx.count(layer, "active:cycle", ctx.log.commit(layer, start + recording.cycles))

    def _updated(self, recording: Recording) -> int:
        """Neurons that a STEP of this run leaks: those of whole pairs."""
        steps = recording.ticks[recording.ticks[:, 3] > 0]
        cycles = int(steps[0, 3] - steps[0, 2]) if len(steps) else 0
        return cycles // 2 * 2


def busy_runs(recording: Recording) -> np.ndarray:
    """Cycles in which the core works: int64 [ticks, 2] from a tick's STEP (the first tick's PROP) to the end of its
    scan, or of its result."""
    ticks = recording.ticks
    begin = np.where(ticks[:, 2] > 0, ticks[:, 2], ticks[:, 4])
    end = np.where(ticks[:, 1] > 0, ticks[:, 3] + 1 + SEND_CYCLES, ticks[:, 5])
    return np.stack((begin, end), axis=1)
