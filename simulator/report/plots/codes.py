"""What the converters of crossbar tiles made of the sums: how often each code came out, layer by layer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.record import Record
from simulator.report.plots.style import colours, figure, layer_bar, styled
from simulator.report.quantity import percent

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TITLE = "codes of the converters"
LEGEND_LAYERS = 12
NEEDED = ("codes", "codes_per_bin", "lowest_code", "conversions", "adc_clip_high")


def missing(record: Record) -> str | None:
    """Why the picture cannot be drawn, or None."""
    return None if _layers(record) else "no layer ran with its weights in real cells (a unit with `device`)"


def draw(record: Record) -> Figure:
    """Share of a layer's conversions by code, logarithmic; the legend says how many sums were above full scale."""
    layer_colour = colours(record.layers[1:])
    found = _layers(record)
    with styled():
        made, (axes,) = figure(7.5, 3.8)
        for layer, facts in found.items():
            width = facts["codes_per_bin"]
            share = np.array(facts["codes"], np.float64) / facts["conversions"]
            edges = facts["lowest_code"] + width * np.arange(share.size + 1) - 0.5
            clipped = percent(facts["adc_clip_high"] / facts["conversions"], 2)
            axes.stairs(share, edges, color=layer_colour[layer], linewidth=1.2, label=f"{layer}: {clipped} clipped")
        axes.set_yscale("log")
        axes.set_xlabel("code of the converter")
        axes.set_ylabel("share of the layer's conversions")
        axes.grid(linewidth=0.3, color="#DDDDDD")
        axes.set_title(f"{record.network['name']} on {record.hardware.name}: codes by layer")
        if len(found) > LEGEND_LAYERS:
            layer_bar(made, axes, record.layers[1:], layer_colour, LEGEND_LAYERS)
        else:
            made.legend(loc="outside lower center", ncols=3)
    return made


def _layers(record: Record) -> dict[str, Mapping[str, Any]]:
    """Layers whose codes are known."""
    found = record.work.get("crossbar") or {}
    return {
        layer: facts
        for layer, facts in found.items()
        if layer in record.layers and all(facts.get(key) is not None for key in NEEDED)
        and facts["conversions"] and facts["codes"]
    }  # fmt: skip
