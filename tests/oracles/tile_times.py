"""Expected longest of projections that are driven or not, by adding up all cases."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import prod


def expected_longest(times: Sequence[float], chances: Sequence[float], least: float) -> float:
    """Mean of the longest of `least` and of the times that are there, each with its chance."""
    return sum(
        prod(p if there else 1 - p for p, there in zip(chances, case, strict=True))
        * max([least, *(time for time, there in zip(times, case, strict=True) if there)])
        for case in product((False, True), repeat=len(times))
    )
