"""Input vectors of crossbars: active rows, row groups, cycles and counts of every output position and row block.

Plain definition (`tests/oracles/cim_vectors.py` states it on sets of rows).  A vector is what one row block is driven
with for one output position in one timestep.  A *domain* is what shares bit lines and converters at a time: all arrays
of a processing element, or one array; its rows are cut into groups that are read and converted together.

zero test   a vector whose rows are all off is skipped (skip PE or ARRAY); so is a domain of it (skip ARRAY)
groups      STATIC every group, STATIC_SKIP groups with an active row, PACK ceil(n / limit) groups of active rows;
            binary planes of the inputs are driven one after another
group       costs  c_wl + M (c_mux + c_read + c_adc(n));  domains in turns add up, side by side the longest counts
vector      lat = occ = c_check + groups + c_sa + c_sum
held        (sample and hold) with g groups, r = c_wl + c_read + c_hold and v = M (c_mux + c_adc):
            lat = c_check + r + (g - 1) max(r, v) + v + c_sa + c_sum,  occ = max(g max(r, v), c_check)
skipped     lat = occ = c_check;  a vector that is not skipped and has no group takes c_check + c_sa
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

STATIC, STATIC_SKIP, PACK = 0, 1, 2
NONE, PE, ARRAY = 0, 1, 2
VECTORS, ACTIVE, GROUPS, IDLE, ROWS, INPUTS, ADDS, SLOTS, SYNAPTIC, MOST, CLIPPED, COUNTERS = range(12)
"""Counters of a row block: vectors; not skipped; groups with and without an active row; active rows over all groups;
active inputs; groups after the first of each vector; arrays read; input magnitudes; most rows on at once; groups that
may exceed the converter's range."""


class Rows(NamedTuple):
    """Wordlines of the row blocks of a projection, as runs of channels.

    tap, low, high int64 [runs]: channels low .. high at a kernel tap.     fresh uint8 [taps]: see `count_vectors`.
    group_start int64 [groups + 1], domain_start int64 [domains + 1], block_start int64 [blocks + 1]: where the runs of
        each group, the groups of each domain and the domains of each block begin
    arrays int64 [groups]: arrays that a group reads.     mux, summed int64 [blocks]: M, c_sum
    """

    tap: np.ndarray
    low: np.ndarray
    high: np.ndarray
    fresh: np.ndarray
    group_start: np.ndarray
    domain_start: np.ndarray
    block_start: np.ndarray
    arrays: np.ndarray
    mux: np.ndarray
    summed: np.ndarray


class Rules(NamedTuple):
    """How vectors are read: `policy`, `skip`, rows per group `limit`; domains `side_by_side`, columns `held`.

    everything: all rows are on whatever the spikes.  range_rows: most rows that the converter resolves.  Cycles by
    step; adc int64 [limit + 1]: by active rows.
    """

    policy: int
    skip: int
    limit: int
    side_by_side: bool
    held: bool
    everything: bool
    range_rows: int
    check: int
    wordline: int
    read: int
    hold: int
    mux: int
    shift_add: int
    adc: np.ndarray


class Map(NamedTuple):
    """A pooled map as prefix sums int32 [kinds, H * W, C + 1]; its size; the window of output positions.

    planes int64 [n]: kinds that are driven one after another;  some, magnitude: kinds that count active inputs and
    their magnitudes.     tap_y, tap_x int64 [taps]: place of each tap from (output row, column) times stride.
    """

    sums: np.ndarray
    height: int
    width: int
    planes: np.ndarray
    some: int
    magnitude: int
    tap_y: np.ndarray
    tap_x: np.ndarray
    stride_y: int
    stride_x: int
    grid_width: int


@njit(cache=True)
def active_rows(rows, inputs, rules, kind, group, top, left):
    """Sum over the rows of a group of what prefix sums of `kind` hold; rows, inputs, rules as in `count_vectors`;
    top, left: upper left corner of the window."""
    n = 0
    for i in range(rows.group_start[group], rows.group_start[group + 1]):
        if rules.everything:
            n += rows.high[i] - rows.low[i]
            continue
        y = top + inputs.tap_y[rows.tap[i]]
        x = left + inputs.tap_x[rows.tap[i]]
        if 0 <= y < inputs.height and 0 <= x < inputs.width:
            pixel = y * inputs.width + x
            n += inputs.sums[kind, pixel, rows.high[i]] - inputs.sums[kind, pixel, rows.low[i]]
    return n


@njit(cache=True)
def fetched_rows(rows, inputs, block, whole, top, left):
    """Active inputs of a block that are fetched: of all taps if `whole`, else of the fresh ones; rows, inputs as in
    `count_vectors`; top, left: upper left corner of the window."""
    n = 0
    first, last = rows.domain_start[rows.block_start[block]], rows.domain_start[rows.block_start[block + 1]]
    for i in range(rows.group_start[first], rows.group_start[last]):
        y = top + inputs.tap_y[rows.tap[i]]
        x = left + inputs.tap_x[rows.tap[i]]
        if (whole or rows.fresh[rows.tap[i]]) and 0 <= y < inputs.height and 0 <= x < inputs.width:
            pixel = y * inputs.width + x
            n += inputs.sums[inputs.some, pixel, rows.high[i]] - inputs.sums[inputs.some, pixel, rows.low[i]]
    return n


@njit(cache=True)
def convert_groups(rows, rules, group, n, mux, counters):
    """Groups that `n` active rows of a group (PACK: of a domain) take: how many, and their cycles without hold.

    rows, rules as in `count_vectors`;  mux: mux steps;  counters int64 [COUNTERS] of the block (in, out).
    """
    limit = rules.limit
    if rules.policy == PACK:
        groups = (n + limit - 1) // limit
    elif rules.policy == STATIC_SKIP:
        groups = 1 if n > 0 else 0
    else:
        groups = 1
    if groups == 0:
        return 0, 0
    most = min(n, limit)
    last = n - (groups - 1) * limit if rules.policy == PACK else n
    if n == 0:
        counters[IDLE] += 1
    else:
        counters[GROUPS] += groups
        counters[ROWS] += n
    counters[SLOTS] += groups * rows.arrays[group]
    counters[MOST] = max(counters[MOST], most)
    if most > rules.range_rows:
        counters[CLIPPED] += groups - 1
        if last > rules.range_rows:
            counters[CLIPPED] += 1
    step = rules.mux + rules.read
    cycles = (groups - 1) * (rules.wordline + mux * (step + rules.adc[most]))
    return groups, cycles + rules.wordline + mux * (step + rules.adc[last])


@njit(cache=True)
def read_block(rows, inputs, rules, block, top, left, some, counters):
    """Drives and converts one vector that is not skipped: groups in turn, cycles, and all groups of all domains.

    rows, inputs, rules as in `count_vectors`;  top, left: corner of the window;  some int64 [domains]: active inputs of
    each domain of the block;  counters int64 [COUNTERS] (in, out).
    """
    first, last = rows.block_start[block], rows.block_start[block + 1]
    mux = rows.mux[block]
    in_turn = 0
    cycles = 0
    total = 0
    for plane in inputs.planes:
        longest = 0
        most = 0
        for domain in range(first, last):
            if rules.skip == ARRAY and some[domain - first] == 0:
                continue
            spent = 0
            groups = 0
            for group in range(rows.domain_start[domain], rows.domain_start[domain + 1]):
                n = active_rows(rows, inputs, rules, plane, group, top, left)
                more, time = convert_groups(rows, rules, group, n, mux, counters)
                groups += more
                spent += time
            total += groups
            if rules.side_by_side:
                longest = max(longest, spent)
                most = max(most, groups)
            else:
                longest += spent
                most += groups
        cycles += longest
        in_turn += most
    return in_turn, cycles, total


@njit(cache=True)
def count_vectors(rows, inputs, rules, whole, some, lat, occ, active, events, counters):
    """Takes one timestep's vectors of all positions and row blocks of a projection; returns nothing.

    rows: `Rows`, with PACK one group per domain.     inputs: `Map`.     rules: `Rules`.
    whole uint8 [positions]: the window shares nothing with the one before; else only taps that are `fresh` are fetched
    some int64 [most domains of a block]: scratch
    lat, occ int32 [positions, blocks] (out): cycles until the result, and until the next vector may start
    active uint8 [positions, blocks] (out): 0 where the vector is skipped
    events int32 [positions, blocks] (out): active inputs that are fetched
    counters int64 [blocks, COUNTERS] (in, out): see `VECTORS` and its fellows
    """
    for block in range(rows.block_start.size - 1):
        mine = counters[block]
        first, last = rows.block_start[block], rows.block_start[block + 1]
        for position in range(whole.size):
            top = position // inputs.grid_width * inputs.stride_y
            left = position % inputs.grid_width * inputs.stride_x
            n = 0
            for domain in range(first, last):
                some[domain - first] = 0
                for group in range(rows.domain_start[domain], rows.domain_start[domain + 1]):
                    some[domain - first] += active_rows(rows, inputs, rules, inputs.some, group, top, left)
                    mine[SYNAPTIC] += active_rows(rows, inputs, rules, inputs.magnitude, group, top, left)
                n += some[domain - first]
            mine[VECTORS] += 1
            mine[INPUTS] += n
            events[position, block] = fetched_rows(rows, inputs, block, whole[position], top, left)
            if n == 0 and rules.skip != NONE:
                active[position, block] = 0
                lat[position, block] = rules.check
                occ[position, block] = rules.check
                continue
            groups, cycles, total = read_block(rows, inputs, rules, block, top, left, some, mine)
            mine[ACTIVE] += 1
            mine[ADDS] += max(total - 1, 0)
            active[position, block] = 1
            spent = rules.check + rules.shift_add
            taken = spent + cycles + rows.summed[block]
            lat[position, block] = taken if groups else spent
            occ[position, block] = taken if groups else spent
            if rules.held and groups:
                r = rules.wordline + rules.read + rules.hold
                v = rows.mux[block] * (rules.mux + rules.adc[0])
                lat[position, block] = spent + r + (groups - 1) * max(r, v) + v + rows.summed[block]
                occ[position, block] = max(groups * max(r, v), rules.check)
