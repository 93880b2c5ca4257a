"""The first samples of the bundled trace, in a file of their own: a run of them takes a fraction of a second."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from simulator import load_trace
from simulator.trace import MemorySpikes, StepSpikesBuilder, Trace
from simulator.trace.file import write_trace

STEPS = 8


def small_trace(samples: int = 1, names: Iterable[str] | None = None) -> Trace:
    """The first `samples` samples of `digits`, of all populations or of those in `names`."""
    digits = load_trace("digits")
    chosen = list(digits.populations) if names is None else list(names)
    return Trace("digits", digits.network, "step", np.full(samples, STEPS, np.int64),
                 {name: _first(digits, name, samples) for name in chosen})


def write_small_trace(path: Path, samples: int = 1, names: Iterable[str] | None = None) -> Path:
    """Writes `small_trace` and returns its path."""
    write_trace(small_trace(samples, names), path)
    return path


def _first(trace: Trace, name: str, samples: int) -> MemorySpikes:
    builder = StepSpikesBuilder()
    for sample in range(samples):
        builder.begin_sample()
        block = trace.spikes(name).block(sample, 0, STEPS)
        for t in range(STEPS):
            builder.add_step(block.index[block.start[t] : block.start[t + 1]])
    return builder.build(STEPS)
