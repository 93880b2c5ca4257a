"""Whether the parts of a machine fit together."""

from __future__ import annotations

import re
from collections.abc import Mapping

from simulator.errors import InputError, nearest, unknown
from simulator.hardware.constant import OVERRIDDEN
from simulator.hardware.specs.base import UnitSpec
from simulator.hardware.specs.sram import Sram

PRICE_SETS = ("aladdin40", "horowitz45")
"""Sets of operation prices that differ by up to a factor of 4; one machine uses one of them."""


def check_hardware(clocks: Mapping[str, int], main_clock: str, units: Mapping[str, UnitSpec], price_set: str) -> None:
    """Raises InputError, with the key path, for the first thing that does not fit."""
    if main_clock not in clocks:
        raise unknown("clock", main_clock, clocks, key="main_clock")
    if not units:
        raise InputError("a machine needs at least one unit", key="units")
    for name, spec in units.items():
        if spec.clock not in clocks:
            raise unknown("clock", spec.clock, clocks, key=f"units.{name}.clock")
        _check_references(name, spec, units)
        _check_prices(name, spec, price_set)
        if isinstance(spec, Sram):
            _check_sram(name, spec)


def _check_references(name: str, spec: UnitSpec, units: Mapping[str, UnitSpec]) -> None:
    for field, types in spec.REFERENCES.items():
        target = getattr(spec, field)
        if target is None or (target in units and units[target].type in types):
            continue
        choices = [other for other, unit in units.items() if unit.type in types]
        kind = " or ".join(types)
        message = f"this unit is no {kind}" if target in units else f"there is no such {kind}"
        found = f"{target} ({units[target].type})" if target in units else target
        raise InputError(
            message, key=f"units.{name}.{field}", found=found, allowed=choices, nearest=nearest(target, choices)
        )


def _check_prices(name: str, spec: UnitSpec, price_set: str) -> None:
    for field, constant in spec.constants().items():
        # A price set by hand is the explicit exception; its source says so.
        if OVERRIDDEN in constant.source:
            continue
        for other in PRICE_SETS:
            if other != price_set and re.search(rf"\b{other}\b", constant.source):
                raise InputError(
                    "two price sets are mixed",
                    key=f"units.{name}.{field}",
                    found=constant.source,
                    allowed=f"prices of {price_set}, the price_set of this machine",
                )


def _check_sram(name: str, spec: Sram) -> None:
    bits = spec.capacity_bytes * 8
    row = spec.banks * spec.width_bits
    if bits % row:
        raise InputError(
            "capacity is no whole number of words per bank",
            key=f"units.{name}.capacity_bytes",
            found=spec.capacity_bytes,
            allowed=f"a multiple of {row} bits (banks x width_bits)",
        )
