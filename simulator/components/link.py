"""Link: a path between memories that belongs to one mover of tensors."""

from __future__ import annotations

from typing import Any

from simulator.engine.carrier import Carrier
from simulator.engine.context import Context
from simulator.errors import InputError


class Link:
    """See `simulator.hardware.specs.link` for its fields, and `Carrier` for what it does."""

    def __init__(self, ctx: Context, spec: Any) -> None:
        self.ctx, self.spec = ctx, spec
        self.carrier = Carrier(ctx, spec.width_bits, spec.latency_cycles, spec.credits)
        self.user = ""

    def connect(self, units: dict[str, Any]) -> None:
        """A link asks nothing of other units."""

    def start(self) -> None:
        """A link has no process of its own: it acts when asked."""

    def attach(self, user: str) -> Carrier:
        """The path, for the unit `user`; InputError when another unit has it already."""
        if self.user:
            raise InputError(
                "a link belongs to one mover", key=f"units.{user}.via", found=f"{self.ctx.name}, used by {self.user}",
                allowed="a link of its own, or a unit of type bus",
            )  # fmt: skip
        self.user = user
        return self.carrier
