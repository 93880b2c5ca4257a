"""Ladders of settings from worst to best, for tests that nothing gets slower on the way up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from simulator.record import Record

Ladders = Mapping[str, Sequence[object]]
"""Values of each field from the worst to the best."""
Spikes = list[list[int]]
"""Neurons that fire, per timestep."""


def generator(*seed: int) -> np.random.Generator:
    """The numbers of one test case."""
    return np.random.Generator(np.random.PCG64(seed))


def foot(rng: np.random.Generator, ladders: Ladders) -> dict[str, int]:
    """A rung of every ladder."""
    return {field: int(rng.integers(len(values))) for field, values in ladders.items()}


def at(rungs: Mapping[str, int], ladders: Ladders) -> dict[str, object]:
    """The values on these rungs."""
    return {field: ladders[field][rung] for field, rung in rungs.items()}


def climbs(
    rng: np.random.Generator, rungs: Mapping[str, int], ladders: Ladders, most: int
) -> Iterator[tuple[str, dict[str, object]]]:
    """Up to `most` fields that can be improved, each with the values of all fields once it is one rung higher."""
    can = [field for field, rung in rungs.items() if rung + 1 < len(ladders[field])]
    for i in rng.permutation(len(can))[:most].tolist():
        yield can[i], at({**rungs, can[i]: rungs[can[i]] + 1}, ladders)


def overrides(values: Mapping[str, object]) -> list[str]:
    """The values as `--set` takes them."""
    return [f"{field}={value}" for field, value in values.items()]


def fire(rng: np.random.Generator, size: int, steps: int, rate: float) -> Spikes:
    """Independent spikes of `size` neurons."""
    return [np.flatnonzero(rng.random(size) < rate).tolist() for _ in range(steps)]


def fewer(rng: np.random.Generator, spikes: Spikes) -> Spikes:
    """The spikes without some of them."""
    return [[neuron for neuron in step if rng.random() < 0.7] for step in spikes]


def moved(record: Record) -> dict[tuple[str, str], int]:
    """Counts by unit and action, summed over layers; what moves or converts for nothing joins what it moves with.

    A word holds asked and unasked bits, a round of converters used and idle columns: fewer spikes turn some of the
    first into the second, and only their sum must not grow.
    """
    found: dict[tuple[str, str], int] = {}
    for u, unit in enumerate(record.units):
        for a, action in enumerate(record.actions):
            count = int(record.counts[u, :, a].sum())
            verb, _, operand = action.partition(":")
            found[unit, action] = 0 if verb in ("overfetch", "convert_idle") else count
            if verb in ("read", "write", "overfetch"):
                found[unit, f"any:{operand}"] = found.get((unit, f"any:{operand}"), 0) + count
            if verb in ("convert", "convert_idle"):
                found[unit, f"convert_any:{operand}"] = found.get((unit, f"convert_any:{operand}"), 0) + count
    return found


def grown(less: Record, more: Record) -> dict[str, tuple[float, float]]:
    """What costs more in `less`, which has fewer spikes, than in `more`: nothing, where costs follow the spikes."""
    found = {}
    few, many = moved(less), moved(more)
    for (unit, action), count in many.items():
        if few[unit, action] > count:
            found[f"{unit}.{action}"] = (float(few[unit, action]), float(count))
    if less.end_ps > more.end_ps:
        found["end"] = (less.end_ps, more.end_ps)
    if less.energy.total > more.energy.total * (1 + 1e-12):
        found["energy"] = (less.energy.total, more.energy.total)
    return found
