"""Drawn traces whose spikes cluster in space and time: rates of blocks of neurons vary around their population's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from simulator.errors import InputError
from simulator.network import Network, Population
from simulator.trace.spikes import MemorySpikes, StepSpikesBuilder
from simulator.trace.synthetic import drawn_trace
from simulator.trace.trace import Trace


@dataclass(frozen=True)
class Clusters:
    """How spikes cluster.

    block          channels, rows and columns of a block of neurons that share a rate
    concentration  k: a block's rate is drawn from Beta(r k, (1 - r) k), whose mean is the population's rate r and whose
                   variance is r (1 - r) / (k + 1); small: blocks are silent or busy, large: as independent spikes
    persistence    mean timesteps for which a block keeps its rate; it is drawn anew in a step with probability 1 / that
    """

    block: tuple[int, int, int] = (8, 4, 4)
    concentration: float = 1.0
    persistence: float = 4.0

    def __post_init__(self) -> None:
        if len(self.block) != 3 or any(int(n) != n or n < 1 for n in self.block):
            raise InputError("a block is three positive integers (C, H, W)", key="block", found=self.block)
        for name, low in (("concentration", 1e-6), ("persistence", 1.0)):
            value = getattr(self, name)
            if not low <= value < 1e9:
                raise InputError("out of range", key=name, found=value, allowed=f"{low:g} .. 1e9")


def clustered_trace(
    network: Network,
    steps: int,
    rates: float | Mapping[str, float],
    samples: int = 1,
    seed: int = 0,
    clusters: Clusters | None = None,
) -> Trace:
    """Complete trace in which blocks of neighbouring neurons fire at rates of their own, see `Clusters`.

    Each neuron fires with the probability of its population on average; arguments and seeding as in `bernoulli_trace`.
    """
    chosen = clusters or Clusters()
    how = (
        f"clustered spikes, blocks {'x'.join(map(str, chosen.block))}, concentration {chosen.concentration:g}, "
        f"persistence {chosen.persistence:g}"
    )

    def draw(generator: np.random.Generator, population: Population, rate: float) -> MemorySpikes:
        return _draw(generator, population.shape, steps, rate, samples, chosen)

    return drawn_trace(network, steps, rates, samples, seed, f"clustered-{network.name}", how, draw)


def _draw(
    generator: np.random.Generator,
    shape: tuple[int, int, int],
    steps: int,
    rate: float,
    samples: int,
    clusters: Clusters,
) -> MemorySpikes:
    """Spikes of one population; blocks lie one after another from channel, row and column 0."""
    channels, rows, columns = shape
    place = [np.arange(n) // size for n, size in zip(shape, clusters.block, strict=True)]
    grid = tuple(int(p[-1]) + 1 for p in place)
    builder = StepSpikesBuilder()
    for _ in range(samples):
        builder.begin_sample()
        own = _rates(generator, rate, clusters.concentration, grid)
        for step in range(steps):
            if step:
                anew = generator.random(grid) < 1 / clusters.persistence
                own = np.where(anew, _rates(generator, rate, clusters.concentration, grid), own)
            each = own[np.ix_(*place)].transpose(1, 2, 0)  # channel last
            fires = generator.random((rows, columns, channels)) < each
            builder.add_step(np.flatnonzero(fires).astype(np.uint32))
    return builder.build(steps)


def _rates(generator: np.random.Generator, rate: float, concentration: float, grid: tuple[int, ...]) -> np.ndarray:
    """Rates of all blocks: Beta with the given mean; a rate of 0 or 1 leaves no choice."""
    if rate in (0.0, 1.0):
        return np.full(grid, rate)
    return generator.beta(rate * concentration, (1 - rate) * concentration, grid)
