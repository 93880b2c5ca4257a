"""Membranes, calcium and weights of a neurosynaptic core: what one event does to a range of neurons or synapses.

Neurons `nrn` int64 [14, neurons], a row per field: 0 membrane, 1 threshold, 2 leak (0 where leakage is off), 3
disabled, 4 calcium enabled, 5 membrane threshold of learning, 6 7 8 calcium thresholds, 9 calcium leak period, 10
calcium, 11 counter of the calcium leak, 12 and 13 flags "potentiate" and "depress".
Synapses `syn` uint8 [neurons, neurons], row = source: the stored nibble.

An update is `drive` (membrane before the fire test, into `new`), `fire` (into `new` and `fired`), then `settle` for as
many neurons as were written.  Weights learn between: they see the flags from before the event.
"""

import numpy as np
from numba import njit

SIGNED = 0
UNSIGNED = 1


@njit(cache=True)
def drive_signed(nrn, nibble, new, low, high):
    """Adds a signed 4-bit weight to each membrane, clipped to 12 bits: new = clip(V + w, -2048, 2047).

    nrn: see the module.  nibble uint8 [neurons]: stored weights.  new int64 [neurons]: result.
    low, high: range of neurons, end exclusive.
    """
    membrane = nrn[0]
    for i in range(low, high):
        weight = np.int64(nibble[i])
        n = membrane[i] + weight - ((weight & 8) << 1)
        new[i] = min(max(n, np.int64(-2048)), np.int64(2047))


@njit(cache=True)
def drive_unsigned(nrn, nibble, new, low, high, inhibits, unmapped):
    """Adds or subtracts a 3-bit weight, clipped to 8 bits: new = min(V + w, 255) or max(V - w, 0).

    inhibits: 1 where the source is inhibitory.  unmapped: 1 where weights count without their mapping bit (bit 3).
    """
    membrane = nrn[0]
    sign = np.int64(1) - 2 * inhibits
    for i in range(low, high):
        stored = np.int64(nibble[i])
        n = membrane[i] + sign * ((stored & 7) * ((stored >> 3) | unmapped))
        new[i] = min(max(n, np.int64(0)), np.int64(255))


@njit(cache=True)
def drive_leak(nrn, new, low, high):
    """Moves each membrane by its leak towards zero, and not past it."""
    membrane = nrn[0]
    leak = nrn[2]
    for i in range(low, high):
        v = membrane[i]
        down = max(v - leak[i], np.int64(0))
        up = min(v + leak[i], np.int64(0))
        new[i] = up if v < 0 else down


@njit(cache=True)
def fire(nrn, new, fired, low, high):
    """Fires where 0 <= new >= threshold and resets to zero; returns how many fired, disabled neurons included.

    fired int64 [neurons]: 1 where the neuron fired.
    """
    threshold = nrn[1]
    total = np.int64(0)
    for i in range(low, high):
        n = new[i]
        hit = np.int64(n >= threshold[i]) & np.int64(n >= 0)
        fired[i] = hit
        new[i] = n * (1 - hit)
        total += hit
    return total


@njit(cache=True)
def settle(nrn, new, fired, low, high, learns, leaks):
    """Writes membranes back, and with `learns` calcium, its leak counter and both learning flags.

    leaks: 1 where the event is a time reference, which advances the calcium leak.
    """
    membrane = nrn[0]
    if not learns:
        for i in range(low, high):
            membrane[i] = new[i]
        return
    for i in range(low, high):
        v = new[i]
        membrane[i] = v
        enabled = nrn[4, i]
        calcium = nrn[10, i]
        lost = np.int64(0)
        if enabled and leaks and nrn[9, i] > 0:
            if nrn[11, i] == nrn[9, i] - 1:
                nrn[11, i] = 0
                lost = np.int64(1)
            else:
                nrn[11, i] = (nrn[11, i] + 1) & 31
        if enabled:
            if fired[i] and not lost and calcium < 7:
                calcium += 1
            elif lost and not fired[i] and calcium > 0:
                calcium -= 1
        nrn[10, i] = calcium
        above = v >= nrn[5, i]
        nrn[12, i] = np.int64(enabled and above and nrn[6, i] <= calcium < nrn[8, i])
        nrn[13, i] = np.int64(enabled and not above and nrn[6, i] <= calcium < nrn[7, i])


@njit(cache=True)
def learn(nrn, row, low, high, unmapped):
    """Spike-driven plasticity of one source's synapses: w + 1 (at most 7) or w - 1 (at least 0) by the targets' flags.

    row uint8 [neurons]: nibbles of the source.  unmapped: 1 where synapses learn without their mapping bit.
    """
    up = nrn[12]
    down = nrn[13]
    for i in range(low, high):
        stored = np.int64(row[i])
        weight = stored & 7
        allowed = (stored >> 3) | unmapped
        step = (up[i] & np.int64(weight < 7)) - (down[i] & np.int64(weight > 0))
        row[i] = np.uint8(stored + allowed * step)


@njit(cache=True)
def polarise(row, low, high, unmapped):
    """Bistability of one source's synapses: w >= 4 moves up by one (at most 7), else down by one (at least 0)."""
    for i in range(low, high):
        stored = np.int64(row[i])
        weight = stored & 7
        allowed = (stored >> 3) | unmapped
        step = np.int64(4 <= weight < 7) - np.int64(0 < weight < 4)
        row[i] = np.uint8(stored + allowed * step)
