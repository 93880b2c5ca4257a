"""A validation: what was simulated, and what each model says of the same points, with the figures that compare them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from simulator.costmodel.metrics import Metrics, metrics

SCHEMA = "neurocycle.validate/1"
QUANTITIES = {"latency": "ps", "energy": "pJ"}
ALL = "all"
WORST = 10


@dataclass(frozen=True, eq=False)
class Answers:
    """What the simulator or a model says of N points; ps for latency, pJ for energy.

    name      as in tables;  about: one line that says whose model it is and what it saw
    total     quantity -> float64 [N]; NaN where there is no answer
    terms     quantity -> term -> float64 [N], which add up to the total; empty where only totals are known
    interval  quantity -> float64 [N, 2], between which the simulated figure is said to lie; empty where nothing is said
    warned    bool [N]: the point lies outside what the model has seen
    """

    name: str
    about: str
    total: Mapping[str, np.ndarray]
    terms: Mapping[str, Mapping[str, np.ndarray]] = field(default_factory=dict)
    interval: Mapping[str, np.ndarray] = field(default_factory=dict)
    warned: np.ndarray | None = None


@dataclass(frozen=True)
class TermMetrics:
    """A term of a total over N points, as fractions of each point's simulated total, so that errors cannot cancel.

    share  mean share of the simulated term;  error: mean size of its error;  bias: mean of its error
    own    error / share: the size of its error in terms of itself; None where nothing was simulated
    """

    share: float
    error: float
    bias: float
    own: float | None


@dataclass(frozen=True)
class IntervalMetrics:
    """Intervals over N points: share of simulated figures inside, mean half-width as a fraction of the answer."""

    points: int
    coverage: float
    half_width: float


@dataclass(frozen=True, eq=False)
class Validation:
    """N points of a suite on one chip: the simulator beside every model.

    points    what each point is, as plain values: architecture, kind, mapping, density ...
    left_out  cases that this chip cannot run, each with its reason
    level     probability that intervals were made for
    notes     what a reader of the tables must know, such as a model that could not be fitted
    """

    suite: str
    hardware: str
    sha256: str
    seed: int
    command: str
    points: Sequence[Mapping[str, Any]]
    left_out: Sequence[Mapping[str, Any]]
    simulated: Answers
    models: Sequence[Answers]
    level: float
    notes: Sequence[str] = ()

    @cached_property
    def groups(self) -> dict[str, np.ndarray]:
        """Name of a group -> bool [N]: all points, then those of each kind where there are several."""
        kinds = np.array([str(point["kind"]) for point in self.points], object)
        found = {ALL: np.ones(len(self.points), bool)}
        names = dict.fromkeys(kinds.tolist())
        return found | ({name: kinds == name for name in names} if len(names) > 1 else {})

    def metrics(self, model: Answers, quantity: str, use: np.ndarray) -> Metrics:
        """Agreement of a model's totals on the points `use`, bool [N]."""
        return metrics(self.simulated.total[quantity][use], model.total[quantity][use])

    def term_metrics(self, model: Answers, quantity: str, use: np.ndarray) -> dict[str, TermMetrics]:
        """Agreement of each term on the points `use`; empty where the model knows totals only."""
        mine, theirs = model.terms.get(quantity, {}), self.simulated.terms[quantity]
        total = self.simulated.total[quantity]
        use = use & (total > 0) & np.isfinite(model.total[quantity])
        if not mine or not use.any():
            return {}
        found = {}
        for term in dict.fromkeys([*theirs, *mine]):
            truth, answer = (t[term][use] if term in t else np.zeros(int(use.sum())) for t in (theirs, mine))
            share = float((truth / total[use]).mean())
            error = (answer - truth) / total[use]
            size = float(np.abs(error).mean())
            found[term] = TermMetrics(share, size, float(error.mean()), size / share if share else None)
        return found

    def interval_metrics(self, model: Answers, quantity: str, use: np.ndarray) -> IntervalMetrics | None:
        """How often the intervals hold, and how wide they are; None where the model states none."""
        if quantity not in model.interval:
            return None
        truth, answer = self.simulated.total[quantity], model.total[quantity]
        use = use & (truth > 0) & np.isfinite(answer)
        if not use.any():
            return None
        low, high = model.interval[quantity][use].T
        inside = (low <= truth[use]) & (truth[use] <= high)
        width = (high - low) / 2 / answer[use]
        return IntervalMetrics(int(use.sum()), float(inside.mean()), float(width.mean()))

    def worst(self, model: Answers, quantity: str, count: int = WORST) -> list[dict[str, Any]]:
        """The points that a model misses most, worst first, with the relative error of the total and of each term."""
        truth, answer = self.simulated.total[quantity], model.total[quantity]
        with np.errstate(divide="ignore", invalid="ignore"):
            error = np.where(truth > 0, answer / truth - 1, np.nan)
        order = [int(i) for i in np.argsort(-np.abs(error), kind="stable") if np.isfinite(error[i])]
        return [
            {
                "point": i,
                **self.points[i],
                "error": float(error[i]),
                "terms": {
                    term: float((values[i] - self.simulated.terms[quantity][term][i]) / truth[i])
                    for term, values in model.terms.get(quantity, {}).items()
                    if term in self.simulated.terms[quantity]
                },
            }
            for i in order[:count]
        ]

    def to_dict(self) -> dict[str, Any]:
        """Plain values under schema "neurocycle.validate/1"; equal validations give equal objects."""
        return {
            "schema": SCHEMA,
            "suite": self.suite,
            "hardware": {"name": self.hardware, "sha256": self.sha256},
            "seed": self.seed,
            "command": self.command,
            "level": self.level,
            "notes": list(self.notes),
            "models": {model.name: model.about for model in self.models},
            "groups": {name: self._group(use) for name, use in self.groups.items()},
            "worst": {
                model.name: {quantity: self.worst(model, quantity) for quantity in QUANTITIES} for model in self.models
            },
            "left_out": [dict(case) for case in self.left_out],
            "points": [self._point(i) for i in range(len(self.points))],
        }

    def _group(self, use: np.ndarray) -> dict[str, Any]:
        found: dict[str, Any] = {"points": int(use.sum()), "models": {}}
        for model in self.models:
            found["models"][model.name] = {
                quantity: {
                    **asdict(self.metrics(model, quantity, use)),
                    "terms": {k: asdict(v) for k, v in self.term_metrics(model, quantity, use).items()},
                    "interval": None if (held := self.interval_metrics(model, quantity, use)) is None else asdict(held),
                }
                for quantity in QUANTITIES
            }
        return found

    def _point(self, i: int) -> dict[str, Any]:
        answers = {model.name: model for model in (self.simulated, *self.models)}
        return {
            **self.points[i],
            **{f"{quantity}_{unit}": {name: _finite(made.total[quantity][i]) for name, made in answers.items()}
               for quantity, unit in QUANTITIES.items()},
        }  # fmt: skip


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
