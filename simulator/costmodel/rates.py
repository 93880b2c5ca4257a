"""Rates: the streams of events that a schedule's closed form needs, by timestep, and the timesteps that are alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from simulator.costmodel.activity import Activity


class Stream(NamedTuple):
    """Events per neuron of a population (index), as they arrive `delay` timesteps later, from timestep `first` on.

    window: neurons that OR pooling joins to one input (1: none).  population -1: a constant 1 from `first` on.
    """

    population: int
    delay: int
    first: int
    window: int = 1


@dataclass(frozen=True, eq=False)
class Rates:
    """value float64 [streams, U] in U distinct timesteps; weight float64 [U]: how many timesteps of the mean sample are
    like that; steps: all timesteps of a run, over its `samples`."""

    value: np.ndarray
    weight: np.ndarray
    samples: int

    @property
    def total(self) -> np.ndarray:
        """float64 [streams]: sum over all timesteps of a run."""
        found: np.ndarray = self.value @ self.weight * self.samples
        return found


def rates(streams: list[Stream], activity: Activity) -> Rates:
    """The streams' rates under an activity."""
    steps = activity.mean.shape[1]
    if streams and steps and _constant(activity) and not any(s.delay or s.first for s in streams):
        steps = 1
        weight = np.array([float(activity.weight.sum())])
    else:
        weight = activity.weight
    value = np.zeros((len(streams), steps))
    for row, s in zip(value, streams, strict=True):
        late = s.delay if s.population >= 0 else 0
        if s.population < 0:
            row[:] = 1
        else:
            row[late:] = activity.mean[s.population, : max(0, steps - late)]
        if s.window > 1:
            row[:] = 1 - (1 - np.minimum(row, 1)) ** s.window
        row[: s.first] = 0
    return Rates(value, weight, activity.samples)


def _constant(activity: Activity) -> bool:
    """True when every timestep is like the first."""
    return bool((activity.mean == activity.mean[:, :1]).all())
