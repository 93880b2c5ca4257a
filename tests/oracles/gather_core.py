"""Plain definition of a gather core's timing: a PE array and a neuron unit, one cycle after another."""

from __future__ import annotations


def oracle_taps(spikes, rows_of, cols_of, tile, shape, per_channel) -> dict[tuple[int, int, int], int]:
    """Taps per output neuron (oy, ox, k) of the tile; `rows_of[y]` and `cols_of[x]` list the outputs a source reaches.

    spikes: (flat channel-last index, times); tile: (first_row, end_row, k0, k1); shape: (channels, width, columns).
    """
    first, end, k0, k1 = tile
    channels, width, columns = shape
    taps = {}
    for oy in range(first, end):
        for ox in range(columns):
            for k in range(k0, k1):
                taps[oy, ox, k] = sum(
                    times * rows_of[flat // channels // width].count(oy) * cols_of[flat // channels % width].count(ox)
                    for flat, times in spikes
                    if not per_channel or flat % channels == k
                )
    return taps


def oracle_windows(groups, start, numerator, denominator, least, lanes) -> tuple[int, int, int]:
    """(cycle in which the neuron unit is done, cycles the array computed, cycles it waited) for groups in order.

    groups: the taps of every neuron of a group, group by group.
    """
    t = start
    unit_left = 0
    worked = waited = 0
    pending = list(groups)
    array_left = -1
    while pending or unit_left:
        if array_left == 0 and unit_left == 0:  # the sums move, the next group may start in this cycle
            neurons = len(pending.pop(0))
            unit_left = -(-neurons // lanes) if lanes else 0
            array_left = -1
        if array_left < 0 and pending:
            most = max(pending[0])
            array_left = max(least, next(n for n in range(most * numerator + 1) if n * denominator >= most * numerator))
        if not pending and not unit_left:
            break
        if array_left > 0:
            array_left -= 1
            worked += 1
        elif array_left == 0:
            waited += 1
        unit_left = max(0, unit_left - 1)
        t += 1
    return t, worked, waited
