"""A layer on crossbars: its row blocks, its copies, and the processing elements and tiles that these take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from simulator.mapping.crossbar.block import RowBlock
from simulator.mapping.crossbar.part import CrossbarPart
from simulator.network.population import Population
from simulator.units import ceil_div


class Lane(NamedTuple):
    """Processing elements of one row block of one copy that lie in one tile and work side by side.

    columns: physical columns that they use together.  outputs: outputs that they make.
    """

    copy: int
    row_block: int
    tile: int
    pes: int
    columns: int
    outputs: int


@dataclass(frozen=True, eq=False)
class CrossbarLayer:
    """Where and how one layer lives on the bank of tiles.

    layer          name of the population
    population     the population itself
    arrangement    "kernel" (an array per kernel position) or "im2col" (flattened rows); linear layers are flattened
    grid           (H, W) of the output positions; (1, 1) for linear and sparse layers
    outputs        outputs per position: channels, or neurons (flat, channel last) where there is one position
    parts          one entry per projection into the layer, in file order
    row_blocks     of all parts, in order; block b has len(row_blocks[b].columns) processing elements per copy
    copies         how often the weights are stored; position p belongs to copy p % copies
    first_pe       number of its first processing element; the others follow by copy, row block and column block
    pes_per_tile   processing element n lies in tile n // pes_per_tile
    reserved_columns   columns per array that hold no weights but are converted (reference column)
    pe_arrays      arrays that a processing element of each row block is built with
    omitted        the layer has a row in tables but takes no hardware and no time (see `is_left_out` of quirk.py)
    """

    layer: str
    population: Population
    arrangement: str
    grid: tuple[int, int]
    outputs: int
    parts: tuple[CrossbarPart, ...]
    row_blocks: tuple[RowBlock, ...]
    copies: int
    first_pe: int
    pes_per_tile: int
    reserved_columns: int
    pe_arrays: tuple[int, ...]
    omitted: bool = False

    @property
    def positions(self) -> int:
        """Output positions, in raster order."""
        return self.grid[0] * self.grid[1]

    @property
    def pes_per_copy(self) -> int:
        """Processing elements of one copy."""
        return sum(len(block.columns) for block in self.row_blocks)

    @property
    def pes(self) -> int:
        """Processing elements of all copies."""
        return self.copies * self.pes_per_copy

    @property
    def arrays(self) -> int:
        """Arrays that hold weights, over all copies."""
        return self.copies * sum(len(block.arrays) * len(block.columns) for block in self.row_blocks)

    @property
    def built_arrays(self) -> int:
        """Arrays that its processing elements are built with, used or not."""
        return self.copies * sum(
            n * len(block.columns) for n, block in zip(self.pe_arrays, self.row_blocks, strict=True)
        )

    def weights(self, part: int) -> int:
        """Weights of one projection in one copy: crossings of its blocks; of a depthwise block, its diagonal.

        Of a sparse projection every crossing counts: cells without a synapse are written with zero.
        """
        diagonal = self.parts[part].projection.kind == "depthwise"
        blocks = self.row_blocks[self.parts[part].first_block : self.parts[part].end_block]
        return sum(block.rows * (1 if diagonal else block.outputs) for block in blocks)

    @property
    def weight_bits(self) -> int:
        """Bits of the weights of all copies."""
        bits = (self.weights(i) * part.projection.weight_bits for i, part in enumerate(self.parts))
        return self.copies * sum(bits)

    def columns_of(self, block: int, column_block: int) -> int:
        """Physical columns that each array of one processing element uses, reserved ones included."""
        low, high = self.row_blocks[block].columns[column_block]
        part = self.parts[self.row_blocks[block].part]
        return (high - low) * part.columns_per_weight + self.reserved_columns

    def home_tile(self, copy: int) -> int:
        """Tile where a copy's partial sums meet and its neurons are updated: that of its first processing element."""
        return (self.first_pe + copy * self.pes_per_copy) // self.pes_per_tile

    def lane_tiles(self, copy: int) -> list[Lane]:
        """The lanes of a copy: per row block, one lane for each tile that holds some of its column blocks."""
        lanes: list[Lane] = []
        pe = self.first_pe + copy * self.pes_per_copy
        for number, block in enumerate(self.row_blocks):
            by_tile: dict[int, list[int]] = {}
            for column in range(len(block.columns)):
                by_tile.setdefault(pe // self.pes_per_tile, []).append(column)
                pe += 1
            for tile, columns in by_tile.items():
                used = sum(self.columns_of(number, c) for c in columns)
                outputs = sum(block.columns[c][1] - block.columns[c][0] for c in columns)
                lanes.append(Lane(copy, number, tile, len(columns), used, outputs))
        return lanes

    def lanes(self) -> list[Lane]:
        """The lanes of all copies, copy by copy."""
        return [lane for copy in range(self.copies) for lane in self.lane_tiles(copy)]

    def reading(self) -> tuple[np.ndarray, np.ndarray]:
        """int64 [copies, blocks] twice: tiles that fetch a block's rows; outputs whose sums go to a home elsewhere."""
        readers = np.zeros((self.copies, len(self.row_blocks)), np.int64)
        remote = np.zeros_like(readers)
        for lane in self.lanes():
            readers[lane.copy, lane.row_block] += 1
            if lane.tile != self.home_tile(lane.copy):
                remote[lane.copy, lane.row_block] += lane.outputs
        return readers, remote

    def added_words(self, lanes: int) -> int:
        """Words of `lanes` outputs that a home adds up per position: one less than arrive for each.

        (N - 1) ceil(outputs / lanes) for N row blocks over all outputs; blocks of one group add to the outputs of that
        group only.
        """
        words = sum(ceil_div(block.outputs, lanes) for block in self.row_blocks)
        every = ceil_div(self.outputs, lanes)
        digital = sum(part.digital for part in self.parts) * every
        first = [block for block in self.row_blocks if block.part == self.row_blocks[0].part]
        ranges = {(block.columns[0][0], block.columns[-1][1]) for block in first}
        written = sum(ceil_div(o1 - o0, lanes) for o0, o1 in ranges) if first else min(digital, every)
        return words + digital - written

    @property
    def end_pe(self) -> int:
        """One past its last processing element."""
        return self.first_pe + self.pes

    @property
    def tiles(self) -> range:
        """Tiles that the layer takes; a layer without processing elements sits in the tile of its `first_pe`."""
        first = self.first_pe // self.pes_per_tile
        return range(first, max(first, (self.end_pe - 1) // self.pes_per_tile) + 1)
