"""A stimulus on a neurosynaptic core: the kernel's calls, and what it logged."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from simulator.components.neurosynaptic_core.registers import TINYODIN, WORD_BITS, Registers
from simulator.errors import InputError, RunError
from simulator.kernels import neurosynaptic as kernel

OPERATIONS = ("TREF", "BIST", "SYNAPSE", "PUSH", "POP_NEUR", "POP_VIRT", "AER_POP")
STATES = (*OPERATIONS, "WAIT_REQDN")
COUNTS = (
    "neuron_reads",
    "neuron_writes",
    "synapse_reads",
    "synapse_writes",
    "dropped",
    "highest_fill",
    "synaptic_operations",
)
LOG_ROWS = 4096
MOST_ROWS = 1 << 18
MOST_OPERATIONS = 1 << 25
"""Operations of one run, 800 MB of log; more are taken for spikes that go round for good."""


class Log:
    """What a core did, in time order; all times are cycles.  Tables are unpacked when they are first asked for."""

    def __init__(
        self, registers: Registers, requests: np.ndarray, logs: tuple[np.ndarray, ...], counts: dict[str, int]
    ) -> None:
        """Takes over the kernel's logs (`ops`, `spk`, `aer`) and the requests of the events that were served."""
        self.registers, self._requests, self._logs, self.counts = registers, requests, logs, counts

    @cached_property
    def operations(self) -> np.ndarray:
        """int64 [m, 7]: operation (of `OPERATIONS`), first and last cycle, word, stall cycles, spikes, FIFO fill in its
        first cycle."""
        start, end, packed = self._logs[0].T
        kind, fill, spikes, word = kernel.operation_fields(packed)
        everyone = word & 255 == 255 if self.registers.dialect == TINYODIN else word & 128 == 0
        swept = (kind == kernel.POP_NEUR) | ((kind == kernel.TREF) & everyone)
        stall = np.where(swept, end - start + 1 - 2 * (self.registers.last_neuron + 1), 0)
        stall = np.where(kind == kernel.AER_POP, end - start, stall)
        return np.stack((kind, start, end, word, stall, spikes, fill), axis=1)

    @cached_property
    def events(self) -> np.ndarray:
        """int64 [n, 7]: per served input event request, seen, operation begins, acknowledge, request low, controller
        waits again, operation."""
        served = self.operations[self.operations[:, 0] <= kernel.PUSH]
        acknowledge = served[:, 2] + 1
        low = acknowledge + self.registers.request_delay
        request = self._requests
        return np.stack((request, request + 2, served[:, 1], acknowledge, low, low + 3, served[:, 0]), axis=1)

    @cached_property
    def spikes(self) -> np.ndarray:
        """int64 [s, 6]: cycle, neuron, pushed (1), dropped (0) or open loop (-1), FIFO fill in the next cycle,
        operation, its first cycle."""
        cycle, packed = self._logs[1].T
        during = np.repeat(self.operations[:, :2], self.operations[:, 5], axis=0)
        return np.stack((cycle, *kernel.spike_fields(packed), during[:, 0], during[:, 1]), axis=1)

    @cached_property
    def transfers(self) -> np.ndarray:
        """int64 [t, 6]: address, request, acknowledge, request low, acknowledge low, link idle."""
        address, request = kernel.transfer_fields(self._logs[2])
        acknowledge = request + self.registers.acknowledge_delay
        released = acknowledge + 3 + self.registers.release_delay
        return np.stack((address, request, acknowledge, acknowledge + 3, released, released + 3), axis=1)

    @cached_property
    def state_cycles(self) -> dict[str, int]:
        """Cycles in each state of the controller but waiting."""
        kind, start, end = self.operations[:, :3].T
        cycles = [int((end - start + 1)[kind == code].sum()) for code in range(len(OPERATIONS))]
        return dict(zip(STATES, [*cycles, self._requests.size * (self.registers.request_delay + 3)], strict=True))

    @property
    def done(self) -> int:
        """Input events whose handshake was over when the run ended."""
        return int((self.events[:, 5] < self.registers.cut_cycle).sum())

    @property
    def last_active_cycle(self) -> int:
        """Last cycle in which the controller or the output link was not idle."""
        ends = (self.operations[:, 2], self.events[:, 5] - 1, self.transfers[:, 5] - 1)
        return max((int(column.max()) for column in ends if column.size), default=0)

    @property
    def output_busy_cycles(self) -> int:
        """Cycles in which the output link was busy."""
        return int((self.transfers[:, 5] - self.transfers[:, 1]).sum())

    def performed(self, operation: str) -> int:
        """How often the core did an operation of `OPERATIONS`."""
        return int((self.operations[:, 0] == OPERATIONS.index(operation)).sum())


class Core:
    """State of a core between calls of the kernel: memories, FIFO, controller."""

    def __init__(self, registers: Registers, neurons: np.ndarray, synapses: np.ndarray, rows: int = 0) -> None:
        """Takes over `neurons` int16 [14, 256] and `synapses` uint8 [256, 256] (see `image`) and changes them.

        rows: of the logs of one call of the kernel; 0 chooses.
        """
        self.registers, self.neurons, self.synapses = registers, neurons, synapses
        width = neurons.shape[1]
        self.state = np.zeros(9, np.int64)
        self.state[5] = -1
        self.counts = np.zeros(len(COUNTS), np.int64)
        self._config = registers.vector(bool(neurons[4].any()))
        self._fifo = np.zeros(registers.fifo_depth, np.int64)
        self._scratch = (np.zeros(width, np.int16), np.zeros(width, np.int16))
        self._signs = registers.signs()
        self._rows = rows

    def run(self, due: np.ndarray, words: np.ndarray) -> Log:
        """Runs a stimulus until the core is idle: int64 [n] cycles in which events are due, and their words.

        A later call continues from there: its stimulus begins with that of the call before, and its log holds what is
        new.
        """
        due, words = np.ascontiguousarray(due, np.int64), np.ascontiguousarray(words, np.int64)
        check_words(words, self.registers.dialect)
        served = int(self.state[4])
        requests = np.empty(due.size, np.int64)
        rows = self._rows or min(max(LOG_ROWS, 3 * due.size), MOST_ROWS)
        rows += self.neurons.shape[1] + 2
        logs = (np.empty((rows, 3), np.int64), np.empty((rows, 2), np.int64), np.empty(rows, np.int64))
        parts: tuple[list[np.ndarray], ...] = ([], [], [])
        status = kernel.FULL
        while status == kernel.FULL:
            status = kernel.advance(
                due, words, self._config, self.state, self.counts, self.neurons, self.synapses, self._signs, self._fifo,
                *self._scratch, requests, *logs,
            )  # fmt: skip
            for part, filled, n in zip(parts, logs, self.state[6:9].tolist(), strict=True):
                part.append(filled[:n].copy() if status == kernel.FULL else filled[:n])
            self.state[6:9] = 0
            check_ends(sum(map(len, parts[0])))
        whole = tuple(part[0] if len(part) == 1 else np.concatenate(part) for part in parts)
        counts = dict(zip(COUNTS, self.counts.tolist(), strict=True))
        return Log(self.registers, requests[served : self.state[4]], whole, counts)


def check_ends(operations: int) -> None:
    """RunError where a core has done so many operations that it will hardly ever be idle."""
    if operations > MOST_OPERATIONS:
        raise RunError(
            f"the core was not idle after {MOST_OPERATIONS} operations: its spikes go round for good; "
            "open the loop (open_loop: true) or raise thresholds"
        )


def check_words(words: np.ndarray, dialect: str) -> None:
    """InputError for an input word that the dialect's address lines cannot carry."""
    bits = WORD_BITS[dialect]
    wrong = np.flatnonzero((words < 0) | (words >= 1 << bits))
    if wrong.size:
        raise InputError(
            f"an input word of {dialect} has {bits} bits",
            key=f"event {int(wrong[0])}",
            found=int(words[wrong[0]]),
            allowed=f"0 .. {(1 << bits) - 1}",
        )
