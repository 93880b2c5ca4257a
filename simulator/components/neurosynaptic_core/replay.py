"""A stimulus on a neurosynaptic core: the kernel's calls, and what it logged."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from simulator.components.neurosynaptic_core.registers import NEVER, WORD_BITS, Registers
from simulator.errors import InputError
from simulator.kernels import neurosynaptic as kernel

OPERATIONS = ("TREF", "BIST", "SYNAPSE", "PUSH", "POP_NEUR", "POP_VIRT", "AER_POP")
STATES = (*OPERATIONS, "WAIT_REQDN")
TOTALS = (
    "neuron_reads",
    "neuron_writes",
    "synapse_reads",
    "synapse_writes",
    "dropped",
    "highest_fill",
    "synaptic_operations",
    "neuron_events",
    "virtual_events",
    "pushes",
    "last_active_cycle",
    "output_busy_cycles",
)
LOG_ROWS = 4096
MOST_ROWS = 1 << 18


@dataclass
class Log:
    """What a core did, in time order; all times are cycles, -1 stands for "not".

    events int64 [n, 7]: per input event request, seen, operation begins, acknowledge, request low, controller waits
    again, operation (of `OPERATIONS`).
    operations int64 [m, 7]: operation, first and last cycle, word, stall cycles, spikes, FIFO fill in its first cycle.
    spikes int64 [s, 6]: cycle, neuron, pushed (1), dropped (0) or open loop (-1), fill in the next cycle, operation,
    its start.
    transfers int64 [t, 6]: address, request, acknowledge, request low, acknowledge low, link idle.
    state_cycles: cycles per state of the controller but waiting.  totals: counters named in `TOTALS`.
    done: input events whose handshake is over.
    """

    events: np.ndarray
    operations: np.ndarray
    spikes: np.ndarray
    transfers: np.ndarray
    state_cycles: dict[str, int] = field(default_factory=dict)
    totals: dict[str, int] = field(default_factory=dict)
    done: int = 0


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
        self.counts = np.zeros(20, np.int64)
        self._config = registers.vector(bool(neurons[4].any()))
        self._fifo = np.zeros(registers.fifo_depth, np.int64)
        self._scratch = (np.zeros(width, np.int16), np.zeros(width, np.int16))
        self._signs = registers.signs()
        self._rows = rows

    def run(self, due: np.ndarray, words: np.ndarray) -> Log:
        """Runs the whole stimulus: int64 [n] cycles in which events are due, rising or not, and their words."""
        due, words = np.ascontiguousarray(due, np.int64), np.ascontiguousarray(words, np.int64)
        check_words(words, self.registers.dialect)
        events = np.empty((due.size, 7), np.int64)
        rows = self._rows or min(max(LOG_ROWS, 3 * due.size), MOST_ROWS)
        logs = tuple(np.empty((rows + self.neurons.shape[1] + 2, n), np.int64) for n in (7, 6, 6))
        parts: tuple[list[np.ndarray], ...] = ([], [], [])
        status = kernel.FULL
        while status == kernel.FULL:
            status = kernel.advance(
                due, words, self._config, self.state, self.counts, self.neurons, self.synapses, self._signs, self._fifo,
                *self._scratch, events, *logs,
            )  # fmt: skip
            for part, filled, n in zip(parts, logs, self.state[6:9].tolist(), strict=True):
                part.append(filled[:n].copy() if status == kernel.FULL else filled[:n])
            self.state[6:9] = 0
        events[self.state[4] :] = -1
        operations, spikes, transfers = (part[0] if len(part) == 1 else np.concatenate(part) for part in parts)
        log = Log(events, operations, spikes, transfers, done=int(self.state[4]))
        log.state_cycles = dict(zip(STATES, self.counts[: len(STATES)].tolist(), strict=True))
        log.totals = dict(zip(TOTALS, self.counts[len(STATES) :].tolist(), strict=True))
        if self.registers.cut_cycle < NEVER:
            log.done = int((events[: log.done, 5] < self.registers.cut_cycle).sum())
        return log


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
