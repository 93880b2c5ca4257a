"""Numbers with units as people read them: three digits and an SI prefix."""

from __future__ import annotations

import math

_PREFIXES = (
    *((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, "")),
    *((1e-3, "m"), (1e-6, "µ"), (1e-9, "n"), (1e-12, "p")),
)


def scale_for(largest: float) -> tuple[float, str]:
    """(divisor, prefix) that brings `largest` between 1 and 1000; (1, "") for zero."""
    size = abs(largest)
    if size == 0 or not math.isfinite(size):
        return 1.0, ""
    # with three digits 999.5 would be shown as 1000, so the next prefix starts there
    for factor, prefix in _PREFIXES:
        if size >= factor * 0.9995:
            return factor, prefix
    return _PREFIXES[-1]


def quantity(value: float | None, unit: str, digits: int = 3) -> str:
    """`value` in `unit` with a prefix: 0.0000123 s is "12.3 µs"; None is a dash."""
    if value is None:
        return "–"
    factor, prefix = scale_for(value)
    scaled = value / factor
    size = abs(scaled)
    rounded = float(f"{size:.{digits - 1}e}")  # 0.9996 is shown as 1.00, not as 1.000
    places = digits - 1 if size == 0 else max(0, digits - 1 - math.floor(math.log10(rounded)))
    if isinstance(value, int) and factor == 1.0:
        places = 0
    return f"{scaled:.{places}f} {prefix}{unit}".rstrip()


def percent(value: float | None, digits: int = 1) -> str:
    """A share as percent; None is a dash."""
    return "–" if value is None else f"{100 * value:.{digits}f} %"
