"""The arrays of one layer, programmed: what its columns give for the spikes of one timestep."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from simulator.errors import InputError
from simulator.functional.crossbar_adc import Tally
from simulator.functional.crossbar_cells import CELLS, READS, generator, off_levels, program_cells
from simulator.functional.crossbar_columns import Columns, block_columns, dense_weights
from simulator.hardware.cim.device import Device
from simulator.kernels.crossbar import convert_reads, list_reads
from simulator.mapping.crossbar import CrossbarLayer, CrossbarPart, RowBlock

CAPACITY = 1 << 20
"""Entries of the list of reads: positions are taken in pieces so that it stays below (or one position long)."""
NOTHING = np.empty(0)


@dataclass(frozen=True)
class Wordlines:
    """Segments of a row block as `list_reads` takes them, each int64 [segments]."""

    tap: np.ndarray
    channel: np.ndarray
    length: np.ndarray
    domain: np.ndarray
    row: np.ndarray
    line: np.ndarray

    @classmethod
    def of(cls, block: RowBlock, merged: bool) -> Wordlines:
        """Arrays with shared bitlines (`merged`) are one conversion domain, others one each."""
        found, row = [], 0
        for number, array in enumerate(block.arrays):
            line = row if merged else 0
            for segment in array:
                found.append((segment.tap, segment.c0, segment.rows, 0 if merged else number, row, line))
                row, line = row + segment.rows, line + segment.rows
        return cls(*np.array(found, np.int64).reshape(-1, 6).T.copy())


@dataclass(frozen=True)
class ProgrammedBlock:
    """One row block in all its copies: kernel arguments, and `bitline` and `wordline` of `convert_reads`."""

    block: RowBlock
    lines: Wordlines
    columns: Columns
    conductance: np.ndarray
    variance: np.ndarray
    bitline: float
    wordline: np.ndarray


class ArrayLayer:
    """Programs the cells of a layer once, then answers with the partial sums of a timestep."""

    def __init__(self, number: int, layer: CrossbarLayer, spec: Any, device: Device, seed: int) -> None:
        self.number, self.layer, self.spec, self.device, self.seed = number, layer, spec, device, seed
        crossbar = spec.crossbar
        self.merged = crossbar.kernel_merge == "analog"
        self.folded = spec.adc.kind == "integrate_steps"
        self.signed = crossbar.signed == "differential_rows" or (
            self.folded and any(sign < 0 for part in layer.parts for sign, _ in part.planes)
        )
        per_input = 2 if crossbar.signed == "differential_rows" else 1
        self.group = max(1, crossbar.rows_parallel // per_input)
        self.off = 0.0 if per_input == 2 else off_levels(device, crossbar.cell_bits)  # pairs of rows cancel it
        dense = [
            np.empty(0) if part.digital else dense_weights(part.projection, part.shape, layer.population)
            for part in layer.parts
        ]
        self.blocks = [self._program(i, block, dense[block.part]) for i, block in enumerate(layer.row_blocks)]
        self.taps = [_tap_offsets(part) for part in layer.parts]

    @property
    def full_scale(self) -> float:
        """Largest possible sum of one read, in levels: all wordlines that may be on, each with a full cell."""
        found = 1.0
        for programmed in self.blocks:
            rows = programmed.block.array_rows
            lines = min(self.group, sum(rows) if self.merged else max(rows))
            planes = self.layer.parts[programmed.block.part].planes
            value = sum(1 << bit for sign, bit in planes if sign > 0) if self.folded else 1
            kept = self.off if self.device.off_current == "kept" else 0.0
            found = max(found, lines * value * ((1 << self.spec.crossbar.cell_bits) - 1 + kept))
        return found

    def _program(self, number: int, block: RowBlock, weights: np.ndarray) -> ProgrammedBlock:
        part, crossbar = self.layer.parts[block.part], self.spec.crossbar
        columns = block_columns(weights, block, part, crossbar.signed, crossbar.cell_bits)
        copies = 1 if self.device.ideal else self.layer.copies  # ideal copies are all alike
        shape = (copies, *columns.levels.shape)
        conductance, variance = np.empty(shape), np.empty(shape if self.device.noisy_reads else (0, 0, 0))
        for copy in range(copies):
            rng = generator(self.seed, CELLS, self.number, number, copy)
            cells = program_cells(columns.levels, crossbar.cell_bits, self.device, rng)
            conductance[copy], noise = cells
            if columns.minus is not None:
                second = program_cells(columns.minus, crossbar.cell_bits, self.device, rng)
                conductance[copy] -= second.conductance
                noise = noise + second.variance
            elif self.device.off_current == "subtracted":
                conductance[copy] -= self.off
            if variance.size:
                variance[copy] = noise
        bitline, wordline = self._wires(columns, len(block.arrays) if self.merged else 1)
        return ProgrammedBlock(
            block, Wordlines.of(block, self.merged), columns, conductance, variance, bitline, wordline
        )

    def _wires(self, columns: Columns, arrays: int) -> tuple[float, np.ndarray]:
        """Attenuation per active row, and by the column's place (see `IrDrop`), with the mean level as conductance."""
        drop = self.device.ir_drop
        if drop is None or drop.wire_ohm == 0.0:
            return 0.0, NOTHING
        crossbar = self.spec.crossbar
        low, high = self.device.range_us
        if self.device.model == "ideal":  # it has no range of its own: that of the unit's cell and switch
            share = low / high
            high = 1e6 / (self.spec.cell.on_ohm.value + self.spec.cell.access_ohm.value)
            low = high * share
        top = (1 << crossbar.cell_bits) - 1
        levels = columns.levels if columns.minus is None else (columns.levels + columns.minus) / 2
        mean = (low + float(levels.mean()) / top * (high - low)) * 1e-6
        per_input = 1 if columns.minus is None else 2
        loaded = crossbar.columns
        place = columns.place.astype(np.float64)
        if crossbar.conduct == "selected" and not crossbar.sample_hold:
            loaded = -(-loaded // crossbar.mux_ratio)  # the other bitlines float
            place = np.floor(place / crossbar.mux_ratio)
        wire = 1 if loaded == crossbar.columns else crossbar.mux_ratio  # segments between two columns that conduct
        bitline = drop.bitline_drop(mean, crossbar.rows) * per_input / arrays
        return bitline, drop.wordline_drop(mean, place, loaded) * wire

    def values(self, number: int, index: np.ndarray, value: np.ndarray) -> np.ndarray:
        """int32 map of part `number`'s pooled input, flat and channel last; value [0] means 1 each.

        Raises InputError where a value lies outside the planes that are driven.
        """
        part = self.layer.parts[number]
        c, h, w = part.shape
        found = np.zeros(c * h * w, np.int32)
        np.add.at(found, index, value if value.size else np.int32(1))
        high = sum(1 << bit for sign, bit in part.planes if sign > 0)
        low = -sum(1 << bit for sign, bit in part.planes if sign < 0)
        if found.min(initial=0) < low or found.max(initial=0) > high:
            raise InputError(
                "an input value lies outside what the wordlines are driven with",
                key=f"projection {part.projection.name}",
                found=int(found.min() if found.min() < low else found.max()),
                allowed=f"{low} .. {high}; see input_bits of the cim_tile unit, and "
                "output and value_bits of the source's neurons",
            )
        return found

    def sums(self, number: int, values: np.ndarray, tally: Tally, psum_bits: int, key: tuple[int, int]) -> np.ndarray:
        """int64 [positions * outputs]: sums of part `number` for the inputs `values`, position first.

        Results of row blocks are added one after another in an accumulator of `psum_bits` bits that saturates.  `key`
        (sample, timestep) tells the noise of reads apart.
        """
        part, layer = self.layer.parts[number], self.layer
        total = np.zeros((layer.positions, layer.outputs), np.int64)
        rng = generator(self.seed, READS, self.number, number, *key) if self.device.noisy_reads else None
        limit = 1 << (psum_bits - 1)
        for i in range(part.first_block, part.end_block):
            programmed = self.blocks[i]
            columns = programmed.columns
            partial = np.zeros((layer.positions, columns.outputs.size), np.int64)
            driven = np.zeros(layer.positions, np.int64)
            self._convert(programmed, number, values, partial, driven, tally, rng)
            partial -= columns.offset * driven[:, None]
            reached = total[:, columns.outputs] + partial
            tally.overflows += int(((reached < -limit) | (reached >= limit)).sum())
            total[:, columns.outputs] = reached.clip(-limit, limit - 1)
        return total.reshape(-1)

    def _convert(
        self,
        programmed: ProgrammedBlock,
        number: int,
        values: np.ndarray,
        partial: np.ndarray,
        driven: np.ndarray,
        tally: Tally,
        rng: np.random.Generator | None,
    ) -> None:
        """Reads one row block position by position into `partial` and `driven`."""
        part, lines, columns = self.layer.parts[number], programmed.lines, programmed.columns
        planes = np.array([] if self.folded else part.planes, np.int64).reshape(-1, 2)
        size = columns.levels.shape[0] * max(1, len(planes))
        piece = max(1, CAPACITY // max(1, size))
        (c, h, w), grid = part.shape, self.layer.grid
        capacity = min(piece, self.layer.positions) * size
        position, scale, row, value = (np.empty(capacity, np.int64) for _ in range(4))
        start = np.empty(capacity + 1, np.int64)
        width = columns.output.size
        current, spread, code = np.empty(width), np.empty(width), np.empty(width, np.int64)
        adc = tally.converter
        for first in range(0, self.layer.positions, piece):
            last = min(first + piece, self.layer.positions)
            reads = list_reads(
                values, lines.tap, lines.channel, lines.length, lines.domain, lines.row, lines.line,
                *self.taps[number], planes[:, 0].copy(), planes[:, 1].copy(), first, last, grid[1], *part.stride,
                h, w, c, self.group, self.spec.crossbar.row_policy == "pack",
                position, scale, start, row, value, tally.lines,
            )  # fmt: skip
            if not reads:
                continue
            normals = NOTHING if rng is None else rng.standard_normal(reads * width)
            convert_reads(
                reads, first, position, scale, start, row, value, programmed.conductance, programmed.variance, normals,
                programmed.bitline, programmed.wordline, columns.output, columns.weight, columns.reference,
                adc.step, adc.lowest, adc.highest, partial, driven, tally.histogram, tally.shift, tally.counts,
                current, spread, code,
            )  # fmt: skip


def _tap_offsets(part: CrossbarPart) -> tuple[np.ndarray, np.ndarray]:
    """int64 [taps] twice: rows and columns of each tap relative to the window's unpadded corner."""
    ky, kx = np.divmod(np.arange(part.taps, dtype=np.int64), part.kernel[1])
    return ky * part.dilation[0] - part.padding[0], kx * part.dilation[1] - part.padding[1]
