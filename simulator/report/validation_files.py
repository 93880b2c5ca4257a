"""A validation as files: JSON, Markdown, a row per point as CSV, and the scatter plots."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np

from simulator.costmodel.validation import QUANTITIES, Validation
from simulator.report.folder import write_folder
from simulator.report.plots import FORMATS
from simulator.report.validation import validation_markdown

JSON, MARKDOWN, POINTS = "validation.json", "validation.md", "points.csv"


def write_validation(made: Validation, out_dir: str | Path) -> list[Path]:
    """Writes validation.json, validation.md, points.csv and latency / energy as .png and .svg; returns their paths.

    A picture without any answer is left out.  How, and what becomes of files that were there:
    `simulator.report.folder`.
    """
    return write_folder(out_dir, lambda folder: _fill(made, folder), JSON, lambda _: _pictures())


def points_csv(made: Validation) -> str:
    """One row per point: what it is, then latency (ps) and energy (pJ) by the simulator and by each model."""
    columns = list(made.points[0]) if made.points else []
    answers = [made.simulated, *made.models]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*columns, *(f"{q}_{unit} {a.name}" for q, unit in QUANTITIES.items() for a in answers)])
    for i, point in enumerate(made.points):
        figures = [float(a.total[q][i]) for q in QUANTITIES for a in answers]
        cells = ["" if point[name] is None else point[name] for name in columns]
        writer.writerow([*cells, *("" if np.isnan(value) else repr(value) for value in figures)])
    return text.getvalue()


def _fill(made: Validation, folder: Path) -> None:
    from simulator.report.plots.style import save
    from simulator.report.scatter import draw_scatter

    content = json.dumps(made.to_dict(), indent=1, allow_nan=False)
    (folder / JSON).write_text(content + "\n", encoding="utf-8")
    (folder / MARKDOWN).write_text(validation_markdown(made), encoding="utf-8")
    (folder / POINTS).write_text(points_csv(made), encoding="utf-8")
    for quantity in QUANTITIES:
        if any(np.isfinite(model.total[quantity]).any() for model in made.models):
            drawn = draw_scatter(made, quantity)
            for suffix in FORMATS:
                save(drawn, folder / f"{quantity}.{suffix}")


def _pictures() -> set[str]:
    return {f"{quantity}.{suffix}" for quantity in QUANTITIES for suffix in FORMATS}
