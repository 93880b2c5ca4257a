"""Rows and queued writes of a banked main memory, followed from transfer to transfer.

Every (layer, operand) lies in a region of its own, and each of its transfers begins where the region begins.
"""

from __future__ import annotations

from typing import Any

import numpy as np

REGIONS = 256
"""Main memory is cut into so many equal regions; each (layer, operand) has one, in order of first use."""


class Pages:
    """Which rows of which banks bursts with rising numbers lie in.

    bursts: neighbours in one row of one bank, of every channel over which they spread.
    """

    def __init__(self, spec: Any) -> None:
        low, self._column, self._group, self._row = 0, 0, 0, 0
        self.channels = int(spec.geometry.channels)
        for name, bits in spec.geometry.address_fields():
            mask = ((1 << bits) - 1) << low
            self._column |= mask if name in ("column", "channel") else 0
            self._group |= mask if name == "bank_group" else 0
            self._row |= mask if name == "row" else 0
            low += bits
        self._all = (1 << low) - 1
        self.total = 1 << low
        self.bursts = _trailing_ones(self._column)

    def bursts_of_group(self) -> int:
        """Neighbours in one bank group."""
        return _trailing_ones(~self._group & self._all)

    def of(self, region: int, bursts: int) -> tuple[np.ndarray, np.ndarray]:
        """(bank, row), int64 each, of the rows that the first `bursts` of a region touch, in rising order."""
        first = region % REGIONS * (self.total // REGIONS)
        block = (first + np.arange(0, bursts, self.bursts, dtype=np.int64)) % self.total
        page = block & ~self._column
        _, at = np.unique(page, return_index=True)
        page = page[np.sort(at)]
        return page & ~self._row, page & self._row


class OpenRows:
    """Follows which row each bank has open while transfers come one after another."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._regions: dict[tuple[int, str], int] = {}
        self._open: dict[int, int] = {}
        self._known: dict[tuple[int, int], tuple[list[int], list[int]]] = {}

    def close(self) -> None:
        """A refresh closes all rows."""
        self._open.clear()

    def access(self, layer: int, operand: str, bursts: int) -> tuple[int, bool, bool]:
        """A transfer of so many bursts of a (layer, operand): rows it opens; whether its first bank has that row open
        already, and whether it has none open."""
        region = self._regions.setdefault((layer, operand), len(self._regions))
        key = region, -(-bursts // self._pages.bursts)
        if key not in self._known:
            bank_of, row_of = self._pages.of(region, bursts)
            self._known[key] = bank_of.tolist(), row_of.tolist()
        banks, rows = self._known[key]
        first = self._open.get(banks[0])
        opened = 0
        for bank, row in zip(banks, rows, strict=True):
            if self._open.get(bank) != row:
                opened += 1
                self._open[bank] = row
        return opened * self._pages.channels, first == rows[0], first is None

class HeldWrites:
    """Writes that wait in the controller's queue: it drains them where it has nothing else to do and holds more than
    `drain_above`, first the ones that made it begin, then, of what came meanwhile, again as many as are enough."""

    def __init__(self, drain_above: int) -> None:
        self._drain_above = drain_above
        self._held: dict[tuple[tuple[int, str], int], None] = {}

    def store(self, region: tuple[int, str], bursts: int) -> dict[tuple[int, str], int]:
        """Writes that are drained because of a store, by region; a burst that is held already is merged into that."""
        found: dict[tuple[int, str], int] = {}
        several = 2 * (self._drain_above + 1)
        if bursts > several:  # all but the last are gone when these arrive
            found[region] = bursts - several
            for key in [key for key in self._held if key[0] == region and key[1] < bursts - several]:
                del self._held[key]
        for block in range(max(0, bursts - several), bursts):
            self._held.setdefault((region, block))
        for batch in (self._drain_above + 1, len(self._held)):
            for key in list(self._held)[:batch] if len(self._held) > self._drain_above else ():
                del self._held[key]
                found[key[0]] = found.get(key[0], 0) + 1
        return found

    def load(self, region: tuple[int, str], bursts: int) -> int:
        """Bursts of a load that are served out of held writes."""
        return sum(key[0] == region and key[1] < bursts for key in self._held)


def _trailing_ones(mask: int) -> int:
    """2 to the number of ones below the lowest zero of a mask."""
    return (mask + 1) & ~mask
