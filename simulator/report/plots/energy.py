"""Where the energy goes: a bar per unit, stacked by action; static power is hatched."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.energy import STATIC
from simulator.record import Record
from simulator.report.plots.style import COLOURS, GREY, figure, styled
from simulator.report.quantity import percent, quantity, scale_for

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TITLE = "energy"
MAX_UNITS = 24
OTHERS = "other actions"
HATCHES = ("", "////", "....")


def missing(record: Record) -> str | None:
    """Why the picture cannot be drawn, or None."""
    return None if record.energy.total > 0 else "every price is zero"


def draw(record: Record) -> Figure:
    """Units in the order of the hardware file, those without energy left out; the smallest actions share a colour."""
    energy = record.energy
    parts = energy.by(lambda t: (t.unit, t.action))
    units = [u for u in record.units if energy.by_unit.get(u, 0.0) > 0]
    if len(units) > MAX_UNITS:
        largest = set(sorted(units, key=lambda u: -energy.by_unit[u])[:MAX_UNITS])
        units = [u for u in units if u in largest]
    looks = _looks(energy.by_action)
    factor, prefix = scale_for(max(energy.by_unit.values()) * 1e-12)
    with styled():
        made, (axes,) = figure(9.5, min(2.4 + 0.34 * len(units), 12.0))
        left = dict.fromkeys(units, 0.0)
        for name, (colour, hatch) in looks.items():
            width = {u: _width(parts, looks, u, name) * 1e-12 / factor for u in units}
            if any(width.values()):
                axes.barh(range(len(units)), list(width.values()), 0.7, list(left.values()), color=colour, hatch=hatch,
                          edgecolor="white", linewidth=0.3, label=name)
            left = {u: left[u] + width[u] for u in units}
        for i, unit in enumerate(units):
            pj = energy.by_unit[unit]
            label = f"  {quantity(pj * 1e-12, 'J')} ({percent(pj / energy.total)})"
            axes.text(left[unit], i, label, va="center", fontsize=8)
        grades = ", ".join(f"{percent(pj / energy.total, 0)} {grade}" for grade, pj in energy.by_grade.items())
        axes.set_title(f"{record.network['name']} on {record.hardware.name}: {quantity(energy.total * 1e-12, 'J')}\n"
                       f"prices: {grades}")
        axes.set_xlabel(f"energy ({prefix}J)")
        axes.set_ylabel("unit")
        axes.set_yticks(range(len(units)), units)
        axes.tick_params(axis="y", length=0)
        axes.set_ylim(len(units) - 0.5, -0.5)
        axes.set_xlim(0, max(left.values()) * 1.22)
        axes.grid(axis="x", linewidth=0.3, color="#DDDDDD")
        made.legend(loc="outside lower center", ncols=4, title="action (verb:operand)")
    return made


def _looks(by_action: dict[str, float]) -> dict[str, tuple[str, str]]:
    """Colour and hatch per action: the largest get their own, static ones are grey and hatched."""
    dynamic = [name for name in by_action if not name.startswith(f"{STATIC}:")]
    room = len(COLOURS) * 2
    chosen = sorted(dynamic, key=lambda name: -by_action[name])[: room if len(dynamic) <= room else room - 1]
    looks = {name: (COLOURS[i % len(COLOURS)], HATCHES[i // len(COLOURS)]) for i, name in enumerate(chosen)}
    if len(chosen) < len(dynamic):
        looks[OTHERS] = ("#000000", "")
    static = [name for name in by_action if name.startswith(f"{STATIC}:")]
    return looks | {name: (GREY, HATCHES[1 + i % 2]) for i, name in enumerate(static)}


def _width(
    parts: dict[tuple[str, str], float], looks: dict[str, tuple[str, str]], unit: str, name: str
) -> float:
    if name != OTHERS:
        return parts.get((unit, name), 0.0)
    return sum(pj for (u, action), pj in parts.items() if u == unit and action not in looks)
