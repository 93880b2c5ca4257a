"""Spikes of one population: the arrays, and the block a consumer works on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np


@dataclass(frozen=True)
class Block:
    """Spikes of one population, one sample, timesteps t0 .. t1.

    start: int64 [t1 - t0 + 1], offsets into `index`; step i of the block owns index[start[i] : start[i + 1]].
    index: uint32 [n], flat channel-last neuron index, rising within a timestep unless recorded otherwise.
    value: int32 [n] or None where every value is 1.
    """

    start: np.ndarray
    index: np.ndarray
    value: np.ndarray | None

    def step(self, i: int) -> tuple[np.ndarray, np.ndarray | None]:
        """Index and value of step `i` of the block."""
        a, b = int(self.start[i]), int(self.start[i + 1])
        return self.index[a:b], None if self.value is None else self.value[a:b]


class Spikes(Protocol):
    """Spikes of one population for all samples, in memory or in a file."""

    @property
    def count(self) -> int:
        """Number of entries over all samples (a multi-spike entry counts once)."""
        ...

    def block(self, sample: int, t0: int, t1: int) -> Block:
        """Spikes of timesteps t0 .. t1 (exclusive) of one sample."""
        ...


@dataclass(frozen=True)
class MemorySpikes:
    """`Spikes` held in arrays.

    step_start: int64 [B, T + 1], absolute offsets into `index`; T is the longest sample, a shorter one repeats its end.
    index: uint32 [N];  value: int32 [N] or None.
    """

    step_start: np.ndarray
    index: np.ndarray
    value: np.ndarray | None = None

    @property
    def count(self) -> int:
        """Number of spikes stored, over all samples."""
        return int(self.index.size)

    def block(self, sample: int, t0: int, t1: int) -> Block:
        """Spikes of steps t0 .. t1 - 1 of one sample; views, not copies."""
        offsets = self.step_start[sample, t0 : t1 + 1]
        a, b = int(offsets[0]), int(offsets[-1])
        return Block(offsets - a, self.index[a:b], None if self.value is None else self.value[a:b])


@dataclass(frozen=True)
class Events:
    """Spikes with times instead of steps (`time_base` "us" or "cycle").

    sample_start: int64 [B + 1], offsets into the rest.  time: int64 [N], never decreasing within a sample.
    index: uint32 [N].  value: int32 [N] or None.
    """

    sample_start: np.ndarray
    time: np.ndarray
    index: np.ndarray
    value: np.ndarray | None = None

    @property
    def count(self) -> int:
        """Number of events stored, over all samples."""
        return int(self.index.size)

    def sample(self, i: int) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """time, index and value of one sample."""
        a, b = int(self.sample_start[i]), int(self.sample_start[i + 1])
        return self.time[a:b], self.index[a:b], None if self.value is None else self.value[a:b]


class StepSpikesBuilder:
    """Collects timesteps in order, sample by sample, and makes `MemorySpikes` of them."""

    def __init__(self) -> None:
        self._index: list[np.ndarray] = []
        self._value: list[np.ndarray | None] = []
        self._counts: list[list[int]] = []

    def begin_sample(self) -> None:
        """The following steps belong to a new sample."""
        self._counts.append([])

    def add_step(self, index: np.ndarray, value: np.ndarray | None = None) -> None:
        """Appends one timestep (arrays are kept, not copied)."""
        self._counts[-1].append(int(index.size))
        self._index.append(index)
        self._value.append(value)

    def add_block(self, block: Block) -> None:
        """Appends all timesteps of a block."""
        self._counts[-1].extend(np.diff(block.start).tolist())
        self._index.append(block.index)
        self._value.append(block.value)

    def lengths(self) -> np.ndarray:
        """int64 [B]: timesteps of each sample so far."""
        return np.array([len(counts) for counts in self._counts], np.int64)

    def build(self, steps: int | None = None) -> MemorySpikes:
        """All steps added so far; samples shorter than `steps` (default: the longest) repeat their end."""
        longest = max((len(c) for c in self._counts), default=0) if steps is None else steps
        step_start = np.zeros((len(self._counts), longest + 1), np.int64)
        offset = 0
        for row, counts in zip(step_start, self._counts, strict=True):
            row[:] = offset
            ends = offset + np.cumsum(np.asarray(counts, np.int64))
            if ends.size:
                row[1 : ends.size + 1] = ends
                row[ends.size + 1 :] = ends[-1]
                offset = int(ends[-1])
        index = np.concatenate(self._index) if self._index else np.empty(0, np.uint32)
        value = None
        if any(v is not None for v in self._value):
            value = np.concatenate(
                [np.ones(i.size, np.int32) if v is None else v for i, v in zip(self._index, self._value, strict=True)]
            )
        return MemorySpikes(step_start, index.astype(np.uint32, copy=False), value)
