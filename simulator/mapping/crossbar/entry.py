"""The mapping of one layer onto the crossbars of a bank of tiles: pure data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from simulator.errors import InputError, nearest

ARRANGEMENTS = ("kernel", "im2col")


@dataclass(frozen=True)
class CrossbarMapping:
    """How one layer (a population with the projections into it) lies on crossbars.

    layer        name of the population
    unit         name of the `cim_tile` unit
    arrangement  "kernel": one array per kernel position, rows are channels; "im2col": rows are (position, channel)
    copies       how often the weights are stored; output position p is computed by copy p % copies
    first_pe     number of the layer's first processing element on the unit
    """

    layer: str
    unit: str
    arrangement: Literal["kernel", "im2col"]
    copies: int = 1
    first_pe: int = 0

    def __post_init__(self) -> None:
        key = f"layers.{self.layer}"
        if self.arrangement not in ARRANGEMENTS:
            raise InputError(
                "not one of the choices",
                key=f"{key}.arrangement",
                found=self.arrangement,
                allowed=ARRANGEMENTS,
                nearest=nearest(self.arrangement, ARRANGEMENTS),
            )
        for name, low in (("copies", 1), ("first_pe", 0)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or not low <= value < 2**31:
                raise InputError("must be an integer", key=f"{key}.{name}", found=value, allowed=f"{low} .. 2^31 - 1")
