"""CostModel: what calibration learned of one machine, in numbers that can be read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.costmodel.features import COMMAND, features, outside
from simulator.costmodel.intervals import Interval
from simulator.costmodel.scope import Scope
from simulator.errors import InputError

if TYPE_CHECKING:
    from simulator.costmodel.activity import Activity
    from simulator.costmodel.chip import Term
    from simulator.costmodel.estimated import Estimate
    from simulator.hardware import Hardware

SCHEMA = "neurocycle.costmodel/1"
HARD = ("sparse", "clustering", "coarse")
"""What makes a point hard to predict, see `difficulty`."""


@dataclass(frozen=True)
class Weighed:
    """A term of time: its weight, what it was before calibration, and what it means."""

    name: str
    weight: float
    default: float
    meaning: str


@dataclass(frozen=True)
class Held:
    """Errors of one architecture by models that never saw it, as shares: mean and 95 % quantile of their size."""

    points: int
    latency_mape: float
    latency_p95: float
    energy_mape: float
    energy_p95: float


@dataclass(frozen=True)
class CostModel:
    """Corrections of the closed form of one machine; `estimate(..., model=...)` applies them.

    scope       the machine, and which settings may be changed
    terms       weights of the closed form's terms of time, each >= 0
    counts      (unit type, action) -> factor of the count, >= 0; 1 for what is not named
    intervals   "latency", "energy" -> interval;  level: share of the points that they are to cover
    seen        feature -> (lowest, highest) of what it was fitted on
    held_out    architecture -> errors by models that never saw it; "all": of all points
    fitted_on   plain values: number of cases, their sha256, suites, seed, what adaptive sampling did
    """

    scope: Scope
    terms: tuple[Weighed, ...]
    counts: Mapping[tuple[str, str], float]
    intervals: Mapping[str, Interval]
    level: float
    seen: Mapping[str, tuple[float, float]]
    held_out: Mapping[str, Held] = field(default_factory=dict)
    fitted_on: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """InputError where a weight is negative or no number: more work would then cost less."""
        weights = [(f"terms.{term.name}.weight", term.weight) for term in self.terms]
        weights += [(f"counts.{unit}.{action}", value) for (unit, action), value in self.counts.items()]
        for key, value in weights:
            if not 0 <= value < float("inf"):
                raise InputError("a weight is a number of at least 0", key=key, found=value)

    def check(self, hardware: Hardware) -> None:
        """InputError where the model was not fitted for this hardware; it names what it was fitted for."""
        self.scope.check(hardware)

    def weights(self, terms: tuple[Term, ...]) -> np.ndarray:
        """float64 [terms]; InputError where the closed form consists of other terms than when the model was fitted."""
        known = self._by_name
        if set(known) != {term.name for term in terms} or any(known[t.name].default != t.weight for t in terms):
            raise InputError(
                "the closed form has changed since this model was fitted; calibrate again",
                key=f"model of {self.scope.name}: terms",
                found=sorted(known),
                allowed=sorted(term.name for term in terms),
            )
        return np.array([known[term.name].weight for term in terms], np.float64)

    def correct(self, made: Estimate, activity: Activity) -> Estimate:
        """The estimate with its counts corrected, its interval, and a warning for each feature outside `seen`."""
        factor = self._factors(made)
        counts = made.counts if factor is None else np.rint(made.counts * factor[:, None, :]).astype(np.int64)
        commands = made.counts[:, :, made.actions.index(COMMAND)].sum() if COMMAND in made.actions else 0
        found = features(len(made.layers) - 1, float(commands) / max(1, made.samples), activity)
        hard = difficulty(found)
        between = {name: interval.factors(hard) for name, interval in self.intervals.items()}
        return replace(made, counts=counts, interval=between, warnings=(*made.warnings, *outside(found, self.seen)))

    def save(self, path: str | Path) -> Path:
        """Writes the JSON file, under a temporary name until it is complete; returns the path."""
        from simulator.costmodel.model_file import save_model

        return save_model(self, Path(path))

    def describe(self) -> dict[str, Any]:
        """The content of the JSON file, plain values."""
        from simulator.costmodel.model_file import describe

        return describe(self)

    @cached_property
    def _by_name(self) -> dict[str, Weighed]:
        return {term.name: term for term in self.terms}

    def _factors(self, made: Estimate) -> np.ndarray | None:
        """float64 [U, A]: the factor of each unit's actions; None where every one is 1."""
        column = {name: i for i, name in enumerate(made.actions)}
        table = np.ones((len(made.units), len(made.actions)))
        rows: dict[str, list[int]] = {}
        for i, name in enumerate(made.units):
            rows.setdefault(made.hardware.units[name].type, []).append(i)
        for (unit, action), value in self.counts.items():
            if action in column:
                table[rows.get(unit, []), column[action]] = value
        return None if (table == 1).all() else table


def difficulty(found: Mapping[str, float]) -> dict[str, float]:
    """What makes a point hard to predict, each >= 0, from its features.

    sparse      1 / sqrt(events of a sample): chance averages out over many events
    clustering  how far the variance of groups of neurons exceeds that of independent ones
    coarse      1 / tasks per layer: few long tasks leave more to what happens inside one
    """
    return {
        "sparse": 1 / np.sqrt(1 + found["events"]),
        "clustering": max(0.0, found["clustering"] - 1),
        "coarse": 1 / (1 + found["tasks"]),
    }
