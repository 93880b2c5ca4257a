"""Timing of a spike-driven (scatter) core: input FIFO, dispatcher, synapse engines over membrane banks, update scan.

Plain definition, in cycles of the core (`components/scatter_reference.py` is the same thing as processes):

feeder      reads one event after another from its buffer, `feed` cycles each, and pushes it when the FIFO has room.
dispatcher  pops an event one cycle after its push or later, decodes it and fetches the weights of its taps
            (decode + ceil(taps * fetch / fetch_den) cycles), then waits until an engine is free and hands it over.
engine      from the cycle after the hand-over walks its taps in order; a tap asks for one membrane bank, holds it for
            `hold` cycles, and the next tap asks in the cycle in which the hold ends.
bank        serves requests in (request cycle, age of the event) order; a release and a request in one cycle meet.

A kernel call handles one block of events.  It runs ahead exactly to the hand-over of the block's last event: no later
event can ask for anything before the following cycle.
"""

import numpy as np
from numba import njit

# State vector `st` (int64): 0 push of the last event, 1 dispatcher free, 2 events pushed, 3 latest end of an engine,
# 4 start of the current busy run, 5 events walked, 6 busy runs recorded.
# Engines `eng` (int64 [E * 10], a row of 10 per engine): 0 request cycle of the next tap, or 2**62 when idle,
# 1 free at, 2 row, 3 end of rows, 4 first column, 5 column, 6 end of columns, 7 word, 8 words, 9 hold.
# Ages `age` (int64 [2 E + 1]): age[0] engines walk an event; age[1 : E + 1] says which, oldest first, and age[E + 1 :]
# when each asks for its next tap.


@njit(cache=True)
def begin_step(floor, st):
    """A timestep starts: nothing is fed before cycle `floor`; every engine is idle."""
    st[0] = floor
    st[1] = floor
    st[3] = floor
    st[4] = floor
    st[6] = 0


@njit(cache=True)
def integrate(
    index,
    value,
    row_start,
    row_bank,
    col_start,
    col_bank,
    words,
    ops,
    fetch,
    fifo,
    eng,
    age,
    bank_free,
    st,
    runs,
    counts,
    ready,
    channels,
    width,
    mode,
    row_base,
    col_base,
    chan_base,
    feed,
    decode,
    fetch_den,
    accumulate,
    finish,
    pipeline,
):
    """Feeds one block of events of one projection.  Returns the cycle in which its last event enters the FIFO, or
    with `finish`, which ends the timestep, the cycle in which every tap is done and the pipeline is empty.

    index uint32 [n], flat channel-last source index; value int32 [n] or [0] when all are 1: |value| events each.
    row_start int32, row_bank int32: targets of a source row, as bank offsets; col_start, col_bank: of a column.  The
    tables of all projections of a tile lie one after another; `row_base`, `col_base`, `chan_base` say where this
    projection's begin.
    words, ops, fetch int64 [channels]: membrane words and synaptic operations per tap, weight bits x cycles per tap.
    fifo int64 [depth]: pop cycles, as a ring.  eng, age, st: see above.  bank_free int64 [banks].
    runs int64 [m, 2]: busy intervals are appended at st[6].
    counts int64 [8]: 0 events, 1 taps, 2 synaptic operations, 3 membrane words, 4 bank waits, 5 engine waits,
    6 FIFO waits (cycles), 7 events without a tap here.
    ready: cycle from which the block may be read.  channels, width: of the source.  feed, decode, fetch_den,
    accumulate (cycles a bank is held per word), pipeline: see the module.
    mode: 0 grid (a tap holds all words of a position in one bank), 1 linear
    (a tap per word, words interleaved over the banks), 2 sparse (a tap per synapse, columns by source index).
    """
    never = np.int64(1) << 62
    depth = fifo.shape[0]
    banks = bank_free.shape[0]
    engines = age.shape[0] // 2
    asks = engines + 1
    walking = age[0]
    latest = st[3]
    bank_waits = np.int64(0)
    weighted = value.shape[0] > 0
    slot = st[2] % depth
    first_flat = np.int64(0)
    end_flat = np.int64(0)
    row = np.int64(row_base)
    col = np.int64(col_base)
    known = np.int64(-1)
    known_cycles = np.int64(0)
    total = index.shape[0]
    for i in range(total + finish):
        channel = np.int64(chan_base)
        repeat = np.int64(1)
        taps = np.int64(0)
        inner = np.int64(1)
        hold = np.int64(0)
        n_words = np.int64(0)
        if i < total:
            flat = np.int64(index[i])
            if mode == 2:
                col = col_base + flat
            else:
                if flat < first_flat or flat >= end_flat:  # another position: spikes mostly come in order
                    position = flat // channels
                    first_flat = position * channels
                    end_flat = first_flat + channels
                    y = position // width
                    row = row_base + y
                    col = col_base + position - y * width
                channel = chan_base + flat - first_flat
            n_words = words[channel]
            if n_words > 0:
                taps = np.int64(row_start[row + 1] - row_start[row]) * (col_start[col + 1] - col_start[col])
            inner = n_words if mode == 1 else np.int64(1)
            hold = accumulate if mode == 1 else accumulate * n_words
            if weighted:
                repeat = np.int64(abs(value[i]))
            bits = taps * inner * fetch[channel]
            if bits != known:
                known = bits
                known_cycles = (bits + fetch_den - 1) // fetch_den
        for _ in range(repeat):
            fetched = never
            popped = never
            if i < total:
                start = st[0] if st[0] > ready else ready
                pushed = start + feed
                if fifo[slot] > pushed:
                    counts[6] += fifo[slot] - pushed
                    pushed = fifo[slot]
                st[0] = pushed
                popped = pushed + 1 if pushed + 1 > st[1] else st[1]
                fifo[slot] = popped
                slot += 1
                if slot == depth:
                    slot = 0
                st[2] += 1
                fetched = popped + decode + known_cycles
            # Grant every tap that asks before this event is handed over, in (request cycle, age) order.
            free = np.int64(-1)
            dispatched = fetched
            while True:
                ask = never
                at = np.int64(0)
                for k in range(walking):
                    if age[asks + k] < ask:
                        ask = age[asks + k]
                        at = k
                dispatched = fetched
                if taps > 0:
                    dispatched = never
                    if walking < engines:
                        for e in range(engines):
                            if eng[e * 10] == never and eng[e * 10 + 1] < dispatched:
                                dispatched = eng[e * 10 + 1]
                                free = e
                        if dispatched < fetched:
                            dispatched = fetched
                if ask == never or ask > dispatched:
                    break
                base = age[1 + at] * 10
                bank = np.int64(row_bank[eng[base + 2]]) + col_bank[eng[base + 5]]
                if bank >= banks:
                    bank -= banks
                word = eng[base + 7]
                if word > 0:
                    bank = (bank + word) % banks
                grant = bank_free[bank] if bank_free[bank] > ask else ask
                bank_waits += grant - ask
                end = grant + eng[base + 9]
                bank_free[bank] = end
                eng[base] = end
                age[asks + at] = end
                word += 1
                if word == eng[base + 8]:
                    word = 0
                    column = eng[base + 5] + 1
                    if column == eng[base + 6]:
                        column = eng[base + 4]
                        eng[base + 2] += 1
                        if eng[base + 2] == eng[base + 3]:
                            eng[base] = never
                            eng[base + 1] = end
                            if end > latest:
                                latest = end
                            walking -= 1
                            for k in range(at, walking):
                                age[1 + k] = age[2 + k]
                                age[asks + k] = age[asks + k + 1]
                    eng[base + 5] = column
                eng[base + 7] = word
            if i == total:
                break
            if walking == 0:
                covered = latest if latest > st[1] else st[1]
                if covered < popped:
                    if covered > st[4]:
                        runs[st[6], 0] = st[4]
                        runs[st[6], 1] = covered
                        st[6] += 1
                    st[4] = popped
            counts[0] += 1
            st[1] = dispatched
            if taps == 0:
                counts[7] += 1
                continue
            counts[5] += dispatched - fetched
            base = free * 10
            eng[base] = dispatched + 1
            eng[base + 2] = row_start[row]
            eng[base + 3] = row_start[row + 1]
            eng[base + 4] = col_start[col]
            eng[base + 5] = col_start[col]
            eng[base + 6] = col_start[col + 1]
            eng[base + 7] = 0
            eng[base + 8] = inner
            eng[base + 9] = hold
            age[1 + walking] = free
            age[asks + walking] = dispatched + 1
            walking += 1
            st[5] += 1
            counts[1] += taps * inner
            counts[2] += taps * ops[channel]
            counts[3] += taps * n_words
    age[0] = walking
    st[3] = latest
    counts[4] += bank_waits
    if not finish:
        return st[0]
    end = st[3] if st[3] > st[1] else st[1]
    if end > st[4]:
        end += pipeline
        runs[st[6], 0] = st[4]
        runs[st[6], 1] = end
        st[6] += 1
    return end


@njit(cache=True)
def scan(index, fifo, so, runs, counts, start, channels, k0, k1, first_row, end_row, width, word, update, output):
    """The update scan of a tile and its output FIFO.  Returns the cycle in which the scan ends.

    Words of `word` neurons are updated in order (position by position, channels inside), `update` cycles each; the
    spikes of a word are pushed one per cycle from the end of its update on, as far as the FIFO has room; the next word
    starts when the update and the pushes of this one are done.  The output link takes one spike every `output` cycles,
    one cycle after its push or later.

    index uint32 [n]: spikes of the layer in this timestep, rising; those outside channels k0 .. k1 or rows first_row ..
    end_row are passed over.  channels, width: of the layer.  start: first cycle of the scan.
    fifo int64 [depth]: cycles in which spikes leave the FIFO, as a ring.
    so int64 [4], in and out: 0 leave cycle of the last spike, 1 spikes pushed ever, 2 cycle in which the link is done.
    runs int64 [m, 2]: stalls on a full FIFO; counts int64 [3]: 0 spikes of the tile, 1 stall cycles, 2 runs.
    """
    depth = fifo.shape[0]
    words_per_position = (k1 - k0 + word - 1) // word
    total = (end_row - first_row) * width * words_per_position
    at = 0
    cycle = start
    last_push = start - 1
    done = start
    pushed_here = 0
    for i in range(index.shape[0]):
        position = index[i] // channels
        c = index[i] - position * channels
        y = position // width
        if c < k0 or c >= k1 or y < first_row or y >= end_row:
            continue
        w = (position - first_row * width) * words_per_position + (c - k0) // word
        if w > at:
            if pushed_here and last_push > cycle + update:
                cycle = last_push
            else:
                cycle += update
            cycle += (w - at - 1) * update
            at = w
            pushed_here = 0
        push = last_push + 1 if last_push + 1 > cycle + update else cycle + update
        slot = so[1] % depth
        if fifo[slot] > push:
            runs[counts[2], 0] = push
            runs[counts[2], 1] = fifo[slot]
            counts[1] += fifo[slot] - push
            counts[2] += 1
            push = fifo[slot]
        leave = push + 1 if push + 1 > so[0] + output else so[0] + output
        fifo[slot] = leave
        so[0] = leave
        so[1] += 1
        so[2] = leave + output
        counts[0] += 1
        last_push = push
        pushed_here = 1
    if total > 0:
        if pushed_here and last_push > cycle + update:
            cycle = last_push
        else:
            cycle += update
        cycle += (total - at - 1) * update
        done = cycle
    return done
