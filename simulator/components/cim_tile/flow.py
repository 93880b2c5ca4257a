"""Flow of a segment, kernel engine: its tables as flat arrays, and one kernel call."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from simulator.components.cim_tile.segment import Flow, Segment, Window
from simulator.errors import InvariantError
from simulator.kernels import cim_flow
from simulator.kernels.cim_flow_tables import (
    CAUSES,
    DONE,
    EMPTY,
    INPUT,
    JOIN,
    LEFT,
    NOW,
    OPEN,
    TRAIL,
    FlowState,
    FlowTables,
)


def run(segment: Segment, tracks: bool = False) -> Flow:
    """Runs `segment`; see `simulator/kernels/cim_flow_tables.py` for what happens.  `tracks`: fills `Flow.tracks`."""
    tables, totals = _tables(segment)
    state = _state(segment, tables, totals, tracks)
    layers, actors = len(segment.layers), (len(segment.inputs), len(segment.lanes), len(segment.homes))
    known, _ = _pack((*tables[:4], *actors, sum(actors), tables.member_start.size - 1, layers), tables[4:])
    arena, views = _pack(state.st.tolist(), state[1:-1])
    found = cim_flow.flow(known, arena, state.runs)
    if arena[LEFT]:
        raise InvariantError(f"crossbar tiles: {int(arena[LEFT])} positions wait for each other for ever")
    runs = state.runs[:found]
    work, span, waits, trail = views[-4:]
    kinds = tuple(runs[runs[:, 2] == kind, :2] for kind in range(INPUT + 1))
    return Flow(
        end=int(arena[NOW]),
        span=np.maximum(span, 0),
        active=work[:layers, 2],
        tiles=work[layers:, 2],
        waits=waits,
        runs=kinds,
        tracks=_tracks(trail[: int(arena[TRAIL])], len(work)) if tracks else None,
    )


def _tracks(trail: np.ndarray, rows: int) -> tuple[np.ndarray, ...]:
    """Intervals of each row of `FlowState.work`; those that touch are one."""
    trail = trail[np.argsort(trail[:, 0], kind="stable")]
    apart = (trail[1:, 0] != trail[:-1, 0]) | (trail[1:, 1] != trail[:-1, 2])
    first = np.flatnonzero(np.concatenate(([True], apart))[: len(trail)])
    last = np.flatnonzero(np.concatenate((apart, [True]))[: len(trail)])
    intervals = np.stack((trail[first, 1], trail[last, 2]), axis=1)
    return tuple(np.split(intervals, np.searchsorted(trail[first, 0], np.arange(1, rows))))


def _pack(head: Sequence[int], arrays: Sequence[np.ndarray]) -> tuple[np.ndarray, list[np.ndarray]]:
    """One int64 array of `head`, where each of `arrays` begins, and all of them; and views of these in their shapes.

    A kernel that gets two arrays instead of forty compiles and runs several times faster.
    """
    begin = _starts([len(head) + len(arrays), *(array.size for array in arrays)])[1:]
    packed = np.zeros(int(begin[-1]), np.int64)
    packed[: len(head)] = head
    packed[len(head) : len(head) + len(arrays)] = begin[:-1]
    views = [packed[low:high].reshape(a.shape) for a, low, high in zip(arrays, begin[:-1], begin[1:], strict=True)]
    for view, array in zip(views, arrays, strict=True):
        view[...] = array
    return packed, views


def _table(rows: Iterable[Sequence[int]], columns: int) -> np.ndarray:
    return np.array(list(rows), np.int64).reshape(-1, columns)


def _starts(lengths: Iterable[int]) -> np.ndarray:
    return np.concatenate(([0], np.cumsum(np.array(list(lengths), np.int64)))).astype(np.int64)


def _flat(arrays: Sequence[np.ndarray], columns: int) -> np.ndarray:
    parts = [np.empty((0, columns), np.int64), *(a.reshape(-1, columns) for a in arrays)]
    return np.ascontiguousarray(np.concatenate(parts), np.int64)


class _Needs:
    """Tables of windows one after the other; a table that several windows share is stored once."""

    def __init__(self) -> None:
        self.parts: list[np.ndarray] = [np.zeros(1, np.int64)]
        self.size = 1
        self.known: dict[int, int] = {}

    def add(self, window: Window) -> int:
        """Where the table of `window` starts."""
        key = id(window.need)
        if key not in self.known:
            self.known[key] = self.size
            self.parts.append(window.need)
            self.size += window.need.size
        return self.known[key]


def mine(segment: Segment, layer: int, copy: int) -> int:
    """Positions of all timesteps that a copy of a layer makes."""
    flow = segment.layers[layer]
    stream = segment.streams[flow.stream]
    per_step = max(0, -(-(stream.positions - copy) // flow.copies))
    return per_step * max(0, segment.steps - stream.first)


def _tables(segment: Segment) -> tuple[FlowTables, tuple[list[int], list[int], list[int]]]:
    """The tables, and the vectors of each lane, the positions of each home and of each input."""
    s = segment
    flags = _starts(stream.positions * s.steps for stream in s.streams)
    lanes = [mine(s, lane.layer, lane.copy) for lane in s.lanes]
    homes = [mine(s, home.layer, home.copy) for home in s.homes]
    inputs = [s.streams[i.stream].positions * (s.steps - s.streams[i.stream].first) for i in s.inputs]
    vector_at = _starts(flow.vectors.size // 4 for flow in s.layers)
    position_at = _starts(flow.homes.size // 4 for flow in s.layers)
    needs = _Needs()
    when, ready = _starts(lanes), _starts([*homes, *inputs])
    lane_rows = []
    for i, lane in enumerate(s.lanes):
        window = (-1, 0, 0) if lane.window is None else (lane.window.stream, lane.window.delay, needs.add(lane.window))
        lane_rows.append((lane.layer, lane.copy, lane.block, lane.home, lane.send, *window, int(when[i])))
    windows = [(w.stream, w.delay, needs.add(w)) for home in s.homes for w in home.windows]
    window_at = _starts(len(home.windows) for home in s.homes)
    arrival_at = _starts(i.cycles.size for i in s.inputs)
    of_home: list[list[int]] = [[] for _ in s.homes]
    watch: list[list[int]] = [[] for _ in s.streams]
    for i, lane in enumerate(s.lanes):
        of_home[lane.home].append(i)
        if lane.window is not None:
            watch[lane.window.stream].append(i)
    resource, member_start, member = _ports(s)
    tables = FlowTables(
        steps=s.steps,
        depth=s.depth,
        hop=s.hop,
        buffered=s.buffered,
        stream=_table(((made.positions, made.first, flags[i]) for i, made in enumerate(s.streams)), 3),
        layer=_table(
            (
                (made.stream, made.copies, made.vectors.shape[2], vector_at[i], position_at[i])
                for i, made in enumerate(s.layers)
            ),
            5,
        ),
        lane=_table(lane_rows, 9),
        home=_table(
            ((h.layer, h.copy, ready[i], window_at[i], window_at[i + 1]) for i, h in enumerate(s.homes)),
            5,
        ),
        source=_table(((v.stream, arrival_at[i], ready[len(homes) + i]) for i, v in enumerate(s.inputs)), 3),
        window=_table(windows, 3),
        need=np.concatenate(needs.parts).astype(np.int64),
        gate_start=_starts(len(r) for r in s.readers),
        gate=_table((reader for readers in s.readers for reader in readers), 2),
        home_lane_start=_starts(len(found) for found in of_home),
        home_lane=np.array([i for found in of_home for i in found], np.int64),
        watch_start=_starts(len(found) for found in watch),
        watch=np.array([i for found in watch for i in found], np.int64),
        resource=resource,
        member_start=member_start,
        member=member,
        vector=_flat([flow.vectors for flow in s.layers], 4),
        position=_flat([flow.homes for flow in s.layers], 4),
        arrival=_flat([i.cycles for i in s.inputs], 1)[:, 0].copy(),
    )
    return tables, (lanes, homes, inputs)


def _ports(s: Segment) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Port of every request, and the requests of every port: buffer ports, egresses, the input port."""
    tiles = [lane.tile for lane in s.lanes] + [home.tile for home in s.homes]
    last = s.tiles + s.egresses
    resource = [last] * len(s.inputs) + tiles + [-1] * len(s.inputs) + [s.tiles + s.egress(tile) for tile in tiles]
    members: list[list[int]] = [[] for _ in range(last + 1)]
    for request, port in enumerate(resource):
        if port >= 0:
            members[port].append(request)
    flat = np.array([request for found in members for request in found], np.int64)
    return np.array(resource, np.int64), _starts(len(found) for found in members), flat


def _state(
    segment: Segment, tables: FlowTables, totals: tuple[list[int], list[int], list[int]], tracks: bool
) -> FlowState:
    """Everything at rest in cycle 0."""
    lanes, homes, inputs = (np.array(values, np.int64) for values in totals)
    ports, requests = tables.member_start.size - 1, tables.resource.size
    vectors, positions = int(lanes.sum()), int(homes.sum()) + int(inputs.sum())
    state = FlowState(
        st=np.zeros(9, np.int64),
        heap=np.zeros(ports + 4 * lanes.size + 2 * homes.size + inputs.size + 1, np.int64),
        when=np.zeros(vectors, np.int64),
        ready=np.zeros(positions, np.int64),
        flag=np.zeros(sum(stream.positions for stream in segment.streams) * segment.steps, np.uint8),
        prefix=np.array([min(stream.first, segment.steps) * stream.positions for stream in segment.streams], np.int64),
        lane=np.zeros((lanes.size, 9), np.int64),
        home=np.zeros((homes.size, 8), np.int64),
        source=np.zeros((inputs.size, 5), np.int64),
        asked=np.full(requests, -1, np.int64),
        held=np.zeros(requests, np.int64),
        holder=np.full(ports, -1, np.int64),
        queue=np.zeros(ports, np.int64),
        dirty=np.zeros(requests + ports, np.int64),
        work=np.zeros((len(segment.layers) + segment.tiles, 3), np.int64),
        span=np.full((len(segment.layers), 2), -1, np.int64),
        waits=np.zeros((len(segment.layers), CAUSES), np.int64),
        trail=np.zeros((2 * (vectors + positions) if tracks else 0, 3), np.int64),
        runs=np.zeros((5 * (vectors + positions) + 8, 3), np.int64),
    )
    state.st[LEFT], state.st[TRAIL] = positions, 0 if tracks else -1
    state.lane[:, 4], state.lane[:, 5], state.lane[:, 8] = lanes, np.where(lanes > 0, OPEN, EMPTY), -1
    state.home[:, 3], state.home[:, 4], state.home[:, 7] = homes, np.where(homes > 0, JOIN, DONE), -1
    state.source[:, 3], state.source[:, 4] = inputs, np.where(inputs > 0, 0, -1)
    return state
