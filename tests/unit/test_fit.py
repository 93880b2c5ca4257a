"""Fits find weights that are known, and stay sane where points say little."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.costmodel.chip import Priced
from simulator.costmodel.fit import fit, refine
from simulator.costmodel.lesson import Lesson
from simulator.costmodel.rates import Rates
from simulator.costmodel.scope import Scope
from simulator.costmodel.surface import Surface
from simulator.errors import InputError
from tests.unit.toy_chip import HARDWARE, TERMS, toy_features, toy_points

TRUE = (1.25, 0.8, 1.5, 0.4)


def everyone(surface: Surface) -> np.ndarray:
    """Numbers of all points."""
    return np.arange(len(surface.points))


def test_surface_is_the_closed_form_where_it_was_touched_and_never_above_it() -> None:
    surface = Surface(toy_points(TRUE, 1.0))
    for weights in (surface.prior, np.array(TRUE), np.array([0.0, 2.0, 1.0, 3.0])):
        surface.touch(weights)
        true = [point.price(weights)[0] for point in surface.points]
        assert surface.ends(weights, everyone(surface))[0] == pytest.approx(true, rel=1e-9)
    rng = np.random.Generator(np.random.PCG64(1))
    for _ in range(20):
        weights = rng.uniform(0, 3, 4)
        true = np.array([point.price(weights)[0] for point in surface.points])
        assert (surface.ends(weights, everyone(surface))[0] <= true * (1 + 1e-6)).all()


def test_known_weights_and_factors_are_found() -> None:
    surface = Surface(toy_points(TRUE, 1.1))
    found = refine(surface)
    assert found.weights == pytest.approx(TRUE, rel=0.01)
    factor = dict(zip(surface.groups, found.factors, strict=True))
    assert factor["cmos_core", "accumulate:partial_sum"] == pytest.approx(1.1, rel=2e-3)
    assert factor["cmos_core", "decode:spike"] == pytest.approx(1.0, rel=2e-3)


def test_known_weights_are_found_under_noise() -> None:
    assert refine(Surface(toy_points(TRUE, 1.0, noise=0.03))).weights == pytest.approx(TRUE, rel=0.08)


def test_nothing_is_changed_where_the_closed_form_is_right() -> None:
    found = refine(Surface(toy_points([t.weight for t in TERMS], 1.0)))
    assert found.weights.tolist() == [1, 1, 1, 0] and (found.factors == 1).all()


def test_weights_are_never_negative() -> None:
    """Runs that are faster than the closed form without its last term cannot make that one negative."""
    found = refine(Surface(toy_points((0.9, 0.9, 0.9, 0.0), 1.0)))
    assert (found.weights >= 0).all() and found.weights[3] == 0


def test_a_fit_does_not_see_what_is_held_out() -> None:
    points = toy_points(TRUE, 1.0)
    other = [p if p.architecture != "net2" else toy_points((9, 9, 9, 9), 3.0)[n] for n, p in enumerate(points)]
    use = np.flatnonzero([p.architecture != "net2" for p in points])
    made = []
    for each in (points, other):
        surface = Surface(each)
        for weights in (surface.prior, np.array(TRUE)):
            surface.touch(weights)
        made.append(fit(surface, use))
    assert made[0].weights.tolist() == made[1].weights.tolist()
    assert made[0].factors.tolist() == made[1].factors.tolist()


def test_errors_of_a_point_come_from_fits_without_its_architecture() -> None:
    points = toy_points(TRUE, 1.0)
    spoilt = [p if p.architecture != "net2" else toy_points((2, 2, 3, 2), 1.0)[n] for n, p in enumerate(points)]
    lesson = Lesson(Surface(spoilt), toy_features(spoilt), Scope.of([HARDWARE]))
    of = lesson.surface.architectures
    rows, latency, _ = lesson.errors("net2")
    assert set(of[rows]) == set(of) - {"net2"} and np.abs(latency).max() < 0.01
    rows, latency, _ = lesson.errors()
    assert (np.abs(latency[of[rows] == "net2"]) > 0.2).all()


def test_points_of_two_closed_forms_are_refused() -> None:
    points = toy_points(TRUE, 1.0)
    points[3].chip.terms = TERMS[:3]
    with pytest.raises(InputError, match="one closed form"):
        Surface(points)
    with pytest.raises(InputError, match="nothing to fit"):
        Surface([])


def test_a_jump_of_an_energy_is_no_slope() -> None:
    """An energy that doubles right above the weights that are touched does not run away beside them."""
    points = toy_points(TRUE, 1.0)[:1]
    plain = points[0].chip.price

    def jumping(found: Rates, weights: np.ndarray) -> Priced:
        made = plain(found, weights)
        return made._replace(counts=made.counts * (2 if weights[0] > 1 else 1))

    points[0].chip.price = jumping  # type: ignore[method-assign]
    surface = Surface(points)
    surface.touch(surface.prior)
    before = points[0].price(surface.prior)[1]
    assert surface.costs(np.array([1.1, 1, 1, 0]), everyone(surface))[0] == pytest.approx(before)
