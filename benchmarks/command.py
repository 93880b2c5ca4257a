"""The frame of a benchmark that checks bars: arguments, output, exit codes, and readers of the data's tables."""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from simulator.errors import InputError, NeurocycleError
from simulator.network.npz import read_npz


@dataclass
class Result:
    """What a benchmark found: lines to print, figures for --json, and the misses (none: the bar is reached).

    `bar` is the last line, the figure and what it must be.
    """

    bar: str = ""
    lines: list[str] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)
    misses: list[str] = field(default_factory=list)

    def check(self, passed: bool, what: str) -> bool:
        """Notes a miss where `passed` is False."""
        if not passed:
            self.misses.append(what)
        return bool(passed)


def run_options(
    name: str,
    description: str,
    compute: Callable[[argparse.Namespace], Result],
    declare: Callable[[argparse.ArgumentParser], object],
    argv: Sequence[str] | None = None,
) -> int:
    """Runs `compute` on the options that `declare` adds, and --json; 0 bar reached, 1 missed, 2 the input is wrong."""
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{name}", description=description)
    declare(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")
    options = parser.parse_args(argv)
    try:
        result = compute(options)
    except NeurocycleError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return show_result(name, result, options.json)


def run_command(
    name: str, description: str, compute: Callable[[Path], Result], argv: Sequence[str] | None = None
) -> int:
    """Runs `compute` on the data directory of the command line."""

    def on_directory(options: argparse.Namespace) -> Result:
        if not options.data.is_dir():
            raise InputError("no such directory", file=options.data)
        return compute(options.data)

    return run_options(
        name, description, on_directory, lambda p: p.add_argument("data", type=Path, help="data directory"), argv
    )


def run_alone(name: str, description: str, compute: Callable[[], Result], argv: Sequence[str] | None = None) -> int:
    """Runs `compute`, which needs no data."""
    return run_options(name, description, lambda _: compute(), lambda _: None, argv)


def show_result(name: str, result: Result, as_json: bool) -> int:
    """Prints the lines, the misses and last the bar, or one JSON object; 0 bar reached, 1 missed."""
    passed = not result.misses
    verdict = f"{result.bar}: {'passed' if passed else 'MISSED'}"
    if as_json:
        document = {
            "schema": f"neurocycle.benchmark.{name}/1",
            "passed": passed,
            "bar": result.bar,
            "misses": result.misses,
            **result.figures,
        }
        print(json.dumps(document, indent=1))
    else:
        for line in (*result.lines, *(f"missed: {miss}" for miss in result.misses), verdict):
            print(line)
    return 0 if passed else 1


def read_arrays(path: Path, *keys: str) -> dict[str, np.ndarray]:
    """All arrays of an .npz file; InputError where one of `keys` is missing or the file is none."""
    if not path.is_file():
        raise InputError("no such file", file=path)
    arrays = read_npz(path)
    for key in keys:
        if key not in arrays:
            raise InputError("the array is missing", file=path, key=key, allowed=list(arrays))
    return arrays


def check_lengths(arrays: dict[str, np.ndarray], path: Path, *keys: str, ndim: int = 1) -> None:
    """InputError unless the first of `keys` has `ndim` axes, the others one, and all are equally long."""
    for i, key in enumerate(keys):
        wanted = ndim if i == 0 else 1
        if arrays[key].ndim != wanted or len(arrays[key]) != len(arrays[keys[0]]):
            raise InputError("the arrays do not go together", file=path, key=key, found=arrays[key].shape,
                             allowed=f"{wanted} axis or axes, as long as {keys[0]}")  # fmt: skip


def read_table(path: Path, *columns: str) -> list[dict[str, str]]:
    """Rows of a CSV file (lines before the header that start with # are notes); InputError without one of `columns`."""
    if not path.is_file():
        raise InputError("no such file", file=path)
    try:
        with open(path, newline="", encoding="utf-8") as file:
            reader = csv.DictReader(line for line in file if not line.startswith("#"))
            rows = list(reader)
            names = reader.fieldnames or []
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"not a table ({error})", file=path) from None
    for column in columns:
        if column not in names:
            raise InputError("the table lacks a column", file=path, key=column, found=list(names))
    return rows


def whole(row: dict[str, str], column: str, path: Path) -> int:
    """A whole number of a table."""
    try:
        return int(row[column])
    except ValueError:
        raise InputError("not a whole number", file=path, key=column, found=row[column]) from None


def unpack(arrays: dict[str, np.ndarray], key: str, path: Path) -> np.ndarray:
    """A bit-packed spike array: uint8 of the shape stored beside it."""
    if key not in arrays or f"{key}__shape" not in arrays:
        raise InputError("the bit-packed array or its shape is missing", file=path, key=key)
    shape = tuple(int(n) for n in arrays[f"{key}__shape"])
    size = int(np.prod(shape))
    if not 0 <= size <= arrays[key].size * 8:
        raise InputError("the array is shorter than its shape", file=path, key=key, found=shape)
    return np.unpackbits(arrays[key], count=size).reshape(shape)
