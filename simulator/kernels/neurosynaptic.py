"""Timing of a neurosynaptic core: input handshake, event FIFO, controller, time-multiplexed sweep, output handshake.

Plain definition, in cycles of the core.  The controller waits, or executes one operation of a fixed length:

wait        decides in a cycle in which the output link is idle: a full FIFO is popped first, then a request that the
            synchroniser shows (two cycles after it rose) is served, then a queued event is popped, then bistability.
operation   starts in the following cycle.  A sweep spends a read and a write cycle per neuron; a neuron spikes in its
            write cycle, and while the output link is busy the sweep stands in the read cycle of the next neuron.
request     is acknowledged in the cycle after its operation; the controller waits until it sees the request fall.
output      busy from the cycle after the spike until the four-phase handshake is over: 6 + delays of the receiver.

The kernel goes from operation to operation, never from cycle to cycle.  `_nrt=False`: these functions neither make nor
keep arrays, so numba need not count references to them (two locked instructions per array and call, two thirds of the
time of a short operation).

Registers `cfg` int64 [14]: 0 dialect (0 signed 12-bit neurons, 1 unsigned 8-bit neurons that learn), 1 FIFO depth, 2
last neuron of a sweep, 3 open loop, 4 output of source addresses, 5 request delay of the sender, 6 and 7 acknowledge
and release delay of the receiver, 8 unmapped synapses learn, 9 unmapped synapses propagate, 10 single-synapse events
learn, 11 neuron in whose update a source address is sent, 12 any neuron has calcium enabled, 13 cycle in which the run
is cut off.
State `st` int64 [9]: 0 first cycle of the wait, 1 first idle cycle of the output link, 2 FIFO head, 3 FIFO
fill, 4 next input event, 5 end of the last handshake (-1 before the first), 6 operations, 7 spikes and 8 transfers
logged.
Totals `cnt` int64 [7]: 0 and 1 neuron reads and writes, 2 and 3 synapse reads and writes, 4 spikes lost to a full
FIFO, 5 highest fill, 6 synaptic operations.
Logs hold what nothing else says; `operation_fields`, `spike_fields` and `transfer_fields` unpack them:
`evt` int64 [n] request cycle of each input event; `ops` int64 [m, 3] first cycle, last cycle, packed; `spk` int64
[s, 2] cycle, packed; `aer` int64 [t] request cycle and address, packed.
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


def operation_fields(packed: np.ndarray) -> tuple[np.ndarray, ...]:
    """(operation, FIFO fill in its first cycle, spikes, word) of the third column of `ops`.  packed: int64 [m]."""
    return packed & 7, packed >> 3 & 0x1FFFFF, packed >> 24 & 0x1FF, packed >> 33


def spike_fields(packed: np.ndarray) -> tuple[np.ndarray, ...]:
    """(neuron, pushed 1 or dropped 0 or open loop -1, FIFO fill in the next cycle) of the second column of `spk`."""
    return packed & 255, (packed >> 8 & 3) - 1, packed >> 10


def transfer_fields(packed: np.ndarray) -> tuple[np.ndarray, ...]:
    """(address, request cycle) of `aer`."""
    return packed & 255, packed >> 8


@njit(cache=True, _nrt=False)
def transmit(cycle, address, cfg, st, aer):
    """Sends `address` after `cycle`; returns for how many cycles the output link is busy.

    cfg, st, aer: see the module.
    """
    aer[st[8]] = (cycle + 1) << 8 | address
    st[8] += 1
    return 6 + cfg[6] + cfg[7]


@njit(cache=True, _nrt=False)
def emit(cycle, neuron, popped, cfg, st, cnt, fifo, spk):
    """A spike in `cycle`: pushed into the FIFO unless the loop is open or the FIFO was full in that cycle.

    popped: 1 where the FIFO is popped in the same cycle (by the caller, afterwards).  cnt, spk: see the module.
    fifo int64 [depth]: events, as a ring.
    """
    fill = st[3]
    pushed = 0
    if not cfg[3]:
        pushed = 1
        if fill < cfg[1]:
            slot = st[2] + fill
            fifo[slot if slot < cfg[1] else slot - cfg[1]] = neuron
            fill += 1
            st[3] = fill
            pushed = 2
        else:
            cnt[4] += 1
    fill -= popped
    n = st[7]
    spk[n, 0] = cycle
    spk[n, 1] = neuron | pushed << 8 | fill << 10
    st[7] = n + 1
    cnt[5] = max(cnt[5], fill)


@njit(cache=True, _nrt=False)
def walk(kind, start, source, nrn, fired, cfg, st, cnt, fifo, spk, aer):
    """Cycles of a sweep over all neurons whose firing is known; returns (last cycle, updates done).

    kind, start: the operation and its first cycle.  source: address that the sweep sends where the
    register asks for source addresses, -1 elsewhere.  nrn, fired: see `neurosynaptic_update`.
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
            emit(cycle, i, popped, cfg, st, cnt, fifo, spk)
        if i == sender or (spiked and not cfg[4]):
            busy = transmit(cycle, source if i == sender else i, cfg, st, aer)
            if i == last:
                st[1] = cycle + 1 + busy
            else:
                stall += busy
                cnt[0] += busy
                if kind == POP_NEUR and (i + 1) & 7 == 0:
                    cnt[2] += busy
    end = start + 2 * last + 1 + stall
    done = last + 1
    if end >= cfg[13]:
        done = min(done, max(reached, (cfg[13] - start - stall) // 2))
    return end, done


@njit(cache=True, _nrt=False)
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
    cnt[0] += done
    cnt[1] += done
    if kind == POP_NEUR:
        cnt[6] += done
        words = (done + 7) >> 3
        cnt[2] += words if wide else 2 * words
        if wide:
            cnt[3] += words
            if cfg[12]:
                high = min(n, 8 * words)
                learn(nrn[12, :high], nrn[13, :high], syn[pre, :high], cfg[8])
    settle(nrn, new, fired, done, cfg[12] != 0, kind == TREF)
    return end


@njit(cache=True, _nrt=False)
def single(kind, start, word, nrn, syn, sign, cfg, st, cnt, fifo, spk, aer):
    """An operation on one neuron, two cycles from `start`: time reference, single-synapse or virtual event."""
    wide = cfg[0] == 1
    cnt[0] += 1
    if kind == SYNAPSE:
        cnt[2] += 1
    cycle = start + 1
    if cycle >= cfg[13]:
        return
    cnt[1] += 1
    i = word & 255
    leaks = kind == TREF
    weight = np.int64(0)
    if kind == SYNAPSE:
        pre = word >> 8 & 255
        stored = np.int64(syn[pre, i])
        weight = (stored & 7) * ((stored >> 3) | cfg[9])
        weight = -weight if sign[pre] else weight
        cnt[3] += 1
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
        emit(cycle, i, np.int64(kind == POP_VIRT), cfg, st, cnt, fifo, spk)
        if not cfg[4]:
            st[1] = cycle + 1 + transmit(cycle, i, cfg, st, aer)


@njit(cache=True, _nrt=False)
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
    cnt[2] += done
    cnt[3] += done
    return end


@njit(cache=True, _nrt=False)
def classify(word, wide):
    """Operation of an input word: TREF, BIST, SYNAPSE or PUSH.  wide: 1 for the dialect with 17-bit words."""
    if not wide:
        return TREF if word & 256 else PUSH
    if word & 65536:
        return SYNAPSE
    if word & 127 == 127:
        return TREF
    return PUSH if word & 127 else BIST


@njit(cache=True, _nrt=False)
def stored(word, wide):
    """What a pushed input word leaves in the FIFO: payload above the 8-bit address; no payload is a neuron event."""
    if wide:
        return (word >> 3 & 31) << 8 | (word >> 8 & 255)
    if word & 512:
        return (word >> 4 & 15) << 8 | (word & 15)
    return word & 255


@njit(cache=True, _nrt=False)
def advance(due, word, cfg, st, cnt, nrn, syn, sign, fifo, new, fired, evt, ops, spk, aer):
    """Runs the core until its input is used up and it is idle (IDLE), a log is nearly full (FULL: empty the logs, set
    st[6:9] to 0, call again) or the cycle cfg[13] is reached (CUT).

    due, word int64 [n]: cycle in which an input event is due, and its word.  evt, ops: see the module.
    """
    wide = cfg[0]
    depth = cfg[1]
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
        if kind == PUSH:
            end = start
            slot = st[2] + fill
            fifo[slot if slot < depth else slot - depth] = stored(data, wide)
            st[3] = fill + 1
            cnt[5] = max(cnt[5], fill + 1)
        elif kind == BIST:
            end = stabilise(start, data, syn, cfg, cnt)
        elif kind == POP_NEUR or (kind == TREF and (data & 128 == 0 if wide else data & 255 == 255)):
            end = sweep(kind, start, data & 255, nrn, syn, sign, new, fired, cfg, st, cnt, fifo, spk, aer)
        else:
            end = start + 1
            single(kind, start, data, nrn, syn, sign, cfg, st, cnt, fifo, spk, aer)
        ops[n, 0] = start
        ops[n, 1] = end
        ops[n, 2] = kind | fill << 3 | (st[7] - spikes) << 24 | data << 33
        n += 1
        if external:
            evt[k] = seen - 2
            st[4] = k + 1
            st[5] = end + cfg[5] + 4
            st[0] = st[5]
        else:
            if kind == POP_NEUR and not wide:
                if cfg[4]:
                    st[1] = end + 1 + transmit(end, data & 255, cfg, st, aer)
                ops[n, 0] = end + 1
                end = max(end + 1, st[1])
                ops[n, 1] = end
                ops[n, 2] = AER_POP | st[3] << 3 | data << 33
                n += 1
            st[2] = st[2] + 1 if st[2] + 1 < depth else 0
            st[3] -= 1
            st[0] = end + 1
        st[6] = n
