"""Strength: how firmly a fit holds on to what the closed form says, chosen by what held-out points say."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from simulator.costmodel.fit import PRIORS, fit_counts, fit_times
from simulator.costmodel.surface import Surface

GAIN = 0.01
"""Share of the held-out error that a freer fit must take away."""


def strengths(surface: Surface, folds: Sequence[tuple[np.ndarray, np.ndarray]]) -> tuple[float, np.ndarray]:
    """(of the weights, of the factors [G]), each one of `PRIORS`; folds: points to learn from and to ask, by number.

    Without folds nothing may change.
    """
    groups = len(surface.groups)
    late = np.zeros(len(PRIORS))
    weights = []
    for learn, ask in folds:
        weights.append([fit_times(surface, learn, prior) for prior in PRIORS])
        late += [np.abs(surface.ends(w, ask)[0] / surface.end[ask] - 1).sum() for w in weights[-1]]
    chosen = _firmest(late)
    own = np.zeros((len(PRIORS), groups))
    made = []
    for (learn, ask), found in zip(folds, weights, strict=True):
        total = surface.total[ask, None]
        costs = surface.costs(found[chosen], ask) / total
        factors = np.stack([fit_counts(surface, learn, found[chosen], prior) for prior in PRIORS])
        own += np.abs(factors[:, None] * costs - surface.energies[ask] / total).sum(axis=1)
        leaked = surface.power[ask] * surface.ends(found[chosen], ask)[0] / total[:, 0]
        made.append((factors, costs, leaked))
    each = np.array([_firmest(own[:, g]) for g in range(groups)], np.int64)
    fixed = np.full(groups, len(PRIORS) - 1)
    off = [
        sum(float(np.abs(c @ f[choice, np.arange(groups)] + leaked - 1).sum()) for f, c, leaked in made)
        for choice in (each, fixed)
    ]
    best = each if off[0] < (1 - GAIN) * off[1] else fixed
    return PRIORS[chosen], np.array(PRIORS)[best]


def _firmest(errors: np.ndarray) -> int:
    """Number of the firmest prior but for those with which a freer one does clearly better."""
    best = len(PRIORS) - 1
    for n in reversed(range(len(PRIORS) - 1)):
        if errors[n] < (1 - GAIN) * errors[best]:
            best = n
    return best
