"""Least squares without negative weights: the conditions of the optimum, and every active set tried in turn."""

from __future__ import annotations

from itertools import chain, combinations

import numpy as np
import pytest

from simulator.costmodel.nnls import nnls


def best_of_all_sets(a: np.ndarray, b: np.ndarray) -> float:
    """Smallest squared error over all choices of columns whose plain least squares solution is not negative."""
    columns = range(a.shape[1])
    found = float(b @ b)
    for chosen in chain.from_iterable(combinations(columns, n) for n in range(1, a.shape[1] + 1)):
        x = np.linalg.lstsq(a[:, chosen], b, rcond=None)[0]
        if (x >= 0).all():
            found = min(found, float(((a[:, chosen] @ x - b) ** 2).sum()))
    return found


@pytest.mark.parametrize("seed", range(25))
def test_error_is_that_of_the_best_active_set(seed: int) -> None:
    rng = np.random.Generator(np.random.PCG64(seed))
    a = rng.normal(size=(int(rng.integers(2, 12)), 5))
    b = rng.normal(size=a.shape[0])
    x = nnls(a, b)
    assert (x >= 0).all()
    assert ((a @ x - b) ** 2).sum() == pytest.approx(best_of_all_sets(a, b), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("seed", range(25))
def test_conditions_of_the_optimum_hold_with_a_pull(seed: int) -> None:
    """Karush-Kuhn-Tucker: the gradient is zero where x > 0 and not negative where x = 0."""
    rng = np.random.Generator(np.random.PCG64(seed))
    a, b = rng.normal(size=(20, 8)) * 10.0 ** rng.integers(-3, 4, size=8), rng.normal(size=20)
    prior, pull = rng.uniform(0, 2, 8), rng.uniform(0.01, 1, 8)
    x = nnls(a, b, prior, pull)
    gradient = a.T @ (a @ x - b) + pull * (x - prior)
    size = np.abs(a.T @ b).max() + 1
    assert (x >= 0).all()
    assert np.abs(gradient[x > 0]).max(initial=0.0) <= 1e-7 * size
    assert gradient[x == 0].min(initial=0.0) >= -1e-7 * size


def test_a_column_that_says_nothing_keeps_its_prior() -> None:
    a = np.array([[1.0, 0.0], [2.0, 0.0]])
    assert nnls(a, np.array([3.0, 6.0]), np.array([1.0, 0.25]), np.array([0.0, 1.0])) == pytest.approx([3.0, 0.25])


def test_equal_columns_share_what_the_pull_allows() -> None:
    a = np.ones((4, 2))
    found = nnls(a, np.full(4, 3.0), np.array([1.0, 1.0]), np.full(2, 1e-6))
    assert found == pytest.approx([1.5, 1.5], rel=1e-5)


def test_nothing_to_fit() -> None:
    assert nnls(np.zeros((0, 3)), np.zeros(0), np.array([1.0, 0.0, 2.0]), np.ones(3)) == pytest.approx([1.0, 0.0, 2.0])
    assert nnls(np.zeros((3, 2)), np.ones(3)).tolist() == [0.0, 0.0]
