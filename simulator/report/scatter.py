"""Scatter plot of a validation: simulated against estimated, a column per model, and below it their ratio."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simulator.costmodel.metrics import NEAR
from simulator.costmodel.validation import QUANTITIES, Validation
from simulator.errors import InputError, unknown
from simulator.report.plots.style import COLOURS, GREY, styled
from simulator.report.quantity import percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

UNITS = {"latency": (1e-12, "s"), "energy": (1e-12, "J")}
MARKERS = ("o", "^", "s", "D")
WIDTH, HEIGHT = 2.3, 5.0
MARGIN = 1.5
LEAST_RATIO = 1.25
"""The ratio's axis reaches at least from 1 / LEAST_RATIO to LEAST_RATIO, so that the band always shows."""

FAR = 8
"""From this quotient of its ends on the ratio's axis is logarithmic."""


def draw_scatter(made: Validation, quantity: str) -> Figure:
    """Above, all points on one pair of logarithmic axes; below, estimated / simulated on an axis of each model's own.

    The band is +-10 % around equal figures.  InputError for an unknown quantity, and where no model has an answer.
    """
    from matplotlib.figure import Figure

    if quantity not in QUANTITIES:
        raise unknown("quantity", quantity, QUANTITIES)
    truth = made.simulated.total[quantity]
    models = [m for m in made.models if (np.isfinite(m.total[quantity]) & (truth > 0)).any()]
    if not models:
        raise InputError(f"no model has an answer to the {quantity}", key=f"{made.suite} on {made.hardware}")
    kinds = list(dict.fromkeys(str(point["kind"]) for point in made.points))
    which = np.array([kinds.index(str(point["kind"])) for point in made.points])
    with styled():
        drawn = Figure(figsize=(WIDTH * len(models) + 0.6, HEIGHT), layout="constrained")
        axes = drawn.subplots(2, len(models), squeeze=False, sharex=True, height_ratios=[3, 2])
        limits = _limits([truth, *(m.total[quantity] for m in models)], UNITS[quantity][0])
        for above, below, model in zip(*axes, models, strict=True):
            _equal(above, limits)
            _points(above, truth, model.total[quantity], which, kinds, UNITS[quantity][0], False)
            _ratio(below, truth, model.total[quantity], limits)
            _points(below, truth, model.total[quantity], which, kinds, UNITS[quantity][0], True)
            mape = made.metrics(model, quantity, np.ones(truth.size, bool)).mape
            above.set_title(f"{model.name}\nMAPE {percent(mape)}", fontsize=9)
            below.set_xlabel(f"simulated ({UNITS[quantity][1]})")
            if model is not models[0]:
                above.tick_params(labelleft=False)
        axes[0][0].set_ylabel(f"estimated ({UNITS[quantity][1]})")
        axes[1][0].set_ylabel("estimated / simulated")
        handles, labels = axes[0][0].get_legend_handles_labels()
        drawn.legend(handles, labels, loc="outside lower center", ncols=len(labels))
        drawn.suptitle(f"{quantity}, {made.suite} on {made.hardware}, {len(made.points)} points", x=0.01, ha="left",
                       fontsize=10)  # fmt: skip
    return drawn


def _equal(axes: Axes, limits: tuple[float, float]) -> None:
    """Square logarithmic axes with the line of equal figures and its band."""
    from matplotlib.ticker import LogLocator, NullLocator

    line = np.array(limits)
    axes.fill_between(line, line * (1 - NEAR), line * (1 + NEAR), color=GREY, alpha=0.45, linewidth=0.6,
                      label=f"within {NEAR:.0%} of equal")  # fmt: skip
    axes.plot(line, line, color="black", linewidth=0.6, label="equal")
    axes.set(xscale="log", yscale="log", xlim=limits, ylim=limits, box_aspect=1)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(LogLocator(numticks=6))
        axis.set_minor_locator(NullLocator())


def _ratio(axes: Axes, truth: np.ndarray, answer: np.ndarray, limits: tuple[float, float]) -> None:
    """The same line and band where they are level."""
    from matplotlib.ticker import LogLocator, NullLocator

    axes.axhspan(1 - NEAR, 1 + NEAR, color=GREY, alpha=0.45, linewidth=0)
    axes.axhline(1, color="black", linewidth=0.6)
    use = (truth > 0) & (answer > 0)
    ratio = answer[use] / truth[use]
    low = min(1 / LEAST_RATIO, float(ratio.min(initial=1)) / 1.05)
    high = max(LEAST_RATIO, float(ratio.max(initial=1)) * 1.05)
    axes.set(ylim=(low, high))
    if high / low > FAR:
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0), numticks=8))
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.yaxis.set_minor_locator(NullLocator())


def _points(
    axes: Axes, truth: np.ndarray, answer: np.ndarray, which: np.ndarray, kinds: list[str], scale: float, ratio: bool
) -> None:
    """A colour and a marker for each kind of point."""
    for n, kind in enumerate(kinds):
        use = (which == n) & (truth > 0) & (answer > 0)
        x = truth[use] * scale
        y = answer[use] / truth[use] if ratio else answer[use] * scale
        axes.scatter(x, y, s=9, marker=MARKERS[n % len(MARKERS)], color=COLOURS[n % len(COLOURS)], alpha=0.6,
                     linewidths=0, label=kind, zorder=3)  # fmt: skip


def _limits(rows: list[np.ndarray], scale: float) -> tuple[float, float]:
    """Ends of the axes, in the unit that is shown."""
    every = np.concatenate(rows)
    every = every[np.isfinite(every) & (every > 0)] * scale
    return (float(every.min()) / MARGIN, float(every.max()) * MARGIN) if every.size else (0.1, 10.0)
