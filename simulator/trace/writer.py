"""The project's own trace file (HDF5), written: in pieces, so that a trace may be longer than memory.

/                           attribute `schema` = "neurocycle.trace/1" (string of fixed length)
/description                uint8 [n]: UTF-8 JSON {name, network, source, time_base}; network as `describe` makes it
/projections/<i>/           indptr int64 [N_in + 1], indices int64 [nnz]: only where a projection is sparse
/steps                      int64 [B]: timesteps of each sample (span in us or cycles for other time bases)
/labels                     int64 [B]: only where samples are labelled
/populations/<name>/        one group per recorded population
    step_start              int64 [B, T + 1]: offsets into `index`; shorter samples repeat their end (time base step)
    sample_start, time      int64 [B + 1], int64 [N]: offsets and times (time bases us and cycle)
    index                   uint32 [N]: flat channel-last neuron index
    value                   int32 [N]: only where a value differs from 1; never 0
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.errors import InputError, unknown
from simulator.network.file import add_json, add_projections
from simulator.network.hdf5 import CHUNK, add_array, create, new_file, temporary_name
from simulator.network.network import Network, describe
from simulator.trace.spikes import Block
from simulator.trace.trace import Trace

if TYPE_CHECKING:
    import h5py

SCHEMA = "neurocycle.trace/1"
STEPS_PER_BLOCK = 64


def write_trace(trace: Trace, path: str | Path) -> None:
    """Writes a trace in pieces of 64 timesteps; the network's weights are dropped.

    The file appears whole or not at all (temporary name in the same folder, then a rename), and equal traces give
    equal bytes.
    """
    path = Path(path)
    if trace.time_base != "step":
        _write_events(trace, path)
        return
    longest = int(trace.steps.max()) if trace.samples else 0
    writer = TraceWriter(path, trace.network, trace.populations, name=trace.name, source=trace.source, longest=longest)
    with writer:
        for sample in range(trace.samples):
            writer.begin_sample(None if trace.labels is None else int(trace.labels[sample]))
            total = int(trace.steps[sample])
            for name in trace.populations:
                spikes = trace.spikes(name)
                for t0 in range(0, total, STEPS_PER_BLOCK):
                    writer.add_block(name, spikes.block(sample, t0, min(t0 + STEPS_PER_BLOCK, total)))


class TraceWriter:
    """Writes a trace of time base "step" as it is produced; memory stays at a few chunks per population.

    Use as a context manager: leaving it normally completes the file under its name, leaving it by an exception (an
    interruption included) removes the temporary file.  Samples come one after another; within a sample the
    populations may be written in any order, and all of them must get the same number of timesteps.
    """

    def __init__(
        self,
        path: str | Path,
        network: Network,
        populations: Iterable[str],
        *,
        name: str,
        source: str = "",
        longest: int | None = None,
    ) -> None:
        """`populations` are the recorded ones; `longest` is the number of timesteps of the longest sample, if known:
        it only chooses the chunk shape of `step_start`."""
        self.path = Path(path)
        self._name, self._source, self._network = name, source, network.topology()
        names = list(populations)
        for population in names:
            network.population(population)
        self._temporary = temporary_name(self.path)
        self._file = create(self._temporary)
        self._remove = weakref.finalize(self, _abandon, self._file, self._temporary)
        self._labels: list[int | None] = []
        self._steps: list[int] = []
        try:
            group = self._file.create_group("populations")
            order = [p.name for p in network.populations]
            self._columns = {
                n: _Population(group.create_group(_safe(n)), n, network.population(n).size, longest)
                for n in sorted(names, key=order.index)
            }
        except BaseException:
            self.abort()
            raise

    def __enter__(self) -> TraceWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        if kind is None:
            self.close()
        else:
            self.abort()

    def begin_sample(self, label: int | None = None) -> None:
        """The following steps belong to a new sample; either all samples have a label or none."""
        self._end_sample()
        self._labels.append(label)
        for column in self._columns.values():
            column.begin_sample()

    def add_step(self, population: str, index: np.ndarray, value: np.ndarray | None = None) -> None:
        """One timestep of one population: index uint32 [n], value int32 [n] or None where all are 1."""
        self._column(population).add(np.array([index.size], np.int64), index, value)

    def add_block(self, population: str, block: Block) -> None:
        """All timesteps of a block."""
        self._column(population).add(np.diff(block.start), block.index, block.value)

    def close(self) -> None:
        """Completes the file and gives it its name; a failure removes it."""
        try:
            self._end_sample()
            steps = np.asarray(self._steps, np.int64)
            for column in self._columns.values():
                column.finish(steps)
            _add_head(self._file, self._network, self._name, self._source, "step")
            add_array(self._file, "steps", steps)
            labels = [label for label in self._labels if label is not None]
            if labels and len(labels) != len(self._labels):
                raise InputError(
                    "either all samples have a label or none",
                    file=self.path,
                    found=f"{len(labels)} of {len(self._labels)}",
                )
            if labels:
                add_array(self._file, "labels", np.asarray(labels, np.int64))
            self._file.close()
            os.replace(self._temporary, self.path)
        except BaseException:
            self.abort()
            raise
        self._remove.detach()

    def abort(self) -> None:
        """Closes and removes the unfinished file."""
        self._remove()

    def _column(self, population: str) -> _Population:
        if not self._labels:
            raise InputError("begin_sample must come before the first step", file=self.path)
        if population not in self._columns:
            raise unknown("population", population, self._columns, file=self.path)
        return self._columns[population]

    def _end_sample(self) -> None:
        if not self._labels:
            return
        counts = {name: column.end_sample() for name, column in self._columns.items()}
        if len(set(counts.values())) > 1:
            raise InputError(
                "the populations of a sample differ in timesteps",
                file=self.path,
                key=f"sample {len(self._labels) - 1}",
                found=counts,
            )
        self._steps.append(max(counts.values(), default=0))


class _Population:
    """Columns of one population while they grow."""

    def __init__(self, group: h5py.Group, name: str, size: int, longest: int | None) -> None:
        self._group, self._name, self._size = group, name, size
        width = 1024 if longest is None else min(longest + 1, CHUNK)
        rows = 1 if longest is None else max(1, CHUNK // width)
        self._start = _growing(group, "step_start", np.int64, (rows, width))
        self._index = _growing(group, "index", np.uint32, (CHUNK,))
        self._value: h5py.Dataset | None = None
        self._indices: list[np.ndarray] = []
        self._values: list[np.ndarray | None] = []
        self._waiting = 0
        self._count = 0
        self._offsets: list[np.ndarray] = []
        self._row, self._column, self._pending = -1, 0, 0
        self._ends: list[int] = []

    def begin_sample(self) -> None:
        self._row += 1
        self._column = 0
        self._offsets, self._pending = [np.array([self._count + self._waiting], np.int64)], 1

    def add(self, counts: np.ndarray, index: np.ndarray, value: np.ndarray | None) -> None:
        if index.size and (int(index.max()) >= self._size or int(index.min()) < 0):
            raise InputError(
                "a spike's neuron index lies outside the population",
                key=f"population {self._name}",
                found=int(index.max()),
                allowed=f"0 .. {self._size - 1}",
            )
        if value is not None and not value.all():
            raise InputError("a spike's value must not be 0", key=f"population {self._name}")
        self._offsets.append(self._count + self._waiting + np.cumsum(counts))
        self._pending += counts.size
        # Copies: the producer may reuse its arrays before the buffer is written.
        self._indices.append(np.array(index, np.uint32))
        self._values.append(None if value is None else np.array(value, np.int32))
        self._waiting += int(index.size)
        if self._pending >= CHUNK:
            self._flush_offsets()
        if self._waiting >= CHUNK:
            self._flush_spikes()

    def end_sample(self) -> int:
        """Timesteps of the sample."""
        self._flush_offsets()
        self._ends.append(self._count + self._waiting)
        return self._column - 1

    def finish(self, steps: np.ndarray) -> None:
        self._flush_spikes()
        width = int(steps.max()) + 1 if steps.size else 1
        self._start.resize((steps.size, width))
        for row, (total, end) in enumerate(zip(steps.tolist(), self._ends, strict=True)):
            for at in range(total + 1, width, CHUNK):
                stop = min(at + CHUNK, width)
                self._start[row, at:stop] = np.full(stop - at, end, np.int64)

    def _flush_offsets(self) -> None:
        if not self._pending:
            return
        data = np.concatenate(self._offsets)
        rows, width = self._start.shape
        self._start.resize((max(rows, self._row + 1), max(width, self._column + data.size)))
        self._start[self._row, self._column : self._column + data.size] = data
        self._column += data.size
        self._offsets, self._pending = [], 0

    def _flush_spikes(self) -> None:
        if not self._waiting:
            return
        total = self._count + self._waiting
        if self._value is None and any(v is not None and (v != 1).any() for v in self._values):
            self._value = _growing(self._group, "value", np.int32, (CHUNK,))
            self._value.resize((self._count,))
            for at in range(0, self._count, CHUNK):
                stop = min(at + CHUNK, self._count)
                self._value[at:stop] = np.ones(stop - at, np.int32)
        self._index.resize((total,))
        self._index[self._count :] = np.concatenate(self._indices)
        if self._value is not None:
            ones = [
                np.ones(i.size, np.int32) if v is None else v for i, v in zip(self._indices, self._values, strict=True)
            ]
            self._value.resize((total,))
            self._value[self._count :] = np.concatenate(ones)
        self._indices, self._values = [], []
        self._count, self._waiting = total, 0


def _abandon(file: h5py.File, temporary: Path) -> None:
    with suppress(Exception):
        file.close()
    temporary.unlink(missing_ok=True)


def _growing(group: h5py.Group, name: str, dtype: type, chunks: tuple[int, ...]) -> h5py.Dataset:
    return group.create_dataset(
        name,
        shape=(0,) * len(chunks),
        maxshape=(None,) * len(chunks),
        dtype=dtype,
        chunks=chunks,
        shuffle=True,
        compression="gzip",
        compression_opts=1,
        track_times=False,
    )


def _add_head(file: h5py.File, network: Network, name: str, source: str, time_base: str) -> None:
    file.attrs["schema"] = np.bytes_(SCHEMA)
    head: dict[str, Any] = {"name": name, "network": describe(network), "source": source, "time_base": time_base}
    add_json(file, "description", head)
    add_projections(file.create_group("projections"), network, weights=False)


def _write_events(trace: Trace, path: Path) -> None:
    with new_file(path) as file:
        _add_head(file, trace.network.topology(), trace.name, trace.source, trace.time_base)
        add_array(file, "steps", np.asarray(trace.steps, np.int64))
        if trace.labels is not None:
            add_array(file, "labels", np.asarray(trace.labels, np.int64))
        group = file.create_group("populations")
        for name in (p.name for p in trace.network.populations if p.name in trace.populations):
            events, columns = trace.events(name), group.create_group(_safe(name))
            add_array(columns, "sample_start", np.asarray(events.sample_start, np.int64))
            add_array(columns, "time", np.asarray(events.time, np.int64))
            add_array(columns, "index", np.asarray(events.index, np.uint32))
            if events.value is not None and (events.value != 1).any():
                add_array(columns, "value", np.asarray(events.value, np.int32))


def _safe(name: str) -> str:
    """HDF5 reads "." as the group itself and cannot hold NUL."""
    if name == "." or "\0" in name:
        raise InputError("the population's name cannot stand in a file", found=name)
    return name
