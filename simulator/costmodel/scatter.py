"""Closed form of a scatter core: expected cycles of a timestep's events, and of its update scan."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from simulator.costmodel.chip import Term
from simulator.costmodel.rates import Rates
from simulator.mapping.reach import GRID, SPARSE, Fan, Reach


class Walk(NamedTuple):
    """Means over the source neurons that a task reads: cycles at the dispatcher; on an engine; of a bank per event;
    cycles between two events; membrane words and synaptic operations."""

    dispatch: float
    engine: float
    period: float
    words: float
    operations: float


def word_of(spec: Any, tile: Reach, state: Any) -> int:
    """Neurons of a membrane word: as many as the lanes work on and a row of the state memory holds."""
    return max(1, min(spec.scatter.lanes, state.width_bits // tile.population.neuron.membrane_bits))


def walk_of(spec: Any, tile: Reach, fan: Fan, weights: Any, state: Any) -> Walk:
    """How an event of one projection goes through the core.

    The dispatcher needs decode + ceil(weight bits x cycles / width of all banks) per event, an engine the cycles of its
    taps and one for the hand-over.  Events of one place meet the same banks, each of which serves ceil(taps / banks)
    words of an event.  The slowest of dispatcher, engines and banks sets the period of events from that place.
    """
    s = spec.scatter
    word = word_of(spec, tile, state)
    if fan.mode == SPARSE:
        taps = np.diff(fan.col_start).astype(np.float64)
        lanes = np.ones(1)
    else:
        rows = np.diff(fan.row_start)[fan.first_row : fan.end_row]
        taps = np.multiply.outer(rows, np.diff(fan.col_start)).ravel().astype(np.float64)
        lanes = fan.lanes[fan.low_channel : fan.high_channel].astype(np.float64)
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
    period = np.maximum(np.maximum(dispatch, engine / s.engines), banked)
    part = share / max(1, taps.size * lanes.size)
    mean = [float((table * part).sum()) for table in (dispatch, engine, period, used, reached * kinds[1])]
    return Walk(*mean)


class Events:
    """Events and scans of all scatter tasks, so that one call prices every task.

    Terms: `cmos_core.fill`, feeding the first event, the last walk and the pipeline; `cmos_core.events`, all events one
    period apart; `cmos_core.scan`, the update of every word; `cmos_core.output`, more than one spike of a word.
    """

    terms = (Term("cmos_core.fill"), Term("cmos_core.events"), Term("cmos_core.scan"), Term("cmos_core.output"))

    def __init__(self) -> None:
        self._terms: list[tuple[float, ...]] = []
        self._tasks: list[tuple[float, ...]] = []

    def add(self, spec: Any, tile: Reach, walks: list[Walk], streams: list[int], word: int, fired: int) -> int:
        """A task's timestep: walk and stream per fan; `fired`: stream of the layer's own spikes (-1: none)."""
        s = spec.scatter
        place = len(self._tasks)
        for fan, walk, stream in zip(tile.fans, walks, streams, strict=True):
            self._terms.append((place, stream, fan.region, walk.dispatch, walk.engine, walk.period))
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
        self._term = np.array(self._terms, np.float64).reshape(-1, 6)
        self._task = np.array(self._tasks, np.float64).reshape(-1, 7)

    def cycles(self, found: Rates, weights: np.ndarray) -> np.ndarray:
        """float64 [tasks, U] expected cycles per timestep, its terms weighted; weights float64 [terms].

        Drain: feed, events one period apart, the last walk, the pipeline.  The first events find free engines.  Scan:
        update cycles per word, and one more per spike of a word after its first: m p - 1 + (1 - p)^m for m neurons.
        """
        value = found.value
        fixed, engines, scanned, word, fired, update, out = self._task.T[:, :, None]
        shape = (len(self._task), value.shape[1])
        place, stream = self._term[:, 0].astype(np.int64), self._term[:, 1].astype(np.int64)
        events = value[stream] * self._term[:, 2:3]
        number, busy, engine, dispatch = (np.zeros(shape) for _ in range(4))
        np.add.at(number, place, events)
        np.add.at(busy, place, events * self._term[:, 5:6])
        np.add.at(engine, place, events * self._term[:, 4:5])
        np.add.at(dispatch, place, events * self._term[:, 3:4])
        some = np.maximum(number, 1e-12)
        per, last, first = busy / some, engine / some, dispatch / some
        free = np.minimum((engines - 1) / 2, np.maximum(number - 1, 0)) * np.maximum(0, per - first)
        ends = np.where(number > 0, np.minimum(number, 1) * (fixed + first + last), 0)
        flow = np.maximum(np.maximum(number - 1, 0) * per - free, 0)
        p = np.where(fired >= 0, value[fired[:, 0].astype(np.int64)], 0)
        p = np.minimum(p, 1)
        more = np.maximum(word * p - 1 + (1 - p) ** word, 0)
        cycles: np.ndarray = weights[0] * ends + weights[1] * flow
        cycles += scanned * (weights[2] * np.maximum(update, 0) + weights[3] * more * out)
        return cycles
