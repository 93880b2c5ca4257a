"""Busy bins: intervals split exactly at bin edges."""

from numba import njit


@njit(cache=True)
def add_runs(start, end, bin_cycles, bins):
    """Adds intervals to a histogram of time.

    start, end: int64 [n], cycles, end exclusive.  bin_cycles: int64, width of a bin.  bins: int64 [m], in and out.
    Definition: bins[b] grows by the number of cycles c with start <= c < end and c // bin_cycles == b.
    """
    for i in range(start.shape[0]):
        a = start[i]
        e = end[i]
        while a < e:
            b = a // bin_cycles
            edge = (b + 1) * bin_cycles
            stop = edge if edge < e else e
            bins[b] += stop - a
            a = stop
