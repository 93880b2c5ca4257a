"""A DRAM channel against runs of a DRAM simulator: every request, every command, every count, energy within 0.1 %.

    python -m benchmarks.dram DIR [--json]

DIR holds `configs.csv`, `timing_currents.csv`, `results.csv`, `requests/<configuration>/<run>.csv.gz` and, for some
runs, `commands/<configuration>/<run>.csv.gz`; `traces/<trace>.trace.gz` serve runs without a table of requests.  A run
is called <trace>_w<window>.  All facts come from these tables.  A line per run gives the share of requests whose
acceptance and completion are both exact, and the first difference.  The bar: every run exact.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.command import Result, read_table, run_command
from benchmarks.dram_data import Configuration, read_commands, read_configurations, read_requests
from simulator.components.dram.tables import channel_tables
from simulator.components.dram.trace import BurstTrace, ChannelRun, run_traces
from simulator.errors import InputError
from simulator.hardware.dram_energy import command_energy
from simulator.hardware.dram_timing import COMMANDS
from simulator.kernels import dram_state as ks

ENERGY_TOLERANCE = 1e-3
COUNTS = {"act": ks.N_ACTIVATE, "pre": ks.N_PRECHARGE, "rd": ks.N_READ, "wr": ks.N_WRITE}


def compute(data: Path) -> Result:
    """Runs every run of the tables."""
    configurations = read_configurations(data)
    path = data / "results.csv"
    results = {(row["config"], row["run"]): row for row in read_table(path, "config", "run")}
    recorded = {(p.parent.name, p.name.removesuffix(".csv.gz")) for p in sorted(data.glob("requests/*/*.csv.gz"))}
    result = Result()
    runs = []
    for config, run in sorted(recorded | set(results)):
        if config not in configurations:
            raise InputError("unknown configuration", file=path, found=config, allowed=list(configurations))
        runs.append(judge(result, data, configurations[config], run, results.get((config, run))))
    if not runs:
        raise InputError("no recorded run", file=path)
    exact = sum(case["exact"] for case in runs)
    result.bar = f"{exact} of {len(runs)} runs exact"
    result.figures = {"runs": runs, "exact": exact}
    return result


def judge(result: Result, data: Path, config: Configuration, run: str, expected: dict[str, str] | None) -> dict:
    """Runs one run and compares everything that is known of it."""
    trace, _, window = run.rpartition("_w")
    if not window.isdecimal():
        raise InputError("a run is called <trace>_w<window>", file=data / "results.csv", found=run)
    path = data / "requests" / config.name / f"{run}.csv.gz"
    if not path.is_file():
        path = data / "traces" / f"{trace}.trace.gz"
    requests = read_requests(path, config.geometry.burst_bytes)
    ours = simulate_run(config, requests.trace, int(window))
    differences: list[str] = []
    share = None
    if requests.accepted is not None and requests.done is not None:
        right = (ours.accepted == requests.accepted) & (ours.done == requests.done)
        share = float(right.mean())
        if not right.all():
            i = int(np.argmin(right))
            differences.append(f"request {i}: accepted {ours.accepted[i]} and done {ours.done[i]}, the reference has "
                               f"{requests.accepted[i]} and {requests.done[i]}")  # fmt: skip
    commands = data / "commands" / config.name / f"{run}.csv.gz"
    compared = commands.is_file()
    if compared:
        differences += compare_commands(ours.commands, read_commands(commands))
    if expected is not None:
        differences += compare_counts(ours, expected) + compare_energy(config, ours, expected)
    shown = "requests not recorded" if share is None else f"{100 * share:8.3f} % exact"
    schedule = f", {len(ours.commands)} commands" if compared else ""
    result.lines.append(f"{config.name:28s} {run:20s} {shown}{schedule}" + "".join(f"; {d}" for d in differences[:1]))
    for difference in differences:
        result.check(False, f"{config.name} {run}: {difference}")
    return {"config": config.name, "run": run, "exact_share": share, "commands_compared": compared,
            "exact": not differences, "first_difference": differences[0] if differences else None}  # fmt: skip


def simulate_run(config: Configuration, trace: BurstTrace, window: int) -> ChannelRun:
    """One client offers the trace with at most `window` bursts under way (0: no limit)."""
    controller = config.controller.model_copy(update={"outstanding_limit": window})
    return run_traces(channel_tables(config.timing, config.geometry, controller, logging=True), [trace])


def compare_commands(ours: np.ndarray, theirs: np.ndarray) -> list[str]:
    """First difference of two command schedules; a command with auto-precharge counts as the one without."""
    plain = {COMMANDS.index("RDA"): COMMANDS.index("RD"), COMMANDS.index("WRA"): COMMANDS.index("WR")}
    tables = [rows.copy() for rows in (ours, theirs)]
    for rows in tables:
        for automatic, column in plain.items():
            rows[rows[:, 1] == automatic, 1] = column
    a, b = tables
    size = min(len(a), len(b))
    wrong = np.flatnonzero((a[:size] != b[:size]).any(axis=1))
    if wrong.size:
        i = int(wrong[0])
        return [f"command {i}: {describe(a[i])}, the reference has {describe(b[i])}"]
    return [] if len(a) == len(b) else [f"{len(a)} commands, the reference has {len(b)}"]


def describe(command: np.ndarray) -> str:
    """A row of a command schedule in words."""
    cycle, number, *place = command.tolist()
    return f"cycle {cycle} {COMMANDS[number]} " + " ".join("-" if part < 0 else str(part) for part in place)


def compare_counts(ours: ChannelRun, expected: dict[str, str]) -> list[str]:
    """Counts of commands, last cycle, row hits, cycles of ranks with and without an open bank."""
    columns = int(ours.counts[ks.N_READ] + ours.counts[ks.N_WRITE])
    found = {name: int(ours.counts[column]) for name, column in COUNTS.items()}
    found |= {"ref": ours.refreshes, "cycles": ours.cycles, "rank_active_cycles": ours.active,
              "rank_idle_cycles": ours.idle}  # fmt: skip
    wrong = [f"{name} {found[name]}, the reference has {expected[name]}" for name in found
             if expected.get(name) and float(expected[name]) != found[name]]  # fmt: skip
    hits = ours.counts[ks.N_HIT] / columns if columns else 0.0
    if expected.get("row_hit_rate") and abs(hits - float(expected["row_hit_rate"])) > 5.1e-5:
        wrong.append(f"row hit rate {hits:.4f}, the reference has {expected['row_hit_rate']}")
    return wrong


def compare_energy(config: Configuration, ours: ChannelRun, expected: dict[str, str]) -> list[str]:
    """Energy by term, in V mA cycle and in pJ; a device without currents has none."""
    given = {name: float(value) for name, value in expected.items() if name.startswith("E_") and value}
    if not given:
        return []
    if config.currents is None:
        return ["energy is recorded, but the device states no currents"]
    wrong = []
    for unit, scale in (("rawVmAcyc", 1.0), ("pJ", config.cycle_ns)):
        e = command_energy(config.currents, config.timing, config.devices, scale)
        n = ours.counts
        terms = {
            "act": e.activate * n[ks.N_ACTIVATE],
            "rd": e.read * n[ks.N_READ],
            "wr": e.write * n[ks.N_WRITE],
            "ref": e.refresh * ours.refreshes,
            "bg": e.active * ours.active + e.idle * ours.idle,
        }
        terms["total"] = sum(terms.values())
        for term, value in terms.items():
            reference = given.get(f"E_{term}_{unit}")
            if reference is not None and abs(value - reference) > ENERGY_TOLERANCE * max(abs(reference), 1.0):
                wrong.append(f"energy {term} {value:.6g} {unit}, the reference has {reference:.6g}")
    return wrong


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; 0 when every run is exact, else 1, 2 where the input is wrong."""
    return run_command("dram", __doc__.splitlines()[0], compute, argv)


if __name__ == "__main__":
    sys.exit(main())
