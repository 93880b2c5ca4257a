"""Crossbar kernels against plain Python: which lines are read, and currents with noise and wires."""

from __future__ import annotations

import math

import numpy as np
import pytest

from simulator.kernels.crossbar import convert_reads, list_reads
from tests.oracles.random_network import Rng, pick


def random_reads(rng: Rng, copies: int, rows: int, columns: int) -> dict:
    """Arguments of `convert_reads`: three outputs, some columns of them references, noise, wires, off current."""
    reads, positions = int(rng.integers(1, 12)), int(rng.integers(1, 5))
    lines = [sorted(rng.permutation(rows)[: rng.integers(1, rows + 1)].tolist()) for _ in range(reads)]
    noisy, wired = rng.random() < 0.5, rng.random() < 0.5
    reference = np.full(columns, -1)
    output = rng.integers(0, 3, columns)
    if rng.random() < 0.5:
        output[0], reference[1:] = -1, rng.integers(-1, 1, columns - 1)
    signed = rng.random() < 0.5
    highest = int(rng.integers(1, 9))
    shift = int(rng.integers(0, 2))
    codes = highest * (2 if signed else 1) + 1
    return {
        "reads": reads,
        "first": int(rng.integers(0, 3)),
        "read_position": np.sort(rng.integers(0, positions, reads)),
        "read_scale": pick(rng, 1, -1) * 2 ** rng.integers(0, 3, reads),
        "read_start": np.cumsum([0, *map(len, lines)]),
        "entry_row": np.array([row for read in lines for row in read], np.int64),
        "entry_value": rng.integers(1, 3, sum(map(len, lines))),
        "conductance": rng.normal(1.0, 1.0, (copies, rows, columns)),
        "variance": rng.random((copies, rows, columns)) if noisy else np.empty((0, 0, 0)),
        "normals": rng.normal(size=reads * columns) if noisy else np.empty(0),
        "bitline": float(rng.random() * 0.1) if wired else 0.0,
        "wordline": rng.random(columns) * 0.2 if wired else np.empty(0),
        "column_output": output,
        "column_weight": rng.integers(-4, 5, columns),
        "column_reference": reference,
        "step": int(rng.integers(1, 4)),
        "lowest": -highest if signed else 0,
        "highest": highest,
        "partial": np.zeros((positions + 3, 3), np.int64),
        "driven": np.zeros(positions + 3, np.int64),
        "histogram": np.zeros(-(-codes >> shift), np.int64),
        "shift": shift,
        "counts": np.zeros(4, np.int64),
        "current": np.empty(columns),
        "spread": np.empty(columns),
        "code": np.empty(columns, np.int64),
    }


def plain_convert(a: dict) -> tuple:
    """(partial, driven, histogram, counts) of `convert_reads`, one column of one read at a time."""
    copies, _, columns = a["conductance"].shape
    partial, driven = a["partial"].tolist(), a["driven"].tolist()
    histogram = [0] * a["histogram"].size
    clipped = zeros = largest = 0
    for read in range(a["reads"]):
        position = a["first"] + int(a["read_position"][read])
        span = range(int(a["read_start"][read]), int(a["read_start"][read + 1]))
        entries = [(int(a["entry_row"][k]), int(a["entry_value"][k])) for k in span]
        lines = sum(value for _, value in entries)
        results = []
        for j in range(columns):
            cells = a["conductance"][position % copies, :, j].tolist()
            current = 0.0
            for row, value in entries:
                current += cells[row] * value
            if a["wordline"].size:
                current /= 1.0 + a["bitline"] * len(entries) + a["wordline"][j].item()
            if a["variance"].size:
                noise = 0.0
                for row, value in entries:
                    noise += a["variance"][position % copies, row, j].item() * value * value
                current += math.sqrt(noise) * a["normals"][read * columns + j].item()
            code = round(abs(current) / a["step"]) * (-1 if current < 0 else 1)
            clipped += abs(code) > a["highest"]
            code = max(a["lowest"], min(a["highest"], code))
            zeros, largest = zeros + (code == 0), max(largest, abs(code))
            histogram[(code - a["lowest"]) // 2 ** a["shift"]] += 1
            results.append(code * a["step"])
        for j, result in enumerate(results):
            if a["column_output"][j] >= 0:
                against = results[a["column_reference"][j]] if a["column_reference"][j] >= 0 else 0
                weight = int(a["read_scale"][read] * a["column_weight"][j])
                partial[position][a["column_output"][j]] += weight * (result - against)
        driven[position] += int(a["read_scale"][read]) * lines
    return partial, driven, histogram, [clipped, zeros, largest, a["reads"] * columns]


@pytest.mark.parametrize("seed", range(80))
def test_conversion_with_noise_and_wires(seed: int) -> None:
    rng = np.random.Generator(np.random.PCG64(seed))
    a = random_reads(rng, pick(rng, 1, 3), pick(rng, 1, 4, 9), pick(rng, 2, 5))
    partial, driven, histogram, counts = plain_convert(a)
    assert convert_reads(*a.values()) == counts[3]
    assert a["partial"].tolist() == partial and a["driven"].tolist() == driven
    assert a["histogram"].tolist() == histogram and a["counts"].tolist() == counts


@pytest.mark.parametrize("seed", range(60))
def test_list_of_reads(seed: int) -> None:
    """Reads of random segments over a small map: same lines, in the same order, as a walk over sets of lines."""
    rng = np.random.Generator(np.random.PCG64(seed))
    height, width, channels = pick(rng, 1, 3, 4), pick(rng, 2, 3), pick(rng, 2, 5)
    values = (rng.integers(-3, 4, height * width * channels) * (rng.random(height * width * channels) < 0.6)).astype(
        np.int32
    )
    taps = [(int(y), int(x)) for y, x in rng.integers(-1, 2, (pick(rng, 1, 4), 2))]
    segments, row, domain, line = [], 0, 0, 0
    for tap in range(len(taps)):
        low = int(rng.integers(0, channels))
        length = int(rng.integers(1, channels - low + 1))
        if rng.random() < 0.5:
            domain, line = domain + 1, 0
        segments.append((tap, low, length, domain, row, line))
        row, line = row + length, line + length
    planes = pick(rng, [], [(1, 0)], [(1, 0), (1, 1), (-1, 0)])
    stride, group, pack = (pick(rng, 1, 2), pick(rng, 1, 2)), int(rng.integers(1, 5)), bool(rng.random() < 0.5)
    first, last, grid = 1, 5, 2
    expected, most = [], 0
    for position in range(first, last):
        top, left = position // grid * stride[0], position % grid * stride[1]
        for sign, bit in planes or [(1, 0)]:
            for d in dict.fromkeys(s[3] for s in segments):
                active = []
                for tap, low, length, own, start, line0 in segments:
                    y, x = top + taps[tap][0], left + taps[tap][1]
                    if own != d or not (0 <= y < height and 0 <= x < width):
                        continue
                    for k in range(length):
                        value = int(values[(y * width + x) * channels + low + k])
                        if value and (not planes or (value * sign > 0 and abs(value) // 2**bit % 2)):
                            active.append((line0 + k, start + k, value if not planes else 1))
                groups: dict[int, list] = {}
                for order, (wordline, at, value) in enumerate(active):
                    groups.setdefault((order if pack else wordline) // group, []).append((at, value))
                most = max([most, *map(len, groups.values())])
                expected += [(position - first, sign * 2**bit, entries) for entries in groups.values()]
    capacity = (last - first) * max(1, len(planes)) * row
    position, scale, rows, carried = (np.zeros(capacity, np.int64) for _ in range(4))
    start, lines = np.zeros(capacity + 1, np.int64), np.zeros(1, np.int64)
    columns = np.array(segments, np.int64).T.copy()
    table = np.array(planes, np.int64).reshape(-1, 2)
    offsets = np.array(taps, np.int64).T.copy()
    reads = list_reads(
        values, *columns, *offsets, table[:, 0].copy(), table[:, 1].copy(), first, last, grid, *stride,
        height, width, channels, group, pack, position, scale, start, rows, carried, lines,
    )  # fmt: skip
    found = []
    for r in range(reads):
        span = slice(start[r], start[r + 1])
        entries = list(zip(rows[span].tolist(), carried[span].tolist(), strict=True))
        found.append((int(position[r]), int(scale[r]), entries))
    assert found == expected and lines[0] == most
