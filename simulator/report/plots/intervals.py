"""Intervals of a timeline that fall into a window, read in chunks: memory stays bounded whatever their number."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from simulator.record import Record
from simulator.units import PS_PER_SECOND

CHUNK = 2**20
STALL = "stall:"


@dataclass(frozen=True)
class View:
    """What a window (ps) of a timeline holds.

    kinds: numbers of `Record.kinds` seen.  refs: layers (rows of the record) seen at work.
    rows: the intervals if there are fewer than the limit, else None; columns as in `chunks`.
    """

    low: int
    high: int
    count: int
    kinds: tuple[int, ...]
    refs: tuple[int, ...]
    rows: dict[str, np.ndarray] | None


@dataclass(frozen=True)
class Rows:
    """Rows of a picture: their names, from top to bottom, and the row of each unit and track (-1: not shown)."""

    names: tuple[str, ...]
    place: np.ndarray


def unit_rows(record: Record) -> Rows:
    """Every unit, and below it its layers where the timeline tells them apart."""
    names: list[str] = []
    place = np.full(len(record.units) + len(record.tracks), -1, np.int64)
    for u, unit in enumerate(record.units):
        place[u] = len(names)
        names.append(unit)
        for n, track in enumerate(record.tracks, start=len(record.units)):
            if track.unit == unit and track.kind == "layer":
                place[n] = len(names)
                names.append(track.name)
    return Rows(tuple(names), place)


def tile_rows(record: Record) -> Rows:
    """Every tile that has a track; the unit is named where there are several."""
    place = np.full(len(record.units) + len(record.tracks), -1, np.int64)
    shown = [(n, t) for n, t in enumerate(record.tracks, start=len(record.units)) if t.kind == "tile"]
    place[[n for n, _ in shown]] = np.arange(len(shown))
    several = len({track.unit for _, track in shown}) > 1
    return Rows(tuple(f"{t.unit} {t.name}" if several else t.name for _, t in shown), place)


def stalled_kinds(record: Record) -> np.ndarray:
    """Which kinds are stalls, bool [kinds]."""
    return np.array([name.startswith(STALL) for name in record.kinds], bool)


def chunks(record: Record, low: int, high: int, shown: Rows) -> Iterator[dict[str, np.ndarray]]:
    """Intervals of `shown` rows that touch the window, at most 2^20 at a time: row, kind, ref int64, start and end
    float64 ps."""
    if record.timeline is None:
        return
    units = (*record.units, *(track.unit for track in record.tracks))
    period = np.array([PS_PER_SECOND / record.hardware.clocks[record.cycles[u].clock] for u in units])
    for at in range(0, record.timeline["start"].size, CHUNK):
        rows = {name: column[at : at + CHUNK] for name, column in record.timeline.items()}
        unit = rows["unit"].astype(np.int64)
        start = rows["start"] * period[unit]
        end = start + rows["duration"] * period[unit]
        keep = (end > low) & (start < high) & (shown.place[unit] >= 0)
        columns = {"row": shown.place[unit], "kind": rows["kind"].astype(np.int64), "ref": rows["ref"].astype(np.int64)}
        yield {name: values[keep] for name, values in {**columns, "start": start, "end": end}.items()}


def look_at(record: Record, low: int, high: int, limit: int, shown: Rows) -> View:
    """Counts what the window holds of `shown` rows, and keeps the intervals while they are fewer than `limit`."""
    count, kept = 0, []
    seen = {"kind": np.zeros(len(record.kinds), bool), "ref": np.zeros(len(record.layers), bool)}
    stalled = stalled_kinds(record)
    for rows in chunks(record, low, high, shown):
        count += rows["row"].size
        seen["kind"][rows["kind"]] = True
        seen["ref"][rows["ref"][~stalled[rows["kind"]]]] = True
        if count < limit:
            kept.append(rows)
    merged = None
    if count < limit:
        names = ("row", "kind", "ref", "start", "end")
        merged = {name: np.concatenate([np.empty(0, np.int64), *(rows[name] for rows in kept)]) for name in names}
    kinds, refs = (tuple(np.flatnonzero(seen[name]).tolist()) for name in ("kind", "ref"))
    return View(low, high, count, kinds, refs, merged)


def silent_units(record: Record) -> list[int]:
    """Units (rows) that worked but left no interval in the timeline."""
    seen: set[int] = set()
    if record.timeline is not None:
        column = record.timeline["unit"]
        for at in range(0, column.size, CHUNK):
            seen |= set(np.unique(column[at : at + CHUNK]).tolist())
    return [u for u, unit in enumerate(record.units) if record.cycles[unit].busy and u not in seen]


def mixed_image(
    record: Record, low: int, high: int, bins: int, colour: Callable[[int, int], np.ndarray], shown: Rows
) -> np.ndarray:
    """float64 [rows, bins, 3]: white mixed with the colours of what filled each bin, by share of its time.

    colour(kind, ref) is the red, green and blue (0 .. 1) of an interval; a stall's colour must not depend on ref.
    """
    edges = np.linspace(low, high, bins + 1)
    image = np.ones((len(shown.names), bins, 3))
    stalled = stalled_kinds(record)
    for rows in chunks(record, low, high, shown):
        ref = np.where(stalled[rows["kind"]], 0, rows["ref"])
        order = np.lexsort((rows["start"], ref, rows["kind"], rows["row"]))
        row, kind, ref, start, end = (c[order] for c in (rows["row"], rows["kind"], ref, rows["start"], rows["end"]))
        borders = np.flatnonzero((np.diff(row) != 0) | (np.diff(kind) != 0) | (np.diff(ref) != 0)) + 1
        for a, b in zip([0, *borders.tolist()], [*borders.tolist(), row.size], strict=True):
            if a < b:
                share = filled_share(start[a:b], end[a:b], edges)
                image[row[a]] -= share[:, None] * (1.0 - colour(int(kind[a]), int(ref[a])))
    return np.clip(image, 0.0, 1.0)


def filled_share(start: np.ndarray, end: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Share of each bin that sorted, disjoint intervals fill: differences of the time filled up to each edge."""
    points = np.stack([start, end], axis=1).reshape(-1)
    length = np.cumsum(end - start)
    filled = np.stack([length - (end - start), length], axis=1).reshape(-1)
    return np.diff(np.interp(edges, points, filled)) / np.diff(edges)
