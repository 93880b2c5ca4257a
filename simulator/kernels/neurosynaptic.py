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
    update_one,
)

TREF, BIST, SYNAPSE, PUSH, POP_NEUR, POP_VIRT, AER_POP, WAIT_REQDN = range(8)
IDLE, FULL, CUT = range(3)


@njit(cache=True)
def transmit(cycle, address, cfg, st, cnt, aer):
    """Sends `address` after `cycle`; returns for how many cycles the output link is busy.

    cfg, st, cnt: see the module.  aer int64 [n, 6]: log of address, request, acknowledge, request low, acknowledge
    low, link idle.
    """
    n = st[8]
    st[8] = n + 1
    busy = 6 + cfg[6] + cfg[7]
    aer[n, 0] = address
    aer[n, 1] = cycle + 1
    aer[n, 2] = cycle + 1 + cfg[6]
    aer[n, 3] = cycle + 4 + cfg[6]
    aer[n, 4] = cycle + 4 + cfg[6] + cfg[7]
    aer[n, 5] = cycle + 1 + busy
    cnt[19] += busy
    return busy


@njit(cache=True)
def emit(cycle, neuron, popped, kind, start, cfg, st, cnt, fifo, spk):
    """A spike in `cycle`: pushed into the FIFO unless the loop is open or the FIFO was full in that cycle.

    popped: 1 where the FIFO is popped in the same cycle (by the caller, afterwards).  kind, start: the operation.
    fifo int64 [depth]: events, as a ring.  spk int64 [n, 6]: log of cycle, neuron, pushed (1), dropped (0) or open loop
    (-1), fill in the next cycle, operation, its start.
    """
    n = st[7]
    st[7] = n + 1
    fill = st[3]
    pushed = -1
    if not cfg[3]:
        pushed = 0
        if fill < cfg[1]:
            slot = st[2] + fill
            fifo[slot if slot < cfg[1] else slot - cfg[1]] = neuron
            fill += 1
            st[3] = fill
            pushed = 1
        else:
            cnt[12] += 1
    spk[n, 0] = cycle
    spk[n, 1] = neuron
    spk[n, 2] = pushed
    spk[n, 3] = fill - popped
    spk[n, 4] = kind
    spk[n, 5] = start
    cnt[13] = max(cnt[13], fill - popped)


@njit(cache=True)
def walk(kind, start, source, nrn, fired, cfg, st, cnt, fifo, spk, aer):
    """Cycles of a sweep over all neurons whose firing is known; returns (last cycle, updates done).

    source: address that the sweep sends where the register asks for source addresses, -1 elsewhere.
    nrn, fired: see `neurosynaptic_update`.
    """
    stall = np.int64(0)
    reached = np.int64(0)
    last = cfg[2]
    sender = cfg[11] if source >= 0 and cfg[0] == 1 else np.int64(-1)
    for i in range(last + 1):
        spiked = fired[i] != 0 and nrn[3, i] == 0
        if not (spiked or i == sender):
            continue
        cycle = start + 2 * i + 1 + stall
        if cycle >= cfg[13]:
            break
        reached = i + 1
        if spiked:
            popped = np.int64(kind == POP_NEUR and cfg[0] == 1 and i == last)
            emit(cycle, i, popped, kind, start, cfg, st, cnt, fifo, spk)
        if i == sender or (spiked and not cfg[4]):
            busy = transmit(cycle, source if i == sender else i, cfg, st, cnt, aer)
            if i == last:
                st[1] = cycle + 1 + busy
            else:
                stall += busy
                cnt[8] += busy
                if kind == POP_NEUR and (i + 1) & 7 == 0:
                    cnt[10] += busy
    end = start + 2 * last + 1 + stall
    done = last + 1
    if end >= cfg[13]:
        done = min(done, max(reached, (cfg[13] - start - stall) // 2))
    return end, done


@njit(cache=True)
def sweep(kind, start, pre, nrn, syn, sign, new, fired, cfg, st, cnt, fifo, spk, aer):
    """A time reference to all neurons, or a neuron event of source `pre`, from cycle `start`; returns its last cycle.

    syn uint8 [256, 256], row = source: nibbles.  sign uint8 [256]: 1 where a source inhibits.  new: see
    `neurosynaptic_update`.
    """
    wide = cfg[0] == 1
    n = cfg[2] + 1
    out = new[:n]
    if kind == TREF:
        drive_leak(nrn[0, :n], nrn[2, :n], out)
    elif wide:
        drive_unsigned(nrn[0, :n], syn[pre, :n], out, np.int64(sign[pre]), cfg[9])
    else:
        drive_signed(nrn[0, :n], syn[pre, :n], out)
    fires = fire(nrn[1, :n], out, fired[:n])
    source = pre if kind == POP_NEUR and cfg[4] else np.int64(-1)
    end = start + 2 * n - 1
    done = n
    if fires or source >= 0 or end >= cfg[13]:
        end, done = walk(kind, start, source, nrn, fired, cfg, st, cnt, fifo, spk, aer)
    cnt[8] += done
    cnt[9] += done
    if kind == POP_NEUR:
        cnt[14] += done
        words = (done + 7) >> 3
        cnt[10] += words if wide else 2 * words
        if wide:
            cnt[11] += words
            if cfg[12]:
                high = min(n, 8 * words)
                learn(nrn[12, :high], nrn[13, :high], syn[pre, :high], cfg[8])
    settle(nrn, new, fired, done, cfg[12] != 0, kind == TREF)
    return end


@njit(cache=True)
def single(kind, start, word, nrn, syn, sign, cfg, st, cnt, fifo, spk, aer):
    """An operation on one neuron, two cycles from `start`: time reference, single-synapse or virtual event."""
    wide = cfg[0] == 1
    cnt[8] += 1
    if kind == SYNAPSE:
        cnt[10] += 1
    cycle = start + 1
    if cycle >= cfg[13]:
        return
    cnt[9] += 1
    i = word & 255
    leaks = kind == TREF
    weight = np.int64(0)
    if kind == SYNAPSE:
        pre = word >> 8 & 255
        stored = np.int64(syn[pre, i])
        weight = (stored & 7) * ((stored >> 3) | cfg[9])
        weight = -weight if sign[pre] else weight
        cnt[11] += 1
        if cfg[10]:
            learn(nrn[12, i : i + 1], nrn[13, i : i + 1], syn[pre, i : i + 1], cfg[8])
    elif kind == TREF:
        i = word >> 8 & 255 if wide else i
    elif wide:
        leaks = word >> 8 & 1 == 1
        weight = word >> 10 & 7
        weight = -weight if word >> 9 & 1 else weight
    else:
        weight = word >> 8 & 15
        weight = weight - 16 if weight & 8 else weight
    if update_one(nrn, i, weight, leaks, wide, cfg[12] != 0) and nrn[3, i] == 0:
        emit(cycle, i, np.int64(kind == POP_VIRT), kind, start, cfg, st, cnt, fifo, spk)
        if not cfg[4]:
            st[1] = cycle + 1 + transmit(cycle, i, cfg, st, cnt, aer)


@njit(cache=True)
def stabilise(start, word, syn, cfg, cnt):
    """Bistability of one source's synapses or of all, two cycles per word of 8; returns the last cycle."""
    words = (cfg[2] + 1) // 8
    one = word >> 7 & 1
    rows = np.int64(1) if one else cfg[2] + 1
    first = word >> 8 & 255 if one else np.int64(0)
    end = start + 2 * words * rows - 1
    done = words * rows
    if end >= cfg[13]:
        done = min(done, max(np.int64(0), (cfg[13] - start) // 2))
    for row in range((done + words - 1) // words):
        polarise(syn[first + row, : 8 * min(words, done - row * words)], cfg[8])
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
def advance(due, word, cfg, st, cnt, nrn, syn, sign, fifo, new, fired, evt, ops, spk, aer):
    """Runs the core until its input is used up and it is idle (IDLE), a log is nearly full (FULL: empty the logs, set
    st[6:9] to 0, call again) or the cycle cfg[13] is reached (CUT).

    due, word int64 [n]: cycle in which an input event is due, and its word.  evt int64 [n, 7]: request, seen, operation
    begins, acknowledge, request low, controller waits again, operation.  ops int64 [m, 7]: operation, first and last
    cycle, word, stall cycles, spikes, FIFO fill in its first cycle.  The other arrays: see the module.
    """
    wide = cfg[0]
    depth = cfg[1]
    everything = 2 * (cfg[2] + 1)
    while True:
        n = st[6]
        spikes = st[7]
        fill = st[3]
        if n + 2 > len(ops) or spikes + len(new) > len(spk) or st[8] + len(new) + 1 > len(aer):
            return FULL
        cycle = max(st[0], st[1])
        k = st[4]
        seen = np.int64(1) << 62
        outer = PUSH
        if k < len(due):
            if st[5] < 0:
                seen = max(due[k], np.int64(1)) + 2
            else:
                seen = (st[5] + cfg[5] if due[k] <= st[5] + 1 else due[k]) + 2
            outer = classify(word[k], wide)
        elif fill == 0:
            return IDLE
        if fill == 0:
            cycle = max(cycle, seen)
        start = cycle + 1
        if start >= cfg[13]:
            return CUT
        external = fill < depth and seen <= cycle and (outer != BIST or fill == 0)
        if external:
            kind = outer
            data = word[k]
        else:
            data = fifo[st[2]]
            kind = POP_VIRT if data >> 8 else POP_NEUR
        swept = np.int64(0)
        if kind == PUSH:
            end = start
            slot = st[2] + fill
            fifo[slot if slot < depth else slot - depth] = stored(data, wide)
            st[3] = fill + 1
            cnt[13] = max(cnt[13], fill + 1)
            cnt[17] += 1
        elif kind == BIST:
            end = stabilise(start, data, syn, cfg, cnt)
        elif kind == POP_NEUR or (kind == TREF and (data & 128 == 0 if wide else data & 255 == 255)):
            swept = everything
            end = sweep(kind, start, data & 255, nrn, syn, sign, new, fired, cfg, st, cnt, fifo, spk, aer)
        else:
            end = start + 1
            single(kind, start, data, nrn, syn, sign, cfg, st, cnt, fifo, spk, aer)
        ops[n, 0] = kind
        ops[n, 1] = start
        ops[n, 2] = end
        ops[n, 3] = data
        ops[n, 4] = end - start + 1 - swept if swept else 0
        ops[n, 5] = st[7] - spikes
        ops[n, 6] = fill
        n += 1
        cnt[kind] += end - start + 1
        if external:
            low = end + 1 + cfg[5]
            evt[k, 0] = seen - 2
            evt[k, 1] = seen
            evt[k, 2] = start
            evt[k, 3] = end + 1
            evt[k, 4] = low
            evt[k, 5] = low + 3
            evt[k, 6] = kind
            cnt[WAIT_REQDN] += cfg[5] + 3
            st[4] = k + 1
            st[5] = low + 3
            st[0] = low + 3
        else:
            cnt[15 if kind == POP_NEUR else 16] += 1
            if kind == POP_NEUR and not wide:
                if cfg[4]:
                    st[1] = end + 1 + transmit(end, data & 255, cfg, st, cnt, aer)
                start = end + 1
                end = max(start, st[1])
                ops[n, 0] = AER_POP
                ops[n, 1] = start
                ops[n, 2] = end
                ops[n, 3] = data
                ops[n, 4] = end - start
                ops[n, 5] = 0
                ops[n, 6] = st[3]
                n += 1
                cnt[AER_POP] += end - start + 1
            st[2] = st[2] + 1 if st[2] + 1 < depth else 0
            st[3] -= 1
            st[0] = end + 1
        st[6] = n
        cnt[18] = max(cnt[18], st[0] - 1, st[1] - 1)
