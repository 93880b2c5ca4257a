"""Cores against recordings of their RTL: cases that agree in every recorded field.

    python -m benchmarks.rtl CASE_DIR... [--json]

CASE_DIR is a case, or a directory with cases below it; cases of tinyODIN, ODIN and ReckOn may be mixed.  Compared are
every input handshake, operation, spike, output handshake, final membrane, neuron word, synapse and memory access count
of a tinyODIN or ODIN case, and every handshake, tick, spike, output, membrane and count of a ReckOn case.  Of each case
that is not exact the first difference is shown.  Bar: all cases are exact.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks import rtl_odin, rtl_reckon
from benchmarks.rtl_case import find_cases
from simulator.errors import InputError, NeurocycleError


def differences(path: Path) -> list[str]:
    """Differences of one case, of whichever core it is."""
    if rtl_reckon.is_reckon(path):
        return rtl_reckon.compare_case(path)
    return rtl_odin.compare_case(path)


def main(argv: Sequence[str] | None = None) -> int:
    """Compares all cases; 0 all are exact, 1 one is not, 2 the input of one is wrong."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rtl", description=__doc__.splitlines()[0])
    parser.add_argument("cases", type=Path, nargs="+", metavar="CASE_DIR", help="a case, or a directory with cases")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")
    options = parser.parse_args(argv)
    found: dict[Path, list[str]] = {}
    refused = 0
    try:
        for path in find_cases(options.cases):
            try:
                found[path] = differences(path)
            except InputError as error:
                found[path] = [f"cannot be run: {error}"]
                refused = error.exit_code
    except NeurocycleError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    exact = sum(not lines for lines in found.values())
    verdict = f"{exact} of {len(found)} cases exact"
    if options.json:
        cases = [
            {"case": str(path), "exact": not lines, "differences": len(lines), "first": lines[0] if lines else None}
            for path, lines in found.items()
        ]
        document = {"schema": "neurocycle.benchmark.rtl/1", "passed": exact == len(found), "bar": verdict}
        print(json.dumps({**document, "exact": exact, "cases": cases}, indent=1))
    else:
        for path, lines in found.items():
            more = f" (and {len(lines) - 1} more)" if len(lines) > 1 else ""
            print(f"{path}: {lines[0] + more if lines else 'exact'}")
        print(verdict)
    return refused or (0 if exact == len(found) else 1)


if __name__ == "__main__":
    sys.exit(main())
