"""The neurosynaptic core as processes: a sender, a controller and a receiver that meet in handshakes.

The readable definition of what the kernel computes (`simulator/kernels/neurosynaptic.py`).  Times are cycles from the
start of the stimulus.  Between two meetings the controller owns its memories, so a sweep waits only where it stands.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator
from typing import Any

import numpy as np

from simulator.components.neurosynaptic_core import plain_neuron as plain
from simulator.components.neurosynaptic_core.registers import ODIN, Registers
from simulator.components.neurosynaptic_core.replay import OPERATIONS, check_ends
from simulator.engine.environment import Environment

SYNCHRONISER = 2
"""Cycles until the core sees an edge of the sender or the receiver."""
Process = Generator[Any, Any, None]


class Reference:
    """A core with its neighbours; `run` is the controller's process.  Afterwards the lists hold the tables of `Log`."""

    def __init__(
        self,
        env: Environment,
        until: Callable[[int], Any],
        registers: Registers,
        neurons: np.ndarray,
        synapses: np.ndarray,
        stimulus: list[tuple[int, int]],
    ) -> None:
        """until: the event of a cycle.  stimulus: (cycle in which it is due, word) of each input event."""
        self.env, self.until, self.r, self.stimulus = env, until, registers, stimulus
        self.neurons: list[list[int]] = neurons.T.tolist()
        self.synapses: list[list[int]] = synapses.tolist()
        self.fifo: deque[tuple[int, int]] = deque()
        self.request: tuple[int, int] | None = None
        self.raised, self.idle_link = env.event(), 0
        self.released = env.event()
        self.events: list[list[int]] = []
        self.operations: list[list[int]] = []
        self.spikes: list[list[int]] = []
        self.transfers: list[list[int]] = []
        self.counts = dict.fromkeys(("neuron_reads", "neuron_writes", "synapse_reads", "synapse_writes", "dropped",
                                     "highest_fill", "synaptic_operations"), 0)  # fmt: skip

    def _send_stimulus(self) -> Process:
        """The sender: raises a request when it is due and the last one is over."""
        done = None
        for due, word in self.stimulus:
            if done is None:
                rise = max(due, 1)
            else:
                rise = done + self.r.request_delay if due <= done + 1 else due
            yield self.until(rise)
            self.request = (rise, word)
            self.raised.succeed()
            done = yield self.released

    def run(self) -> Process:
        """The controller: waits, decides, executes, until no input and no queued event is left."""
        self.env.process(self._send_stimulus())
        cycle = 0
        while self.fifo or len(self.events) < len(self.stimulus):
            if not self.fifo and self.request is None:
                yield self.raised
            cycle = max(cycle, self.idle_link)
            if not self.fifo and self.request is not None:
                cycle = max(cycle, self.request[0] + SYNCHRONISER)
            yield self.until(cycle)
            kind = self._decide(cycle)
            if kind in ("POP_NEUR", "POP_VIRT"):
                cycle = (yield from self._pop(kind, cycle + 1)) + 1
            else:
                cycle = yield from self._serve(kind, cycle + 1)

    def _decide(self, cycle: int) -> str:
        """A full FIFO first, then a request that the synchroniser shows, then a queued event, then bistability."""
        wanted = ""
        if self.request is not None and self.request[0] + SYNCHRONISER <= cycle:
            wanted = self._classify(self.request[1])
        if wanted and len(self.fifo) < self.r.fifo_depth and (wanted != "BIST" or not self.fifo):
            return wanted
        return "POP_VIRT" if self.fifo[0][0] else "POP_NEUR"

    def _classify(self, word: int) -> str:
        if self.r.dialect != ODIN:
            return "TREF" if word & 0x100 else "PUSH"
        if word & 0x10000:
            return "SYNAPSE"
        return {0x7F: "TREF", 0: "BIST"}.get(word & 0x7F, "PUSH")

    def _serve(self, kind: str, start: int) -> Generator[Any, Any, int]:
        """Executes an external event and shakes hands; returns the first cycle in which the controller waits again."""
        assert self.request is not None
        request, word = self.request
        fill = len(self.fifo)
        row = self._begin(kind, start, word)
        if kind == "PUSH":
            self.fifo.append(self._payload(word))
            self.counts["highest_fill"] = max(self.counts["highest_fill"], fill + 1)
            end = start
        elif kind == "BIST":
            end = self._stabilise(start, word)
        else:
            first, count = 0, self.r.last_neuron + 1
            if kind == "SYNAPSE":
                first, count = word & 255, 1
            elif self.r.dialect == ODIN and word & 128:
                first, count = word >> 8 & 255, 1
            elif self.r.dialect != ODIN and word & 255 != 255:
                first, count = word & 255, 1
            end = yield from self._update(kind, row, start, range(first, first + count), word)
        row[2] = end
        acknowledge = end + 1
        low = acknowledge + self.r.request_delay
        done = low + SYNCHRONISER + 1
        self.events.append([request, request + SYNCHRONISER, start, acknowledge, low, done, OPERATIONS.index(kind)])
        yield self.until(done)
        self.request, released = None, self.released
        self.raised, self.released = self.env.event(), self.env.event()
        released.succeed(done)
        return done

    def _payload(self, word: int) -> tuple[int, int]:
        """(payload, address) in the FIFO; an event without payload is a neuron event."""
        if self.r.dialect == ODIN:
            return word >> 3 & 31, word >> 8 & 255
        return (word >> 4 & 15, word & 15) if word & 0x200 else (0, word & 255)

    def _pop(self, kind: str, start: int) -> Generator[Any, Any, int]:
        """Executes the oldest queued event and removes it; returns the last cycle."""
        payload, address = self.fifo[0]
        data = payload << 8 | address
        row = self._begin(kind, start, data)
        which = range(self.r.last_neuron + 1) if kind == "POP_NEUR" else range(address, address + 1)
        end = yield from self._update(kind, row, start, which, data)
        row[2] = end
        if kind == "POP_NEUR" and self.r.dialect != ODIN:
            if self.r.source_addresses:
                self._transmit(end, address)
            row = self._begin("AER_POP", end + 1, data)
            row[2] = end = max(end + 1, self.idle_link)
            row[4] = row[2] - row[1]
            yield self.until(end)
        self.fifo.popleft()
        return end

    def _begin(self, kind: str, start: int, word: int) -> list[int]:
        check_ends(len(self.operations))
        self.operations.append([OPERATIONS.index(kind), start, start, word, 0, 0, len(self.fifo)])
        return self.operations[-1]

    def _update(self, kind: str, row: list[int], start: int, which: range, word: int) -> Generator[Any, Any, int]:
        """A read and a write cycle per neuron; while the link is busy the sweep stands in the next read cycle."""
        r, counts = self.r, self.counts
        odin = r.dialect == ODIN
        pre = word >> 8 & 255 if kind == "SYNAPSE" else word & 255
        flags: list[tuple[int, int]] = []
        cycle = start
        old = list(self.synapses[pre])
        for i in which:
            stall = max(0, self.idle_link - cycle)
            row[4] += stall
            counts["neuron_reads"] += stall + 1
            counts["neuron_writes"] += 1
            if kind == "POP_NEUR" and i % 8 == 0:
                counts["synapse_reads"] += stall + (1 if odin else 2)
            write = cycle + stall + 1
            cycle = write + 1
            yield self.until(write)
            neuron = self.neurons[i]
            if odin and kind == "POP_NEUR" and i % 8 == 0:
                counts["synapse_writes"] += 1
                flags = [(n[plain.UP], n[plain.DOWN]) for n in self.neurons[i : i + 8]]
                for post, (up, down) in enumerate(flags, i):
                    self.synapses[pre][post] = plain.moved(old[post], bool(up), bool(down), r.update_unmapped)
            if kind == "SYNAPSE":
                counts["synapse_reads"] += 1
                counts["synapse_writes"] += 1
                if r.learn_on_synapse:
                    up, down = neuron[plain.UP], neuron[plain.DOWN]
                    self.synapses[pre][i] = plain.moved(old[i], bool(up), bool(down), r.update_unmapped)
            counts["synaptic_operations"] += kind == "POP_NEUR"
            leaks = kind == "TREF" or (kind == "POP_VIRT" and odin and bool(word >> 8 & 1))
            if kind == "POP_VIRT":
                weight = self._virtual(word >> 8)
            else:
                weight = plain.signed_weight(old[i], r.dialect, pre in r.inhibits, r.propagate_unmapped)
            fires = plain.update_neuron(neuron, r.dialect, weight, leaks) and not neuron[plain.DISABLED]
            last = i == which[-1]
            if fires:
                row[5] += 1
                self._spike(write, i, row, popped=last and (kind == "POP_VIRT" or (odin and kind == "POP_NEUR")))
            if odin and kind == "POP_NEUR" and r.source_addresses and i == r.monitored:
                self._transmit(write, pre)
            elif fires and not r.source_addresses:
                self._transmit(write, i)
        return cycle - 1

    def _virtual(self, payload: int) -> int:
        """Signed weight in the payload of a virtual event."""
        if self.r.dialect == ODIN:
            return -(payload >> 2) if payload & 2 else payload >> 2
        return payload - 16 if payload >= 8 else payload

    def _spike(self, cycle: int, neuron: int, row: list[int], popped: bool) -> None:
        """Pushes a spike unless the loop is open; one that meets a full FIFO is lost, though it leaves the core."""
        pushed = -1
        if not self.r.open_loop:
            pushed = int(len(self.fifo) < self.r.fifo_depth)
            self.counts["dropped"] += not pushed
            if pushed:
                self.fifo.append((0, neuron))
        fill = len(self.fifo) - popped
        self.counts["highest_fill"] = max(self.counts["highest_fill"], fill)
        self.spikes.append([cycle, neuron, pushed, fill, row[0], row[1]])

    def _transmit(self, cycle: int, address: int) -> None:
        """Starts an output handshake with the receiver; the link is busy until it is over."""
        request = cycle + 1
        acknowledge = request + self.r.acknowledge_delay
        low = acknowledge + SYNCHRONISER + 1
        released = low + self.r.release_delay
        self.idle_link = released + SYNCHRONISER + 1
        self.transfers.append([address, request, acknowledge, low, released, self.idle_link])

    def _stabilise(self, start: int, word: int) -> int:
        """Bistability of one source's synapses or of all, two cycles per word of eight; returns the last cycle."""
        rows = [word >> 8 & 255] if word & 128 else list(range(self.r.last_neuron + 1))
        width = self.r.last_neuron + 1
        for row in rows:
            self.synapses[row][:width] = [
                plain.polarised(n, self.r.update_unmapped) for n in self.synapses[row][:width]
            ]
        words = len(rows) * width // 8
        self.counts["synapse_reads"] += words
        self.counts["synapse_writes"] += words
        return start + 2 * words - 1
