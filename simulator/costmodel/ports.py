"""Closed form of a core's spike port: blocks in ahead of use, blocks out behind it."""

from __future__ import annotations

from typing import Any

import numpy as np

from simulator.costmodel.chip import Term


class Ports:
    """Ports of all compute tasks: bits in and out per timestep are a constant and so many per event of a stream.

    Term: `cmos_core.link`, the way of a block between the spike memory and the core.
    """

    terms = (Term("cmos_core.link", 1.0, "blocks of spikes on their way between the spike memory and the core"),)

    def __init__(self) -> None:
        self._rows: list[tuple[float, ...]] = []
        self._terms: list[tuple[int, int, int, float]] = []

    def add(
        self, core: Any, memory: Any, into: list[tuple[int, float]], out: list[tuple[int, float]], pooled: bool
    ) -> int:
        """A task: `into`, `out` are (stream, bits per event); core and spike memory are specs.  pooled: spikes that OR
        pooling drops, and those outside the tile, travel with the first block.  Returns its place."""
        place = len(self._rows)
        whole = core.dataflow == "gather" or core.spike_format == "bitmap" or pooled
        self._rows.append(
            (
                core.link_width_bits,
                core.link_latency_cycles,
                memory.width_bits,
                memory.cycle_cycles,
                memory.latency_cycles,
                bool(out),
                core.output_credits,
                np.inf if whole else core.input_buffer_spikes * core.spike_bits,
            )
        )
        self._terms += [(0, place, stream, bits) for stream, bits in into]
        self._terms += [(1, place, stream, bits) for stream, bits in out]
        return place

    def close(self) -> None:
        """All tasks are added."""
        self._table = np.array(self._rows, np.float64).reshape(-1, 8).T[:, :, None]
        self._term = np.array(self._terms, np.float64).reshape(-1, 4)

    def cycles(self, every: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """float64 [tasks, U] each: cycles until a timestep's first block may be read; the least between two timesteps;
        from the end of the core's work until its spikes lie in memory.
        every float64 [streams + 2, U]: events per timestep.  weights float64 [terms].

        A block leaves the memory word by word while the link carries it; the next one is asked for when it has left.  A
        scatter core begins with the first block, a gather core when all are there.  As many blocks as the core has
        output credits may be on their way out.
        """
        width, late, word, per_word, read, writes, credits, size = self._table
        bits = np.zeros((2, len(self._rows), every.shape[1]))
        side, place, stream = (self._term[:, i].astype(np.int64) for i in range(3))
        np.add.at(bits, (side, place), self._term[:, 3:] * every[stream])
        blocks = np.ceil(np.maximum(bits[0], 1) / size)
        first = np.minimum(bits[0], size)
        link = np.ceil(bits / width)
        memory = np.maximum(np.ceil(bits / word), 1) * per_word
        begin = np.maximum(np.maximum(np.ceil(first / word), 1) * per_word + read, np.ceil(first / width)) + late
        behind = (link[1] + late + memory[1]) * writes
        pace = np.maximum(np.maximum(memory[0] + blocks * read, link[0]), behind / credits)
        return weights[0] * begin, weights[0] * pace, weights[0] * behind
