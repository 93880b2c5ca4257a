"""Prices of a machine by group, a group being all counters of one action in units of one type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from simulator.hardware import Hardware

PJ_PER_MW_PS = 1e-3
"""1 mW over 1 ps is 1e-15 J."""


class Prices:
    """What counts of a run cost.  U units, A actions, G groups.

    groups  (unit type, "verb:operand") of every group with a price above zero, in the order of the ledger
    power   static power of all units, pJ per ps
    """

    def __init__(
        self,
        hardware: Hardware,
        units: Sequence[str],
        actions: Sequence[str],
        built: Mapping[str, Mapping[str, int]],
    ) -> None:
        column = {name: i for i, name in enumerate(actions)}
        self._table = np.zeros((len(units), len(actions)))
        self._group = np.zeros((len(units), len(actions)), np.int64)
        number: dict[tuple[str, str], int] = {}
        power = 0.0
        for row, name in enumerate(units):
            spec = hardware.units[name]
            power += sum(float(mw.value) for mw in spec.built_leakage_mw(built.get(name, {})).values())
            for action in spec.ACTIONS:
                price = spec.price_of(action)
                if price is not None and price.value > 0:
                    at = row, column[action.name]
                    self._table[at] = float(price.value)
                    self._group[at] = number.setdefault((spec.type, action.name), len(number))
        self.groups = tuple(number)
        self.power = power * PJ_PER_MW_PS

    def energies(self, counts: np.ndarray) -> np.ndarray:
        """Energy of each group, pJ, float64 [G], of counts [U, layers, A]."""
        each = counts.sum(axis=1) * self._table
        return np.bincount(self._group.ravel(), each.ravel(), max(1, len(self.groups)))[: len(self.groups)]
