"""The project's own trace file (HDF5), read: spikes stay in the file and come block by block.

Layout and limits: FORMAT.md beside this module.  The writer stands in `writer.py`; both are public here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from simulator.errors import InputError
from simulator.network.description import network_from_json
from simulator.network.file import check_schema, read_json, read_projections
from simulator.network.hdf5 import CHUNK, HdfFile, naming, translate
from simulator.trace.spikes import Block, Events, Spikes
from simulator.trace.trace import TimeBase, Trace, check_trace
from simulator.trace.writer import SCHEMA, TraceWriter, write_trace

__all__ = ["FileSpikes", "TraceSource", "TraceWriter", "read_trace", "write_trace"]

MAX_SAMPLES = 2**24
MAX_STEPS = 2**40
"""Largest number of timesteps (or span in us or cycles) of one sample."""
MAX_EVENTS = 2**26
"""Largest number of events of one population in a trace with times: these are held in memory, 16 bytes each."""
MAX_STEP_ENTRIES = 2**26
"""Largest number of entries in one timestep of one population: the smallest block that a reader must hold."""
SCAN = 2**20
"""Entries that the full check reads at a time."""


class TraceSource:
    """The open file behind all populations of one trace; opened when first needed, reopened after `close`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: HdfFile | None = None

    def open(self) -> HdfFile:
        """The open file."""
        if self._file is None:
            self._file = HdfFile(self.path)
        return self._file

    def close(self) -> None:
        """Releases the file; the next block opens it again."""
        if self._file is not None:
            self._file.close()
            self._file = None


class FileSpikes:
    """`Spikes` of one population that stay in the file.

    Memory: one window of step offsets and one of spikes, each of 64 Ki entries or the asked block if that is larger.
    """

    def __init__(self, source: TraceSource, name: str, samples: int, steps: int, count: int, valued: bool) -> None:
        self._source, self.name, self._samples, self._steps = source, name, samples, steps
        self._count, self._valued = count, valued
        # A window of offsets holds whole samples if these are short, a part of one sample otherwise.
        self._rows = max(1, CHUNK // (steps + 1))
        self._offset_at, self._offsets = (0, 0), np.empty((0, 0), np.int64)
        self._index_at, self._index = 0, np.empty(0, np.uint32)
        self._value: np.ndarray | None = None

    @property
    def count(self) -> int:
        """Number of entries over all samples."""
        return self._count

    @property
    def path(self) -> Path:
        """The file."""
        return self._source.path

    def block(self, sample: int, t0: int, t1: int) -> Block:
        """Spikes of timesteps t0 .. t1 (exclusive) of one sample; a damaged file is an InputError."""
        offsets = self._offset_range(sample, t0, t1 + 1)
        a, b = int(offsets[0]), int(offsets[-1])
        if not 0 <= a <= b <= self._count:
            raise InputError(
                "step offsets lie outside the spikes", file=self.path, key=self._key("step_start"), found=(a, b)
            )
        if not self._index_at <= a <= b <= self._index_at + self._index.size:
            end = min(self._count, max(b, a + CHUNK))
            self._index = self._read("index", slice(a, end), np.uint32)
            self._value = self._read("value", slice(a, end), np.int32) if self._valued else None
            self._index_at = a
        low, high = a - self._index_at, b - self._index_at
        return Block(offsets - a, self._index[low:high], None if self._value is None else self._value[low:high])

    def check(self, steps: np.ndarray, size: int) -> None:
        """Reads everything once, at most 2^20 entries at a time; an InputError names what is wrong first.

        `steps` int64 [B] are the samples' timesteps, `size` the population's neurons.
        """
        end = 0
        for sample in range(0, self._samples, self._rows):
            for t0 in range(0, self._steps + 1, CHUNK):
                part = self._window(sample, t0, min(t0 + CHUNK, self._steps + 1))
                rises = np.diff(part.reshape(-1), prepend=end).reshape(part.shape)
                if (rises < 0).any() or (t0 == 0 and rises[:, 0].any()) or rises.max() > MAX_STEP_ENTRIES:
                    raise InputError(
                        "step offsets must start where the sample before ended and never decrease",
                        file=self.path,
                        key=self._key("step_start"),
                        found=f"near sample {sample}, timestep {t0}",
                        allowed=f"at most {MAX_STEP_ENTRIES} entries per timestep",
                    )
                after_end = np.arange(t0, t0 + part.shape[1]) > steps[sample : sample + part.shape[0], None]
                if rises[after_end].any():
                    raise InputError(
                        "spikes after the sample's last timestep",
                        file=self.path,
                        key=self._key("step_start"),
                        found=f"near sample {sample}",
                    )
                end = int(part[-1, -1])
        if end != self._count:
            raise InputError(
                "step offsets do not end at the number of spikes",
                file=self.path,
                key=self._key("step_start"),
                found=end,
                allowed=[self._count],
            )
        for at in range(0, self._count, SCAN):
            piece = slice(at, min(at + SCAN, self._count))
            largest = int(self._read("index", piece, np.uint32).max())
            if largest >= size:
                raise InputError(
                    "a spike's neuron index lies outside the population",
                    file=self.path,
                    key=self._key("index"),
                    found=largest,
                    allowed=f"0 .. {size - 1}",
                )
            if self._valued and not self._read("value", piece, np.int32).all():
                raise InputError("a spike's value must not be 0", file=self.path, key=self._key("value"))

    def _offset_range(self, sample: int, first: int, last: int) -> np.ndarray:
        row, start = self._offset_at
        rows, width = self._offsets.shape
        if not (row <= sample < row + rows and start <= first <= last <= start + width):
            self._offsets = self._window(sample, first, min(self._steps + 1, max(last, first + CHUNK)))
            row, start = self._offset_at = (sample, first)
        return self._offsets[sample - row, first - start : last - start]

    def _window(self, sample: int, first: int, last: int) -> np.ndarray:
        """Offsets first .. last (exclusive) of as many samples as one window holds, int64 [samples, offsets]."""
        return self._read("step_start", (slice(sample, sample + self._rows), slice(first, last)), np.int64)

    def _read(self, column: str, place: Any, dtype: type) -> np.ndarray:
        file = self._source.open()
        with translate(self.path, self._key(column)):
            data: np.ndarray = np.asarray(file.group(f"/populations/{self.name}")[column][place], dtype)
        data.setflags(write=False)
        return data

    def _key(self, column: str) -> str:
        return f"/populations/{self.name}/{column}"


def read_trace(path: str | Path, check: bool = True) -> Trace:
    """Trace of a file of `write_trace` or `TraceWriter`; spikes of time base "step" stay in the file.

    Types, shapes and sizes are always checked; `check` also reads every spike once, in pieces.  Raises InputError
    for anything that is not a sound trace.
    """
    path = Path(path)
    source = TraceSource(path)
    try:
        return _read(source, check)
    except BaseException:
        source.close()
        raise


def _read(source: TraceSource, check: bool) -> Trace:
    file, path = source.open(), source.path
    check_schema(file, SCHEMA)
    data = read_json(file, "/description")
    if not isinstance(data, dict) or sorted(data) != ["name", "network", "source", "time_base"]:
        raise InputError("the description needs name, network, source and time_base", file=path, key="/description")
    for name in ("name", "source"):
        if not isinstance(data[name], str):
            raise InputError("expected a text", file=path, key=f"/description.{name}", found=data[name])
    base: TimeBase = data["time_base"]
    if base not in ("step", "us", "cycle"):
        raise InputError(
            "unknown time base", file=path, key="/description.time_base", found=base, allowed=["step", "us", "cycle"]
        )
    arrays = read_projections(file, data["network"], "/projections")
    network = network_from_json(data["network"], arrays, file=path, key="/description.network")
    steps = _steps(file)
    labels = file.array("/labels", "i", 1).astype(np.int64) if file.has("/labels") else None
    if labels is not None and labels.shape != steps.shape:
        raise InputError(
            "labels and steps differ in length", file=path, key="/labels", found=labels.size, allowed=[steps.size]
        )
    known = {p.name: p.size for p in network.populations}
    populations: dict[str, Spikes | Events] = {}
    names = file.names("/populations")
    for name in sorted(names, key=lambda n: list(known).index(n) if n in known else -1):
        if name not in known:
            raise InputError(
                "no population of this name is described", file=path, key=f"/populations/{name}", allowed=list(known)
            )
        populations[name] = _steps_of(source, name, steps) if base == "step" else _events_of(file, name, steps)
    trace = Trace(data["name"], network, base, steps, populations, data["source"], labels)
    if check:
        for name, spikes in populations.items():
            if isinstance(spikes, FileSpikes):
                spikes.check(steps, known[name])
        if base != "step":
            with naming(path):
                check_trace(trace)
    return trace


def _steps(file: HdfFile) -> np.ndarray:
    steps = file.array("/steps", "i", 1, limit=MAX_SAMPLES * 8).astype(np.int64)
    if steps.size and not 0 <= int(steps.min()) <= int(steps.max()) <= MAX_STEPS:
        raise InputError(
            "timesteps out of range", file=file.path, key="/steps", found=int(steps.max()), allowed=f"0 .. {MAX_STEPS}"
        )
    return steps


def _steps_of(source: TraceSource, name: str, steps: np.ndarray) -> FileSpikes:
    file, at = source.open(), f"/populations/{name}"
    longest = int(steps.max()) if steps.size else 0
    offsets = file.dataset(f"{at}/step_start", "i", 2, lazy=True)
    if offsets.shape != (steps.size, longest + 1):
        raise InputError(
            "wrong shape",
            file=file.path,
            key=f"{at}/step_start",
            found=offsets.shape,
            allowed=[str((int(steps.size), longest + 1))],
        )
    index = file.dataset(f"{at}/index", "u", 1, lazy=True)
    _expect(file, f"{at}/index", index.dtype, np.uint32)
    valued = file.has(f"{at}/value")
    if valued:
        value = file.dataset(f"{at}/value", "i", 1, lazy=True)
        _expect(file, f"{at}/value", value.dtype, np.int32)
        _same_length(file, f"{at}/value", value.shape[0], index.shape[0])
    return FileSpikes(source, name, int(steps.size), longest, int(index.shape[0]), valued)


def _events_of(file: HdfFile, name: str, steps: np.ndarray) -> Events:
    at = f"/populations/{name}"
    start = file.array(f"{at}/sample_start", "i", 1).astype(np.int64)
    index = file.array(f"{at}/index", "u", 1, limit=MAX_EVENTS * 4)
    _expect(file, f"{at}/index", index.dtype, np.uint32)
    time = file.array(f"{at}/time", "i", 1, limit=MAX_EVENTS * 8).astype(np.int64, copy=False)
    _same_length(file, f"{at}/time", time.size, index.size)
    value = None
    if file.has(f"{at}/value"):
        value = file.array(f"{at}/value", "i", 1, limit=MAX_EVENTS * 4)
        _expect(file, f"{at}/value", value.dtype, np.int32)
        _same_length(file, f"{at}/value", value.size, index.size)
    if start.size != steps.size + 1 or start[0] != 0 or start[-1] != index.size or (np.diff(start) < 0).any():
        raise InputError(
            f"must rise from 0 to the number of events in {steps.size + 1} entries",
            file=file.path,
            key=f"{at}/sample_start",
            found=start.size,
        )
    return Events(start, time, index.astype(np.uint32, copy=False), value)


def _expect(file: HdfFile, key: str, found: np.dtype, wanted: type) -> None:
    if found.newbyteorder("=") != np.dtype(wanted):
        raise InputError("wrong data type", file=file.path, key=key, found=str(found), allowed=[str(np.dtype(wanted))])


def _same_length(file: HdfFile, key: str, found: int, wanted: int) -> None:
    if found != wanted:
        raise InputError("the columns differ in length", file=file.path, key=key, found=found, allowed=[wanted])
