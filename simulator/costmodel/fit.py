"""Fit: weights of times and factors of counts that bring the closed form as near to the simulator as they can.

Times: sum over points of loss((end(w) - T) / T) + prior x spread x (w - w0)^2, w >= 0, with Huber's loss (P. J. Huber,
"Robust estimation of a location parameter", Annals of Mathematical Statistics 35, 1964); end(w) is a maximum of planes,
so it is fitted with those that are highest at the last weights, and points are weighted by their last errors, until
both stay (Gauss and Newton's method, reweighted).
Counts: every group of counters has its own factor f, so that one error cannot hide another: least sum over points of
loss((f e - s) / E) + prior x spread x (f - 1)^2, with e, s the energy of the group, estimated and simulated, and E
that of the run.  The spread of a term or group is its mean square over the points, as a share of their time or energy.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.costmodel.nnls import nnls
from simulator.costmodel.surface import Surface

PRIORS = (1.0, 30.0, 1e3, 1e9)
"""What a weight was before calibration counts as much as so many average points: the choices, from free to fixed."""
KNEE = 0.001
"""A point counts by its error's size, no longer by its square, from the median error on, and at least from this one."""
SETTLED = 1e-5
"""Weights that change by less have settled."""
ROUNDS = 30
"""Most rounds of planes that change at fixed tangents."""
NEAR = 5e-3
"""Weights that lie closer to the last ones need no new planes."""
SHORTEST = 1e-2
"""Smallest share of a step that is tried."""
TOUCHES = 2
"""Times that the closed form is priced anew, at most, at the weights found."""
DIGITS = 6
"""Significant digits of a weight."""


@dataclass(frozen=True, eq=False)
class Fit:
    """Weights of the terms, float64 [K], and factors of the groups of counters, float64 [G]; all >= 0."""

    weights: np.ndarray
    factors: np.ndarray


def refine(surface: Surface) -> Fit:
    """Touches the surface at the prior and at the weights that fit all points, until these stay; the last fit."""
    everyone = np.arange(len(surface.points))
    surface.touch(surface.prior)
    found = fit(surface, everyone)
    for _ in range(TOUCHES):
        surface.touch(found.weights)
        last, found = found, fit(surface, everyone)
        if np.abs(found.weights - last.weights).max(initial=0.0) <= NEAR:
            break
    return found


def fit(surface: Surface, use: np.ndarray, times: float = PRIORS[0], counts: np.ndarray | float = PRIORS[0]) -> Fit:
    """The fit to the points with numbers `use`, int64 [n].

    times, counts: how many points the beginning of the weights, and of the factors [G], counts for.
    """
    weights = fit_times(surface, use, times)
    return Fit(weights, fit_counts(surface, use, weights, counts))


def fit_times(surface: Surface, use: np.ndarray, prior: float) -> np.ndarray:
    """Weights of the terms from the points with numbers `use`."""
    truth = surface.end[use]
    weights, knee = surface.prior.copy(), np.inf
    for _ in range(ROUNDS):
        end, slope = surface.ends(weights, use)
        error = end / truth - 1
        knee = min(knee, max(KNEE, float(np.median(np.abs(error)))))
        trust = _trust(error, knee)
        matrix = slope * (np.sqrt(trust) / truth)[:, None]
        spread = (matrix * matrix).mean(axis=0)
        pull = prior * np.maximum(spread, 1e-3 * max(float(spread.max(initial=0.0)), 1e-9))
        wanted = nnls(matrix, matrix @ weights - np.sqrt(trust) * error, surface.prior, pull)
        loss = _loss(error, knee) + float(pull @ (weights - surface.prior) ** 2)
        share = 1.0
        while share >= SHORTEST:  # planes change on the way: no further than the loss falls
            tried = weights + share * (wanted - weights)
            made = surface.ends(tried, use)[0] / truth - 1
            if _loss(made, knee) + float(pull @ (tried - surface.prior) ** 2) < loss:
                break
            share /= 2
        if share < SHORTEST or np.abs(tried - weights).max(initial=0.0) <= SETTLED:
            break
        weights = tried
    return rounded(weights)


def _trust(error: np.ndarray, knee: float) -> np.ndarray:
    """Weight of each error's square that makes a sum of squares lean on large errors as Huber's loss does."""
    return np.minimum(1, knee / np.maximum(np.abs(error), 1e-12))


def _loss(error: np.ndarray, knee: float) -> float:
    """Huber's loss: the square of an error up to the knee, straight beyond."""
    size = np.abs(error)
    return float(np.where(size <= knee, size**2, 2 * knee * size - knee**2).sum())


def fit_counts(surface: Surface, use: np.ndarray, weights: np.ndarray, prior: np.ndarray | float) -> np.ndarray:
    """Factors of the groups of counters, at these weights of the times, from the points with numbers `use`."""
    total = surface.total[use]
    made = surface.costs(weights, use) / total[:, None]
    true = surface.energies[use] / total[:, None]
    found = np.ones(made.shape[1])
    for _ in range(ROUNDS):
        error = made * found - true
        trust = _trust(error, max(KNEE, float(np.median(np.abs(error)))))
        size = (trust * made * made).sum(axis=0)
        pull = np.maximum(prior * size / total.size, 1e-12)
        last, found = found, ((trust * made * true).sum(axis=0) + pull) / (size + pull)
        if np.abs(found - last).max(initial=0.0) <= SETTLED:
            break
    return rounded(found)


def rounded(values: np.ndarray) -> np.ndarray:
    """Values to DIGITS significant digits: what a file shows is what is used."""
    return np.array([float(f"{value:.{DIGITS}g}") for value in values.tolist()])
