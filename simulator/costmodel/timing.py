"""Timing of a repetition: when each row of a Schedule starts and ends, given how long it takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Row(NamedTuple):
    """unit, layer; earlier rows of the same part that must be complete; number of its price."""

    unit: int
    layer: int
    after: tuple[int, ...]
    price: int
    computes: bool


class Span(NamedTuple):
    """Of one repetition, in ps: its end; busy time, start (-1: never) and end of each layer."""

    end: float
    busy: list[float]
    start: list[float]
    last: list[float]


def run_rows(
    rows: Sequence[Row], hold: Sequence[float], done: Sequence[float], layers: int, launch: float, depth: int
) -> Span:
    """Rows one after another as the host hands them out: each starts when its command is there, its unit is free and
    the rows before it are complete; it holds its unit for hold[price] and is complete done[price] after its start, ps.

    launch: time of a command;  depth: commands that wait at a unit.  A unit may have taken one more.
    """
    complete: list[float] = []
    freed: dict[int, list[float]] = {}
    put = 0.0
    busy, until, first = [0.0] * layers, [0.0] * layers, [-1.0] * layers
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
        mine.append(start + hold[row.price])
        end = start + done[row.price]
        complete.append(end)
        if row.computes:
            n = row.layer
            busy[n] += max(0.0, end - max(start, until[n]))
            until[n] = max(until[n], end)
            if first[n] < 0:
                first[n] = start
    return Span(max(complete, default=0.0), busy, first, until)
