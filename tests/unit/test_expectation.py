"""Expected cycles of a count of events: against sums over its distribution, spelled out."""

from __future__ import annotations

import math

import numpy as np
import pytest

from simulator.costmodel.expectation import expected_cycles


def spelled_out(share: list[float], numerator: int, denominator: int, least: int) -> float:
    """Sum over counts of their probability times the cycles that they take."""
    return sum(p * max(least, -(-n * numerator // denominator)) for n, p in enumerate(share))


def asked(mean: float, variance: float, numerator: int, denominator: int, least: float) -> float:
    """The closed form of one count."""
    found = expected_cycles(np.array([mean]), np.array([variance]), numerator, denominator, np.array([least]))
    return float(found[0])


@pytest.mark.parametrize(("numerator", "denominator"), [(1, 1), (2, 6), (2, 3), (1, 4)])
@pytest.mark.parametrize("least", [1, 3, 7])
@pytest.mark.parametrize(("n", "p"), [(1, 0.3), (9, 0.05), (27, 0.1), (144, 0.02), (144, 0.2), (576, 0.4)])
def test_independent_events(n: int, p: float, numerator: int, denominator: int, least: int) -> None:
    """Binomial counts: within 1 % (what a count leaves when divided is taken as even beyond a few)."""
    share = [math.comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(n + 1)]
    expected = spelled_out(share, numerator, denominator, least)
    assert asked(n * p, n * p * (1 - p), numerator, denominator, least) == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize(("mean", "size"), [(0.5, 0.5), (4.0, 1.0), (20.0, 2.0), (60.0, 5.0)])
@pytest.mark.parametrize("least", [1, 4, 9])
def test_events_in_clusters(mean: float, size: float, least: int) -> None:
    """Negative binomial counts of this mean and variance mean + mean^2 / size."""
    q = size / (size + mean)
    gamma = [math.lgamma(size + k) - math.lgamma(size) - math.lgamma(k + 1) for k in range(1500)]
    share = [math.exp(gamma[k] + size * math.log(q) + k * math.log(1 - q)) for k in range(1500)]
    expected = spelled_out(share, 2, 6, least)
    assert asked(mean, mean + mean * mean / size, 2, 6, least) == pytest.approx(expected, rel=0.01)


def test_a_count_that_is_certain_is_exact_and_a_large_least_is_normal() -> None:
    assert asked(10, 0, 2, 6, 1) == 4 and asked(10, 0, 2, 6, 9) == 9
    assert asked(1000, 100, 1, 1, 1000) == pytest.approx(1000 + 10 / math.sqrt(2 * math.pi), rel=1e-6)


@pytest.mark.parametrize("variance", [1e-12, 1e-4, 0.1])
@pytest.mark.parametrize("mean", [0.05, 0.5, 1.5, 20.2, 500.5])
def test_a_variance_that_no_count_can_have_is_harmless(mean: float, variance: float) -> None:
    """Between the cycles of the next counts below and above the mean."""
    made = asked(mean, variance, 1, 3, 1)
    low, high = math.ceil(math.floor(mean) / 3), math.ceil(math.ceil(mean) / 3)
    assert max(1, low) - 0.5 <= made <= max(1, high) + 0.5
