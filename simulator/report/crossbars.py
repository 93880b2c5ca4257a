"""Tables of chips with crossbar tiles: what each layer did to its arrays, and what the chip is made of."""

from __future__ import annotations

import math
from itertools import groupby
from typing import TYPE_CHECKING, Any

from simulator.energy import static_powers
from simulator.hardware.cim.quirks import SETS
from simulator.record import Record
from simulator.report.cells import count, new_table, plain_name
from simulator.report.quantity import percent, quantity

if TYPE_CHECKING:
    from rich.table import Table

TYPE = "cim_tile"
CONVERSIONS = ("convert:column", "convert_idle:column")
BAR = 20


def has_crossbars(record: Record) -> bool:
    """Whether any unit of the machine is a bank of crossbar tiles."""
    return any(spec.type == TYPE for spec in record.hardware.units.values())


def crossbar_tables(record: Record) -> list[Table]:
    """All tables of a chip of crossbar tiles; none of another chip."""
    if not has_crossbars(record):
        return []
    tiles = [tile_table(record)] if record.work.get("tiles") else []  # records of earlier versions have none
    return [crossbar_table(record), *tiles, component_table(record)]


def converter_text(spec: Any) -> str:
    """One line about the bank `spec`: its converter, and the flags of another tool that it follows."""
    quirks = set(spec.quirks)
    names = [name for name, flags in SETS.items() if quirks and quirks == set(flags)] or list(spec.quirks)
    shares = "one per column" if spec.crossbar.mux_ratio == 1 else f"one for {spec.crossbar.mux_ratio} columns"
    text = f"ADC {spec.adc.name}, {spec.adc.bits} bits, {shares}"
    return f"{text}; quirks {', '.join(names)}" if names else f"{text}; no quirks"


def crossbar_table(record: Record) -> Table:
    """One row per layer: rows latched and driven, conversions, those without an active row, sums, bits between tiles.

    Counts are summed over samples, timesteps and all processing elements of the layer.
    """
    table = new_table("crossbars: what each layer did")
    banks = {unit: spec for unit, spec in record.hardware.units.items() if spec.type == TYPE}
    table.caption = plain_name("".join(f"{unit}: {converter_text(spec)}\n" for unit, spec in banks.items()))
    table.caption_justify = "left"
    table.add_column("layer", overflow="fold")
    for name in ("rows latched", "driven", "conversions", "idle", "sums added", "between tiles", "clipped"):
        table.add_column(name, justify="right")
    clipped = record.work.get("crossbar") or {}
    for row, layer in enumerate(record.layers):
        latched, driven = (_counted(record, row, action) for action in ("latch:row", "drive:row"))
        conversions = sum(_counted(record, row, action) for action in CONVERSIONS)
        if not latched and not conversions:
            continue
        idle = _counted(record, row, CONVERSIONS[1])
        bits = _counted(record, row, "link:spike") + _counted(record, row, "link:partial_sum")
        table.add_row(
            plain_name(layer),
            count(latched),
            count(driven),
            count(conversions),
            percent(idle / conversions) if conversions else "–",
            count(_counted(record, row, "accumulate:partial_sum")),
            quantity(bits / 8, "B"),
            _clipping(clipped.get(layer)),
        )
    return table


def tile_table(record: Record) -> Table:
    """Busy share of tiles: one row per run of neighbours on which the same layers live."""
    table = new_table("tiles: utilisation")
    table.add_column("tiles", overflow="fold")
    table.add_column("layers", overflow="fold")
    for name in ("number", "busy", "least", "most"):
        table.add_column(name, justify="right")
    table.add_column("█ busy · idle", no_wrap=True)
    banks = record.work.get("tiles") or {}
    for unit, found in banks.items():
        cycles = record.cycles[unit].cycles
        prefix = f"{unit} " if len(banks) > 1 else ""
        tiles = list(zip(found["busy_cycles"], found["layers"], strict=True))
        first = 0
        for layers, group in groupby(tiles, key=lambda tile: tile[1]):
            busy = [cycles_busy for cycles_busy, _ in group]
            last = first + len(busy) - 1
            shares = [n / cycles if cycles else 0.0 for n in (sum(busy) / len(busy), min(busy), max(busy))]
            full = min(BAR, max(round(BAR * shares[0]), 1 if any(busy) else 0))
            table.add_row(
                f"{prefix}{first}" + (f" – {last}" if last > first else ""),
                plain_name(", ".join(layers)) if layers else "–",
                count(len(busy)),
                *(percent(share) for share in shares),
                "█" * full + "·" * (BAR - full),
            )
            first = last + 1
    return table


def component_table(record: Record) -> Table:
    """Area and static power of each component of the bank, largest area first."""
    table = new_table("crossbars: what the chip is made of")
    table.add_column("component", overflow="fold")
    for name in ("area", "share", "static power"):
        table.add_column(name, justify="right")
    area = record.summary()["area_mm2"]
    total = area["total"]
    leaking = {
        f"{unit}.{operand.removeprefix('leakage_')}": power.value
        for unit in record.built
        for operand, power in static_powers(record.hardware.units[unit], record.built[unit]).items()
    }
    parts = {name: mm2 for name, mm2 in area.get("by_component", {}).items() if mm2 or leaking.get(name)}
    names = [*parts, *(name for name, mw in leaking.items() if mw and name not in parts)]
    for name in sorted(names, key=lambda name: (-parts.get(name, 0.0), name)):
        mm2, mw = parts.get(name, 0.0), leaking.get(name, 0.0)
        table.add_row(
            plain_name(name),
            f"{mm2:.4g} mm2",
            percent(mm2 / total) if total else "–",
            quantity(mw * 1e-3, "W") if mw else "–",
        )
    static = math.fsum(leaking.values())
    table.add_row("all", f"{total:.4g} mm2", "", quantity(static * 1e-3, "W") if static else "–")
    for unit, mm2 in area.get("per_tile", {}).items():
        tiles = record.built[unit]["tiles"]
        table.add_row(f"per tile of {plain_name(unit)} ({tiles})", f"{mm2:.4g} mm2", "", "")
    return table


def _counted(record: Record, row: int, action: str) -> int:
    """A layer's count of an action over all banks; 0 where no unit knows the action."""
    if action not in record.actions:
        return 0
    column = record.actions.index(action)
    banks = [u for u, unit in enumerate(record.units) if record.hardware.units[unit].type == TYPE]
    return int(record.counts[banks, row, column].sum())


def _clipping(found: dict[str, int] | None) -> str:
    """Conversions above the converter's range, as counted or, without weights, as could be."""
    if not found:
        return "–"
    if "adc_clip_high" in found:
        return count(found["adc_clip_high"])
    return f"up to {count(found['clip_possible'])}" if "clip_possible" in found else "–"
