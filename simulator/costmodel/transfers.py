"""Closed form of loads and stores: chunks through a channel, main memory and an on-chip memory."""

from __future__ import annotations

from typing import Any

import numpy as np

from simulator.units import PS_PER_SECOND


class Transfers:
    """Rows that move tensors; bits are a constant and so many per event of a stream, so that one call prices all."""

    def __init__(self, clocks: dict[str, int]) -> None:
        self._clocks = clocks
        self._rows: list[tuple[float, ...]] = []
        self._terms: list[tuple[int, int, float]] = []

    def add(self, dma: Any, near: Any, far: Any, store: bool, terms: list[tuple[int, float]]) -> int:
        """A row of a channel between two memories (specs); `terms` are (stream, bits per event).  Returns its place."""
        place = len(self._rows)
        core, main, chip = (PS_PER_SECOND / self._clocks[spec.clock] for spec in (dma, far, near))
        late_far = 0 if store else far.latency_cycles * main
        late_near = near.latency_cycles * chip if store else 0
        self._rows.append(
            (
                dma.chunk_bytes * 8,
                dma.buffers,
                dma.setup_cycles * core,
                dma.link_latency_cycles * core + late_far + late_near,
                far.burst_bits,
                far.burst_cycles * main,
                near.width_bits,
                near.cycle_cycles * chip,
                near.ports,
                core,
                main,
            )
        )
        self._terms += [(place, stream, bits) for stream, bits in terms]
        return place

    def close(self) -> None:
        """All rows are added."""
        self._table = np.array(self._rows, np.float64).reshape(-1, 11).T[:, :, None]
        self._place = np.array([t[0] for t in self._terms], np.int64)
        self._stream = np.array([t[1] for t in self._terms], np.int64)
        self._bits = np.array([t[2] for t in self._terms])

    @property
    def rows(self) -> int:
        """Rows added."""
        return len(self._rows)

    def spans(self, every: np.ndarray) -> np.ndarray:
        """float64 [rows, R]: ps from start to completion.  every float64 [streams + 2, R]: events of each repetition.

        A chunk is read, carried and written; `buffers` of them are under way, so a chunk follows the one before after
        the longest of main memory, on-chip port and a buffer's share of the whole way.
        """
        bits = np.zeros((self.rows, every.shape[1]))
        np.add.at(bits, self._place, self._bits[:, None] * every[self._stream])
        bits = np.maximum(bits, 1)
        chunk, buffers, setup, late, burst, per_burst, word, per_word, ports, core, main = self._table
        chunks = np.ceil(bits / chunk)
        last = bits - (chunks - 1) * chunk
        whole = np.minimum(bits, chunk)
        far, near = np.ceil(whole / burst) * per_burst, np.ceil(whole / word) * per_word
        way = np.ceil((far + near + late) / core) * core + main / 2
        period = np.maximum(np.maximum(far, near / ports), way / np.minimum(buffers, chunks))
        tail = np.ceil(last / burst) * per_burst + np.ceil(last / word) * per_word + late
        found: np.ndarray = np.ceil((setup + (chunks - 1) * period + tail) / core - 1e-6) * core
        return found
