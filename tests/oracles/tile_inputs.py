"""How quiet sets of clustered inputs are, by the definition: one number at a time."""

from __future__ import annotations

from collections.abc import Sequence
from math import comb, exp, log

NEVER = -700.0


def quiet(p: float, empty: Sequence[float], sizes: Sequence[int], line: Sequence[float]) -> float:
    """log P(no neuron of a set sends): `line` over one neuron and the groups of these sizes."""
    logs = [log(1 - p) if p < 1 else NEVER]
    for size, before, share in zip(sizes, (1, *sizes[:-1]), empty, strict=True):
        logs.append(max(log(share), NEVER) if share else logs[-1] * size / before)
    return max(sum(a * b for a, b in zip(line, logs, strict=True)), NEVER)


def beyond(last: float, before: float, near: float, far: float, clustered: float) -> float:
    """log P of a set `far` times as large as the largest group, from those of two groups, `near` apart."""
    power = min(max(log(last / before) / log(near), 0.0), 1.0)
    return max(last * far ** (1.0 if power > clustered else power), NEVER)


def mean_empty(one: float, power: float, kinds: Sequence[tuple[int, float]]) -> float:
    """Share of empty windows, over kinds of window (places inside the map, share of the windows)."""
    return sum(share * exp(one * taps**power) for taps, share in kinds)


def bit(p: float, area: int, number: int, signs: int) -> float:
    """Share of sums of `area` neurons that have a bit set; of single neurons, one sign of `signs`."""
    if area == 1:
        return p / signs if number == 0 else 0.0
    return sum(comb(area, k) * p**k * (1 - p) ** (area - k) for k in range(area + 1) if k >> number & 1)
