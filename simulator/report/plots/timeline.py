"""What each unit does when: one row per unit, layers by colour, stalls hatched or grey, white where it is idle.

Few intervals are drawn one by one; many are binned into an image whose colours mix by share of time.  A record without
a timeline shows its busy bins: the share of time each unit worked.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.record import Record
from simulator.report.plots.style import (
    LAYER_COLOURS,
    STALL_COLOURS,
    STALL_HATCHES,
    UNATTRIBUTED_COLOUR,
    colours,
    figure,
    layer_bar,
    styled,
)
from simulator.report.quantity import scale_for
from simulator.units import PS_PER_SECOND

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

TITLE = "utilisation"
MAX_BARS = 5000
IMAGE_BINS = 1200
LEGEND_LAYERS = 12
STALL_EDGE = "#707070"


def missing(record: Record) -> str | None:
    """Why the picture cannot be drawn, or None."""
    return None if record.end_ps > 0 and record.units else "the run took no time"


def draw(record: Record, window_ps: tuple[int, int] | None = None) -> Figure:
    """The picture of the whole run, or of `window_ps` (start and end, ps).

    Where the whole run of several samples shows too many intervals, a second panel shows its beginning one by one.
    """
    windows = [window_ps or (0, record.end_ps)]
    views = [_in_view(record, *windows[0])]
    if window_ps is None and views[0]["unit"].size >= MAX_BARS and record.samples > 1:
        start = (0, int(record.sample_end_ps[min(1, record.samples - 1)]))
        windows.append(start)
        views.append(_in_view(record, *start))
    with styled():
        height = min(0.6 + 0.30 * len(record.units), 12.0)
        made, panels = figure(9.5, 0.7 + height * len(windows), rows=len(windows), sharex=False)
        for axes, window, rows in zip(panels, windows, views, strict=True):
            _draw_panel(made, axes, record, rows, window)
        if record.timeline is not None:
            _legend(made, panels, record, views)
        panels[0].set_title(f"{record.network['name']} on {record.hardware.name}: {panels[0].get_title('left')}")
    return made


def _draw_panel(made: Figure, axes: Axes, record: Record, rows: dict[str, np.ndarray], window: tuple[int, int]) -> None:
    """One window of time; the title says how to read it."""
    low, high = window
    factor, prefix = scale_for(high / PS_PER_SECOND)
    per_axis = factor * PS_PER_SECOND  # ps per unit of the x axis
    if record.timeline is None:
        image = _draw_bins(axes, record, range(len(record.units)), per_axis)
        made.colorbar(image, ax=axes, label="busy (share of the bin)", pad=0.01)
        note = "share of time each unit worked"
    else:
        few = rows["unit"].size < MAX_BARS
        (_draw_bars if few else _draw_image)(axes, record, rows, low, high, per_axis)
        _draw_bins(axes, record, _silent(record), per_axis)
        note = "work by layer, stalls " + ("hatched" if few else "grey; colours mix by share of time")
    part = "" if (low, high) == (0, record.end_ps) else "part of the run: "
    axes.set_title(part + note)
    axes.set_xlabel(f"time ({prefix}s)")
    axes.set_ylabel("unit")
    axes.set_yticks(range(len(record.units)), record.units)
    axes.tick_params(axis="y", length=0, labelsize=9 if len(record.units) <= 30 else 5)
    axes.set_ylim(len(record.units) - 0.5, -0.5)
    axes.set_xlim(low / per_axis, high / per_axis)


def _silent(record: Record) -> list[int]:
    """Units that worked but left no interval in the timeline."""
    assert record.timeline is not None
    seen = np.unique(record.timeline["unit"]).tolist()
    return [u for u, unit in enumerate(record.units) if record.cycles[unit].busy and u not in seen]


def _in_view(record: Record, low: int, high: int) -> dict[str, np.ndarray]:
    """Intervals that touch the window: unit, kind, ref, and start and end in ps as float64."""
    if record.timeline is None:
        return {name: np.empty(0, np.int64) for name in ("unit", "kind", "ref", "start", "end")}
    hertz = np.array([record.hardware.clocks[record.cycles[u].clock] for u in record.units], np.float64)
    unit = record.timeline["unit"].astype(np.int64)
    period = PS_PER_SECOND / hertz[unit]
    start = record.timeline["start"] * period
    end = start + record.timeline["duration"] * period
    keep = (end > low) & (start < high)
    columns = {"unit": unit, "kind": record.timeline["kind"], "ref": record.timeline["ref"], "start": start, "end": end}
    return {name: values[keep] for name, values in columns.items()}


def _looks(record: Record) -> tuple[dict[str, str], dict[str, tuple[str, str]]]:
    """Colour per layer, and (colour, hatch) per stall cause."""
    causes = [name.removeprefix("stall:") for name in record.kinds if name.startswith("stall:")]
    stalls = {
        cause: (STALL_COLOURS[i % len(STALL_COLOURS)], STALL_HATCHES[i % len(STALL_HATCHES)])
        for i, cause in enumerate(causes)
    }
    return {record.layers[0]: UNATTRIBUTED_COLOUR, **colours(record.layers[1:])}, stalls


def _draw_bars(axes: Axes, record: Record, rows: dict[str, np.ndarray], low: int, high: int, per_axis: float) -> None:
    """One bar per interval; one collection per unit for work, one more per stall cause."""
    layer_colour, stall_look = _looks(record)
    for u in range(len(record.units)):
        for kind, name in enumerate(record.kinds):
            chosen = np.flatnonzero((rows["unit"] == u) & (rows["kind"] == kind))
            if not chosen.size:
                continue
            start, end = rows["start"][chosen] / per_axis, rows["end"][chosen] / per_axis
            spans = list(zip(start.tolist(), (end - start).tolist(), strict=True))
            look: dict[str, Any]
            if name.startswith("stall:"):
                hatch = stall_look[name.removeprefix("stall:")][1]
                look = {"facecolors": "white", "edgecolors": STALL_EDGE, "hatch": hatch, "linewidth": 0.4}
                place = (u - 0.25, 0.5)
            else:
                look = {"facecolors": [layer_colour[record.layers[r]] for r in rows["ref"][chosen].tolist()]}
                look["linewidth"] = 0.0
                place = (u - 0.4, 0.8)
            axes.broken_barh(spans, place, rasterized=len(spans) > 1000, **look)
    axes.grid(axis="x", linewidth=0.3, color="#DDDDDD")


def _draw_image(axes: Axes, record: Record, rows: dict[str, np.ndarray], low: int, high: int, per_axis: float) -> None:
    """Bins of equal time; each pixel is white for idle time mixed with the colours of what filled the rest."""
    from matplotlib.colors import to_rgb

    layer_colour, stall_look = _looks(record)
    edges = np.linspace(low, high, IMAGE_BINS + 1)
    image = np.ones((len(record.units), IMAGE_BINS, 3))
    stalled = np.array([name.startswith("stall:") for name in record.kinds])[rows["kind"]]
    # a stall's colour depends on its cause, work's on its layer
    look = np.where(stalled, rows["kind"].astype(np.int64), -1 - rows["ref"].astype(np.int64))
    order = np.lexsort((rows["start"], look, rows["unit"]))
    unit, look, start, end = rows["unit"][order], look[order], rows["start"][order], rows["end"][order]
    borders = np.flatnonzero(np.diff(unit) | np.diff(look)) + 1
    for part in np.split(np.arange(unit.size), borders):
        if not part.size:
            continue
        first, u = int(look[part[0]]), int(unit[part[0]])
        if first >= 0:
            colour = stall_look[record.kinds[first].removeprefix("stall:")][0]
        else:
            colour = layer_colour[record.layers[-1 - first]]
        image[u] -= _share(start[part], end[part], edges)[:, None] * (1.0 - np.array(to_rgb(colour)))
    axes.imshow(np.clip(image, 0.0, 1.0), aspect="auto", interpolation="nearest",
                extent=(low / per_axis, high / per_axis, len(record.units) - 0.5, -0.5))
    for u in range(1, len(record.units)):
        axes.axhline(u - 0.5, color="white", linewidth=2.0)


def _share(start: np.ndarray, end: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Share of each bin that sorted, disjoint intervals fill: differences of the time filled up to each edge."""
    points = np.stack([start, end], axis=1).reshape(-1)
    length = np.cumsum(end - start)
    filled = np.stack([length - (end - start), length], axis=1).reshape(-1)
    return np.diff(np.interp(edges, points, filled)) / np.diff(edges)


def _bin_colours(record: Record) -> str:
    """A map whose hue no layer of the record has."""
    return "Purples" if len(record.layers) - 1 <= len(LAYER_COLOURS) else "RdPu"


def _draw_bins(axes: Axes, record: Record, units: Iterable[int], per_axis: float) -> AxesImage | None:
    """Busy bins of `units`: their bins differ in width, so each row is an image of its own.  Returns the last one."""
    image = None
    for u in units:
        period = PS_PER_SECOND / record.hardware.clocks[record.cycles[record.units[u]].clock]
        width = int(record.bin_cycles[u])
        share = record.busy[u][None, :] / width
        end = record.busy.shape[1] * width * period / per_axis
        image = axes.imshow(share, aspect="auto", interpolation="nearest", cmap=_bin_colours(record), vmin=0.0,
                            vmax=1.0, extent=(0.0, end, u + 0.4, u - 0.4))
    return image


def _legend(made: Figure, panels: list[Axes], record: Record, views: list[dict[str, np.ndarray]]) -> None:
    """Layers and stall causes that occur in view; a colour bar stands for many layers."""
    from matplotlib import colormaps
    from matplotlib.patches import Patch

    layer_colour, stall_look = _looks(record)
    rows = {name: np.concatenate([view[name] for view in views]) for name in ("kind", "ref")}
    working = np.isin(rows["kind"], [k for k, name in enumerate(record.kinds) if not name.startswith("stall:")])
    refs = np.unique(rows["ref"][working]).tolist()
    handles = []
    if len(refs) <= LEGEND_LAYERS:
        handles += [Patch(facecolor=layer_colour[record.layers[r]], label=record.layers[r]) for r in refs]
    else:
        layer_bar(made, panels, record.layers[1:], layer_colour, LEGEND_LAYERS)
    hatched = views[-1]["unit"].size < MAX_BARS
    for k in np.unique(rows["kind"]).tolist():
        if record.kinds[k].startswith("stall:"):
            cause = record.kinds[k].removeprefix("stall:")
            colour, hatch = stall_look[cause]
            look = {"facecolor": "white", "edgecolor": STALL_EDGE, "hatch": hatch} if hatched else {"facecolor": colour}
            handles.append(Patch(label=f"stall: {cause}", **look))
    if _silent(record):
        handles.append(Patch(facecolor=colormaps[_bin_colours(record)](0.7), label="busy (unit without intervals)"))
    if handles:
        made.legend(handles=handles, loc="outside lower center", ncols=min(len(handles), 6))
