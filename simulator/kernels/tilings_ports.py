"""Stalls of ports, first loading and last unloading of one tiling; plain definition: `costmodel/loopnest_latency.py`.

links            int64 [4 E, LINK_COLUMNS]: 0 entry, 1 direction, 2 port, 3 row of the level below in the level table,
                 4 elements per transfer, 5 cycles of a transfer; scratch: 6 period, 7 window or wait to spare
table            int64 [E + 3, 9], level table: 0 cycles of a period, 1 periods, 3 tile, 6 outermost idle loops, 7 open
n                number of links
span             cycles without stalls
first            int64 [4], first entry of each operand
rank             int64 [E, 4], place of an entry's direction on its port
width, both      int64 [P], bits of a port; 1 where it serves W and I
bits             int64 [4], width of an element: open sum, final O, W, I
twice            int64 [E], 1 where a level is double-buffered
loads            int64 [P, 8], scratch: 0 links, 1 stall, 2 positive, 3 negative, 4 windows, 5 cycles in which the
                 window that is open longest is open, 6 cycles of first loading or last unloading that can wait for the
                 computation, 7 elements per cycle of what moves more than once
windows          int64 [4, MAX_WINDOWS], scratch
port             int64 [E, 4], port per entry and direction
computing        cycles with stalls
waits            int64 [E, 4], scratch: cycles of first loading or last unloading per entry and direction
"""

from numba import njit

LINK_COLUMNS = 9
# A port serves at most four directions of three operands.
MAX_WINDOWS = 12


@njit(cache=True, error_model="numpy", _nrt=False)
def covered(cycles, last, windows):
    """Cycles before `cycles` in which one of the windows 0 to `last` is open.

    Rows of `windows`: 0 period of each window, ascending, each a divisor of the next; 1 its length, from the start of
    the period; 2 what earlier windows cover within it; 3 what all up to it cover in its period.
    """
    found = 0
    for j in range(last, -1, -1):
        whole = cycles // windows[0, j]
        found += whole * windows[3, j]
        cycles -= whole * windows[0, j]
        if cycles <= windows[1, j]:
            return found + cycles
        found += windows[1, j] - windows[2, j]
    return found


@njit(cache=True, error_model="numpy", _nrt=False)
def union_of_windows(links, n, chosen, span, windows):
    """Cycles in which any window of the port `chosen` is open, over `span` cycles."""
    last = -1
    for i in range(n):
        if links[i, 2] != chosen:
            continue
        at = 0
        while at <= last and windows[0, at] < links[i, 6]:
            at += 1
        if at <= last and windows[0, at] == links[i, 6]:
            windows[1, at] = max(windows[1, at], links[i, 7])
            continue
        for j in range(last, at - 1, -1):
            windows[0, j + 1] = windows[0, j]
            windows[1, j + 1] = windows[1, j]
        windows[0, at] = links[i, 6]
        windows[1, at] = links[i, 7]
        last += 1
    for j in range(last + 1):
        windows[2, j] = covered(windows[1, j], j - 1, windows)
        windows[3, j] = windows[1, j] + covered(windows[0, j], j - 1, windows) - windows[2, j]
    return span // windows[0, last] * windows[3, last]


@njit(cache=True, error_model="numpy", _nrt=False)
def worst_stall(span, table, twice, links, n, loads, windows):
    """Stall of the worst port, at least 0; fills `loads` (without its last two columns) and the scratch of `links`."""
    for p in range(loads.shape[0]):
        for column in range(loads.shape[1]):
            loads[p, column] = 0
    for i in range(n):
        below = links[i, 3]
        p = links[i, 2]
        period = table[below, 0]
        window = period
        if below < twice.shape[0] and twice[below] == 0 and table[below, 6] > 1:
            window = period // table[below, 6]
        links[i, 6] = period
        links[i, 7] = window
        again = table[below, 1] - 1
        stall = (links[i, 5] - window) * again
        loads[p, 0] += 1
        loads[p, 1] = stall
        loads[p, 2 if stall > 0 else 3] += stall
        loads[p, 4] += window * again
        loads[p, 5] = max(loads[p, 5], window * (again + 1))
    worst = 0
    for p in range(loads.shape[0]):
        stall = loads[p, 1]
        if loads[p, 0] > 1:
            stall = loads[p, 2]
            slack = loads[p, 3] + loads[p, 4]
            # The union is at least the longest of the windows: only beyond that it is needed exactly.
            union = loads[p, 5]
            if union < slack and union < span:
                union = union_of_windows(links, n, p, span, windows)
            stall += max(0, slack - union)
        worst = max(worst, stall)
    return worst


@njit(cache=True, error_model="numpy", _nrt=False)
def wait_for_transfers(computing, first, rank, width, bits, table, links, n, loads, waits):
    """Cycles that the first and last transfers add to `computing` cycles of computation, per entry and direction."""
    for i in range(n):
        e = links[i, 0]
        p = links[i, 2]
        waits[e, links[i, 1]] = links[i, 5]
        links[i, 7] = 0
        # Partial sums on their way down are neither loaded first nor unloaded last.
        if e < first[1] and links[i, 1] < 2:
            continue
        if table[links[i, 3], 1] == 1:
            operand = 0 if e < first[1] else 1 if e < first[2] else 2
            size = bits[operand + 1] if operand > 0 else bits[1 - table[first[0], 7]]
            least = (table[first[operand], 3] * size + width[p] - 1) // width[p]
            links[i, 7] = max(0, links[i, 5] - least)
            loads[p, 6] += links[i, 7]
        elif links[i, 4] >= links[i, 6]:
            loads[p, 7] += links[i, 4] // links[i, 6]
    for p in range(loads.shape[0]):
        if loads[p, 6] > 0:
            spare = computing
            if loads[p, 7] > 0:
                spare = max(0, (width[p] - loads[p, 7]) * computing // width[p])
            if loads[p, 6] > spare:
                share_spare(spare, p, rank, links, n)
    for i in range(n):
        waits[links[i, 0], links[i, 1]] -= links[i, 7]


@njit(cache=True, error_model="numpy", _nrt=False)
def share_spare(spare, chosen, rank, links, n):
    """Cuts the waits to spare of the port `chosen` to `spare` cycles in all: the longest transfer is served first.

    Of equally long ones, the first of the port is.
    """
    for i in range(n):
        if links[i, 2] == chosen:
            links[i, 6] = links[i, 7]
            links[i, 7] = 0
    while spare > 0:
        best = -1
        for i in range(n):
            if links[i, 2] != chosen or links[i, 6] == 0:
                continue
            longer = 1 if best < 0 else links[i, 5] - links[best, 5]
            if longer == 0:
                longer = rank[links[best, 0], links[best, 1]] - rank[links[i, 0], links[i, 1]]
            if longer > 0:
                best = i
        if best < 0:
            return
        links[best, 7] = min(links[best, 6], spare)
        links[best, 6] = 0
        spare -= links[best, 7]


@njit(cache=True, error_model="numpy", _nrt=False)
def first_loading(first, port, both, waits):
    """Cycles until W and I have reached the array: at the same time, but one after another where ports serve both."""
    alone_w, half_w, shared_w = 0, 0, 0
    alone_i, half_i, shared_i = 0, 0, 0
    for e in range(first[1] + 1, first[3]):
        if e == first[2]:
            continue
        wait = max(waits[e - 1, 1], waits[e, 0])
        serving = both[port[e - 1, 1]] + both[port[e, 0]]
        if e < first[2]:
            alone_w += wait if serving == 0 else 0
            half_w = wait if serving == 1 else half_w
            shared_w += wait if serving == 2 else 0
        else:
            alone_i += wait if serving == 0 else 0
            half_i = wait if serving == 1 else half_i
            shared_i += wait if serving == 2 else 0
    return min(
        shared_w + max(shared_i + half_i + alone_i, half_w + alone_w),
        shared_i + max(shared_w + half_w + alone_w, half_i + alone_i),
    )


@njit(cache=True, error_model="numpy", _nrt=False)
def last_unloading(first, waits):
    """Cycles until the last outputs have left, one link after another."""
    cycles = 0
    for e in range(1, first[1]):
        cycles += max(waits[e - 1, 3], waits[e, 2])
    return cycles
