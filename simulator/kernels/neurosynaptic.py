"""Timing of a neurosynaptic core: input handshake, event FIFO, controller, time-multiplexed sweep, output handshake.

Plain definition, in cycles of the core.  The controller waits, or executes one operation of a fixed length:

wait        decides in a cycle in which the output link is idle: a full FIFO is popped first, then a request that the
            synchroniser shows (two cycles after it rose) is served, then a queued event is popped, then bistability.
operation   starts in the following cycle.  A sweep spends a read and a write cycle per neuron; a neuron spikes in its
            write cycle, and while the output link is busy the sweep stands in the read cycle of the next neuron.
request     is acknowledged in the cycle after its operation; the controller waits until it sees the request fall.
output      busy from the cycle after the spike until the four-phase handshake is over: 6 + delays of the receiver.

The kernel goes from operation to operation, never from cycle to cycle.

Registers `cfg` int64 [14]: 0 dialect (0 signed 12-bit neurons, 1 unsigned 8-bit neurons that learn), 1 FIFO depth, 2
last neuron of a sweep, 3 open loop, 4 output of source addresses, 5 request delay of the sender, 6 and 7 acknowledge
and release delay of the receiver, 8 unmapped synapses learn, 9 unmapped synapses propagate, 10 single-synapse events
learn, 11 neuron in whose update a source address is sent, 12 any neuron has calcium enabled, 13 cycle in which the run
is cut off.
State `st` int64 [9]: 0 first cycle of the wait, 1 first idle cycle of the output link, 2 FIFO head, 3 FIFO
fill, 4 next input event, 5 end of the last handshake (-1 before the first), 6 operations, 7 spikes and 8 transfers
logged.
Totals `cnt` int64 [20]: 0..7 cycles per operation and in the wait for a falling request, 8 and 9 neuron reads
and writes, 10 and 11 synapse reads and writes, 12 spikes lost to a full FIFO, 13 highest fill, 14 synaptic operations,
15..17 neuron events, virtual events and external pushes, 18 last active cycle, 19 output busy cycles.
"""

import numpy as np
from numba import njit

from simulator.kernels.neurosynaptic_update import (
    drive_leak,
    drive_signed,
    drive_unsigned,
    fire,
    learn,
    polarise,
    settle,
)

TREF, BIST, SYNAPSE, PUSH, POP_NEUR, POP_VIRT, AER_POP, WAIT_REQDN = range(8)
IDLE, FULL, CUT = range(3)


@njit(cache=True)
def transmit(cycle, address, cfg, st, cnt, aer):
    """Sends `address` after `cycle`; returns for how many cycles the output link is busy.

    cfg, st, cnt: see the module.  aer int64 [n, 6]: log of address, request, acknowledge, request low, acknowledge
    low, link idle.
    """
    row = aer[st[8]]
    st[8] += 1
    row[0] = address
    row[1] = cycle + 1
    row[2] = row[1] + cfg[6]
    row[3] = row[2] + 3
    row[4] = row[3] + cfg[7]
    row[5] = row[4] + 3
    cnt[19] += row[5] - row[1]
    return row[5] - row[1]


@njit(cache=True)
def emit(cycle, neuron, popped, kind, start, cfg, st, cnt, fifo, spk):
    """A spike in `cycle`: pushed into the FIFO unless the loop is open or the FIFO was full in that cycle.

    popped: 1 where the FIFO is popped in the same cycle (by the caller, afterwards).  kind, start: the operation.
    fifo int64 [depth]: events, as a ring.  spk int64 [n, 6]: log of cycle, neuron, pushed (1), dropped (0) or open loop
    (-1), fill in the next cycle, operation, its start.
    """
    row = spk[st[7]]
    st[7] += 1
    row[0] = cycle
    row[1] = neuron
    row[2] = -1
    if not cfg[3]:
        row[2] = np.int64(st[3] < cfg[1])
        if row[2]:
            fifo[(st[2] + st[3]) % cfg[1]] = neuron
            st[3] += 1
        else:
            cnt[12] += 1
    row[3] = st[3] - popped
    row[4] = kind
    row[5] = start
    cnt[13] = max(cnt[13], row[3])


@njit(cache=True)
def sweep(kind, start, low, high, source, nrn, fired, cfg, st, cnt, fifo, spk, aer):
    """Cycles of an update of neurons low .. high (exclusive) whose firing is known; returns (last cycle, updates done).

    source: address that a sweep sends where the register asks for source addresses, -1 elsewhere.
    nrn, fired: see `neurosynaptic_update`.
    """
    stall = np.int64(0)
    reached = np.int64(0)
    last_pops = kind == POP_VIRT or (kind == POP_NEUR and cfg[0] == 1)
    for i in range(low, high):
        spiked = fired[i] and not nrn[3, i]
        sends = cfg[0] == 1 and source >= 0 and i == cfg[11]
        if not (spiked or sends):
            continue
        cycle = start + 2 * (i - low) + 1 + stall
        if cycle >= cfg[13]:
            break
        reached = i - low + 1
        if spiked:
            emit(cycle, i, np.int64(last_pops and i == high - 1), kind, start, cfg, st, cnt, fifo, spk)
        if sends or (spiked and not cfg[4]):
            busy = transmit(cycle, source if sends else i, cfg, st, cnt, aer)
            if i == high - 1:
                st[1] = cycle + 1 + busy
            else:
                stall += busy
                cnt[8] += busy
                if kind == POP_NEUR and (i + 1) % 8 == 0:
                    cnt[10] += busy
    end = start + 2 * (high - low) - 1 + stall
    done = high - low
    if end >= cfg[13]:
        done = min(done, max(reached, (cfg[13] - start - stall) // 2))
    cnt[8] += done
    cnt[9] += done
    return end, done


@njit(cache=True)
def update(kind, start, word, sign, nrn, syn, new, fired, weight, cfg, st, cnt, fifo, spk, aer):
    """Executes an operation that updates neurons, from cycle `start`; returns its last cycle.

    word: input word of a time reference or single-synapse event, stored event of a pop.  sign uint8 [neurons]: 1 where
    a source inhibits.  syn, new: see `neurosynaptic_update`.  weight uint8 [neurons]: scratch for a virtual weight.
    """
    wide = cfg[0] == 1
    low = np.int64(0)
    high = cfg[2] + 1
    leaks = np.int64(kind == TREF)
    pre = word & 255
    if kind == TREF:
        if wide and word >> 7 & 1:
            low = word >> 8 & 255
            high = low + 1
        elif not wide and word & 255 != 255:
            low = word & 255
            high = low + 1
    elif kind == SYNAPSE:
        low = word & 255
        high = low + 1
        pre = word >> 8 & 255
    elif kind == POP_VIRT:
        low = word & 255
        high = low + 1
        leaks = word >> 8 & 1 if wide else np.int64(0)
    if leaks:
        drive_leak(nrn, new, low, high)
    elif kind == POP_VIRT:
        if wide:
            weight[low] = word >> 10 & 7
            drive_unsigned(nrn, weight, new, low, high, word >> 9 & 1, np.int64(1))
        else:
            weight[low] = word >> 8 & 15
            drive_signed(nrn, weight, new, low, high)
    elif wide:
        drive_unsigned(nrn, syn[pre], new, low, high, np.int64(sign[pre]), cfg[9])
    else:
        drive_signed(nrn, syn[pre], new, low, high)
    fires = fire(nrn, new, fired, low, high)
    source = pre if kind == POP_NEUR and cfg[4] else np.int64(-1)
    if fires or source >= 0 or start + 2 * (high - low) >= cfg[13]:
        end, done = sweep(kind, start, low, high, source, nrn, fired, cfg, st, cnt, fifo, spk, aer)
    else:
        end = start + 2 * (high - low) - 1
        done = high - low
        cnt[8] += done
        cnt[9] += done
    learned = min(high, low + (done + 7) // 8 * 8)
    if kind == POP_NEUR:
        cnt[14] += done
        words = (done + 7) // 8
        cnt[10] += words if wide else 2 * words
        if wide:
            cnt[11] += words
            if cfg[12]:
                learn(nrn, syn[pre], low, learned, cfg[8])
    elif kind == SYNAPSE:
        cnt[10] += 1
        cnt[11] += done
        if cfg[10] and done:
            learn(nrn, syn[pre], low, high, cfg[8])
    settle(nrn, new, fired, low, low + done, cfg[12], leaks)
    return end


@njit(cache=True)
def stabilise(start, word, syn, cfg, cnt):
    """Bistability of one source's synapses or of all, two cycles per word of 8; returns the last cycle."""
    words = (cfg[2] + 1) // 8
    single = word >> 7 & 1
    rows = np.int64(1) if single else cfg[2] + 1
    first = word >> 8 & 255 if single else np.int64(0)
    end = start + 2 * words * rows - 1
    done = words * rows
    if end >= cfg[13]:
        done = min(done, max(np.int64(0), (cfg[13] - start) // 2))
    for row in range((done + words - 1) // words):
        polarise(syn[first + row], 0, 8 * min(words, done - row * words), cfg[8])
    cnt[10] += done
    cnt[11] += done
    return end


@njit(cache=True)
def classify(word, wide):
    """Operation of an input word: TREF, BIST, SYNAPSE or PUSH.  wide: 1 for the dialect with 17-bit words."""
    if not wide:
        return TREF if word & 256 else PUSH
    if word & 65536:
        return SYNAPSE
    if word & 127 == 127:
        return TREF
    return PUSH if word & 127 else BIST


@njit(cache=True)
def stored(word, wide):
    """What a pushed input word leaves in the FIFO: payload above the 8-bit address; no payload is a neuron event."""
    if wide:
        return (word >> 3 & 31) << 8 | (word >> 8 & 255)
    if word & 512:
        return (word >> 4 & 15) << 8 | (word & 15)
    return word & 255


@njit(cache=True)
def advance(due, word, cfg, st, cnt, nrn, syn, sign, fifo, new, fired, weight, evt, ops, spk, aer):
    """Runs the core until its input is used up and it is idle (IDLE), a log is nearly full (FULL: empty the logs, set
    st[6:9] to 0, call again) or the cycle cfg[13] is reached (CUT).

    due, word int64 [n]: cycle in which an input event is due, and its word.  evt int64 [n, 7]: request, seen, operation
    begins, acknowledge, request low, controller waits again, operation.  ops int64 [m, 7]: operation, first and last
    cycle, word, stall cycles, spikes, FIFO fill in its first cycle.  The other arrays: see the module.
    """
    wide = cfg[0]
    while True:
        if st[6] + 2 > len(ops) or st[7] + len(new) > len(spk) or st[8] + len(new) + 1 > len(aer):
            return FULL
        cycle = max(st[0], st[1])
        k = st[4]
        seen = np.int64(1) << 62
        outer = PUSH
        if k < len(due):
            if st[5] < 0:
                request = max(due[k], np.int64(1))
            else:
                request = st[5] + cfg[5] if due[k] <= st[5] + 1 else due[k]
            seen = request + 2
            outer = classify(word[k], wide)
        elif st[3] == 0:
            return IDLE
        if st[3] == 0:
            cycle = max(cycle, seen)
        start = cycle + 1
        if start >= cfg[13]:
            return CUT
        spikes = st[7]
        fill = st[3]
        external = st[3] < cfg[1] and seen <= cycle and (outer != BIST or st[3] == 0)
        if external:
            kind = outer
            data = word[k]
        else:
            data = fifo[st[2]]
            kind = POP_VIRT if data >> 8 else POP_NEUR
        if kind == PUSH:
            end = start
            fifo[(st[2] + st[3]) % cfg[1]] = stored(data, wide)
            st[3] += 1
            cnt[13] = max(cnt[13], st[3])
            cnt[17] += 1
        elif kind == BIST:
            end = stabilise(start, data, syn, cfg, cnt)
        else:
            end = update(kind, start, data, sign, nrn, syn, new, fired, weight, cfg, st, cnt, fifo, spk, aer)
        row = ops[st[6]]
        st[6] += 1
        row[0] = kind
        row[1] = start
        row[2] = end
        row[3] = data
        swept = 2
        if kind == POP_NEUR or (kind == TREF and end > start + 1):
            swept = 2 * (cfg[2] + 1)
        row[4] = end - start + 1 - swept if kind in (TREF, POP_NEUR) else 0
        row[5] = st[7] - spikes
        row[6] = fill
        cnt[kind] += end - start + 1
        if external:
            times = evt[k]
            times[0] = request
            times[1] = seen
            times[2] = start
            times[3] = end + 1
            times[4] = times[3] + cfg[5]
            times[5] = times[4] + 3
            times[6] = kind
            cnt[WAIT_REQDN] += times[5] - times[3]
            st[4] += 1
            st[5] = times[5]
            st[0] = times[5]
        else:
            cnt[15 if kind == POP_NEUR else 16] += 1
            if kind == POP_NEUR and not wide:
                if cfg[4]:
                    st[1] = end + 1 + transmit(end, data & 255, cfg, st, cnt, aer)
                row = ops[st[6]]
                st[6] += 1
                row[0] = AER_POP
                row[1] = end + 1
                row[2] = max(end + 1, st[1])
                row[3] = data
                row[4] = row[2] - row[1]
                row[5] = 0
                row[6] = st[3]
                end = row[2]
                cnt[AER_POP] += end - row[1] + 1
            st[2] = (st[2] + 1) % cfg[1]
            st[3] -= 1
            st[0] = end + 1
        cnt[18] = max(cnt[18], max(st[0] - 1, st[1] - 1))
