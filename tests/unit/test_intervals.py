"""Intervals cover what they say, follow what makes points hard, and keep their order."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.costmodel.intervals import ALWAYS, Interval
from simulator.errors import InputError


def drawn(count: int, seed: int, hard: float = 0.0) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Errors of 1 % to 1 % + hard x feature, and the feature, uniform in 0 .. 1."""
    rng = np.random.Generator(np.random.PCG64(seed))
    feature = rng.uniform(0, 1, count)
    return rng.normal(size=count) * (0.01 + hard * feature), {"coarse": feature}


@pytest.mark.parametrize("level", [0.5, 0.8, 0.9])
def test_share_of_new_points_inside(level: float) -> None:
    """4000 new points: three standard deviations of the share, and of 2000 that set the quantiles, are 3 %."""
    made = Interval.of(*drawn(2000, 1, 0.05), level)
    errors, hard = drawn(4000, 2, 0.05)
    scale = made.scales(hard)
    assert ((made.low * scale <= errors) & (errors <= made.high * scale)).mean() == pytest.approx(level, abs=0.03)


def test_hard_points_get_wider_intervals() -> None:
    """The true spread is 1 % at feature 0 and 11 % at 1; a constant width would be 6 % everywhere."""
    made = Interval.of(*drawn(2000, 1, 0.1), 0.9)
    easy, hard = (np.diff(made.factors({"coarse": x}))[0] for x in (0.0, 1.0))
    assert hard / easy == pytest.approx(11, rel=0.45)
    assert set(made.scale) <= {ALWAYS, "coarse"} and min(made.scale.values()) > 0


def test_a_feature_that_says_nothing_changes_little() -> None:
    errors, _ = drawn(2000, 1)
    made = Interval.of(errors, drawn(2000, 3)[1], 0.9)
    easy, hard = (np.diff(made.factors({"coarse": x}))[0] for x in (0.0, 1.0))
    assert hard / easy == pytest.approx(1, abs=0.2)


def test_quantiles_of_few_points_are_order_statistics() -> None:
    """Nine errors 1 .. 9 %: a new one lies beyond the largest in one of ten cases, so 80 % are between the ends."""
    errors = np.arange(1, 10) / 100
    made = Interval.of(errors, {}, 0.8)
    assert made.factors({}) == pytest.approx((1.01, 1.09))
    assert Interval.of(errors, {}, 0.6).factors({}) == pytest.approx((1.02, 1.08))


def test_ends_of_an_interval_are_never_negative_and_keep_their_order() -> None:
    made = Interval.of(np.array([-0.9, -0.5, 0.1, 3.0]), {"coarse": np.array([0.0, 0.0, 1.0, 50.0])}, 0.9)
    low, high = made.factors({"coarse": 1000.0})
    assert 0 <= low <= high
    assert Interval.of(np.zeros(5), {}, 0.9).factors({}) == pytest.approx((1, 1))


@pytest.mark.parametrize("level", [0.0, 1.0, -1.0, 90.0])
def test_levels_that_are_no_shares_are_refused(level: float) -> None:
    with pytest.raises(InputError, match="level"):
        Interval.of(np.zeros(3), {}, level)
