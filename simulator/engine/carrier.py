"""A path that parcels share: arbitration, so many bits a cycle, a latency, and credits of the far end's buffer."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

from simpy.events import Event

from simulator.engine.arbiter import Arbiter, Request
from simulator.engine.context import Context
from simulator.engine.levels import GRANT_LINK

COMMIT_ROWS = 1 << 14
CLIENTS = 1 << 32
"""More than there are units: turns go round modulo this number."""
LANE, SLOT = -1, -2
"""What is given back: the path itself, or a place in the buffer at its far end."""


@dataclass(frozen=True)
class Parcel:
    """`bits` of one layer and operand that travel together, for the unit with number `client`; high priority first."""

    requester: int
    client: int
    layer: int
    operand: str
    bits: int
    priority: int = 0


class Lane:
    """A pool of one path and of `slots` places in the buffer at its far end; a parcel needs both.

    The key is the number of the client; `last` is that of the one served last.
    """

    def __init__(self, slots: int) -> None:
        self.idle, self.slots = True, slots
        self.last = -1

    def free(self, key: int) -> bool:
        """See `Pool.free`."""
        return self.idle and self.slots > 0

    def take(self, key: int) -> None:
        """See `Pool.take`."""
        self.idle = False
        self.slots -= 1
        self.last = key

    def give(self, key: int) -> None:
        """LANE: the path is idle again; SLOT: a parcel has left the buffer at its far end."""
        if key == LANE:
            self.idle = True
        else:
            self.slots += 1


class Turns(Arbiter):
    """Grants clients in turn: after client n come n + 1, n + 2, ...; the key of a request is its client."""

    def rank(self, request: Request) -> tuple[int, ...]:
        """Clients after the last one served, then by (request time, id)."""
        last: int = self.pool.last  # type: ignore[attr-defined]
        return (request.key - last - 1) % CLIENTS, request.time, request.requester


class Carrier:
    """Carries one parcel at a time: it holds the path for ceil(bits / width) cycles, and arrives `latency` cycles after
    its last word.  It then occupies one of `credits` places until its receiver calls `taken`."""

    def __init__(
        self, ctx: Context, width_bits: int, latency_cycles: int, credits: int, arbitration: str = "first_come"
    ) -> None:
        self.ctx, self.width_bits, self.latency_cycles = ctx, width_bits, latency_cycles
        self.ranked = arbitration == "priority"
        kind = Turns if arbitration == "round_robin" else Arbiter
        self.arbiter = kind(ctx.env, GRANT_LINK, Lane(credits))

    def carry(self, parcel: Parcel) -> Event:
        """Asks for the path at its next edge; the event fires at arrival, with (grant ps, release ps)."""
        return self.ctx.env.process(self._carry(parcel))

    def taken(self) -> None:
        """The receiver has stored a parcel: its place in the buffer is free now (phase 1)."""
        self.arbiter.release(SLOT)

    def _carry(self, parcel: Parcel) -> Generator[Any, None, tuple[int, int]]:
        ctx = self.ctx
        yield ctx.until(ctx.cycle())
        asked, granted = ctx.cycle(), ctx.env.event()
        self.arbiter.request(parcel.requester, parcel.client, granted.succeed, parcel.priority if self.ranked else 0)
        yield granted
        grant, grant_ps = ctx.cycle(), ctx.env.now
        ctx.log.add_wait("arbiter", grant - asked)
        ctx.count(parcel.layer, f"transfer:{parcel.operand}", parcel.bits)
        ctx.sent(ctx.name, parcel.operand, parcel.bits)
        words = -(-parcel.bits // self.width_bits)
        for at, cycles in self._steps(grant, words):
            ctx.log.add_busy(at, at + cycles)
            yield ctx.until(at + cycles)
        if ctx.log.pending > COMMIT_ROWS:
            ctx.log.commit(0, ctx.cycle())
        release_ps = ctx.env.now
        self.arbiter.release(LANE)
        yield ctx.until(grant + words + self.latency_cycles)
        ctx.received(ctx.name, parcel.operand, parcel.bits)
        return grant_ps, release_ps

    def _steps(self, grant: int, words: int) -> list[tuple[int, int]]:
        """(start, cycles) of what is waited for: all words at once, or word by word in the plain definition."""
        return [(grant + i, 1) for i in range(words)] if self.ctx.reference else [(grant, words)]
