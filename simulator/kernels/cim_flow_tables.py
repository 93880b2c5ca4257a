"""Flow of vectors, partial sums and spikes through a bank of crossbar tiles: definition, tables and state.

Plain definition, in cycles of the bank from the start of the segment.  A *lane* is a row block of one copy of a layer
in one tile; a *home* is the accumulation and neuron unit of one copy.  (t, p) is a timestep and an output position.

input   position after position of an input population, in (t, p) order: passes its gate, holds the chip's input port,
        and is available one hop later.
lane    takes the positions of its copy in (t, p) order.  A vector is fetched over the buffer port of the tile once its
        window is available and the input register is free; it starts (and frees the register) when it is fetched, the
        PE is free and fewer than `depth` earlier results are not yet taken; the PE is free again `occ` cycles later.
        Results leave the PE `lat` cycles after the start, in order, and, where the home is in another tile, over the
        egress of the lane's tile plus a hop.
home    takes position after position of its copy: waits for the results of all its lanes, for its own windows
        (one-to-one sources) and its gate; fetches its own rows, works, writes the spikes over the buffer port and,
        where a reader lives in another tile, sends them over the egress; a hop later the position is available.
window  a number of leading positions of a timestep of a source that must be available, in raster order.
gate    timestep t of a population may begin when every reader with delay d has made timestep t - buffered + d: it then
        takes the room of timestep t - buffered.
port    buffer ports, egresses and the input port serve one request at a time, first come first served, ties by number
        of the requester; a release and a request of one cycle: the release counts.

All state of one cycle is settled before ports are granted, so the order of events within a cycle does not matter.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

BUSY, NETWORK, PARTIAL_SUM, PORT, INPUT, OUTPUT = 0, 1, 2, 3, 4, 5
"""States of the bank in order of precedence; from NETWORK on also causes of waiting (OUTPUT: a gate)."""
CAUSES = 6
JOIN, WINDOW, GATE, TAKEN, WRITE, DONE = 0, 1, 2, 3, 4, 5
"""Stages of a home: waits for results, its own rows, its gate; at work; writes; all done."""
EMPTY, OPEN, FETCH, FULL = 0, 1, 2, 3
"""A lane's register: no vector left; the next one waits for its window; for its port; is there."""
NOW, HEAP, DIRTY, WORKING, SENDING, JOINING, ASKING, LEFT, TRAIL = 0, 1, 2, 3, 4, 5, 6, 7, 8
"""First entries of the state: `FlowState.st`."""

STEPS, DEPTH, HOP, BUFFERED, INPUTS, LANES, HOMES, ACTORS, PORTS, LAYERS = 0, 1, 2, 3, 4, 5, 6, 7, 8, 9
"""First entries of the tables: the scalars of `FlowTables`, then inputs, lanes, homes, actors, ports and layers."""
T_STREAM = 10
T_LAYER = 11
T_LANE = 12
T_HOME = 13
T_SOURCE = 14
T_WINDOW = 15
T_NEED = 16
T_GATE_START = 17
T_GATE = 18
T_HOME_LANE_START = 19
T_HOME_LANE = 20
T_WATCH_START = 21
T_WATCH = 22
T_RESOURCE = 23
T_MEMBER_START = 24
T_MEMBER = 25
T_VECTOR = 26
T_POSITION = 27
T_ARRIVAL = 28
"""Entries of the tables that say where each array of `FlowTables` begins in them; rows follow each other."""
S_HEAP = 9
S_WHEN = 10
S_READY = 11
S_FLAG = 12
S_PREFIX = 13
S_LANE = 14
S_HOME = 15
S_SOURCE = 16
S_ASKED = 17
S_HELD = 18
S_HOLDER = 19
S_QUEUE = 20
S_DIRTY = 21
S_WORK = 22
S_SPAN = 23
S_WAITS = 24
S_TRAIL = 25
"""Likewise for the arrays of `FlowState` in the state; `runs` is an array of its own."""


class FlowTables(NamedTuple):
    """What flows; int64 arrays, not changed.  L layers, N lanes, H homes, I inputs, S streams, Q = I + N + H actors.

    steps, depth, hop, buffered: timesteps, results that wait per lane, cycles of a hop, timesteps a buffer holds.
    stream [S, 3]: positions per timestep, first timestep that is made here, offset in `flag`.
    layer [L, 5]: stream, copies, row blocks, offset in `vector`, offset in `position`.
    lane [N, 9]: layer, copy, row block, home, cycles per result sent (0: home in this tile), window stream or -1,
        window delay, offset of its window in `need`, offset of its vectors in `FlowState.when`.
    home [H, 5]: layer, copy, offset of its positions in `FlowState.ready`, its first and last + 1 row of `window`.
    source [I, 3]: stream, offset of its timesteps in `arrival`, offset in `FlowState.ready`.
    window [W, 3]: stream, delay, offset in `need`, of homes.     need: positions that must be there, per position.
    gate_start [S + 1], gate [G, 2]: readers of a stream: stream that the reader makes, delay.
    home_lane_start [H + 1], home_lane: lanes of each home.
    watch_start [S + 1], watch: lanes whose window is in the stream.
    resource [2 Q]: port of an actor's fetch, write or arrival, then egress of each actor; -1: none.
    member_start [R + 1], member: requests 0 .. 2 Q that may ask for each port, rising.
    vector [V, 4]: lat, occ, fetch, active (0: the vector is skipped) by layer, timestep, position, row block.
    position [P, 4]: fetch, work, write, send cycles of homes, by layer, timestep, position (send 0: no reader outside).
    arrival [A]: cycles on the input port, by input, timestep, position.
    """

    steps: int
    depth: int
    hop: int
    buffered: int
    stream: np.ndarray
    layer: np.ndarray
    lane: np.ndarray
    home: np.ndarray
    source: np.ndarray
    window: np.ndarray
    need: np.ndarray
    gate_start: np.ndarray
    gate: np.ndarray
    home_lane_start: np.ndarray
    home_lane: np.ndarray
    watch_start: np.ndarray
    watch: np.ndarray
    resource: np.ndarray
    member_start: np.ndarray
    member: np.ndarray
    vector: np.ndarray
    position: np.ndarray
    arrival: np.ndarray


class FlowState(NamedTuple):
    """What is where; int64 arrays, with these sizes and first values.

    st [9] zero: cycle, events in the heap, ports to grant, lanes and homes at work, messages on their way, lanes and
        homes that wait for partial sums, requests for buffer ports, positions that are not available yet (all), and
        rows of `trail` (-1: nobody wants them).
    heap [R + 4 N + 2 H + I + 1].     when [vectors of all lanes]: cycle of a result, then of its arrival.
    ready [positions of homes and inputs]: cycle in which a position becomes available.
    flag uint8 [positions of all streams] zero.     prefix [S]: leading positions that are available.
    lane [N, 9]: vectors started, with a result, sent, arrived (all 0), total; register; 1 while the PE is taken; since
        when the register waits; since when a fetched vector waits for room (-1: it does not).
    home [H, 8]: positions taken, passed on, available (all 0), total; stage; since when; results of its next position
        that are there; since when some but not all are (-1).
    source [I, 5]: positions that passed the gate, the port, are available (all 0), total; since when it waits (-1).
    asked [2 Q] -1, held [2 Q]: cycle and length of a request.     holder [R] -1: request that holds a port.
    queue [R] zero: requests that wait.     dirty [2 Q + R]: ports that may grant something in this cycle.
    work [L + tiles, 3] zero: lanes and homes of a layer, then of a tile, that work, since when, cycles so far.
    span [L, 2] -1: start and end of each layer.     waits [L, 6] zero: cycles by cause, of lanes and homes.
    trail [2 (vectors + positions), 3], no rows where nobody wants them: row of `work`, start and end of its work; one
        row may begin where an earlier one ends.
    runs [5 (vectors + positions) + 8, 3]: start, end, state of the bank.
    """

    st: np.ndarray
    heap: np.ndarray
    when: np.ndarray
    ready: np.ndarray
    flag: np.ndarray
    prefix: np.ndarray
    lane: np.ndarray
    home: np.ndarray
    source: np.ndarray
    asked: np.ndarray
    held: np.ndarray
    holder: np.ndarray
    queue: np.ndarray
    dirty: np.ndarray
    work: np.ndarray
    span: np.ndarray
    waits: np.ndarray
    trail: np.ndarray
    runs: np.ndarray
