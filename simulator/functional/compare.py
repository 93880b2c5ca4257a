"""Compares two traces: the first place where they differ."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.errors import InputError
from simulator.trace import Events, Trace


@dataclass(frozen=True)
class Difference:
    """First difference of two traces: `step` is the timestep, or the time of event time bases.

    `index` is the neuron; `a` and `b` are what it sends there in each trace (0: nothing).
    """

    population: str
    sample: int
    step: int
    index: int
    a: int
    b: int

    def __str__(self) -> str:
        return (
            f"population {self.population}, sample {self.sample}, step {self.step}, neuron {self.index}: "
            f"{self.a} against {self.b}"
        )


def compare_traces(a: Trace, b: Trace, chunk: int = 64) -> Difference | None:
    """The first difference over the populations that both traces hold, or None where they agree.

    Populations are taken in the running order of `a`'s network, so that the first finding lies nearest to the input;
    then samples, timesteps (times), neuron indices.  Within a timestep the order of spikes does not matter, and entries
    of one neuron are added up.  Raises InputError where samples, timesteps or time bases differ.
    """
    if a.time_base != b.time_base:
        raise InputError("the traces have different time bases", found=(a.time_base, b.time_base))
    if a.samples != b.samples or (a.time_base == "step" and a.steps.tolist() != b.steps.tolist()):
        raise InputError("the traces differ in their samples or timesteps", found=(a.steps.tolist(), b.steps.tolist()))
    order = [name for group in a.network.groups for name in group]
    for name in order:
        if name not in a.populations or name not in b.populations:
            continue
        for sample in range(a.samples):
            found = _first(a, b, name, sample, chunk)
            if found is not None:
                return found
    return None


def _first(a: Trace, b: Trace, name: str, sample: int, chunk: int) -> Difference | None:
    one, other = a.populations[name], b.populations[name]
    if isinstance(one, Events) and isinstance(other, Events):
        return _differ(name, sample, one.sample(sample), other.sample(sample))
    one, other = a.spikes(name), b.spikes(name)
    total = int(a.steps[sample])
    for t0 in range(0, total, chunk):
        blocks = [spikes.block(sample, t0, min(t0 + chunk, total)) for spikes in (one, other)]
        lists = [
            (t0 + np.repeat(np.arange(block.start.size - 1), np.diff(block.start)), block.index, block.value)
            for block in blocks
        ]
        found = _differ(name, sample, *lists)
        if found is not None:
            return found
    return None


def _differ(name: str, sample: int, a: tuple, b: tuple) -> Difference | None:
    """First place where the summed values of two lists of (time, index, value or None) differ."""
    time = np.concatenate([a[0], b[0]]).astype(np.int64)
    index = np.concatenate([a[1], b[1]]).astype(np.int64)
    signed = [np.ones(x[1].size, np.int64) if x[2] is None else x[2].astype(np.int64) for x in (a, b)]
    sides = np.zeros((2, time.size), np.int64)
    sides[0, : a[1].size], sides[1, a[1].size :] = signed
    order = np.lexsort((index, time))
    time, index, sides = time[order], index[order], sides[:, order]
    if not time.size:
        return None
    begins = np.flatnonzero(np.r_[True, (np.diff(time) != 0) | (np.diff(index) != 0)])
    sums = np.add.reduceat(sides, begins, axis=1)
    wrong = np.flatnonzero(sums[0] != sums[1])
    if not wrong.size:
        return None
    k, at = int(wrong[0]), int(begins[wrong[0]])
    return Difference(name, sample, int(time[at]), int(index[at]), int(sums[0, k]), int(sums[1, k]))
