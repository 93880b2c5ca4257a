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


@dataclass(frozen=True, eq=False)
class Linear:
    """N points about some weights: end [N] ps, energies [N, G] pJ; slopes in the weights: [N, K] and [N, G, K]."""

    end: np.ndarray
    slope: np.ndarray
    energies: np.ndarray
    energy_slope: np.ndarray


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
        self._at: list[np.ndarray] = []
        self._planes: list[Linear] = []

    def touch(self, weights: np.ndarray) -> Linear:
        """Prices every point at these weights and a little beside them; adds the planes; returns them."""
        count, terms = len(self.points), len(self.terms)
        end, slope = np.zeros(count), np.zeros((count, terms))
        energies = np.zeros((count, len(self.groups)))
        energy_slope = np.zeros((*energies.shape, terms))
        for n, point in enumerate(self.points):
            end[n], energies[n] = point.price(weights)
            for k in range(terms):
                beside = weights.copy()
                beside[k] += STEP
                later, more = point.price(beside)
                slope[n, k] = (later - end[n]) / STEP
                energy_slope[n, :, k] = (more - energies[n]) / STEP
        plane = Linear(end, slope, energies, energy_slope)
        self._at.append(weights.copy())
        self._planes.append(plane)
        return plane

    def about(self, weights: np.ndarray) -> Linear:
        """The highest plane of each point at these weights, moved there."""
        heights = np.stack(
            [p.end + p.slope @ (weights - at) for at, p in zip(self._at, self._planes, strict=True)]
        )
        best = heights.argmax(axis=0)
        n = np.arange(len(self.points))
        slope = np.stack([p.slope for p in self._planes])[best, n]
        energy_slope = np.stack([p.energy_slope for p in self._planes])[best, n]
        away = weights - np.stack(self._at)[best]
        energies = np.stack([p.energies for p in self._planes])[best, n]
        moved = energies + np.einsum("ngk,nk->ng", energy_slope, away)
        return Linear(heights[best, n], slope, moved, energy_slope)
