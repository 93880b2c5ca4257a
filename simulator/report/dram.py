"""What became of the bursts of main memory that has rows, and what their bits cost beside a constant per bit.

A constant per bit knows no open row, no refresh and no turning of the data bus.  The flat figures shown beside are
those of bundled machines with such a memory, over the same bits: price x bits asked for, over-fetch left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simulator.energy import STATIC
from simulator.hardware import load_hardware
from simulator.hardware.action import OPERANDS
from simulator.record import Record
from simulator.report.cells import count, new_table, plain_name
from simulator.report.quantity import percent, quantity

if TYPE_CHECKING:
    from rich.table import Table

    from simulator.hardware.dram_geometry import DramGeometry
    from simulator.hardware.dram_timing import DramTiming

TYPE = "banked_dram"
ROWS = ("row_hit", "row_closed", "row_conflict")
"""Of every burst exactly one: its row was open; its bank was closed; another row was open."""
MEETINGS = ("refresh_wait", "turnaround")
COMMANDS = ("activate", "read_burst", "write_burst", "read", "write", "overfetch")
"""Verbs whose energy an operand causes; that of a bit of over-fetch is among them."""
FLAT = {"STEMS": ("stems_meta1m", "dram"), "one price": ("event_core_28nm", "dram")}
"""Heading -> bundled machine and unit with a constant per bit."""
ALL = "all"


@dataclass(frozen=True)
class Traffic:
    """Bursts of one operand by what became of them, bits asked for by direction, and the energy of their commands."""

    layer: str
    operand: str
    outcomes: dict[str, int]
    read_bits: int
    write_bits: int
    dynamic_pj: float

    @property
    def bursts(self) -> int:
        """Bursts that had commands of their own."""
        return sum(self.outcomes[verb] for verb in ROWS)

    @property
    def bits(self) -> int:
        """Bits asked for."""
        return self.read_bits + self.write_bits

    @property
    def hit_rate(self) -> float | None:
        """Share of bursts whose row was open; None without bursts."""
        return self.outcomes["row_hit"] / self.bursts if self.bursts else None

    @property
    def pj_per_bit(self) -> float | None:
        """Energy of commands and interface per bit asked for; None without bits."""
        return self.dynamic_pj / self.bits if self.bits else None

    def flat_pj_per_bit(self, read: float, write: float) -> float | None:
        """What a price per bit read and one per bit written come to over the same bits."""
        return (read * self.read_bits + write * self.write_bits) / self.bits if self.bits else None


def banked_memories(record: Record) -> list[str]:
    """Units of the type with rows."""
    return [unit for unit in record.units if record.hardware.units[unit].type == TYPE]


def dram_traffic(record: Record, units: Iterable[str] | None = None) -> list[Traffic]:
    """One entry per layer and operand with bursts or bits, in ledger order, over `units` (default: all with rows)."""
    chosen = banked_memories(record) if units is None else list(units)
    rows = [record.units.index(unit) for unit in chosen]
    column = {name: a for a, name in enumerate(record.actions)}
    energy = record.energy.by(lambda term: (term.unit, term.layer, term.action))

    def counted(layer: int, action: str) -> int:
        return int(record.counts[rows, layer, column[action]].sum()) if action in column else 0

    found = []
    for layer, name in enumerate(record.layers):
        for operand in OPERANDS:
            outcomes = {verb: counted(layer, f"{verb}:{operand}") for verb in (*ROWS, *MEETINGS)}
            read, write = (counted(layer, f"{verb}:{operand}") for verb in ("read", "write"))
            if read or write or any(outcomes.values()):
                spent = sum(energy.get((unit, name, f"{verb}:{operand}"), 0.0) for unit in chosen for verb in COMMANDS)
                found.append(Traffic(name, operand, outcomes, read, write, spent))
    return found


def by_operand(traffic: Iterable[Traffic]) -> list[Traffic]:
    """One entry per operand over all layers, then one for everything."""
    parts = list(traffic)
    groups = {operand: [t for t in parts if t.operand == operand] for operand in OPERANDS}
    groups[ALL] = parts
    return [
        Traffic(
            ALL,
            operand,
            {verb: sum(t.outcomes[verb] for t in group) for verb in (*ROWS, *MEETINGS)},
            sum(t.read_bits for t in group),
            sum(t.write_bits for t in group),
            sum(t.dynamic_pj for t in group),
        )
        for operand, group in groups.items()
        if group
    ]


def row_hit_rates(record: Record) -> dict[str, float | None]:
    """Share of bursts whose row was open, for each memory with rows; None for one that had no bursts."""
    found = {}
    for unit in banked_memories(record):
        total = by_operand(dram_traffic(record, [unit]))
        found[unit] = total[-1].hit_rate
    return found


def flat_prices() -> dict[str, tuple[float, float]]:
    """Energy per bit read and per bit written of the memories in `FLAT`, pJ."""
    memories = {heading: _flat_memory(heading) for heading in FLAT}
    return {
        heading: (float(spec.read_energy_pj_per_bit.value), float(spec.write_energy_pj_per_bit.value))
        for heading, spec in memories.items()
    }


def dram_tables(record: Record) -> list[Table]:
    """Operands, layers with their operands, and what the memory spent on nobody's behalf; none for other memories."""
    if not banked_memories(record):
        return []
    traffic = dram_traffic(record)
    return [
        _traffic_table("DRAM: what the constant per bit hid", by_operand(traffic), layers=False),
        _traffic_table("DRAM: what the constant per bit hid, by layer", traffic, layers=True),
        overhead_table(record),
    ]


def overhead_table(record: Record) -> Table:
    """Refresh, turning of the data bus, background: cycles, and pJ per bit asked for of the unit."""
    table = new_table("DRAM: what no constant per bit contains")
    table.add_column("memory", overflow="fold")
    table.add_column("what")
    for name in ("times", "cycles", "share", "energy", "pJ per bit"):
        table.add_column(name, justify="right")
    for unit in banked_memories(record):
        bits = sum(t.bits for t in dram_traffic(record, [unit]))
        for i, (what, times, cycles, share, pj) in enumerate(_overheads(record, unit)):
            table.add_row(
                plain_name(unit) if i == 0 else "",
                what,
                count(times),
                count(cycles),
                percent(share),
                "–" if pj is None else quantity(pj * 1e-12, "J"),
                _pj(pj / bits if pj is not None and bits else None),
            )
    return table


def _overheads(
    record: Record, unit: str
) -> Iterator[tuple[str, int | None, int | None, float | None, float | None]]:
    """(what, times, cycles, share of the time, pJ): refresh holds its rank or bank for tRFC, of all ranks' (banks')
    cycles; the data bus stands still at least as `_still` says."""
    spec: Any = record.hardware.units[unit]
    timing, geometry = spec.timing, spec.geometry
    u, column = record.units.index(unit), {name: a for a, name in enumerate(record.actions)}
    energy = record.energy.by(lambda term: (term.unit, term.action))

    def counted(action: str) -> int:
        return int(record.counts[u, :, column[action]].sum())

    cycles = record.cycles[unit].cycles
    single = spec.controller.refresh == "bank"
    places = geometry.channels * geometry.ranks * (geometry.bank_groups * geometry.banks_per_group if single else 1)
    refreshes = counted("refresh:rank")
    held = refreshes * (timing.trfc_bank_cycles if single else timing.trfc_cycles)
    yield ("refresh, of a bank" if single else "refresh, of a rank", refreshes, held,
           held / (cycles * places) if cycles else None, energy.get((unit, "refresh:rank"), 0.0))  # fmt: skip
    turns = sum(counted(f"turnaround:{operand}") for operand in OPERANDS)
    still = _still(turns, timing, geometry)
    share = still / (cycles * geometry.channels) if cycles else None
    yield "turning the data bus, at least", turns, still, share, None
    for verb, what in (("active", "background, a row open"), ("idle", "background, no row open")):
        spent = counted(f"{verb}:rank")
        ranks = cycles * geometry.channels * geometry.ranks
        yield what, None, spent, spent / ranks if ranks else None, energy.get((unit, f"{verb}:rank"), 0.0)
    static = sum(t.pj for t in record.energy.terms if t.unit == unit and t.category == STATIC)
    if static:
        yield "leakage", None, None, None, static
    for heading in FLAT:
        flat = _flat_memory(heading).background_mw.value * record.end_ps / 1000  # 1 mW for 1 ps is 1e-3 pJ
        if flat:
            yield f"beside: background of {heading!r}", None, None, None, flat


def _still(turns: int, timing: DramTiming, geometry: DramGeometry) -> int:
    """Fewest cycles in which the data bus is empty because its direction changed `turns` times.

    Each change leaves tRTRS empty.  With one rank, a read after a write, every second change, is issued tWTR after the
    write's data and has its own tAL + tCL later (JESD79-4, write to read); with more it may go to another rank.
    """
    still = turns * timing.trtrs_cycles
    if geometry.ranks == 1:
        recovery = timing.twtr_l_cycles if geometry.bank_groups == 1 else timing.twtr_s_cycles
        still += turns // 2 * (recovery + timing.tal_cycles + timing.tcl_cycles - timing.trtrs_cycles)
    return still


def _flat_memory(heading: str) -> Any:
    machine, unit = FLAT[heading]
    return load_hardware(machine).unit(unit)


def _traffic_table(title: str, traffic: list[Traffic], layers: bool) -> Table:
    table = new_table(title)
    if layers:
        table.add_column("layer", overflow="fold")
    table.add_column("operand")
    for name in ("bursts", "row hits", "closed", "conflicts", "met refresh", "turned bus", "pJ/bit", *FLAT):
        table.add_column(name, justify="right")
    prices = flat_prices()
    for entry in traffic:
        shares = [percent(entry.outcomes[verb] / entry.bursts) if entry.bursts else "–" for verb in ROWS]
        table.add_row(
            *((plain_name(entry.layer),) if layers else ()),
            entry.operand.replace("_", " "),
            count(entry.bursts),
            *shares,
            *(count(entry.outcomes[verb]) for verb in MEETINGS),
            _pj(entry.pj_per_bit),
            *(_pj(entry.flat_pj_per_bit(*prices[heading])) for heading in FLAT),
        )
    return table


def _pj(value: float | None) -> str:
    return "–" if value is None else f"{value:,.2f}"
