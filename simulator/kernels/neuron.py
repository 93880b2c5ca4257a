"""Neuron update kernels: one timestep of a population, and the spike list of what fired.

The state is walked in rows of `width` neurons; each pass over a row is a plain loop, so that it vectorises and
stays in the first cache.  Parameters per channel are repeated to `width` by the caller (a multiple of the channels).
"""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def decay_row(source, result, kind, numerator, bits):
    """What is left of integers after one step.

    source int32 [n], result int64 [n] (out).  kind 0: x.  1: x - (x >> bits).  2: x * numerator >> bits, towards minus
    infinity.  3: the same towards zero.  |numerator| < 2**31 and bits <= 62, so that nothing overflows.
    """
    if kind == 0:
        for k in range(source.size):
            result[k] = source[k]
    elif kind == 1:
        for k in range(source.size):
            x = np.int64(source[k])
            result[k] = x - (x >> bits)
    elif kind == 2:
        for k in range(source.size):
            result[k] = (np.int64(source[k]) * numerator) >> bits
    else:
        below = (np.int64(1) << bits) - 1  # added to negative products, it turns the floor of >> into a ceiling
        for k in range(source.size):
            product = np.int64(source[k]) * numerator
            result[k] = (product + ((product >> 63) & below)) >> bits


@njit(cache=True)
def fire_row(wide, fired, threshold, floor, strict, to_zero, output):
    """Fire test, reset and floor of one row.

    wide int64 or float64 [n] (in, out): membranes, after reset and floor on return
    fired int32 [n] (out): what each neuron sends; 0 is nothing
    threshold, floor int64 or float64 [n]; the threshold is positive
    strict: fire above the threshold (True) or at it too (False);  to_zero: reset to 0, or by subtraction
    output 0 binary: 0 or 1.  1 signed: also -1 at or below -threshold.  2 multi: how many thresholds fit into the
        membrane (strict: how many it exceeds), at most 2**31 - 1
    """
    touching = not strict
    if output == 0:
        for k in range(wide.size):  # branch-free, in as few arrays as a vectorised loop can bear
            x = wide[k]
            hit = (x > threshold[k]) | ((x == threshold[k]) & touching)
            fired[k] = hit
            after = x - x if to_zero else x - threshold[k]
            wide[k] = max(after if hit else x, floor[k])
        return
    for k in range(wide.size):
        x = wide[k]
        size = abs(x) if output == 1 else x
        if size > threshold[k] or (size == threshold[k] and touching):
            if output == 1:
                fired[k] = 1 if x > 0 else -1
            else:
                fired[k] = min(-((-x) // threshold[k]) - 1 if strict else x // threshold[k], 2147483647)
            wide[k] = x - x if to_zero else x - fired[k] * threshold[k]
        else:
            fired[k] = 0
        wide[k] = max(wide[k], floor[k])


@njit(cache=True)
def hold_row(wide, fired, dead, dead_steps):
    """Refractory neurons of one row: v is 0 and nothing is sent for `dead_steps` steps after a spike.

    wide int64 or float64 [n], fired int32 [n], dead int32 [n] (steps still to wait): all in and out.
    """
    for k in range(wide.size):
        if dead[k] > 0:
            dead[k] -= 1
            wide[k] = 0
            fired[k] = 0
        elif fired[k] != 0:
            dead[k] = dead_steps


@njit(cache=True)
def store_row(wide, stored, low, high):
    """Writes a row back, clamped to low .. high; returns how many values were clamped.

    wide int64 [n], stored int32 [n] (out).
    """
    clamped = np.int64(0)
    for k in range(wide.size):
        x = wide[k]
        y = min(max(x, low), high)
        clamped += x != y
        stored[k] = y
    return clamped


@njit(cache=True)
def step_int(
    acc,
    v,
    u,
    dead,
    fired,
    wide,
    current,
    threshold,
    bias,
    floor,
    weight_shift,
    decay_v,
    numerator_v,
    bits_v,
    decay_u,
    numerator_u,
    bits_u,
    strict,
    to_zero,
    output,
    dead_steps,
    low,
    high,
):
    """One timestep of integer neurons (if, lif, cuba_lif); returns how many stored values saturated.

    acc int32 or int64 [N]: sums of weighted spikes; zero on return
    v int32 [N]: membranes.     u int32 [N], or [0] where the current lives one step only.     Both in and out
    dead int32 [N], or [0] where dead_steps is 0.     fired int32 [N] (out)
    wide, current int64 [width]: scratch.     threshold, bias, floor int64 [width]; no floor is the lowest int64
    decay_v, numerator_v, bits_v; decay_u, numerator_u, bits_u: kind, numerator and bits of `decay_row`
    strict, to_zero, output: see `fire_row`
    low, high: limits of stored v and u

    Per neuron, as in the equations of `simulator.network.neuron`: u = decay(u) + (acc << weight_shift);
    v = decay(v) + u + bias; fire test and reset; v = max(v, floor); v = 0 while refractory; both clamped and stored.
    """
    width = wide.size
    clamped = np.int64(0)
    for r in range(0, v.size, width):
        arrived = acc[r : r + width]
        stored = v[r : r + width]
        sent = fired[r : r + width]
        decay_row(stored, wide, decay_v, numerator_v, bits_v)
        if u.size > 0:
            stored_u = u[r : r + width]
            decay_row(stored_u, current, decay_u, numerator_u, bits_u)
            for k in range(width):
                current[k] += np.int64(arrived[k]) << weight_shift
                wide[k] += current[k] + bias[k]
                arrived[k] = 0
            clamped += store_row(current, stored_u, low, high)
        else:
            for k in range(width):
                wide[k] += (np.int64(arrived[k]) << weight_shift) + bias[k]
                arrived[k] = 0
        fire_row(wide, sent, threshold, floor, strict, to_zero, output)
        if dead_steps > 0:
            hold_row(wide, sent, dead[r : r + width], dead_steps)
        clamped += store_row(wide, stored, low, high)
    return clamped


@njit(cache=True)
def step_float(acc, v, u, dead, fired, threshold, bias, floor, factor_v, factor_u, strict, to_zero, output, dead_steps):
    """One timestep of float neurons (if, lif, cuba_lif).

    acc float64 [N]: sums of weighted spikes; zero on return
    v float64 [N].     u float64 [N], or [0] where the current lives one step only.     Both in and out
    dead int32 [N], or [0] where dead_steps is 0.     fired int32 [N] (out)
    threshold, bias, floor float64 [width]; no floor is minus infinity
    factor_v, factor_u: what is left after a step (1.0: all).     strict, to_zero, output: see `fire_row`

    Per neuron, operations in this order: u = factor_u * u + acc; v = factor_v * v + u + bias; fire test and reset;
    v = max(v, floor); v = 0 while refractory.
    """
    width = threshold.size
    for r in range(0, v.size, width):
        arrived = acc[r : r + width]
        membrane = v[r : r + width]
        sent = fired[r : r + width]
        if u.size > 0:
            current = u[r : r + width]
            for k in range(width):
                current[k] = current[k] * factor_u + arrived[k]
                membrane[k] = membrane[k] * factor_v + current[k] + bias[k]
                arrived[k] = 0
        else:
            for k in range(width):
                membrane[k] = membrane[k] * factor_v + arrived[k] + bias[k]
                arrived[k] = 0
        fire_row(membrane, sent, threshold, floor, strict, to_zero, output)
        if dead_steps > 0:
            hold_row(membrane, sent, dead[r : r + width], dead_steps)


@njit(cache=True)
def compact(fired, index, value):
    """Spike list of what fired; returns its length.

    fired int32 [N].     index uint32 [N] (out): rising.     value int32 [N] (out), or [0] where it is not wanted.
    Entries behind the returned length are scratch.
    """
    count = 0
    for block in range(0, fired.size, 16):
        part = fired[block : block + 16]
        together = np.int32(0)
        for k in range(part.size):
            together |= part[k]
        if together == 0:  # most blocks are silent: one test for all of them
            continue
        if value.size > 0:
            for k in range(part.size):
                index[count] = block + k
                value[count] = part[k]
                count += part[k] != 0
        else:
            for k in range(part.size):
                index[count] = block + k
                count += part[k] != 0
    return count
