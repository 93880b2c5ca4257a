"""benchmarks/README.md: what `python -m benchmarks.costmodel --write` found, a section per chip."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from simulator.costmodel.validation import ALL, QUANTITIES, Validation
from simulator.report.quantity import percent
from simulator.report.validation import Grid, error_grid, interval_grid, kind_grid, markdown, term_grid, worst_grid

README = Path(__file__).parent / "README.md"
COMMAND = "python -m benchmarks.costmodel DATA --write"
HEAD = f"""# Cost models beside the simulator

Made by one command, about 25 minutes; DATA is a folder of recordings, without it the recorded suite is left out.
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
"""
_SECTION = re.compile(r"<!-- chip (\w+) -->\n(.*?)(?=<!-- chip |\Z)", re.DOTALL)


def write_readme(path: Path, chip: str, validations: Mapping[str, Validation]) -> None:
    """Replaces the section of a chip, or adds it; the file appears when it is complete."""
    sections = dict(_SECTION.findall(path.read_text(encoding="utf-8"))) if path.is_file() else {}
    sections[chip] = section(chip, validations)
    text = HEAD + "\n" + "".join(f"<!-- chip {name} -->\n{body}" for name, body in sections.items())
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        partial.write_text(text.rstrip() + "\n", encoding="utf-8")
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def section(chip: str, validations: Mapping[str, Validation]) -> str:
    """All tables of a chip."""
    parts = [f"## {chip}"]
    for suite, made in validations.items():
        architectures = len({point["architecture"] for point in made.points})
        parts.append(f"### {chip}: suite {suite}")
        parts.append(f"{len(made.points)} points of {architectures} architectures, seed {made.seed}: `{made.command}`")
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
    for quantity in QUANTITIES:
        worst = worst_grid(made, quantity)
        found.append(Grid(f"**Worst points**, {worst.title}", worst.columns, worst.rows, worst.left))
    return found
