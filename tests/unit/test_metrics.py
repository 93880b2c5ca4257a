"""Figures of a validation table: worked by hand, and against their definitions over all pairs."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest

from simulator.costmodel.metrics import Metrics, inversions, kendall, mean_ranks, metrics, spearman
from simulator.errors import InputError


def tau_by_definition(x: list[float], y: list[float]) -> float:
    """tau-b as a sum over pairs (M. G. Kendall, "The treatment of ties in ranking problems", 1945)."""
    sign = [(np.sign(x[i] - x[j]), np.sign(y[i] - y[j])) for i, j in combinations(range(len(x)), 2)]
    top = sum(a * b for a, b in sign)
    return float(top / math.sqrt(sum(a * a for a, _ in sign) * sum(b * b for _, b in sign)))


def rho_by_definition(x: list[float], y: list[float]) -> float:
    """1 - 6 sum d^2 / (n (n^2 - 1)), which holds without ties."""
    rank = [[sorted(v).index(e) for e in v] for v in (x, y)]
    d = sum((a - b) ** 2 for a, b in zip(*rank, strict=True))
    return 1 - 6 * d / (len(x) * (len(x) ** 2 - 1))


def test_errors_worked_by_hand() -> None:
    """Errors +5 %, -10 %, +20 %, 0: mean size 8.75 %, bias 3.75 %, three of four near."""
    found = metrics(np.array([100.0, 200.0, 10.0, 50.0]), np.array([105.0, 180.0, 12.0, 50.0]))
    assert found.points == 4
    assert found.mape == pytest.approx(0.0875)
    assert found.bias == pytest.approx(0.0375)
    assert found.p50 == pytest.approx(0.075)  # half way between 5 % and 10 %
    assert found.p95 == pytest.approx(0.1 + 0.85 * 0.1)  # 0.95 x 3 steps = 2.85: between 10 % and 20 %
    assert found.near == pytest.approx(0.75)
    assert found.kendall == 1.0 and found.spearman == 1.0


def test_points_without_an_answer_or_a_figure_are_left_out() -> None:
    found = metrics(np.array([100.0, 0.0, 10.0]), np.array([110.0, 5.0, np.nan]))
    assert (found.points, found.mape, found.kendall) == (1, pytest.approx(0.1), None)
    assert metrics(np.zeros(2), np.ones(2)) == Metrics(0, None, None, None, None, None, None, None)


def test_tau_worked_by_hand() -> None:
    """Pairs of 1 2 3 4 against 1 3 2 4: five agree, one does not: (5 - 1) / 6; with ties: see the sum."""
    assert kendall(np.arange(4), np.array([1, 3, 2, 4])) == pytest.approx(4 / 6)
    assert kendall(np.arange(4), np.array([4, 3, 2, 1])) == -1.0
    # x = 1 1 2 3, y = 1 2 2 3: C = 4, D = 0, one pair tied in x alone, one in y alone
    assert kendall(np.array([1, 1, 2, 3]), np.array([1, 2, 2, 3])) == pytest.approx(4 / 5)
    assert kendall(np.ones(3), np.arange(3)) is None
    assert kendall(np.ones(1), np.ones(1)) is None


@pytest.mark.parametrize("seed", range(12))
def test_tau_and_inversions_are_their_definitions(seed: int) -> None:
    rng = np.random.Generator(np.random.PCG64(seed))
    n, values = int(rng.integers(2, 60)), int(rng.integers(2, 70))
    x, y = (rng.integers(0, values, n).astype(float) for _ in range(2))
    x[0], x[-1], y[0], y[-1] = 0, 1, 0, 1  # never all equal
    assert kendall(x, y) == pytest.approx(tau_by_definition(x.tolist(), y.tolist()), abs=1e-12)
    ranks = y.astype(np.int64)
    assert inversions(ranks) == sum(ranks[i] > ranks[j] for i, j in combinations(range(n), 2))


def test_tau_of_many_points_is_quick() -> None:
    """10^5 points: pairs one by one would take 5 x 10^9 comparisons; reversed order has the most inversions."""
    n = 100_000
    assert kendall(np.arange(n), -np.arange(n)) == -1.0
    assert inversions(np.arange(n)[::-1].copy()) == n * (n - 1) // 2


def test_spearman_worked_by_hand() -> None:
    x, y = [1.0, 2.0, 3.0, 4.0, 5.0], [2.0, 1.0, 4.0, 3.0, 5.0]
    assert rho_by_definition(x, y) == pytest.approx(0.8)
    assert spearman(np.array(x), np.array(y)) == pytest.approx(0.8)
    assert mean_ranks(np.array([7.0, 3.0, 7.0, 9.0])).tolist() == [2.5, 1.0, 2.5, 4.0]
    # ranks 1 2.5 2.5 4 against 1 2 3 4: covariance 4.5, squares 4.5 and 5
    assert spearman(np.array([1.0, 2, 2, 3]), np.arange(4.0)) == pytest.approx(4.5 / math.sqrt(4.5 * 5))
    assert spearman(np.ones(3), np.arange(3)) is None


def test_rows_of_different_length_are_refused() -> None:
    with pytest.raises(InputError, match="equally many"):
        metrics(np.ones(3), np.ones(2))
