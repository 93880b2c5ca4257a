"""Plain definition of crossbars with ideal cells: weights to cells, lines to currents, currents to codes, in ints."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from simulator.mapping.crossbar import CrossbarLayer
from simulator.network import Network
from tests.oracles.synapse import coordinates, synapses


@dataclass(frozen=True)
class OracleTile:
    """What shapes the answer of ideal arrays: sign scheme, bits, groups, merging, and the converter."""

    scheme: str
    cell_bits: int
    rows_parallel: int
    pack: bool
    merged: bool
    folded: bool
    step: int
    lowest: int
    highest: int
    psum_bits: int = 32


@dataclass
class OracleCounts:
    """What the converters saw; `codes` counts conversions by code."""

    clipped: int = 0
    zeros: int = 0
    largest: int = 0
    conversions: int = 0
    lines: int = 0
    overflows: int = 0
    codes: dict[int, int] = field(default_factory=dict)


def cells_of(weight: int, bits: int, tile: OracleTile) -> list[tuple[int, int]]:
    """(level, what one level is worth) of every column of a weight; a level below 0 stands for a second row."""
    slices = -(-bits // tile.cell_bits)
    base = 2**tile.cell_bits
    if tile.scheme in ("offset", "reference_column"):
        stored = weight + 2 ** (bits - 1)
        return [(stored // base**s % base, base**s) for s in range(slices)]
    up, down = max(weight, 0), max(-weight, 0)
    cells = []
    for s in range(slices):
        a, b = up // base**s % base, down // base**s % base
        cells += [(a - b, base**s)] if tile.scheme == "differential_rows" else [(a, base**s), (b, -(base**s))]
    return cells


def convert(current: int, tile: OracleTile, counts: OracleCounts) -> int:
    """Current in levels -> what the code stands for, in levels."""
    code = round(Fraction(abs(current), tile.step)) * (1 if current >= 0 else -1)
    if abs(code) > tile.highest:
        counts.clipped += 1
    code = max(tile.lowest, min(tile.highest, code))
    counts.zeros += code == 0
    counts.largest = max(counts.largest, abs(code))
    counts.conversions += 1
    counts.codes[code] = counts.codes.get(code, 0) + 1
    return code * tile.step


def groups_of(active: list[tuple[int, tuple[int, int]]], tile: OracleTile) -> list[list[tuple[int, int]]]:
    """Active (line, row) of a domain -> the rows of each read; a differential pair of rows counts as two."""
    size = max(1, tile.rows_parallel // (2 if tile.scheme == "differential_rows" else 1))
    found: dict[int, list[tuple[int, int]]] = {}
    for order, (line, row) in enumerate(active):
        found.setdefault((order if tile.pack else line) // size, []).append(row)
    return [found[key] for key in sorted(found)]


def oracle_sums(
    network: Network, layer: CrossbarLayer, number: int, values: dict[int, int], tile: OracleTile, counts: OracleCounts
) -> list[int]:
    """Sum of every target neuron for the pooled inputs `values` of one projection (flat channel last -> value)."""
    part = layer.parts[number]
    projection, target = part.projection, layer.population
    source = network.population(projection.source)
    c, h, w = part.shape
    weights: dict[int, dict[int, int]] = {}
    for index in values:
        weights[index] = {}
        for at, weight in synapses(projection, source, target, index):
            weights[index][at] = weights[index].get(at, 0) + weight
    result = [0] * target.size
    limit = 2 ** (tile.psum_bits - 1)
    for position in range(layer.positions):
        oy, ox = divmod(position, layer.grid[1])
        for block in layer.row_blocks[part.first_block : part.end_block]:
            domains: dict[int, list[tuple[int, int]]] = {}
            for a, array in enumerate(block.arrays):
                lines = domains.setdefault(0 if tile.merged else a, [])
                for segment in array:
                    ky, kx = divmod(segment.tap, part.kernel[1])
                    y = oy * part.stride[0] - part.padding[0] + ky * part.dilation[0]
                    x = ox * part.stride[1] - part.padding[1] + kx * part.dilation[1]
                    inside = 0 <= y < h and 0 <= x < w
                    for channel in range(segment.c0, segment.c1):
                        index = (y * w + x) * c + channel if inside else -1
                        assert index < 0 or coordinates(index, c, w) == (channel, y, x)
                        lines.append((index, values.get(index, 0)))
            sums = {o: 0 for low, high in block.columns for o in range(low, high)}
            for sign, bit in [(1, 0)] if tile.folded else part.planes:
                for lines in domains.values():
                    active = []
                    for line, (index, value) in enumerate(lines):
                        if value and (tile.folded or (value * sign > 0 and abs(value) >> bit & 1)):
                            active.append((line, (index, value if tile.folded else 1)))
                    for rows in groups_of(active, tile):
                        counts.lines = max(counts.lines, len(rows))
                        _read(rows, block, position, layer, weights, tile, counts, sums, sign * 2**bit)
            for o, found in sums.items():
                at = position * layer.outputs + o
                result[at] += found
                counts.overflows += not -limit <= result[at] < limit
                result[at] = max(-limit, min(limit - 1, result[at]))
    return result


def _read(rows, block, position, layer, weights, tile, counts, sums, scale) -> None:
    """One read of all column blocks: adds what its codes stand for to `sums`."""
    bits = layer.parts[block.part].projection.weight_bits
    driven = sum(value for _, value in rows)
    base = 2**tile.cell_bits
    top = -(-bits // tile.cell_bits) - 1
    for low, high in block.columns:
        reference = 0
        if tile.scheme == "reference_column":
            reference = convert(driven * (2 ** (bits - 1) // base**top), tile, counts) * base**top
        for o in range(low, high):
            at = position * layer.outputs + o
            cells = [cells_of(weights[index].get(at, 0), bits, tile) for index, _ in rows]
            total = 0
            for column in range(len(cells[0])):
                current = sum(cell[column][0] * value for cell, (_, value) in zip(cells, rows, strict=True))
                total += convert(current, tile, counts) * cells[0][column][1]
            if tile.scheme == "offset":
                total -= 2 ** (bits - 1) * driven
            sums[o] += scale * (total - reference)
