"""One look for all pictures: colour-blind safe colours, sizes that can be read in a paper, files that do not vary."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito, "Color universal design" (2008), without black.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")
UNATTRIBUTED_COLOUR = "#F0E442"
"""Work for no layer: the palest hue of the same set, which no layer has."""
GREY = "#9A9A9A"
STALL_COLOURS = ("#B4B4B4", "#8C8C8C", "#CFCFCF", "#A0A0A0", "#787878", "#DEDEDE")
STALL_HATCHES = ("////", "xxxx", "\\\\\\\\", "....", "++++", "----")

SETTINGS = {
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "hatch.linewidth": 0.5,
    "savefig.dpi": 150,
    "svg.hashsalt": "neurocycle",
    "svg.fonttype": "none",
    "path.simplify": True,
}


def styled() -> AbstractContextManager[None]:
    """Context in which figures are made and saved; settings of the caller come back afterwards."""
    import matplotlib

    return matplotlib.rc_context(SETTINGS)


def figure(
    width: float, height: float, rows: int = 1, ratios: Sequence[float] | None = None, sharex: bool = True
) -> tuple[Figure, list[Axes]]:
    """A figure of `width` x `height` inches with `rows` axes above each other; no window system is touched."""
    from matplotlib.figure import Figure

    made = Figure(figsize=(width, height), layout="constrained")
    axes = made.subplots(rows, 1, squeeze=False, sharex=sharex, height_ratios=ratios)
    return made, list(axes[:, 0])


def save(made: Figure, path: Path) -> None:
    """Writes PNG or SVG by suffix, without the time of writing."""
    metadata: dict[str, str | None] = {"Date": None} if path.suffix == ".svg" else {"Software": "neurocycle"}
    with styled():
        made.savefig(path, metadata=metadata)
        # the layout is solved once; further formats of the same figure keep it
        made.set_layout_engine("none")


def layer_bar(
    made: Figure, axes: Axes | list[Axes], names: Sequence[str], colour: dict[str, str], ticks: int = 12
) -> None:
    """A colour bar that names every n-th layer, first layer on top: the legend of many layers."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import ListedColormap, NoNorm

    shades = ScalarMappable(NoNorm(), ListedColormap([colour[name] for name in names]))
    bar = made.colorbar(shades, ax=axes, pad=0.01)
    step = -(-len(names) // ticks)
    bar.set_ticks(range(0, len(names), step), labels=list(names[::step]))
    bar.set_label("layer")
    bar.ax.invert_yaxis()


def colours(names: Sequence[str]) -> dict[str, str]:
    """A colour per layer: distinct ones while they last, then steps of a map that is even in lightness."""
    if len(names) <= len(COLOURS):
        return dict(zip(names, COLOURS, strict=False))
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    even = colormaps["viridis"]
    # the yellow end is left out: it is too close to work for no layer
    return {name: to_hex(even(0.88 * i / (len(names) - 1))) for i, name in enumerate(names)}
