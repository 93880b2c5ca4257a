"""Spike statistics spelled out: every group of neurons is a slice of a bool map."""

from __future__ import annotations

import numpy as np

from simulator.costmodel.activity import GROUPS, VALUES
from simulator.trace import Trace


def statistics(trace: Trace, name: str) -> dict[str, np.ndarray]:
    """mean, active [T], variance, empty [T, G] and values of one population, over the samples that have the step."""
    size = trace.network.population(name).size
    longest = int(trace.steps.max())
    mean, active = np.zeros(longest), np.zeros(longest)
    variance, empty = np.zeros((longest, len(GROUPS))), np.zeros((longest, len(GROUPS)))
    values = np.zeros(VALUES)
    for t in range(longest):
        maps = []
        for sample in range(trace.samples):
            if t < trace.steps[sample]:
                index, value = trace.spikes(name).block(sample, t, t + 1).step(0)
                magnitude = np.zeros(size, np.int64)
                magnitude[index] = 1 if value is None else np.abs(value)
                maps.append(magnitude)
        mean[t] = np.mean(maps)
        active[t] = np.mean([m > 0 for m in maps])
        for magnitude in maps:
            for v in magnitude:
                values[min(int(v), VALUES - 1)] += 1
        for g, n in enumerate(GROUPS):
            width = min(n, size)
            full = range(0, size - width + 1, width)
            counts = [int((m[low : low + width] > 0).sum()) for m in maps for low in full]
            variance[t, g], empty[t, g] = np.var(counts), np.mean([c == 0 for c in counts])
    return {"mean": mean, "active": active, "variance": variance, "empty": empty, "values": values / values.sum()}
