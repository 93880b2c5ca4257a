"""Moves of a flow within one cycle: what a lane, a home, an input or a port does as soon as it can.

`kernels/cim_flow_tables.py` holds the definition.  In every move, `tables` is a `FlowTables`, `state` a `FlowState`,
and `width` the number of event codes of the heap.
"""

from __future__ import annotations

from numba import njit

from simulator.kernels.cim_flow_tables import (
    ASKING,
    DIRTY,
    DONE,
    EMPTY,
    FETCH,
    FULL,
    GATE,
    HEAP,
    INPUT,
    JOIN,
    JOINING,
    NOW,
    OPEN,
    OUTPUT,
    PARTIAL_SUM,
    SENDING,
    TAKEN,
    WINDOW,
    WORKING,
)


@njit(cache=True)
def push(state, time, code, width):
    """Event `code` < `width` at cycle `time` enters the heap."""
    heap = state.heap
    key = time * width + code
    i = state.st[HEAP]
    state.st[HEAP] += 1
    while i > 0 and heap[(i - 1) // 2] > key:
        heap[i] = heap[(i - 1) // 2]
        i = (i - 1) // 2
    heap[i] = key


@njit(cache=True)
def pop(state):
    """The earliest event leaves the heap: time x width + code."""
    heap = state.heap
    top = heap[0]
    state.st[HEAP] -= 1
    n = state.st[HEAP]
    last = heap[n]
    i = 0
    while 2 * i + 1 < n:
        child = 2 * i + 1
        if child + 1 < n and heap[child + 1] < heap[child]:
            child += 1
        if heap[child] >= last:
            break
        heap[i] = heap[child]
        i = child
    heap[i] = last
    return top


@njit(cache=True)
def ask(tables, state, request, cycles):
    """Number `request` joins the queue of its port in this cycle, for so many `cycles`."""
    r = tables.resource[request]
    state.asked[request] = state.st[NOW]
    state.held[request] = cycles
    state.queue[r] += 1
    state.dirty[state.st[DIRTY]] = r
    state.st[DIRTY] += 1
    if request >= tables.resource.size // 2:
        state.st[SENDING] += 1
    elif request >= tables.source.shape[0]:
        state.st[ASKING] += 1


@njit(cache=True)
def work(state, layer, change):
    """A lane or home of `layer` begins (`change` +1) or ends (-1) to work."""
    now = state.st[NOW]
    state.st[WORKING] += change
    if change > 0 and state.working[layer] == 0:
        state.began[layer] = now
    state.working[layer] += change
    if state.working[layer] == 0:
        state.active[layer] += now - state.began[layer]


@njit(cache=True)
def place(tables, layer, copy, m):
    """Timestep and position of the `m`-th vector of a `copy` of `layer`, and timestep x positions + position."""
    stream, copies = tables.layer[layer, 0], tables.layer[layer, 1]
    positions = tables.stream[stream, 0]
    mine = (positions - copy + copies - 1) // copies
    step = tables.stream[stream, 1] + m // mine
    p = copy + m % mine * copies
    return step, p, step * positions + p


@njit(cache=True)
def there(tables, state, stream, delay, needed, step):
    """True when `needed` leading positions of timestep `step` - `delay` of `stream` are available."""
    if stream < 0 or needed == 0 or step < delay:
        return True
    return state.prefix[stream] >= (step - delay) * tables.stream[stream, 0] + needed


@njit(cache=True)
def may_begin(tables, state, stream, step):
    """True when the gate of timestep `step` of `stream` is open."""
    for g in range(tables.gate_start[stream], tables.gate_start[stream + 1]):
        reader = tables.gate[g, 0]
        made = step - tables.buffered + tables.gate[g, 1] + 1
        if state.prefix[reader] < made * tables.stream[reader, 0]:
            return False
    return True


@njit(cache=True)
def try_fetch(tables, state, lane, width):
    """The next vector of `lane` asks for its port if its window is there."""
    t, row, at = tables, tables.lane[lane], state.lane[lane]
    if at[5] != OPEN:
        return
    layer = row[0]
    step, p, _ = place(t, layer, row[1], at[0])
    if not there(t, state, row[5], row[6], t.need[row[7] + p], step):
        return
    now = state.st[NOW]
    state.waits[layer, INPUT] += now - at[7]
    if state.span[layer, 0] < 0:
        state.span[layer, 0] = now
    at[5] = FETCH
    cycles = t.vector[vector_of(t, lane, at[0]), 2]
    if cycles > 0:
        ask(t, state, t.source.shape[0] + lane, cycles)
    else:
        push(state, now, t.member_start.size - 1 + 3 * t.lane.shape[0] + lane, width)


@njit(cache=True)
def try_start(tables, state, lane, width):
    """The fetched vector of `lane` starts if the PE is free and there is room for its result."""
    t, row, at = tables, tables.lane[lane], state.lane[lane]
    if at[5] != FULL or at[6] == 1:
        return
    now, layer, m = state.st[NOW], row[0], at[0]
    if m - state.home[row[3], 0] >= t.depth:
        if at[8] < 0:
            at[8] = now
            state.st[JOINING] += 1
        return
    if at[8] >= 0:
        state.waits[layer, PARTIAL_SUM] += now - at[8]
        at[8] = -1
        state.st[JOINING] -= 1
    v = vector_of(t, lane, m)
    resources, lanes = t.member_start.size - 1, t.lane.shape[0]
    at[6] = 1
    push(state, now + t.vector[v, 1], resources + lane, width)
    result = now + t.vector[v, 0]
    if m > at[1]:  # earlier results are still inside: results leave in order
        result = max(result, state.when[row[8] + m - 1])
    state.when[row[8] + m] = result
    if m == at[1]:
        push(state, result, resources + lanes + lane, width)
    work(state, layer, 1)
    at[0] += 1
    at[5] = OPEN if at[0] < at[4] else EMPTY
    at[7] = now
    try_fetch(t, state, lane, width)


@njit(cache=True)
def vector_of(tables, lane, m):
    """Row of `FlowTables.vector` of the `m`-th vector of `lane`."""
    layer = tables.lane[lane, 0]
    _, _, flat = place(tables, layer, tables.lane[lane, 1], m)
    return tables.layer[layer, 3] + flat * tables.layer[layer, 2] + tables.lane[lane, 2]


@njit(cache=True)
def position_of(tables, home, m):
    """Row of `FlowTables.position` of the `m`-th position of `home`."""
    layer = tables.home[home, 0]
    _, _, flat = place(tables, layer, tables.home[home, 1], m)
    return tables.layer[layer, 4] + flat


@njit(cache=True)
def try_take(tables, state, home, width):
    """A `home` goes on with its next position as far as it can, up to taking it."""
    t, row, at = tables, tables.home[home], state.home[home]
    now, layer = state.st[NOW], row[0]
    first, last = t.home_lane_start[home], t.home_lane_start[home + 1]
    if at[4] == JOIN:
        if at[6] < last - first:
            if at[6] > 0 and at[7] < 0:
                at[7] = now
                state.st[JOINING] += 1
            return
        if at[7] >= 0:
            state.waits[layer, PARTIAL_SUM] += now - at[7]
            at[7] = -1
            state.st[JOINING] -= 1
        at[4], at[5] = WINDOW, now
    if at[4] == WINDOW:
        step, p, _ = place(t, layer, row[1], at[0])
        for w in range(row[3], row[4]):
            if not there(t, state, t.window[w, 0], t.window[w, 1], t.need[t.window[w, 2] + p], step):
                return
        state.waits[layer, INPUT] += now - at[5]
        at[4], at[5] = GATE, now
    if at[4] == GATE:
        step, _, _ = place(t, layer, row[1], at[0])
        if not may_begin(t, state, t.layer[layer, 0], step):
            return
        state.waits[layer, OUTPUT] += now - at[5]
        at[4] = TAKEN
        if state.span[layer, 0] < 0:
            state.span[layer, 0] = now
        cycles = t.position[position_of(t, home, at[0]), 0]
        at[0] += 1
        if cycles > 0:
            ask(t, state, t.source.shape[0] + t.lane.shape[0] + home, cycles)
        else:
            begin_work(t, state, home, width)
        for i in range(first, last):
            try_start(t, state, t.home_lane[i], width)


@njit(cache=True)
def begin_work(tables, state, home, width):
    """A `home` has fetched its own rows: the accumulation and the neurons of the position begin."""
    work(state, tables.home[home, 0], 1)
    cycles = tables.position[position_of(tables, home, state.home[home, 0] - 1), 1]
    code = tables.member_start.size - 1 + 4 * tables.lane.shape[0] + home
    push(state, state.st[NOW] + cycles, code, width)


@njit(cache=True)
def pass_on(tables, state, home, late, width):
    """A position left its `home`: it is available `late` cycles from now, not before its elders; then the next."""
    at, resources = state.home[home], tables.member_start.size - 1
    first = tables.home[home, 2]
    ready = state.st[NOW] + late
    if at[1] > at[2]:
        ready = max(ready, state.ready[first + at[1] - 1])
    else:
        push(state, ready, resources + 4 * tables.lane.shape[0] + tables.home.shape[0] + home, width)
    state.ready[first + at[1]] = ready
    at[1] += 1
    if at[0] == at[3]:
        at[4] = DONE
        return
    at[4], at[6] = JOIN, 0
    for i in range(tables.home_lane_start[home], tables.home_lane_start[home + 1]):
        if state.lane[tables.home_lane[i], 3] > at[0]:
            at[6] += 1
    try_take(tables, state, home, width)


@njit(cache=True)
def try_input(tables, state, source):
    """Input `source` asks for the input port if it has a position left whose gate is open."""
    at = state.source[source]
    if at[4] < 0:
        return
    row = tables.source[source]
    stream = row[0]
    flat = tables.stream[stream, 1] * tables.stream[stream, 0] + at[0]
    if may_begin(tables, state, stream, flat // tables.stream[stream, 0]):
        at[4] = -1
        at[0] += 1
        ask(tables, state, source, tables.arrival[row[1] + flat])


@njit(cache=True)
def publish(tables, state, stream, flat, width):
    """Position `flat` (timestep x positions + position) of a `stream` is available: whoever waits for it goes on."""
    positions, offset = tables.stream[stream, 0], tables.stream[stream, 2]
    state.flag[offset + flat] = 1
    before = state.prefix[stream]
    end = tables.steps * positions
    at = before
    while at < end and state.flag[offset + at] == 1:
        at += 1
    if at == before:
        return
    state.prefix[stream] = at
    for i in range(tables.watch_start[stream], tables.watch_start[stream + 1]):
        try_fetch(tables, state, tables.watch[i], width)
    stepped = at // positions > before // positions
    for h in range(tables.home.shape[0]):
        if state.home[h, 4] == WINDOW or (stepped and state.home[h, 4] == GATE):
            try_take(tables, state, h, width)
    if stepped:
        for i in range(tables.source.shape[0]):
            try_input(tables, state, i)
