"""A validation as tables, for the terminal and as Markdown: errors by model, by term and by interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulator.costmodel.validation import ALL, QUANTITIES, Validation
from simulator.report.cells import new_table, plain_name
from simulator.report.quantity import percent

if TYPE_CHECKING:
    import numpy as np
    from rich.table import Table

ERRORS = ("model", "points", "MAPE", "p50", "p95", "within 10 %", "bias", "Kendall", "Spearman")
INTERVALS = ("model", "points", "inside", "half-width", "half-width / MAPE")
WORST = ("error", "architecture", "kind", "density", "mapping", "terms")
NONE = "–"
SHOWN_WORST = 5


@dataclass(frozen=True)
class Grid:
    """A titled table of text, first column to the left, the others to the right unless `left` names them."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    left: Sequence[str] = ()


def validation_tables(made: Validation) -> list[Table]:
    """The tables of a validation; a rich Console prints each."""
    return [rich_table(grid) for grid in grids(made)]


def validation_markdown(made: Validation, level: int = 2) -> str:
    """The same tables as Markdown under headings of `level`, with the command that makes them."""
    head = "#" * level
    parts = [f"{head} {made.suite} on {made.hardware}", f"{len(made.points)} points, seed {made.seed}; made by"]
    parts.append(f"```\n{made.command}\n```")
    parts += [f"- {note}" for note in made.notes]
    for grid in grids(made):
        parts.append(f"{head}# {grid.title}\n\n{markdown(grid)}")
    parts += ["\n".join(f"- {model.name}: {model.about}" for model in made.models)]
    return "\n\n".join(parts) + "\n"


def grids(made: Validation) -> list[Grid]:
    """All tables: errors, errors by kind of spikes, errors by term, intervals, and the worst points."""
    name = f"{made.suite} on {made.hardware}, {len(made.points)} points"
    every = made.groups[ALL]
    found = [error_grid(made, quantity, every, f"{quantity}: {name}") for quantity in QUANTITIES]
    found.append(kind_grid(made, f"MAPE by kind of spikes: {name}"))
    for quantity in QUANTITIES:
        found.append(term_grid(made, quantity, every, f"{quantity} by term, mean size of the error: {name}"))
    found.append(interval_grid(made, every, f"{percent(made.level, 0)} intervals: {name}"))
    found += [worst_grid(made, quantity) for quantity in QUANTITIES]
    return [grid for grid in found if grid.rows]


def error_grid(made: Validation, quantity: str, use: np.ndarray, title: str) -> Grid:
    """A row per model with an answer: how far its totals are from the simulator's on the points `use`, bool [N]."""
    rows = []
    for model in made.models:
        m = made.metrics(model, quantity, use)
        if m.points:
            shares = [percent(v, 2) for v in (m.mape, m.p50, m.p95)] + [percent(m.near), _signed(m.bias)]
            rows.append([model.name, f"{m.points:,}", *shares, _rank(m.kendall), _rank(m.spearman)])
    return Grid(title, ERRORS, rows)


def kind_grid(made: Validation, title: str) -> Grid:
    """A row per model: MAPE of latency and energy for each kind of spikes; empty where all are of one kind."""
    kinds = {name: use for name, use in made.groups.items() if name != ALL}
    columns = ["model", *(f"{name} ({int(use.sum())}): {q}" for name, use in kinds.items() for q in QUANTITIES)]
    rows = []
    for model in made.models:
        cells = [percent(made.metrics(model, q, use).mape, 2) for use in kinds.values() for q in QUANTITIES]
        rows.append([model.name, *cells])
    return Grid(title, columns, rows if kinds else [])


def term_grid(made: Validation, quantity: str, use: np.ndarray, title: str) -> Grid:
    """A row per model that knows terms: mean size of each term's error, in percent of the simulated total.

    The first row says how large the terms are.  The last column adds the sizes up: what a total may hide.
    """
    rows: list[list[str]] = []
    columns: list[str] = []
    for model in made.models:
        terms = made.term_metrics(model, quantity, use)
        if not terms:
            continue
        if not rows:
            columns = ["error, % of total", *terms, "sum of sizes", "total"]
            rows.append(["(share of the total)", *(percent(t.share) for t in terms.values()), "100.0 %", NONE])
        total = made.metrics(model, quantity, use).mape
        sizes = [t.error for t in terms.values()]
        rows.append([model.name, *(percent(size, 2) for size in [*sizes, sum(sizes)]), percent(total, 2)])
    return Grid(title, columns, rows)


def interval_grid(made: Validation, use: np.ndarray, title: str) -> Grid:
    """A row per model and quantity with intervals: how many points lie inside, and how wide the intervals are."""
    rows = []
    for model in made.models:
        for quantity in QUANTITIES:
            held, mape = made.interval_metrics(model, quantity, use), made.metrics(model, quantity, use).mape
            if held is not None:
                ratio = f"{held.half_width / mape:.2f}" if mape else NONE
                shares = [percent(held.coverage), percent(held.half_width, 2)]
                rows.append([f"{model.name}, {quantity}", f"{held.points:,}", *shares, ratio])
    return Grid(title, INTERVALS, rows)


def worst_grid(made: Validation, quantity: str) -> Grid:
    """The points missed most by the first model with intervals, or else the first that knows terms."""
    own = [model for model in made.models if quantity in model.terms]
    if not own:
        return Grid("", (), [])
    model = next((each for each in own if quantity in each.interval), own[0])
    rows = []
    for found in made.worst(model, quantity, SHOWN_WORST):
        density = NONE if found["density"] is None else f"{found['density']:g}"
        terms = ", ".join(f"{name} {_signed(error)}" for name, error in found["terms"].items() if abs(error) >= 0.0005)
        rows.append([_signed(found["error"]), found["architecture"], found["kind"], density, found["mapping"], terms])
    left = ("architecture", "kind", "mapping", "terms")
    return Grid(f"{quantity}: worst points of {model.name}, terms in % of the total", WORST, rows, left)


def markdown(grid: Grid) -> str:
    """A table in Markdown."""
    marks = ["---" if i == 0 or name in grid.left else "---:" for i, name in enumerate(grid.columns)]
    lines = [grid.columns, marks, *grid.rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines)


def text_lines(grid: Grid) -> list[str]:
    """A table as aligned lines of text, its title first."""
    lines = [grid.columns, *grid.rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(grid.columns))]
    left = [i == 0 or name in grid.left for i, name in enumerate(grid.columns)]
    pads = list(zip(widths, left, strict=True))
    return [
        grid.title,
        *("  ".join(cell.ljust(n) if to_left else cell.rjust(n) for cell, (n, to_left) in zip(line, pads, strict=True))
          for line in lines),
    ]  # fmt: skip


def rich_table(grid: Grid) -> Table:
    """A table for the terminal."""
    table = new_table(grid.title)
    for i, name in enumerate(grid.columns):
        table.add_column(name, justify="left" if i == 0 or name in grid.left else "right", overflow="fold")
    for row in grid.rows:
        table.add_row(*(plain_name(cell) for cell in row))
    return table


def _signed(value: float | None) -> str:
    return NONE if value is None else f"{100 * value:+.2f} %"


def _rank(value: float | None) -> str:
    return NONE if value is None else f"{value:.3f}"
