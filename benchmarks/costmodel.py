"""Cost models beside the simulator on four chips: errors on architectures that were held out, by term and by kind.

    python -m benchmarks.costmodel [DATA]                     all chips and suites, bars checked; half an hour
    python -m benchmarks.costmodel DATA --chip sia_pynqz2     one chip; --suite NAME: one suite; both may be repeated
    python -m benchmarks.costmodel DATA --write               remakes benchmarks/README.md

DATA holds recordings in the layout of the suite "recorded"; without it that suite is left out.  On the generated suite
each architecture is predicted by a model fitted on all others; on the other suites by a model fitted on the generated
one without the suite's architectures.

Bars: latency MAPE 3 %, p95 8 %, energy MAPE 1.5 %, Kendall's tau of both 0.95 on at least 400 points; 90 % intervals
cover 87 to 93 % and are on average at most 4 MAPE wide to each side; on recorded spikes the error grows where the
models know nothing of clusters.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.command import Result, run_options
from benchmarks.costmodel_report import MAIN, README, RECORDED, find, write_readme
from simulator.costmodel.lesson import Lesson
from simulator.costmodel.observe import Observation, observe
from simulator.costmodel.suite import Suite, load_suite
from simulator.costmodel.validate import BLIND, CALIBRATED, CLOSED, LEVEL, compare, knows_spikes, some, without_clusters
from simulator.costmodel.validation import ALL, Validation
from simulator.errors import InputError, unknown
from simulator.report.quantity import percent
from simulator.report.validation import grids, text_lines

CHIPS = ("sia_pynqz2", "event_core_28nm", "cim_spikesim64", "stems_meta1m_lpddr4")
SUITES = (MAIN, RECORDED, "digits", "cim", "sia", "stems")
BARS = {"latency": (0.03, 0.08), "energy": (0.015, None)}
"""Quantity -> bars of MAPE and p95."""
TAU, POINTS, COVERAGE, WIDTH = 0.95, 400, 0.03, 4.0


class Chip:
    """The suites of one chip: observed once, compared with every model."""

    def __init__(self, name: str, directory: str | None, points: int | None) -> None:
        self.name, self.directory, self.points = name, directory, points
        self.failed: list[str] = []
        suite = load_suite(MAIN, name)
        self.observations = self._observe(suite)
        self.lessons: tuple[Lesson | None, Lesson | None] = (None, None)
        try:
            self.lessons = Lesson.of(self.observations, LEVEL), None
            if knows_spikes(self.observations):
                blind = [without_clusters(each) for each in self.observations]
                self.lessons = self.lessons[0], Lesson.of(blind, LEVEL)
        except InputError as error:
            progress(f"{name}: {error}")
        command = f"neurocycle validate {MAIN} --hw {name}"
        made = compare(suite, self.observations, name, lessons=self.lessons, command=command)
        self.validations = {MAIN: made}

    def compare(self, suite_name: str) -> None:
        """Adds the validation of another suite, by models that saw none of its architectures; nothing where the chip
        cannot run the suite."""
        try:
            suite = load_suite(suite_name, self.name, self.directory if suite_name == RECORDED else None)
        except InputError as error:
            progress(f"{self.name}, {suite_name}: {error}")
            return
        seen = self._observe(suite)
        if not seen:
            return
        names = sorted({each.case.architecture for each in seen} & {e.case.architecture for e in self.observations})
        model, blind_model = (None if each is None else each.model(*names) for each in self.lessons)
        where = " DATA" if suite_name == RECORDED else ""
        command = f"neurocycle validate {suite_name}{where} --hw {self.name} --model MODEL"
        self.validations[suite_name] = compare(
            suite, seen, self.name, model=model, blind_model=blind_model, command=command
        )

    def _observe(self, suite: Suite) -> list[Observation]:
        cases = some(suite.cases, self.points)
        begin = time.process_time()
        found = []
        for case in cases:
            try:
                found.append(observe(case))
            except InputError as error:
                self.failed.append(f"{suite.name}: {case.name} does not run: {error}")
        progress(f"{self.name}, {suite.name}: {len(cases)} points in {time.process_time() - begin:.0f} CPU s")
        return found


def progress(text: str) -> None:
    """A line on stderr."""
    print(text, file=sys.stderr, flush=True)


def check_errors(made: Validation, result: Result) -> None:
    """The bars of a chip's generated suite."""
    model, use, chip = find(made, CALIBRATED), made.groups[ALL], made.hardware
    result.check(len(made.points) >= POINTS, f"{chip}: {len(made.points)} points, at least {POINTS}")
    if not result.check(model is not None, f"{chip}: no calibrated predictions: {'; '.join(made.notes)}"):
        return
    for quantity, (mape, p95) in BARS.items():
        found, held = made.metrics(model, quantity, use), made.interval_metrics(model, quantity, use)
        what = f"{chip}: {quantity}"
        result.check(found.mape <= mape, f"{what} MAPE {percent(found.mape, 2)}, at most {percent(mape)}")
        if p95 is not None:
            result.check(found.p95 <= p95, f"{what} p95 {percent(found.p95, 2)}, at most {percent(p95)}")
        tau = found.kendall or 0.0
        result.check(tau >= TAU, f"{what} tau {tau:.3f}, at least {TAU}")
        result.check(abs(held.coverage - made.level) <= COVERAGE,
                     f"{what} intervals cover {percent(held.coverage)}, {percent(made.level)} +- {percent(COVERAGE)}")
        ratio = held.half_width / found.mape
        result.check(ratio <= WIDTH, f"{what} intervals {ratio:.2f} MAPE wide to each side, at most {WIDTH:g}")


def cluster_errors(made: Validation, quantity: str) -> tuple[float, float] | None:
    """MAPE of our best model with and without knowledge of clusters, all points; None where nothing is to be known."""
    name = CALIBRATED if find(made, CALIBRATED) else CLOSED
    models = [find(made, name), find(made, name + BLIND)]
    seeing, blind = (None if m is None else made.metrics(m, quantity, made.groups[ALL]).mape for m in models)
    return None if seeing is None or blind is None else (seeing, blind)


def check_clusters(recorded: Sequence[Validation], result: Result) -> None:
    """The error on recorded spikes with and without knowledge of clusters: by chip, and the mean over chips."""
    for quantity in BARS:
        pairs = [(made.hardware, pair) for made in recorded if (pair := cluster_errors(made, quantity)) is not None]
        if not pairs:
            continue
        mean = (sum(pair[0] for _, pair in pairs) / len(pairs), sum(pair[1] for _, pair in pairs) / len(pairs))
        for name, (seeing, blind) in [*pairs, ("mean of the chips", mean)]:
            line = f"recorded spikes, {quantity}, {name}: MAPE {percent(seeing, 2)}, no clusters {percent(blind, 2)}"
            result.lines.append(line)
        result.check(mean[0] < mean[1], line)


def compute(options: argparse.Namespace) -> Result:
    """Observes and compares what the command line asks for."""
    for name in options.suite:
        if name not in SUITES:
            raise unknown("suite", name, SUITES, key="--suite")
    if options.data is not None and not options.data.is_dir():
        raise InputError("no such directory", file=options.data)
    chips, result = {}, Result(figures={"chips": {}})
    for name in options.chip or CHIPS:
        chip = chips[name] = Chip(name, None if options.data is None else str(options.data), options.points)
        misses = len(result.misses)
        check_errors(chip.validations[MAIN], result)
        for suite in options.suite or SUITES:
            if suite != MAIN and (suite != RECORDED or options.data is not None):
                chip.compare(suite)
            if options.write:  # after each suite, so that an interrupted run leaves a page with what is known
                write_readme(README, name, chip.validations, [*result.misses[misses:], *chip.failed])
        result.misses += chip.failed
        for made in chip.validations.values():
            result.lines += [line for grid in grids(made) for line in (*text_lines(grid), "")]
        result.figures["chips"][name] = {suite: summary(made) for suite, made in chip.validations.items()}
    check_clusters([c.validations[RECORDED] for c in chips.values() if RECORDED in c.validations], result)
    result.bar = f"bars of {len(chips)} chips, {len(result.misses)} missed"
    return result


def summary(made: Validation) -> dict[str, Any]:
    """The figures of a validation without its points."""
    found = made.to_dict()
    return {key: found[key] for key in ("hardware", "seed", "notes", "models", "groups", "worst")}


def declare(parser: argparse.ArgumentParser) -> None:
    """Options of the command line."""
    parser.add_argument("data", type=Path, nargs="?", help="recordings; without them that suite is left out")
    parser.add_argument("--chip", action="append", default=[], help="only this chip (may be repeated)")
    parser.add_argument("--suite", action="append", default=[], help=f"besides {MAIN} only this one")
    parser.add_argument("--points", type=int, help="at most so many points of each suite")
    parser.add_argument("--write", action="store_true", help="remake benchmarks/README.md")


def main(argv: Sequence[str] | None = None) -> int:
    """Command line."""
    return run_options("costmodel", "Cost models beside the simulator.", compute, declare, argv)


if __name__ == "__main__":
    sys.exit(main())
