"""Directories of RTL recordings: where they are, and one of tinyODIN or ODIN as numbers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.command import read_table, whole
from simulator.components.neurosynaptic_core import (
    Core,
    Registers,
    decode_neurons,
    decode_synapses,
    is_register,
    named_registers,
)
from simulator.errors import InputError, unknown

DIALECT = {"tinyODIN": "tinyodin", "ODIN": "odin"}
MARKS = ("case.json", "config.txt", "stimulus.csv", "stimulus.txt")


@dataclass(frozen=True)
class Case:
    """Stimulus, registers and initial memories of one recording; `summary` holds its totals.

    due, words int64 [n].  neurons: 256 words as stored; synapses uint32 [8192].
    """

    path: Path
    dialect: str
    values: dict[str, int]
    due: np.ndarray
    words: np.ndarray
    neurons: list[int]
    synapses: np.ndarray
    summary: dict[str, Any] = field(default_factory=dict)

    def registers(self, endless: bool = False) -> Registers:
        """Registers and delays; what else the file holds belongs to the bench.

        No run is longer than its recording, unless `endless`.
        """
        values = {name: value for name, value in self.values.items() if is_register(self.dialect, name)}
        values.pop("max_cycles", None)
        if isinstance(self.summary.get("cycles_total"), int) and not endless:
            values["max_cycles"] = self.summary["cycles_total"]
        return named_registers(self.dialect, values, self.path / "config.txt")

    @property
    def cut_off(self) -> bool:
        """Whether the recording ended before the core was idle."""
        total, last = (self.summary.get(key) for key in ("cycles_total", "last_active_cycle"))
        return isinstance(total, int) and isinstance(last, int) and last >= total - 2

    def core(self, registers: Registers) -> Core:
        """A core with the initial memories."""
        neurons = decode_neurons(self.neurons, self.dialect, self.path / "neurons_init.hex")
        return Core(registers, neurons, decode_synapses(self.synapses))


def find_cases(roots: Sequence[Path]) -> list[Path]:
    """Case directories among and below `roots`, each once, in the order given, below a root by name."""
    found: dict[Path, None] = {}
    for root in roots:
        if not root.is_dir():
            raise InputError("no such directory", file=root)
        inside = sorted({file.parent for mark in MARKS for file in root.rglob(mark)})
        if not inside:
            raise InputError("no case in this directory", file=root, allowed=f"a directory with {', '.join(MARKS)}")
        found.update(dict.fromkeys(inside))
    return list(found)


def read_json(path: Path) -> dict[str, Any]:
    """An object of a JSON file."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", file=path) from None
    except ValueError as error:
        raise InputError(f"not JSON ({error})", file=path) from None
    if not isinstance(document, dict):
        raise InputError("not a JSON object", file=path, found=type(document).__name__)
    return document


def read_hex(path: Path) -> list[int]:
    """Words of a memory image, one hexadecimal number a line."""
    try:
        lines = path.read_text(encoding="ascii").split()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot be read ({error})", file=path) from None
    words = []
    for number, line in enumerate(lines, 1):
        try:
            words.append(int(line, 16))
        except ValueError:
            raise InputError("not a hexadecimal number", file=path, line=number, found=line) from None
    return words


def read_config(path: Path) -> dict[str, int]:
    """Names and whole numbers of `config.txt`, one pair a line."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot be read ({error})", file=path) from None
    values = {}
    for number, line in enumerate(lines, 1):
        parts = line.split()
        if not parts:
            continue
        try:
            name, text = parts
            values[name] = int(text, 0)
        except ValueError:
            raise InputError("not a name and a number", file=path, line=number, found=line) from None
    return values


def core_of(path: Path) -> str:
    """Dialect of a case directory: what `case.json` says, else the width of its neuron words."""
    described = path / "case.json"
    if described.is_file():
        core = read_json(described).get("core")
        if core not in DIALECT:
            raise unknown("core", core, [*DIALECT, "ReckOn"], file=described, key="core")
        return DIALECT[core]
    image = path / "neurons_init.hex"
    if not image.is_file():
        raise InputError("neither case.json nor neurons_init.hex says which core this is", file=path)
    width = max((len(line) for line in image.read_text(encoding="ascii", errors="replace").split()), default=0)
    return "tinyodin" if width <= 8 else "odin"


def read_case(path: Path) -> Case:
    """Everything that a run of a tinyODIN or ODIN case needs; InputError where a file is missing or damaged."""
    table = path / "stimulus.csv"
    rows = read_table(table, "t_due", "addr")
    due = np.array([whole(row, "t_due", table) for row in rows], np.int64)
    words = np.array([whole(row, "addr", table) for row in rows], np.int64)
    image = path / "synapses_init.hex"
    synapses = read_hex(image)
    if len(synapses) != 8192 or not all(0 <= word < 1 << 32 for word in synapses):
        raise InputError("not 8192 words of 32 bits", file=image, found=len(synapses))
    summary = read_json(path / "summary.json") if (path / "summary.json").is_file() else {}
    return Case(
        path, core_of(path), read_config(path / "config.txt"), due, words, read_hex(path / "neurons_init.hex"),
        np.array(synapses, np.uint32), summary,
    )  # fmt: skip
