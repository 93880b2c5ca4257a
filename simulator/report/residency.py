"""Where each layer's neuron state lives: the levels that read and wrote it, per layer.

A level that a layer's state passes through holds it for a while; the outermost such level is where it lives between
timesteps or samples, and what is written there are evictions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulator.record import Record
from simulator.record_summary import level_of
from simulator.report.cells import count, new_table, plain_name
from simulator.report.flows import main_memories
from simulator.report.quantity import quantity

if TYPE_CHECKING:
    from rich.table import Table

VERBS = ("read", "write")
REGISTERS = "registers"
"""Where state lives that no memory ever reads or writes."""


def residency_rows(record: Record) -> list[dict[str, Any]]:
    """One row per layer with neurons that were updated or moved: layer, neurons, home, and per level "<level> read" and
    "<level> write", bits of state.

    home: main memory if the state passes there, else the on-chip level that moved most of it, else registers.
    """
    outside = main_memories(record)
    neurons = record.network.get("neurons_by_layer") or {}
    rows = []
    for layer in record.named_layers:
        moved = _moved(record, record.layers.index(layer))
        inside = {level: sum(bits) for level, bits in moved.items() if level not in outside}
        reached = [level for level in outside if level in moved]
        home = reached[0] if reached else max(inside, key=lambda level: inside[level], default=REGISTERS)
        columns = {f"{level} {verb}": n for level, bits in moved.items() for verb, n in zip(VERBS, bits, strict=True)}
        rows.append({"layer": layer, "neurons": neurons.get(layer), "home": home, **columns})
    return rows


def has_state(record: Record) -> bool:
    """Whether any level moved state for a layer."""
    return any(_moved(record, row) for row in range(1, len(record.layers)))


def residency_table(record: Record) -> Table:
    """The rows for the terminal; levels that moved no state have no column."""
    rows = residency_rows(record)
    names = list(dict.fromkeys(name for row in rows for name in row if name not in ("layer", "neurons", "home")))
    table = new_table("neuron state: where it lives and what moves of it")
    table.add_column("layer", overflow="fold")
    table.add_column("neurons", justify="right")
    table.add_column("lives in")
    for name in names:
        table.add_column(plain_name(name), justify="right")
    for row in rows:
        cells = [quantity(row[name] / 8, "B") if row.get(name) else "–" for name in names]
        table.add_row(plain_name(row["layer"]), count(row["neurons"]), plain_name(row["home"]), *cells)
    return table


def _moved(record: Record, row: int) -> dict[str, tuple[int, int]]:
    """Level -> bits of state read and written for a layer; levels that moved none are left out."""
    found: dict[str, tuple[int, int]] = {}
    column = {name: a for a, name in enumerate(record.actions)}
    for u, unit in enumerate(record.units):
        declared = {action.name for action in record.hardware.units[unit].ACTIONS}
        read, write = (
            int(record.counts[u, row, column[name]].sum()) if name in declared & column.keys() else 0
            for name in (f"{verb}:state" for verb in VERBS)
        )
        if read or write:
            before = found.get(level_of(unit), (0, 0))
            found[level_of(unit)] = (before[0] + read, before[1] + write)
    return found
