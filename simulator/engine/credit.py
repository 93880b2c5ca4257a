"""Credits: how many blocks a sender may have on the way to a finite buffer."""

from __future__ import annotations

from collections import deque

from simpy.events import Event

from simulator.engine.environment import Environment


class Credits:
    """A counter of free buffer slots with one consumer; `take` waits in order, `give` returns one slot."""

    def __init__(self, env: Environment, slots: int) -> None:
        self.env, self.available = env, slots
        self._waiting: deque[Event] = deque()

    def take(self) -> Event | None:
        """None when a slot was free (and is now taken), else an event that fires when one becomes free."""
        if self.available > 0:
            self.available -= 1
            return None
        event = self.env.event()
        self._waiting.append(event)
        return event

    def give(self) -> None:
        """Returns a slot now; the longest waiter gets it."""
        if self._waiting:
            self._waiting.popleft().succeed()
        else:
            self.available += 1
