"""A stimulus for a ReckOn core, the bench that drives it, and what a run leaves; the kernel's run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from simulator.components.reckon_core.image import LINES, NEURONS, OUTPUTS, Image
from simulator.kernels.reckon_drive import DUMP, LABEL, LAST, SPIKE, TICK, drive

STATES = ("IDLE", "PROP", "STEP", "SDONE", "SEND")


@dataclass(frozen=True)
class Driver:
    """The bench around the core, in cycles: before the first line, after S, after V or I; whether L sends its label.

    The recordings show only the sum of the first three, 8 before a first tick that follows one S and one I.
    """

    start: int = 0
    sample: int = 4
    level: int = 4
    label_sent: bool = True

    @property
    def waits(self) -> np.ndarray:
        """The vector `waits` of the kernel."""
        return np.array([self.start, self.sample, self.level, self.label_sent], np.int64)


@dataclass(frozen=True)
class Stimulus:
    """What a core is to do, line by line.

    kind uint8 [n], value int64 [n]: letters (by place in `LINES`) and numbers, as `read_stimulus` gives them.
    due int64 [n]: the cycle before which a line does not begin; empty: each begins when the core is ready.
    given uint8 [ticks, 256]: spikes of each tick's STEP, where they are known from a trace; empty: the core makes them.
    beyond: synaptic operations that the core does and the network has not: past its last timestep, without an output;
    None where there is no network.
    """

    kind: np.ndarray
    value: np.ndarray
    due: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))
    given: np.ndarray = field(default_factory=lambda: np.empty((0, NEURONS), np.uint8))
    beyond: int | None = 0


@dataclass(frozen=True)
class Recording:
    """What a run left.

    cycles: length of the run.  states int64 [5]: cycles in each of `STATES`.
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


def stimulus_of_steps(
    inputs: Sequence[np.ndarray], given: Sequence[np.ndarray] | None = None, drain: bool = False
) -> Stimulus:
    """One sample: inputs[t] (indices) are propagated by tick t and met by the STEP of tick t + 1, so that n steps take
    n + 1 ticks.  given[t]: neurons that the STEP of tick t + 1 makes fire, where they are known.  drain: one tick more,
    which passes the spikes of the last step on to the outputs; a sample without steps has it too."""
    drain |= not inputs
    lines = [("S", 0), ("I", 1)]
    for index in inputs:
        lines += [("E", int(i)) for i in index] + [("T", 0)]
    lines += [("T", 0), ("X", 0)] if drain else [("X", 0)]
    spikes = np.zeros((0 if given is None else len(inputs) + 1 + drain, NEURONS), np.uint8)
    for t, index in enumerate(given or ()):
        spikes[t + 1, index] = 1
    kind = np.array([LINES.index(letter) for letter, _ in lines], np.uint8)
    return Stimulus(kind, np.array([number for _, number in lines], np.int64), given=spikes)


def empty_logs(kind: np.ndarray, driver: Driver) -> dict[str, np.ndarray]:
    """The logs of a `Recording`, long enough for these lines, all 0."""
    lines = np.bincount(kind, minlength=len(LINES))
    ticks, dumps = int(lines[TICK] + lines[LAST]), int(lines[DUMP])
    return {
        "events": np.zeros((int(lines[SPIKE] + lines[LABEL] * driver.label_sent), 5), np.int64),
        "ticks": np.zeros((ticks, 10), np.int64),
        "fired": np.zeros((ticks, NEURONS), np.uint8),
        "potentials": np.zeros((ticks, OUTPUTS), np.int64),
        "results": np.zeros((int(lines[LAST]), 2), np.int64),
        "dumps": np.zeros(dumps, np.int64),
        "membranes": np.zeros((dumps, NEURONS), np.int64),
        "marks": np.zeros((dumps, NEURONS), np.uint8),
    }


def run_stimulus(image: Image, stimulus: Stimulus, driver: Driver | None = None) -> Recording:
    """Runs a stimulus in the kernel, from an idle, cleared core."""
    bench = driver or Driver()
    due = stimulus.due if len(stimulus.due) else np.zeros(len(stimulus.kind), np.int64)
    logs = empty_logs(stimulus.kind, bench)
    counts, states = np.zeros(8, np.int64), np.zeros(5, np.int64)
    membranes, potentials, wins = (np.zeros(n, np.int64) for n in (NEURONS, OUTPUTS, OUTPUTS))
    bits = [np.zeros(NEURONS, np.uint8) for _ in range(4)]
    cycles = drive(
        stimulus.kind, stimulus.value, due, stimulus.given, bench.waits, membranes, *bits, potentials, wins,
        image.thresholds, image.alphas, image.input_weights, image.recurrent_weights, image.output_weights,
        image.sizes, counts, states, *logs.values(),
    )  # fmt: skip
    return Recording(cycles=int(cycles), states=states, counts=counts, **logs)
