"""Painting of overlapping intervals: in each cycle the lowest kind wins."""

from numba import njit


@njit(cache=True)
def paint(times, order, kinds, depth, seg_start, seg_end, seg_kind):
    """Segments of equal state, in order; returns how many there are.

    times: int64 [2 n], the starts of n intervals, then their ends (exclusive), cycles.  order: int64 [2 n], places in
    `times` by rising time.  kinds: int64 [n].  depth: int64 [k], scratch, zero on entry and on return.
    seg_start, seg_end, seg_kind: int64 [2 n], the result; neighbours differ in kind or do not touch.
    Definition: cycle c has the lowest kind of all intervals with start <= c < end; cycles in none are left out.
    """
    n = kinds.shape[0]
    count = 0
    state = -1
    since = 0
    i = 0
    while i < order.shape[0]:
        now = times[order[i]]
        while i < order.shape[0] and times[order[i]] == now:
            at = order[i]
            if at < n:
                depth[kinds[at]] += 1
            else:
                depth[kinds[at - n]] -= 1
            i += 1
        lowest = -1
        for k in range(depth.shape[0]):
            if depth[k] > 0:
                lowest = k
                break
        if lowest != state:
            if state >= 0:
                seg_start[count] = since
                seg_end[count] = now
                seg_kind[count] = state
                count += 1
            state = lowest
            since = now
    return count
