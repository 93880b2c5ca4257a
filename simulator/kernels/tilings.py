"""Words and cycles of many tilings of one layer: level bounds, tiles, transfers and ports in whole numbers.

Plain definition: `costmodel/loopnest.py`, one mapping at a time.  Operands are O, W, I (0, 1, 2); loops are B, K, C,
OY, OX, FY, FX (0 to 6).  An entry is one operand at one memory level, operand by operand from the array outwards.  Two
unrollings exist side by side: index 0 for words and contents, 1 (whole numbers) for the time of transfers.

Arguments of `price_tilings`, N tilings of L loops, E entries, M memories, P ports:

loop, steps      int64 [N, L], loops innermost first and their steps (1: no loop)
end              int64 [N, E], loops at or below the level; L for the outermost level of an operand
first            int64 [4], first entry of each operand, then E
memory, inside   int64 [E], memory of an entry; 1 where it exists once per processing element
port, rank       int64 [E, 4], port per direction (to below, from above, from below, to above; -1 none), place on it
width, both      int64 [P], bits of a port; 1 where it serves W and I
capacity, users  int64 [M], bits of a memory; number of its operands
bits             int64 [4], width of an element: open sum, final O, W, I
stride           int64 [2], y and x
top, bottom      int64 [3, 7], unrolled steps as a fraction per loop; row 2: no unrolling
different        int64 [2, 3], elements of the array that need different data, per operand
gathered         int64 [2, 3], distinct elements that the whole array uses at once
reduced          int64, 1 where a reduction loop is unrolled
active           int64, processing elements at work
distinct         int64, 1: a shared memory hands out distinct elements once; 0: tile by tile
accesses         int64 [N, M, 2], out: reads and writes of the port width
cycles           int64 [N, 4], out: without stalls, with them, with the first loading, with the last unloading
overfull         int64 [N], out: memories too small
words            int64 [N or 0, E, 4], out: accesses per entry and direction
"""

import numpy as np
from numba import njit

from simulator.kernels.tilings_ports import (
    LINK_COLUMNS,
    MAX_WINDOWS,
    first_loading,
    last_unloading,
    wait_for_transfers,
    worst_stall,
)

# Columns of the level table `table` (int64 [E + 3, 9]; row E + operand is the array itself):
# 0 cycles of a period, 1 periods, 2 and 3 tile of one instance under either unrolling, 4 and 5 the same of all
# instances together, 6 outermost loops that leave the operand alone, 7 open reduction above, 8 end of the level.
LEVEL_COLUMNS = 9
TOUCHES = np.array([[1, 1, 0, 1, 1, 0, 0], [0, 1, 1, 0, 0, 1, 1], [1, 0, 1, 1, 1, 1, 1]])
WHOLLY = np.array([[1, 1, 0, 1, 1, 0, 0], [0, 1, 1, 0, 0, 1, 1], [1, 0, 1, 0, 0, 0, 0]])


@njit(cache=True, error_model="numpy", _nrt=False)
def rounded(amount, parts):
    """The whole number (int64) nearest to amount / parts, a tie to the even one."""
    if parts == 1:
        return amount
    whole = amount // parts
    twice = 2 * (amount - whole * parts)
    if twice > parts or (twice == parts and whole % 2 == 1):
        whole += 1
    return whole


@njit(cache=True, error_model="numpy", _nrt=False)
def fill_factors(top, bottom, stride, factor):
    """What `elements` multiplies with, per unrolling (2: none).

    factor: int64 [3, 12], out: of O (columns 0, 1) and W (2, 3) the unrolled steps and their common denominator; of
    input rows (4 to 6) and columns (7 to 9) a, b, c of a * output steps + b * kernel steps - c; of I (10, 11) the other
    unrolled steps and the common denominator.  Input rows are (OY - 1) * stride + FY.
    """
    for u in range(3):
        factor[u, 0] = top[u, 0] * top[u, 1] * top[u, 3] * top[u, 4]
        factor[u, 1] = bottom[u, 0] * bottom[u, 1] * bottom[u, 3] * bottom[u, 4]
        factor[u, 2] = top[u, 1] * top[u, 2] * top[u, 5] * top[u, 6]
        factor[u, 3] = bottom[u, 1] * bottom[u, 2] * bottom[u, 5] * bottom[u, 6]
        for axis in range(2):
            to = 4 + 3 * axis
            factor[u, to] = top[u, 3 + axis] * stride[axis] * bottom[u, 5 + axis]
            factor[u, to + 1] = top[u, 5 + axis] * bottom[u, 3 + axis]
            factor[u, to + 2] = bottom[u, 3 + axis] * stride[axis] * bottom[u, 5 + axis]
        factor[u, 10] = top[u, 0] * top[u, 2]
        factor[u, 11] = bottom[u, 0] * bottom[u, 2]
        factor[u, 11] *= bottom[u, 3] * bottom[u, 4] * bottom[u, 5] * bottom[u, 6]


@njit(cache=True, error_model="numpy", _nrt=False)
def elements(operand, prefix, row, factor, u):
    """Distinct elements of an operand that the steps in a row of `prefix` span under an unrolling u (2: none).

    prefix: see `keep_loops`.  factor: see `fill_factors`.
    """
    if operand == 0:
        return rounded(prefix[row, 0] * prefix[row, 1] * prefix[row, 3] * prefix[row, 4] * factor[u, 0], factor[u, 1])
    if operand == 1:
        return rounded(prefix[row, 1] * prefix[row, 2] * prefix[row, 5] * prefix[row, 6] * factor[u, 2], factor[u, 3])
    rows = prefix[row, 3] * factor[u, 4] + prefix[row, 5] * factor[u, 5] - factor[u, 6]
    columns = prefix[row, 4] * factor[u, 7] + prefix[row, 6] * factor[u, 8] - factor[u, 9]
    return rounded(prefix[row, 0] * prefix[row, 2] * factor[u, 10] * rows * columns, factor[u, 11])


@njit(cache=True, error_model="numpy", _nrt=False)
def keep_loops(t, loop, steps, kept, place, prefix, span):
    """Lists the loops of tiling number t that have more than one step; returns their number k.

    kept: int64 [L, 2], out, loop and steps.  place: int64 [L + 1], out, how many of the innermost loops are kept.
    prefix: int64 [L + 1, 7], out, steps per loop of the innermost kept loops.  span: int64 [2, L + 1], out, the product
    of the steps of the kept loops below a place, and of those from it on.
    """
    k = 0
    for d in range(7):
        prefix[0, d] = 1
    span[0, 0] = 1
    for i in range(loop.shape[1]):
        place[i] = k
        count = steps[t, i]
        if count > 1:
            kept[k, 0] = loop[t, i]
            kept[k, 1] = count
            for d in range(7):
                prefix[k + 1, d] = prefix[k, d]
            prefix[k + 1, loop[t, i]] *= count
            span[0, k + 1] = span[0, k] * count
            k += 1
    place[loop.shape[1]] = k
    span[1, k] = 1
    for i in range(k - 1, -1, -1):
        span[1, i] = span[1, i + 1] * kept[i, 1]
    return k


@njit(cache=True, error_model="numpy", _nrt=False)
def fill_levels(
    t, k, end, first, inside, factor, gathered, distinct, kept, place, prefix, span, table
):
    """Level table of tiling number t with k loops; factor: see `fill_factors`.  kept, place, prefix, span: see
    `keep_loops`.  table: out, see `LEVEL_COLUMNS`.
    """
    entries = end.shape[1]
    # Reduction loops (C, FY, FX) of the whole tiling: a level is open as long as some of them lie above it.
    all_reduction = prefix[k, 2] * prefix[k, 5] * prefix[k, 6]
    for operand in range(3):
        still = 0
        if operand > 0:
            while still < k and TOUCHES[operand, kept[still, 0]] == 0:
                still += 1
        row = entries + operand
        table[row, 0] = span[0, still]
        table[row, 1] = span[1, still]
        table[row, 2] = 1
        table[row, 3] = 1
        table[row, 4] = gathered[0, operand]
        table[row, 5] = gathered[1, operand]
        table[row, 6] = 1
        table[row, 7] = all_reduction > 1
        start = 0
        for e in range(first[operand], first[operand + 1]):
            stop = place[end[t, e]]
            while stop < k and TOUCHES[operand, kept[stop, 0]] == 0:
                stop += 1
            table[e, 0] = span[0, stop]
            table[e, 1] = span[1, stop]
            if inside[e] == 0:
                table[e, 2] = elements(operand, prefix, stop, factor, 0)
                table[e, 3] = elements(operand, prefix, stop, factor, 1)
            else:
                table[e, 2] = elements(operand, prefix, stop, factor, 2)
                table[e, 3] = table[e, 2]
                if distinct == 1:
                    table[e, 4] = elements(operand, prefix, stop, factor, 0)
                    table[e, 5] = elements(operand, prefix, stop, factor, 1)
            idle = 1
            i = stop - 1
            while i >= start and TOUCHES[operand, kept[i, 0]] == 0:
                idle *= kept[i, 1]
                i -= 1
            table[e, 6] = idle
            table[e, 7] = prefix[stop, 2] * prefix[stop, 5] * prefix[stop, 6] < all_reduction
            table[e, 8] = stop
            start = stop


@njit(cache=True, error_model="numpy", _nrt=False)
def fill_contents(first, memory, capacity, users, bits, kept, table, needed, used, twice):
    """Which levels can hold two tiles; returns the number of memories too small.

    kept: see `keep_loops`.  needed: int64 [E], used: int64 [2, M], scratch.  twice: int64 [E], out, 1 where a level is
    double-buffered.
    """
    for m in range(capacity.shape[0]):
        used[0, m] = 0
        used[1, m] = 0
    for operand in range(3):
        start = 0
        for e in range(first[operand], first[operand + 1]):
            width = bits[operand + 1] if operand > 0 else bits[1 - table[e, 7]]
            held = table[e, 2] * width
            live = 1
            i = table[e, 8] - 1
            while i >= start and WHOLLY[operand, kept[i, 0]] == 1:
                live *= kept[i, 1]
                i -= 1
            start = table[e, 8]
            needed[e] = held if live == 1 else held // live
            used[0, memory[e]] += held
            used[1, memory[e]] += needed[e]
    for e in range(memory.shape[0]):
        m = memory[e]
        twice[e] = 2 * used[1, m] <= capacity[m]
        if twice[e] == 0 and needed[e] <= capacity[m] - used[1, m]:
            twice[e] = 1
            if users[m] > 1:
                used[1, m] += needed[e]
    small = 0
    for m in range(capacity.shape[0]):
        small += used[0, m] > capacity[m]
    return small


@njit(cache=True, error_model="numpy", _nrt=False)
def list_links(first, inside, port, width, bits, different, reduced, distinct, table, links):
    """Transfers of one tiling, both sides of each link; returns their number.

    links: out, int64 [4 E, LINK_COLUMNS]: 0 entry, 1 direction, 2 port, 3 row of the level below in `table`, 4 elements
    per transfer and 5 its cycles (unrolling 1), 8 its port words (unrolling 0).
    """
    entries = inside.shape[0]
    n = 0
    for operand in range(3):
        below = entries + operand
        for e in range(first[operand], first[operand + 1]):
            inner = table[below, 2]
            inner_timed = table[below, 3]
            outer = inner
            outer_timed = inner_timed
            if inside[e] == 0 and (below >= entries or inside[below] == 1):
                if distinct == 1:
                    outer = table[below, 4]
                    outer_timed = table[below, 5]
                else:
                    outer *= different[0, operand]
                    outer_timed *= different[1, operand]
            partial = operand == 0 and (table[below, 7] == 1 or (reduced == 1 and inside[e] == 1))
            size = bits[operand + 1] if operand > 0 else bits[0 if partial else 1]
            for down in range(0 if operand == 0 else 1, 2 if operand > 0 or partial else 1):
                for side in range(1 if below >= entries else 2):
                    here = e if side == 0 else below
                    direction = 2 * (1 - down) if side == 0 else 3 - 2 * down
                    amount = outer if side == 0 else inner
                    timed = outer_timed if side == 0 else inner_timed
                    bandwidth = width[port[here, direction]]
                    links[n, 0] = here
                    links[n, 1] = direction
                    links[n, 2] = port[here, direction]
                    links[n, 3] = below
                    links[n, 4] = timed
                    links[n, 8] = (amount * size + bandwidth - 1) // bandwidth
                    links[n, 5] = links[n, 8] if timed == amount else (timed * size + bandwidth - 1) // bandwidth
                    n += 1
            below = e
    return n


@njit(cache=True, error_model="numpy")
def first_wrong(loop, steps, end, first, cover):
    """First tiling that is not one of the layer, or -1: unknown loop, no step, levels out of order, wrong products.

    cover: int64 [7], product of the steps of each loop.
    """
    found = np.empty(7, np.int64)
    size = loop.shape[1]
    for t in range(loop.shape[0]):
        found[:] = 1
        for i in range(size):
            if loop[t, i] < 0 or loop[t, i] > 6 or steps[t, i] < 1:
                return t
            found[loop[t, i]] *= steps[t, i]
        for d in range(7):
            if found[d] != cover[d]:
                return t
        for operand in range(3):
            last = 0
            for e in range(first[operand], first[operand + 1]):
                if end[t, e] < last:
                    return t
                last = end[t, e]
            if last != size:
                return t
    return -1


@njit(cache=True, error_model="numpy", _nrt=False)
def price_each(
    loop, steps, end, first, memory, inside, port, rank, width, both, capacity, users, bits, stride, top, bottom,
    different, gathered, reduced, active, distinct, accesses, cycles, overfull, words, kept, place, prefix, span,
    factor, table, needed, used, twice, links, loads, windows, waits,
):  # fmt: skip
    """Prices every tiling by itself; arguments and results stand at the top of this file.

    kept, place, prefix, span, factor, needed, used: scratch, see the functions above; links, loads, windows, waits:
    likewise, see `tilings_ports`.  `_nrt=False` here and above: nothing makes or keeps an array, so that numba need not
    count references to them.
    """
    fill_factors(top, bottom, stride, factor)
    for t in range(loop.shape[0]):
        k = keep_loops(t, loop, steps, kept, place, prefix, span)
        fill_levels(t, k, end, first, inside, factor, gathered, distinct, kept, place, prefix, span, table)
        overfull[t] = fill_contents(first, memory, capacity, users, bits, kept, table, needed, used, twice)
        n = list_links(first, inside, port, width, bits, different, reduced, distinct, table, links)
        for m in range(capacity.shape[0]):
            accesses[t, m, 0] = 0
            accesses[t, m, 1] = 0
        for i in range(n):
            e = links[i, 0]
            count = links[i, 8] * table[links[i, 3], 1]
            if inside[e] == 1:
                count *= active
            # Directions 0 and 3 read, 1 and 2 write.
            accesses[t, memory[e], 1 if 0 < links[i, 1] < 3 else 0] += count
            if words.shape[0] > 0:
                words[t, e, links[i, 1]] = count
        cycles[t, 0] = span[0, k]
        computing = span[0, k] + worst_stall(span[0, k], table, twice, links, n, loads, windows)
        wait_for_transfers(computing, first, rank, width, bits, table, links, n, loads, waits)
        onload = first_loading(first, port, both, waits)
        cycles[t, 1] = computing
        cycles[t, 2] = computing + onload
        cycles[t, 3] = computing + onload + last_unloading(first, waits)


@njit(cache=True, error_model="numpy")
def price_tilings(
    loop, steps, end, first, memory, inside, port, rank, width, both, capacity, users, bits, stride, top, bottom,
    different, gathered, reduced, active, distinct, accesses, cycles, overfull, words,
):  # fmt: skip
    """`price_each` with its scratch; arguments and results stand at the top of this file."""
    entries = memory.shape[0]
    size = loop.shape[1]
    price_each(
        loop, steps, end, first, memory, inside, port, rank, width, both, capacity, users, bits, stride, top, bottom,
        different, gathered, reduced, active, distinct, accesses, cycles, overfull, words,
        np.empty((size, 2), np.int64), np.empty(size + 1, np.int64), np.empty((size + 1, 7), np.int64),
        np.empty((2, size + 1), np.int64), np.empty((3, 12), np.int64),
        np.zeros((entries + 3, LEVEL_COLUMNS), np.int64),
        np.empty(entries, np.int64), np.empty((2, capacity.shape[0]), np.int64), np.empty(entries, np.int64),
        np.empty((4 * entries, LINK_COLUMNS), np.int64), np.empty((width.shape[0], 8), np.int64),
        np.empty((4, MAX_WINDOWS), np.int64), np.empty((entries, 4), np.int64),
    )  # fmt: skip
