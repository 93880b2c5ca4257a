"""What wordlines of crossbars see of spikes in clusters: how quiet sets of inputs are, at given rates.

Plain definition (`tests/oracles/tile_inputs.py`).  A *set* is so many neurons of a stream; a *question* is a set of
inputs of a projection, which lie in one strip of neurons or at several places of a map.

    log P(nothing on), a set        sum over sizes of line x log P(a group of that size is empty)
    a question beyond the groups    L(n) = L(G) (n / G)^g, g from the two largest groups, 1 if nearly so
    one of a window of the map      L(k places) = L(1 place) k^g, g so that the mean over windows is what was counted
"""

from __future__ import annotations

from math import exp, expm1, log
from typing import NamedTuple

import numpy as np
from numba import njit

NEVER = -700.0
"""Logarithm of a probability that is zero to a float64."""
TINY = exp(NEVER)
CLUSTERED = 0.9
"""Power of growth below which spikes count as clustered; nearer to 1 it may be chance."""
STREAM, SET, LARGEST, BEFORE, PLACE, WINDOW = range(6)
"""Columns of `Questions.of`: stream; its set, that of the largest group and of the one before it, that of one place of
the map; number of its window, -1 none."""
RAW, AREA, NEAR, FAR, TAPS = range(5)
"""Columns of `Questions.amount`: neurons; neurons that an input adds up; logarithms of the growth from group to group,
of that from the largest group on (0: not beyond it), of the places."""
PLANE_STREAM, PLANE_AREA, BIT, SIGNS = range(4)
"""Columns of `Questions.plane`: stream; neurons that an input adds up; bit that is driven, -1 any; signs."""


class Questions(NamedTuple):
    """Sets, questions and planes.

    stream int64 [K]: streams that sets are of.     kind int64 [Q]: place of a set's stream among these
    line float64 [Q, 1 + G]: coefficients of a set over one neuron and groups.     ratio float64 [G]: a size of group
    over the one before.     of int64 [N, 6], amount float64 [N, 5]: questions
    window int64 [W, 2]: stream of the share that is not empty, set of one place.     least float64 [W]: share of empty
    windows that is believed.     taps, part float64 [W, ..]: places inside the map, share of windows that are like that
    plane int64 [P, 4]
    """

    stream: np.ndarray
    kind: np.ndarray
    line: np.ndarray
    ratio: np.ndarray
    of: np.ndarray
    amount: np.ndarray
    window: np.ndarray
    least: np.ndarray
    taps: np.ndarray
    part: np.ndarray
    plane: np.ndarray


@njit(cache=True)
def quiet_logs(value, empty, stream, kind, line, ratio, found):
    """Logarithms of the probability that no neuron of a set sends; returns nothing.

    value float64 [streams, U], empty float64 [streams, U, G]: as in `costmodel/rates.py`
    stream, kind, line, ratio: as in `Questions`.     found float64 [Q, U] (out): at least NEVER
    """
    logs = np.empty((stream.size, 1 + ratio.size))
    for u in range(value.shape[1]):
        for k in range(stream.size):
            p = min(max(value[stream[k], u], 0.0), 1.0)
            logs[k, 0] = log(max(1.0 - p, TINY))
            for g in range(ratio.size):
                share = empty[stream[k], u, g]
                # No group was empty: what is known of the size before, as if its groups were independent.
                logs[k, g + 1] = log(max(share, TINY)) if share > 0 else logs[k, g] * ratio[g]
        for q in range(kind.size):
            total = 0.0
            for g in range(line.shape[1]):
                total += line[q, g] * logs[kind[q], g]
            found[q, u] = max(total, NEVER)


@njit(cache=True)
def window_power(empty, one, taps, part):
    """Power with which the logarithm of P(nothing on) grows with the places of a window, 0 .. 2.

    empty: share of windows in which nothing is on, 0 < empty < 1.     one: logarithm for one place, < 0
    taps float64 [..], part float64 [..]: places that lie inside the map, share of the windows that are like that
    """
    typical = 0.0
    for i in range(taps.size):
        typical += taps[i] * part[i]
    typical = max(log(max(typical, 1.0)), 1e-9)
    power = log(log(empty) / one) / typical
    for _ in range(2):
        made = 0.0
        for i in range(taps.size):
            made += part[i] * exp(one * taps[i] ** power)
        power += log(log(empty) / log(min(max(made, 1e-300), 1.0 - 1e-15))) / typical
    return min(max(power, 0.0), 2.0)


@njit(cache=True)
def bit_share(p, area, bit, signs):
    """Share of inputs that have a bit set, for neurons that send with probability `p`.

    area: neurons that an input adds up; their sum is binomial.     bit: number of the bit.     signs: 2 where a source
    sends both signs, each of which has half of the spikes.
    """
    if area == 1:
        return p / signs if bit == 0 else 0.0
    share, below = 0.0, 1.0
    for k in range(area + 1):
        if k >> bit & 1:
            share += below * p**k * (1.0 - p) ** (area - k)
        below = below * (area - k) / (k + 1)
    return share


@njit(cache=True)
def see_planes(ask, value, everything, off, share):
    """Planes at given rates; returns nothing.

    ask: `Questions`.     value float64 [streams, U]: events per neuron.     everything: all inputs are on
    off, share float64 [P, U] (out): logarithm of the probability that an input is off, at least NEVER; that it is on
    """
    for plane in range(ask.plane.shape[0]):
        stream, area, bit = ask.plane[plane, PLANE_STREAM], ask.plane[plane, PLANE_AREA], ask.plane[plane, BIT]
        for u in range(value.shape[1]):
            p = 1.0 if everything else min(max(value[stream, u], 0.0), 1.0)
            if bit < 0:
                off[plane, u] = max(area * log(max(1.0 - p, TINY)), NEVER)
                share[plane, u] = -expm1(off[plane, u])
            else:
                share[plane, u] = bit_share(p, area, bit, ask.plane[plane, SIGNS])
                off[plane, u] = log(max(1.0 - share[plane, u], TINY))


@njit(cache=True)
def see_inputs(ask, value, empty, everything, size, off, share):
    """Questions and planes at given rates; returns nothing.

    ask: `Questions`.     value float64 [streams, U], empty float64 [streams, U, G]: as in `costmodel/rates.py`
    everything: all inputs are on.     size float64 [N, U] (out): inputs, as so many that are independent of each other
    off, share float64 [P, U] (out): as in `see_planes`
    """
    see_planes(ask, value, everything, off, share)
    windows = ask.window.shape[0]
    every, power = np.empty((ask.kind.size, value.shape[1])), np.empty(windows)
    if not everything:
        quiet_logs(value, empty, ask.stream, ask.kind, ask.line, ask.ratio, every)
    for u in range(value.shape[1]):
        for w in range(windows):
            counted, power[w] = value[ask.window[w, 0], u], -1.0
            if not everything and counted >= 0:
                one = every[ask.window[w, 1], u]
                if 1.0 - counted >= ask.least[w] and 0.9 * NEVER < one < 0:
                    power[w] = window_power(min(1.0 - counted, 1.0 - 1e-12), one, ask.taps[w], ask.part[w])
        for n in range(ask.of.shape[0]):
            size[n, u] = ask.amount[n, RAW] / ask.amount[n, AREA]
            if everything:
                continue
            p = min(max(value[ask.of[n, STREAM], u], 0.0), 1.0)
            alone = ask.amount[n, RAW] * log(max(1.0 - p, TINY))
            quiet, window = every[ask.of[n, SET], u], ask.of[n, WINDOW]
            if ask.amount[n, FAR] > 0:
                last, before = every[ask.of[n, LARGEST], u], every[ask.of[n, BEFORE], u]
                if before < 0 and last < 0:
                    growth = min(max(log(last / before) / ask.amount[n, NEAR], 0.0), 1.0)
                    growth = 1.0 if growth > CLUSTERED else growth
                    quiet = max(last * exp(growth * ask.amount[n, FAR]), NEVER)
            if window >= 0 and power[window] >= 0:
                quiet = max(every[ask.of[n, PLACE], u] * exp(power[window] * ask.amount[n, TAPS]), NEVER)
            if alone < 0 and quiet > 0.98 * NEVER:
                size[n, u] *= quiet / alone
