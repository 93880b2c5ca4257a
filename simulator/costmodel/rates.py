"""Rates: the streams of events that a schedule's closed form needs, by timestep, and the timesteps that are alike."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import prod
from typing import NamedTuple

import numpy as np

from simulator.costmodel.activity import GROUPS, Activity, Lines, independent


class Stream(NamedTuple):
    """Events per neuron of a population (index), as they arrive `delay` timesteps later, from timestep `first` on.

    window: neurons that OR pooling joins to one input (1: none).  population -1: a constant 1 from `first` on.
    lines: weight of each row and of each column of the (pooled) map, where neurons do not count alike: events per
    neuron are then their mean with the weight of the row times that of the column.  Groups know no lines.
    once: a neuron that sends several events in a timestep counts as one.
    seen: number of a convolution: instead, share of its windows in which something is on, -1 where that is not known.
    """

    population: int
    delay: int
    first: int
    window: int = 1
    lines: tuple[tuple[int, ...], tuple[int, ...]] | None = None
    seen: int = -1
    once: bool = False


@dataclass(frozen=True, eq=False)
class Rates:
    """Streams in U distinct timesteps; G sizes of groups, see `Activity`.

    value     float64 [streams, U], events per neuron
    variance  float64 [streams, U, G], variance over groups of how many neurons of a group send
    empty     float64 [streams, U, G], share of the groups in which none sends
    weight    float64 [U], how many timesteps of the mean sample are like that
    samples   samples of the run

    Pooled streams that the activity does not know are those of independent events.
    """

    value: np.ndarray
    variance: np.ndarray
    empty: np.ndarray
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
    variance, empty = (np.zeros((len(streams), steps, len(GROUPS))) for _ in range(2))
    value[[n for n, s in enumerate(streams) if s.population < 0 and not s.first]] = 1
    counted = [n for n, s in enumerate(streams) if s.seen >= 0]
    plain = [n for n, s in enumerate(streams)
             if s.population >= 0 and not s.delay and not s.first and s.window == 1 and s.seen < 0]  # fmt: skip
    if plain:
        of = [streams[n].population for n in plain]
        once = np.array([streams[n].once for n in plain])[:, None]
        value[plain] = np.where(once, activity.active[of, :steps], activity.mean[of, :steps])
        variance[plain], empty[plain] = activity.variance[of, :steps], activity.empty[of, :steps]
        for n in plain if activity.lines else ():
            value[n] *= _uneven(streams[n], activity.lines.get(streams[n].population))
    spread = []
    for n, s in enumerate(streams):
        if s.seen >= 0 or (not s.first and (s.population < 0 or (not s.delay and s.window == 1))):
            continue
        row = value[n]
        late = s.delay if s.population >= 0 else 0
        pooled = activity.pooled.get((s.population, s.window)) if s.window > 1 else None
        if pooled is not None:
            empty[n] = 1
            for table, counts in zip((value, variance, empty), pooled[:3], strict=True):
                table[n, late:] = counts[: max(0, steps - late)]
            row[: s.first], variance[n, : s.first], empty[n, : s.first] = 0, 0, 1
            row *= _uneven(s, pooled.lines)
            continue
        if s.population < 0:
            row[:] = 1
        else:
            known = activity.active if s.once or s.window > 1 else activity.mean
            row[late:] = known[s.population, : max(0, steps - late)]
        if s.window > 1:
            row[:] = 1 - (1 - np.minimum(row, 1)) ** s.window
        row[: s.first] = 0
        if s.population < 0 or s.window > 1:
            spread.append(n)
        else:
            empty[n] = 1
            for table, groups in ((variance, activity.variance), (empty, activity.empty)):
                table[n, late:] = groups[s.population, : max(0, steps - late)]
            variance[n, : s.first], empty[n, : s.first] = 0, 1
            row *= _uneven(s, activity.lines.get(s.population))
    for n in counted:
        value[n], share = -1, activity.windows.get(streams[n].seen)
        if share is not None:
            late = streams[n].delay
            value[n, :late], value[n, late:] = 0, 1 - share[: max(0, steps - late)]
    if spread:
        variance[spread], empty[spread] = independent(value[spread], np.array(GROUPS, np.float64))
    return Rates(value, variance, empty, weight, activity.samples)


def _constant(activity: Activity) -> bool:
    """True when every timestep is like the first."""
    pooled = [x for found in activity.pooled.values() for x in found[:3]]
    alike = all(bool((x == x[:1]).all()) for x in (*pooled, *activity.windows.values()))
    return alike and all(bool((x == x[:, :1]).all()) for x in (activity.mean, activity.variance, activity.empty))


def _uneven(stream: Stream, lines: Lines | None) -> float:
    """Events per neuron with the weights of a stream's lines, relative to those of a map that is evenly active."""
    if stream.lines is None or lines is None:
        return 1.0
    pairs = zip(stream.lines, lines, strict=True)
    return prod(float(np.dot(_shares(weight), known)) / sum(weight) for weight, known in pairs if any(weight))


@lru_cache(maxsize=1024)
def _shares(weight: tuple[int, ...]) -> np.ndarray:
    """The weights as an array."""
    return np.array(weight, np.float64)
