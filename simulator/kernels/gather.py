"""Timing of an output-stationary (gather) core: windows on a PE array, then a narrower neuron unit.

Plain definition, in cycles: windows are taken group by group (channel groups inside, then columns, then rows); a
group computes for the cycles of its slowest window, at least `least`; its sums then move to the neuron unit, which
takes `neuron` cycles per group; the array starts the next group as soon as its sums have moved.
"""

from numba import njit


@njit(cache=True)
def count_taps(
    index,
    value,
    row_start,
    row_target,
    col_start,
    col_target,
    active,
    channels,
    width,
    row_base,
    col_base,
    per_channel,
    first_row,
    end_row,
    k0,
    k1,
    columns,
):
    """Adds the taps of one timestep's spikes to the windows they fall into.  Returns the taps inside the tile.

    index uint32 [n], value int32 [n] or [0] when all are 1 (|value| taps each).  channels, width: of the source.
    row_start int32, row_target int32: output rows that a source row reaches, from `row_base` on; col_start, col_target
    and `col_base` likewise.  k0 .. k1, first_row .. end_row: the tile; columns: output columns.
    per_channel 0: every output channel sees every tap, and active int64
    [rows * columns] counts per position; 1: a tap belongs to the channel of its spike, and active
    int64 [rows * columns * (k1 - k0)] counts per neuron, channel last.
    """
    taps = 0
    weighted = value.shape[0] > 0
    depth = k1 - k0
    for i in range(index.shape[0]):
        position = index[i] // channels
        c = index[i] - position * channels
        if per_channel and (c < k0 or c >= k1):
            continue
        times = 1
        if weighted:
            times = value[i] if value[i] >= 0 else -value[i]
        y = row_base + position // width
        x = col_base + position % width
        for a in range(row_start[y], row_start[y + 1]):
            oy = row_target[a]
            if oy < first_row or oy >= end_row:
                continue
            line = (oy - first_row) * columns
            for b in range(col_start[x], col_start[x + 1]):
                at = line + col_target[b]
                if per_channel:
                    at = at * depth + c - k0
                active[at] += times
                taps += times
    return taps


@njit(cache=True)
def windows(active, counts, start, rows, columns, depth, per_channel, uk, uy, ux, numerator, denominator, least, lanes):
    """Runs all windows of one timestep.  Returns the cycle in which the neuron unit has finished the last group.

    active: taps to execute per window (see `count_taps`, also for per_channel).  start: first cycle.
    rows, columns, depth: the tile's output rows, columns and channels.  uk, uy, ux: windows unrolled over channels,
    rows, columns.
    A window of n taps takes ceil(n * numerator / denominator) cycles, a group at least `least`.  lanes: neurons that
    the neuron unit updates per cycle; 0 means it takes no time.
    counts int64 [4]: 0 compute cycles, 1 cycles the array waited for the neuron unit, 2 groups, 3 neuron-unit cycles.
    """
    ready = start
    unit_free = start
    for oy in range(0, rows, uy):
        ey = oy + uy if oy + uy < rows else rows
        for ox in range(0, columns, ux):
            ex = ox + ux if ox + ux < columns else columns
            most = 0
            if not per_channel:
                for y in range(oy, ey):
                    for x in range(ox, ex):
                        if active[y * columns + x] > most:
                            most = active[y * columns + x]
            for k in range(0, depth, uk):
                ek = k + uk if k + uk < depth else depth
                if per_channel:
                    most = 0
                    for y in range(oy, ey):
                        for x in range(ox, ex):
                            for c in range(k, ek):
                                if active[(y * columns + x) * depth + c] > most:
                                    most = active[(y * columns + x) * depth + c]
                cycles = (most * numerator + denominator - 1) // denominator
                if cycles < least:
                    cycles = least
                end = ready + cycles
                moved = unit_free if unit_free > end else end
                neurons = (ey - oy) * (ex - ox) * (ek - k)
                busy = (neurons + lanes - 1) // lanes if lanes else 0
                unit_free = moved + busy
                ready = moved
                counts[0] += cycles
                counts[1] += moved - end
                counts[2] += 1
                counts[3] += busy
    return unit_free
