"""A stimulus on a ReckOn core alone, under the driver of the recordings; with every log the recordings have."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.components.reckon_core.image import NEURONS, OUTPUTS, Image
from simulator.kernels.reckon_drive import DUMP, LABEL, LAST, SPIKE, TICK, drive


@dataclass(frozen=True)
class Driver:
    """The bench around the core, in cycles: before the first line, after S, after V or I; whether L sends its label.

    The recordings show only the sum of the first three, 8 before a first tick that follows one S and one I.
    """

    start: int = 0
    sample: int = 4
    level: int = 4
    label_sent: bool = True


@dataclass(frozen=True)
class Recording:
    """What a run left.

    cycles: length of the run.  states int64 [5]: cycles in IDLE, PROP, STEP, SDONE, SEND.
    counts int64 [8]: see `simulator.kernels.reckon`.
    events int64 [n, 5]: address, 1 for a target, request, acknowledge, end.
    ticks int64 [n, 10]: tick, 1 for a last tick, start of STEP, SDONE, PROP, end of scan, ready, inputs, spikes,
    cycles of passes.
    fired uint8 [ticks, 256], potentials int64 [ticks, 16]: spikes and outputs after STEP.
    results int64 [n, 2]: label, cycle of its request.
    dumps int64 [n], membranes int64 [n, 256], marks uint8 [n, 256]: tick, membranes and written flags of each dump.
    """

    cycles: int
    states: np.ndarray
    counts: np.ndarray
    events: np.ndarray
    ticks: np.ndarray
    fired: np.ndarray
    potentials: np.ndarray
    results: np.ndarray
    dumps: np.ndarray
    membranes: np.ndarray
    marks: np.ndarray


def run_stimulus(image: Image, kind: np.ndarray, value: np.ndarray, driver: Driver | None = None) -> Recording:
    """Runs stimulus lines (uint8 and int64 [n], as `read_stimulus` gives them) from an idle, cleared core."""
    bench = driver or Driver()
    waits = np.array([bench.start, bench.sample, bench.level, bench.label_sent], np.int64)
    lines = np.bincount(kind, minlength=9)
    ticks, events = int(lines[TICK] + lines[LAST]), int(lines[SPIKE] + lines[LABEL] * waits[3])
    bits = [np.zeros(NEURONS, np.uint8) for _ in range(4)]
    logs: dict[str, np.ndarray] = {
        "events": np.zeros((events, 5), np.int64),
        "ticks": np.zeros((ticks, 10), np.int64),
        "fired": np.zeros((ticks, NEURONS), np.uint8),
        "potentials": np.zeros((ticks, OUTPUTS), np.int64),
        "results": np.zeros((int(lines[LAST]), 2), np.int64),
        "dumps": np.zeros(int(lines[DUMP]), np.int64),
        "membranes": np.zeros((int(lines[DUMP]), NEURONS), np.int64),
        "marks": np.zeros((int(lines[DUMP]), NEURONS), np.uint8),
    }
    counts, states = np.zeros(8, np.int64), np.zeros(5, np.int64)
    membranes, potentials, wins = (np.zeros(n, np.int64) for n in (NEURONS, OUTPUTS, OUTPUTS))
    cycles = drive(
        kind, value, waits, membranes, *bits, potentials, wins,
        image.thresholds, image.alphas, image.input_weights, image.recurrent_weights, image.output_weights,
        image.sizes, counts, states, *logs.values(),
    )  # fmt: skip
    return Recording(cycles=int(cycles), states=states, counts=counts, **logs)
