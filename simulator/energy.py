"""Energy of a run: price x count in ledger order, plus static power x time.

Totals are `math.fsum` of the single terms in ledger order, so they do not depend on how they are grouped.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.errors import InputError, InvariantError
from simulator.ledger import UNATTRIBUTED

if TYPE_CHECKING:
    from simulator.hardware import Hardware
    from simulator.record import Record

STATIC = "static"
"""Verb of the actions that stand for static power, and the category they belong to."""


@dataclass(frozen=True)
class Term:
    """One product: `pj` of one action of one unit for one layer, with the grade of its price."""

    unit: str
    layer: str
    action: str
    category: str
    grade: str
    pj: float


@dataclass(frozen=True)
class Energy:
    """All energy of a run in pJ; each `by_*` adds up to `total`.

    `terms` lists dynamic terms in ledger order (unit, layer, action), then static ones by unit.
    """

    terms: tuple[Term, ...]

    @cached_property
    def total(self) -> float:
        """Dynamic and static energy, pJ."""
        return math.fsum(t.pj for t in self.terms)

    @cached_property
    def static(self) -> float:
        """Static power x time, pJ."""
        return math.fsum(t.pj for t in self.terms if t.category == STATIC)

    @cached_property
    def dynamic(self) -> float:
        """Price x count, pJ."""
        return math.fsum(t.pj for t in self.terms if t.category != STATIC)

    def by(self, key: Callable[[Term], Any]) -> dict[Any, float]:
        """Energy in pJ grouped by `key(term)`, groups in ledger order of their first term."""
        groups: dict[Any, list[float]] = {}
        for term in self.terms:
            groups.setdefault(key(term), []).append(term.pj)
        return {name: math.fsum(parts) for name, parts in groups.items()}

    @cached_property
    def by_unit(self) -> dict[str, float]:
        """Energy in pJ per unit."""
        return self.by(lambda t: t.unit)

    @cached_property
    def by_action(self) -> dict[str, float]:
        """Energy in pJ per action "verb:operand"; static power appears as "static:leakage", "static:background" ..."""
        return self.by(lambda t: t.action)

    @cached_property
    def by_layer(self) -> dict[str, float]:
        """Energy in pJ per layer; static energy is under "unattributed"."""
        return self.by(lambda t: t.layer)

    @cached_property
    def by_grade(self) -> dict[str, float]:
        """Energy in pJ per grade of the price it rests on (measured, published, derived, assumed, reconstruction)."""
        return self.by(lambda t: t.grade)


def static_powers(spec: Any, built: Mapping[str, int] | None = None) -> dict[str, Any]:
    """Static power constants of a unit: operand ("leakage", "background") -> Constant in mW.

    built: what a mapping made the unit consist of (`Record.built`), for units that are made for their network.
    """
    powers: dict[str, Any] = spec.built_leakage_mw(built or {})
    return powers


def energy_of(record: Record) -> Energy:
    """Prices every non-zero count of the ledger and the static power of every unit.

    Raises InvariantError when a unit counted an action that its type does not declare.
    """
    terms = []
    specs = record.hardware.units
    priced = {
        unit: {a.name: (a.category, specs[unit].price_of(a)) for a in specs[unit].ACTIONS}
        for unit in record.units
    }
    for u, layer, a in np.argwhere(record.counts).tolist():
        unit, action = record.units[u], record.actions[a]
        if action not in priced[unit]:
            raise InvariantError(
                f"unit {unit}: counted {int(record.counts[u, layer, a])} of {action!r}, "
                f"which its type prices 0 times (it declares {sorted(priced[unit])})"
            )
        category, price = priced[unit][action]
        if price is None:
            raise InvariantError(
                f"unit {unit}: counted {int(record.counts[u, layer, a])} of {action!r}, which its description leaves "
                "without a price"
            )
        pj = float(price.value) * int(record.counts[u, layer, a])
        terms.append(Term(unit, record.layers[layer], action, category, price.grade, pj))
    for unit in record.units:
        for operand, power in static_powers(specs[unit], record.built.get(unit)).items():
            # 1 mW for 1 ps is 1e-15 J = 1e-3 pJ
            pj = float(power.value) * record.end_ps / 1000
            if pj:
                terms.append(Term(unit, UNATTRIBUTED, f"{STATIC}:{operand}", STATIC, power.grade, pj))
    return Energy(tuple(terms))


def check_same_timing(old: Hardware, new: Hardware) -> None:
    """Raises InputError, naming the first field, where two machines differ in more than prices.

    Prices, static power, area, sources, grades and descriptions may differ; every other field can change timing.
    """
    for field in ("clocks", "main_clock"):
        before, after = getattr(old, field), getattr(new, field)
        if before != after:
            raise _changes_timing(field, before, after)
    if list(old.units) != list(new.units):
        raise _changes_timing("units", list(old.units), list(new.units))
    for unit in old.units:
        before, after = _timing(old.units[unit].model_dump()), _timing(new.units[unit].model_dump())
        for key in sorted(before.keys() | after.keys()):
            if before.get(key) != after.get(key):
                raise _changes_timing(f"{unit}.{key}", before.get(key), after.get(key))


def _changes_timing(key: str, before: object, after: object) -> InputError:
    return InputError(
        "this field changes timing, so a recorded run cannot be re-priced with it; simulate again",
        key=key,
        found=after,
        allowed=f"{before!r} (the value of the recorded run)",
    )


def _timing(dumped: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Flat dotted fields of a dumped spec that are neither price nor provenance."""
    found: dict[str, Any] = {}
    for name, value in dumped.items():
        if _is_price(name):
            continue
        if name == "adc" and isinstance(value, dict):
            # Which converter it is changes prices; how long and in what form it converts, changes timing.
            value = {key: part for key, part in value.items() if key not in CONVERTER_LABELS}
        if isinstance(value, dict) and {"value", "grade"} <= value.keys():
            found[prefix + name] = value["value"]
        elif isinstance(value, dict):
            found.update(_timing(value, f"{prefix}{name}."))
        else:
            found[prefix + name] = value
    return found


PRICED = ("_mw", "_mm2", "_nw", "_um2")
NO_TIMING = ("source", "grade", "description", "layout_overhead", "power_gating", "macro")
CONVERTER_LABELS = ("name", "node_nm", "cell_current")


def _is_price(name: str) -> bool:
    return "_energy_pj" in name or name.endswith(PRICED) or name in NO_TIMING
