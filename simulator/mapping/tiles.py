"""How a layer is cut: channel tiles outside, row tiles inside, dealt out to the cores in turn."""

from __future__ import annotations

from typing import NamedTuple

from simulator.mapping.mapping import LayerMapping


class Tile(NamedTuple):
    """Output channels [k0, k1) and rows [y0, y1) of a layer on one core; `block` numbers the channel tile."""

    block: int
    k0: int
    k1: int
    y0: int
    y1: int
    core: str


class WeightTile(NamedTuple):
    """Weights of one channel tile on one core, for the row ranges that this core computes with them."""

    core: str
    k0: int
    k1: int
    rows: tuple[tuple[int, int], ...]


def tiles_of(layer: LayerMapping, shape: tuple[int, int, int]) -> list[Tile]:
    """All tiles of a layer of shape (C, H, W) in running order; tile i runs on cores[i % len(cores)]."""
    c, h, _ = shape
    cores, n = layer.cores, len(layer.cores)
    result: list[Tile] = []
    for block, k0 in enumerate(range(0, c, layer.tile_channels)):
        k1 = min(k0 + layer.tile_channels, c)
        for y0 in range(0, h, layer.tile_rows):
            result.append(Tile(block, k0, k1, y0, min(y0 + layer.tile_rows, h), cores[len(result) % n]))
    return result


def weight_tiles_of(tiles: list[Tile]) -> list[WeightTile]:
    """One entry per channel tile and core that computes a part of it, in running order."""
    found: dict[tuple[int, str], list[Tile]] = {}
    for tile in tiles:
        found.setdefault((tile.block, tile.core), []).append(tile)
    return [
        WeightTile(core, group[0].k0, group[0].k1, tuple((t.y0, t.y1) for t in group))
        for (_, core), group in found.items()
    ]
