"""SRAM scratchpad: single-port banks behind ports, word by word, with latency and cycle time."""

from __future__ import annotations

from typing import Any

from simpy.events import Event

from simulator.engine.banked import Access, BankedMemory
from simulator.engine.context import Context
from simulator.engine.levels import GRANT_SRAM


class Sram:
    """A memory unit; see `simulator.hardware.specs.sram` for its fields.

    A burst lives in one bank; consecutive bursts of a tensor lie in consecutive banks.  Memories that belong to one
    core are accessed inside that core's own cycles and booked through `book`, so only transfers arbitrate here.
    """

    def __init__(self, ctx: Context, spec: Any) -> None:
        self.ctx, self.spec = ctx, spec
        self.memory = BankedMemory(
            ctx, GRANT_SRAM, spec.banks, spec.ports, spec.width_bits, spec.cycle_cycles, spec.latency_cycles
        )

    def connect(self, units: dict[str, Any]) -> None:
        """An SRAM asks nothing of other units."""

    def start(self) -> None:
        """An SRAM has no process of its own: it acts when asked."""

    def access(self, burst: Access) -> Event:
        """See `BankedMemory.access`."""
        return self.memory.access(burst)

    def book(self, layer: int, verb: str, operand: str, bits: int, moved: int) -> None:
        """Books accesses that the owning core made in its own cycles: `bits` used of `moved` bits read or written."""
        self.ctx.count(layer, f"{verb}:{operand}", bits)
        self.ctx.count(layer, f"overfetch:{operand}", moved - bits)
