"""SRAM macros out of a compact CACTI 7 table: energy, leakage, times and area by log-log interpolation.

`cacti7.yaml` holds the numbers, how they were made, and their caveats.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from math import exp, log
from pathlib import Path
from typing import Any

import yaml

from simulator.errors import InputError, unknown

TABLE = Path(__file__).with_name("cacti7.yaml")
QUANTITIES = ("read_pj", "write_pj", "leak_mw", "gate_leak_mw", "access_ns", "cycle_ns", "area_mm2")
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Macro:
    """One SRAM macro with one read/write port and `word_bits` per access.

    read_pj, write_pj   dynamic energy of one access, pJ
    leak_mw             subthreshold leakage, mW
    gate_leak_mw        gate leakage, mW; not contained in the former
    access_ns           address in to data out, ns
    cycle_ns            shortest time between two accesses, ns
    area_mm2            area, mm2
    """

    capacity_bytes: int
    word_bits: int
    read_pj: float
    write_pj: float
    leak_mw: float
    gate_leak_mw: float
    access_ns: float
    cycle_ns: float
    area_mm2: float

    @property
    def static_mw(self) -> float:
        """Static power: both leakages, mW."""
        return self.leak_mw + self.gate_leak_mw


def sram_series() -> tuple[str, ...]:
    """Names of the series: device type and node, such as "lop28" (low operating power, 28 nm)."""
    return tuple(_table()["series"])


def sram_macro(series: str, capacity_bytes: int) -> Macro:
    """The macro of a series with this capacity, interpolated log-log between the two capacities beside it.

    InputError for an unknown series, and for a capacity outside the table: nothing is extrapolated.
    """
    table = _table()
    if series not in table["series"]:
        raise unknown("SRAM series", series, table["series"])
    capacities = table["capacity_bytes"]
    if not capacities[0] <= capacity_bytes <= capacities[-1]:
        raise InputError(
            "the SRAM table is not extrapolated", key="capacity of one macro", found=f"{capacity_bytes} bytes",
            allowed=f"{capacities[0]} .. {capacities[-1]} bytes: use more or fewer banks, or state the values",
        )  # fmt: skip
    left = max(i for i, (a, _) in enumerate(pairwise(capacities)) if a <= capacity_bytes)
    low, high = capacities[left], capacities[left + 1]
    share = log(capacity_bytes / low) / log(high / low)
    found = {name: _between(table["series"][series][name], left, share) for name in QUANTITIES}
    return Macro(capacity_bytes, table["word_bits"], **found)


def sram_source(series: str, capacity_bytes: int) -> str:
    """Where the values of a macro come from and what to keep in mind about them, in words."""
    table = _table()
    node = series.lstrip("hlopst")
    parts = [
        f"CACTI 7 (HewlettPackard/cacti 1ffd8df), series {series}: itrs-{series.removesuffix(node)}, {node} nm, "
        f"{table['word_bits']}-bit word, one read/write port, 350 K, {capacity_bytes} B"
    ]
    if capacity_bytes not in table["capacity_bytes"]:
        parts.append("log-log between tabulated capacities")
    parts += [text for key, text in table["caveats"].items() if series.startswith(key) or series.endswith(key)]
    return "; ".join(parts)


def _between(values: list[float], left: int, share: float) -> float:
    """Point `share` of the way from values[left] to values[left + 1] on a logarithmic scale; the ends are exact."""
    if share == 0.0:
        return values[left]
    if share == 1.0:
        return values[left + 1]
    return exp((1 - share) * log(values[left]) + share * log(values[left + 1]))


@cache
def _table() -> dict[str, Any]:
    table: dict[str, Any] = yaml.load(TABLE.read_text(encoding="utf-8"), Loader=_Loader)
    return table
