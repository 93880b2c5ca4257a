"""Where the elements of a tensor lie in memory, and what a box of them is in runs, bursts and requests.

Addresses count bits from the start of the tensor.  Every layout is a sum of one offset per axis, so a box is a
broadcast sum; runs are found along the axis whose neighbours lie side by side.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from simulator.errors import InputError

Order = Literal["row_major", "channel_last", "tiled"]
Box = tuple[tuple[int, int], tuple[int, int], tuple[int, int]]
"""Half-open ranges of channels, rows and columns."""


@dataclass(frozen=True)
class Layout:
    """Order of the elements of a tensor of channels x rows x columns.

    row_major     channel by channel, row by row, columns side by side
    channel_last  row by row, column by column, channels side by side
    tiled         tiles one after another in row-major order, each row-major inside; tiles at an edge are padded

    tile: channels, rows and columns of a tile, for tiled only.  InputError where it is missing or too many.
    """

    order: Order
    tile: tuple[int, int, int] | None = None

    def __post_init__(self) -> None:
        """Checks that the tile goes with the order."""
        if (self.tile is None) == (self.order == "tiled") or (self.tile is not None and min(self.tile) < 1):
            raise InputError(
                "a tile belongs to the tiled order, and to no other", key="tile", found=self.tile,
                allowed="[channels, rows, columns], each at least 1, with order: tiled",
            )  # fmt: skip

    def elements(self, shape: tuple[int, int, int]) -> int:
        """Places for elements that a tensor takes, padding of tiles included."""
        tile = self.tile or (1, 1, 1)
        padded = [-(-size // part) * part for size, part in zip(shape, tile, strict=True)]
        return padded[0] * padded[1] * padded[2]

    def offsets(self, shape: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Element (c, y, x) lies at the sum of one entry of each array, int64 [C], [H], [W], counted in elements."""
        c, y, x = (np.arange(size, dtype=np.int64) for size in shape)
        _, height, width = shape
        if self.order == "row_major":
            return c * height * width, y * width, x
        if self.order == "channel_last":
            return c, y * width * shape[0], x * shape[0]
        assert self.tile is not None
        tc, th, tw = self.tile
        down, across, size = -(-height // th), -(-width // tw), tc * th * tw
        return (
            c // tc * down * across * size + c % tc * th * tw,
            y // th * across * size + y % th * tw,
            x // tw * size + x % tw,
        )


@dataclass(frozen=True)
class Runs:
    """Stretches of memory without a gap, rising and apart from each other: int64 start and length, both in bits."""

    start: np.ndarray
    bits: np.ndarray

    @property
    def total_bits(self) -> int:
        """Bits of all runs."""
        return int(self.bits.sum())

    def in_bytes(self) -> tuple[np.ndarray, np.ndarray]:
        """Addresses and lengths in bytes, int64: whole bytes that hold the runs, each byte once."""
        merged = _merge(self.start // 8, -(-(self.start + self.bits) // 8))
        return merged.start, merged.bits

    def bursts(self, burst_bits: int) -> tuple[np.ndarray, np.ndarray]:
        """Aligned bursts that touch the runs: int64 numbers, rising, each once; int64 bits that are asked for in it."""
        first, last = self.start // burst_bits, (self.start + self.bits - 1) // burst_bits
        counts = last - first + 1
        run = np.repeat(np.arange(first.size), counts)
        number = first[run] + np.arange(run.size) - np.repeat(np.cumsum(counts) - counts, counts)
        low = np.maximum(self.start[run], number * burst_bits)
        high = np.minimum((self.start + self.bits)[run], (number + 1) * burst_bits)
        begins = np.flatnonzero(np.diff(number, prepend=-1))
        used = np.add.reduceat(high - low, begins) if begins.size else np.empty(0, np.int64)
        return number[begins], used

    def overfetch_bits(self, burst_bits: int) -> int:
        """Bits that bursts move and nobody asked for."""
        number, used = self.bursts(burst_bits)
        return number.size * burst_bits - int(used.sum())


def runs(layout: Layout, shape: tuple[int, int, int], box: Box, element_bits: int) -> Runs:
    """Runs of a box of a tensor of `shape` (C, H, W) whose elements take `element_bits` each.

    InputError for a box that is empty or leaves the tensor.
    """
    for (low, high), size in zip(box, shape, strict=True):
        if not 0 <= low < high <= size:
            raise InputError("a box must lie inside its tensor", key="box", found=box, allowed=f"inside {shape}")
    axes = [offsets[low:high] for offsets, (low, high) in zip(layout.offsets(shape), box, strict=True)]
    fast = axes.pop(0 if layout.order == "channel_last" else 2)
    begins = np.flatnonzero(np.diff(fast, prepend=fast[0] - 2) != 1)
    lengths = np.diff(begins, append=fast.size)
    start = (axes[0][:, None, None] + axes[1][None, :, None] + fast[begins]).ravel()
    length = np.broadcast_to(lengths, (axes[0].size, axes[1].size, lengths.size)).ravel()
    order = np.argsort(start, kind="stable")
    start, length = start[order] * element_bits, length[order] * element_bits
    return _merge(start, start + length)


def repeated(found: Runs, stride_bits: int, copies: int) -> Runs:
    """The same runs in `copies` tensors that lie `stride_bits` apart; they must not overlap."""
    base = np.arange(copies, dtype=np.int64)[:, None] * stride_bits
    start = (base + found.start).ravel()
    return _merge(start, start + np.tile(found.bits, copies))


def requests(found: Runs, burst_bits: int, most_bursts: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Bursts in a row as requests of at most `most_bursts`: int64 first burst, bursts, and bits asked for."""
    number, used = found.bursts(burst_bits)
    place = np.arange(number.size)
    breaks = np.diff(number, prepend=-2) != 1
    head = np.maximum.accumulate(np.where(breaks, place, 0))
    begins = np.flatnonzero((place - head) % most_bursts == 0)
    bits = np.add.reduceat(used, begins) if begins.size else np.empty(0, np.int64)
    return number[begins], np.diff(begins, append=number.size), bits


def _merge(start: np.ndarray, end: np.ndarray) -> Runs:
    """Rising stretches that touch or overlap become one."""
    begins = np.flatnonzero(np.concatenate(([True], start[1:] > np.maximum.accumulate(end)[:-1])))
    last = np.append(begins[1:], start.size) - 1
    return Runs(start[begins], np.maximum.accumulate(end)[last] - start[begins])
