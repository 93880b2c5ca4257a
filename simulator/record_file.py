"""Record files: one HDF5 file per run, written atomically, checked like any stranger's file when read.

    /                     attribute `schema` = "neurocycle.record/1" (string of fixed length)
    /meta/json            schema, product version, engine, activity, seed, end_ps, and the plain values of network,
                          trace, mapping, work and (where a mapping builds units) built, as JSON text in UTF-8 (uint8)
    /inputs/hwconfig      the resolved hardware description, YAML text (uint8)
    /inputs/mapping       the mapping, YAML text (uint8)
    /units/name, clock    names [U];  cycles, busy, idle, bin_cycles: int64 [U]
    /units/stall/         unit int32, cause, cycles int64: one row per unit and cause;  /units/waits/ likewise
    /layers/name          names [L];  span int64 [L, 2] ps;  busy_ps int64 [L]
    /actions/name         names [A];  unit_of_measure [A]: what one count is;  meaning [A]: one line
    /counts               int64 [U, L, A]
    /steps/end_ps         int64 [n], end of each (sample, timestep);  sample_end_ps int64 [B]
    /busy                 int64 [U, bins], busy cycles per bin of `/units/bin_cycles` cycles
    /timeline/            start, duration int64 (the unit's own cycles), unit uint16, kind uint8, ref int32 (layer row);
                          kinds: names of the kinds.  The group is there only if a timeline was asked for.
                          A `unit` from U on is a track, a part of a unit with intervals of its own
    /timeline/tracks/     unit int32, kind ("layer", "tile"), name: one row per track; only where there are any
    /commands/            unit: names;  <i>: int64 [n, 8], command schedule of the unit called unit[i], as in
                          `Record.commands`; only where a unit kept its own
    /outputs/spikes/      population: names;  <i>/step_start, index, value of population number i
    /outputs/membranes/   population: names;  <i>: final membranes of the last sample

One dataset per column, shuffle and gzip 1; no time of writing is stored, so equal records give equal bytes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.errors import InputError
from simulator.network.hdf5 import add_array, new_file
from simulator.record import TIMELINE_COLUMNS, Record

if TYPE_CHECKING:
    import h5py

SCHEMA = "neurocycle.record/1"
MAX_NAME_BYTES = 256
MAX_TOTAL_BYTES = 2**30
"""All arrays of one record together.  Nothing larger is written, and nothing larger is read from a stranger's file."""
PLAIN = ("network", "trace", "mapping", "work")
SCALARS = {"engine": str, "activity": str, "seed": int, "end_ps": int}


def write_record(record: Record, path: str | Path) -> Path:
    """Writes `record` to `path`; the file appears there only when it is complete.  Returns the path.

    Raises InputError where the folder cannot be written, a name is too long to be stored, or the arrays (in practice a
    timeline of more than about 4e7 intervals) exceed MAX_TOTAL_BYTES.
    """
    path = Path(path)
    _check_size(record, path)
    meta: dict[str, Any] = {"schema": SCHEMA, "version": _version()}
    meta |= {key: getattr(record, key) for key in SCALARS} | {key: _plain(getattr(record, key)) for key in PLAIN}
    if record.built:
        meta["built"] = _plain(record.built)
    with new_file(path) as file:
        file.attrs["schema"] = np.bytes_(SCHEMA)
        _add_text(file.create_group("meta"), "json", json.dumps(meta, ensure_ascii=False, allow_nan=False))
        inputs = file.create_group("inputs")
        _add_text(inputs, "hwconfig", record.hardware.resolved_yaml())
        _add_text(inputs, "mapping", record.mapping_text)
        _write_units(file.create_group("units"), record)
        layers = file.create_group("layers")
        _add_names(layers, "name", record.layers)
        add_array(layers, "span", np.asarray(record.layer_span, np.int64))
        add_array(layers, "busy_ps", np.asarray(record.layer_busy_ps, np.int64))
        _write_actions(file.create_group("actions"), record)
        add_array(file, "counts", record.counts)
        steps = file.create_group("steps")
        add_array(steps, "end_ps", np.asarray(record.steps, np.int64))
        add_array(steps, "sample_end_ps", np.asarray(record.sample_end_ps, np.int64))
        add_array(file, "busy", record.busy)
        if record.timeline is not None:
            timeline = file.create_group("timeline")
            _add_names(timeline, "kinds", record.kinds)
            if record.tracks:
                tracks = timeline.create_group("tracks")
                rows = [record.units.index(track.unit) for track in record.tracks]
                add_array(tracks, "unit", np.array(rows, np.int32))
                _add_names(tracks, "kind", [track.kind for track in record.tracks])
                _add_names(tracks, "name", [track.name for track in record.tracks])
            for column, dtype in TIMELINE_COLUMNS.items():
                add_array(timeline, column, np.asarray(record.timeline[column], dtype))
        if record.commands:
            commands = file.create_group("commands")
            _add_names(commands, "unit", list(record.commands))
            for i, schedule in enumerate(record.commands.values()):
                add_array(commands, str(i), np.asarray(schedule, np.int64))
        _write_outputs(file.create_group("outputs"), record)
    return path


def load_record(path: str | Path) -> Record:
    """Reads a record; its summary equals that of the record which was written.

    Raises InputError, naming file and object, for anything that is missing, of a wrong type or shape, too large, or
    that breaks a law every run obeys (`simulator.invariants`).
    """
    from simulator.record_read import read_record

    return read_record(Path(path))


def _check_size(record: Record, path: Path) -> None:
    intervals = 0 if record.timeline is None else int(record.timeline["start"].size)
    size = intervals * sum(dtype.itemsize for dtype in TIMELINE_COLUMNS.values())
    size += record.counts.nbytes + record.busy.nbytes + record.steps.nbytes
    size += sum(o.step_start.nbytes + o.index.nbytes + (0 if o.value is None else o.value.nbytes)
                for o in record.outputs.values())
    size += sum(values.nbytes for values in (*record.membranes.values(), *record.commands.values()))
    if size > MAX_TOTAL_BYTES * 15 // 16:  # the rest is for names and texts
        raise InputError(
            f"the record is too large for a file ({intervals} intervals); run fewer samples or without a timeline",
            file=path, found=f"{size} bytes", allowed=f"at most {MAX_TOTAL_BYTES * 15 // 16}",
        )


def _version() -> str:
    try:
        return metadata.version("neurocycle")
    except metadata.PackageNotFoundError:
        return "source tree"


def _plain(value: Any) -> Any:
    """Nested mappings and sequences with numpy scalars as JSON values."""
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    return value


def _add_text(group: h5py.Group, name: str, text: str) -> None:
    add_array(group, name, np.frombuffer(text.encode(), np.uint8))


def _add_names(group: h5py.Group, name: str, values: Sequence[str]) -> None:
    """Names as strings of fixed length (padded with zero bytes)."""
    encoded = [value.encode() for value in values]
    for text in encoded:
        if len(text) > MAX_NAME_BYTES:
            raise InputError("a name is too long for a record file", key=name, found=text.decode()[:40] + "...",
                             allowed=f"at most {MAX_NAME_BYTES} bytes")
    add_array(group, name, np.array(encoded, f"S{max((len(t) for t in encoded), default=1) or 1}"))


def _write_units(group: h5py.Group, record: Record) -> None:
    times = [record.cycles[unit] for unit in record.units]
    _add_names(group, "name", record.units)
    _add_names(group, "clock", [t.clock for t in times])
    for column in ("cycles", "busy", "idle"):
        add_array(group, column, np.array([getattr(t, column) for t in times], np.int64))
    add_array(group, "bin_cycles", np.asarray(record.bin_cycles, np.int64))
    for table in ("stall", "waits"):
        rows = [(i, cause, n) for i, t in enumerate(times) for cause, n in getattr(t, table).items()]
        sub = group.create_group(table)
        add_array(sub, "unit", np.array([r[0] for r in rows], np.int32))
        _add_names(sub, "cause", [r[1] for r in rows])
        add_array(sub, "cycles", np.array([r[2] for r in rows], np.int64))


def _write_actions(group: h5py.Group, record: Record) -> None:
    measures = {a.name: str(a.counts_in) for unit in record.units for a in record.hardware.units[unit].ACTIONS}
    _add_names(group, "name", record.actions)
    _add_names(group, "unit_of_measure", [measures.get(name, "") for name in record.actions])
    meanings = []
    for name in record.actions:
        verb, _, operand = name.partition(":")
        meanings.append(f"{verb} of {operand.replace('_', ' ')}, counted per {measures.get(name, 'event')}")
    _add_names(group, "meaning", meanings)


def _write_outputs(group: h5py.Group, record: Record) -> None:
    spikes = group.create_group("spikes")
    _add_names(spikes, "population", list(record.outputs))
    for i, output in enumerate(record.outputs.values()):
        sub = spikes.create_group(str(i))
        add_array(sub, "step_start", np.asarray(output.step_start, np.int64))
        add_array(sub, "index", np.asarray(output.index, np.uint32))
        if output.value is not None:
            add_array(sub, "value", np.asarray(output.value, np.int32))
    membranes = group.create_group("membranes")
    _add_names(membranes, "population", list(record.membranes))
    for i, values in enumerate(record.membranes.values()):
        dtype = np.float64 if np.asarray(values).dtype.kind == "f" else np.int64
        add_array(membranes, str(i), np.asarray(values, dtype).reshape(-1))
