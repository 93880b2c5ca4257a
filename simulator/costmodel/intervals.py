"""Prediction intervals: quantiles of the errors made on architectures that a model had not seen.

An error is a factor, simulated / estimated - 1, over a scale that grows with physical features, so that points which
are harder to predict get wider intervals.  The quantiles are those of split conformal prediction: J. Lei et al.,
"Distribution-free predictive inference for regression", Journal of the American Statistical Association 113, 2018.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from simulator.costmodel.nnls import nnls
from simulator.errors import InputError

ALWAYS = "always"
"""Name of the part of a scale that does not depend on the point."""
LEAST = 0.25
"""Share of the mean error that every point's scale keeps at least."""
PULL = 1e-3
"""Weight of a scale's prior, a constant, beside the errors seen."""


@dataclass(frozen=True)
class Interval:
    """Between low and high times its scale, as shares of the estimate, lies the simulated figure.

    scale: feature -> share per unit of it, each >= 0; `ALWAYS` is the constant part.
    """

    low: float
    high: float
    scale: Mapping[str, float]

    @classmethod
    def of(cls, errors: np.ndarray, difficulty: Mapping[str, np.ndarray], level: float) -> Interval:
        """From errors [N] that were held out and, by feature, what makes points hard [N], >= 0; level: share of the
        points that the interval covers.  InputError for a level that is no share."""
        check_level(level)
        if not errors.size:
            return cls(0.0, 0.0, {ALWAYS: 1.0})
        size = np.abs(errors)
        mean = max(float(size.mean()), 1e-9)
        units = {name: max(float(column.mean()), 1e-12) for name, column in difficulty.items()}
        table = np.stack([np.full(size.size, mean)] + [difficulty[n] / u * mean for n, u in units.items()], axis=1)
        prior = np.zeros(table.shape[1])
        prior[0] = 1.0
        weight = nnls(table, size, prior, np.full(prior.size, PULL * size.size * mean**2))
        weight[0] = max(weight[0], LEAST)
        parts = zip((ALWAYS, *units), weight.tolist(), (mean, *(mean / u for u in units.values())), strict=True)
        scale = {name: short(share * unit) for name, share, unit in parts if share > 0}
        made = cls(0.0, 0.0, scale)
        ratio = errors / made.scales(difficulty)
        return cls(short(_quantile(ratio, (1 - level) / 2, -1)), short(_quantile(ratio, (1 + level) / 2, 1)), scale)

    def scales(self, difficulty: Mapping[str, np.ndarray]) -> np.ndarray:
        """Scale of each point, float64 [N], from their features [N]."""
        total = np.asarray(self.scale[ALWAYS], np.float64)
        for name, share in self.scale.items():
            if name != ALWAYS:
                total = total + share * difficulty[name]
        return np.asarray(total)

    def factors(self, difficulty: Mapping[str, float]) -> tuple[float, float]:
        """(low, high): factors of the estimate between which the simulated figure lies; low <= high, both >= 0."""
        scale = float(self.scales({name: np.asarray(value) for name, value in difficulty.items()}))
        return max(0.0, 1 + self.low * scale), max(0.0, 1 + self.high * scale)


def check_level(level: float) -> None:
    """InputError for a level that is no share of points."""
    if not 0 < level < 1:
        raise InputError("not a share of points", key="level", found=level, allowed="between 0 and 1")


def _quantile(values: np.ndarray, share: float, side: int) -> float:
    """The order statistic that one more value lies beyond with at most the probability left: side 1 above, -1 below."""
    ordered = np.sort(values) if side > 0 else np.sort(-values)
    wanted = share if side > 0 else 1 - share
    rank = int(np.ceil(wanted * (values.size + 1))) - 1
    return side * float(ordered[min(rank, values.size - 1)])


def short(value: float) -> float:
    """The value to six significant digits: what a file shows is what is used."""
    return float(f"{value:.6g}")
