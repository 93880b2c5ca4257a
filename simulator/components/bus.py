"""Bus: one path that several movers of tensors share."""

from __future__ import annotations

from typing import Any

from simulator.engine.carrier import Carrier
from simulator.engine.context import Context


class Bus:
    """See `simulator.hardware.specs.bus` for its fields, and `Carrier` for what it does."""

    def __init__(self, ctx: Context, spec: Any) -> None:
        self.ctx, self.spec = ctx, spec
        self.carrier = Carrier(ctx, spec.width_bits, spec.latency_cycles, spec.credits, spec.arbitration)

    def connect(self, units: dict[str, Any]) -> None:
        """A bus asks nothing of other units."""

    def start(self) -> None:
        """A bus has no process of its own: it acts when asked."""

    def attach(self, user: str) -> Carrier:
        """The path, for the unit `user`; any number of units may share it."""
        return self.carrier
