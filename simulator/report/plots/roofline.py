"""Roofline: operations per second of each layer over operations per byte of main memory.

A layer's rate is over the time in which its tasks compute.  Weights may come before and between them, so a point can
lie above the memory's slope: moving that layer's data takes longer than computing it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simulator.record import Record
from simulator.record_summary import MOVES, throughput
from simulator.report.plots.style import GREY, colours, figure, layer_bar, styled
from simulator.units import PS_PER_SECOND

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TITLE = "roofline"
MAX_NAMES = 12


def missing(record: Record) -> str | None:
    """Why the picture cannot be drawn, or None."""
    if throughput(record)["peak_gops"] is None:
        return "no unit of this machine computes"
    if not _bandwidth(record):
        return "this machine has no main memory with bursts"
    return None if _points(record) else "no layer both computed and moved data to or from main memory"


def draw(record: Record) -> Figure:
    """Points are layers; the lines are the cores' peak and the main memory's bandwidth."""
    from matplotlib.ticker import LogLocator, NullLocator

    peak = float(throughput(record)["peak_gops"] or 0.0) * 1e9
    bandwidth = _bandwidth(record)
    points = _points(record)
    colour = colours(list(points))
    with styled():
        made, (axes,) = figure(7.0, 4.6)
        ridge = peak / bandwidth
        x = np.array([min(ridge, *(p[0] for p in points.values())) / 4, ridge,
                      max(ridge, *(p[0] for p in points.values())) * 4])
        axes.plot(x, np.minimum(peak, x * bandwidth) / 1e9, color="black", linewidth=1.2)
        axes.annotate(f"peak {peak / 1e9:.3g} GOPS", (x[2], peak / 1e9), (-4, 4), textcoords="offset points",
                      ha="right", fontsize=8)
        axes.annotate(f"main memory {bandwidth / 1e9:.3g} GB/s", (x[0], x[0] * bandwidth / 1e9), (8, -4),
                      textcoords="offset points", fontsize=8)
        for name, (intensity, rate) in points.items():
            axes.scatter([intensity], [rate / 1e9], s=40, color=colour[name], edgecolors="white", linewidths=0.5,
                         label=name, zorder=3)
        axes.set_xscale("log")
        axes.set_yscale("log")
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0), numticks=12))
            axis.set_major_formatter(lambda value, _: f"{value:g}")
            axis.set_minor_locator(NullLocator())
        axes.set_xlabel("operations executed per byte of main memory (op/B)")
        axes.set_ylabel("operations executed per second of computing (GOPS)")
        axes.set_title(f"{record.network['name']} on {record.hardware.name}: layers and the roofline")
        if any(rate > intensity * bandwidth for intensity, rate in points.values()):
            note = "above the slope: moving a layer's data takes longer than computing it"
            axes.set_title(axes.get_title("left") + "\n" + note)
        axes.grid(which="major", linewidth=0.3, color=GREY)
        if len(points) <= MAX_NAMES:
            axes.legend(loc="lower right", title="layer")
        else:
            layer_bar(made, axes, list(points), colour)
    return made


def _bandwidth(record: Record) -> float:
    """Bytes per second of all main memories together."""
    total = 0.0
    for spec in record.hardware.units.values():
        clock = record.hardware.clocks[spec.clock]
        if spec.type == "dram":
            total += spec.burst_bits / 8 / spec.burst_cycles * clock  # type: ignore[attr-defined]
        elif spec.type == "banked_dram":
            geometry, timing = spec.geometry, spec.timing  # type: ignore[attr-defined]
            total += geometry.channels * geometry.burst_bytes / timing.burst_cycles * clock
    return total


def _points(record: Record) -> dict[str, tuple[float, float]]:
    """Layer -> (operations per byte of main memory, operations per second of its busy time)."""
    main = [u for u, unit in enumerate(record.units) if record.hardware.units[unit].MEMORY == "main"]
    moves = [a for a, name in enumerate(record.actions) if name.split(":")[0] in MOVES]
    work = [a for a, name in enumerate(record.actions) if name.startswith("accumulate:")]
    found = {}
    for row, layer in enumerate(record.layers):
        executed = int(record.counts[:, row][:, work].sum())
        moved = int(record.counts[main][:, row][:, moves].sum()) / 8
        seconds = int(record.layer_busy_ps[row]) / PS_PER_SECOND
        if executed and moved and seconds:
            found[layer] = (executed / moved, executed / seconds)
    return found
