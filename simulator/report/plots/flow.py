"""Where data go: memory levels from left to right, the cores at the right, a band per operand between them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING

from simulator.record import Record
from simulator.record_summary import OPERANDS
from simulator.report.flows import CORES, Flow, chain_of, flows, main_memories
from simulator.report.plots.style import COLOURS, figure, styled
from simulator.report.quantity import quantity

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TITLE = "flow of data"
SHADES = dict(zip(OPERANDS, COLOURS, strict=False))
NODE_WIDTH = 0.05
GAP = 0.07
"""Space between the boxes of one column, as a share of the height of the fullest column."""
HAIRLINE = 0.004
"""Least height of a band, likewise: what moved at all is seen."""

LABEL = 0.034
"""Space of a line of text, likewise."""


def missing(record: Record) -> str | None:
    """Why the picture cannot be drawn, or None."""
    return None if flows(record) else "no memory was read or written"


def columns(record: Record) -> dict[str, int]:
    """Column of every level: main memory 0, every other level behind those before it in any chain, the cores last."""
    outside = main_memories(record)
    chains = [chain for operand in OPERANDS if (chain := chain_of(record, operand))]
    place = {level: 0 if level in outside else 1 for chain in chains for level in chain}
    for _ in place:  # as often as there are levels: longest paths settle, and two chains of opposite order end
        for chain in chains:
            for before, level in pairwise(chain):
                place[level] = max(place[level], place[before] + 1)
    return {**place, CORES: max(place.values()) + 1}


def draw(record: Record) -> Figure:
    """Heights of bands are proportional to bits, but for a least height; bands towards memory are hatched."""
    found = flows(record)
    place = columns(record)
    whole = _height_of_columns(found, place)
    heights = {flow: max(flow.bits / whole, HAIRLINE) for flow in found}
    with styled():
        made, (axes,) = figure(9.0, 5.2)
        boxes = _boxes(heights, place)
        outer = _tops(heights, boxes, _outer, _inner)
        inner = _tops(heights, boxes, _inner, _outer)
        for flow in found:
            ends = (place[_outer(flow)] + NODE_WIDTH, outer[flow]), (place[_inner(flow)] - NODE_WIDTH, inner[flow])
            _band(axes, flow, heights[flow], *ends)
        lowest = _labels(axes, heights, outer, place)
        for level, (top, height) in boxes.items():
            x = place[level] - NODE_WIDTH
            axes.fill_between([x, x + 2 * NODE_WIDTH], top, top + height, color="#404040", linewidth=0, zorder=3)
            axes.annotate(level, (place[level], top), ha="center", va="bottom", fontsize=9, fontweight="bold",
                          xytext=(0, 3), textcoords="offset points")
        axes.set_axis_off()
        axes.set_xlim(min(place.values()) - 0.2, place[CORES] + 0.2)
        axes.set_ylim(max(lowest, *(top + height for top, height in boxes.values())) + 0.02, -0.06)
        axes.set_title(f"{record.network['name']} on {record.hardware.name}: where bits go")
        _legend(made, {flow.operand for flow in found})
    return made


def _outer(flow: Flow) -> str:
    """The end at the left, nearer to memory."""
    return flow.source if flow.inwards else flow.target


def _inner(flow: Flow) -> str:
    """The end at the right, nearer to the cores."""
    return flow.target if flow.inwards else flow.source


def _height_of_columns(found: list[Flow], place: dict[str, int]) -> float:
    """Bits of the fullest column: what all heights are shares of."""
    sums: dict[int, float] = {}
    for level, column in place.items():
        sums[column] = sums.get(column, 0.0) + _fuller(level, {flow: flow.bits for flow in found})
    return max(sums.values())


def _fuller(level: str, sizes: Mapping[Flow, float]) -> float:
    """Sum of the sizes of flows at the fuller side of a level."""
    right = sum(size for flow, size in sizes.items() if _outer(flow) == level)
    return max(right, sum(size for flow, size in sizes.items() if _inner(flow) == level))


def _boxes(heights: dict[Flow, float], place: dict[str, int]) -> dict[str, tuple[float, float]]:
    """Level -> (top, height); the boxes of a column stand below each other."""
    boxes: dict[str, tuple[float, float]] = {}
    below: dict[int, float] = {}
    for level, column in place.items():
        height = _fuller(level, heights)
        boxes[level] = (below.get(column, 0.0), height)
        below[column] = sum(boxes[level]) + GAP
    return boxes


def _tops(
    heights: dict[Flow, float], boxes: dict[str, tuple[float, float]], here: Callable[[Flow], str],
    there: Callable[[Flow], str],
) -> dict[Flow, float]:  # fmt: skip
    """Where bands meet one side of their boxes: in the order of the boxes at their other ends, so that few cross."""
    order = sorted(heights, key=lambda f: (boxes[there(f)][0], OPERANDS.index(f.operand), not f.inwards))
    used: dict[str, float] = {}
    found: dict[Flow, float] = {}
    for flow in order:
        found[flow] = boxes[here(flow)][0] + used.get(here(flow), 0.0)
        used[here(flow)] = used.get(here(flow), 0.0) + heights[flow]
    return found


def _band(axes: Axes, flow: Flow, height: float, left: tuple[float, float], right: tuple[float, float]) -> None:
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    (x0, y0), (x1, y1) = left, right
    middle = (x0 + x1) / 2
    points = [(x0, y0), (middle, y0), (middle, y1), (x1, y1), (x1, y1 + height), (middle, y1 + height),
              (middle, y0 + height), (x0, y0 + height), (x0, y0)]  # fmt: skip
    codes = [Path.MOVETO, *[Path.CURVE4] * 3, Path.LINETO, *[Path.CURVE4] * 3, Path.CLOSEPOLY]
    axes.add_patch(PathPatch(Path(points, codes), facecolor=SHADES[flow.operand], edgecolor="white", linewidth=0.3,
                             alpha=0.85 if flow.inwards else 0.5, hatch="" if flow.inwards else "////"))


def _labels(axes: Axes, heights: dict[Flow, float], tops: dict[Flow, float], place: dict[str, int]) -> float:
    """Bits at the left end of every band; where bands are thin, texts give way downwards.  Returns the lowest edge."""
    free: dict[int, float] = {}
    for flow in sorted(heights, key=lambda f: (place[_outer(f)], tops[f])):
        column = place[_outer(flow)]
        y = max(tops[flow] + heights[flow] / 2, free.get(column, -1.0))
        free[column] = y + LABEL
        text = f"{quantity(flow.bits, 'bit')} {flow.operand.replace('_', ' ')} {'→' if flow.inwards else '←'}"
        backed = {"facecolor": "white", "alpha": 0.0 if heights[flow] > LABEL else 0.7, "linewidth": 0, "pad": 0.6}
        axes.annotate(text, (column + NODE_WIDTH, y), va="center", fontsize=7, xytext=(3, 0),
                      textcoords="offset points", zorder=4, annotation_clip=False, bbox=backed)
    return max(free.values()) - LABEL / 2


def _legend(made: Figure, seen: set[str]) -> None:
    from matplotlib.patches import Patch

    handles = [Patch(facecolor=SHADES[name], label=name.replace("_", " ")) for name in OPERANDS if name in seen]
    handles += [Patch(facecolor="#BBBBBB", label="towards the cores"),
                Patch(facecolor="#DDDDDD", edgecolor="white", hatch="////", label="towards memory")]  # fmt: skip
    made.legend(handles=handles, loc="outside lower center", ncols=len(handles))
