"""Programming of a layer's weights into its arrays, before the first input."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from simulator.mapping.crossbar.layer import CrossbarLayer
from simulator.units import ceil_div


@dataclass(frozen=True)
class Programming:
    """cells, rows: pulses on cells, and on rows that hold them; cycles: until the slowest tile is done."""

    cells: int
    rows: int
    cycles: int


def programming(spec: Any, clock_hz: int, layer: CrossbarLayer) -> Programming:
    """What it takes to write all copies of a layer.

    A row is erased and then set: one reset pulse and `verify_steps` set pulses on each group of at most
    `parallel_cells` cells.  The arrays of a tile are written one after another, tiles side by side (assumed: no source
    states it).
    """
    write = spec.write
    pulses = 1 + int(write.verify_steps)
    group = spec.cycles(write.reset_ps, clock_hz) + write.verify_steps * spec.cycles(write.set_ps, clock_hz)
    cells = rows = 0
    by_tile: dict[int, int] = {}
    pe = layer.first_pe
    for _ in range(layer.copies):
        for number, block in enumerate(layer.row_blocks):
            lines = block.rows * layer.parts[block.part].rows_per_input
            for column in range(len(block.columns)):
                width = layer.columns_of(number, column)
                groups = lines * ceil_div(width, int(write.parallel_cells))
                cells += lines * width * pulses
                rows += groups * pulses
                tile = pe // layer.pes_per_tile
                by_tile[tile] = by_tile.get(tile, 0) + groups * group
                pe += 1
    return Programming(cells, rows, max(by_tile.values(), default=0))
