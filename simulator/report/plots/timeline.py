"""What each unit does when: one row per unit, layers by colour, stalls hatched or grey, white where it is idle.

A bank of tiles has a row per layer below its own, for there several layers work at once, and a panel with a row per
tile: always binned, in the colour of the layer that lives on the tile.

Few intervals are drawn one by one; many are binned into an image whose colours mix by share of time.  A record without
a timeline shows its busy bins: the share of time each unit worked.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.record import Record
from simulator.report.plots.intervals import (
    STALL,
    Rows,
    View,
    look_at,
    mixed_image,
    silent_units,
    tile_rows,
    unit_rows,
)
from simulator.report.plots.style import (
    COLOURS,
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
    shown, tiles = unit_rows(record), tile_rows(record)
    views = [look_at(record, *(window_ps or (0, record.end_ps)), MAX_BARS, shown)]
    if window_ps is None and views[0].rows is None and record.samples > 1:
        views.append(look_at(record, 0, int(record.sample_end_ps[min(1, record.samples - 1)]), MAX_BARS, shown))
    with styled():
        heights = [min(0.6 + 0.30 * len(shown.names), 12.0)] * len(views)
        if tiles.names:
            heights.append(min(0.6 + 0.14 * len(tiles.names), 4.5))
        made, panels = figure(9.5, 0.7 + sum(heights), rows=len(heights), ratios=heights, sharex=False)
        for axes, view in zip(panels, views, strict=False):
            _draw_panel(made, axes, record, view, shown)
        if tiles.names:
            _draw_tiles(panels[-1], record, views[-1], tiles)
        if record.timeline is not None:
            _legend(made, panels, record, views)
        panels[0].set_title(f"{record.network['name']} on {record.hardware.name}: {panels[0].get_title('left')}")
    return made


def _draw_panel(made: Figure, axes: Axes, record: Record, view: View, shown: Rows) -> None:
    """One window of time; the title says how to read it."""
    per_axis, prefix = _scale(view)
    if record.timeline is None:
        image = _draw_bins(axes, record, range(len(record.units)), per_axis, shown)
        made.colorbar(image, ax=axes, label="busy (share of the bin)", pad=0.01)
        note = "share of time each unit worked"
    else:
        if view.rows is None:
            _draw_image(axes, record, view, per_axis, shown)
        else:
            _draw_bars(axes, record, view.rows, per_axis, shown)
        _draw_bins(axes, record, silent_units(record), per_axis, shown)
        note = "work by layer, stalls " + ("hatched" if view.rows is not None else "grey; colours mix by share of time")
    part = "" if (view.low, view.high) == (0, record.end_ps) else "part of the run: "
    axes.set_title(part + note)
    axes.set_xlabel(f"time ({prefix}s)")
    axes.set_ylabel("unit" if len(shown.names) == len(record.units) else "unit and its layers")
    axes.set_yticks(range(len(shown.names)), shown.names)
    axes.tick_params(axis="y", length=0, labelsize=9 if len(shown.names) <= 30 else 5)
    axes.set_ylim(len(shown.names) - 0.5, -0.5)
    axes.set_xlim(view.low / per_axis, view.high / per_axis)


def _draw_tiles(axes: Axes, record: Record, view: View, tiles: Rows) -> None:
    """One row per tile, binned; at most some forty rows have a number."""
    per_axis, prefix = _scale(view)
    _draw_image(axes, record, view, per_axis, tiles)
    part = "" if (view.low, view.high) == (0, record.end_ps) else "part of the run: "
    axes.set_title(f"{part}tiles at work, by layer; the paler, the smaller the share of time")
    axes.set_xlabel(f"time ({prefix}s)")
    axes.set_ylabel("tile")
    every = -(-len(tiles.names) // 40)
    axes.set_yticks(range(0, len(tiles.names), every), tiles.names[::every])
    axes.tick_params(axis="y", length=0, labelsize=7)
    axes.set_xlim(view.low / per_axis, view.high / per_axis)


def _scale(view: View) -> tuple[float, str]:
    """(ps per unit of the x axis, prefix of the second)."""
    factor, prefix = scale_for(view.high / PS_PER_SECOND)
    return factor * PS_PER_SECOND, prefix


def _layer_colours(record: Record) -> dict[str, str]:
    return {record.layers[0]: UNATTRIBUTED_COLOUR, **colours(record.layers[1:])}


def _stall_looks(record: Record) -> dict[int, tuple[str, str]]:
    """(colour, hatch) per kind that is a stall."""
    kinds = [k for k, name in enumerate(record.kinds) if name.startswith(STALL)]
    return {
        k: (STALL_COLOURS[i % len(STALL_COLOURS)], STALL_HATCHES[i % len(STALL_HATCHES)]) for i, k in enumerate(kinds)
    }


def _draw_bars(axes: Axes, record: Record, rows: dict[str, np.ndarray], per_axis: float, shown: Rows) -> None:
    """One bar per interval; one collection per row for work, one more per stall cause."""
    layer_colour, stall_look = _layer_colours(record), _stall_looks(record)
    of_units = set(shown.place[: len(record.units)].tolist())
    for row in range(len(shown.names)):
        for kind in range(len(record.kinds)):
            chosen = np.flatnonzero((rows["row"] == row) & (rows["kind"] == kind))
            if not chosen.size:
                continue
            start, end = rows["start"][chosen] / per_axis, rows["end"][chosen] / per_axis
            spans = list(zip(start.tolist(), (end - start).tolist(), strict=True))
            look: dict[str, Any]
            if kind in stall_look:
                look = {"facecolors": "white", "edgecolors": STALL_EDGE, "hatch": stall_look[kind][1], "linewidth": 0.4}
                place = (row - 0.25, 0.5)
            else:
                look = {"facecolors": [layer_colour[record.layers[r]] for r in rows["ref"][chosen].tolist()]}
                look["linewidth"] = 0.0
                if row not in of_units:
                    look["snap"] = False  # at whole pixels, the many short intervals of a layer would come and go
                place = (row - 0.4, 0.8)
            axes.broken_barh(spans, place, rasterized=len(spans) > 1000, **look)
    axes.grid(axis="x", linewidth=0.3, color="#DDDDDD")


def _draw_image(axes: Axes, record: Record, view: View, per_axis: float, shown: Rows) -> None:
    """Bins of equal time; each pixel is white for idle time mixed with the colours of what filled the rest."""
    from matplotlib.colors import to_rgb

    layer_colour, stall_look = _layer_colours(record), _stall_looks(record)

    def colour(kind: int, ref: int) -> np.ndarray:
        return np.array(to_rgb(stall_look[kind][0] if kind in stall_look else layer_colour[record.layers[ref]]))

    image = mixed_image(record, view.low, view.high, IMAGE_BINS, colour, shown)
    axes.imshow(image, aspect="auto", interpolation="nearest",
                extent=(view.low / per_axis, view.high / per_axis, len(shown.names) - 0.5, -0.5))
    crowded = bool(record.tracks) and len(shown.names) > 30
    gap = 0.5 if crowded else 2.0
    for row in range(1, 1 if crowded and len(shown.names) > 60 else len(shown.names)):
        axes.axhline(row - 0.5, color="white", linewidth=gap)


def _bin_colours(record: Record) -> str:
    """A map whose hue no layer of the record has."""
    return "Purples" if len(record.layers) - 1 <= len(COLOURS) else "RdPu"


def _draw_bins(
    axes: Axes, record: Record, units: Iterable[int], per_axis: float, shown: Rows
) -> AxesImage | None:
    """Busy bins of `units`: their bins differ in width, so each row is an image of its own.  Returns the last one."""
    image = None
    for u in units:
        period = PS_PER_SECOND / record.hardware.clocks[record.cycles[record.units[u]].clock]
        width = int(record.bin_cycles[u])
        share = record.busy[u][None, :] / width
        end = record.busy.shape[1] * width * period / per_axis
        image = axes.imshow(share, aspect="auto", interpolation="nearest", cmap=_bin_colours(record), vmin=0.0,
                            vmax=1.0, extent=(0.0, end, shown.place[u] + 0.4, shown.place[u] - 0.4))
    return image


def _legend(made: Figure, panels: list[Axes], record: Record, views: list[View]) -> None:
    """Layers and stall causes that occur in view; a colour bar stands for many layers."""
    from matplotlib import colormaps
    from matplotlib.patches import Patch

    layer_colour, stall_look = _layer_colours(record), _stall_looks(record)
    refs = sorted({r for view in views for r in view.refs})
    names = ["several layers or none" if record.tracks else record.layers[0], *record.layers[1:]]
    handles = []
    if len(refs) <= LEGEND_LAYERS:
        handles += [Patch(facecolor=layer_colour[record.layers[r]], label=names[r]) for r in refs]
    else:
        layer_bar(made, panels, record.layers[1:], layer_colour, LEGEND_LAYERS)
        if refs[0] == 0:
            handles.append(Patch(facecolor=UNATTRIBUTED_COLOUR, label=names[0]))
    hatched = views[-1].rows is not None
    for k in sorted({k for view in views for k in view.kinds} & stall_look.keys()):
        colour, hatch = stall_look[k]
        look = {"facecolor": "white", "edgecolor": STALL_EDGE, "hatch": hatch} if hatched else {"facecolor": colour}
        handles.append(Patch(label=record.kinds[k].replace(STALL, "stall: "), **look))
    if silent_units(record):
        handles.append(Patch(facecolor=colormaps[_bin_colours(record)](0.7), label="busy (unit without intervals)"))
    if handles:
        made.legend(handles=handles, loc="outside lower center", ncols=min(len(handles), 6))
