"""How far estimates lie from what was simulated: the figures of a validation table, from their definitions.

A relative error is (estimated - simulated) / simulated, so +0.1 says that the estimate is 10 % too high.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.errors import InputError

NEAR = 0.1
"""Relative error up to which a point counts as near."""


@dataclass(frozen=True)
class Metrics:
    """Agreement of N points; shares and errors as fractions, None where a figure is not defined.

    points    points compared: those with an answer and a simulated figure above 0
    mape      mean of |relative error|
    p50, p95  quantiles of |relative error|, straight lines between points
    near      share of the points with |relative error| <= NEAR
    bias      mean of the relative error
    kendall   Kendall's tau-b of estimated and simulated figures
    spearman  Spearman's rank correlation of them
    """

    points: int
    mape: float | None
    p50: float | None
    p95: float | None
    near: float | None
    bias: float | None
    kendall: float | None
    spearman: float | None


def metrics(simulated: np.ndarray, estimated: np.ndarray) -> Metrics:
    """Metrics of float64 [N] against [N]; points whose simulated figure is 0, or that have no answer (NaN), are left
    out."""
    truth, answer = _pair(simulated, estimated)
    use = (truth > 0) & np.isfinite(answer)
    truth, answer = truth[use], answer[use]
    if not truth.size:
        return Metrics(0, *[None] * 7)
    error = answer / truth - 1
    size = np.abs(error)
    p50, p95 = np.quantile(size, [0.5, 0.95]).tolist()
    return Metrics(
        points=int(truth.size),
        mape=float(size.mean()),
        p50=p50,
        p95=p95,
        near=float((size <= NEAR).mean()),
        bias=float(error.mean()),
        kendall=kendall(truth, answer),
        spearman=spearman(truth, answer),
    )


def kendall(x: np.ndarray, y: np.ndarray) -> float | None:
    """Kendall's tau-b, (C - D) / sqrt((C + D + ties of y alone) (C + D + ties of x alone)) over all pairs of points.

    C, D: pairs that x and y put into the same and into opposite order.  O(n log n): D is the number of inversions of y
    once the points are sorted by x (W. R. Knight, "A computer method for calculating Kendall's tau with ungrouped
    data", Journal of the American Statistical Association 61, 1966).  None where x or y are all equal.
    """
    x, y = _pair(x, y)
    order = np.lexsort((y, x))
    rank_x = np.unique(x, return_inverse=True)[1][order].astype(np.int64)
    rank_y = np.unique(y, return_inverse=True)[1][order].astype(np.int64)
    pairs = _pairs(x.size)
    tied_x, tied_y = _tied(rank_x), _tied(rank_y)
    both = _tied(rank_x * (x.size + 1) + rank_y)
    if pairs in (tied_x, tied_y):
        return None
    discordant = inversions(rank_y)
    concordant = pairs - tied_x - tied_y + both - discordant
    return float((concordant - discordant) / np.sqrt(float(pairs - tied_x) * float(pairs - tied_y)))


def inversions(ranks: np.ndarray) -> int:
    """Pairs i < j with ranks[i] > ranks[j], int64 [n] >= 0: bit by bit, highest first.

    A pair is decided by the highest bit in which its two ranks differ: it is an inversion where the earlier one has
    a 1 there.  So each bit counts, for every 0, the ones before it among ranks with the same higher bits.
    """
    found = 0
    for bit in reversed(range(int(ranks.max(initial=0)).bit_length())):
        order = np.argsort(ranks >> (bit + 1), kind="stable")
        prefix, one = ranks[order] >> (bit + 1), (ranks[order] >> bit) & 1
        ones = np.cumsum(one)
        first = np.searchsorted(prefix, prefix)
        before = ones - (ones[first] - one[first])
        found += int(before[one == 0].sum())
    return found


def spearman(x: np.ndarray, y: np.ndarray) -> float | None:
    """Spearman's rank correlation: the correlation of the ranks, equal figures sharing the mean of theirs.

    None where x or y are all equal.
    """
    x, y = _pair(x, y)
    a, b = mean_ranks(x), mean_ranks(y)
    a, b = a - a.mean() if a.size else a, b - b.mean() if b.size else b
    norm = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / norm if norm else None


def mean_ranks(x: np.ndarray) -> np.ndarray:
    """float64 [n]: rank of each entry from 1 on; equal ones share the mean of the ranks that they fill."""
    _, which, count = np.unique(x, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    mean: np.ndarray = (last - (count - 1) / 2)[which]
    return mean


def _pair(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    if x.shape != y.shape or x.ndim != 1:
        raise InputError("two rows of equally many figures are compared", found=f"{x.shape} and {y.shape}")
    return x, y


def _pairs(n: int) -> int:
    return n * (n - 1) // 2


def _tied(values: np.ndarray) -> int:
    """Pairs of equal entries."""
    return sum(_pairs(n) for n in np.unique(values, return_counts=True)[1].tolist())
