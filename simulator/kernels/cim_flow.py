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
    ASKING,
    BUSY,
    DIRTY,
    FULL,
    HEAP,
    INPUT,
    JOIN,
    JOINING,
    LEFT,
    NETWORK,
    NOW,
    PARTIAL_SUM,
    PORT,
    SENDING,
    TAKEN,
    WORKING,
    WRITE,
)


@njit(cache=True)
def flow(tables, state):
    """Runs a segment to its end; returns the number of runs in `FlowState.runs`.

    tables: `FlowTables`, not changed.     state: `FlowState` in its first state (in, out).
    """
    st, runs = state.st, state.runs
    homes = tables.home.shape[0]
    width = tables.member_start.size - 1 + 4 * tables.lane.shape[0] + 2 * homes + tables.source.shape[0]
    found = 0
    for i in range(tables.source.shape[0]):
        try_input(tables, state, i)
    for lane in range(tables.lane.shape[0]):
        try_fetch(tables, state, lane, width)
    for home in range(homes):
        if state.home[home, 4] == JOIN:
            try_take(tables, state, home, width)
    while True:
        while st[HEAP] > 0 and state.heap[0] // width == st[NOW]:
            happen(tables, state, pop(state) % width, width)
        while st[DIRTY] > 0:
            st[DIRTY] -= 1
            grant(tables, state, state.dirty[st[DIRTY]], width)
        if st[LEFT] == 0 or st[HEAP] == 0:
            return found
        kind = INPUT
        if st[WORKING] > 0:
            kind = BUSY
        elif st[SENDING] > 0:
            kind = NETWORK
        elif st[JOINING] > 0:
            kind = PARTIAL_SUM
        elif st[ASKING] > 0:
            kind = PORT
        now, then = st[NOW], state.heap[0] // width
        if found > 0 and runs[found - 1, 2] == kind:
            runs[found - 1, 1] = then
        else:
            runs[found, 0], runs[found, 1], runs[found, 2] = now, then, kind
            found += 1
        st[NOW] = then


@njit(cache=True)
def grant(tables, state, port, width):
    """A free `port` serves the request that has waited longest, the lowest number among equals; tables, state as in
    `flow`, width: number of event codes."""
    if state.holder[port] >= 0 or state.queue[port] == 0:
        return
    best, since = -1, state.st[NOW] + 1
    for i in range(tables.member_start[port], tables.member_start[port + 1]):
        request = tables.member[i]
        if 0 <= state.asked[request] < since:
            best, since = request, state.asked[request]
    state.asked[best] = -1
    state.queue[port] -= 1
    state.holder[port] = best
    now = state.st[NOW]
    push(state, now + state.held[best], port, width)
    actors, sources, lanes = tables.resource.size // 2, tables.source.shape[0], tables.lane.shape[0]
    actor = best % actors
    if actor >= sources:
        layer = tables.lane[actor - sources, 0] if actor < sources + lanes else tables.home[actor - sources - lanes, 0]
        state.waits[layer, NETWORK if best >= actors else PORT] += now - since


@njit(cache=True)
def happen(tables, state, code, width):
    """Event `code` (of `width`) happens in this cycle: a port is released, a PE free, a result made, a message there, a
    register full, a home done, a position available; tables, state as in `flow`."""
    ports, lanes, homes = tables.member_start.size - 1, tables.lane.shape[0], tables.home.shape[0]
    if code < ports:
        release(tables, state, code, width)
        return
    code -= ports
    if code < lanes:
        state.lane[code, 6] = 0
        try_start(tables, state, code, width)
    elif code < 2 * lanes:
        result(tables, state, code - lanes, width)
    elif code < 3 * lanes:
        state.st[SENDING] -= 1
        lane = code - 2 * lanes
        arrive(tables, state, lane, width)
        if state.lane[lane, 2] > state.lane[lane, 3]:
            push(state, state.when[tables.lane[lane, 8] + state.lane[lane, 3]], ports + code, width)
    elif code < 4 * lanes:
        state.lane[code - 3 * lanes, 5] = FULL
        try_start(tables, state, code - 3 * lanes, width)
    elif code < 4 * lanes + homes:
        home = code - 4 * lanes
        work(state, tables.home[home, 0], -1)
        state.home[home, 4] = WRITE
        cycles = tables.position[position_of(tables, home, state.home[home, 0] - 1), 2]
        ask(tables, state, tables.source.shape[0] + lanes + home, cycles)
    elif code < 4 * lanes + 2 * homes:
        home = code - 4 * lanes - homes
        at = state.home[home]
        layer = tables.home[home, 0]
        _, _, flat = place(tables, layer, tables.home[home, 1], at[2])
        if tables.position[tables.layer[layer, 4] + flat, 3] > 0:
            state.st[SENDING] -= 1
        at[2] += 1
        if at[1] > at[2]:
            push(state, state.ready[tables.home[home, 2] + at[2]], ports + code, width)
        state.span[layer, 1] = state.st[NOW]
        state.st[LEFT] -= 1
        publish(tables, state, tables.layer[layer, 0], flat, width)
    else:
        source = code - 4 * lanes - 2 * homes
        at = state.source[source]
        stream = tables.source[source, 0]
        flat = tables.stream[stream, 1] * tables.stream[stream, 0] + at[2]
        at[2] += 1
        if at[1] > at[2]:
            push(state, state.ready[tables.source[source, 2] + at[2]], ports + code, width)
        state.st[LEFT] -= 1
        publish(tables, state, stream, flat, width)


@njit(cache=True)
def result(tables, state, lane, width):
    """The PE of `lane` has its next result: it goes to the home, over the network if that is elsewhere."""
    row, at = tables.lane[lane], state.lane[lane]
    work(state, row[0], -1)
    at[1] += 1
    if at[0] > at[1]:
        push(state, state.when[row[8] + at[1]], tables.member_start.size - 1 + tables.lane.shape[0] + lane, width)
    if row[4] == 0:
        at[2] += 1
        arrive(tables, state, lane, width)
    elif at[1] == at[2] + 1:
        send(tables, state, lane)


@njit(cache=True)
def send(tables, state, lane):
    """The oldest result of `lane` asks for the egress; a skipped vector sends a token of one cycle."""
    active = tables.vector[vector_of(tables, lane, state.lane[lane, 2]), 3]
    request = tables.resource.size // 2 + tables.source.shape[0] + lane
    ask(tables, state, request, tables.lane[lane, 4] if active else 1)


@njit(cache=True)
def arrive(tables, state, lane, width):
    """The oldest result of `lane` on its way is at its home."""
    home = tables.lane[lane, 3]
    at = state.home[home]
    state.lane[lane, 3] += 1
    if at[4] == JOIN and state.lane[lane, 3] == at[0] + 1:
        at[6] += 1
        try_take(tables, state, home, width)


@njit(cache=True)
def release(tables, state, port, width):
    """A `port` has served its request: it may serve the next one in this cycle, and its client goes on."""
    request = state.holder[port]
    state.holder[port] = -1
    state.dirty[state.st[DIRTY]] = port
    state.st[DIRTY] += 1
    now, ports = state.st[NOW], tables.member_start.size - 1
    sources, lanes, homes = tables.source.shape[0], tables.lane.shape[0], tables.home.shape[0]
    actors = sources + lanes + homes
    if request < sources:
        at = state.source[request]
        state.ready[tables.source[request, 2] + at[1]] = now + tables.hop
        if at[1] == at[2]:
            push(state, now + tables.hop, ports + 4 * lanes + 2 * homes + request, width)
        at[1] += 1
        if at[0] < at[3]:
            at[4] = now
            try_input(tables, state, request)
    elif request < sources + lanes:
        state.st[ASKING] -= 1
        state.lane[request - sources, 5] = FULL
        try_start(tables, state, request - sources, width)
    elif request < actors:
        home = request - sources - lanes
        state.st[ASKING] -= 1
        if state.home[home, 4] == TAKEN:
            begin_work(tables, state, home, width)
            return
        cycles = tables.position[position_of(tables, home, state.home[home, 0] - 1), 3]
        if cycles > 0:
            ask(tables, state, actors + request, cycles)
        else:
            pass_on(tables, state, home, 0, width)
    elif request < actors + sources + lanes:
        lane = request - actors - sources
        at = state.lane[lane]
        state.when[tables.lane[lane, 8] + at[2]] = now + tables.hop
        if at[2] == at[3]:
            push(state, now + tables.hop, ports + 2 * lanes + lane, width)
        at[2] += 1
        if at[1] > at[2]:
            send(tables, state, lane)
    else:
        pass_on(tables, state, request - actors - sources - lanes, tables.hop, width)
