"""Which crossbar tiles worked how long: one bar per tile, in the colour of the layer that lives there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.record import Record
from simulator.report.plots.style import UNATTRIBUTED_COLOUR, colours, figure, layer_bar, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TITLE = "tiles"
LEGEND_LAYERS = 12
SHARED = "several layers"
UNUSED_COLOUR = "#DDDDDD"


def missing(record: Record) -> str | None:
    """Why the picture cannot be drawn, or None."""
    if not record.work.get("tiles"):
        return "the machine has no crossbar tiles"
    return None if record.end_ps > 0 else "the run took no time"


def draw(record: Record) -> Figure:
    """One panel per bank; a bar is the share of the run in which any part of the tile worked."""
    from matplotlib.patches import Patch

    layer_colour = colours(record.layers[1:])
    banks = record.work["tiles"]
    with styled():
        made, panels = figure(7.5, 0.8 + 2.6 * len(banks), rows=len(banks), sharex=False)
        for axes, (unit, found) in zip(panels, banks.items(), strict=True):
            _draw_bank(axes, record, unit, found["busy_cycles"], found["layers"], layer_colour)
        panels[0].set_title(f"{record.network['name']} on {record.hardware.name}: {panels[0].get_title('left')}")
        lived = {name for found in banks.values() for names in found["layers"] if len(names) == 1 for name in names}
        shown = [name for name in record.layers[1:] if name in lived]
        handles = [Patch(facecolor=layer_colour[name], label=name) for name in shown]
        if len(shown) > LEGEND_LAYERS:
            layer_bar(made, panels, record.layers[1:], layer_colour, LEGEND_LAYERS)
            handles = []
        if any(len(names) > 1 for found in banks.values() for names in found["layers"]):
            handles.append(Patch(facecolor=UNATTRIBUTED_COLOUR, label=SHARED))
        if handles:
            made.legend(handles=handles, loc="outside lower center", ncols=min(len(handles), 6))
    return made


def _draw_bank(
    axes: Axes, record: Record, unit: str, busy: list[int], layers: list[list[str]], layer_colour: dict[str, str]
) -> None:
    """The bars of one bank, its own busy share as a line."""
    from matplotlib.ticker import MaxNLocator

    cycles = record.cycles[unit].cycles
    hues = []
    for names in layers:
        alone = layer_colour.get(names[0], UNUSED_COLOUR) if names else UNUSED_COLOUR
        hues.append(UNATTRIBUTED_COLOUR if len(names) > 1 else alone)
    axes.bar(range(len(busy)), [100 * n / cycles for n in busy], 0.85, color=hues)
    mean = 100 * sum(busy) / (cycles * len(busy)) if busy else 0.0
    axes.axhline(mean, color="black", linewidth=0.8, linestyle=":")
    axes.annotate(
        f"mean {mean:.3g} %", (1.0, mean), (-2, 2), xycoords=("axes fraction", "data"), textcoords="offset points",
        ha="right", va="bottom", fontsize=8,
    )  # fmt: skip
    axes.set_title(f"busy share of the tiles of {unit}")
    axes.set_xlabel("tile")
    axes.set_ylabel("busy (% of the run)")
    axes.set_ylim(0.0, 100.0)
    axes.set_xlim(-0.6, len(busy) - 0.4)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=20))
    axes.grid(axis="y", linewidth=0.3, color="#DDDDDD")
