"""Timeline of a machine that has run: every interval of every unit and of its parts."""

from __future__ import annotations

import numpy as np

from simulator.errors import InputError
from simulator.machine import Machine
from simulator.record import Track


def interval_kinds(machine: Machine) -> tuple[str, ...]:
    """Names of what an interval may be: busy, then every cause of a stall."""
    kinds = ["busy"]
    for unit in machine.units.values():
        kinds += [f"stall:{c}" for c in unit.ctx.log.causes if f"stall:{c}" not in kinds]
    return tuple(kinds)


def tracks(machine: Machine) -> tuple[Track, ...]:
    """Parts of units in the timeline; raises InputError where its column of numbers cannot hold so many."""
    found = tuple(Track(name, *key) for name, unit in machine.units.items() for key in unit.ctx.log.tracks)
    most = np.iinfo(np.uint16).max - len(machine.units)
    if len(found) > most:
        raise InputError(
            "too many layers and tiles for a timeline; run without one", found=len(found), allowed=f"at most {most}"
        )
    return found


def intervals(machine: Machine) -> dict[str, np.ndarray]:
    """start, duration int64, unit uint16 (units, then tracks), kind uint8 and ref int32 of every interval."""
    kinds = interval_kinds(machine)
    columns: dict[str, list[np.ndarray]] = {"start": [], "duration": [], "unit": [], "kind": [], "ref": []}
    for number, unit in enumerate(machine.units.values()):
        log = unit.ctx.log
        codes = np.array([0, *(kinds.index(f"stall:{c}") for c in log.causes)], np.uint8)
        start, duration, kind, ref = log.intervals()
        columns["start"].append(start)
        columns["duration"].append(duration)
        columns["unit"].append(np.full(start.size, number, np.uint16))
        columns["kind"].append(codes[kind])
        columns["ref"].append(ref)
    parts = [part for unit in machine.units.values() for part in unit.ctx.log.tracks.values()]
    for number, part in enumerate(parts, start=len(machine.units)):
        for runs, ref in part:
            columns["start"].append(runs[:, 0])
            columns["duration"].append(runs[:, 1] - runs[:, 0])
            for column, value in (("unit", number), ("kind", 0), ("ref", ref)):
                columns[column].append(np.full(len(runs), value, np.int64))
    types = {"start": np.int64, "duration": np.int64, "unit": np.uint16, "kind": np.uint8, "ref": np.int32}
    return {key: (np.concatenate(parts) if parts else np.empty(0)).astype(types[key]) for key, parts in columns.items()}
