"""ReckOn cases of RTL recordings against the simulator: every handshake, tick, spike, output, membrane and access.

The recordings' driver is known from its times alone: how the 8 cycles before the first tick divide among the start, S
and I, and whether L sends an event, they do not say.  Both are inputs of the core, so the driver is chosen whose ticks
agree longest with the recorded ones; everything else is compared under that one driver.  Likewise the recordings alone
say whether ticks are numbered through or from each sample's start.  A neuron that was not written since its sample
began reads as 0 whatever its memory holds, so the potential of its dump is not compared, only that it was not written.
"""

from __future__ import annotations

import csv
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.command import read_table, whole
from simulator.components.reckon_core.drive import Driver, Recording, Stimulus, run_stimulus
from simulator.components.reckon_core.image import LINES, NEURONS, OUTPUTS, Image, read_image, read_stimulus
from simulator.errors import InputError

EVENTS = ("addr", "target", "t_req", "t_ack", "t_done")
TICKS = ("tick", "t_tick", "kind", "t_step", "t_sdone", "t_prop", "t_scan_end", "t_ready", "n_inp", "n_rec_spk",
         "evt_cycles", "eprop_cycles")  # fmt: skip
LEADS = 8
"""Cycles from cycle 0 to the first tick where one S and one I precede it, in every recording."""

Row = tuple[Any, ...]


def is_reckon(path: Path) -> bool:
    """True where a case directory is one of ReckOn."""
    case = path / "case.json"
    if not case.is_file():
        return (path / "winp_init.hex").is_file()
    try:
        found = json.loads(case.read_text(encoding="utf-8"))
    except ValueError:
        raise InputError("not JSON", file=case) from None
    return isinstance(found, dict) and found.get("core") == "ReckOn"


def compare_case(path: Path) -> list[str]:
    """Differences between the simulator and a recorded case, one line each; none: the case is exact."""
    image = read_image(path)
    kind, value = read_stimulus(path / "stimulus.txt")
    recorded = read_table(path / "ticks.csv", *TICKS)
    events = read_table(path / "events_in.csv", *EVENTS)
    times = [whole(row, "t_tick", path / "ticks.csv") for row in recorded]
    run = run_stimulus(image, Stimulus(kind, value), fit_driver(image, kind, value, times, len(events)))
    samples = [int(v) for k, v in zip(kind, value, strict=True) if k == LINES.index("S")]
    numbers = tick_numbers(run, [row["tick"] for row in recorded])
    spikes = [(numbers[tick], neuron) for tick, neuron in np.argwhere(run.fired).tolist()]
    ticks = [(n, *tick_row(row)) for n, row in zip(numbers, run.ticks.tolist(), strict=True)]
    return [
        *_rows(path / "events_in.csv", ("idx", *EVENTS), [(i, *row) for i, row in enumerate(run.events.tolist())]),
        *_rows(path / "ticks.csv", TICKS, ticks),
        *_rows(path / "spikes.csv", ("tick", "neuron"), spikes),
        *_rows(path / "out.csv", ("tick", *(f"u{k}" for k in range(OUTPUTS))), output_rows(run, numbers)),
        *_rows(path / "results.csv", ("sample", "out_label", "t_req"),
               [(sample, *row) for sample, row in zip(samples, run.results.tolist(), strict=False)]),
        *_membranes(path, run, numbers),
        *_summary(path / "summary.json", summary_of(run)),
    ]  # fmt: skip


def fit_driver(image: Image, kind: np.ndarray, value: np.ndarray, times: list[int], events: int) -> Driver:
    """The driver under which the ticks' times agree longest with the recorded ones; `events` were recorded."""
    labels = int((kind == LINES.index("L")).sum())
    base = Driver(label_sent=events == int((kind == LINES.index("E")).sum()) + labels)
    splits = [(start, sample) for start in range(LEADS + 1) for sample in range(LEADS + 1 - start)]
    drivers = [base] + [replace(base, start=a, sample=s, level=LEADS - a - s) for a, s in splits]
    best, longest = base, -1
    for driver in drivers:
        ours = run_stimulus(image, Stimulus(kind, value), driver).ticks[:, 0].tolist()
        length = next((i for i, (a, b) in enumerate(zip(ours, times, strict=False)) if a != b), len(ours))
        if length > longest:
            best, longest = driver, length
        if longest == len(ours):
            break
    return best


def tick_row(row: list[int]) -> Row:
    """A row of ticks.csv without its number, from a row of the run; learning takes no cycle here."""
    return (row[0], "X" if row[1] else "T", *row[2:], 0)


def tick_numbers(run: Recording, recorded: list[str]) -> list[int]:
    """The number of each tick: counted through, or, where a later sample's first tick is recorded as 0, from there."""
    first = np.flatnonzero(run.ticks[:, 3] == 0)
    if not any(recorded[i] == "0" for i in first[1:].tolist() if i < len(recorded)):
        return list(range(len(run.ticks)))
    starts = first[np.searchsorted(first, np.arange(len(run.ticks)), side="right") - 1]
    numbers: list[int] = (np.arange(len(run.ticks)) - starts).tolist()
    return numbers


def output_rows(run: Recording, numbers: list[int]) -> list[Row]:
    """Rows of out.csv: one for each tick that had a STEP."""
    return [(numbers[i], *run.potentials[i].tolist()) for i in range(len(run.ticks)) if run.ticks[i, 3]]


def summary_of(run: Recording) -> dict[str, Any]:
    """What summary.json says of a run, without the speed of the RTL."""
    counts, passes = run.counts.tolist(), int(run.ticks[:, 9].sum())
    first = run.ticks[:, 4] > 0
    scans = int((run.ticks[first, 5] - run.ticks[first, 4] - run.ticks[first, 9]).sum())
    states = dict(zip(("IDLE", "PROP", "STEP", "SDONE", "SEND"), run.states.tolist(), strict=True))
    return {
        "input_events": len(run.events), "ticks": len(run.ticks), "samples": len(run.results),
        "cycles_total": run.cycles, "rec_spikes": int(run.fired.sum()),
        "neuron_mem_reads": counts[0], "neuron_mem_writes": counts[1], "winp_reads": counts[2], "winp_writes": 0,
        "wrec_reads": counts[3], "wrec_writes": 0, "wout_reads": counts[4], "wout_writes": 0,
        "state_cycles": {**states, "GET_TAR": 0, "CONFIG": 0, "EPROP": 0},
        "evt_state_cycles": {"WAIT": run.cycles - scans - passes, "CNT": scans, "EVT": passes, "SUPP": 0},
        "timing_error": 0,
    }  # fmt: skip


def _rows(path: Path, fields: tuple[str, ...], ours: list[Row]) -> list[str]:
    """Differences between our rows and those of a CSV file, whose header is skipped."""
    if not path.is_file():
        raise InputError("no such file", file=path)
    with open(path, newline="", encoding="utf-8") as file:
        recorded = list(csv.reader(file))[1:]
    found = []
    for i, (row, cells) in enumerate(zip(ours, recorded, strict=False)):
        shown = [str(cell) for cell in row]
        if shown != cells:
            where = next(k for k in range(max(len(shown), len(cells))) if shown[k : k + 1] != cells[k : k + 1])
            name = fields[where] if where < len(fields) else f"column {where}"
            us, them = (side[where] if where < len(side) else "nothing" for side in (shown, cells))
            found.append(f"{path.name} row {i + 1} {name}: ours {us}, recorded {them}")
    if len(ours) != len(recorded):
        found.append(f"{path.name}: ours {len(ours)} rows, recorded {len(recorded)}")
    return found


def _membranes(path: Path, run: Recording, numbers: list[int]) -> list[str]:
    """Differences of the dumped membranes; the last dump of a tick counts."""
    dumps = {f"membrane_t{numbers[tick]}.csv": i for i, tick in enumerate(run.dumps.tolist())}
    names = {file.name for file in path.glob("membrane_t*.csv")}
    found = [f"{name}: {'ours' if name in dumps else 'recorded'} only" for name in sorted(names ^ dumps.keys())]
    for name in sorted(names & dumps.keys(), key=lambda name: dumps[name]):
        i = dumps[name]
        fields = ("neuron", "u", "dirty")
        recorded = read_table(path / name, *fields)
        held = [whole(row, "u", path / name) for row in recorded] + [0] * NEURONS
        ours = [(n, int(u) if mark else held[n], int(mark))
                for n, (u, mark) in enumerate(zip(run.membranes[i], run.marks[i], strict=True))]  # fmt: skip
        found += _rows(path / name, fields, ours)
    return found


def _summary(path: Path, ours: dict[str, Any]) -> list[str]:
    """Differences of the totals; what only the recording's simulator knows (rtl_*) is left out."""
    try:
        recorded = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"not readable as JSON ({error})", file=path) from None
    keys = [key for key in recorded if not key.startswith("rtl_")]
    keys += [key for key in ours if key not in recorded]
    return [
        f"{path.name} {key}: ours {ours.get(key, 'nothing')}, recorded {recorded.get(key, 'nothing')}"
        for key in keys
        if ours.get(key) != recorded.get(key)
    ]


def reckon_speed(seed: int = 0, ticks: int = 2000) -> tuple[float, int, int]:
    """(simulated cycles per second of CPU time, cycles, events) of a generated run: a full core, 10^4 inputs or more.

    256 inputs, 256 recurrent and 16 output neurons; 5 inputs per timestep from PCG64(seed).
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    image = Image(
        shifts=(3, 3, 3),
        thresholds=np.full(NEURONS // 2, 600, np.int64),
        alphas=np.full(NEURONS // 2, 0x7F00, np.int64),
        input_weights=rng.integers(-128, 128, (NEURONS, NEURONS)).astype(np.int8),
        recurrent_weights=rng.integers(-64, 64, (NEURONS, NEURONS)).astype(np.int8),
        output_weights=rng.integers(-64, 64, (NEURONS, OUTPUTS)).astype(np.int8),
    )
    step = np.array([LINES.index(letter) for letter in "EEEEET"], np.uint8)
    kind = np.concatenate((np.array([0, LINES.index("I")], np.uint8), np.tile(step, ticks), [np.uint8(3)]))
    value = rng.integers(0, NEURONS, len(kind))
    value[1] = 1
    few = 2 + len(step)
    run_stimulus(image, Stimulus(kind[:few], value[:few]))
    start = time.process_time()
    run = run_stimulus(image, Stimulus(kind, value))
    return run.cycles / (time.process_time() - start), run.cycles, len(run.events)
