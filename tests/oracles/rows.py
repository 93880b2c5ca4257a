"""Rows of a Schedule one after another: the plain definition of `simulator.kernels.rows`."""

from __future__ import annotations

from collections.abc import Sequence

from simulator.costmodel.timing import Row


def run_rows(
    rows: Sequence[Row],
    hold: Sequence[float],
    done: Sequence[float],
    use: Sequence[float],
    layers: int,
    launch: float,
    depth: int,
) -> tuple[float, list[float], list[float], list[float]]:
    """End of a repetition; busy time, first start (-1: never) and last end of each layer, ps.

    The host hands rows out in order, one every `launch`, and waits while the row's unit has `depth` commands that it
    has not taken; a unit takes the next command when it is free.  A row starts when its command is there, its unit is
    free and the rows before it are complete; it holds its unit for hold[price], and is complete after done[price].
    A memory does use[price] for a row, row after row; a row is not complete before that, and holds its unit as much
    longer.
    """
    complete: list[float] = []
    worked: dict[int, float] = {}
    freed: dict[int, list[float]] = {}
    put = 0.0
    busy, last, first = [0.0] * layers, [0.0] * layers, [-1.0] * layers
    for row in rows:
        mine = freed.setdefault(row.unit, [])
        put += launch
        taken = len(mine) - depth - 1
        if taken >= 0 and mine[taken] > put:
            put = mine[taken]
        start = max(put, mine[-1]) if mine else put
        for i in row.after:
            if complete[i] > start:
                start = complete[i]
        end = start + done[row.price]
        if row.memory >= 0:
            free = worked.get(row.memory, 0.0)
            end = max(end, free + use[row.price])
            worked[row.memory] = max(free, start) + use[row.price]
        mine.append(end - done[row.price] + hold[row.price])
        complete.append(end)
        if row.computes:
            n = row.layer
            busy[n] += max(0.0, end - max(start, last[n]))
            last[n] = max(last[n], end)
            if first[n] < 0:
                first[n] = start
    return max(complete, default=0.0), busy, first, last
