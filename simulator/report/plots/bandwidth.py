"""How fast each memory level moves data, over time.

A record holds the busy cycles of every unit per bin.  The bits that a unit moved are shared out over them: exact for a
main memory of fixed bandwidth, an average over the busy cycles for memories with several banks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.record import Record
from simulator.record_summary import MOVES, OPERANDS, level_of
from simulator.report.plots.style import COLOURS, GREY, figure, styled
from simulator.report.quantity import quantity, scale_for
from simulator.units import PS_PER_SECOND

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TITLE = "bandwidth over time"
BINS = 240
MAX_LEVELS = 10
MOVED = ("read", "write", "overfetch")


def missing(record: Record) -> str | None:
    """Why the picture cannot be drawn, or None."""
    if record.end_ps <= 0:
        return "the run took no time"
    return None if any(values.any() for values in rates(record).values()) else "no memory was busy"


def rates(record: Record, bins: int = BINS) -> dict[str, np.ndarray]:
    """Level -> float64 [bins], bits per second in equal parts of the run; memories only, and only those that moved."""
    edges = np.linspace(0.0, record.end_ps, bins + 1)
    found: dict[str, np.ndarray] = {}
    for u, unit in enumerate(record.units):
        bits, busy = _moved(record, u), record.busy[u]
        if not bits or not busy.any() or not _is_memory(record.hardware.units[unit].type):
            continue
        period = PS_PER_SECOND / record.hardware.clocks[record.cycles[unit].clock]
        ends = np.minimum(np.arange(busy.size + 1) * int(record.bin_cycles[u]) * period, record.end_ps)
        done = np.concatenate(([0.0], np.cumsum(busy))) / busy.sum() * bits
        rate = np.diff(np.interp(edges, ends, done)) / np.diff(edges) * PS_PER_SECOND
        found[level_of(unit)] = found.get(level_of(unit), 0.0) + rate
    return found


def peak(record: Record, level: str) -> float | None:
    """Bits per second that a level's main memories can move at most; None for memories on the chip."""
    total = 0.0
    for unit in record.units:
        spec: Any = record.hardware.units[unit]
        if level_of(unit) != level or "dram" not in spec.type:
            continue
        if hasattr(spec, "geometry"):
            bits = spec.geometry.channels * spec.geometry.burst_bytes * 8 / spec.timing.burst_cycles
        else:
            bits = spec.burst_bits / spec.burst_cycles
        total += bits * record.hardware.clocks[spec.clock]
    return total or None


def draw(record: Record) -> Figure:
    """One panel per level, main memory with its peak as a line; the busiest levels where there are too many."""
    found = {level: rate for level, rate in rates(record).items() if rate.any()}
    kept = sorted(found, key=lambda level: -found[level].sum())[:MAX_LEVELS]
    found = {level: rate for level, rate in found.items() if level in kept}
    factor, prefix = scale_for(record.end_ps / PS_PER_SECOND)
    edges = np.linspace(0.0, record.end_ps / PS_PER_SECOND / factor, BINS + 1)
    with styled():
        made, panels = figure(9.0, 1.0 + 1.25 * len(found), rows=len(found))
        for axes, (level, rate) in zip(panels, found.items(), strict=True):
            limit = peak(record, level)
            size, letter = scale_for(max(rate.max(), limit or 0.0))
            axes.stairs(rate / size, edges, fill=True, color=COLOURS[0])
            if limit is not None:
                axes.axhline(limit / size, color=GREY, linewidth=0.8, linestyle="--")
                axes.annotate("peak", (edges[-1], limit / size), ha="right", va="top", fontsize=7, color="#606060",
                              xytext=(0, -1), textcoords="offset points")
            mean = rate.mean()
            axes.annotate(f"mean {quantity(float(mean), 'bit/s')}", (1.0, 0.98), xycoords="axes fraction", ha="left",
                          va="top", fontsize=7, xytext=(4, 0), textcoords="offset points")
            axes.set_ylabel(f"{level}\n({letter}bit/s)")
            axes.set_ylim(0, max(rate.max(), limit or 0.0) / size * 1.08)
            axes.set_xlim(0, edges[-1])
            axes.grid(axis="y", linewidth=0.3, color="#DDDDDD")
        panels[-1].set_xlabel(f"time ({prefix}s)")
        panels[0].set_title(f"{record.network['name']} on {record.hardware.name}: bandwidth of each memory level")
    return made


def _is_memory(kind: str) -> bool:
    """Whether a unit of this type does nothing but read and write, so that its busy cycles are those of its bits."""
    return kind == "sram" or "dram" in kind


def _moved(record: Record, unit: int) -> int:
    """Bits that a unit moved, all operands and directions, over-fetch included."""
    column = {name: a for a, name in enumerate(record.actions)}
    declared = {a.name for a in record.hardware.units[record.units[unit]].ACTIONS if a.verb in MOVES}
    names = [f"{verb}:{operand}" for verb in MOVED for operand in OPERANDS]
    return sum(int(record.counts[unit, :, column[name]].sum()) for name in names if name in declared & column.keys())
