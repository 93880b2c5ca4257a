"""Lesson: observations of one machine, and the models that parts of them teach."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.costmodel.estimate import compiled
from simulator.costmodel.features import COMMAND, MEANING, features
from simulator.costmodel.fit import Fit, fit, refine
from simulator.costmodel.intervals import Interval, short
from simulator.costmodel.model import CostModel, Held, Weighed, difficulty
from simulator.costmodel.prices import Prices
from simulator.costmodel.rates import rates
from simulator.costmodel.scope import Scope
from simulator.costmodel.strength import strengths
from simulator.costmodel.surface import Point, Surface
from simulator.errors import InputError

if TYPE_CHECKING:
    from simulator.costmodel.observe import Observation

LEAST_ARCHITECTURES = 3
"""Two that teach, so that each can be held out from the other, and one that is asked."""
FOLDS = 5
"""Groups of architectures that are held out in turn where a prior is chosen."""


class Lesson:
    """N observations of one machine.

    surface   their closed form as a function of the weights
    features  feature -> float64 [N]
    scope     the machine and what was varied of it
    """

    def __init__(
        self, surface: Surface, found: Sequence[Mapping[str, float]], scope: Scope, level: float = 0.9
    ) -> None:
        self.surface, self.scope, self.level = surface, scope, level
        self.features = {name: np.array([float(f[name]) for f in found]) for name in MEANING}
        hard = [difficulty(f) for f in found]
        self.hard = {name: np.array([h[name] for h in hard]) for name in hard[0]}
        self.architectures = sorted(set(surface.architectures.tolist()))
        self._fits: dict[tuple[frozenset[str], frozenset[str]], Fit] = {}
        self._priced: dict[tuple[int, bytes], tuple[float, np.ndarray]] = {}
        self._strengths: dict[frozenset[str], tuple[float, np.ndarray]] = {}
        refine(surface)

    @classmethod
    def of(cls, observations: Sequence[Observation], level: float = 0.9) -> Lesson:
        """From what `observe` found; InputError where cases are of several machines or have no closed form."""
        points, found, machines = [], [], {}
        for seen in observations:
            ready = seen.case.prepare()
            chip, actions = compiled(ready.schedule, ready.hardware, ready.network, ready.mapping)
            prices = Prices(ready.hardware, ready.schedule.units, actions, chip.built)
            pj = seen.simulated.pj
            points.append(Point(
                architecture=seen.case.architecture,
                chip=chip,
                found=rates(chip.streams, seen.activity),
                prices=prices,
                end=float(seen.simulated.end_ps),
                energies=np.array([pj.get(group, 0.0) for group in prices.groups]),
            ))  # fmt: skip
            commands = sum(n for (_, action), n in seen.estimated.counts.items() if action == COMMAND)
            found.append(
                features(len(ready.schedule.layers) - 1, commands / max(1, seen.activity.samples), seen.activity)
            )
            machines[ready.hardware.sha256] = ready.hardware
        return cls(Surface(points), found, Scope.of(machines.values()), level)

    def without(self, *names: str, base: tuple[str, ...] | None = None) -> Fit:
        """The fit to all architectures but these; each is made once.  base: those without which its strengths were
        chosen, `names` unless given."""
        key = frozenset(names), frozenset(names if base is None else base)
        if key not in self._fits:
            self._fits[key] = fit(self.surface, self._use(names), *self.strengths(*key[1]))
        return self._fits[key]

    def strengths(self, *names: str) -> tuple[float, np.ndarray]:
        """How strongly weights and factors, [G], stay where they begin, in fits to all architectures but these.

        Chosen from `PRIORS` by the errors on FOLDS groups of architectures that are held out in turn: for the weights
        by the error of the end, for each factor by that of its own energy; no factor changes where the total energy
        gains nothing from them.
        """
        key = frozenset(names)
        if key not in self._strengths:
            rest = [name for name in self.architectures if name not in key]
            folds = [np.isin(self.surface.architectures, rest[i::FOLDS]) for i in range(min(FOLDS, len(rest)))]
            everyone = np.isin(self.surface.architectures, rest)
            pairs = [(np.flatnonzero(everyone & ~fold), np.flatnonzero(fold)) for fold in folds]
            self._strengths[key] = strengths(self.surface, [pair for pair in pairs if pair[0].size])
        return self._strengths[key]

    def _errors(self, made: Fit, own: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Simulated / predicted - 1 of latency and energy of the points with numbers `own`; the closed form is priced
        anew at these weights: planes do not know where an energy jumps."""
        surface = self.surface
        pairs = [self._price(n, made.weights) for n in own.tolist()]
        end, costs = np.array([pair[0] for pair in pairs]), np.stack([pair[1] for pair in pairs])
        total = costs @ made.factors + surface.power[own] * end
        return surface.end[own] / end - 1, surface.total[own] / total - 1

    def _price(self, number: int, weights: np.ndarray) -> tuple[float, np.ndarray]:
        """End and energies of a point at these weights; fits that agree on them ask once."""
        key = number, weights.tobytes()
        if key not in self._priced:
            self._priced[key] = self.surface.points[number].price(weights)
        return self._priced[key]

    def errors(self, *names: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Of the points outside `names`: their numbers [n], and simulated / predicted - 1 of latency and energy, each
        point predicted by a fit that saw neither its architecture nor `names`."""
        latency, energy = np.zeros(len(self.surface.points)), np.zeros(len(self.surface.points))
        for name in self.architectures:
            if name not in names:
                own = np.flatnonzero(self.surface.architectures == name)
                latency[own], energy[own] = self._errors(self.without(name, *names, base=names), own)
        rows = self._use(names)
        return rows, latency[rows], energy[rows]

    def model(self, *names: str, fitted_on: Mapping[str, Any] | None = None) -> CostModel:
        """A model that saw all architectures but these; InputError where fewer than two are left."""
        if len(self.architectures) - len(set(names)) < LEAST_ARCHITECTURES - 1:
            raise InputError(
                "errors on architectures that were not seen need more of them",
                key="architectures",
                found=self.architectures,
                allowed=f"at least {LEAST_ARCHITECTURES - 1} to learn from",
            )
        made = self.without(*names)
        rows, latency, energy = self.errors(*names)
        hard = {name: column[rows] for name, column in self.hard.items()}
        pairs = zip(self.surface.terms, made.weights.tolist(), strict=True)
        factors = zip(self.surface.groups, made.factors.tolist(), strict=True)
        return CostModel(
            scope=self.scope,
            terms=tuple(Weighed(term.name, weight, term.weight, term.meaning) for term, weight in pairs),
            counts={group: factor for group, factor in factors if factor != 1},
            intervals={
                "latency": Interval.of(latency, hard, self.level),
                "energy": Interval.of(energy, hard, self.level),
            },
            level=self.level,
            seen={
                name: (_down(float(column[rows].min())), -_down(-float(column[rows].max())))
                for name, column in self.features.items()
            },
            held_out=self._held(rows, latency, energy),
            fitted_on=dict(fitted_on or {}),
        )

    def _held(self, rows: np.ndarray, latency: np.ndarray, energy: np.ndarray) -> dict[str, Held]:
        """Errors by architecture, and of all, as shares of the simulated figure."""
        of = self.surface.architectures[rows]
        late, costly = (np.abs(1 / (1 + errors) - 1) for errors in (latency, energy))
        groups = {"all": np.ones(rows.size, bool)} | {name: of == name for name in sorted(set(of.tolist()))}
        return {
            name: Held(int(own.sum()), *(short(x) for x in (*_mean_p95(late[own]), *_mean_p95(costly[own]))))
            for name, own in groups.items()
        }

    def _use(self, names: Sequence[str] | frozenset[str]) -> np.ndarray:
        """Numbers of the points of all architectures but these."""
        return np.flatnonzero(~np.isin(self.surface.architectures, sorted(names)))

    @cached_property
    def worst(self) -> np.ndarray:
        """The larger of the held-out errors of latency and energy of each point, float64 [N]."""
        _, latency, energy = self.errors()
        return np.maximum(np.abs(1 / (1 + latency) - 1), np.abs(1 / (1 + energy) - 1))


def _mean_p95(size: np.ndarray) -> tuple[float, float]:
    return float(size.mean()), float(np.quantile(size, 0.95))


def _down(value: float) -> float:
    """The largest number of six significant digits that is not above the value."""
    if not value:
        return 0.0
    unit = 10.0 ** (math.floor(math.log10(abs(value))) - 5)
    return float(f"{math.floor(value / unit) * unit:.6g}")
