"""The ledger: integer counts of everything a run does, by unit, layer and action.

A run only adds to it and nothing reads it before the run is over, so counting can never change a cycle.  Energy is
made from it afterwards (`simulator.energy`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from simulator.errors import InputError, InvariantError, unknown

UNATTRIBUTED = "unattributed"
"""Name of layer row 0: refresh, background, control, and everything that belongs to no layer."""

MAX_COUNTERS = 2**28
"""Limit of unit x layer x action (2 GiB of int64), checked before memory is taken."""


class Ledger:
    """`counts`: int64 [unit, layer, action]; the unit of measure of a count is its action's `counts_in`.

    units: names in the order of the hardware file.
    layers: names; row 0 must be "unattributed".
    actions: "verb:operand" names, the union over all units in file order.

    Raises InputError when the table would not fit in memory, InvariantError when names repeat or row 0 is wrong.
    """

    def __init__(self, units: Sequence[str], layers: Sequence[str], actions: Sequence[str]) -> None:
        self.units, self.layers, self.actions = tuple(units), tuple(layers), tuple(actions)
        if not self.layers or self.layers[0] != UNATTRIBUTED:
            raise InvariantError(f"layer row 0 of a ledger must be {UNATTRIBUTED!r}, found {self.layers[:1]}")
        for kind, names in (("unit", self.units), ("layer", self.layers), ("action", self.actions)):
            if len(set(names)) != len(names):
                raise InvariantError(f"the ledger has two {kind}s of the same name: {names}")
        check_counters(len(self.units), len(self.layers), len(self.actions))
        self.counts = np.zeros((len(self.units), len(self.layers), len(self.actions)), np.int64)
        self._index = {name: i for i, name in enumerate(self.actions)}

    def index(self, action: str) -> int:
        """Column of action "verb:operand"; an unknown one is an InputError with the nearest name."""
        try:
            return self._index[action]
        except KeyError:
            raise unknown("action", action, self.actions, key="ledger") from None

    def add(self, unit: int, layer: int, action: int, n: int) -> None:
        """Adds `n` >= 0 to one counter; `unit`, `layer` and `action` are indices."""
        self.counts[unit, layer, action] += n


def check_counters(units: int, layers: int, actions: int) -> None:
    """Raises InputError where unit x layer x action exceeds `MAX_COUNTERS`."""
    if units * layers * actions > MAX_COUNTERS:
        raise InputError(
            "the ledger would be too large",
            found=f"{units} units x {layers} layers x {actions} actions",
            allowed=f"at most {MAX_COUNTERS} counters",
        )
