"""Kernels of the cores against definitions that go cycle by cycle (tests/oracles/scatter_core.py, gather_core.py)."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from simulator.components.cmos_core.scatter import Datapath
from simulator.kernels import gather, scatter
from simulator.kernels.bins import add_runs
from tests.oracles.gather_core import oracle_taps, oracle_windows
from tests.oracles.scatter_core import Event, OracleScan, oracle_step

NONE = np.empty(0, np.int32)


def csr(rng, sources: int, outputs: int, most: int) -> tuple[list[list[int]], np.ndarray, np.ndarray]:
    """Random rising lists of outputs per source coordinate, as lists and as (start, target)."""
    lists = [sorted(rng.choice(outputs, rng.integers(0, min(most, outputs) + 1), replace=False).tolist())
             for _ in range(sources)]  # fmt: skip
    start = np.concatenate(([0], np.cumsum([len(items) for items in lists]))).astype(np.int32)
    return lists, start, np.array([o for items in lists for o in items], np.int32)


def datapath(rng) -> Datapath:
    """The kernel's state as the component makes it."""
    part = SimpleNamespace(
        fifo_depth=int(rng.integers(1, 5)),
        engines=int(rng.integers(1, 4)),
        output_fifo_depth=int(rng.integers(1, 4)),
    )
    state = SimpleNamespace(spec=SimpleNamespace(banks=int(rng.integers(1, 5))))
    return Datapath(None, SimpleNamespace(scatter=part, input_buffer_spikes=200), None, None, state)


class Blocks:
    """Random tables of one projection, blocks of events into them, and the same events for the oracle."""

    def __init__(self, rng, banks: int) -> None:
        self.mode = int(rng.integers(0, 3))
        self.channels, self.height, self.width = (int(n) for n in rng.integers(1, 4, 3))
        size = self.channels * self.height * self.width
        self.size = size
        self.rows, self.row_start, row = csr(rng, self.height, 5, 3)
        self.cols, self.col_start, col = csr(rng, size if self.mode == 2 else self.width, 5, 3)
        if self.mode == 2:
            self.rows, self.row_start, row = [[0]], np.array([0, 1], np.int32), np.zeros(1, np.int32)
        self.row_bank, self.col_bank = (row % banks).astype(np.int32), (col * 2 % banks).astype(np.int32)
        n = 1 if self.mode == 2 else self.channels
        self.words = rng.integers(1 if self.mode == 2 else 0, 4, n).astype(np.int64)
        if self.mode == 2:
            self.words[:] = 1
        self.ops, self.fetch = self.words * 3, rng.integers(1, 40, n).astype(np.int64)
        self.decode, self.fetch_den = int(rng.integers(1, 4)), int(rng.integers(1, 30))
        self.accumulate, self.banks = int(rng.integers(1, 4)), banks

    def taps(self, flat: int) -> tuple[int, list[tuple[int, int]]]:
        """(cycles of decode and fetch, taps) of a source neuron."""
        channel = 0 if self.mode == 2 else flat % self.channels
        y = 0 if self.mode == 2 else flat // self.channels // self.width
        x = flat if self.mode == 2 else flat // self.channels % self.width
        words = int(self.words[channel])
        found = []
        for r in range(self.row_start[y], self.row_start[y + 1]):
            for c in range(self.col_start[x], self.col_start[x + 1]):
                bank = int(self.row_bank[r]) + int(self.col_bank[c])
                if self.mode == 1:
                    found += [((bank + word) % self.banks, self.accumulate) for word in range(words)]
                elif words:
                    found.append((bank % self.banks, self.accumulate * words))
        bits = len(found) * int(self.fetch[channel])
        return self.decode + -(-bits // self.fetch_den), found


@pytest.mark.parametrize("seed", range(80))
def test_integrate_equals_the_core_cycle_by_cycle(seed: int) -> None:
    rng = np.random.Generator(np.random.PCG64(seed))
    path = datapath(rng)
    blocks = Blocks(rng, path.bank_free.size)
    feed, pipeline = int(rng.integers(1, 4)), int(rng.integers(0, 4))
    floor = int(rng.integers(0, 50))
    for _ in range(2):
        scatter.begin_step(floor, path.st)
        counts = np.zeros(8, np.int64)
        events, pushed_kernel, runs = [], [], []
        ready = floor

        def call(index, value, ready, finish, counts=counts, runs=runs):
            cycle = scatter.integrate(
                index, value, blocks.row_start, blocks.row_bank, blocks.col_start, blocks.col_bank, blocks.words,
                blocks.ops, blocks.fetch, path.fifo, path.engines, path.ages, path.bank_free, path.st, path.runs,
                counts,
                ready, blocks.channels, blocks.width, blocks.mode, 0, 0, 0, feed, blocks.decode, blocks.fetch_den,
                blocks.accumulate, finish, pipeline,
            )  # fmt: skip
            runs += path.runs[: path.st[6]].tolist()
            path.st[6] = 0
            return int(cycle)

        for _ in range(int(rng.integers(0, 4))):
            ready += int(rng.integers(0, 40))
            index = rng.integers(0, blocks.size, rng.integers(1, 8)).astype(np.uint32)
            value = rng.integers(-2, 3, index.size).astype(np.int32) if rng.random() < 0.3 else NONE
            for i, flat in enumerate(index.tolist()):
                for _ in range(abs(int(value[i])) if value.size else 1):
                    events.append(Event(ready, *blocks.taps(flat)))
            pushed_kernel.append((len(events), call(index, value, ready, False)))
        end = call(np.empty(0, np.uint32), NONE, floor, True)
        expected = oracle_step(events, floor, feed, path.fifo.size, path.ages.size // 2)
        for n, push in pushed_kernel:
            assert push == (expected.pushes[n - 1] if n else floor)
        busy = {t for start, stop in runs for t in range(start, stop)}
        if expected.end is None:
            assert end == floor and not busy
        else:
            assert end == expected.end + pipeline
            assert busy == expected.busy | set(range(expected.end, end))
        assert sum(stop - start for start, stop in runs) == len(busy)
        taps = sum(len(event.taps) for event in events)
        assert counts[[0, 1, 4, 5, 6, 7]].tolist() == [
            len(events), taps, expected.bank_waits, expected.engine_waits, expected.fifo_waits,
            sum(not event.taps for event in events),
        ]  # fmt: skip
        floor = end + int(rng.integers(0, 5))


@pytest.mark.parametrize("seed", range(60))
def test_scan_equals_the_core_cycle_by_cycle(seed: int) -> None:
    rng = np.random.Generator(np.random.PCG64(seed))
    path = datapath(rng)
    update, output, word = (int(n) for n in rng.integers(1, 5, 3))
    channels, height, width = (int(n) for n in rng.integers(1, 6, 3))
    k0, y0 = int(rng.integers(0, channels)), int(rng.integers(0, height))
    k1, y1 = int(rng.integers(k0 + 1, channels + 1)), int(rng.integers(y0 + 1, height + 1))
    oracle = OracleScan(path.out_fifo.size, output)
    since, start = 0, int(rng.integers(0, 20))
    for _ in range(3):
        size = channels * height * width
        index = np.flatnonzero(rng.random(size) < rng.random()).astype(np.uint32)
        counts, runs = np.zeros(3, np.int64), np.zeros((index.size, 2), np.int64)
        end = scatter.scan(
            index, path.out_fifo, path.out_state, runs, counts, start, channels, k0, k1, y0, y1, width, word, update,
            output,
        )  # fmt: skip
        fired = set(index.tolist())
        per_word = [
            sum((position * channels + k) in fired for k in range(low, min(low + word, k1)))
            for position in range(y0 * width, y1 * width)
            for low in range(k0, k1, word)
        ]
        oracle.stalled.clear()
        assert end == oracle.run(since, start, per_word, update)
        stalls = {t for a, b in runs[: counts[2]].tolist() for t in range(a, b)}
        assert stalls == oracle.stalled
        assert counts[:2].tolist() == [sum(per_word), len(stalls)]
        since, start = int(end), int(end) + int(rng.integers(0, 12))
    if sum(per_word):
        assert path.out_state[2] == oracle.flush(since)


@pytest.mark.parametrize("seed", range(60))
def test_count_taps_and_windows_equal_the_plain_definitions(seed: int) -> None:
    rng = np.random.Generator(np.random.PCG64(seed))
    channels, height, width, columns, outputs = (int(n) for n in rng.integers(1, 5, 5))
    first, k0 = int(rng.integers(0, outputs)), int(rng.integers(0, channels))
    end, k1 = int(rng.integers(first + 1, outputs + 1)), int(rng.integers(k0 + 1, channels + 1))
    rows_of, row_start, row = csr(rng, height, outputs, 3)
    cols_of, col_start, col = csr(rng, width, columns, 3)
    per_channel = bool(rng.random() < 0.5)
    index = rng.integers(0, channels * height * width, rng.integers(0, 20)).astype(np.uint32)
    value = rng.integers(-2, 4, index.size).astype(np.int32) if index.size and rng.random() < 0.5 else NONE
    depth, rows = k1 - k0, end - first
    active = np.zeros(rows * columns * (depth if per_channel else 1), np.int64)
    total = gather.count_taps(
        index, value, row_start, row, col_start, col, active, channels, width, 0, 0, per_channel, first, end, k0, k1,
        columns,
    )  # fmt: skip
    times = np.abs(value).tolist() if value.size else [1] * index.size
    spikes = list(zip(index.tolist(), times, strict=True))
    taps = oracle_taps(spikes, rows_of, cols_of, (first, end, k0, k1), (channels, width, columns), per_channel)
    assert total * (1 if per_channel else depth) == sum(taps.values())
    shown = active.reshape(rows, columns, -1)
    for (oy, ox, k), n in taps.items():
        assert shown[oy - first, ox, (k - k0) if per_channel else 0] == n

    uk, uy, ux, numerator, denominator, least = (int(n) for n in rng.integers(1, 4, 6))
    lanes = int(rng.integers(0, 4))
    groups = [
        [taps[y, x, k] for y in range(oy, min(oy + uy, end)) for x in range(ox, min(ox + ux, columns))
         for k in range(ok, min(ok + uk, k1))]
        for oy in range(first, end, uy) for ox in range(0, columns, ux) for ok in range(k0, k1, uk)
    ]  # fmt: skip
    counts = np.zeros(4, np.int64)
    done = gather.windows(
        active, counts, 7, rows, columns, depth, per_channel, uk, uy, ux, numerator, denominator, least, lanes
    )
    end_cycle, worked, waited = oracle_windows(groups, 7, numerator, denominator, least, lanes)
    assert (done, counts[0], counts[1], counts[2]) == (end_cycle, worked, waited, len(groups))


@pytest.mark.parametrize("seed", range(20))
def test_busy_bins_equal_a_count_of_cycles(seed: int) -> None:
    rng = np.random.Generator(np.random.PCG64(seed))
    start = rng.integers(0, 90, 12)
    end = start + rng.integers(0, 30, 12)
    width = int(rng.integers(1, 20))
    bins = np.zeros(120, np.int64)
    add_runs(start.astype(np.int64), end.astype(np.int64), width, bins)
    cycles = [c // width for a, b in zip(start.tolist(), end.tolist(), strict=True) for c in range(a, b)]
    assert bins.tolist() == np.bincount(cycles, minlength=120).tolist()
