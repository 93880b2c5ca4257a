"""Rows of a Schedule one after another as the host hands them out: when each starts and ends."""

from numba import njit


@njit(cache=True, error_model="numpy")
def run_rows(
    before,
    gate,
    layer,
    price,
    memory,
    after_start,
    after,
    hold,
    done,
    use,
    launch,
    begun,
    complete,
    freed,
    until,
    end,
    busy,
    first,
    last,
):
    """Rows of R repetitions that do not touch each other, N rows, P prices, L layers, all times in ps.

    before, gate   int64 [N], row before this one on its unit; row whose end lets the host hand this one out; -1: none
    layer, price   int64 [N], ledger row of a row that computes, -1 for others; number of its price
    memory         int64 [N], number of the memory that a row shares with others, -1: none
    after_start    int64 [N + 1]; row i starts after rows after[after_start[i] : after_start[i + 1]] are complete
    after          int64, earlier rows
    hold, done     float64 [R, P], how long a row holds its unit, and from its start to its completion
    use            float64 [R, P], of these how long its memory works for it alone
    launch         float64, time in which the host hands a row out
    begun          float64 [N], out, when a row starts, in the last repetition
    complete       float64 [N], out, when it is complete, likewise
    freed          float64 [N], scratch, when its unit is free again
    until          float64 [M], scratch, when a memory has done its work for the rows so far
    end            float64 [R], out, end of the last row
    busy           float64 [R, L], out, zeros before: time in which a row of the layer ran
    first, last    float64 [R, L], out, first start and last end of a layer's rows; before: -1 and 0
    """
    for r in range(hold.shape[0]):
        put = 0.0
        latest = 0.0
        until[:] = 0.0
        for i in range(before.shape[0]):
            put += launch
            if gate[i] >= 0 and freed[gate[i]] > put:
                put = freed[gate[i]]
            start = put
            if before[i] >= 0 and freed[before[i]] > start:
                start = freed[before[i]]
            for j in range(after_start[i], after_start[i + 1]):
                if complete[after[j]] > start:
                    start = complete[after[j]]
            begun[i] = start
            late = 0.0
            m = memory[i]
            if m >= 0:
                late = max(0.0, until[m] + use[r, price[i]] - (start + done[r, price[i]]))
                until[m] = max(until[m], start) + use[r, price[i]]
            freed[i] = start + hold[r, price[i]] + late
            finished = start + done[r, price[i]] + late
            complete[i] = finished
            if finished > latest:
                latest = finished
            n = layer[i]
            if n >= 0:
                busy[r, n] += max(0.0, finished - max(start, last[r, n]))
                last[r, n] = max(last[r, n], finished)
                if first[r, n] < 0:
                    first[r, n] = start
        end[r] = latest
