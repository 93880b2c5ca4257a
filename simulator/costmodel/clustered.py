"""Clusters of spikes: what groups of 8 to 128 neurons tell about sets of inputs of any size.

A set is taken as consecutive neurons of its population, as the groups are.  Two laws carry what is known from size to
size; of independent spikes both give the binomial values exactly:

* The logarithm of P(no input sends) is linear in n for independent inputs; between two sizes it is taken as linear,
  and sets larger than the largest group are made of groups that are independent of one another.
* The variance of how many of n inputs send is n p (1 - p) + n (n - 1) c(n), where c(n) is the mean covariance of two
  inputs of a set, 0 for independent ones.  It is linear in log n between two sizes.  Beyond the largest group it falls
  as n^-1/2: halfway between inputs that stay as alike at any distance (n^0) and groups that are independent (n^-1).
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from simulator.costmodel.activity import GROUPS
from simulator.costmodel.rates import Rates
from simulator.kernels import tile_inputs as kernel

LEAST_GROUPS = 8
"""Groups, over all samples, from which the statistics of a timestep are believed; with fewer, smaller groups serve."""
_RATIO = np.array([n / before for before, n in pairwise((1, *GROUPS))])


class Sets:
    """Sets of inputs, so that one call answers for all of them: `add` each, `close`, then ask at any rates."""

    def __init__(self) -> None:
        self._sets: dict[tuple[int, int, int], int] = {}
        self._law: dict[int, tuple[np.ndarray, np.ndarray]] = {}

    def add(self, stream: int, inputs: int, size: int) -> int:
        """`inputs` neurons of a stream whose population holds `size` neurons (>= 1).  Returns the place of the set,
        that of an equal one where there is one."""
        return self._sets.setdefault((stream, inputs, size), len(self._sets))

    def close(self) -> None:
        """All sets are added."""
        self._stream, self._inputs, self._size = np.array(list(self._sets), np.int64).reshape(-1, 3).T
        self._of, kinds = np.unique(self._stream, return_inverse=True)
        self._kind = kinds.reshape(-1)

    def quiet(self, found: Rates) -> np.ndarray:
        """float64 [sets, U]: probability that no input of a set sends."""
        logs = np.empty((self._kind.size, found.value.shape[1]))
        kernel.quiet_logs(found.value, found.empty, *self.tables(found.samples), logs)
        return np.exp(logs)

    def tables(self, samples: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """stream, kind, line and ratio as `kernels/tile_inputs.py` names them, of a run of so many samples."""
        return self._of, self._kind, self._laws(samples)[0], _RATIO

    def extra(self, found: Rates) -> np.ndarray:
        """float64 [sets, U]: variance of how many inputs of a set send, beyond that of independent ones, which is
        n p (1 - p); negative where inputs exclude each other, but never below -n p (1 - p)."""
        curve = self._laws(found.samples)[1]
        p, variance = np.clip(found.value[self._of], 0, 1), found.variance[self._of]
        beyond = np.empty(variance.shape)
        for g, n in enumerate(GROUPS):
            beyond[..., g] = variance[..., g] - n * p * (1 - p)
        added = np.einsum("sg,sug->su", curve, beyond[self._kind])
        floor = -self._inputs[:, None] * (p * (1 - p))[self._kind]
        found_extra: np.ndarray = np.maximum(added, floor)
        return found_extra

    def _laws(self, samples: int) -> tuple[np.ndarray, np.ndarray]:
        """Coefficients of each set over the logarithms [sets, 1 + G] and the extra variances [sets, G] of the groups;
        made once for each number of samples."""
        if samples not in self._law:
            known: dict[tuple[int, int], tuple[np.ndarray, np.ndarray]] = {}
            for n, size in zip(self._inputs.tolist(), self._size.tolist(), strict=True):
                if (n, size) not in known:
                    trusted = [g for g, group in enumerate(GROUPS) if size // group * samples >= LEAST_GROUPS]
                    known[n, size] = _line(n, trusted), _curve(n, trusted)
            rows = [known[n, size] for n, size in zip(self._inputs.tolist(), self._size.tolist(), strict=True)]
            line = np.array([row[0] for row in rows]).reshape(-1, 1 + len(GROUPS))
            self._law[samples] = line, np.array([row[1] for row in rows]).reshape(-1, len(GROUPS))
        return self._law[samples]


def _line(n: int, trusted: list[int]) -> np.ndarray:
    """float64 [1 + G]: log P(n empty) as a combination of log P of 1 neuron and of the groups."""
    knots = [1, *(GROUPS[g] for g in trusted)]
    place = [0, *(g + 1 for g in trusted)]
    found = np.zeros(1 + len(GROUPS))
    if n <= 1 or n >= knots[-1]:
        at = 0 if n <= 1 else len(knots) - 1
        found[place[at]] = n / knots[at]
        return found
    above = next(i for i, knot in enumerate(knots) if knot >= n)
    share = (n - knots[above - 1]) / (knots[above] - knots[above - 1])
    found[place[above - 1]], found[place[above]] = 1 - share, share
    return found


def _curve(n: int, trusted: list[int]) -> np.ndarray:
    """float64 [G]: the extra variance of n inputs as a combination of those of the groups."""
    found = np.zeros(len(GROUPS))
    if n <= 1 or not trusted:
        return found
    sizes = [GROUPS[g] for g in trusted]
    pairs = float(n) * (n - 1)
    if n >= sizes[-1]:
        fade = float((sizes[-1] / n) ** 0.5)
        found[trusted[-1]] = pairs * fade / (sizes[-1] * (sizes[-1] - 1))
        return found
    if n <= sizes[0]:
        found[trusted[0]] = pairs / (sizes[0] * (sizes[0] - 1))
        return found
    above = next(i for i, size in enumerate(sizes) if size >= n)
    low, high = sizes[above - 1], sizes[above]
    share = float(np.log(n / low) / np.log(high / low))
    found[trusted[above - 1]] = (1 - share) * pairs / (low * (low - 1))
    found[trusted[above]] = share * pairs / (high * (high - 1))
    return found
