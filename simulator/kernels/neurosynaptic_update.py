"""Membranes, calcium and weights of a neurosynaptic core: what one event does to all neurons, to one, or to synapses.

Neurons `nrn` int16 [14, neurons], a row per field: 0 membrane, 1 threshold, 2 leak (0 where leakage is off), 3
disabled, 4 calcium enabled, 5 membrane threshold of learning, 6 7 8 calcium thresholds, 9 calcium leak period, 10
calcium, 11 counter of the calcium leak, 12 and 13 flags "potentiate" and "depress".

An update of all neurons is a `drive` (membranes before the fire test), `fire`, then `settle` for as many neurons as
were written.  Weights learn between: they see the flags from before the event.  The loops over all neurons hold no
branch and no number wider than 16 bits, so that they compile to vector code: `x >> 15` is -1 where x < 0, else 0.
"""

import numpy as np
from numba import njit

i16 = np.int16
BITS = np.int16(15)
ZERO, ONE, THREE, SEVEN, EIGHT = (np.int16(n) for n in (0, 1, 3, 7, 8))
LOWEST, HIGHEST, TOP = np.int16(-2048), np.int16(2047), np.int16(255)


@njit(cache=True, _nrt=False)
def drive_signed(membrane, nibble, new):
    """Adds a signed 4-bit weight to each membrane, clipped to 12 bits: new = clip(V + w, -2048, 2047).

    membrane int16 [n]; nibble uint8 [n]: stored weights; new int16 [n]: result.
    """
    for i in range(new.size):
        w = i16(nibble[i])
        n = i16(membrane[i] + i16(w - i16(i16(w & EIGHT) << ONE)))
        low = i16(n - LOWEST)
        n = i16(n - i16(low & i16(low >> BITS)))
        high = i16(HIGHEST - n)
        new[i] = i16(n + i16(high & i16(high >> BITS)))


@njit(cache=True, _nrt=False)
def drive_unsigned(membrane, nibble, new, inhibits, unmapped):
    """Adds or subtracts a 3-bit weight, clipped to 8 bits: new = min(V + w, 255) or max(V - w, 0).

    inhibits: 1 where the source is inhibitory.  unmapped: 1 where weights count without their mapping bit (bit 3).
    """
    sign = i16(-inhibits)
    always = i16(unmapped)
    for i in range(new.size):
        stored = i16(nibble[i])
        w = i16(i16(stored & SEVEN) * i16(i16(stored >> THREE) | always))
        n = i16(membrane[i] + i16(i16(w ^ sign) - sign))
        n = i16(n & i16(~i16(n >> BITS)))
        high = i16(TOP - n)
        new[i] = i16(n + i16(high & i16(high >> BITS)))


@njit(cache=True, _nrt=False)
def drive_leak(membrane, leak, new):
    """Moves each membrane by its leak towards zero, and not past it.  leak int16 [n]."""
    for i in range(new.size):
        v = membrane[i]
        up = i16(v + leak[i])
        up = i16(up & i16(up >> BITS))
        down = i16(v - leak[i])
        down = i16(down & i16(~i16(down >> BITS)))
        negative = i16(v >> BITS)
        new[i] = i16(i16(up & negative) | i16(down & i16(~negative)))


@njit(cache=True, _nrt=False)
def fire(threshold, new, fired):
    """Fires where 0 <= new >= threshold and resets to zero; returns whether any fired, disabled neurons included.

    threshold int16 [n].  fired int16 [n]: -1 where the neuron fired, else 0.
    """
    some = ZERO
    for i in range(new.size):
        n = new[i]
        hit = i16(i16(~i16(i16(n - threshold[i]) | n)) >> BITS)
        some = i16(some | hit)
        fired[i] = hit
        new[i] = i16(n & i16(~hit))
    return some != 0


@njit(cache=True, _nrt=False)
def calcium_step(nrn, i, hit, leaks):
    """Calcium, its leak counter and both learning flags of neuron i, whose new membrane is written already.

    nrn: see the module.  hit: whether the neuron fired inside.  leaks: whether the event is a time reference.
    """
    if not nrn[4, i]:
        nrn[12, i] = 0
        nrn[13, i] = 0
        return
    lost = False
    if leaks and nrn[9, i] > 0:
        lost = nrn[11, i] == nrn[9, i] - 1
        nrn[11, i] = 0 if lost else (nrn[11, i] + 1) & 31
    calcium = nrn[10, i]
    if hit and not lost and calcium < 7:
        calcium += 1
    elif lost and not hit and calcium > 0:
        calcium -= 1
    nrn[10, i] = calcium
    above = nrn[0, i] >= nrn[5, i]
    nrn[12, i] = above and nrn[6, i] <= calcium < nrn[8, i]
    nrn[13, i] = not above and nrn[6, i] <= calcium < nrn[7, i]


@njit(cache=True, _nrt=False)
def settle(nrn, new, fired, done, learns, leaks):
    """Writes the first `done` membranes back, and with `learns` what `calcium_step` says."""
    for i in range(done):
        nrn[0, i] = new[i]
    if learns:
        for i in range(done):
            calcium_step(nrn, i, fired[i] != 0, leaks)


@njit(cache=True, _nrt=False)
def update_one(nrn, i, weight, leaks, wide, learns):
    """Updates neuron i alone: adds a signed weight or leaks; returns whether it fired inside.

    weight: already signed.  wide: 1 for unsigned 8-bit membranes, 0 for signed 12-bit ones.
    """
    v = np.int64(nrn[0, i])
    if leaks:
        leak = np.int64(nrn[2, i])
        n = min(v + leak, 0) if v < 0 else max(v - leak, 0)
    elif wide:
        n = min(max(v + weight, 0), 255)
    else:
        n = min(max(v + weight, -2048), 2047)
    hit = n >= 0 and n >= nrn[1, i]
    nrn[0, i] = 0 if hit else n
    if learns:
        calcium_step(nrn, i, hit, leaks)
    return hit


@njit(cache=True, _nrt=False)
def learn(up, down, row, unmapped):
    """Spike-driven plasticity of one source's synapses: w + 1 (at most 7) or w - 1 (at least 0) by the targets' flags.

    up, down int16 [n]: flags.  row uint8 [n]: nibbles.  unmapped: 1 where synapses learn without their mapping bit.
    """
    always = i16(unmapped)
    for i in range(row.size):
        stored = i16(row[i])
        w = i16(stored & SEVEN)
        rise = i16(up[i] & i16(i16(w - SEVEN) >> BITS))
        fall = i16(down[i] & i16(i16(ZERO - w) >> BITS))
        row[i] = np.uint8(stored + i16(i16(i16(stored >> THREE) | always) * i16(rise - fall)))


@njit(cache=True, _nrt=False)
def polarise(row, unmapped):
    """Bistability of one source's synapses: w >= 4 moves up by one (at most 7), else down by one (at least 0)."""
    for i in range(row.size):
        stored = np.int64(row[i])
        w = stored & 7
        if (stored >> 3) | unmapped:
            row[i] = stored + (4 <= w < 7) - (0 < w < 4)
