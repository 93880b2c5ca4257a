"""Closed form of loads and stores: chunks through a channel, main memory and an on-chip memory."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from simulator.costmodel.bank_rows import HeldWrites, OpenRows, Pages
from simulator.costmodel.channel import Channel, channel_of
from simulator.costmodel.chip import Term
from simulator.units import PS_PER_SECOND

TRANSFER_TERMS = (
    Term("dma.setup", 1.0, "setting a transfer up, and the way of a chunk over the link to an on-chip memory"),
    Term("dma.stream", 1.0, "bursts and words of a transfer at the pace of the slowest of what it passes"),
    Term("dram.latency", 1.0, "from the request of a chunk to its first data, the row open"),
    Term("dram.miss", 1.0, "closing and opening the row of a transfer's first burst"),
    Term("dram.refresh", 1.0, "transfers that a refresh keeps waiting"),
    Term("dram.turnaround", 0.0, "the data bus changes direction between loads and stores that run together"),
    Term("dram.contention", 0.0, "bursts of the other movers that run together with a transfer"),
)
SETUP, STREAM, LATENCY, MISS, REFRESH, TURN, SHARED = range(len(TRANSFER_TERMS))


class Transfer(NamedTuple):
    """A row of the table; times in ps, sizes in bits."""

    chunk: float
    buffers: float
    setup: float
    link: float
    late: float
    burst: float
    pace: float
    word: float
    per_word: float
    ports: float
    carrier: float
    per_carrier: float
    store: float
    posted: float
    accept: float
    miss: float
    share: float


class _Banks:
    """What transfers find in a banked memory if each runs when it is handed out."""

    def __init__(self, spec: Any, channel: Channel) -> None:
        self._channel = channel
        self._rows, self._held = OpenRows(Pages(spec)), HeldWrites(spec.controller.drain_above)

    def access(self, region: tuple[int, str], bursts: int, store: bool) -> tuple[float, bool]:
        """Time to open the first row, ps; whether held writes serve a load whole."""
        if store:
            drained = self._held.store(region, bursts)
            for where, count in drained.items():
                self._rows.access(*where, count)
            return 0.0, False
        if self._held.load(region, bursts) == bursts:
            return 0.0, True
        _, hit, closed = self._rows.access(*region, bursts)
        return 0.0 if hit else self._channel.closed if closed else self._channel.conflict, False


class Transfers:
    """Rows that move tensors; bits are a constant and so many per event of a stream, so that one call prices all."""

    def __init__(self, clocks: dict[str, int]) -> None:
        self._clocks = clocks
        self._rows: list[Transfer] = []
        self._terms: list[tuple[int, int, float]] = []
        self._known: dict[tuple[Transfer, tuple[tuple[int, float], ...]], int] = {}
        self._channels: dict[int, tuple[Channel, _Banks | None]] = {}

    def channel(self, far: Any) -> Channel:
        """The channel of a main memory (spec)."""
        return self._memory(far)[0]

    def _memory(self, far: Any) -> tuple[Channel, _Banks | None]:
        if id(far) not in self._channels:
            channel = channel_of(far, self._ps(far))
            self._channels[id(far)] = channel, _Banks(far, channel) if far.type == "banked_dram" else None
        return self._channels[id(far)]

    def _ps(self, spec: Any) -> float:
        return PS_PER_SECOND / self._clocks[spec.clock]

    def add(
        self, dma: Any, near: Any, far: Any, store: bool, terms: list[tuple[int, float]], via: Any = None,
        region: tuple[int, str] = (0, ""),
    ) -> int:  # fmt: skip
        """A row of a channel between two memories (specs), over a bus or link `via`; its place, equal for equal rows.

        terms: (stream, bits per event).  region: (layer, operand) of what moves, which lies together in main memory.
        """
        core, main, chip = (self._ps(spec) for spec in (dma, far, near))
        channel, banks = self._memory(far)
        miss, served = 0.0, False
        if banks is not None:
            bursts = int(np.ceil(max(1.0, sum(bits for _, bits in terms)) / channel.burst_bits))
            miss, served = banks.access(region, bursts, store)
        crossing = (core + main) / 2 if core != main else 0.0  # edges of the other clock, on the way there and back
        link = dma.link_latency_cycles * core + crossing + (near.latency_cycles * chip if store else 0)
        carried = self._ps(via) if via is not None else 0.0
        row = Transfer(
            chunk=dma.chunk_bytes * 8,
            buffers=dma.buffers,
            setup=dma.setup_cycles * core,
            link=link + (via.latency_cycles * carried if via is not None else 0.0),
            late=0.0 if store else channel.served if served else channel.latency,
            burst=channel.burst_bits,
            pace=channel.accept if served else channel.pace,
            word=near.width_bits,
            per_word=near.cycle_cycles * chip,
            ports=near.ports,
            carrier=via.width_bits if via is not None else 1.0,
            per_carrier=carried,
            store=store,
            posted=channel.posted,
            accept=channel.accept,
            miss=miss,
            share=0.0 if served else channel.share,
        )
        key = row, tuple(terms)
        if key not in self._known:
            self._known[key] = len(self._rows)
            self._rows.append(row)
            self._terms += [(self._known[key], stream, bits) for stream, bits in terms]
        return self._known[key]

    def close(self) -> None:
        """All rows are added."""
        self._table = np.array(self._rows, np.float64).reshape(-1, len(Transfer._fields)).T[:, :, None]
        self._place = np.array([t[0] for t in self._terms], np.int64)
        self._stream = np.array([t[1] for t in self._terms], np.int64)
        self._bits = np.array([t[2] for t in self._terms])

    @property
    def rows(self) -> int:
        """Rows that differ."""
        return len(self._rows)

    def bursts(self, every: np.ndarray) -> np.ndarray:
        """float64 [rows, R]: bursts of main memory; every as in `spans`."""
        chunks, whole, last = self._cut(every)
        burst = Transfer(*self._table).burst
        found: np.ndarray = (chunks - 1) * np.ceil(whole / burst) + np.ceil(last / burst)
        return found

    def held(self, every: np.ndarray) -> np.ndarray:
        """float64 [rows, R]: half the square of the ps that a chunk holds an on-chip port, summed over chunks: the
        time in which an access would meet a chunk, times what it would wait on average."""
        t = Transfer(*self._table)
        chunks, whole, last = self._cut(every)
        whole, last = (np.ceil(size / t.word) * t.per_word for size in (whole, last))
        found: np.ndarray = ((chunks - 1) * whole**2 + last**2) / 2
        return found

    def _cut(self, every: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Chunks of each row; bits of all of them but the last, and of the last."""
        t = Transfer(*self._table)
        bits = np.zeros((self.rows, every.shape[1]))
        np.add.at(bits, self._place, self._bits[:, None] * every[self._stream])
        bits = np.maximum(bits, 1)
        chunks = np.ceil(bits / t.chunk)
        return chunks, np.minimum(bits, t.chunk), bits - (chunks - 1) * t.chunk

    def spans(
        self, every: np.ndarray, weights: np.ndarray, refreshed: np.ndarray | float = 1.0
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """float64 [rows, R] each: ps that a row keeps its channel, from its start to its completion, and of these how
        long main memory works for it alone.

        every      float64 [streams + 2, R], events of each repetition
        weights    float64 [TRANSFER_TERMS]
        refreshed  float64 [rows, R], share of each row's runs that lie behind the first refresh

        A chunk is read, carried and written; `buffers` of them are under way, so a chunk follows the one before after
        the longest of main memory, carrier, on-chip port and a buffer's share of the whole way.  A store to a memory
        with queues is complete when its last burst is queued; the next store meets full queues.
        """
        t = Transfer(*self._table)
        chunks, whole, last = self._cut(every)
        setup, stream, refresh = weights[SETUP], weights[STREAM], weights[REFRESH] * refreshed
        pace = (stream + refresh * t.share) * t.pace
        (far, near, carried), (far_last, near_last, carried_last) = (
            (
                np.ceil(size / t.burst),
                stream * np.ceil(size / t.word) * t.per_word,
                stream * np.ceil(size / t.carrier) * t.per_carrier,
            )
            for size in (whole, last)
        )
        late = setup * t.link + weights[LATENCY] * t.late
        queued = stream * far * t.accept
        taken = np.where(t.posted * t.store > 0, queued, far * pace)
        way = taken + near + carried + late
        period = np.maximum(np.maximum(taken, carried), way / np.minimum(t.buffers, chunks))
        once = setup * t.setup + weights[MISS] * t.miss + refresh * t.share * (t.miss + t.late)
        taken_last = np.where(t.posted * t.store > 0, stream * far_last * t.accept, far_last * pace)
        # The last chunk is there, the one before it is written, or the ports have written all of them in turn.
        there = (chunks - 1) * period + taken_last + near_last
        before = (chunks - 2) * period + taken + near + np.where(t.ports == 1, near_last, 0.0)
        turns = np.ceil((chunks - 1) / t.ports) * near + np.where((chunks - 1) % t.ports == 0, near_last, 0.0)
        moved = np.where(chunks > 1, np.maximum(np.maximum(there, before), taken + turns), there)
        done = once + moved + carried_last + late
        bursts = (chunks - 1) * far + far_last
        drained = once + near + carried + late + np.maximum(0, bursts - t.posted) * pace
        done = np.maximum(done, drained * t.store)
        hold = np.maximum(done, once + bursts * pace * t.store)
        return hold, done, bursts * pace
