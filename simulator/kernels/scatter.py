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

from numba import njit

# State vector `st` (int64): 0 push of the last event, 1 dispatcher free, 2 events pushed, 3 latest end of an engine,
# 4 start of the current busy run, 5 age given to the next event, 6 busy runs recorded.
# Engine rows `eng` (int64 [E, 11]): 0 request cycle of the next tap or -1 when idle, 1 free at, 2 age, 3 row, 4 end of
# rows, 5 first column, 6 column, 7 end of columns, 8 word, 9 words, 10 hold.


@njit(cache=True)
def _tap(eng, e, row_bank, col_bank, bank_free, banks, st, counts):
    """Grants the next tap of engine e and moves it on; see the module's definition."""
    bank = row_bank[eng[e, 3]] + col_bank[eng[e, 6]]
    if bank >= banks:
        bank -= banks
    bank = (bank + eng[e, 8]) % banks if eng[e, 8] else bank
    asked = eng[e, 0]
    grant = bank_free[bank] if bank_free[bank] > asked else asked
    counts[4] += grant - asked
    end = grant + eng[e, 10]
    bank_free[bank] = end
    eng[e, 0] = end
    eng[e, 8] += 1
    if eng[e, 8] == eng[e, 9]:
        eng[e, 8] = 0
        eng[e, 6] += 1
        if eng[e, 6] == eng[e, 7]:
            eng[e, 6] = eng[e, 5]
            eng[e, 3] += 1
            if eng[e, 3] == eng[e, 4]:
                eng[e, 0] = -1
                eng[e, 1] = end
                if end > st[3]:
                    st[3] = end


@njit(cache=True)
def _advance(limit, eng, row_bank, col_bank, bank_free, banks, st, counts):
    """Grants every tap that asks at or before `limit`, in (request cycle, age) order.  Returns unfinished engines."""
    engines = eng.shape[0]
    while True:
        best = -1
        unfinished = 0
        for e in range(engines):
            r = eng[e, 0]
            if r >= 0:
                unfinished += 1
                if best < 0 or r < eng[best, 0] or (r == eng[best, 0] and eng[e, 2] < eng[best, 2]):
                    best = e
        if best < 0 or eng[best, 0] > limit:
            return unfinished
        _tap(eng, best, row_bank, col_bank, bank_free, banks, st, counts)


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
    index, value, row_start, row_bank, col_start, col_bank, words, ops, fetch, fifo, eng, bank_free, st, runs, counts,
    ready, channels, width, mode, row_base, col_base, chan_base, feed, decode, fetch_den, accumulate,
):
    """Feeds one block of events of one projection.  Returns the cycle in which its last event enters the FIFO.

    index uint32 [n], flat channel-last source index; value int32 [n] or [0] when all are 1: |value| events each.
    row_start int32, row_bank int32: targets of a source row, as bank offsets; likewise columns.  The tables of all
    projections of a tile lie one after another; `row_base`, `col_base`, `chan_base` say where this projection's begin.
    words, ops, fetch int64 [channels]: membrane words and synaptic operations per tap, weight bits x cycles per tap.
    fifo int64 [depth]: pop cycles, as a ring.  eng, st: see above.  bank_free int64 [banks].
    runs int64 [m, 2]: busy intervals are appended at st[6].
    counts int64 [8]: 0 events, 1 taps, 2 synaptic operations, 3 membrane words, 4 bank waits, 5 engine waits,
    6 FIFO waits (cycles), 7 events without a tap here.
    ready: cycle from which the block may be read.  mode: 0 grid (a tap holds all words of a position in one bank),
    1 linear (a tap per word, words interleaved over the banks), 2 sparse (a tap per synapse, columns by source index).
    """
    depth = fifo.shape[0]
    banks = bank_free.shape[0]
    engines = eng.shape[0]
    weighted = value.shape[0] > 0
    for i in range(index.shape[0]):
        flat = index[i]
        channel = chan_base
        row = row_base
        col = col_base + flat
        if mode != 2:
            position = flat // channels
            channel = chan_base + flat - position * channels
            y = position // width
            row = row_base + y
            col = col_base + position - y * width
        n_words = words[channel]
        taps = (row_start[row + 1] - row_start[row]) * (col_start[col + 1] - col_start[col])
        if n_words == 0:
            taps = 0
        inner = n_words if mode == 1 else 1
        hold = accumulate if mode == 1 else accumulate * n_words
        fetch_cycles = decode + (taps * inner * fetch[channel] + fetch_den - 1) // fetch_den
        repeat = 1
        if weighted:
            repeat = value[i] if value[i] >= 0 else -value[i]
        for _ in range(repeat):
            start = st[0] if st[0] > ready else ready
            pushed = start + feed
            slot = st[2] % depth
            if fifo[slot] > pushed:
                counts[6] += fifo[slot] - pushed
                pushed = fifo[slot]
            st[0] = pushed
            popped = pushed + 1 if pushed + 1 > st[1] else st[1]
            fifo[slot] = popped
            st[2] += 1
            unfinished = _advance(popped, eng, row_bank, col_bank, bank_free, banks, st, counts)
            if unfinished == 0:
                covered = st[3] if st[3] > st[1] else st[1]
                if covered < popped:
                    if covered > st[4]:
                        runs[st[6], 0] = st[4]
                        runs[st[6], 1] = covered
                        st[6] += 1
                    st[4] = popped
            fetched = popped + fetch_cycles
            counts[0] += 1
            if taps == 0:
                st[1] = fetched
                counts[7] += 1
                continue
            _advance(fetched, eng, row_bank, col_bank, bank_free, banks, st, counts)
            while True:
                free = -1
                first = -1
                for e in range(engines):
                    if eng[e, 0] < 0:
                        if free < 0 or eng[e, 1] < eng[free, 1]:
                            free = e
                    elif first < 0 or eng[e, 0] < eng[first, 0] or (
                        eng[e, 0] == eng[first, 0] and eng[e, 2] < eng[first, 2]
                    ):
                        first = e
                if free >= 0:
                    dispatched = eng[free, 1] if eng[free, 1] > fetched else fetched
                    if first < 0 or eng[first, 0] > dispatched:
                        break
                _tap(eng, first, row_bank, col_bank, bank_free, banks, st, counts)
            counts[5] += dispatched - fetched
            st[1] = dispatched
            eng[free, 0] = dispatched + 1
            eng[free, 2] = st[5]
            st[5] += 1
            eng[free, 3] = row_start[row]
            eng[free, 4] = row_start[row + 1]
            eng[free, 5] = col_start[col]
            eng[free, 6] = col_start[col]
            eng[free, 7] = col_start[col + 1]
            eng[free, 8] = 0
            eng[free, 9] = inner
            eng[free, 10] = hold
            counts[1] += taps * inner
            counts[2] += taps * ops[channel]
            counts[3] += taps * n_words
    return st[0]


@njit(cache=True)
def drain(row_bank, col_bank, eng, bank_free, st, runs, counts, pipeline):
    """Finishes every tap of the timestep and closes the busy run.  Returns the cycle in which the pipeline is empty."""
    _advance(2**62, eng, row_bank, col_bank, bank_free, bank_free.shape[0], st, counts)
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

    index uint32 [n]: spikes of the layer in this timestep, rising; those outside channels k0 .. k1 are passed over.
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
