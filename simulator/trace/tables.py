"""Recordings as tables and arrays: readers that name what is wrong with a file."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from simulator.errors import InputError
from simulator.network.npz import read_npz
from simulator.trace.spikes import Block


def read_arrays(path: Path, *keys: str) -> dict[str, np.ndarray]:
    """All arrays of an .npz file; InputError where one of `keys` is missing or the file is none."""
    if not path.is_file():
        raise InputError("no such file", file=path)
    arrays = read_npz(path)
    for key in keys:
        if key not in arrays:
            raise InputError("the array is missing", file=path, key=key, allowed=list(arrays))
    return arrays


def check_lengths(arrays: dict[str, np.ndarray], path: Path, *keys: str, ndim: int = 1) -> None:
    """InputError unless the first of `keys` has `ndim` axes, the others one, and all are equally long."""
    for i, key in enumerate(keys):
        wanted = ndim if i == 0 else 1
        if arrays[key].ndim != wanted or len(arrays[key]) != len(arrays[keys[0]]):
            raise InputError("the arrays do not go together", file=path, key=key, found=arrays[key].shape,
                             allowed=f"{wanted} axis or axes, as long as {keys[0]}")  # fmt: skip


def read_table(path: Path, *columns: str) -> list[dict[str, str]]:
    """Rows of a CSV file (lines before the header that start with # are notes); InputError without one of `columns`."""
    if not path.is_file():
        raise InputError("no such file", file=path)
    try:
        with open(path, newline="", encoding="utf-8") as file:
            reader = csv.DictReader(line for line in file if not line.startswith("#"))
            rows = list(reader)
            names = reader.fieldnames or []
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"not a table ({error})", file=path) from None
    for column in columns:
        if column not in names:
            raise InputError("the table lacks a column", file=path, key=column, found=list(names))
    return rows


def whole(row: dict[str, str], column: str, path: Path) -> int:
    """A whole number of a table."""
    try:
        return int(row[column])
    except ValueError:
        raise InputError("not a whole number", file=path, key=column, found=row[column]) from None


def unpack(arrays: dict[str, np.ndarray], key: str, path: Path) -> np.ndarray:
    """A bit-packed spike array: uint8 of the shape stored beside it."""
    if key not in arrays or f"{key}__shape" not in arrays:
        raise InputError("the bit-packed array or its shape is missing", file=path, key=key)
    shape = tuple(int(n) for n in arrays[f"{key}__shape"])
    size = int(np.prod(shape))
    if not 0 <= size <= arrays[key].size * 8:
        raise InputError("the array is shorter than its shape", file=path, key=key, found=shape)
    return np.unpackbits(arrays[key], count=size).reshape(shape)


def channel_last(array: np.ndarray) -> np.ndarray:
    """[steps, N] channel last of [x, y, channel, step] or [neuron, step]."""
    if array.ndim == 4:
        array = array.transpose(3, 1, 0, 2)
        return array.reshape(array.shape[0], -1)
    return array.T


def to_block(dense: np.ndarray) -> Block:
    """Spikes of [steps, N]."""
    step, index = np.nonzero(dense)
    start = np.searchsorted(step, np.arange(dense.shape[0] + 1)).astype(np.int64)
    return Block(start, index.astype(np.uint32), None)


def by_step(step: np.ndarray, index: np.ndarray, steps: int) -> Block:
    """Spikes given as pairs (step, neuron), in any order."""
    order = np.lexsort((index, step))
    start = np.searchsorted(step[order], np.arange(steps + 1)).astype(np.int64)
    return Block(start, index[order].astype(np.uint32), None)
