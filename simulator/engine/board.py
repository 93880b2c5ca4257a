"""The task board: which tasks of the running repetition are complete, and who waits for them."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator
from dataclasses import dataclass

from simpy.events import Event

from simulator.engine.environment import Environment


@dataclass(frozen=True)
class Job:
    """One execution of a Schedule row: timesteps t0 .. t1 of a sample."""

    row: int
    sample: int
    t0: int
    t1: int


class Board:
    """Completion of Schedule rows within one repetition; rows of the prologue stay complete for ever."""

    def __init__(self, env: Environment, rows: int) -> None:
        self.env = env
        self.done_ps = [-1] * rows
        self._open = 0
        self._waiting: dict[int, list[Event]] = {}
        self._all: Event | None = None

    def begin(self, rows: range) -> Event:
        """A repetition of `rows` starts; the event fires when all of them are complete."""
        for row in rows:
            self.done_ps[row] = -1
        self._open = len(rows)
        self._all = self.env.event()
        if not rows:
            self._all.succeed()
        return self._all

    def wait(self, rows: list[int]) -> Generator[Event, None, None]:
        """Waits until every row of `rows` is complete."""
        for row in rows:
            if self.done_ps[row] < 0:
                event = self.env.event()
                self._waiting.setdefault(row, []).append(event)
                yield event

    def complete(self, row: int) -> None:
        """Row `row` is complete now."""
        self.done_ps[row] = self.env.now
        for event in self._waiting.pop(row, ()):
            event.succeed()
        self._open -= 1
        if self._open == 0 and self._all is not None:
            self._all.succeed()


class JobQueue:
    """A unit's queue of commands from the host: finite, first in, first out; the unit is its only reader."""

    def __init__(self, env: Environment, depth: int) -> None:
        self.env, self.depth = env, depth
        self._jobs: deque[Job] = deque()
        self._reader: Event | None = None
        self._writer: Event | None = None

    def put(self, job: Job) -> Generator[Event, None, None]:
        """The host appends a command; waits while the queue is full."""
        while len(self._jobs) >= self.depth:
            self._writer = self.env.event()
            yield self._writer
        self._jobs.append(job)
        if self._reader is not None:
            reader, self._reader = self._reader, None
            reader.succeed()

    def get(self) -> Generator[Event, None, Job]:
        """The unit takes its next command; waits while there is none."""
        while not self._jobs:
            self._reader = self.env.event()
            yield self._reader
        job = self._jobs.popleft()
        if self._writer is not None:
            writer, self._writer = self._writer, None
            writer.succeed()
        return job
