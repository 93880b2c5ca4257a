"""What a unit did in each of its cycles: busy > stall (first cause in declared order) > idle.

A unit reports intervals in its own cycles, in any order within a task; `commit` paints them once the past can no
longer change, adds the totals, the busy bins and, where asked for, the timeline.  Parts of a unit (the tiles of a bank,
the layers on them) may have tracks of their own in the timeline, beside what the unit as a whole does.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

BINS = 2048


class StateLog:
    """Totals, busy bins and timeline of one unit; `causes` are its stalls in declared order.

    `paint` lays intervals over each other (`simulator.kernels.sweep`), `add_runs` splits them at bin edges
    (`simulator.kernels.bins`); the machine hands them in, for this room knows no kernels.
    """

    def __init__(
        self, causes: tuple[str, ...], paint: Callable[..., int], add_runs: Callable[..., None], timeline: bool = False
    ) -> None:
        self.causes, self._paint, self._add_runs = causes, paint, add_runs
        self._depth = np.zeros(len(causes) + 1, np.int64)
        self.pending = 0  # intervals reported since the last commit
        self.busy = 0
        self.stall = [0] * len(causes)
        self.waits: dict[str, int] = {}
        self.bins = np.zeros(BINS, np.int64)
        self.bin_cycles = 1
        self.timeline = timeline
        self.tracks: dict[tuple[str, str], list[tuple[np.ndarray, int]]] = {}
        self.segments: list[tuple[np.ndarray, np.ndarray, np.ndarray, int]] | None = [] if timeline else None
        self._kinds: list[list[tuple[int, int]]] = [[] for _ in range(len(causes) + 1)]
        self._blocks: list[tuple[int, np.ndarray]] = []
        self._cause_index = {c: i + 1 for i, c in enumerate(causes)}

    def add_busy(self, start: int, end: int) -> None:
        """The unit works in cycles start .. end (exclusive)."""
        if end > start:
            self._kinds[0].append((start, end))
            self.pending += 1

    def add_busy_runs(self, runs: np.ndarray) -> None:
        """Many busy intervals: int64 [n, 2] of start and end."""
        if runs.size:
            self._blocks.append((0, runs))
            self.pending += len(runs)

    def add_stall(self, cause: str, start: int, end: int) -> None:
        """The unit waits for `cause` in cycles start .. end, unless it works or waits for an earlier cause."""
        if end > start:
            self._kinds[self._cause_index[cause]].append((start, end))
            self.pending += 1

    def add_stall_runs(self, cause: str, runs: np.ndarray) -> None:
        """Many stall intervals of one cause: int64 [n, 2]."""
        if runs.size:
            self._blocks.append((self._cause_index[cause], runs))
            self.pending += len(runs)

    def add_wait(self, cause: str, cycles: int) -> None:
        """Cycles that requesters inside the unit waited; several may wait in one cycle."""
        if cycles:
            self.waits[cause] = self.waits.get(cause, 0) + cycles

    def add_track(self, kind: str, name: str) -> None:
        """A part of the unit gets a track, where a timeline is asked for; tracks keep the order in which they came."""
        if self.timeline:
            self.tracks[kind, name] = []

    def add_track_runs(self, kind: str, name: str, runs: np.ndarray, ref: int) -> None:
        """Busy intervals of a part for layer `ref`: int64 [n, 2], disjoint, later than all earlier ones."""
        if self.timeline and runs.size:
            self.tracks[kind, name].append((runs, ref))

    def commit(self, ref: int, until: int | None = None) -> int:
        """Paints everything reported since the last commit; `ref` is the layer.  Returns the busy cycles added.

        With `until` only cycles before it are painted: nothing that is reported later may lie there.  The rest waits.
        """
        starts, ends, kinds = self._collect()
        self.pending = 0
        if until is not None and starts.size:
            late = ends > until
            self._keep(np.maximum(starts[late], until), ends[late], kinds[late])
            ends = np.minimum(ends, until)
            early = starts < ends
            starts, ends, kinds = starts[early], ends[early], kinds[early]
        if starts.size == 0:
            return 0
        times = np.concatenate((starts, ends))
        seg_start, seg_end, seg_state = (np.empty(times.size, np.int64) for _ in range(3))
        order = np.argsort(times)
        n = self._paint(times, order, kinds, self._depth, seg_start, seg_end, seg_state)
        seg_start, seg_end, seg_state = seg_start[:n], seg_end[:n], seg_state[:n]
        length = seg_end - seg_start
        busy = seg_state == 0
        added = int(length[busy].sum())
        self.busy += added
        for i in range(len(self.causes)):
            self.stall[i] += int(length[seg_state == i + 1].sum())
        if busy.any():
            self._bin(seg_start[busy], seg_end[busy])
        if self.segments is not None:
            self.segments.append((seg_start.copy(), length, seg_state.astype(np.uint8), ref))
        return added

    def intervals(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Timeline of the unit: int64 start and duration, uint8 kind (0 busy, then causes), int32 ref, in time order.

        Where a commit cut the time is no property of the machine, so neighbours of one kind and ref are one interval.
        """
        parts = self.segments or []
        start, duration, kind = (np.concatenate([np.empty(0, np.int64), *(p[i] for p in parts)]) for i in range(3))
        ref = np.repeat(np.array([p[3] for p in parts], np.int64), [p[0].size for p in parts])
        order = np.argsort(start, kind="stable")
        start, duration, kind, ref = (column[order] for column in (start, duration, kind, ref))
        end = start + duration
        joined = (end[:-1] == start[1:]) & (kind[:-1] == kind[1:]) & (ref[:-1] == ref[1:])
        first = np.flatnonzero(np.concatenate(([True], ~joined))[: start.size])
        last = np.flatnonzero(np.concatenate((~joined, [True]))[: start.size])
        return start[first], end[last] - start[first], kind[first].astype(np.uint8), ref[first].astype(np.int32)

    def _collect(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        parts: list[np.ndarray] = []
        kinds: list[np.ndarray] = []
        for kind, items in enumerate(self._kinds):
            if items:
                parts.append(np.array(items, np.int64))
                kinds.append(np.full(len(items), kind, np.int64))
                items.clear()
        for kind, runs in self._blocks:
            parts.append(runs)
            kinds.append(np.full(len(runs), kind, np.int64))
        self._blocks.clear()
        if not parts:
            empty = np.empty(0, np.int64)
            return empty, empty, empty
        both = np.concatenate(parts)
        return both[:, 0], both[:, 1], np.concatenate(kinds)

    def _keep(self, starts: np.ndarray, ends: np.ndarray, kinds: np.ndarray) -> None:
        for kind in range(len(self._kinds)):
            mine = kinds == kind
            if mine.any():
                self._blocks.append((kind, np.stack((starts[mine], ends[mine]), axis=1)))
        self.pending = int(starts.size)

    def _bin(self, start: np.ndarray, end: np.ndarray) -> None:
        while int(end[-1]) > self.bin_cycles * BINS:  # halve the resolution: neighbours merge, sums stay exact
            self.bins[: BINS // 2] = self.bins[0::2] + self.bins[1::2]
            self.bins[BINS // 2 :] = 0
            self.bin_cycles *= 2
        self._add_runs(np.ascontiguousarray(start), np.ascontiguousarray(end), self.bin_cycles, self.bins)
