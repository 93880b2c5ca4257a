"""Which data moves where: a matrix of memory level and direction against operand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simulator.record import Record
from simulator.record_summary import MOVES, OPERANDS, movement_bits
from simulator.report.plots.style import figure, styled
from simulator.report.quantity import quantity

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TITLE = "data movement"


def missing(record: Record) -> str | None:
    """Why the picture cannot be drawn, or None."""
    return None if any(movement_bits(record).values()) else "no memory was read or written"


def draw(record: Record) -> Figure:
    """Cells hold bytes; the colour is logarithmic.  Rows without any movement are left out."""
    from matplotlib.colors import LogNorm
    from matplotlib.ticker import LogLocator, NullLocator

    rows = [
        (f"{level}  {verb}", [operands.get(operand, {}).get(verb, 0) / 8 for operand in OPERANDS])
        for level, operands in movement_bits(record).items()
        for verb in MOVES
        if any(bits[verb] for bits in operands.values())
    ]
    cells = np.array([row for _, row in rows])
    low, high = cells[cells > 0].min(), cells.max()
    with styled():
        made, (axes,) = figure(7.0, min(1.4 + 0.36 * len(rows), 16.0))
        norm = LogNorm(low / 4, high if high > low / 4 else low)  # the smallest cell still differs from an empty one
        image = axes.imshow(np.ma.masked_equal(cells, 0.0), cmap="cividis_r", norm=norm, aspect="auto")
        for i, (_, row) in enumerate(rows):
            for j, size in enumerate(row):
                # perceived lightness of the cell (Rec. 601 weights) decides the colour of its text
                light = float(np.dot(image.to_rgba(size)[:3], (0.299, 0.587, 0.114))) if size else 1.0
                axes.text(j, i, quantity(size, "B") if size else "–", ha="center", va="center",
                          color="black" if light > 0.5 else "white")
        axes.set_xticks(range(len(OPERANDS)), [name.replace("_", " ") for name in OPERANDS])
        axes.set_yticks(range(len(rows)), [name for name, _ in rows])
        axes.tick_params(length=0)
        for side in axes.spines.values():
            side.set_visible(False)
        axes.set_xlabel("operand")
        axes.set_ylabel("memory level and direction")
        axes.set_title(f"{record.network['name']} on {record.hardware.name}: data moved")
        bar = made.colorbar(image, ax=axes, label="data moved", pad=0.02)
        bar.ax.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if high < 1000 * low else (1.0,), numticks=12))
        bar.ax.yaxis.set_major_formatter(lambda size, _: quantity(size, "B"))
        bar.ax.yaxis.set_minor_locator(NullLocator())
    return made
