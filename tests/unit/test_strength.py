"""Calibration changes what held-out points gain from, and nothing else."""

from __future__ import annotations

import numpy as np

from simulator.costmodel.fit import PRIORS, refine
from simulator.costmodel.lesson import Lesson
from simulator.costmodel.scope import Scope
from simulator.costmodel.strength import strengths
from simulator.costmodel.surface import Surface
from tests.unit.toy_chip import HARDWARE, TERMS, toy_features, toy_points

TRUE = (1.25, 0.8, 1.5, 0.4)
DEFAULT = [term.weight for term in TERMS]
FREE, FIXED = PRIORS[0], PRIORS[-1]


def chosen(surface: Surface) -> tuple[float, dict[str, float]]:
    """Strengths by the toy's six architectures in three folds."""
    refine(surface)
    names = [[f"net{n}", f"net{n + 3}"] for n in range(3)]
    folds = [np.isin(surface.architectures, pair) for pair in names]
    times, counts = strengths(surface, [(np.flatnonzero(~fold), np.flatnonzero(fold)) for fold in folds])
    return times, {action: value for (_, action), value in zip(surface.groups, counts.tolist(), strict=True)}


def test_what_is_wrong_is_free_and_what_is_right_is_fixed() -> None:
    times, counts = chosen(Surface(toy_points(TRUE, 1.1)))
    assert times == FREE
    assert counts["accumulate:partial_sum"] == FREE and counts["decode:spike"] == FIXED


def test_noise_changes_nothing() -> None:
    times, counts = chosen(Surface(toy_points(DEFAULT, 1.0, noise=0.03)))
    assert times == FIXED and set(counts.values()) == {FIXED}


def test_without_folds_nothing_changes() -> None:
    surface = Surface(toy_points(TRUE, 1.1))
    refine(surface)
    times, counts = strengths(surface, [])
    assert times == FIXED and (counts == FIXED).all()


def test_a_model_of_a_closed_form_that_is_right_is_the_closed_form() -> None:
    points = toy_points(DEFAULT, 1.0, noise=0.03)
    model = Lesson(Surface(points), toy_features(points), Scope.of([HARDWARE])).model()
    assert [term.weight for term in model.terms] == DEFAULT and not model.counts
