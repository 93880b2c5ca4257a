"""Speed beside RTL: generated runs of 10,000 events and more against the rates stored with the recordings.

    python -m benchmarks.rtl_speed CASE_DIR... [--json]

CASE_DIR is a recorded case, or a directory with cases below it.  A tinyODIN or ODIN case with 16 events or more is made
longer: its stimulus is repeated, each time later by its length, until it has 10,000 events, and runs with the registers
and memories of the case; its stored figure is `rtl_events_per_s`.  A ReckOn run is made from a seed; the stored figure
is the highest `rtl_cycles_per_s` of its cases.  A core's ratio is the time that the RTL would have taken for all its
runs, by the stored figures (wall-clock time of another machine, one thread), over the CPU time taken here, best of 3.

Bars: 50x for tinyODIN, 300x for ODIN, 50x for ReckOn.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import rtl_reckon
from benchmarks.command import Result, run_options
from benchmarks.rtl_case import Case, find_cases, read_case, read_json
from simulator.errors import InputError

EVENTS = 10_000
FEWEST = 16
REPEATS = 3
BARS = {"tinyodin": 50, "odin": 300, "reckon": 50}


def lengthen(case: Case, events: int = EVENTS) -> tuple[np.ndarray, np.ndarray]:
    """The stimulus, repeated until it has `events` events: cycles in which they are due, and their words."""
    times = -(-events // case.words.size)
    span = int(case.due.max()) + 1
    due = (case.due[None, :] + span * np.arange(times)[:, None]).ravel()
    return due, np.tile(case.words, times)


def own_seconds(case: Case) -> tuple[float, int, int]:
    """(CPU seconds, events served, cycles) of the longer run, best of a few; memories are made anew and not timed.

    Spikes that go round for good end with the run: it is cut off after twice the cycles that its repetitions took.
    """
    due, words = lengthen(case)
    longest = 2 * int(case.summary.get("cycles_total", 1 << 40)) * (words.size // case.words.size)
    registers = replace(case.registers(endless=True), cut_cycle=longest)
    best = float("inf")
    cycles = served = 0
    for _ in range(REPEATS):
        core = case.core(registers)
        start = time.process_time()
        log = core.run(due, words)
        best = min(best, time.process_time() - start)
        cycles, served = log.last_active_cycle, log.done
    return best, served, cycles


def compute(roots: Sequence[Path]) -> Result:
    """Times every case that is long enough, and one ReckOn run where there is a ReckOn case."""
    result = Result()
    spent: dict[str, list[float]] = {}
    runs: list[dict[str, Any]] = []
    stored_cycles: list[float] = []
    for path in find_cases(roots):
        if rtl_reckon.is_reckon(path):
            stored_cycles.append(float(read_json(path / "summary.json").get("rtl_cycles_per_s", 0)))
            continue
        case = read_case(path)
        stored = case.summary.get("rtl_events_per_s")
        if case.words.size < FEWEST or not stored:
            continue
        seconds, events, cycles = own_seconds(case)
        total = spent.setdefault(case.dialect, [0.0, 0.0])
        total[0] += events / stored
        total[1] += seconds
        ratio = events / seconds / stored
        runs.append({"case": str(path), "events": events, "cycles": cycles, "events_per_s": events / seconds,
                     "stored_rtl_events_per_s": stored, "ratio": ratio})  # fmt: skip
        result.lines.append(
            f"{path.name}: {events} events, {cycles} cycles in {seconds * 1e3:.2f} ms CPU, {events / seconds:,.0f} "
            f"events/s, stored RTL {stored:,} events/s: {ratio:.0f}x"
        )
    ratios = {core: rtl / own for core, (rtl, own) in spent.items()}
    if stored_cycles and max(stored_cycles) > 0:
        rate, cycles, events = max(rtl_reckon.reckon_speed() for _ in range(REPEATS))
        ratios["reckon"] = rate / max(stored_cycles)
        result.lines.append(
            f"ReckOn: {events} events, {cycles} cycles, {rate:,.0f} cycles/s of CPU time, stored RTL "
            f"{max(stored_cycles):,.0f} cycles/s"
        )
    if not ratios:
        raise InputError(f"no case has {FEWEST} events and a stored speed", found=[str(root) for root in roots])
    for core, ratio in ratios.items():
        result.check(ratio >= BARS[core], f"{core}: {ratio:.0f}x, at least {BARS[core]}x asked")
    shown = ", ".join(f"{core} {ratio:.0f}x (bar {BARS[core]}x)" for core, ratio in ratios.items())
    result.bar = f"CPU time against stored RTL figures: {shown}"
    result.figures = {"ratios": ratios, "runs": runs}
    return result


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the benchmark; 0 bars reached, 1 missed, 2 the input is wrong."""
    return run_options("rtl_speed", __doc__.splitlines()[0], lambda options: compute(options.cases), _declare, argv)


def _declare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("cases", type=Path, nargs="+", metavar="CASE_DIR", help="a case, or a directory with cases")


if __name__ == "__main__":
    sys.exit(main())
