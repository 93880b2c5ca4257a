"""Bit density and product density of VGG-9's recorded layers, by the definition of the Prosperity paper.

The spikes of a layer as a matrix (rows: output position, then timestep; columns: channel and kernel position) are cut
into tiles of 256 rows and 16 columns.  In a tile a row with at least two ones may reuse one other row whose ones are a
subset of its own: the one with most ones; an equal row only if it comes earlier, an empty row never.  Product density
is what remains to be done, bit density all ones, over all elements, each layer weighted by ceil(output channels / 128).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks.command import Result, read_arrays, read_table, unpack

TILE_ROWS, TILE_COLUMNS = 256, 16
PUBLISHED = {"bit": 0.135011258333, "product": 0.045564402705}
"""VGG-9 on CIFAR-10, tables of the paper's repository (HPCA 2025)."""
OUTPUT_CHANNELS = {"conv2d_1": 64, "conv2d_2": 128, "conv2d_3": 128, "conv2d_4": 256, "conv2d_5": 256, "fc_0": 1024}
"""The layers over which the paper averages; convolutions are 3 x 3, stride 1, padding 1."""
KERNEL = 3


def matrix(spikes: np.ndarray) -> np.ndarray:
    """Matrix bool [M, K] of the spikes [T, C, H, W] into a 3 x 3 convolution or [T, N] into a linear layer."""
    if spikes.ndim == 2:
        return spikes.astype(bool)
    t, c, h, w = spikes.shape
    padded = np.pad(spikes, ((0, 0), (0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (KERNEL, KERNEL), axis=(2, 3))
    return windows.transpose(2, 3, 0, 1, 4, 5).reshape(h * w * t, c * KERNEL * KERNEL).astype(bool)


def remaining_in_tile(tile: np.ndarray) -> int:
    """Ones of a tile, bool [rows <= 256, columns <= 16], that no reused row covers."""
    words = (tile << np.arange(tile.shape[1], dtype=np.int64)).sum(1)
    ones = tile.sum(1)
    rows = np.arange(len(words))
    subset = (words[None, :] & ~words[:, None]) == 0  # [row, candidate]
    allowed = subset & ((words[None, :] != words[:, None]) | (rows[None, :] < rows[:, None]))
    best = np.where(allowed, ones[None, :], 0).max(1)
    return int((ones - np.where(ones >= 2, best, 0)).sum())


def remaining(m: np.ndarray) -> int:
    """Ones that are left over all tiles of a matrix."""
    return sum(
        remaining_in_tile(m[row : row + TILE_ROWS, column : column + TILE_COLUMNS])
        for row in range(0, m.shape[0], TILE_ROWS)
        for column in range(0, m.shape[1], TILE_COLUMNS)
    )


def prosperity(result: Result, data: Path) -> str:
    """Case 8: both densities to 12 digits, and the density of every layer's spikes as listed."""
    path = data / "layer_traces" / "prosperity_vgg9_cifar10.npz"
    table = data / "layer_traces" / "prosperity_layers.csv"
    z = read_arrays(path)
    listed = {row["layer"]: row for row in read_table(table, "file", "layer", "density") if row["file"] == path.name}
    done = {"bit": 0, "product": 0}
    elements = 0
    figures = {}
    for layer, channels in OUTPUT_CHANNELS.items():
        spikes = unpack(z, layer, path)
        density = f"{spikes.mean():.6f}"
        if layer in listed:
            result.check(density == listed[layer]["density"], f"Prosperity {layer}: spike density {density}")
        m = matrix(spikes)
        left, ones, weight = remaining(m), int(m.sum()), -(-channels // 128)
        done["bit"] += weight * ones
        done["product"] += weight * left
        elements += weight * m.size
        figures[layer] = {"rows": m.shape[0], "columns": m.shape[1], "bit": ones / m.size, "product": left / m.size}
    found = {kind: count / elements for kind, count in done.items()}
    for kind, value in found.items():
        result.check(f"{value:.12f}" == f"{PUBLISHED[kind]:.12f}", f"Prosperity VGG-9: {kind} density {value:.12f}")
    result.figures["prosperity_vgg9"] = {"layers": figures, **{f"{kind}_density": v for kind, v in found.items()}}
    return f"Prosperity VGG-9: bit density {found['bit']:.12f}, product density {found['product']:.12f}"
