"""Expected groups of wordlines of crossbar row blocks, at given rates of their inputs.

Plain definition (`tests/oracles/tile_blocks.py` states it by adding up probabilities).  It is the mean of what
`kernels/cim_vectors.py` counts, for inputs that are on independently of each other with the share of their plane.  A
*kind* is a row block; a *row* one of its kinds of output position, which leaves some inputs outside the map; a *cell*
one group of wordlines of a row.

    P(no input on)                  exp(size x log(1 - share)), `size` the inputs as independent ones
    P(at least t groups, PACK)      P(N > (t - 1) limit) = I_p(k + 1, n - k), k = (t - 1) limit, N binomial
    groups in turn, side by side    sum over t of 1 - product over domains of P(fewer than t groups), as if domains knew
                                    nothing of each other, of those vectors of which anything is on

I_p is the regularised incomplete beta function, NIST DLMF 8.17.5; its continued fraction is DLMF 8.17.22.
"""

from __future__ import annotations

from math import exp, lgamma, log
from typing import NamedTuple

import numpy as np
from numba import njit

STATIC, STATIC_SKIP, PACK = 0, 1, 2
NONE, PE, ARRAY = 0, 1, 2
SOME, FIRST_PLANE, LAST_PLANE, FIRST_ROW, LAST_ROW, FIRST_GROUP, LAST_GROUP, LIMIT = range(8)
"""Columns of `Kinds.kind`: plane that tells which inputs are on, planes that are driven, rows, groups; rows at once."""
ACTIVE, GROUPS, IDLE, ROWS, INPUTS, ADDS, SLOTS, CONVERT, FOUND = range(9)
"""What is found per kind: vectors not skipped; groups with and without an active row; active rows over all groups;
active inputs; groups after the first of each vector; arrays read; conversion cycles of all groups on one converter."""
TINY = 1e-300


class Kinds(NamedTuple):
    """Row blocks.

    kind int64 [kinds, 8].     weight float64 [rows]: vectors that are like that.     whole int64 [rows]: set of all
    inputs of a row, -1 none.     cell int64 [rows], domain int64 [rows]: where its groups' and its domains' sets begin
    group_set int64 [cells]: set of a group's inputs, -1 none.     inputs float64 [cells]: how many there are
    domain_set int64 [..]: set of a domain's inputs.     of int64 [groups]: domain of a group, from 0, rising
    arrays float64 [groups]: arrays that a group reads
    """

    kind: np.ndarray
    weight: np.ndarray
    whole: np.ndarray
    cell: np.ndarray
    domain: np.ndarray
    group_set: np.ndarray
    inputs: np.ndarray
    domain_set: np.ndarray
    of: np.ndarray
    arrays: np.ndarray


class Reading(NamedTuple):
    """How vectors are read: `policy`, `skip`; domains `side_by_side`.

    at int64 [n], more int64 [n]: rows on from which a conversion takes so many cycles more; the first is at 0.
    """

    policy: int
    skip: int
    side_by_side: bool
    at: np.ndarray
    more: np.ndarray


class Scratch(NamedTuple):
    """Room of `price_blocks`.

    fewer float64 [most groups]: probability that no domain makes more than t groups.     chance, spread float64
    [most groups + 1]: of a domain's groups.     sums float64 [FOUND]: over rows.     key int64 [sets], kept float64
    [sets]: of `driven`
    """

    fewer: np.ndarray
    chance: np.ndarray
    spread: np.ndarray
    sums: np.ndarray
    key: np.ndarray
    kept: np.ndarray


@njit(cache=True, _nrt=False)
def beta_share(a, b, x):
    """Regularised incomplete beta function I_x(a, b), 0 < x < 1, float64; a, b > 0.

    The continued fraction is summed from the front (modified Lentz) and used on the side where it ends soon.
    """
    swapped = x > (a + 1.0) / (a + b + 2.0)
    if swapped:
        a, b, x = b, a, 1.0 - x
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log(1.0 - x)) / a
    c = 1.0
    d = 1.0 - (a + b) * x / (a + 1.0)
    d = 1.0 / (d if abs(d) > TINY else TINY)
    found = d
    for m in range(1, 400):
        for odd in range(2):
            if odd == 0:
                term = m * (b - m) * x / ((a + 2 * m - 1.0) * (a + 2 * m))
            else:
                term = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1.0))
            d = 1.0 + term * d
            d = 1.0 / (d if abs(d) > TINY else TINY)
            c = 1.0 + term / c
            c = c if abs(c) > TINY else TINY
            found *= c * d
        if abs(c * d - 1.0) < 1e-13:
            break
    return 1.0 - front * found if swapped else front * found


@njit(cache=True, _nrt=False)
def more_than(k, n, p):
    """Probability that more than `k` of `n` inputs are on, each with probability `p`."""
    if k >= n or p <= 0.0:
        return 0.0
    if p >= 1.0:
        return 1.0
    return beta_share(k + 1.0, n - k, p)


@njit(cache=True, _nrt=False)
def conversions(reading, n, p, limit):
    """Cycles of the conversions of a domain of `n` inputs that are on with `p` each, on one converter, if packed in
    groups of `limit`, otherwise of the one group that it is; reading as in `price_blocks`.  The group of PACK that is
    not full is taken as half full."""
    total = 0.0
    if reading.policy != PACK:
        for i in range(1, reading.at.size):
            total += reading.more[i] * more_than(reading.at[i] - 1.0, n, p)
        return total
    full = half = 0.0
    for i in range(reading.at.size):
        if reading.at[i] <= limit:
            full += reading.more[i]
        if reading.at[i] <= (limit + 1) // 2:
            half += reading.more[i]
    start = 0
    while start < n:
        there, filled = more_than(start, n, p), more_than(start + limit - 1.0, n, p)
        total += filled * full + (there - filled) * half
        start += limit
    return total


@njit(cache=True, _nrt=False)
def skip_domain(fewer, chance, groups, spread):
    """Multiplies fewer[t] by the probability that at most t of a domain's groups are made.

    fewer float64 [..] (in, out).     chance float64 [groups + 1] (scratch): from 1 on, the probability that each of
    its `groups` is made.     spread float64 [groups + 1] (scratch): the distribution, which grows group by group.
    """
    spread[: groups + 1] = 0.0
    spread[0] = 1.0
    for g in range(1, groups + 1):
        p = chance[g]
        for t in range(g, 0, -1):
            spread[t] = spread[t] * (1.0 - p) + spread[t - 1] * p
        spread[0] *= 1.0 - p
    below = 0.0
    for t in range(fewer.size):
        if t <= groups:
            below += spread[t]
        fewer[t] *= min(below, 1.0)


@njit(cache=True, _nrt=False)
def driven(of, plane, u, size, off, work):
    """Probability that an input of set `of`, -1 none, is on in a plane.

    plane, u: plane and timestep.     size, off: as in `price_blocks`
    work: `Scratch`; its `kept` is the last answer for each set, that of plane and timestep `key` (in, out)
    """
    if of < 0:
        return 0.0
    mine = plane * size.shape[1] + u
    if work.key[of] != mine:
        work.key[of], work.kept[of] = mine, 1.0 - exp(size[of, u] * off[plane, u])
    return work.kept[of]


@njit(cache=True, _nrt=False)
def price_row(kinds, reading, k, r, plane, u, size, off, share, alive, work):
    """Groups of one plane of a row: returns how many are made one after another in all domains, expected.

    kinds, reading, size, off, share as in `price_blocks`;  k, r, plane, u: kind, row, plane, timestep.
    alive: probability that the vector is not skipped.     work: `Scratch`; its `fewer` and `sums` grow (in, out)
    """
    fewer, chance, found = work.fewer, work.chance, work.sums
    some, limit = kinds.kind[k, SOME], kinds.kind[k, LIMIT]
    first, last = kinds.kind[k, FIRST_GROUP], kinds.kind[k, LAST_GROUP]
    weight = kinds.weight[r]
    varied = reading.at.size > 1
    total = 0.0
    g = first
    while g < last:
        domain = kinds.of[g]
        here = alive
        if reading.skip == ARRAY:
            here = driven(kinds.domain_set[kinds.domain[r] + domain], some, u, size, off, work)
        many = 0
        while g < last and kinds.of[g] == domain:
            cell = kinds.cell[r] + g - first
            n, on = kinds.inputs[cell], driven(kinds.group_set[cell], plane, u, size, off, work)
            found[ROWS] += weight * n * share[plane, u]
            many += 1
            if reading.policy == PACK:
                one = more_than(0, n, share[plane, u])
                t = 0
                while t * limit < n:
                    made = more_than(t * limit, n, share[plane, u]) / one * on if one > 0 else 0.0
                    total += made
                    fewer[t] *= 1.0 - made
                    found[GROUPS] += weight * made
                    found[SLOTS] += weight * made * kinds.arrays[g]
                    t += 1
                found[CONVERT] += weight * conversions(reading, n, share[plane, u], limit)
                g += 1
                continue
            made = on if reading.policy == STATIC_SKIP else max(here, on)
            chance[many] = made
            total += made
            found[GROUPS] += weight * on
            found[IDLE] += weight * (made - on)
            found[SLOTS] += weight * made * kinds.arrays[g]
            more = conversions(reading, n, share[plane, u], limit) if varied else 0.0
            found[CONVERT] += weight * (made * reading.more[0] + more)
            g += 1
        if reading.side_by_side and reading.policy == STATIC_SKIP:
            skip_domain(fewer, chance, many, work.spread)
        elif reading.side_by_side and reading.policy == STATIC:
            for t in range(many):
                fewer[t] = fewer[t] * (1.0 - here) if reading.skip == ARRAY else min(fewer[t], 1.0 - here)
    return total


@njit(cache=True, _nrt=False)
def price_kinds(kinds, reading, size, off, share, found, on, turns, work):
    """Expected numbers of all kinds; returns nothing.

    kinds, reading, size, off, share, found, on, turns: as in `price_blocks`.     work: `Scratch`
    """
    fewer, sums = work.fewer, work.sums
    most = fewer.size
    for k in range(kinds.kind.shape[0]):
        some = kinds.kind[k, SOME]
        for u in range(size.shape[1]):
            sums[:] = 0.0
            for r in range(kinds.kind[k, FIRST_ROW], kinds.kind[k, LAST_ROW]):
                weight, live = kinds.weight[r], driven(kinds.whole[r], some, u, size, off, work)
                alive = 1.0 if reading.skip == NONE else live
                total = in_turn = 0.0
                for plane in range(kinds.kind[k, FIRST_PLANE], kinds.kind[k, LAST_PLANE]):
                    fewer[:] = 1.0
                    made = price_row(kinds, reading, k, r, plane, u, size, off, share, alive, work)
                    total += made
                    if not reading.side_by_side:
                        in_turn += made
                        continue
                    any_on = alive
                    if reading.policy != STATIC:
                        any_on = driven(kinds.whole[r], plane, u, size, off, work)
                    apart, made = 1.0 - fewer[0], 0.0
                    for t in range(most):
                        made += 1.0 - fewer[t]
                    in_turn += made * (any_on / apart if apart > 0.0 else 1.0)
                inputs = 0.0
                for g in range(kinds.kind[k, LAST_GROUP] - kinds.kind[k, FIRST_GROUP]):
                    inputs += kinds.inputs[kinds.cell[r] + g]
                sums[INPUTS] += weight * inputs * share[some, u]
                sums[ACTIVE] += weight * alive
                sums[ADDS] += weight * max(total - (alive if reading.policy == STATIC else live), 0.0)
                on[r, u], turns[r, u] = alive, in_turn
            for i in range(FOUND):
                found[k, i, u] = sums[i]


@njit(cache=True)
def price_blocks(kinds, reading, size, off, share, found, on, turns):
    """Expected numbers of all kinds; returns nothing.

    kinds: `Kinds`.     reading: `Reading`.     size float64 [sets, U]: inputs of each set, as independent ones
    off float64 [planes, U], share float64 [planes, U]: logarithm of the probability that an input is off; that it is on
    found float64 [kinds, FOUND, U] (out): sums over the rows, times their weights
    on, turns float64 [rows, U] (out): probability that a vector is not skipped; groups that it makes in turn
    """
    most = 1
    for k in range(kinds.kind.shape[0]):
        most = max(most, kinds.kind[k, LAST_GROUP] - kinds.kind[k, FIRST_GROUP])
        if reading.policy == PACK:
            first, last = kinds.cell[kinds.kind[k, FIRST_ROW]], kinds.group_set.size
            for cell in range(first, last):
                most = max(most, int(kinds.inputs[cell]) // kinds.kind[k, LIMIT] + 1)
    work = Scratch(
        np.ones(most), np.zeros(most + 1), np.zeros(most + 1), np.zeros(FOUND), np.full(size.shape[0], -1),
        np.empty(size.shape[0]),
    )  # fmt: skip
    price_kinds(kinds, reading, size, off, share, found, on, turns, work)
