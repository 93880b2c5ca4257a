"""Completes a trace: runs the neurons on the recorded inputs and keeps every population's spikes.

Spikes stay in memory up to a cap; beyond it they go to a temporary file, from which they are read in pieces.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from collections.abc import Callable
from pathlib import Path

import numpy as np

from simulator.errors import InputError
from simulator.functional.counts import Counts
from simulator.functional.plan import Plan, plan_network
from simulator.functional.run import CHUNK_STEPS, check_inputs
from simulator.functional.stepper import Stepper
from simulator.network import Network
from simulator.trace import Block, StepSpikesBuilder, Trace

MEMORY_VARIABLE = "NEUROCYCLE_MEMORY_MB"
DEFAULT_MEMORY_MB = 2048


def memory_cap() -> int:
    """Bytes of spikes that a run may keep in memory: $NEUROCYCLE_MEMORY_MB, or 2048 MB."""
    text = os.environ.get(MEMORY_VARIABLE, str(DEFAULT_MEMORY_MB))
    try:
        return int(float(text) * 2**20)
    except (ValueError, OverflowError):
        raise InputError("not a number of megabytes", key=f"${MEMORY_VARIABLE}", found=text) from None


def complete_trace(
    network: Network,
    inputs: Trace,
    memory_bytes: int | None = None,
    stepper_of: Callable[[Plan, int], Stepper] = lambda plan, sample: Stepper(plan),
) -> tuple[Trace, Counts, dict[str, np.ndarray]]:
    """(trace of all populations, totals of the run, final membranes of the last sample, channel last).

    `memory_bytes` caps the spikes kept in memory (default: `memory_cap()`); what is more is spooled to a temporary
    file, which is removed when the trace is no longer used.  `stepper_of` makes the stepper of a sample.
    """
    plan = plan_network(network)
    check_inputs(plan, inputs)
    spool = _Spool(network, inputs, memory_cap() if memory_bytes is None else memory_bytes)
    totals = Counts.zero(network)
    membranes: dict[str, np.ndarray] = {}
    spikes = {name: inputs.spikes(name) for name in network.inputs}
    try:
        for sample in range(inputs.samples):
            spool.begin_sample(sample)
            stepper = stepper_of(plan, sample)
            steps = int(inputs.steps[sample])
            for t0 in range(0, steps, CHUNK_STEPS):
                t1 = min(t0 + CHUNK_STEPS, steps)
                spool.add(stepper.advance({name: s.block(sample, t0, t1) for name, s in spikes.items()}, t1 - t0))
            totals.add(stepper.counts)
            membranes = {name: state.v for name, state in stepper.states.items()}
        return spool.trace(), totals, membranes
    except BaseException:
        spool.abort()
        raise


class _Spool:
    """Spikes of all populations as they are made: in memory first, in a file once they outgrow the cap."""

    def __init__(self, network: Network, inputs: Trace, cap: int) -> None:
        from simulator.trace.writer import TraceWriter

        self.network, self.inputs, self.cap = network, inputs, cap
        self.names = [p.name for p in network.populations]
        self.source = f"run of network {network.name} on {inputs.source or inputs.name}"
        self.builders = {name: StepSpikesBuilder() for name in self.names}
        self.sample, self.steps, self.bytes = -1, 0, 0
        self.folder: Path | None = None
        self.writer: TraceWriter | None = None

    def begin_sample(self, sample: int) -> None:
        self.sample, self.steps = sample, 0
        if self.writer is not None:
            self.writer.begin_sample(self._label(sample))
        else:
            for builder in self.builders.values():
                builder.begin_sample()

    def add(self, blocks: dict[str, Block]) -> None:
        for name in self.names:
            block = blocks[name]
            if self.writer is not None:
                self.writer.add_block(name, block)
                continue
            self.builders[name].add_block(block)
            self.bytes += block.index.nbytes + block.start.nbytes + (0 if block.value is None else block.value.nbytes)
        self.steps += blocks[self.names[0]].start.size - 1
        if self.writer is None and self.bytes > self.cap:
            self._spill()

    def _label(self, sample: int) -> int | None:
        return None if self.inputs.labels is None else int(self.inputs.labels[sample])

    def _spill(self) -> None:
        """Moves what was collected so far into a file; the rest will follow it there."""
        from simulator.trace.writer import TraceWriter

        self.folder = Path(tempfile.mkdtemp(prefix="neurocycle-"))
        longest = int(self.inputs.steps.max(initial=0))
        self.writer = TraceWriter(
            self.folder / "spool.h5",
            self.network,
            self.names,
            name=self.inputs.name,
            source=self.source,
            longest=longest,
        )
        kept = {name: builder.build(longest) for name, builder in self.builders.items()}
        self.builders.clear()
        for sample in range(self.sample + 1):
            self.writer.begin_sample(self._label(sample))
            steps = self.steps if sample == self.sample else int(self.inputs.steps[sample])
            for name in self.names:
                self.writer.add_block(name, kept[name].block(sample, 0, steps))

    def abort(self) -> None:
        if self.writer is not None:
            self.writer.abort()
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)

    def trace(self) -> Trace:
        if self.writer is None or self.folder is None:
            longest = int(self.inputs.steps.max(initial=0))
            populations = {name: builder.build(longest) for name, builder in self.builders.items()}
            return Trace(
                self.inputs.name,
                self.network,
                "step",
                self.inputs.steps,
                populations,
                self.source,
                self.inputs.labels,
            )
        from simulator.trace.file import read_trace

        self.writer.close()
        trace = read_trace(self.writer.path, check=False)
        weakref.finalize(trace, shutil.rmtree, self.folder, ignore_errors=True)
        return trace
