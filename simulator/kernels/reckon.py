"""The two datapath phases of a tick-driven recurrent core (ReckOn class, inference), and the cycles they take.

Plain definition (tests/oracles/reckon.py goes cycle by cycle through the same):

STEP  one neuron pair every two cycles, read then write: fire if u >= thr, before the leak; leak = floor(u * alpha /
      2^15) kept to 16 bits; u = leak - thr on fire (0 with reset to zero), else leak.  Output neuron k leaks in cycle
      k: floor(out * kappa / 2^7).  An odd number of cycles only reads its last pair: it neither leaks nor fires.
PROP  index i = 0 .. max(NR, NI) - 1, one cycle each; where input i or recurrent spike i is set, every neuron pair is
      read and written, two cycles a pair: w = sat16((wrec << fp_rec) + (winp << fp_inp)), u = sat16(u + w).  A
      recurrent spike also adds a row of output weights to the output neurons, without a cycle of its own.

Sizes `cfg` (int64 [8]): 0 inputs NI, 1 recurrent neurons NR, 2 output neurons NO, 3 fp_inp, 4 fp_rec, 5 fp_out (left
shifts of the weights), 6 kappa, 7 reset to zero.
Counts `counts` (int64 [8]): 0 neuron words read, 1 neuron words written, words read of 2 the input, 3 the recurrent and
4 the output weights, 5 passes over all pairs, synaptic operations on 6 recurrent and 7 output neurons.
"""

import numpy as np
from numba import njit


@njit(cache=True)
def saturate16(x):
    """Limits x (int64) to -32768 .. 32767."""
    return min(max(x, -32768), 32767)


@njit(cache=True)
def wrap16(x):
    """Low 16 bits of x (int64) as a signed number: what a 16-bit register keeps."""
    return ((x + 32768) & 65535) - 32768


@njit(cache=True)
def step(u, dirty, z, out, thr, alpha, cfg, counts):
    """STEP of one timestep.  Returns its cycles, max(NR, NI, NO).

    u int64 [256] membranes, uint8 [256] `dirty` (written since the sample's start) and `z` (fired), all updated.
    out int64 [16] output potentials, updated.  thr, alpha int64 [128]: threshold and 2^15 leak factor of each pair.
    cfg, counts: see above.
    """
    cycles = max(cfg[0], cfg[1], cfg[2])
    for pair in range(cycles // 2):
        for n in range(2 * pair, 2 * pair + 2):
            before = u[n]
            fired = before >= thr[pair]
            leaked = wrap16((before * alpha[pair]) >> 15)
            if fired:
                leaked = 0 if cfg[7] else wrap16(leaked - thr[pair])
            u[n] = leaked
            z[n] = 1 if fired else 0
            dirty[n] = 1
    for k in range(cfg[2]):
        out[k] = wrap16((out[k] * cfg[6]) >> 7)
    counts[0] += (cycles + 1) // 2
    counts[1] += cycles // 2
    return cycles


@njit(cache=True)
def propagate(u, dirty, z, inp, out, winp, wrec, wout, cfg, counts):
    """PROP scan of one timestep.  Returns its cycles, max(NR, NI) + 2 * pairs * passes.

    u int64 [256] membranes, uint8 [256] `dirty` and `z` (fired), uint8 [256] inp (inputs set), all updated: what has
    been propagated is cleared.  out int64 [16] output potentials, updated.
    winp, wrec int8 [256, 256]: weight from source to recurrent neuron; wout int8 [256, 16]: to output neuron.
    cfg, counts: see above.
    """
    scan = max(cfg[0], cfg[1])
    pairs = (cfg[1] + 1) // 2
    words = (2 * pairs + 15) // 16
    passes = 0
    for i in range(scan):
        if not (inp[i] or z[i]):
            continue
        inputs = np.int64(inp[i])
        spikes = np.int64(z[i])
        for n in range(2 * pairs):
            w = inputs * (np.int64(winp[i, n]) << cfg[3]) + spikes * (np.int64(wrec[i, n]) << cfg[4])
            u[n] = saturate16(u[n] + saturate16(w))
            dirty[n] = 1
        if spikes:
            for k in range(cfg[2]):
                out[k] = saturate16(out[k] + (np.int64(wout[i, k]) << cfg[5]))
        counts[2] += words * inputs
        counts[3] += words * spikes
        counts[4] += spikes
        counts[6] += cfg[1] * (inputs + spikes)
        counts[7] += cfg[2] * spikes
        passes += 1
        inp[i] = 0
        z[i] = 0
    counts[0] += pairs * passes
    counts[1] += pairs * passes
    counts[5] += passes
    return scan + 2 * pairs * passes


@njit(cache=True)
def best_output(values, outputs):
    """Index of the largest of the first `outputs` of values int64 [16]; the lowest index wins a tie."""
    best = 0
    for k in range(1, outputs):
        if values[k] > values[best]:
            best = k
    return best
