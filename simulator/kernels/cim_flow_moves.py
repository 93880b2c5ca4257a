"""Moves of a flow within one cycle: what a lane, a home, an input or a port does as soon as it can.

`kernels/cim_flow_tables.py` holds the definition.  In every move, `tables` is int64 [..], all of `FlowTables` one
behind the other, `state` int64 [..] likewise of `FlowState` (in, out), `width` the number of event codes of the heap.
"""

from __future__ import annotations

from numba import njit

from simulator.kernels.cim_flow_tables import (
    ACTORS,
    ASKING,
    BUFFERED,
    DEPTH,
    DIRTY,
    DONE,
    EMPTY,
    FETCH,
    FULL,
    GATE,
    HEAP,
    HOMES,
    INPUT,
    INPUTS,
    JOIN,
    JOINING,
    LANES,
    LAYERS,
    NOW,
    OPEN,
    OUTPUT,
    PARTIAL_SUM,
    PORTS,
    S_ASKED,
    S_DIRTY,
    S_FLAG,
    S_HEAP,
    S_HELD,
    S_HOME,
    S_LANE,
    S_PREFIX,
    S_QUEUE,
    S_READY,
    S_SOURCE,
    S_SPAN,
    S_TRAIL,
    S_WAITS,
    S_WHEN,
    S_WORK,
    SENDING,
    STEPS,
    T_ARRIVAL,
    T_GATE,
    T_GATE_START,
    T_HOME,
    T_HOME_LANE,
    T_HOME_LANE_START,
    T_LANE,
    T_LAYER,
    T_NEED,
    T_POSITION,
    T_RESOURCE,
    T_SOURCE,
    T_STREAM,
    T_VECTOR,
    T_WATCH,
    T_WATCH_START,
    T_WINDOW,
    TAKEN,
    TRAIL,
    WINDOW,
    WORKING,
)


@njit(cache=True)
def push(state, time, code, width):
    """Event `code` < `width` at cycle `time` enters the heap."""
    heap = state[S_HEAP]
    key = time * width + code
    i = state[HEAP]
    state[HEAP] += 1
    while i > 0 and state[heap + (i - 1) // 2] > key:
        state[heap + i] = state[heap + (i - 1) // 2]
        i = (i - 1) // 2
    state[heap + i] = key


@njit(cache=True)
def pop(state):
    """The earliest event leaves the heap: time x width + code."""
    heap = state[S_HEAP]
    top = state[heap]
    state[HEAP] -= 1
    n = state[HEAP]
    last = state[heap + n]
    i = 0
    while 2 * i + 1 < n:
        child = 2 * i + 1
        if child + 1 < n and state[heap + child + 1] < state[heap + child]:
            child += 1
        if state[heap + child] >= last:
            break
        state[heap + i] = state[heap + child]
        i = child
    state[heap + i] = last
    return top


@njit(cache=True)
def ask(tables, state, request, cycles):
    """Number `request` joins the queue of its port in this cycle, for so many `cycles`."""
    r = tables[tables[T_RESOURCE] + request]
    state[state[S_ASKED] + request] = state[NOW]
    state[state[S_HELD] + request] = cycles
    state[state[S_QUEUE] + r] += 1
    state[state[S_DIRTY] + state[DIRTY]] = r
    state[DIRTY] += 1
    if request >= tables[ACTORS]:
        state[SENDING] += 1
    elif request >= tables[INPUTS]:
        state[ASKING] += 1


@njit(cache=True)
def work(tables, state, layer, actor, change):
    """Number `actor`, a lane or home of `layer`, begins (`change` +1) or ends (-1) to work: so do layer and tile."""
    state[WORKING] += change
    occupy(state, layer, change)
    occupy(state, tables[LAYERS] + tables[tables[T_RESOURCE] + actor], change)


@njit(cache=True)
def occupy(state, row, change):
    """One more (`change` +1) or less (-1) works in `row` of `FlowState.work`; the last one leaves a row of `trail`."""
    at = state[S_WORK] + 3 * row
    if change > 0 and state[at] == 0:
        state[at + 1] = state[NOW]
    state[at] += change
    if state[at] == 0 and state[NOW] > state[at + 1]:
        state[at + 2] += state[NOW] - state[at + 1]
        if state[TRAIL] >= 0:
            end = state[S_TRAIL] + 3 * state[TRAIL]
            state[end], state[end + 1], state[end + 2] = row, state[at + 1], state[NOW]
            state[TRAIL] += 1


@njit(cache=True)
def place(tables, layer, copy, m):
    """Timestep and position of the `m`-th vector of a `copy` of `layer`, and timestep x positions + position."""
    stream, copies = tables[tables[T_LAYER] + 5 * layer], tables[tables[T_LAYER] + 5 * layer + 1]
    positions = tables[tables[T_STREAM] + 3 * stream]
    mine = (positions - copy + copies - 1) // copies
    step = tables[tables[T_STREAM] + 3 * stream + 1] + m // mine
    p = copy + m % mine * copies
    return step, p, step * positions + p


@njit(cache=True)
def there(tables, state, stream, delay, needed, step):
    """True when `needed` leading positions of timestep `step` - `delay` of `stream` are available."""
    if stream < 0 or needed == 0 or step < delay:
        return True
    return state[state[S_PREFIX] + stream] >= (step - delay) * tables[tables[T_STREAM] + 3 * stream] + needed


@njit(cache=True)
def may_begin(tables, state, stream, step):
    """True when the gate of timestep `step` of `stream` is open."""
    for g in range(tables[tables[T_GATE_START] + stream], tables[tables[T_GATE_START] + stream + 1]):
        reader = tables[tables[T_GATE] + 2 * g]
        made = step - tables[BUFFERED] + tables[tables[T_GATE] + 2 * g + 1] + 1
        if state[state[S_PREFIX] + reader] < made * tables[tables[T_STREAM] + 3 * reader]:
            return False
    return True


@njit(cache=True)
def try_fetch(tables, state, lane, width):
    """The next vector of `lane` asks for its port if its window is there."""
    row, at = tables[T_LANE] + 9 * lane, state[S_LANE] + 9 * lane
    if state[at + 5] != OPEN:
        return
    layer = tables[row]
    step, p, _ = place(tables, layer, tables[row + 1], state[at])
    if not there(tables, state, tables[row + 5], tables[row + 6], tables[tables[T_NEED] + tables[row + 7] + p], step):
        return
    now = state[NOW]
    state[state[S_WAITS] + 6 * layer + INPUT] += now - state[at + 7]
    if state[state[S_SPAN] + 2 * layer] < 0:
        state[state[S_SPAN] + 2 * layer] = now
    state[at + 5] = FETCH
    cycles = tables[tables[T_VECTOR] + 4 * vector_of(tables, lane, state[at]) + 2]
    if cycles > 0:
        ask(tables, state, tables[INPUTS] + lane, cycles)
    else:
        push(state, now, tables[PORTS] + 3 * tables[LANES] + lane, width)


@njit(cache=True)
def try_start(tables, state, lane, width):
    """The fetched vector of `lane` starts if the PE is free and there is room for its result."""
    row, at = tables[T_LANE] + 9 * lane, state[S_LANE] + 9 * lane
    if state[at + 5] != FULL or state[at + 6] == 1:
        return
    now, layer, m = state[NOW], tables[row], state[at]
    if m - state[state[S_HOME] + 8 * tables[row + 3]] >= tables[DEPTH]:
        if state[at + 8] < 0:
            state[at + 8] = now
            state[JOINING] += 1
        return
    if state[at + 8] >= 0:
        state[state[S_WAITS] + 6 * layer + PARTIAL_SUM] += now - state[at + 8]
        state[at + 8] = -1
        state[JOINING] -= 1
    v = vector_of(tables, lane, m)
    resources, lanes = tables[PORTS], tables[LANES]
    state[at + 6] = 1
    push(state, now + tables[tables[T_VECTOR] + 4 * v + 1], resources + lane, width)
    result = now + tables[tables[T_VECTOR] + 4 * v]
    if m > state[at + 1]:  # earlier results are still inside: results leave in order
        result = max(result, state[state[S_WHEN] + tables[row + 8] + m - 1])
    state[state[S_WHEN] + tables[row + 8] + m] = result
    if m == state[at + 1]:
        push(state, result, resources + lanes + lane, width)
    work(tables, state, layer, tables[INPUTS] + lane, 1)
    state[at] += 1
    state[at + 5] = OPEN if state[at] < state[at + 4] else EMPTY
    state[at + 7] = now
    try_fetch(tables, state, lane, width)


@njit(cache=True)
def vector_of(tables, lane, m):
    """Row of `FlowTables.vector` of the `m`-th vector of `lane`."""
    layer = tables[tables[T_LANE] + 9 * lane]
    _, _, flat = place(tables, layer, tables[tables[T_LANE] + 9 * lane + 1], m)
    return (
        tables[tables[T_LAYER] + 5 * layer + 3]
        + flat * tables[tables[T_LAYER] + 5 * layer + 2]
        + tables[tables[T_LANE] + 9 * lane + 2]
    )


@njit(cache=True)
def position_of(tables, home, m):
    """Row of `FlowTables.position` of the `m`-th position of `home`."""
    layer = tables[tables[T_HOME] + 5 * home]
    _, _, flat = place(tables, layer, tables[tables[T_HOME] + 5 * home + 1], m)
    return tables[tables[T_LAYER] + 5 * layer + 4] + flat


@njit(cache=True)
def try_take(tables, state, home, width):
    """A `home` goes on with its next position as far as it can, up to taking it."""
    row, at = tables[T_HOME] + 5 * home, state[S_HOME] + 8 * home
    now, layer = state[NOW], tables[row]
    first, last = tables[tables[T_HOME_LANE_START] + home], tables[tables[T_HOME_LANE_START] + home + 1]
    if state[at + 4] == JOIN:
        if state[at + 6] < last - first:
            if state[at + 6] > 0 and state[at + 7] < 0:
                state[at + 7] = now
                state[JOINING] += 1
            return
        if state[at + 7] >= 0:
            state[state[S_WAITS] + 6 * layer + PARTIAL_SUM] += now - state[at + 7]
            state[at + 7] = -1
            state[JOINING] -= 1
        state[at + 4], state[at + 5] = WINDOW, now
    if state[at + 4] == WINDOW:
        step, p, _ = place(tables, layer, tables[row + 1], state[at])
        for w in range(tables[row + 3], tables[row + 4]):
            if not there(
                tables,
                state,
                tables[tables[T_WINDOW] + 3 * w],
                tables[tables[T_WINDOW] + 3 * w + 1],
                tables[tables[T_NEED] + tables[tables[T_WINDOW] + 3 * w + 2] + p],
                step,
            ):
                return
        state[state[S_WAITS] + 6 * layer + INPUT] += now - state[at + 5]
        state[at + 4], state[at + 5] = GATE, now
    if state[at + 4] == GATE:
        step, _, _ = place(tables, layer, tables[row + 1], state[at])
        if not may_begin(tables, state, tables[tables[T_LAYER] + 5 * layer], step):
            return
        state[state[S_WAITS] + 6 * layer + OUTPUT] += now - state[at + 5]
        state[at + 4] = TAKEN
        if state[state[S_SPAN] + 2 * layer] < 0:
            state[state[S_SPAN] + 2 * layer] = now
        cycles = tables[tables[T_POSITION] + 4 * position_of(tables, home, state[at])]
        state[at] += 1
        if cycles > 0:
            ask(tables, state, tables[INPUTS] + tables[LANES] + home, cycles)
        else:
            begin_work(tables, state, home, width)
        for i in range(first, last):
            try_start(tables, state, tables[tables[T_HOME_LANE] + i], width)


@njit(cache=True)
def begin_work(tables, state, home, width):
    """A `home` has fetched its own rows: the accumulation and the neurons of the position begin."""
    work(tables, state, tables[tables[T_HOME] + 5 * home], tables[INPUTS] + tables[LANES] + home, 1)
    cycles = tables[tables[T_POSITION] + 4 * position_of(tables, home, state[state[S_HOME] + 8 * home] - 1) + 1]
    code = tables[PORTS] + 4 * tables[LANES] + home
    push(state, state[NOW] + cycles, code, width)


@njit(cache=True)
def pass_on(tables, state, home, late, width):
    """A position left its `home`: it is available `late` cycles from now, not before its elders; then the next."""
    at, resources = state[S_HOME] + 8 * home, tables[PORTS]
    first = tables[tables[T_HOME] + 5 * home + 2]
    ready = state[NOW] + late
    if state[at + 1] > state[at + 2]:
        ready = max(ready, state[state[S_READY] + first + state[at + 1] - 1])
    else:
        push(state, ready, resources + 4 * tables[LANES] + tables[HOMES] + home, width)
    state[state[S_READY] + first + state[at + 1]] = ready
    state[at + 1] += 1
    if state[at] == state[at + 3]:
        state[at + 4] = DONE
        return
    state[at + 4], state[at + 6] = JOIN, 0
    for i in range(tables[tables[T_HOME_LANE_START] + home], tables[tables[T_HOME_LANE_START] + home + 1]):
        if state[state[S_LANE] + 9 * tables[tables[T_HOME_LANE] + i] + 3] > state[at]:
            state[at + 6] += 1
    try_take(tables, state, home, width)


@njit(cache=True)
def try_input(tables, state, source):
    """Input `source` asks for the input port if it has a position left whose gate is open."""
    at = state[S_SOURCE] + 5 * source
    if state[at + 4] < 0:
        return
    row = tables[T_SOURCE] + 3 * source
    stream = tables[row]
    flat = tables[tables[T_STREAM] + 3 * stream + 1] * tables[tables[T_STREAM] + 3 * stream] + state[at]
    if may_begin(tables, state, stream, flat // tables[tables[T_STREAM] + 3 * stream]):
        state[at + 4] = -1
        state[at] += 1
        ask(tables, state, source, tables[tables[T_ARRIVAL] + tables[row + 1] + flat])


@njit(cache=True)
def publish(tables, state, stream, flat, width):
    """Position `flat` (timestep x positions + position) of a `stream` is available: whoever waits for it goes on."""
    positions, offset = tables[tables[T_STREAM] + 3 * stream], tables[tables[T_STREAM] + 3 * stream + 2]
    state[state[S_FLAG] + offset + flat] = 1
    before = state[state[S_PREFIX] + stream]
    end = tables[STEPS] * positions
    at = before
    while at < end and state[state[S_FLAG] + offset + at] == 1:
        at += 1
    if at == before:
        return
    state[state[S_PREFIX] + stream] = at
    for i in range(tables[tables[T_WATCH_START] + stream], tables[tables[T_WATCH_START] + stream + 1]):
        try_fetch(tables, state, tables[tables[T_WATCH] + i], width)
    stepped = at // positions > before // positions
    for h in range(tables[HOMES]):
        if state[state[S_HOME] + 8 * h + 4] == WINDOW or (stepped and state[state[S_HOME] + 8 * h + 4] == GATE):
            try_take(tables, state, h, width)
    if stepped:
        for i in range(tables[INPUTS]):
            try_input(tables, state, i)
