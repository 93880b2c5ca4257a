"""The event loop: SimPy's environment with integer time only, and callbacks at a level."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import simpy
from simpy.events import Event

from simulator.engine.levels import PHASE1


class Environment(simpy.Environment):
    """SimPy's environment in int picoseconds; a float delay would make `now` a float for good, so it is refused."""

    def schedule(self, event: Event, priority: int = PHASE1, delay: int = 0) -> None:
        """Puts `event` on the heap at `now + delay`, ordered by (time, level, insertion)."""
        if type(delay) is not int:
            raise TypeError(f"delays are int picoseconds, found {type(delay).__name__} {delay!r}")
        super().schedule(event, priority, delay)  # type: ignore[arg-type]

    def call_at(self, time_ps: int, callback: Callable[[], None], level: int = PHASE1) -> None:
        """Runs `callback` at `time_ps` (not before now) in the given level."""
        event = Event(self)
        event._ok, event._value = True, None
        event.callbacks = [lambda _: callback()]
        self.schedule(event, level, time_ps - self.now)

    def succeed_at(self, event: Event, value: Any, time_ps: int) -> None:
        """Triggers `event` with `value` at `time_ps` (not before now), in phase 1."""
        event._ok, event._value = True, value
        self.schedule(event, PHASE1, time_ps - self.now)

    def sleep_until(self, time_ps: int) -> Any:
        """An event that a process yields to wait until `time_ps`; a time already past waits not at all."""
        return self.timeout(max(0, time_ps - self.now))
