"""Closed form of a scatter core: expected cycles of a timestep's events, and of its update scan."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from simulator.costmodel.chip import Term
from simulator.costmodel.clustered import Sets
from simulator.costmodel.rates import Rates
from simulator.mapping.reach import GRID, LINEAR, SPARSE, Fan, Reach

ALIKE = 0.4
"""Share of bank conflicts that is left between events of one place: engines that walk the same way follow each other
through the banks; what is left comes from the pace of the dispatcher.  From streams of 3x3 and 5x5 kernels, drawn and
walked by `kernels.scatter` with 2 to 8 engines; calibration weighs it."""


class Walk(NamedTuple):
    """Means over the source neurons that a task reads: cycles at the dispatcher; on an engine; between two events;
    between two events more where every engine walks from another place; of the busiest bank per event, over the sources
    for which that is longest; of these between two events without; membrane words and synaptic operations."""

    dispatch: float
    engine: float
    period: float
    conflict: float
    banked: float
    paced: float
    words: float
    operations: float


def word_of(spec: Any, tile: Reach, state: Any) -> int:
    """Neurons of a membrane word: as many as the lanes work on and a row of the state memory holds."""
    return max(1, min(spec.scatter.lanes, state.width_bits // tile.population.neuron.membrane_bits))


def walk_of(spec: Any, tile: Reach, fan: Fan, weights: Any, state: Any) -> Walk:
    """How an event of one projection goes through the core.

    The dispatcher needs decode + ceil(weight bits x cycles / width of all banks) per event, an engine the cycles of its
    taps and one for the hand-over; the slower of dispatcher and engines sets the period of events.  Events of one place
    meet the same banks, each of which serves ceil(taps / banks) words of an event, so that these may set it.

    An engine that turns to a bank out of turn, at the start of a walk and at rows whose first bank does not follow the
    last one of the row before, finds it held by one of the a - 1 other engines at work with probability (a - 1) / banks
    and waits for as long as a word is held; behind it, it meets no one else.
    """
    s = spec.scatter
    word = word_of(spec, tile, state)
    if fan.mode == SPARSE:
        taps = np.diff(fan.col_start).astype(np.float64)
        lanes, turns = np.ones(1), taps
    else:
        rows, columns = np.diff(fan.row_start)[fan.first_row : fan.end_row], np.diff(fan.col_start)
        taps = np.multiply.outer(rows, columns).ravel().astype(np.float64)
        lanes = fan.lanes[fan.low_channel : fan.high_channel].astype(np.float64)
        turns = np.zeros_like(taps)  # linear synapses: every event walks the same banks in the same order
        if fan.mode == GRID:
            leaps = (s.bank_row_skew - columns) % state.banks != 0
            turns += 1 + (np.maximum(rows[:, None] - 1, 0) * leaps).ravel()
    n_words = np.ceil(lanes / word)
    kinds, share = np.unique(np.stack([n_words, lanes]), axis=1, return_counts=True)
    per_tap = (1 if fan.mode == SPARSE else word) * fan.projection.weight_bits * weights.cycle_cycles
    used = taps[:, None] * kinds[0]
    reached = np.where(kinds[0] > 0, taps[:, None], 0)
    dispatch = s.decode_cycles + np.ceil(used * per_tap / (weights.banks * weights.width_bits))
    engine = np.where(reached > 0, used * s.accumulate_cycles + 1, 0)
    held = s.accumulate_cycles * (kinds[0] if fan.mode == GRID else np.ones_like(kinds[0]))
    meets = taps[:, None] * (1 if fan.mode == GRID else kinds[0])  # requests of an event, spread over the banks
    banked = np.ceil(meets / state.banks) * held
    period = np.maximum(dispatch, engine / s.engines)
    others = np.clip(engine / dispatch, 1, s.engines) - 1
    waits = turns[:, None] * np.minimum(others / state.banks, 1) * held
    conflict = np.maximum(0, (engine + waits) / s.engines - period)
    slow = banked > period
    part = share / max(1, taps.size * lanes.size)
    tables = dispatch, engine, period, conflict, banked * slow, period * slow, used, reached * kinds[1]
    mean = [float((table * part).sum()) for table in tables]
    return Walk(*mean)


class Events:
    """Events and scans of all scatter tasks, so that one call prices every task.

    Terms: `cmos_core.fill`, feeding the first event, the last walk and the pipeline; `cmos_core.events`, all events one
    period apart; `cmos_core.conflict`, engines that wait for banks; `cmos_core.scan`, the update of every word;
    `cmos_core.output`, more than one spike of a word.
    """

    terms = (
        Term("cmos_core.fill", 1.0, "feeding the first event, the walk of the last, the pipeline"),
        Term("cmos_core.events", 1.0, "events one period of dispatcher, engines or banks apart"),
        Term("cmos_core.conflict", 1.0, "engines that wait for a membrane bank which another one holds"),
        Term("cmos_core.scan", 1.0, "update of every membrane word"),
        Term("cmos_core.output", 1.0, "pushing more than one spike of a word"),
    )

    def __init__(self) -> None:
        self._terms: list[tuple[float, ...]] = []
        self._tasks: list[tuple[float, ...]] = []
        self._sets = Sets()

    def add(
        self, spec: Any, tile: Reach, walks: list[Walk], streams: list[tuple[int, int]], sizes: list[int], word: int,
        fired: int,
    ) -> int:  # fmt: skip
        """A task's timestep: per fan its walk, the stream of its events and the one that counts the taps of each event,
        and the neurons of its source; `fired`: stream of the layer's own spikes (-1: none).  Returns its place."""
        s = spec.scatter
        place = len(self._tasks)
        for fan, walk, (stream, reaching), size in zip(tile.fans, walks, streams, sizes, strict=True):
            pool = fan.projection.pool
            side = 1 if fan.pooled or pool is None else pool.size[1]  # columns that are summed reach the same places
            together = {GRID: (fan.high_channel - fan.low_channel) * side, LINEAR: fan.region, SPARSE: 1}[fan.mode]
            known = self._sets.add(stream, together, size)
            self._terms.append((place, stream, fan.region, *walk[:6], together, s.engines, known, reaching))
        positions = tile.neurons // (tile.k1 - tile.k0)
        depth = tile.k1 - tile.k0
        words = -(-depth // word)
        scanned = positions * words if tile.last else 0
        mean_word = depth / words
        fixed = s.feed_cycles + 2 + s.pipeline_cycles
        self._tasks.append((fixed, s.engines, scanned, mean_word, fired, s.update_cycles, s.output_cycles))
        return place

    def close(self) -> None:
        """All tasks are added."""
        self._term = np.array(self._terms, np.float64).reshape(-1, 13)
        self._task = np.array(self._tasks, np.float64).reshape(-1, 7)
        self._sets.close()

    def cycles(self, found: Rates, weights: np.ndarray) -> np.ndarray:
        """float64 [tasks, U] expected cycles per timestep, its terms weighted; weights float64 [terms].

        Drain: feed, events one period apart, the last walk, the pipeline.  The first events find free engines.  An
        event has (variance + mean^2) / mean - 1 others at its place on average.  While the bank of one place works off
        its last events, those of the next place begin: half of the engines' events lie side by side.
        Scan: update cycles per word, and one more per spike of a word after its first: m p - 1 + (1 - p)^m for m
        neurons.
        """
        value = found.value
        fixed, engines, scanned, word, fired, update, out = self._task.T[:, :, None]
        place, stream = self._term[:, 0].astype(np.int64), self._term[:, 1].astype(np.int64)
        region, dispatch, engine, period, conflict, banked, paced, together, at_once = self._term[:, 2:11].T[:, :, None]
        events = value[stream] * region
        # Where spikes lie at places that reach more than others, walks are longer than their mean over the map.
        longer = value[self._term[:, 12].astype(np.int64)] / np.where(value[stream] > 0, value[stream], 1)
        mean = together * value[stream]
        spread = mean * np.maximum(0, 1 - value[stream]) + self._sets.extra(found)[self._term[:, 11].astype(np.int64)]
        others = np.maximum(spread / np.maximum(mean, 1e-12) + mean - 1, 0)
        apart = 1 / (1 + others)
        meets = conflict * (apart + ALIKE * (1 - apart))
        meets += np.maximum(0, banked * (1 - np.minimum(1, at_once / 2 / (1 + others))) - paced)
        number, busy, last, first, waits = (
            _sums(place, events * each, len(self._task))
            for each in (1, period * longer, engine * longer, dispatch * longer, meets * longer)
        )
        some = np.maximum(number, 1e-12)
        per, last, first = busy / some, last / some, first / some
        free = np.minimum((engines - 1) / 2, np.maximum(number - 1, 0)) * np.maximum(0, per - first)
        ends = np.where(number > 0, np.minimum(number, 1) * (fixed + first + last), 0)
        flow = np.maximum(np.maximum(number - 1, 0) * per - free, 0)
        p = np.where(fired >= 0, value[fired[:, 0].astype(np.int64)], 0)
        p = np.minimum(p, 1)
        more = np.maximum(word * p - 1 + (1 - p) ** word, 0)
        cycles: np.ndarray = weights[0] * ends + weights[1] * flow + weights[2] * waits
        cycles += scanned * (weights[3] * np.maximum(update, 0) + weights[4] * more * out)
        return cycles


def _sums(place: np.ndarray, values: np.ndarray, count: int) -> np.ndarray:
    """float64 [count, U]: sums of the values [n, U] of each place."""
    found = np.zeros((count, values.shape[1]))
    np.add.at(found, place, values)
    return found
