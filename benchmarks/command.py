"""The frame of a benchmark that checks bars: arguments, output, exit codes, and the readers of the data's tables."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from simulator.errors import InputError, NeurocycleError
from simulator.trace.tables import check_lengths as check_lengths
from simulator.trace.tables import read_arrays as read_arrays
from simulator.trace.tables import read_table as read_table
from simulator.trace.tables import unpack as unpack
from simulator.trace.tables import whole as whole


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
