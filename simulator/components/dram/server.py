"""DRAM channel, first form: latency, bandwidth in bursts, one transfer at a time, first come first served."""

from __future__ import annotations

from typing import Any

from simpy.events import Event

from simulator.engine.banked import Access, BankedMemory
from simulator.engine.context import Context
from simulator.engine.levels import GRANT_DRAM


class Dram:
    """A memory unit with one channel; a transfer of n bursts holds it for n x burst_cycles and reads arrive
    latency_cycles later.  Rows, banks and refresh are not modelled by this form."""

    def __init__(self, ctx: Context, spec: Any) -> None:
        self.ctx, self.spec = ctx, spec
        self.memory = BankedMemory(ctx, GRANT_DRAM, 1, 1, spec.burst_bits, spec.burst_cycles, spec.latency_cycles)

    def connect(self, units: dict[str, Any]) -> None:
        """A DRAM asks nothing of other units."""

    def start(self) -> None:
        """A DRAM has no process of its own: it acts when asked."""

    def access(self, burst: Access) -> Event:
        """See `BankedMemory.access`."""
        return self.memory.access(burst)
