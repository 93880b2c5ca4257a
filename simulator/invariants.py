"""Laws that hold after every run.  They are cheap and always on; a broken one is a defect of the simulator."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from simulator.errors import InvariantError
from simulator.units import edge_at_or_after

if TYPE_CHECKING:
    from simulator.record import Record


def check_record(record: Record) -> None:
    """Raises InvariantError, naming the unit and both numbers, at the first law that `record` breaks.

    No count is negative.  busy + stall + idle = cycles of every unit, and cycles span the run.  Busy bins add up to
    busy.  The run ends no earlier than the busiest unit's work.  No tile of a bank works longer than the bank.
    Spikes delivered + dropped = fan-outs of spikes sent.  Bits sent + broadcast copies = bits received + over-fetch,
    per link and operand.  Energy parts add up to the total.
    """
    _check_counts(record)
    _check_times(record)
    _check_tiles(record)
    _check_spikes(record)
    _check_links(record)
    _check_energy(record)


def _check_counts(record: Record) -> None:
    expected = (len(record.units), len(record.layers), len(record.actions))
    if record.counts.shape != expected or record.counts.dtype != np.int64:
        raise InvariantError(f"counts are {record.counts.dtype} {record.counts.shape}, expected int64 {expected}")
    if record.counts.size and int(record.counts.min()) < 0:
        u, layer, a = np.unravel_index(int(record.counts.argmin()), record.counts.shape)
        raise InvariantError(
            f"unit {record.units[u]}: {record.actions[a]} of layer {record.layers[layer]} was counted "
            f"{int(record.counts.min())} times, the least possible is 0"
        )


def _check_times(record: Record) -> None:
    if set(record.cycles) != set(record.units):
        odd = sorted(set(record.cycles) ^ set(record.units))
        raise InvariantError(f"unit times and unit names differ in {odd}")
    bins = record.busy.sum(axis=1, dtype=np.int64)
    for u, unit in enumerate(record.units):
        time = record.cycles[unit]
        stalled = sum(time.stall.values())
        parts = {"busy": time.busy, "idle": time.idle, **time.stall, **time.waits}
        for name, value in parts.items():
            if value < 0:
                raise InvariantError(f"unit {unit}: {name} cycles are {value}, the least possible is 0")
        hertz = int(record.hardware.clocks[time.clock])
        run = edge_at_or_after(record.end_ps, hertz)
        if time.busy > run:
            raise InvariantError(
                f"unit {unit}: it worked for {time.busy} cycles, the run ends after {run} cycles of clock {time.clock}"
            )
        if time.cycles != run:
            raise InvariantError(
                f"unit {unit}: its time adds up to {time.cycles} cycles, the run of {record.end_ps} ps "
                f"lasts {run} cycles of clock {time.clock}"
            )
        total = time.busy + stalled + time.idle
        if total != time.cycles:
            raise InvariantError(f"unit {unit}: busy + stall + idle is {total} cycles, the run is {time.cycles}")
        if int(bins[u]) != time.busy:
            raise InvariantError(f"unit {unit}: busy bins add up to {int(bins[u])} cycles, busy is {time.busy}")


def _check_tiles(record: Record) -> None:
    for unit, found in (record.work.get("tiles") or {}).items():
        most = record.cycles[unit].busy
        for tile, busy in enumerate(found["busy_cycles"]):
            if not 0 <= busy <= most:
                raise InvariantError(
                    f"unit {unit}: tile {tile} worked for {busy} cycles, all tiles together for {most} cycles"
                )


def _check_spikes(record: Record) -> None:
    work = record.work
    arrived = int(work["delivered_spikes"]) + int(work["dropped_spikes"])
    if arrived != int(work["sent_fanout_spikes"]):
        raise InvariantError(
            f"network {record.network['name']}: {arrived} spikes were delivered or dropped, "
            f"the fan-outs of the spikes sent are {int(work['sent_fanout_spikes'])}"
        )


def _check_links(record: Record) -> None:
    for link, operands in (record.work.get("link_bits") or {}).items():
        for operand, bits in operands.items():
            into = int(bits["sent"]) + int(bits.get("broadcast", 0))
            out = int(bits["received"]) + int(bits.get("overfetch", 0))
            if into != out:
                raise InvariantError(
                    f"link {link}: {into} {operand} bits were sent or copied, {out} were received or over-fetched"
                )


def _check_energy(record: Record) -> None:
    energy = record.energy
    for name in ("by_unit", "by_action", "by_layer", "by_grade"):
        parts = math.fsum(getattr(energy, name).values())
        if not math.isclose(parts, energy.total, rel_tol=1e-12, abs_tol=0.0):
            raise InvariantError(f"energy {name} adds up to {parts!r} pJ, the total is {energy.total!r} pJ")
    for unit, pj in energy.by_unit.items():
        if pj < 0 or not math.isfinite(pj):
            raise InvariantError(f"unit {unit}: energy is {pj!r} pJ, the least possible is 0.0")
