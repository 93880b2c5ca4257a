"""How much each memory level moves: a bar per level and direction, stacked by operand; over-fetch is hatched."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.record import Record
from simulator.record_summary import MOVES, OPERANDS, movement_bits
from simulator.report.plots.style import COLOURS, figure, styled
from simulator.report.quantity import quantity, scale_for

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TITLE = "bits by level and operand"
IN_VAIN = "overfetch"


def missing(record: Record) -> str | None:
    """Why the picture cannot be drawn, or None."""
    return None if any(movement_bits(record).values()) else "no memory was read or written"


def draw(record: Record) -> Figure:
    """Levels in the order of the hardware file; bits that nobody asked for lie behind those that were, in both
    directions together."""
    movement = movement_bits(record)
    verbs = [verb for verb in MOVES if verb != IN_VAIN]
    rows = [
        (level, verb, {operand: operands[operand][verb] for operand in OPERANDS if operand in operands})
        for level, operands in movement.items()
        for verb in (*verbs, IN_VAIN)
        if any(parts[verb] for parts in operands.values())
    ]
    total = [sum(parts.values()) for _, _, parts in rows]
    factor, prefix = scale_for(max(total))
    with styled():
        made, (axes,) = figure(8.5, min(2.0 + 0.32 * len(rows), 16.0))
        left = [0.0] * len(rows)
        for colour, operand in zip(COLOURS, OPERANDS, strict=False):
            width = [parts.get(operand, 0) / factor for _, _, parts in rows]
            if not any(width):
                continue
            bars = axes.barh(range(len(rows)), width, 0.72, left, color=colour, edgecolor="white", linewidth=0.3,
                             label=operand.replace("_", " "))
            for bar, (_, verb, _) in zip(bars, rows, strict=True):
                bar.set_hatch("////" if verb == IN_VAIN else "")
            left = [a + b for a, b in zip(left, width, strict=True)]
        for i, bits in enumerate(total):
            axes.text(left[i], i, f"  {quantity(bits, 'bit')}", va="center", fontsize=8)
        axes.set_yticks(range(len(rows)), [f"{level}  {verb}" for level, verb, _ in rows])
        axes.tick_params(axis="y", length=0)
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.set_xlim(0, max(left) * 1.16)
        axes.grid(axis="x", linewidth=0.3, color="#DDDDDD")
        axes.set_xlabel(f"data moved ({prefix}bit)")
        axes.set_ylabel("memory level and direction")
        axes.set_title(f"{record.network['name']} on {record.hardware.name}: bits moved by operand")
        made.legend(loc="outside lower center", ncols=len(OPERANDS), title="operand")
    return made
