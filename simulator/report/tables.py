"""Tables for the terminal: totals, layers, units, energy, movement.  They need no more than 110 columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.record import Record
from simulator.record_summary import MOVES
from simulator.report.cells import count, new_table, plain_name
from simulator.report.crossbars import crossbar_tables
from simulator.report.dram import dram_tables
from simulator.report.layers import layer_rows
from simulator.report.quantity import percent, quantity
from simulator.report.residency import has_state, residency_table

if TYPE_CHECKING:
    from rich.table import Table

BAR = 24
MAX_ACTIONS = 12


def record_tables(record: Record) -> list[Table]:
    """All tables of a run, in the order in which they are read; a rich Console prints each."""
    return [
        totals_table(record),
        layer_table(record),
        unit_table(record),
        *crossbar_tables(record),
        energy_table(record),
        movement_table(record),
        *dram_tables(record),
        *([residency_table(record)] if has_state(record) else []),
    ]


def totals_table(record: Record) -> Table:
    """The run in one look: time, work, throughput, energy."""
    summary = record.summary()
    latency, work, rate, energy = (summary[k] for k in ("latency", "work", "throughput", "energy_pj"))
    labels = ", ".join(getattr(record.hardware, "labels", ()) or ())
    table = new_table(f"{record.network['name']} on {record.hardware.name}" + (f" ({labels})" if labels else ""))
    table.show_header = False
    table.add_column("what")
    table.add_column("value", justify="right")
    table.add_column("note", overflow="fold")
    watts = energy["total"] * 1e-12 / latency["seconds"] if latency["seconds"] else None
    rows = [
        (
            "time",
            quantity(latency["seconds"], "s"),
            f"{latency['cycles']:,} cycles of clock {latency['clock']} at {quantity(latency['clock_hz'], 'Hz')}",
        ),
        (
            "per sample",
            quantity(latency["per_sample_seconds"], "s"),
            f"{record.samples} samples of up to {record.trace['timesteps']} timesteps, activity {record.activity}",
        ),
        (
            "energy",
            quantity(energy["total"] * 1e-12, "J"),
            f"dynamic {quantity(energy['dynamic'] * 1e-12, 'J')}, "
            f"static {quantity(energy['static'] * 1e-12, 'J')}; average power {quantity(watts, 'W')}",
        ),
        (
            "rests on",
            "",
            ", ".join(f"{percent(pj / energy['total'])} {grade}" for grade, pj in energy["by_grade"].items())
            if energy["total"]
            else "no energy",
        ),
        ("spikes", f"{sum(work['spikes'].values()):,}", f"of the layers; {work['input_spikes']:,} arrived as input"),
        (
            "synaptic operations",
            quantity(work["synaptic_operations"], "op"),
            f"dense network: {quantity(work['dense_operations'], 'op')}",
        ),
        (
            "throughput",
            f"{_number(rate['gsops'])} GSOPS",
            f"dense equivalent {_number(rate['gops'])} GOPS, "
            f"{_number(rate['gops_per_w'])} GOPS/W; peak {_number(rate['peak_gops'])} GOPS",
        ),
        ("utilisation", percent(rate["utilization"]), "operations executed / operations possible at the peak"),
    ]
    if work["saturations"]:
        rows.append(("saturations", f"{work['saturations']:,}", "membranes clamped to their width"))
    for layer, spikes in (work.get("beside_network") or {}).items():
        both, more, fewer = (spikes[key] for key in ("same", "unit_only", "network_only"))
        note = f"spikes of {layer} that the network's timesteps make too; {more:,} more came, {fewer:,} did not"
        rows.append(("as the network", f"{both:,}", plain_name(note)))
    for row in rows:
        table.add_row(*row)
    return table


def layer_table(record: Record) -> Table:
    """One row per layer: spikes, operations, time, energy."""
    table = new_table("layers")
    table.add_column("layer", overflow="fold")
    for name in ("neurons", "spikes", "operations", "density", "start", "busy cycles", "energy", "share"):
        table.add_column(name, justify="right")
    total = record.energy.total
    for row in layer_rows(record):
        table.add_row(
            plain_name(row["layer"]),
            count(row["neurons"]),
            count(row["spikes"]),
            quantity(row["synaptic_operations"], ""),
            percent(row["density"]),
            count(row["start_cycle"]),
            count(row["busy_cycles"]),
            quantity(row["energy_pj"] * 1e-12, "J"),
            percent(row["energy_pj"] / total) if total else "–",
        )
    return table


def unit_table(record: Record) -> Table:
    """One row per unit: busy, stalled and idle share of its cycles, as numbers and as a bar."""
    from rich.text import Text

    table = new_table("units: what they did with their cycles")
    table.add_column("unit", overflow="fold")
    table.add_column("clock")
    for name in ("cycles", "busy", "stalled", "idle"):
        table.add_column(name, justify="right")
    table.add_column("█ busy ▒ stalled · idle", no_wrap=True)
    table.add_column("longest stall", overflow="fold")
    for unit in record.units:
        time = record.cycles[unit]
        stalled = sum(time.stall.values())
        shares = [n / time.cycles if time.cycles else 0.0 for n in (time.busy, stalled, time.idle)]
        cause = max(time.stall, key=lambda name: time.stall[name], default=None)
        table.add_row(
            plain_name(unit),
            time.clock,
            count(time.cycles),
            *(percent(s) for s in shares),
            Text(_bar(time.busy, stalled, time.cycles)),
            f"{cause} {percent(time.stall[cause] / time.cycles)}" if cause is not None and time.stall[cause] else "",
        )
    return table


def energy_table(record: Record) -> Table:
    """Energy by unit and action, largest first, with the grade of each price; small ones are summed in the last row."""
    energy = record.energy
    table = new_table(f"energy by unit and action, {quantity(energy.total * 1e-12, 'J')} in all")
    table.add_column("unit", overflow="fold")
    table.add_column("action")
    table.add_column("grade")
    table.add_column("energy", justify="right")
    table.add_column("share", justify="right")
    parts = {names: pj for names, pj in energy.by(lambda t: (t.unit, t.action, t.grade)).items() if pj}
    groups = sorted(parts.items(), key=lambda item: (-item[1], item[0]))
    shown = groups if len(groups) <= MAX_ACTIONS + 1 else groups[:MAX_ACTIONS]
    for (unit, action, grade), pj in shown:
        share = percent(pj / energy.total) if energy.total else "–"
        table.add_row(plain_name(unit), action, grade, quantity(pj * 1e-12, "J"), share)
    rest = groups[len(shown) :]
    if rest:
        pj = sum(item[1] for item in rest)
        table.add_row(f"{len(rest)} others", "", "", quantity(pj * 1e-12, "J"), percent(pj / energy.total))
    return table


def movement_table(record: Record) -> Table:
    """Bytes moved per memory level and operand; over-fetch and broadcast only where there was any."""
    movement = record.summary()["movement_bits"]
    used = [v for v in MOVES if v in ("read", "write") or any(p[v] for o in movement.values() for p in o.values())]
    table = new_table("data moved by memory level and operand")
    table.add_column("level", overflow="fold")
    table.add_column("operand")
    for verb in used:
        table.add_column(verb, justify="right")
    for level, operands in movement.items():
        for i, (operand, bits) in enumerate(operands.items()):
            cells = [quantity(bits[v] / 8, "B") if bits[v] else "–" for v in used]
            table.add_row(plain_name(level) if i == 0 else "", operand.replace("_", " "), *cells)
    return table


def _bar(busy: int, stalled: int, cycles: int) -> str:
    """A bar of `BAR` characters; whatever happened at all gets at least one of them."""
    if not cycles:
        return "·" * BAR
    first = min(BAR, max(busy * BAR // cycles, 1 if busy else 0))
    second = min(BAR - first, max((busy + stalled) * BAR // cycles - first, 1 if stalled else 0))
    return "█" * first + "▒" * second + "·" * (BAR - first - second)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g}"
