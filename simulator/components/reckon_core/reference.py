"""The core as processes, one per line, request and timestep: the readable definition behind `engine="reference"`.

Times are cycles since the start of the run; `until` turns one into an event.  Three things happen beside each other:
the bench drives lines, the front end takes requests into the buffer of the next timestep, the controller takes ticks.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

import numpy as np

from simulator.components.reckon_core.drive import Driver, Recording, Stimulus, empty_logs
from simulator.components.reckon_core.image import LINES, NEURONS, OUTPUTS, Image
from simulator.engine.environment import Environment

Process = Generator[Any, Any, None]

SYNCHRONISER = 2
"""Flip-flops behind every pin."""


def limited(x: int) -> int:
    """A sum that stays at the ends of 16 bits."""
    return max(-(2**15), min(2**15 - 1, x))


def kept(x: int) -> int:
    """The low 16 bits of a product or difference, as a signed number."""
    return (x + 2**15) % 2**16 - 2**15


class Reference:
    """One run of a stimulus; `run` is the bench's process, `recording` what it left."""

    def __init__(
        self, env: Environment, until: Callable[[int], Any], image: Image, stimulus: Stimulus, driver: Driver
    ) -> None:
        self.env, self.until, self.image, self.stimulus, self.driver = env, until, image, stimulus, driver
        self.logs = empty_logs(stimulus.kind, driver)
        self.filled = dict.fromkeys(self.logs, 0)
        self.states, self.counts = np.zeros(5, np.int64), np.zeros(8, np.int64)
        self.infer = False
        self.entered = 0  # cycle in which the controller last came to rest, in IDLE or at the end of a scan
        self.sampling = False
        self.next_inputs: set[int] = set()
        self.cycles = 0
        self._clear()

    def _clear(self) -> None:
        self.u, self.out, self.wins = [0] * NEURONS, [0] * OUTPUTS, [0] * OUTPUTS
        self.fired, self.dirty = [0] * NEURONS, [0] * NEURONS
        self.inputs: set[int] = set()
        self.next_inputs.clear()

    def recording(self) -> Recording:
        """What the run left, once `run` is over."""
        return Recording(cycles=self.cycles, states=self.states, counts=self.counts, **self.logs)

    def _log(self, name: str, row: Any) -> None:
        self.logs[name][self.filled[name]] = row
        self.filled[name] += 1

    def run(self) -> Process:
        """The bench: one line after another, each when the one before is over and its own time has come."""
        now, ticks = self.driver.start, 0
        due = self.stimulus.due if len(self.stimulus.due) else np.zeros(len(self.stimulus.kind), np.int64)
        for code, number, at in zip(
            self.stimulus.kind.tolist(), self.stimulus.value.tolist(), due.tolist(), strict=True
        ):
            letter = LINES[code]
            now = max(now, at)
            yield self.until(now)
            if letter == "S":
                now += self.driver.sample
            elif letter in "VI":
                self.infer = bool(number) if letter == "I" else self.infer
                now += self.driver.level
            elif letter == "E" or (letter == "L" and self.driver.label_sent):
                now = (yield self.env.process(self._request(now, number, letter == "L"))) + 1
            elif letter in "TX":
                now += 4 if letter == "X" else 0
                now = (yield self.env.process(self._timestep(now, ticks, letter == "X"))) + 1
                ticks += 1
            elif letter == "D":
                self._log("dumps", ticks - 1)
                self._log("membranes", self.u)
                self._log("marks", self.dirty)
            elif letter == "G":
                now += number
        yield self.until(now)
        self.states[1 if self.sampling else 0] += now - self.entered
        self.cycles = now

    def _request(self, asked: int, address: int, target: bool) -> Generator[Any, Any, int]:
        """A four-phase handshake; the front end sees each edge of REQ two cycles late and answers in the next."""
        seen = asked + SYNCHRONISER
        yield self.until(seen)
        if not target:
            self.next_inputs.add(address)
        acknowledged = seen + 1
        lowered = acknowledged + 1
        over = lowered + SYNCHRONISER + 1
        yield self.until(over)
        self._log("events", (address, target, asked, acknowledged, over))
        return over

    def _timestep(self, tick: int, number: int, last: bool) -> Generator[Any, Any, int]:
        """The controller from a tick to the cycle in which it can take another."""
        row = np.zeros(10, np.int64)
        row[0], row[1] = tick, last
        moved = tick + SYNCHRONISER + 1
        yield self.until(moved)
        self.inputs, self.next_inputs = self.next_inputs, set()
        self.states[1 if self.sampling else 0] += moved - self.entered
        if self.sampling:
            row[2] = moved
            moved = yield from self._step(moved, number)
            row[3], row[8] = moved, sum(self.fired)
            self._sdone(number)
            moved += 1
            yield self.until(moved)
        self.sampling = True
        if last:
            self.logs["results"][self.filled["results"]] = (self._winner(self.wins), moved + 1)
            self.filled["results"] += 1
            idle = moved + 1 + 1 + SYNCHRONISER + 1  # request, its acknowledge, seen, and away
            yield self.until(idle)
            self.states[4] += idle - moved
            self.entered, self.sampling = idle, False
            self._clear()
            row[6] = idle + 9  # the receiver lets go and the bench waits 8 cycles
        else:
            row[4], row[7] = moved, len(self.inputs)
            end = yield from self._prop(moved)
            row[9] = end - moved - max(self.image.recurrent, self.image.inputs)
            row[5] = row[6] = end
            self.entered = moved
        self.logs["ticks"][number] = row
        yield self.until(int(row[6]))
        return int(row[6])

    def _step(self, start: int, number: int) -> Generator[Any, Any, int]:
        """Two cycles a pair, read and write, over the largest of the three sizes; an output leaks in each of the first
        cycles."""
        image = self.image
        cycles = max(image.inputs, image.recurrent, image.outputs)
        for cycle in range(cycles):
            yield self.until(start + cycle)
            pair, write = divmod(cycle, 2)
            self.counts[write] += 1
            for n in (2 * pair, 2 * pair + 1):
                if write:
                    self._update(n, int(image.thresholds[pair]), int(image.alphas[pair]))
                else:
                    self.fired[n] = 0
            if cycle < image.outputs:
                self.out[cycle] = kept(self.out[cycle] * image.kappa // 2**7)
        yield self.until(start + cycles)
        if len(self.stimulus.given):
            self.fired = [int(bit) for bit in self.stimulus.given[number]]
        self.states[2] += cycles
        return start + cycles

    def _update(self, n: int, threshold: int, alpha: int) -> None:
        """A neuron leaks, and fires if it was at its threshold before."""
        before = self.u[n]
        after = kept(before * alpha // 2**15)
        self.fired[n] = int(before >= threshold)
        if self.fired[n]:
            after = 0 if self.image.reset_to_zero else kept(after - threshold)
        self.u[n], self.dirty[n] = after, 1

    def _sdone(self, number: int) -> None:
        """The largest output wins the timestep where results are accumulated."""
        self.logs["fired"][number], self.logs["potentials"][number] = self.fired, self.out
        self.states[3] += 1
        if self.infer:
            self.wins[self._winner(self.out)] += 1

    def _winner(self, values: list[int]) -> int:
        """Place of the largest of the outputs in use, the first of equals."""
        return values.index(max(values[: self.image.outputs]))

    def _prop(self, start: int) -> Generator[Any, Any, int]:
        """One cycle an index; a set input or a spike there is given to every pair, two cycles each."""
        image, now = self.image, start
        for i in range(max(image.recurrent, image.inputs)):
            now += 1
            sources = [(i in self.inputs, image.input_weights, image.shifts[0]),
                       (self.fired[i] == 1, image.recurrent_weights, image.shifts[1])]  # fmt: skip
            if not any(present for present, _, _ in sources):
                continue
            yield self.until(now)
            if self.fired[i]:
                self.counts[4] += 1
                self.counts[7] += image.outputs
                for k in range(image.outputs):
                    self.out[k] = limited(self.out[k] + int(image.output_weights[i, k]) * 2 ** image.shifts[2])
            for n in range(2 * image.pairs):
                weights = [int(table[i, n]) * 2**shift for present, table, shift in sources if present]
                self.u[n], self.dirty[n] = limited(self.u[n] + limited(sum(weights))), 1
            for which, (present, _, _) in enumerate(sources):
                self.counts[2 + which] += -(-2 * image.pairs // 16) * present
                self.counts[6] += image.recurrent * present
            self.counts[0] += image.pairs
            self.counts[1] += image.pairs
            self.counts[5] += 1
            self.inputs.discard(i)
            self.fired[i] = 0
            now += 2 * image.pairs
            yield self.until(now)
        yield self.until(now)
        return now
