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


class Walks(NamedTuple):
    """How events of source neurons that are alike go through the core, float64 [kinds of neurons] each.

    share       of the source neurons that a task reads
    words       membrane words
    operations  synaptic operations
    dispatch    cycles at the dispatcher
    engine      cycles on an engine
    waits       cycles for which it waits where every engine walks from another place
    load        cycles for which it holds banks, all together
    rows        output rows, times banks of a row that one event meets
    columns     output columns (0: the banks it meets are those of every other event)
    """

    share: np.ndarray
    words: np.ndarray
    operations: np.ndarray
    dispatch: np.ndarray
    engine: np.ndarray
    waits: np.ndarray
    load: np.ndarray
    rows: np.ndarray
    columns: np.ndarray

    def mean(self, name: str) -> float:
        """Mean of a column over the source neurons."""
        return float((getattr(self, name) * self.share).sum())


def word_of(spec: Any, tile: Reach, state: Any) -> int:
    """Neurons of a membrane word: as many as the lanes work on and a row of the state memory holds."""
    return max(1, min(spec.scatter.lanes, state.width_bits // tile.population.neuron.membrane_bits))


def walks_of(spec: Any, tile: Reach, fan: Fan, weights: Any, state: Any) -> Walks:
    """How events of one projection go through the core.

    The dispatcher needs decode + ceil(weight bits x cycles / width of all banks) per event, an engine the cycles of its
    taps and one for the hand-over.

    An engine that turns to a bank out of turn, at the start of a walk and at rows whose first bank does not follow the
    last one of the row before, finds it held by one of the E - 1 other engines with probability (E - 1) / banks and
    waits for as long as a word is held; behind it, it meets no one else.
    """
    s = spec.scatter
    word = word_of(spec, tile, state)
    if fan.mode == SPARSE:
        taps = np.diff(fan.col_start)
        rows, columns, lanes = np.ones_like(taps), taps, np.ones(1, np.int64)
    else:
        across, down = np.diff(fan.col_start), np.diff(fan.row_start)[fan.first_row : fan.end_row]
        rows, columns = np.repeat(down, across.size), np.tile(across, down.size)
        lanes = fan.lanes[fan.low_channel : fan.high_channel]
    places, often = np.unique(np.stack([rows, columns]), axis=1, return_counts=True)
    kinds, share = np.unique(lanes, return_counts=True)
    every = np.outer(often, share).ravel() / max(1, often.sum() * share.sum())
    rows, columns = (np.repeat(column, kinds.size).astype(np.float64) for column in places)
    lanes = np.tile(kinds, often.size).astype(np.float64)
    n_words, taps = np.ceil(lanes / word), rows * columns
    used, reached = taps * n_words, taps * (lanes > 0)
    per_tap = (1 if fan.mode == SPARSE else word) * fan.projection.weight_bits * weights.cycle_cycles
    dispatch = s.decode_cycles + np.ceil(used * per_tap / (weights.banks * weights.width_bits))
    engine = np.where(reached > 0, used * s.accumulate_cycles + 1, 0)
    held = s.accumulate_cycles * (n_words if fan.mode == GRID else np.ones_like(n_words))
    leaps = (s.bank_row_skew - columns) % state.banks != 0
    turns = {GRID: 1 + np.maximum(rows - 1, 0) * leaps, LINEAR: np.zeros_like(taps), SPARSE: taps}[fan.mode]
    waits = turns * min((s.engines - 1) / state.banks, 1) * held * (reached > 0)
    met = np.minimum(used, state.banks)  # linear synapses: every event walks the same banks in the same order
    rows = {GRID: rows, LINEAR: met, SPARSE: np.full_like(taps, state.banks)}[fan.mode]
    columns = columns if fan.mode == GRID else np.zeros_like(taps)
    return Walks(every, used, reached * lanes, dispatch, engine, waits, used * s.accumulate_cycles, rows, columns)


class Events:
    """Events and scans of all scatter tasks, so that one call prices every task.

    Terms: `cmos_core.fill`, feeding the first event, the last walk and the pipeline; `cmos_core.events`, all events as
    far apart as dispatcher or engines have it; `cmos_core.conflict`, as engines that wait for banks have it, where that
    is more; `cmos_core.scan`, the update of every word; `cmos_core.output`, more than one spike of a word.
    """

    terms = (
        Term("cmos_core.fill", 1.0, "feeding the first event, the walk of the last, the pipeline"),
        Term("cmos_core.events", 1.0, "events as far apart as the dispatcher or the engines have it"),
        Term("cmos_core.conflict", 1.0, "the same with banks and engines that wait for them, where that is more"),
        Term("cmos_core.scan", 1.0, "update of every membrane word"),
        Term("cmos_core.output", 1.0, "pushing more than one spike of a word"),
    )

    def __init__(self) -> None:
        self._fans: list[tuple[float, ...]] = []
        self._walks: list[np.ndarray] = []
        self._tasks: list[tuple[float, ...]] = []
        self._sets = Sets()

    def add(
        self, spec: Any, tile: Reach, walks: list[Walks], streams: list[tuple[int, int]],
        groups: list[tuple[int, int]], state: Any, fired: int,
    ) -> int:  # fmt: skip
        """A task's timestep: per fan its walks, the stream of its events and the one that counts the taps of each
        event, the stream of the neurons that send and how many there are; `fired`: stream of the layer's own spikes
        (-1: none).  Returns its place."""
        s = spec.scatter
        place = len(self._tasks)
        for fan, walk, (stream, reaching), group in zip(tile.fans, walks, streams, groups, strict=True):
            pool = fan.projection.pool
            side = 1 if fan.pooled or pool is None else pool.size[1]  # columns that are summed reach the same places
            deep = fan.high_channel - fan.low_channel
            together = {GRID: deep * side, LINEAR: fan.region, SPARSE: 1}[fan.mode]
            walked = fan.projection.kind in ("conv", "depthwise")
            stride, overlap = (fan.projection.stride[1], 0.75 * (fan.projection.kernel[1] - 1)) if walked else (1, 0.0)
            number = np.full_like(walk.share, len(self._fans))
            middle = walk.mean("words")
            tilt = (walk.words - middle) * middle / max(float((walk.share * (walk.words - middle) ** 2).sum()), 1e-12)
            self._walks.append(np.stack([number, tilt, *walk]))
            sets = (self._sets.add(group[0], inputs, group[1]) for inputs in (together, deep))
            self._fans.append(
                (place, stream, reaching, *sets, fan.region, together, s.engines, state.banks, stride, overlap)
            )
        depth, word = tile.k1 - tile.k0, word_of(spec, tile, state)
        words = -(-depth // word)
        scanned = tile.neurons // depth * words if tile.last else 0
        fixed = s.feed_cycles + 2 + s.pipeline_cycles
        self._tasks.append((fixed, s.engines, scanned, depth / words, fired, s.update_cycles, s.output_cycles))
        return place

    def close(self) -> None:
        """All tasks are added."""
        self._fan = np.array(self._fans, np.float64).reshape(-1, 11)
        self._walk = np.concatenate([np.zeros((2 + len(Walks._fields), 0)), *self._walks], axis=1)
        self._task = np.array(self._tasks, np.float64).reshape(-1, 7)
        self._sets.close()

    def cycles(self, found: Rates, weights: np.ndarray) -> np.ndarray:
        """float64 [tasks, U] expected cycles per timestep, its terms weighted; weights float64 [terms].

        Drain: feed, events one period apart, the last walk, the pipeline.  The first events find free engines.
        Scan: update cycles per word, and one more per spike of a word after its first: m p - 1 + (1 - p)^m for m
        neurons.
        """
        value = found.value
        fixed, engines, scanned, word, fired, update, out = self._task.T[:, :, None]
        place, stream = self._fan[:, 0].astype(np.int64), self._fan[:, 1].astype(np.int64)
        events = value[stream] * self._fan[:, 5:6]
        each = self._each(found, weights)
        number, busy, last, first = (_sums(place, events * part, len(self._task)) for part in (1, *each))
        some = np.maximum(number, 1e-12)
        per, last, first = busy / some, last / some, first / some
        free = np.minimum((engines - 1) / 2, np.maximum(number - 1, 0)) * np.maximum(0, per - weights[1] * first)
        ends = np.where(number > 0, np.minimum(number, 1) * (fixed + first + last), 0)
        flow = np.maximum(np.maximum(number - 1, 0) * per - free, 0)
        p = np.where(fired >= 0, value[fired[:, 0].astype(np.int64)], 0)
        p = np.minimum(p, 1)
        more = np.maximum(word * p - 1 + (1 - p) ** word, 0)
        cycles: np.ndarray = weights[0] * ends + flow
        cycles += scanned * (weights[3] * np.maximum(update, 0) + weights[4] * more * out)
        return cycles

    def _each(self, found: Rates, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Of each fan, means over its events, float64 [fans, U]: cycles between two events, weighted; on an engine; at
        the dispatcher.  The slower of dispatcher and engines without conflicts, and of engines and banks with these.

        An event has (variance + mean^2) / mean - 1 others at its place on average, r with itself, and E events in a row
        come from 1 + (E - 1) / r places, at the distance of places that are not empty.  Places within three
        quarters of a kernel's reach meet the same columns of banks; those further away meet others, which serve their
        loads side by side.
        """
        _, tilt, share, _, _, dispatch, engine, waits, load, rows, columns = self._walk[:, :, None]
        fan = self._walk[0].astype(np.int64)
        stream, reaching, set_all, set_one = (self._fan[:, i].astype(np.int64) for i in range(1, 5))
        _, together, at_once, banks, stride, overlap = self._fan[:, 5:].T[:, :, None]
        rate = found.value[stream]
        # Where spikes lie at places that reach more than others, these have a larger share of the events.
        longer = np.where(rate > 0, found.value[reaching] / np.where(rate > 0, rate, 1), 1)
        share = np.maximum(share * (1 + (longer - 1)[fan] * tilt), 0)
        share = share / np.maximum(_sums(fan, share, len(self._fan)), 1e-12)[fan]
        mean = together * rate
        spread = mean * np.maximum(0, 1 - rate) + self._sets.extra(found)[set_all]
        others = np.maximum(spread / np.maximum(mean, 1e-12) + mean - 1, 0)
        apart = 1 / (1 + others)
        gap = 1 / np.maximum(1 - self._sets.quiet(found)[set_one], 1e-3)
        further = np.maximum((at_once - 1) * apart * gap - overlap, 0) / stride
        met = np.where(columns > 0, np.clip(rows * (columns + further[fan]), 1, banks[fan]), np.maximum(rows, 1))
        period = np.maximum(dispatch, engine / at_once[fan])
        slowest = np.maximum(load / met, (engine + waits * (apart + ALIKE * (1 - apart))[fan]) / at_once[fan])
        paced = np.maximum(weights[1] * period, weights[2] * slowest)
        sums = (_sums(fan, share * part, len(self._fan)) for part in (paced, engine, dispatch))
        return tuple(sums)  # type: ignore[return-value]


def _sums(place: np.ndarray, values: np.ndarray, count: int) -> np.ndarray:
    """float64 [count, U]: sums of the values [n, U] of each place."""
    found = np.zeros((count, values.shape[1]))
    np.add.at(found, place, values)
    return found
