"""Flow of vectors, partial sums and spikes through a bank of crossbar tiles, as discrete events: one call per segment.

`kernels/cim_flow_tables.py` holds the definition, `kernels/cim_flow_moves.py` what happens within a cycle.
"""

from __future__ import annotations

from numba import njit

from simulator.kernels.cim_flow_moves import (
    ask,
    begin_work,
    pass_on,
    place,
    pop,
    position_of,
    publish,
    push,
    try_fetch,
    try_input,
    try_start,
    try_take,
    vector_of,
    work,
)
from simulator.kernels.cim_flow_tables import (
    ACTORS,
    ASKING,
    BUSY,
    DIRTY,
    FULL,
    HEAP,
    HOMES,
    HOP,
    INPUT,
    INPUTS,
    JOIN,
    JOINING,
    LANES,
    LEFT,
    NETWORK,
    NOW,
    PARTIAL_SUM,
    PORT,
    PORTS,
    S_ASKED,
    S_DIRTY,
    S_HEAP,
    S_HELD,
    S_HOLDER,
    S_HOME,
    S_LANE,
    S_QUEUE,
    S_READY,
    S_SOURCE,
    S_SPAN,
    S_WAITS,
    S_WHEN,
    SENDING,
    T_HOME,
    T_LANE,
    T_LAYER,
    T_MEMBER,
    T_MEMBER_START,
    T_POSITION,
    T_SOURCE,
    T_STREAM,
    T_VECTOR,
    TAKEN,
    WORKING,
    WRITE,
)


@njit(cache=True)
def flow(tables, state, runs):
    """Runs a segment to its end; returns the number of rows in `runs`.

    tables int64 [..]: `FlowTables` one behind the other, not changed.
    state int64 [..]: `FlowState` likewise, in its first state (in, out).     runs: `FlowState.runs` (out).
    """
    homes = tables[HOMES]
    width = tables[PORTS] + 4 * tables[LANES] + 2 * homes + tables[INPUTS]
    found = 0
    for i in range(tables[INPUTS]):
        try_input(tables, state, i)
    for lane in range(tables[LANES]):
        try_fetch(tables, state, lane, width)
    for home in range(homes):
        if state[state[S_HOME] + 8 * home + 4] == JOIN:
            try_take(tables, state, home, width)
    while True:
        while state[HEAP] > 0 and state[state[S_HEAP]] // width == state[NOW]:
            happen(tables, state, pop(state) % width, width)
        while state[DIRTY] > 0:
            state[DIRTY] -= 1
            grant(tables, state, state[state[S_DIRTY] + state[DIRTY]], width)
        if state[LEFT] == 0 or state[HEAP] == 0:
            return found
        kind = INPUT
        if state[WORKING] > 0:
            kind = BUSY
        elif state[SENDING] > 0:
            kind = NETWORK
        elif state[JOINING] > 0:
            kind = PARTIAL_SUM
        elif state[ASKING] > 0:
            kind = PORT
        now, then = state[NOW], state[state[S_HEAP]] // width
        if found > 0 and runs[found - 1, 2] == kind:
            runs[found - 1, 1] = then
        else:
            runs[found, 0], runs[found, 1], runs[found, 2] = now, then, kind
            found += 1
        state[NOW] = then


@njit(cache=True)
def grant(tables, state, port, width):
    """A free `port` serves the request that has waited longest, the lowest number among equals; tables, state as in
    `flow`, width: number of event codes."""
    if state[state[S_HOLDER] + port] >= 0 or state[state[S_QUEUE] + port] == 0:
        return
    best, since = -1, state[NOW] + 1
    for i in range(tables[tables[T_MEMBER_START] + port], tables[tables[T_MEMBER_START] + port + 1]):
        request = tables[tables[T_MEMBER] + i]
        if 0 <= state[state[S_ASKED] + request] < since:
            best, since = request, state[state[S_ASKED] + request]
    state[state[S_ASKED] + best] = -1
    state[state[S_QUEUE] + port] -= 1
    state[state[S_HOLDER] + port] = best
    now = state[NOW]
    push(state, now + state[state[S_HELD] + best], port, width)
    actors, sources, lanes = tables[ACTORS], tables[INPUTS], tables[LANES]
    actor = best % actors
    if actor >= sources:
        layer = (
            tables[tables[T_LANE] + 9 * (actor - sources)]
            if actor < sources + lanes
            else tables[tables[T_HOME] + 5 * (actor - sources - lanes)]
        )
        state[state[S_WAITS] + 6 * layer + (NETWORK if best >= actors else PORT)] += now - since


@njit(cache=True)
def happen(tables, state, code, width):
    """Event `code` (of `width`) happens in this cycle: a port is released, a PE free, a result made, a message there, a
    register full, a home done, a position available; tables, state as in `flow`."""
    ports, lanes, homes = tables[PORTS], tables[LANES], tables[HOMES]
    if code < ports:
        release(tables, state, code, width)
        return
    code -= ports
    if code < lanes:
        state[state[S_LANE] + 9 * code + 6] = 0
        try_start(tables, state, code, width)
    elif code < 2 * lanes:
        result(tables, state, code - lanes, width)
    elif code < 3 * lanes:
        state[SENDING] -= 1
        lane = code - 2 * lanes
        arrive(tables, state, lane, width)
        if state[state[S_LANE] + 9 * lane + 2] > state[state[S_LANE] + 9 * lane + 3]:
            push(
                state,
                state[state[S_WHEN] + tables[tables[T_LANE] + 9 * lane + 8] + state[state[S_LANE] + 9 * lane + 3]],
                ports + code,
                width,
            )
    elif code < 4 * lanes:
        state[state[S_LANE] + 9 * (code - 3 * lanes) + 5] = FULL
        try_start(tables, state, code - 3 * lanes, width)
    elif code < 4 * lanes + homes:
        home = code - 4 * lanes
        work(tables, state, tables[tables[T_HOME] + 5 * home], tables[INPUTS] + lanes + home, -1)
        state[state[S_HOME] + 8 * home + 4] = WRITE
        cycles = tables[tables[T_POSITION] + 4 * position_of(tables, home, state[state[S_HOME] + 8 * home] - 1) + 2]
        ask(tables, state, tables[INPUTS] + lanes + home, cycles)
    elif code < 4 * lanes + 2 * homes:
        home = code - 4 * lanes - homes
        at = state[S_HOME] + 8 * home
        layer = tables[tables[T_HOME] + 5 * home]
        _, _, flat = place(tables, layer, tables[tables[T_HOME] + 5 * home + 1], state[at + 2])
        if tables[tables[T_POSITION] + 4 * (tables[tables[T_LAYER] + 5 * layer + 4] + flat) + 3] > 0:
            state[SENDING] -= 1
        state[at + 2] += 1
        if state[at + 1] > state[at + 2]:
            push(
                state,
                state[state[S_READY] + tables[tables[T_HOME] + 5 * home + 2] + state[at + 2]],
                ports + code,
                width,
            )
        state[state[S_SPAN] + 2 * layer + 1] = state[NOW]
        state[LEFT] -= 1
        publish(tables, state, tables[tables[T_LAYER] + 5 * layer], flat, width)
    else:
        source = code - 4 * lanes - 2 * homes
        at = state[S_SOURCE] + 5 * source
        stream = tables[tables[T_SOURCE] + 3 * source]
        flat = tables[tables[T_STREAM] + 3 * stream + 1] * tables[tables[T_STREAM] + 3 * stream] + state[at + 2]
        state[at + 2] += 1
        if state[at + 1] > state[at + 2]:
            push(
                state,
                state[state[S_READY] + tables[tables[T_SOURCE] + 3 * source + 2] + state[at + 2]],
                ports + code,
                width,
            )
        state[LEFT] -= 1
        publish(tables, state, stream, flat, width)


@njit(cache=True)
def result(tables, state, lane, width):
    """The PE of `lane` has its next result: it goes to the home, over the network if that is elsewhere."""
    row, at = tables[T_LANE] + 9 * lane, state[S_LANE] + 9 * lane
    work(tables, state, tables[row], tables[INPUTS] + lane, -1)
    state[at + 1] += 1
    if state[at] > state[at + 1]:
        push(state, state[state[S_WHEN] + tables[row + 8] + state[at + 1]], tables[PORTS] + tables[LANES] + lane, width)
    if tables[row + 4] == 0:
        state[at + 2] += 1
        arrive(tables, state, lane, width)
    elif state[at + 1] == state[at + 2] + 1:
        send(tables, state, lane)


@njit(cache=True)
def send(tables, state, lane):
    """The oldest result of `lane` asks for the egress; a skipped vector sends a token of one cycle."""
    active = tables[tables[T_VECTOR] + 4 * vector_of(tables, lane, state[state[S_LANE] + 9 * lane + 2]) + 3]
    request = tables[ACTORS] + tables[INPUTS] + lane
    ask(tables, state, request, tables[tables[T_LANE] + 9 * lane + 4] if active else 1)


@njit(cache=True)
def arrive(tables, state, lane, width):
    """The oldest result of `lane` on its way is at its home."""
    home = tables[tables[T_LANE] + 9 * lane + 3]
    at = state[S_HOME] + 8 * home
    state[state[S_LANE] + 9 * lane + 3] += 1
    if state[at + 4] == JOIN and state[state[S_LANE] + 9 * lane + 3] == state[at] + 1:
        state[at + 6] += 1
        try_take(tables, state, home, width)


@njit(cache=True)
def release(tables, state, port, width):
    """A `port` has served its request: it may serve the next one in this cycle, and its client goes on."""
    request = state[state[S_HOLDER] + port]
    state[state[S_HOLDER] + port] = -1
    state[state[S_DIRTY] + state[DIRTY]] = port
    state[DIRTY] += 1
    now, ports = state[NOW], tables[PORTS]
    sources, lanes, homes = tables[INPUTS], tables[LANES], tables[HOMES]
    actors = sources + lanes + homes
    if request < sources:
        at = state[S_SOURCE] + 5 * request
        state[state[S_READY] + tables[tables[T_SOURCE] + 3 * request + 2] + state[at + 1]] = now + tables[HOP]
        if state[at + 1] == state[at + 2]:
            push(state, now + tables[HOP], ports + 4 * lanes + 2 * homes + request, width)
        state[at + 1] += 1
        if state[at] < state[at + 3]:
            state[at + 4] = now
            try_input(tables, state, request)
    elif request < sources + lanes:
        state[ASKING] -= 1
        state[state[S_LANE] + 9 * (request - sources) + 5] = FULL
        try_start(tables, state, request - sources, width)
    elif request < actors:
        home = request - sources - lanes
        state[ASKING] -= 1
        if state[state[S_HOME] + 8 * home + 4] == TAKEN:
            begin_work(tables, state, home, width)
            return
        cycles = tables[tables[T_POSITION] + 4 * position_of(tables, home, state[state[S_HOME] + 8 * home] - 1) + 3]
        if cycles > 0:
            ask(tables, state, actors + request, cycles)
        else:
            pass_on(tables, state, home, 0, width)
    elif request < actors + sources + lanes:
        lane = request - actors - sources
        at = state[S_LANE] + 9 * lane
        state[state[S_WHEN] + tables[tables[T_LANE] + 9 * lane + 8] + state[at + 2]] = now + tables[HOP]
        if state[at + 2] == state[at + 3]:
            push(state, now + tables[HOP], ports + 2 * lanes + lane, width)
        state[at + 2] += 1
        if state[at + 1] > state[at + 2]:
            send(tables, state, lane)
    else:
        pass_on(tables, state, request - actors - sources - lanes, tables[HOP], width)
