"""Reads a record file that may come from a stranger: everything is checked, nothing is trusted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from simulator.errors import InputError, InvariantError
from simulator.hardware import Hardware
from simulator.hardware.dram_timing import COMMANDS
from simulator.invariants import check_record
from simulator.ledger import UNATTRIBUTED, check_counters
from simulator.network.file import check_schema
from simulator.network.hdf5 import HdfFile
from simulator.record import TIMELINE_COLUMNS, Output, Record, Track, UnitTime
from simulator.record_file import MAX_NAME_BYTES, MAX_TOTAL_BYTES, PLAIN, SCALARS, SCHEMA

MAX_TEXT_BYTES = 64 * 2**20
INT64 = np.dtype(np.int64)

REQUIRED: dict[str, dict[str, type]] = {
    "trace": {"name": str, "sha256": str, "samples": int, "timesteps": int},
    "network": {"name": str, "sha256": str},
    "work": {
        "input_spikes": int,
        "spikes": dict,
        "synaptic_operations": int,
        "dense_operations": int,
        "neuron_updates": int,
        "output_spikes": int,
        "saturations": int,
        "sent_fanout_spikes": int,
        "delivered_spikes": int,
        "dropped_spikes": int,
    },
}
"""Plain values that must be there, with their types; integers are 0 .. 2**63 - 1."""

OPTIONAL: dict[str, dict[str, type]] = {
    "trace": {"total_steps": int},
    "network": {
        "neurons_by_layer": dict,
        "binary_layers": list,
        "synapses": int,
        "zero_weights": int,
        "footprint_bytes": int,
        "connection_sparsity": float,
    },
    "work": {
        "synaptic_by_layer": dict,
        "dense_by_layer": dict,
        "effective_macs": int,
        "effective_acs": int,
        "link_bits": dict,
        "tiles": dict,
        "crossbar": dict,
    },
}
"""Plain values that may be absent or null."""


def read_record(path: Path) -> Record:
    """The record in `path`; see `simulator.record_file.load_record` for what is refused."""
    with _Reader(path) as file:
        check_schema(file, SCHEMA)
        meta = _read_meta(file)
        hardware = _read_hardware(file)
        units, clocks = file.strings("/units/name"), file.strings("/units/clock")
        layers, actions = file.strings("/layers/name"), file.strings("/actions/name")
        if list(units) != list(hardware.units):
            file.wrong("/units/name", list(units), f"the units of the hardware: {list(hardware.units)}")
        if len(clocks) != len(units) or not set(clocks) <= hardware.clocks.keys():
            file.wrong("/units/clock", list(clocks), list(hardware.clocks))
        for key, names in (("/layers/name", layers), ("/actions/name", actions)):
            if len(set(names)) != len(names):
                file.wrong(key, "a name that occurs twice", "distinct names")
        if layers[:1] != (UNATTRIBUTED,):
            file.wrong("/layers/name", list(layers[:1]), f"{UNATTRIBUTED!r} first")
        check_counters(len(units), len(layers), len(actions))
        u, rows = len(units), len(layers)
        column = {name: file.column(f"/units/{name}", (u,), low=0) for name in ("cycles", "busy", "idle")}
        causes = {table: _read_causes(file, f"/units/{table}", units) for table in ("stall", "waits")}
        tracks = _read_tracks(file, units)
        timeline, kinds = _read_timeline(file, u + len(tracks), rows)
        record = Record(
            hardware=hardware,
            mapping_text=file.long_text("/inputs/mapping"),
            units=units,
            layers=layers,
            actions=actions,
            counts=file.column("/counts", (u, rows, len(actions)), low=0),
            cycles={
                unit: UnitTime(
                    clocks[i],
                    int(column["cycles"][i]),
                    int(column["busy"][i]),
                    int(column["idle"][i]),
                    causes["stall"][unit],
                    causes["waits"][unit],
                )
                for i, unit in enumerate(units)
            },
            layer_span=file.column("/layers/span", (rows, 2), low=-1),
            layer_busy_ps=file.column("/layers/busy_ps", (rows,), low=0),
            sample_end_ps=file.column("/steps/sample_end_ps", (meta["trace"]["samples"],), low=0),
            steps=file.column("/steps/end_ps", (None,), low=0),
            busy=file.column("/busy", (u, None), low=0),
            bin_cycles=file.column("/units/bin_cycles", (u,), low=1),
            timeline=timeline,
            kinds=kinds,
            tracks=tracks,
            outputs=_read_outputs(file),
            membranes=_read_membranes(file),
            built=_built_of(file, meta, hardware),
            commands=_read_commands(file, units),
            **{key: meta[key] for key in (*SCALARS, *PLAIN)},
        )
    try:
        check_record(record)
    except InvariantError as error:
        raise InputError(f"the record contradicts itself: {error}", file=path) from None
    return record


class _Reader(HdfFile):
    """An open record file that counts the bytes it hands out."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._left = MAX_TOTAL_BYTES

    def wrong(self, key: str, found: object, allowed: Any) -> NoReturn:
        """Raises the InputError for unexpected content of object `key`."""
        raise InputError("unexpected content", file=self.path, key=key, found=found, allowed=allowed)

    def column(
        self, path: str, shape: tuple[int | None, ...], dtype: np.dtype = INT64, low: int | None = None
    ) -> np.ndarray:
        """An array of exactly that type and shape (None: any length) whose values are at least `low`."""
        node = self.dataset(path, dtype.kind, len(shape))
        if node.dtype != dtype:
            self.wrong(path, str(node.dtype), [str(dtype)])
        if any(want is not None and want != have for want, have in zip(shape, node.shape, strict=True)):
            self.wrong(path, f"shape {node.shape}", f"shape {tuple('any' if n is None else n for n in shape)}")
        data = self.array(path, dtype.kind, len(shape), limit=self._left)
        self._left -= data.nbytes
        if low is not None and data.size and int(data.min()) < low:
            self.wrong(path, int(data.min()), f"at least {low}")
        return data

    def long_text(self, path: str) -> str:
        """Text of any length, stored as bytes in UTF-8."""
        data = self.array(path, "u", 1, limit=min(MAX_TEXT_BYTES, self._left))
        self._left -= data.nbytes
        try:
            return data.astype(np.uint8).tobytes().decode()
        except UnicodeDecodeError:
            self.wrong(path, "bytes that are no UTF-8", "text in UTF-8")

    def strings(self, path: str) -> tuple[str, ...]:
        """Names in file order."""
        data = self.array(path, "S", 1, limit=min(MAX_TEXT_BYTES, self._left))
        self._left -= data.size * MAX_NAME_BYTES
        if self._left < 0:
            self.wrong(path, f"{data.size} names", "fewer")
        try:
            return tuple(item.decode() for item in data.tolist())
        except UnicodeDecodeError:
            self.wrong(path, "bytes that are no UTF-8", "text in UTF-8")


def _read_meta(file: _Reader) -> dict[str, Any]:
    key = "/meta/json"

    def refuse(name: str) -> NoReturn:
        file.wrong(key, name, "finite numbers")

    try:
        meta = json.loads(file.long_text(key), parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        file.wrong(key, str(error)[:80], "JSON")
    if not isinstance(meta, dict) or meta.get("schema") != SCHEMA:
        file.wrong(f"{key}: schema", meta.get("schema") if isinstance(meta, dict) else type(meta).__name__, [SCHEMA])
    for name, kind in {**SCALARS, **dict.fromkeys(PLAIN, dict)}.items():
        _check_value(file, f"{key}: {name}", meta.get(name), kind)
    for table, entries in REQUIRED.items():
        for name, kind in entries.items():
            _check_value(file, f"{key}: {table}.{name}", meta[table].get(name), kind)
    for table, entries in OPTIONAL.items():
        for name, kind in entries.items():
            if meta[table].get(name) is not None:
                _check_value(file, f"{key}: {table}.{name}", meta[table][name], kind)
    for table, name in (("work", "spikes"), ("work", "synaptic_by_layer"), ("work", "dense_by_layer"),
                        ("network", "neurons_by_layer")):
        for entry, value in (meta[table].get(name) or {}).items():
            _check_value(file, f"{key}: {table}.{name}.{entry}", value, int)
    for link, operands in (meta["work"].get("link_bits") or {}).items():
        at = f"{key}: work.link_bits.{link}"
        _check_value(file, at, operands, dict)
        for operand, bits in operands.items():
            _check_value(file, f"{at}.{operand}", bits, dict)
            for name, value in {"sent": None, "received": None, **bits}.items():
                _check_value(file, f"{at}.{operand}.{name}", value, int)
    _check_tiles(file, key, meta["work"], list(meta.get("built") or ()))
    for value in meta["network"].get("binary_layers") or ():
        _check_value(file, f"{key}: network.binary_layers", value, str)
    return meta


def _check_tiles(file: _Reader, key: str, work: dict[str, Any], units: list[str]) -> None:
    """What tiles did and what their converters saw, on chips that have them."""
    for unit, found in (work.get("tiles") or {}).items():
        at = f"{key}: work.tiles.{unit}"
        if unit not in units:
            file.wrong(at, unit, units)
        _check_value(file, at, found, dict)
        busy, layers = found.get("busy_cycles"), found.get("layers")
        _check_value(file, f"{at}.busy_cycles", busy, list)
        _check_value(file, f"{at}.layers", layers, list)
        if len(busy) != len(layers):
            file.wrong(f"{at}.layers", f"{len(layers)} tiles", f"{len(busy)} as in busy_cycles")
        for cycles, names in zip(busy, layers, strict=True):
            _check_value(file, f"{at}.busy_cycles", cycles, int)
            _check_value(file, f"{at}.layers", names, list)
            for name in names:
                _check_value(file, f"{at}.layers", name, str)
    for layer, facts in (work.get("crossbar") or {}).items():
        at = f"{key}: work.crossbar.{layer}"
        _check_value(file, at, facts, dict)
        for name, value in facts.items():
            if name == "lowest_code" and isinstance(value, int):
                _check_value(file, f"{at}.{name}", abs(value), int)
            elif name == "codes":
                _check_value(file, f"{at}.{name}", value, list)
                for number in value:
                    _check_value(file, f"{at}.{name}", number, int)
            else:
                _check_value(file, f"{at}.{name}", value, int)


def _built_of(file: _Reader, meta: dict[str, Any], hardware: Hardware) -> dict[str, dict[str, int]]:
    """What the mapping built, unit by unit; absent in records of chips that are not made for their network."""
    key = "/meta/json: built"
    built: dict[str, dict[str, int]] = meta.get("built", {})
    _check_value(file, key, built, dict)
    for unit, counts in built.items():
        if unit not in hardware.units:
            file.wrong(key, unit, list(hardware.units))
        _check_value(file, f"{key}.{unit}", counts, dict)
        for name, count in counts.items():
            _check_value(file, f"{key}.{unit}.{name}", count, int)
        try:
            hardware.unit(unit).built_area_um2(counts)
        except InputError as error:
            file.wrong(f"{key}.{unit}", error.found, error.allowed)
    return built


def _check_value(file: _Reader, key: str, value: object, kind: type) -> None:
    fits = isinstance(value, kind) and not isinstance(value, bool)
    if kind is int:
        fits = fits and -1 < value < 2**63  # type: ignore[operator]
    if not fits:
        file.wrong(key, value, "int, 0 .. 2**63 - 1" if kind is int else kind.__name__)


def _read_hardware(file: _Reader) -> Hardware:
    from simulator.hardware.load import parse_hardware

    return parse_hardware(file.long_text("/inputs/hwconfig"), file=f"{file.path}/inputs/hwconfig")


def _read_causes(file: _Reader, path: str, units: tuple[str, ...]) -> dict[str, dict[str, int]]:
    causes = file.strings(f"{path}/cause")
    rows = file.column(f"{path}/unit", (len(causes),), np.dtype(np.int32), low=0)
    cycles = file.column(f"{path}/cycles", (len(causes),), low=0)
    if rows.size and int(rows.max()) >= len(units):
        file.wrong(f"{path}/unit", int(rows.max()), f"0 .. {len(units) - 1}")
    found: dict[str, dict[str, int]] = {unit: {} for unit in units}
    for row, cause, n in zip(rows.tolist(), causes, cycles.tolist(), strict=True):
        found[units[row]][cause] = n
    return found


def _read_tracks(file: _Reader, units: tuple[str, ...]) -> tuple[Track, ...]:
    path = "/timeline/tracks"
    if not file.has(path):
        return ()
    kinds, names = file.strings(f"{path}/kind"), file.strings(f"{path}/name")
    rows = file.column(f"{path}/unit", (len(names),), np.dtype(np.int32), low=0)
    if len(kinds) != len(names):
        file.wrong(f"{path}/kind", f"{len(kinds)} rows", f"{len(names)} as in name")
    if rows.size and int(rows.max()) >= len(units):
        file.wrong(f"{path}/unit", int(rows.max()), f"0 .. {len(units) - 1}")
    return tuple(Track(units[row], kind, name) for row, kind, name in zip(rows.tolist(), kinds, names, strict=True))


def _read_timeline(file: _Reader, units: int, layers: int) -> tuple[dict[str, np.ndarray] | None, tuple[str, ...]]:
    if not file.has("/timeline"):
        return None, ("busy",)
    kinds = file.strings("/timeline/kinds")
    high = {"unit": units, "kind": len(kinds), "ref": layers, "start": 2**62, "duration": 2**62}
    timeline: dict[str, np.ndarray] = {}
    rows = None
    for column, dtype in TIMELINE_COLUMNS.items():
        data = file.column(f"/timeline/{column}", (rows,), dtype, low=0)
        if data.size and int(data.max()) >= high[column]:
            file.wrong(f"/timeline/{column}", int(data.max()), f"below {high[column]}")
        timeline[column], rows = data, data.size
    return timeline, kinds


def _read_outputs(file: _Reader) -> dict[str, Output]:
    outputs = {}
    for i, name in enumerate(file.strings("/outputs/spikes/population")):
        path = f"/outputs/spikes/{i}"
        start = file.column(f"{path}/step_start", (None, None), low=0)
        index = file.column(f"{path}/index", (None,), np.dtype(np.uint32))
        flat = start.reshape(-1)
        if flat.size and (int(flat[-1]) > index.size or (np.diff(flat) < 0).any()):
            file.wrong(f"{path}/step_start", "offsets out of order", f"rising, 0 .. {index.size}")
        value = None
        if file.has(f"{path}/value"):
            value = file.column(f"{path}/value", (index.size,), np.dtype(np.int32))
        outputs[name] = Output(start, index, value)
    return outputs


def _read_commands(file: _Reader, units: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Command schedules of the units that kept them."""
    if not file.has("/commands"):
        return {}
    found = {}
    for i, unit in enumerate(file.strings("/commands/unit")):
        if unit not in units or unit in found:
            file.wrong("/commands/unit", unit, f"each of these at most once: {list(units)}")
        rows = file.column(f"/commands/{i}", (None, 8), low=-1)
        known = rows[:, :3].min(initial=0) >= 0 and rows[:, 2].max(initial=0) < len(COMMANDS)
        if not known:
            file.wrong(f"/commands/{i}", "a command of unknown name, place or time", list(COMMANDS))
        found[unit] = rows
    return found


def _read_membranes(file: _Reader) -> dict[str, np.ndarray]:
    found = {}
    for i, name in enumerate(file.strings("/outputs/membranes/population")):
        path = f"/outputs/membranes/{i}"
        real = file.dataset(path, "if", 1).dtype.kind == "f"
        found[name] = file.column(path, (None,), np.dtype(np.float64 if real else np.int64))
    return found
