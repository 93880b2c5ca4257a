"""Surface: time and energy of many points as functions of the weights of the closed form's terms.

The end of a run is a sum and maximum of weighted terms, so it is convex in the weights: it is the maximum of the planes
that touch it.  Each call of `touch` adds one plane per point, from forward differences; between the weights that were
touched the maximum of the planes stands for the closed form, and fits need not price anything again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simulator.costmodel.prices import Prices
from simulator.errors import InputError

if TYPE_CHECKING:
    from simulator.costmodel.chip import Chip, Term
    from simulator.costmodel.rates import Rates

STEP = 1e-4
"""Forward difference of a weight: far above rounding, far below the changes that calibration makes."""
JUMP = 1e-3
"""Energies are homogeneous of degree one at most, so that weight x slope is at most the energy; where a difference
exceeds that by more, the energy jumps there, as where a gap gets long enough for a memory to rest: no slope."""


@dataclass(frozen=True, eq=False)
class Point:
    """What a fit needs of one observation.

    architecture  the group that is held out together
    chip, found   the closed form and the rates to price it at
    prices        prices of its machine
    end           simulated end of the run, ps
    energies      simulated energy of each group of `prices`, pJ, float64 [G]
    """

    architecture: str
    chip: Chip
    found: Rates
    prices: Prices
    end: float
    energies: np.ndarray

    def price(self, weights: np.ndarray) -> tuple[float, np.ndarray]:
        """Estimated end, ps, and energy of each group, pJ, at these weights of the terms."""
        made = self.chip.price(self.found, weights)
        return float(made.end), self.prices.energies(made.counts)


class Surface:
    """Planes under the closed form of N points with K terms and G groups of counters.

    terms, groups       of all points
    end, energies       simulated, float64 [N] ps, [N, G] pJ;  power: static power, float64 [N] pJ per ps
    InputError where points have different terms or groups.
    """

    def __init__(self, points: Sequence[Point]) -> None:
        if not points:
            raise InputError("there is nothing to fit", found="no points")
        self.points = list(points)
        self.terms: tuple[Term, ...] = points[0].chip.terms
        self.groups = points[0].prices.groups
        for point in points:
            if point.chip.terms != self.terms or point.prices.groups != self.groups:
                raise InputError(
                    "points of one model share one closed form",
                    key=f"architecture {point.architecture}",
                    found=[t.name for t in point.chip.terms],
                    allowed=[t.name for t in self.terms],
                )
        self.prior = np.array([term.weight for term in self.terms], np.float64)
        self.architectures = np.array([point.architecture for point in points])
        self.end = np.array([point.end for point in points])
        self.energies = np.stack([point.energies for point in points])
        self.power = np.array([point.prices.power for point in points])
        self.total = self.energies.sum(axis=1) + self.power * self.end
        shape = len(points), len(self.terms)
        self._base, self._slope = np.zeros((0, shape[0])), np.zeros((0, *shape))
        self._cost = np.zeros((0, shape[0], len(self.groups)))
        self._cost_slope = np.zeros((0, shape[0], len(self.groups), shape[1]))

    def touch(self, weights: np.ndarray) -> None:
        """Prices every point at these weights and a little beside them, and adds the planes through these prices."""
        _, count, terms = self._slope.shape
        end, slope = np.zeros(count), np.zeros((count, terms))
        cost, cost_slope = np.zeros(self._cost.shape[1:]), np.zeros(self._cost_slope.shape[1:])
        for n, point in enumerate(self.points):
            end[n], cost[n] = point.price(weights)
            for k in range(terms):
                beside = weights.copy()
                beside[k] += STEP
                later, more = point.price(beside)
                slope[n, k] = (later - end[n]) / STEP
                cost_slope[n, :, k] = (more - cost[n]) / STEP
        jumps = cost_slope * weights > cost[:, :, None] * (1 + JUMP)
        cost_slope[jumps] = 0.0
        self._base = np.concatenate([self._base, [end - slope @ weights]])
        self._slope = np.concatenate([self._slope, [slope]])
        self._cost = np.concatenate([self._cost, [cost - cost_slope @ weights]])
        self._cost_slope = np.concatenate([self._cost_slope, [cost_slope]])

    def ends(self, weights: np.ndarray, use: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """End, ps, [n] and its slope in the weights [n, K] of the points with numbers `use`, int64 [n]."""
        slope = self._slope[:, use]
        heights = self._base[:, use] + slope @ weights
        best, n = heights.argmax(axis=0), np.arange(use.size)
        return heights[best, n], slope[best, n]

    def costs(self, weights: np.ndarray, use: np.ndarray) -> np.ndarray:
        """Energy of each group, pJ, [n, G], of the points with numbers `use`, on the plane that gives their end."""
        best = (self._base[:, use] + self._slope[:, use] @ weights).argmax(axis=0)
        return np.asarray(self._cost[best, use] + self._cost_slope[best, use] @ weights)
