"""CSV files of a run: one header line, one row per layer, full precision, empty cells for what is not known."""

from __future__ import annotations

import csv
import io
from typing import Any

from simulator.record import Record
from simulator.report.layers import COLUMNS, layer_rows, movement_columns


def layers_csv(record: Record) -> str:
    """Text of layers.csv; columns and units are those of `simulator.report.layers.COLUMNS`."""
    names = [*COLUMNS, *movement_columns(record)]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    for row in layer_rows(record):
        writer.writerow([_cell(row[name]) for name in names])
    return text.getvalue()


def _cell(value: Any) -> str:
    """Floats with all their digits; a name that a spreadsheet would take for a formula gets a quote in front."""
    if value is None:
        return ""
    if isinstance(value, float):
        return repr(value)
    text = str(value)
    return f"'{text}" if isinstance(value, str) and text[:1] in "=+-@" else text
