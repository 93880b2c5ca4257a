"""SONATA spike files (HDF5), in the new and the old layout.

    /spikes/<population>/timestamps f8 [N] (attribute `units`, default ms), node_ids u8 [N]; attribute `sorting`
    old: /spikes/timestamps, /spikes/gids

`sorting` is an enum in the specification and a text in many files: both are read, and times are sorted here anyway
where they are not.  Node numbers count the population in C, H, W order.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from simulator.errors import InputError
from simulator.network import Network
from simulator.network.choices import one_of
from simulator.network.hdf5 import HdfFile, new_file
from simulator.trace.events import UnitEvents
from simulator.trace.recordings import events_trace
from simulator.trace.trace import Trace

UNITS_US = {"ms": 1e3, "s": 1e6, "us": 1.0, "milliseconds": 1e3, "seconds": 1e6, "microseconds": 1.0}
SORTING = {"none": 0, "by_id": 1, "by_time": 2}
MAGIC = 0x0A7A
TOLERANCE_US = 1e-3
MAX_SPIKES = 2**26


def load_sonata(path: str | Path, choices: Mapping[str, Any], network: Network | None = None) -> Trace:
    """Trace of one population of a SONATA file.

    `choices`: as for other recordings; `sub_us = round` where times are no whole microseconds.  The file's population
    is the only one, or the one called as the choice `population`.
    """
    path = Path(path)
    given = dict(choices)
    sub_us = given.pop("sub_us", None)
    if sub_us is not None:
        one_of({"sub_us": sub_us}, "sub_us", ("round",), file=path)
    events = read_sonata(path, given.get("population"), rounded=sub_us is not None)
    if network is not None and given.get("population") not in (None, *network.inputs):
        # The choice may name the population of the file, which the network calls otherwise.
        given.pop("population")
    return events_trace([lambda: events], given, file=path, network=network)


def read_sonata(path: str | Path, population: str | None = None, rounded: bool = False) -> UnitEvents:
    """Spikes of one population in order of time (spikes of equal time by node number)."""
    path = Path(path)
    with HdfFile(path) as file:
        group = _group(file, population)
        ids_name = "node_ids" if file.has(f"{group}/node_ids") else "gids"
        times = file.array(f"{group}/timestamps", "f", 1, limit=MAX_SPIKES * 8).astype(np.float64)
        ids = file.array(f"{group}/{ids_name}", "iu", 1, limit=MAX_SPIKES * 8)
        scale = _units(file, f"{group}/timestamps")
    if times.shape != ids.shape:
        raise InputError("times and node numbers differ in length", file=path, key=group, found=(times.size, ids.size))
    with np.errstate(over="ignore", invalid="ignore"):  # infinite and undefined times are refused just below
        exact = times * scale
    if not np.isfinite(exact).all() or (exact.size and not 0 <= exact.min() <= exact.max() < 2**52):
        raise InputError("times must be finite and not negative", file=path, key=f"{group}/timestamps")
    whole = np.rint(exact)
    if not rounded and exact.size and float(np.abs(exact - whole).max()) > TOLERANCE_US:
        raise InputError(
            "times are no whole microseconds",
            file=path,
            key=f"{group}/timestamps",
            found=f"{float(exact[np.abs(exact - whole).argmax()])} us",
            allowed="sub_us = round takes the nearest",
        )
    if ids.size and not 0 <= int(ids.min()) <= int(ids.max()) < 2**31:
        raise InputError("node numbers out of range", file=path, key=f"{group}/{ids_name}", found=int(ids.max()))
    time, unit = whole.astype(np.int64), ids.astype(np.int64)
    order = np.lexsort((unit, time))
    return UnitEvents(path, time[order], unit[order])


def write_sonata(events: UnitEvents, path: str | Path, population: str) -> None:
    """Writes spikes in the new layout, sorted by time, with `sorting` as the enum that the specification asks for."""
    import h5py

    with new_file(Path(path)) as file:
        file.attrs["magic"] = np.uint32(MAGIC)
        file.attrs["version"] = np.array([0, 1], np.uint32)
        group = file.create_group(f"spikes/{population}")
        group.attrs.create("sorting", SORTING["by_time"], dtype=h5py.enum_dtype(SORTING, basetype="u1"))
        order = np.lexsort((events.unit, events.time))
        times = group.create_dataset("timestamps", data=events.time[order] / 1e3, track_times=False)
        times.attrs["units"] = np.bytes_("ms")
        group.create_dataset("node_ids", data=events.unit[order].astype(np.uint64), track_times=False)


def _group(file: HdfFile, population: str | None) -> str:
    if file.has("/spikes/timestamps"):
        return "/spikes"
    names = [n for n in file.names("/spikes") if file.is_group(f"/spikes/{n}")]
    if population in names:
        return f"/spikes/{population}"
    if len(names) != 1:
        raise InputError(
            "the file holds several populations: give the import choice population",
            file=file.path,
            found=population,
            allowed=names or ["none"],
        )
    return f"/spikes/{names[0]}"


def _units(file: HdfFile, path: str) -> float:
    """Microseconds per unit of the timestamps; absent means ms."""
    text = file.dataset_attribute(path, "units", "f", 1) or "ms"
    if text not in UNITS_US:
        raise InputError(
            "unknown unit of time", file=file.path, key=f"{path}.units", found=text, allowed=list(UNITS_US)
        )
    return UNITS_US[text]
