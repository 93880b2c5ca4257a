"""Traces that are drawn, not recorded: every neuron fires independently with a given probability."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from simulator.errors import InputError, unknown
from simulator.network import Network, Population
from simulator.trace.spikes import MemorySpikes, StepSpikesBuilder
from simulator.trace.trace import Trace

Draw = Callable[[np.random.Generator, Population, float], MemorySpikes]


def bernoulli_trace(
    network: Network, steps: int, rates: float | Mapping[str, float], samples: int = 1, seed: int = 0
) -> Trace:
    """Complete trace in which every neuron fires in every timestep with the probability of its population.

    `rates`: one probability for all, or one for every population by name.  Each population draws from its own PCG64
    stream, seeded by `seed` and its position, so that changing one rate leaves the other populations' spikes alone.
    """

    def draw(generator: np.random.Generator, population: Population, rate: float) -> MemorySpikes:
        return _draw(generator, population.size, steps, rate, samples)

    return drawn_trace(network, steps, rates, samples, seed, f"bernoulli-{network.name}", "independent spikes", draw)


def drawn_trace(
    network: Network,
    steps: int,
    rates: float | Mapping[str, float],
    samples: int,
    seed: int,
    name: str,
    how: str,
    draw: Draw,
) -> Trace:
    """Complete trace of what `draw` makes of every population's generator and rate; `how` says what that is.

    InputError where a rate is missing, is no probability or belongs to no population.
    """
    if steps < 0 or samples < 0:
        raise InputError("steps and samples must not be negative", found=(steps, samples))
    names = [p.name for p in network.populations]
    by_name = dict(rates) if isinstance(rates, Mapping) else dict.fromkeys(names, float(rates))
    for given in by_name:
        if given not in names:
            raise unknown("population", given, names, key="rates")
    missing = [given for given in names if given not in by_name]
    if missing:
        raise InputError("rates are missing", key="rates", found=missing)
    populations = {}
    for position, population in enumerate(network.populations):
        rate = by_name[population.name]
        if not 0.0 <= rate <= 1.0:
            raise InputError("a rate is a probability", key=f"rates.{population.name}", found=rate, allowed="0 .. 1")
        generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, position])))
        populations[population.name] = draw(generator, population, rate)
    return Trace(
        name=name,
        network=network.topology(),
        time_base="step",
        steps=np.full(samples, steps, np.int64),
        populations=populations,
        source=f"drawn: {how}, seed {seed}, rates {_shown(by_name)}",
    )


def _draw(generator: np.random.Generator, size: int, steps: int, rate: float, samples: int) -> MemorySpikes:
    builder = StepSpikesBuilder()
    for _ in range(samples):
        builder.begin_sample()
        for _ in range(steps):
            builder.add_step(np.flatnonzero(generator.random(size) < rate).astype(np.uint32))
    return builder.build(steps)


def _shown(rates: Mapping[str, float]) -> str:
    distinct = sorted(set(rates.values()))
    return str(distinct[0]) if len(distinct) == 1 else ", ".join(f"{k}: {v}" for k, v in rates.items())
