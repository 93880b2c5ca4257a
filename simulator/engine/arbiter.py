"""An arbiter: collects requests in phase 1, grants at its level: higher priority first, then by (request time, id)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from simulator.engine.environment import Environment


class Pool(Protocol):
    """What an arbiter hands out.  `free` looks only at the state at the end of phase 1 and at earlier grants."""

    def free(self, key: int) -> bool:
        """True when a request for `key` could be served now."""
        ...

    def take(self, key: int) -> None:
        """Marks what `key` needs as taken."""
        ...

    def give(self, key: int) -> None:
        """Marks what `key` held as free again."""
        ...


@dataclass
class Servers:
    """A pool of equal servers; the key is ignored."""

    available: int

    def free(self, key: int) -> bool:
        """See `Pool.free`."""
        return self.available > 0

    def take(self, key: int) -> None:
        """See `Pool.take`."""
        self.available -= 1

    def give(self, key: int) -> None:
        """See `Pool.give`."""
        self.available += 1


class BankedPorts:
    """A pool of single-port banks behind a number of ports: a request needs its bank and one port."""

    def __init__(self, banks: int, ports: int) -> None:
        self.bank_free = [True] * banks
        self.ports = ports

    def free(self, key: int) -> bool:
        """See `Pool.free`."""
        return self.ports > 0 and self.bank_free[key]

    def take(self, key: int) -> None:
        """See `Pool.take`."""
        self.ports -= 1
        self.bank_free[key] = False

    def give(self, key: int) -> None:
        """See `Pool.give`."""
        self.ports += 1
        self.bank_free[key] = True


class Request(NamedTuple):
    """What waits at an arbiter; `place` is the priority with its sign turned, so that small goes first."""

    place: int
    time: int
    requester: int
    key: int
    granted: Callable[[], None]


class Arbiter:
    """Grants what a `Pool` holds.  A requester has at most one request pending per id."""

    def __init__(self, env: Environment, level: int, pool: Pool) -> None:
        self.env, self.level, self.pool = env, level, pool
        self._pending: list[Request] = []
        self._armed = False

    def request(self, requester: int, key: int, granted: Callable[[], None], priority: int = 0) -> None:
        """Asks for `key` now (phase 1); `granted` runs at the arbiter's level when it is served."""
        self._pending.append(Request(-priority, self.env.now, requester, key, granted))
        self._arm()

    def rank(self, request: Request) -> tuple[int, ...]:
        """Place of a request among those that wait; the smallest is served first."""
        return request.place, request.time, request.requester

    def release(self, key: int) -> None:
        """Gives `key` back now (phase 1); it may be granted again in this very instant."""
        self.pool.give(key)
        if self._pending:
            self._arm()

    def _arm(self) -> None:
        if not self._armed:
            self._armed = True
            self.env.call_at(self.env.now, self._grant, self.level)

    def _grant(self) -> None:
        self._armed = False
        waiting, self._pending = sorted(self._pending, key=self.rank), []
        for request in waiting:
            if self.pool.free(request.key):
                self.pool.take(request.key)
                request.granted()
            else:
                self._pending.append(request)
