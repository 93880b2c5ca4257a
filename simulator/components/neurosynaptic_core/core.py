"""The core's main process: takes a sample as its task, runs its stimulus on its own clock, books what it did."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from simulator.components.neurosynaptic_core.reference import Reference
from simulator.components.neurosynaptic_core.registers import SOURCES, Registers
from simulator.components.neurosynaptic_core.replay import OPERATIONS, Core, Log, check_words
from simulator.engine.board import Job
from simulator.engine.context import Context

AER_POP, POP_NEUR, PUSH = (OPERATIONS.index(name) for name in ("AER_POP", "POP_NEUR", "PUSH"))


@dataclass(frozen=True)
class Image:
    """What a core holds before a sample: neurons int16 [14, 256], synapses uint8 [256, 256], inhibitory sources."""

    neurons: np.ndarray
    synapses: np.ndarray
    inhibits: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Stimulus:
    """Input events of a sample: int64 [n] cycles, counted from its start, in which they are due, and their words.

    fan_out: int64 [256], synaptic operations of a network per event of each address; None where there is no network.
    layer: int64 [256], place among the network's layers of the one that an event of each address is charged to.
    """

    due: np.ndarray
    words: np.ndarray
    fan_out: np.ndarray | None = None
    layer: np.ndarray = field(default_factory=lambda: np.zeros(SOURCES, np.int64))


@dataclass(frozen=True)
class Recording:
    """What a sample left: the tables of `Log`, its counters, and the neurons and synapses afterwards."""

    events: np.ndarray
    operations: np.ndarray
    spikes: np.ndarray
    transfers: np.ndarray
    counts: dict[str, int]
    neurons: np.ndarray
    synapses: np.ndarray

    @property
    def cycles(self) -> int:
        """Cycles until controller and output link are idle for good."""
        ends = (self.operations[:, 2] + 1, self.events[:, 5], self.transfers[:, 5])
        return max((int(column.max()) for column in ends if column.size), default=0)


class NeurosynapticCore:
    """One core; see `simulator.hardware.specs.neurosynaptic_core` for its fields.

    A task is one sample: `work.stimulus(row, sample)` gives the image that the core holds and what it is sent.  The
    core shares nothing while a sample runs (its sender and receiver belong to it), so the kernel runs the whole sample
    ahead and the process sleeps until its end.
    """

    def __init__(self, ctx: Context, spec: Any) -> None:
        self.ctx, self.spec = ctx, spec
        self.recordings: dict[tuple[int, int], Recording] = {}
        self._clocked = 0

    def connect(self, units: dict[str, Any]) -> None:
        """The core's memories are its own: it needs no other unit."""

    def start(self) -> None:
        """Starts the core's process."""
        self.ctx.env.process(self._serve())

    def _serve(self) -> Generator[Any, Any, None]:
        ctx = self.ctx
        while True:
            job, start = yield from ctx.next_job()
            yield ctx.until(start)
            image, stimulus = ctx.work.stimulus(job.row, job.sample)  # type: ignore[attr-defined]
            recording = yield from self._run(image, stimulus, start)
            yield ctx.until(start + recording.cycles)
            self._book(job, recording, start, stimulus.layer)
            if stimulus.fan_out is not None:
                self._deliver(stimulus.fan_out, recording)
            ctx.ran(ctx.work.layer(job.row), ctx.clock.ps(start), ctx.env.now)
            self.recordings[job.row, job.sample] = recording
            ctx.board.complete(job.row)

    def _run(self, image: Image, stimulus: Stimulus, start: int) -> Generator[Any, Any, Recording]:
        """Runs a sample that begins in cycle `start`."""
        ctx, registers = self.ctx, registers_of(self.spec, image)
        if ctx.reference:
            check_words(stimulus.words, registers.dialect)
            events = list(zip(stimulus.due.tolist(), stimulus.words.tolist(), strict=True))
            plain = Reference(
                ctx.env, lambda cycle: ctx.until(start + cycle), registers, image.neurons, image.synapses, events
            )
            yield ctx.env.process(plain.run())
            return of_reference(plain)
        core = Core(registers, image.neurons.copy(), image.synapses.copy())
        return of_log(core.run(stimulus.due, stimulus.words), core)

    def _deliver(self, fan_out: np.ndarray, recording: Recording) -> None:
        """Counts the network's operations of neuron events that were executed, and of spikes that a full FIFO lost."""
        executed = recording.operations[recording.operations[:, 0] == POP_NEUR, 3] & 255
        lost = recording.spikes[recording.spikes[:, 2] == 0, 1]
        self.ctx.work.delivered += int(fan_out[executed].sum())
        self.ctx.work.dropped += int(fan_out[lost].sum())

    def _operate(self, layer: int, recording: Recording, start: int, place: np.ndarray) -> None:
        """Charges synaptic operations to the layers that they are done for; `layer` is the ledger row of the first.

        The first layer runs for the whole sample, a later one while an event for it is executed.
        """
        ctx = self.ctx
        swept = recording.operations[recording.operations[:, 0] == POP_NEUR]
        later = place[swept[:, 3] & 255]
        done = np.bincount(later, minlength=1) * (self.spec.last_neuron + 1)
        for number, operations in enumerate(done.tolist()):
            ctx.count(layer + number, "accumulate:partial_sum", operations)
        for number, (first, last) in zip(later[later > 0].tolist(), swept[later > 0, 1:3].tolist(), strict=True):
            ctx.ran(layer + number, ctx.clock.ps(start + first), ctx.clock.ps(start + last + 1))

    def _book(self, job: Job, recording: Recording, start: int, place: np.ndarray) -> None:
        """Adds a sample's counts, its busy cycles, and what kept the controller waiting; `place` is a stimulus's."""
        ctx, spec, counts = self.ctx, self.spec, recording.counts
        layer = ctx.work.layer(job.row)
        pushes = int((recording.operations[:, 0] == PUSH).sum() + (recording.spikes[:, 2] == 1).sum())
        self._operate(layer, recording, start, place)
        ctx.count(layer, "update:state", counts["neuron_writes"] - counts["synaptic_operations"])
        ctx.count(layer, "accept:spike", len(recording.events))
        ctx.count(layer, "send:spike", len(recording.transfers))
        ctx.count(layer, "fifo:spike", pushes)
        ctx.count(layer, "read:state", counts["neuron_reads"] * spec.state_word_bits)
        ctx.count(layer, "write:state", counts["neuron_writes"] * spec.state_word_bits)
        ctx.count(layer, "read:weight", counts["synapse_reads"] * spec.weight_word_bits)
        ctx.count(layer, "write:weight", counts["synapse_writes"] * spec.weight_word_bits)
        end = start + recording.cycles
        ctx.count(0, "clock:cycle", start - self._clocked)
        ctx.count(layer, "clock:cycle", end - start)
        self._clocked = end
        ctx.log.add_busy_runs(busy_runs(recording) + start)
        ctx.log.add_stall_runs("handshake", recording.events[:, [3, 5]] + start)
        ctx.log.add_stall_runs("output", recording.transfers[:, [1, 5]] + start)
        ctx.log.add_stall("input", start, end)
        ctx.log.commit(layer, end)


def registers_of(s: Any, image: Image) -> Registers:
    """The registers that a description `s` states, with the signs of an image's sources."""
    return Registers(
        dialect=s.dialect,
        last_neuron=s.last_neuron,
        fifo_depth=s.fifo_depth,
        open_loop=s.open_loop,
        source_addresses=s.source_addresses,
        request_delay=s.request_delay_cycles,
        acknowledge_delay=s.acknowledge_delay_cycles,
        release_delay=s.release_delay_cycles,
        update_unmapped=s.update_unmapped,
        propagate_unmapped=s.propagate_unmapped,
        learn_on_synapse=s.learn_on_synapse,
        monitored=s.monitored,
        inhibits=image.inhibits,
    )


def of_log(log: Log, core: Core) -> Recording:
    """What the kernel left."""
    return Recording(log.events, log.operations, log.spikes, log.transfers, log.counts, core.neurons, core.synapses)


def of_reference(plain: Reference) -> Recording:
    """What the processes left."""
    rows = (plain.events, plain.operations, plain.spikes, plain.transfers)
    tables = (np.array(table, np.int64).reshape(-1, n) for table, n in zip(rows, (7, 7, 6, 6), strict=True))
    events, operations, spikes, transfers = tables
    return Recording(
        events,
        operations,
        spikes,
        transfers,
        counts=dict(plain.counts),
        neurons=np.ascontiguousarray(np.array(plain.neurons, np.int16).T),
        synapses=np.array(plain.synapses, np.uint8).reshape(SOURCES, SOURCES),
    )


def busy_runs(recording: Recording) -> np.ndarray:
    """Cycles in which the controller works: int64 [n, 2], each operation with the cycle in which it was decided, less
    those in which it stands because the output link is busy."""
    operations, transfers = recording.operations, recording.transfers
    if not len(operations):
        return np.empty((0, 2), np.int64)
    begin = operations[:, 1] - (operations[:, 0] != AER_POP)
    last = operations[:, 2]
    request, idle = transfers[:, 1], transfers[:, 5]
    during = np.maximum(np.searchsorted(operations[:, 1], request, side="right") - 1, 0)
    stands = (request >= operations[during, 1]) & (request <= last[during])
    starts = np.sort(np.concatenate((begin, idle[stands])))
    ends = np.sort(np.concatenate((last + 1, request[stands])))
    return np.stack((starts, ends), axis=1)
