"""The SRAM table: ends exact, in between their geometric mean, monotone; nothing is extrapolated."""

from __future__ import annotations

from itertools import pairwise
from math import exp, log

import pytest

from simulator.errors import InputError
from simulator.hardware.cacti import QUANTITIES, sram_macro, sram_series

CAPACITIES = tuple(1024 << i for i in range(14))


def test_keyed_values_come_back_exactly() -> None:
    macro = sram_macro("lop28", 32768)
    assert (macro.read_pj, macro.write_pj, macro.access_ns, macro.word_bits) == (2.71, 2.23, 0.647, 64)
    assert sram_macro("hp22", 8388608).read_pj == 50.4


@pytest.mark.parametrize("series", sram_series())
def test_between_two_capacities_lies_their_geometric_mean(series: str) -> None:
    for low, high in pairwise(CAPACITIES):
        middle = round((low * high) ** 0.5)  # off by up to 1.1e-4, slopes are at most 1.5
        a, m, b = (sram_macro(series, c) for c in (low, middle, high))
        for name in QUANTITIES:
            expected = exp((log(getattr(a, name)) + log(getattr(b, name))) / 2)
            assert getattr(m, name) == pytest.approx(expected, rel=2e-4), name


@pytest.mark.parametrize("series", sram_series())
def test_more_capacity_never_costs_less_to_read_or_to_keep(series: str) -> None:
    macros = [sram_macro(series, 1024 << i) for i in range(14)]
    for name in ("read_pj", "static_mw", "access_ns", "area_mm2"):
        values = [getattr(macro, name) for macro in macros]
        assert values == sorted(values), name


@pytest.mark.parametrize("capacity", [1023, 8388609, 1 << 30])
def test_nothing_is_extrapolated(capacity: int) -> None:
    with pytest.raises(InputError, match="not extrapolated"):
        sram_macro("lop28", capacity)


def test_an_unknown_series_names_the_nearest() -> None:
    with pytest.raises(InputError, match="lop28"):
        sram_macro("lop29", 1024)
