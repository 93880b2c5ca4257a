"""Traces that are drawn, not recorded: every neuron fires independently with a given probability."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from simulator.errors import InputError, unknown
from simulator.network import Network
from simulator.trace.spikes import MemorySpikes, StepSpikesBuilder
from simulator.trace.trace import Trace


def bernoulli_trace(
    network: Network, steps: int, rates: float | Mapping[str, float], samples: int = 1, seed: int = 0
) -> Trace:
    """Complete trace in which every neuron fires in every timestep with the probability of its population.

    `rates`: one probability for all, or one for every population by name.  Each population draws from its own PCG64
    stream, seeded by `seed` and its position, so that changing one rate leaves the other populations' spikes alone.
    """
    if steps < 0 or samples < 0:
        raise InputError("steps and samples must not be negative", found=(steps, samples))
    names = [p.name for p in network.populations]
    by_name = dict(rates) if isinstance(rates, Mapping) else dict.fromkeys(names, float(rates))
    for name in by_name:
        if name not in names:
            raise unknown("population", name, names, key="rates")
    missing = [name for name in names if name not in by_name]
    if missing:
        raise InputError("rates are missing", key="rates", found=missing)
    populations = {}
    for position, population in enumerate(network.populations):
        rate = by_name[population.name]
        if not 0.0 <= rate <= 1.0:
            raise InputError("a rate is a probability", key=f"rates.{population.name}", found=rate, allowed="0 .. 1")
        generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, position])))
        populations[population.name] = _draw(generator, population.size, steps, rate, samples)
    return Trace(
        name=f"bernoulli-{network.name}",
        network=network.topology(),
        time_base="step",
        steps=np.full(samples, steps, np.int64),
        populations=populations,
        source=f"drawn: independent spikes, seed {seed}, rates {_shown(by_name)}",
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
