"""A calibrated cost model in tables: weights of its terms, corrected counts, held-out errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulator.report.quantity import percent
from simulator.report.validation import Grid, rich_table

if TYPE_CHECKING:
    from rich.table import Table

    from simulator.costmodel.model import CostModel

TOP = 12


def model_tables(model: CostModel) -> list[Table]:
    """The tables of a model; a rich Console prints each."""
    return [rich_table(grid) for grid in model_grids(model) if grid.rows]


def model_grids(model: CostModel) -> list[Grid]:
    """Terms of time, the counts that are corrected most, and the error on each architecture when held out."""
    name = model.scope.name
    terms = [[t.name, f"{t.weight:.4g}", f"{t.default:g}", t.meaning] for t in model.terms]
    counts = sorted(model.counts.items(), key=lambda item: (-abs(item[1] - 1), item[0]))
    held = [
        [architecture, f"{h.points:,}", *(percent(v, 2) for v in (h.latency_mape, h.latency_p95, h.energy_mape,
                                                                   h.energy_p95))]
        for architecture, h in model.held_out.items()
    ]  # fmt: skip
    return [
        Grid(f"terms of time, {name}", ("term", "weight", "uncalibrated", "meaning"), terms, ("meaning",)),
        Grid(f"counts corrected most, {name}", ("unit and action", "factor"),
             [[f"{unit} {action}", f"{value:.4f}"] for (unit, action), value in counts[:TOP] if _moved(value)]),
        Grid(f"held-out errors, {name}",
             ("architecture", "points", "latency MAPE", "p95", "energy MAPE", "p95 "), held),
    ]  # fmt: skip


def describe_model(model: CostModel) -> dict[str, Any]:
    """What a model is for and how far off it was, as plain values."""
    every = model.held_out.get("all")
    return {
        "hardware": model.scope.name,
        "may_change": list(model.scope.varied),
        "fitted_on": dict(model.fitted_on),
        "terms": {t.name: f"{t.weight:.4g} (uncalibrated {t.default:g}): {t.meaning}" for t in model.terms},
        "counts_corrected": sum(_moved(value) for value in model.counts.values()),
        "interval_level": percent(model.level, 0),
        "seen": {name: f"{low:.4g} .. {high:.4g}" for name, (low, high) in model.seen.items()},
        "held_out": None if every is None else {
            "architectures": len(model.held_out) - 1,
            "points": every.points,
            "latency": f"MAPE {percent(every.latency_mape, 2)}, p95 {percent(every.latency_p95, 2)}",
            "energy": f"MAPE {percent(every.energy_mape, 2)}, p95 {percent(every.energy_p95, 2)}",
        },
    }  # fmt: skip


def _moved(factor: float) -> bool:
    """True for a factor that differs from 1 in the digits that are shown."""
    return abs(factor - 1) >= 5e-5
