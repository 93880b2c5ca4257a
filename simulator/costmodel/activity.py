"""Activity: what a closed form may know of spikes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from simulator.costmodel.windows import empty_windows
from simulator.errors import InputError, unknown
from simulator.network.geometry import pooled_shape

if TYPE_CHECKING:
    from simulator.network import Network, Projection
    from simulator.trace import Trace

GROUPS = (8, 16, 32, 64, 128)
"""Sizes of the groups of inputs whose emptiness is kept: consecutive neurons in channel-last order."""
VALUES = 8
"""Entries of the value histogram: |value| 0, 1, ... 6, and 7 or more."""
CHUNK = 64


class Lines(NamedTuple):
    """How active the rows, float64 [H], and the columns, float64 [W], of a map are over all timesteps, relative to the
    mean of the map."""

    rows: np.ndarray
    columns: np.ndarray


class Pooled(NamedTuple):
    """Statistics of a population as OR pooling shows it, by timestep: float64 mean [T], variance and empty [T, G]; and
    its lines."""

    mean: np.ndarray
    variance: np.ndarray
    empty: np.ndarray
    lines: Lines


@dataclass(frozen=True, eq=False)
class Activity:
    """Spike statistics of P populations in T timesteps, over all samples that have the timestep.

    network   the network (or its topology) whose populations these are, in its order
    steps     int64 [B], timesteps per sample; T is the longest
    mean      float64 [P, T], events per neuron (sum of |value|)
    active    float64 [P, T], share of neurons that send; equals `mean` where spikes are binary
    variance  float64 [P, T, G], variance over groups of n = GROUPS[g] consecutive neurons of how many of them send
    empty     float64 [P, T, G], share of these groups in which none sends
    values    float64 [P, VALUES], share of neurons x timesteps by |value|
    pooled    by (population, neurons of a window) what OR pooling leaves of it, where that was counted; elsewhere the
              neurons of a window are taken as independent
    lines     by population how active the rows and columns of its map are; even where that was not counted
    windows   by number of a convolution the share of its output positions in whose window nothing is on, float64 [T];
              where that was not counted it follows from `empty`

    Groups lie one after another from neuron 0; a rest that fills no group is left out, and a population smaller than a
    group is one group.
    """

    network: Network
    steps: np.ndarray
    mean: np.ndarray
    active: np.ndarray
    variance: np.ndarray
    empty: np.ndarray
    values: np.ndarray
    pooled: Mapping[tuple[int, int], Pooled] = field(default_factory=dict)
    lines: Mapping[int, Lines] = field(default_factory=dict)
    windows: Mapping[int, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("steps", "mean", "active", "variance", "empty", "values"):
            array = np.array(getattr(self, name), np.int64 if name == "steps" else np.float64)
            array.setflags(write=False)
            object.__setattr__(self, name, array)

    @classmethod
    def of(cls, trace: Trace) -> Activity:
        """Statistics of a complete trace; InputError where it holds events with times, or lacks a population."""
        network = trace.network
        if trace.time_base != "step":
            raise InputError(
                "activity is counted per timestep",
                key=f"trace {trace.name}",
                found=f"time_base {trace.time_base}",
                allowed=["step"],
            )
        missing = [p.name for p in network.populations if p.name not in trace.populations]
        if missing:
            raise InputError(
                "the trace must hold the spikes of every population; run_network(network, trace) makes them",
                key=f"trace {trace.name}",
                found=f"no spikes of {', '.join(missing)}",
            )
        *made, lines = zip(*(_count(trace, p.name, p.shape) for p in network.populations), strict=True)
        mean, active, variance, empty, values = (np.stack(parts) for parts in made)
        places = dict(enumerate(lines))
        windows = empty_windows(trace)
        return cls(network, trace.steps, mean, active, variance, empty, values, _pooled(trace), places, windows)

    @classmethod
    def bernoulli(
        cls, network: Network, rate: float | Mapping[str, float], steps: int | np.ndarray, samples: int = 1
    ) -> Activity:
        """What is expected where every neuron fires independently with the probability of its population.

        rate: one probability for all, or one for every population by name.  steps: timesteps, or int64 [B] of them.
        """
        names = [p.name for p in network.populations]
        by_name = dict(rate) if isinstance(rate, Mapping) else dict.fromkeys(names, float(rate))
        for name, value in by_name.items():
            if name not in names:
                raise unknown("population", name, names, key="rate")
            if not 0.0 <= value <= 1.0:
                raise InputError("a rate is a probability", key=f"rate.{name}", found=value, allowed="0 .. 1")
        missing = [name for name in names if name not in by_name]
        if missing:
            raise InputError("rates are missing", key="rate", found=missing)
        lengths = np.full(samples, steps, np.int64) if np.ndim(steps) == 0 else np.asarray(steps, np.int64)
        p = np.array([by_name[name] for name in names], np.float64)[:, None]
        sizes = np.array([[min(n, q.size) for n in GROUPS] for q in network.populations], np.float64)
        shape = (len(names), int(lengths.max(initial=0)))
        mean = np.broadcast_to(p, shape)
        variance, empty = independent(mean, sizes[:, None, :])
        values = np.zeros((len(names), VALUES))
        values[:, 0], values[:, 1] = 1 - p[:, 0], p[:, 0]
        return cls(network, lengths, mean, mean, variance, empty, values)

    def independent(self) -> Activity:
        """The same rates as if every neuron of a population fired alike and independently of the others: nothing is
        known of clusters, nor of where in a map they lie."""
        sizes = np.array([[min(n, q.size) for n in GROUPS] for q in self.network.populations], np.float64)
        variance, empty = independent(self.active, sizes[:, None, :])
        return replace(self, variance=variance, empty=empty, pooled={}, lines={}, windows={})

    @property
    def samples(self) -> int:
        """Number of samples B."""
        return int(self.steps.size)

    @cached_property
    def weight(self) -> np.ndarray:
        """float64 [T]: share of the samples that have the timestep."""
        t = np.arange(self.mean.shape[1])
        return np.array((self.steps[:, None] > t).mean(axis=0)) if self.samples else np.zeros(t.size)


def independent(rate: np.ndarray, sizes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(variance, empty) of groups of `sizes` neurons, each of which sends with probability `rate`: one axis more."""
    p = np.minimum(rate, 1)[..., None]
    return sizes * p * (1 - p), (1 - p) ** sizes


def _pooled(trace: Trace) -> dict[tuple[int, int], Pooled]:
    """What every OR pooling of the network leaves; the first of those with equally large windows stands for all."""
    names = [p.name for p in trace.network.populations]
    found: dict[tuple[int, int], Pooled] = {}
    for projection in trace.network.projections:
        pool = projection.pool
        if pool is not None and pool.kind == "or":
            key = names.index(projection.source), pool.size[0] * pool.size[1]
            if key not in found:
                source = trace.network.population(projection.source)
                windows = _windows(projection, source.shape)
                shape = pooled_shape(projection, source)
                mean, _, variance, empty, _, lines = _count(trace, projection.source, shape, windows)
                found[key] = Pooled(mean, variance, empty, lines)
    return found


def _windows(projection: Projection, shape: tuple[int, int, int]) -> np.ndarray:
    """int64 [k, neurons]: the pooled neurons whose windows hold a neuron, -1 where there are fewer than k."""
    pool = projection.pool
    assert pool is not None
    channels, height, width = shape
    lines = []
    for axis, length in enumerate((height, width)):
        size, stride = pool.size[axis], pool.stride[axis]
        last = np.arange(length) // stride
        places = np.stack([last - i for i in range(-(-size // stride))])
        held = (places >= 0) & (places * stride + size > np.arange(length))
        lines.append(np.where(held & (places <= (length - size) // stride), places, -1))
    rows, columns = lines[0][:, None, :, None, None], lines[1][None, :, None, :, None]
    across = (width - pool.size[1]) // pool.stride[1] + 1
    place = (rows * across + columns) * channels + np.arange(channels)
    found: np.ndarray = np.where((rows >= 0) & (columns >= 0), place, -1)
    return found.reshape(-1, channels * height * width)


def _count(trace: Trace, name: str, shape: tuple[int, int, int], windows: np.ndarray | None = None) -> tuple[Any, ...]:
    """mean, active, variance, empty, values and lines of one population of this (C, H, W); as pooled where `windows`
    are given, see `_windows`."""
    channels, height, width = shape
    size = channels * height * width
    steps = np.asarray(trace.steps, np.int64)
    longest = int(steps.max(initial=0))
    samples = np.array([(steps > t).sum() for t in range(longest)], np.float64)
    events, active = np.zeros(longest), np.zeros(longest)
    first, second, empty = (np.zeros((longest, len(GROUPS))) for _ in range(3))
    values, at = np.zeros(VALUES), np.zeros(height * width)
    for sample, length in enumerate(steps.tolist()):
        for low in range(0, length, CHUNK):
            block = trace.spikes(name).block(sample, low, min(low + CHUNK, length))
            for i in range(block.start.size - 1):
                index, value = block.step(i)
                if windows is not None:
                    reached = np.unique(windows[:, index])
                    index, value = reached[reached >= 0], None
                magnitude = np.ones(index.size, np.int64) if value is None else np.abs(value.astype(np.int64))
                events[low + i] += magnitude.sum()
                active[low + i] += index.size
                at += np.bincount(index.astype(np.int64) // channels, magnitude, at.size)
                values += np.bincount(np.minimum(magnitude, VALUES - 1), minlength=VALUES)
                for g, n in enumerate(GROUPS):
                    group = min(n, size)
                    count = size // group
                    filled = np.bincount(index.astype(np.int64) // group, minlength=count)[:count]
                    first[low + i, g] += filled.mean()
                    second[low + i, g] += (filled * filled).mean()
                    empty[low + i, g] += (filled == 0).mean()
    total = float(steps.sum()) * size
    values[0] += total - values.sum()
    per = np.maximum(samples, 1)[:, None]
    variance = np.maximum(second / per - (first / per) ** 2, 0)
    mean = at.mean() if at.any() else 1.0
    grid = at.reshape(height, width) / mean if at.any() else np.ones((height, width))
    lines = Lines(grid.mean(axis=1), grid.mean(axis=0))
    rates = events / per[:, 0] / size, active / per[:, 0] / size
    return *rates, variance, empty / per, values / max(total, 1), lines
