"""The schedule: a mapping lowered to tasks, as a struct of arrays with one row per task."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any, Literal

import numpy as np

from simulator.errors import InputError, InvariantError

LOAD, COMPUTE, STORE, PROGRAM = 0, 1, 2, 3
OPS = ("LOAD", "COMPUTE", "STORE", "PROGRAM")
WEIGHT, STATE, SPIKE, PARTIAL_SUM = 0, 1, 2, 3
OPERANDS = ("weight", "state", "spike", "partial_sum")
AS_RECORDED = -1

COLUMNS: dict[str, type] = {
    "op": np.uint8,
    "unit": np.int32,
    "layer": np.int32,
    "operand": np.uint8,
    "population": np.int32,
    "near": np.int32,
    "far": np.int32,
    "bits": np.int64,
    "k0": np.int32,
    "k1": np.int32,
    "y0": np.int32,
    "y1": np.int32,
    "part": np.int32,
    "parts": np.int32,
    "first": np.uint8,
    "last": np.uint8,
}

EXTENT = ("x0", "x1", "t0", "t1")
"""Columns that only some schedules have: the columns and the timesteps of a row."""


@dataclass(frozen=True, eq=False)
class Schedule:
    """Tasks in the order in which the host hands them out; every array has one entry per row unless stated.

    op          uint8   LOAD (DRAM to chip), COMPUTE, STORE (chip to DRAM), PROGRAM (weights written into crossbars)
    unit        int32   unit that runs the row, index into `units`
    layer       int32   row of tables and ledgers, index into `layers`; 0 is "unattributed"
    operand     uint8   WEIGHT, STATE, SPIKE; PARTIAL_SUM for COMPUTE
    population  int32   index into `populations`: whose spikes or state move, or the layer that computes; -1 for weights
    near, far   int32   on-chip memory and DRAM of a transfer, index into `units`; -1 for COMPUTE
    bits        int64   payload of LOAD, STORE and PROGRAM; -1: the spikes as recorded, known at run time; 0: COMPUTE
    k0, k1      int32   half-open channel range: of the layer's output, or of `population` where spikes move
    y0, y1      int32   half-open row range, likewise
    part, parts int32   input part `part` of `parts`; see `simulator.mapping.operands.part_range`
    first, last uint8   COMPUTE: accumulation of the tile starts here; the neurons are updated at its end
    x0, x1      int32   half-open column range, likewise; empty: every row spans all columns
    t0, t1      int32   half-open range of the sample's timesteps; empty: those of the repetition
    after_start int64   [rows + 1] row i depends on after[after_start[i] : after_start[i + 1]]
    after       int32   earlier rows that must be complete before row i starts
    stream_start, stream   likewise: earlier rows of the same repetition whose output row i consumes as it arrives
                (pixel pipelining between crossbar tiles); they are not in `after`.  Empty where nothing streams

    Rows [0, prologue) run once per run; rows [prologue, rows) are the body, repeated per sample (`repeat` "sample":
    a COMPUTE covers all timesteps) or per sample and timestep ("step").  A unit runs its own rows one at a time and
    in order, so a dependency on a unit's last row stands for all its earlier ones.  A body row may name prologue
    rows; these are complete once the prologue is.
    """

    op: np.ndarray
    unit: np.ndarray
    layer: np.ndarray
    operand: np.ndarray
    population: np.ndarray
    near: np.ndarray
    far: np.ndarray
    bits: np.ndarray
    k0: np.ndarray
    k1: np.ndarray
    y0: np.ndarray
    y1: np.ndarray
    part: np.ndarray
    parts: np.ndarray
    first: np.ndarray
    last: np.ndarray
    after_start: np.ndarray
    after: np.ndarray
    prologue: int
    repeat: Literal["sample", "step"]
    units: tuple[str, ...]
    layers: tuple[str, ...]
    populations: tuple[str, ...]
    stream_start: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    stream: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int32))
    x0: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int32))
    x1: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int32))
    t0: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int32))
    t1: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int32))

    def __post_init__(self) -> None:
        if self.stream_start.size == 0:
            object.__setattr__(self, "stream_start", np.zeros(np.size(self.op) + 1, np.int64))
        lists: dict[str, type] = dict.fromkeys(EXTENT, np.int32)
        lists |= {"after_start": np.int64, "after": np.int32, "stream_start": np.int64, "stream": np.int32}
        for name, dtype in {**COLUMNS, **lists}.items():
            array: np.ndarray = np.ascontiguousarray(getattr(self, name), dtype)
            array.setflags(write=False)
            object.__setattr__(self, name, array)
        n = self.op.size
        if any(getattr(self, name).shape != (n,) for name in COLUMNS) or self.after_start.shape != (n + 1,):
            raise InvariantError("schedule: columns of different lengths")
        if {getattr(self, name).size for name in EXTENT} not in ({0}, {n}):
            raise InvariantError("schedule: some rows have columns and timesteps, others have none")
        if not 0 <= self.prologue <= n:
            raise InvariantError(f"schedule: prologue {self.prologue} of {n} rows")
        for start, rows in ((self.after_start, self.after), (self.stream_start, self.stream)):
            row_of = np.repeat(np.arange(n), np.diff(start))
            if row_of.size != rows.size or bool((rows >= row_of).any()) or bool((rows < 0).any()):
                raise InvariantError("schedule: a row depends on itself or on a later row")

    @property
    def rows(self) -> int:
        """Number of rows, prologue included."""
        return int(self.op.size)

    def after_of(self, i: int) -> np.ndarray:
        """int32: rows that must be complete before row `i` starts."""
        return self.after[self.after_start[i] : self.after_start[i + 1]]

    def stream_of(self, i: int) -> np.ndarray:
        """int32: rows whose output row `i` consumes as it arrives."""
        return self.stream[self.stream_start[i] : self.stream_start[i + 1]]

    def check_steps(self, steps: np.ndarray) -> None:
        """Raises InputError unless rows with timesteps were made for samples of `steps` timesteps (int64 [B])."""
        made = int(self.t1.max(initial=0))
        if self.t1.size and bool((steps != made).any()):
            raise InputError(
                "the mapping's nodes were made for samples of another length",
                key="timesteps_hint",
                found=made,
                allowed=sorted(set(steps.tolist())),
            )

    def weight_bits(self) -> tuple[int, int]:
        """Weight bits loaded once per run, and weight bits loaded again in every repetition of the body."""
        loads = np.where((self.op == LOAD) & (self.operand == WEIGHT), self.bits, 0)
        return int(loads[: self.prologue].sum()), int(loads[self.prologue :].sum())

    def table(self) -> list[dict[str, Any]]:
        """One dict per row with names in place of indices, for printing."""
        result = []
        for i in range(self.rows):
            names = (*COLUMNS, *(EXTENT if self.x0.size else ()))
            row: dict[str, Any] = {name: int(getattr(self, name)[i]) for name in names}
            row["op"] = OPS[row["op"]]
            row["operand"] = OPERANDS[row["operand"]]
            row["layer"] = self.layers[row["layer"]]
            row["unit"] = self.units[row["unit"]]
            for name, known in (("near", self.units), ("far", self.units), ("population", self.populations)):
                row[name] = None if row[name] < 0 else known[row[name]]
            row["row"] = i
            row["prologue"] = i < self.prologue
            row["after"] = self.after_of(i).tolist()
            row["stream"] = self.stream_of(i).tolist()
            result.append(row)
        return result

    @cached_property
    def sha256(self) -> str:
        """Hash of all columns, dependencies and names; streams and extents that are empty are left out."""
        digest = hashlib.sha256()
        for item in fields(self):
            if item.name.startswith("stream") and not self.stream.size:
                continue
            if item.name in EXTENT and not self.x0.size:
                continue
            value = getattr(self, item.name)
            digest.update(item.name.encode() + b"\0")
            digest.update(value.tobytes() if isinstance(value, np.ndarray) else repr(value).encode())
        return digest.hexdigest()
