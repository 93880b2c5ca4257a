"""Fit: weights of times and factors of counts that bring the closed form as near to the simulator as they can.

Times: sum over points of ((end(w) - T) / T)^2 + RIDGE x spread x (w - w0)^2, w >= 0; end(w) is a maximum of planes, so
it is fitted with those that are highest at the last weights, until they stay (Gauss and Newton's method).
Counts: every group of counters has its own factor f, so that one error cannot hide another: least sum over points of
((f e - s) / E)^2 + RIDGE x spread x (f - 1)^2, with e, s the energy of the group, estimated and simulated, and E that
of the run.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.costmodel.nnls import nnls
from simulator.costmodel.surface import Surface

RIDGE = 1e-3
"""How strongly weights stay where they were, beside what the points say."""
ROUNDS = 20
"""Most rounds of planes that change at fixed tangents."""
TOUCHES = 4
"""Times that the closed form is priced anew at the weights found."""
DIGITS = 6
"""Significant digits of a weight."""


@dataclass(frozen=True, eq=False)
class Fit:
    """Weights of the terms, float64 [K], and factors of the groups of counters, float64 [G]; all >= 0."""

    weights: np.ndarray
    factors: np.ndarray


def refine(surface: Surface) -> Fit:
    """Touches the surface at the prior and at the weights that fit all points, until these stay; the last fit."""
    everyone = np.ones(len(surface.points), bool)
    surface.touch(surface.prior)
    found = fit(surface, everyone)
    for _ in range(TOUCHES):
        surface.touch(found.weights)
        last, found = found, fit(surface, everyone)
        if np.abs(found.weights - last.weights).max(initial=0.0) <= 1e-3:
            break
    return found


def fit(surface: Surface, use: np.ndarray) -> Fit:
    """The fit to the points that `use`, bool [N], names."""
    weights = fit_times(surface, use)
    return Fit(weights, fit_counts(surface, use, weights))


def fit_times(surface: Surface, use: np.ndarray) -> np.ndarray:
    """Weights of the terms from the points that `use` names."""
    truth = surface.end[use]
    weights = surface.prior.copy()
    error = np.inf
    for _ in range(ROUNDS):
        plane = surface.about(weights)
        matrix = plane.slope[use] / truth[:, None]
        rest = (plane.end - plane.slope @ weights)[use] / truth
        spread = (matrix * matrix).sum(axis=0)
        pull = RIDGE * np.maximum(spread, 1e-3 * max(float(spread.max(initial=0.0)), 1e-9))
        wanted = nnls(matrix, 1 - rest, surface.prior, pull)
        share = 1.0
        while True:  # the planes change on the way: no further than the error falls
            tried = weights + share * (wanted - weights)
            made = surface.about(tried).end[use] / truth - 1
            reached = float(made @ made + pull @ (tried - surface.prior) ** 2)
            if reached < error or share < 1e-2:
                break
            share /= 2
        if reached >= error * (1 - 1e-9):
            break
        weights, error = tried, reached
    return rounded(weights)


def fit_counts(surface: Surface, use: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Factors of the groups of counters, at these weights of the times, from the points that `use` names."""
    total = surface.total[use]
    made = surface.about(weights).energies[use] / total[:, None]
    true = surface.energies[use] / total[:, None]
    size = (made * made).sum(axis=0)
    pull = np.maximum(RIDGE * size, 1e-12)
    return rounded(((made * true).sum(axis=0) + pull) / (size + pull))


def rounded(values: np.ndarray) -> np.ndarray:
    """Values to DIGITS significant digits: what a file shows is what is used."""
    return np.array([float(f"{value:.{DIGITS}g}") for value in values.tolist()])
