"""Kernels of what wordlines see against plain definitions, on random rates of clustered spikes."""

from __future__ import annotations

from math import exp, log

import numpy as np
import pytest

from simulator.kernels import tile_inputs as kernel
from tests.oracles import tile_inputs as oracle

SIZES = (8, 16, 32)
RATIO = np.array([8.0, 2.0, 2.0])
STEPS, STREAMS = 3, 4


def rates(seed: int) -> tuple[np.ndarray, np.ndarray, np.random.Generator]:
    """Events per neuron [streams, U], shares of empty groups [streams, U, G]; some streams rest, some never do."""
    rng = np.random.Generator(np.random.PCG64(seed))
    value = rng.random((STREAMS, STEPS)) * 0.5
    empty = (1 - value)[..., None] ** (np.array(SIZES) ** rng.uniform(0.4, 1, (STREAMS, STEPS, 1)))
    value[0, 0], empty[0, 0] = 0, 1
    value[1, 1], empty[1, 1] = 1, 0
    empty[2, :, 2] = 0
    value[3, 2], empty[3, 2, 1:] = 1.7, 0
    return value, empty, rng


def questions(rng: np.random.Generator, sets: int) -> kernel.Questions:
    """Random sets; a question for each, some beyond the groups, some of windows."""
    of, amount = np.zeros((sets, 6), np.int64), np.ones((sets, 5))
    kind = rng.integers(0, STREAMS, sets)
    line = np.where(rng.random((sets, 4)) < 0.5, rng.random((sets, 4)) * 2, 0)
    line[:, 1] += 0.1
    of[:, kernel.STREAM], of[:, kernel.SET] = kind, np.arange(sets)
    for column in (kernel.LARGEST, kernel.BEFORE, kernel.PLACE):
        of[:, column] = [rng.choice(np.flatnonzero(kind == k)) for k in kind]
    of[:, kernel.WINDOW] = np.where(rng.random(sets) < 0.4, rng.integers(0, 2, sets), -1)
    amount[:, kernel.RAW], amount[:, kernel.AREA] = rng.integers(1, 90, sets), rng.integers(1, 5, sets)
    amount[:, kernel.NEAR] = log(2)
    amount[:, kernel.FAR] = np.where(rng.random(sets) < 0.5, log(3), 0)
    amount[:, kernel.TAPS] = np.log(rng.integers(1, 10, sets))
    window = np.array([(0, 0), (3, 1)], np.int64)
    taps, part = np.array([(4, 6, 9), (1, 2, 1)], np.float64), np.array([(0.1, 0.3, 0.6), (0.2, 0.8, 0.0)])
    plane = np.array([(0, 1, -1, 1), (1, 4, -1, 1), (2, 4, 1, 1), (3, 1, 0, 2), (3, 1, 2, 2), (3, 9, 0, 2)], np.int64)
    return kernel.Questions(np.arange(STREAMS), kind, line, RATIO, of, amount, window, np.array([0.01, 0.02]),
                            taps, part, plane)  # fmt: skip


@pytest.mark.parametrize("seed", range(6))
def test_questions_follow_their_definition(seed: int) -> None:
    value, empty, rng = rates(seed)
    ask = questions(rng, 14)
    size = np.empty((14, STEPS))
    off, share = np.empty((2, len(ask.plane), STEPS))
    kernel.see_inputs(ask, value, empty, False, size, off, share)
    for u in range(STEPS):
        p = np.clip(value[:, u], 0, 1)
        logs = [oracle.quiet(p[k], empty[k, u], SIZES, row) for k, row in zip(ask.kind, ask.line, strict=True)]
        for n, (stream, mine, largest, before, place, window) in enumerate(ask.of.tolist()):
            raw, area, near, far, taps = ask.amount[n]
            expected = logs[mine]
            if far and logs[largest] < 0 and logs[before] < 0:
                expected = oracle.beyond(logs[largest], logs[before], exp(near), exp(far), kernel.CLUSTERED)
            if window >= 0:
                one, empties = logs[ask.window[window, 1]], 1 - value[ask.window[window, 0], u]
                if ask.least[window] <= empties <= 1 and 0.9 * oracle.NEVER < one < 0:
                    power = kernel.window_power(min(empties, 1 - 1e-12), one, ask.taps[window], ask.part[window])
                    expected = max(logs[place] * exp(taps) ** power, oracle.NEVER)
            alone = raw * (log(1 - p[stream]) if p[stream] < 1 else oracle.NEVER)
            whole = expected / alone if alone < 0 and expected > 0.98 * oracle.NEVER else 1.0
            assert size[n, u] == pytest.approx(raw / area * whole, rel=1e-9), (n, u)
        for i, (stream, area, number, signs) in enumerate(ask.plane.tolist()):
            on = oracle.bit(p[stream], area, number, signs) if number >= 0 else 1 - (1 - p[stream]) ** area
            assert share[i, u] == pytest.approx(on, rel=1e-9, abs=1e-15)
            assert exp(off[i, u]) == pytest.approx(1 - on, rel=1e-9, abs=1e-15)


@pytest.mark.parametrize(("one", "power"), [(-0.3, 0.5), (-0.05, 1.0), (-0.5, 0.2), (-0.02, 1.5)])
def test_windows_are_as_empty_as_they_were_counted(one: float, power: float) -> None:
    kinds = [(4, 0.1), (6, 0.3), (9, 0.6)]
    found = kernel.window_power(oracle.mean_empty(one, power, kinds), one, *np.array(kinds).T.copy())
    assert found == pytest.approx(power, abs=5e-3)


def test_all_inputs_are_on_where_activity_does_not_count() -> None:
    value, empty, rng = rates(0)
    ask = questions(rng, 5)
    size = np.empty((5, STEPS))
    off, share = np.empty((2, len(ask.plane), STEPS))
    kernel.see_inputs(ask, value, empty, True, size, off, share)
    assert (size == (ask.amount[:, kernel.RAW] / ask.amount[:, kernel.AREA])[:, None]).all()
    assert (share[ask.plane[:, kernel.BIT] < 0] == 1).all()
