"""benchmarks/README.md: what `python -m benchmarks.costmodel --write` found, a section per chip."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from simulator.costmodel.validate import BLIND, CALIBRATED, CLOSED
from simulator.costmodel.validation import ALL, QUANTITIES, Answers, Validation
from simulator.report.plots.style import save
from simulator.report.quantity import percent
from simulator.report.scatter import draw_scatter
from simulator.report.validation import (
    NONE,
    Grid,
    error_grid,
    interval_grid,
    kind_grid,
    markdown,
    term_grid,
    worst_grid,
)

README = Path(__file__).parent / "README.md"
COMMAND = "python -m benchmarks.costmodel DATA --write"
HEAD = f"""# Cost models beside the simulator

Made by one command, about half an hour; DATA is a folder of recordings, without it the recorded suite is left out.
Nothing here is written by hand.

```
{COMMAND}
```

How to read it. *MAPE*: mean of |estimated - simulated| / simulated; *p50*, *p95*: quantiles of it; *bias*: mean with
sign; *Kendall*: tau-b of the order of the points, what a search needs. *closed form*: this project's, uncalibrated.
*calibrated*: the same, corrected by a model that never saw the architecture of the point it is asked about (suite
`generated`: fitted on its other architectures; other suites: fitted on `generated` without theirs). *no clusters*:
the same without knowing how spikes cluster, every neuron at its population's rate. The rest are published models as
their sources state them, corrected by nothing; several were made for other chips, and some answer only one of the two
quantities. Errors by term are in percent of the simulated total of the point, so that an error in one term cannot
hide another; "sum of sizes" adds them up.

[A decision that calibration changes](DECISION.md), `python -m benchmarks.decision`, is a worked example.

The bars, held by calibrated predictions of suite `generated`; a chip whose closed form knows all that matters gains
little from calibration, and says so.
"""
_SECTION = re.compile(r"<!-- chip (\w+) \| (.*?) -->\n(.*?)(?=<!-- chip |\Z)", re.DOTALL)
COLUMNS = (
    "chip", "points", "architectures", "latency MAPE", "p95", "tau", "inside interval", "half-width / MAPE",
    "energy MAPE", "tau ", "inside interval ", "half-width / MAPE ", "recorded: latency, energy", "no clusters",
    "missed",
)  # fmt: skip
WANTED = ("wanted", ">= 400", ">= 20", "<= 3 %", "<= 8 %", ">= 0.95", "90 +- 3 %", "<= 4", "<= 1.5 %", ">= 0.95",
          "90 +- 3 %", "<= 4", "", "more", "0")  # fmt: skip
MAIN, RECORDED = "generated", "recorded"
PICTURE = "figures/costmodel_{}.png"


def write_readme(path: Path, chip: str, validations: Mapping[str, Validation], misses: Sequence[str] = ()) -> None:
    """Replaces the section of a chip, or adds it, with the bars that it missed; the file appears when complete."""
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    sections = {name: (cells, body) for name, cells, body in _SECTION.findall(text)}
    sections[chip] = " | ".join(bar_cells(validations, misses)), section(chip, validations, misses)
    rows = [WANTED, *([name, *cells.split(" | ")] for name, (cells, _) in sections.items())]
    parts = [HEAD, markdown(Grid("", COLUMNS, rows)), "\n\n"]
    parts += [f"<!-- chip {name} | {cells} -->\n{body}" for name, (cells, body) in sections.items()]
    content = "\n".join(parts[:2]) + "".join(parts[2:]).rstrip() + "\n"
    picture = path.parent / PICTURE.format(chip)
    picture.parent.mkdir(exist_ok=True)
    drawn = draw_scatter(validations[MAIN], "latency")
    _replace(picture, lambda partial: save(drawn, partial))
    _replace(path, lambda partial: partial.write_text(content, encoding="utf-8"))


def _replace(path: Path, write: Callable[[Path], object]) -> None:
    """Lets `write` make a file under a temporary name, and puts it in place."""
    partial = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        write(partial)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def bar_cells(validations: Mapping[str, Validation], misses: Sequence[str]) -> list[str]:
    """The row of a chip in the table of bars: calibrated predictions of the generated suite, errors on recordings."""
    made = validations[MAIN]
    use = made.groups[ALL]
    cells = [f"{len(made.points)}", f"{len({point['architecture'] for point in made.points})}"]
    for quantity in QUANTITIES:
        model = find(made, CALIBRATED)
        if model is None:
            cells += [NONE] * (5 if quantity == "latency" else 4)
            continue
        found, held = made.metrics(model, quantity, use), made.interval_metrics(model, quantity, use)
        cells += [percent(found.mape, 2), *([percent(found.p95, 2)] if quantity == "latency" else [])]
        cells += [NONE if found.kendall is None else f"{found.kendall:.3f}"]
        known = held is not None and found.mape
        cells += [percent(held.coverage), f"{held.half_width / found.mape:.2f}"] if known else [NONE, NONE]
    for blind in ("", BLIND):
        recorded = validations.get(RECORDED)
        model = None if recorded is None else find(recorded, CALIBRATED + blind) or find(recorded, CLOSED + blind)
        errors = [NONE] if recorded is None or model is None else [
            percent(recorded.metrics(model, q, recorded.groups[ALL]).mape, 2) for q in QUANTITIES
        ]  # fmt: skip
        cells.append(", ".join(errors))
    return [*cells, f"{len(misses)}"]


def find(made: Validation, name: str) -> Answers | None:
    """The model of that name; None where there is none."""
    return next((model for model in made.models if model.name == name), None)


def section(chip: str, validations: Mapping[str, Validation], misses: Sequence[str]) -> str:
    """All tables of a chip."""
    parts = [f"## {chip}", *(["\n".join(f"- missed: {miss}" for miss in misses)] if misses else [])]
    for suite, made in validations.items():
        architectures = len({point["architecture"] for point in made.points})
        parts.append(f"### {chip}: suite {suite}")
        parts.append(f"{len(made.points)} points of {architectures} architectures, seed {made.seed}: `{made.command}`")
        if suite == MAIN:
            parts.append(f"![Estimated against simulated latency of {chip}]({PICTURE.format(chip)})")
        if made.notes:
            parts.append("\n".join(f"- {note}" for note in made.notes))
        parts += [f"{grid.title}\n\n{markdown(grid)}" for grid in _grids(made) if grid.rows]
    return "\n\n".join(parts) + "\n\n"


def _grids(made: Validation) -> list[Grid]:
    every = made.groups[ALL]
    found = [error_grid(made, quantity, every, f"**{quantity.capitalize()}**") for quantity in QUANTITIES]
    found.append(kind_grid(made, "**By kind of spikes**, MAPE"))
    found += [term_grid(made, q, every, f"**{q.capitalize()} by term**, mean size of the error") for q in QUANTITIES]
    found.append(interval_grid(made, every, f"**Intervals** made for {percent(made.level, 0)} of the points"))
    for quantity in QUANTITIES if made.suite in (MAIN, RECORDED) else ():
        worst = worst_grid(made, quantity)
        title = f"**{worst.title.capitalize()}**" if worst.title else ""
        found.append(Grid(title, worst.columns, worst.rows, worst.left))
    return found
