"""Counters of a bank of crossbar tiles in closed form: as the tile books them, of means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.costmodel.rates import Rates
from simulator.costmodel.tally import REPETITION, Tally
from simulator.costmodel.tile_homes import HomeTimes
from simulator.costmodel.tile_ports import PortTimes
from simulator.kernels import tile_blocks as kernel
from simulator.mapping.crossbar import CrossbarLayer
from simulator.mapping.crossbar.booking import Block, Counts, Totals, book_block, book_lumps
from simulator.mapping.crossbar.program import programming

if TYPE_CHECKING:
    from simulator.costmodel.tile_chip import TileChip

UNIT = 1 << 40
"""Totals with which a block is booked, so that an action's count per one of a total is a whole number over this."""
FIELDS = {"active": kernel.ACTIVE, "groups": kernel.GROUPS, "idle": kernel.IDLE, "rows": kernel.ROWS,
          "inputs": kernel.INPUTS, "adds": kernel.ADDS, "slots": kernel.SLOTS}  # fmt: skip
VECTORS, BITS, LATCHED = kernel.FOUND, kernel.FOUND + 1, kernel.FOUND + 2
KIND = kernel.FOUND + 3
ADDED, UPDATED, SITES, DIGITAL_BITS, DIGITAL_EVENTS, MADE, FIRED = range(7)
LAYER = 7


class TileCounts:
    """Counters as a linear function of what kinds of row block and layers do in a run."""

    def __init__(self, chip: TileChip, schedule: Any, actions: tuple[str, ...], rows: np.ndarray) -> None:
        self.chip, self.rows = chip, rows
        self.unit = schedule.units.index(chip.plan.unit)
        self.tally = Tally(schedule.units, schedule.layers, actions)
        self.kinds, self.layers = len(chip.blocks.kinds), len(chip.layers)
        self.base = self.kinds * KIND
        self.lumped = "lumps_per_pe_cycle" in chip.spec.quirks
        host = next(i for i, name in enumerate(schedule.units) if chip.hardware.units[name].type == "host")
        self.tally.add(host, 0, "launch:task", REPETITION, schedule.rows - schedule.prologue)
        if schedule.prologue:
            self.tally.add(host, 0, "launch:task", -1, schedule.prologue)
        blocks: list[list[tuple[int, Any]]] = [[] for _ in chip.layers]
        for i, kind in enumerate(chip.blocks.kinds):
            blocks[kind.layer].append((i, kind))
        self.program_cycles = 0.0
        self._partial = np.zeros((self.layers, self.kinds))
        for number, layer in enumerate(chip.layers):
            for i, kind in blocks[number]:
                self._partial[number, i] = sum(layer.row_blocks[member].outputs for member in kind.members)
            self._layer(number, layer, blocks[number])
        self.tally.close()
        self.positions = np.array([layer.positions for layer in chip.layers], np.float64)

    def _add(self, number: int, action: str, source: int, times: float) -> None:
        self.tally.add(self.unit, int(self.rows[number]), action, source, times)

    def _layer(self, number: int, layer: CrossbarLayer, kinds: list[tuple[int, Any]]) -> None:
        spec, base = self.chip.spec, self.base + LAYER * number
        for i, kind in kinds:
            block = Block(spec, layer, kind.members[0])
            for field, column in (*FIELDS.items(), ("vectors", VECTORS)):
                unit = Totals(**{name: UNIT * (name == field) for name in Totals._fields})
                counts: Counts = {}
                book_block(spec, block, unit, counts)
                if self.lumped:
                    book_lumps(spec, [block], [unit], 0, counts)
                for action, amount in counts.items():
                    self._add(number, action, i * KIND + column, amount / UNIT * len(kind.members))
            if not self.lumped:
                self._moved(number, layer, i, kind, block)
        if self.lumped:
            nothing = Totals(*(0 for _ in Totals._fields))
            for _, kind in kinds:
                counts = {}
                book_lumps(spec, [Block(spec, layer, kind.members[0])], [nothing], UNIT, counts)
                for action, amount in counts.items():
                    self._add(number, action, base + SITES, amount / UNIT * len(kind.members))
        else:
            self._home(number, layer, base)
        if spec.write.count and layer.weight_bits:
            done = programming(spec, self.chip.hertz, layer)
            self._add(number, "program:cell", -1, done.cells)
            self._add(number, "program:row", -1, done.rows)
            self._add(number, "active:cycle", -1, done.cycles)
            self.program_cycles += done.cycles

    def _moved(self, number: int, layer: CrossbarLayer, i: int, kind: Any, block: Block) -> None:
        """Rows fetched and latched, partial sums that go to another tile."""
        readers, remote = layer.reading()
        self._add(number, "read:spike", i * KIND + BITS, float(readers[:, kind.members].mean(axis=0).sum()))
        latched = len(kind.members) * block.pes * block.part.rows_per_input
        self._add(number, "latch:row", i * KIND + LATCHED, latched)
        sent = float(remote[:, kind.members].mean(axis=0).sum()) * self.chip.spec.digital.psum_bits
        self._add(number, "link:partial_sum", i * KIND + kernel.ACTIVE, sent)

    def _home(self, number: int, layer: CrossbarLayer, base: int) -> None:
        """Sums of row blocks, neurons, spikes."""
        bits = (2 if layer.population.neuron.model == "cuba_lif" else 1) * int(self.chip.spec.digital.membrane_bits)
        for action, column, times in (
            ("accumulate:partial_sum", ADDED, 1.0), ("accumulate:partial_sum", DIGITAL_EVENTS, 1.0),
            ("read:spike", DIGITAL_BITS, 1.0), ("update:state", UPDATED, 1.0), ("read:state", UPDATED, bits),
            ("write:state", UPDATED, bits), ("write:spike", MADE, 1.0),
            ("link:spike", MADE, float(self.chip.outside[number])), ("fire:state", FIRED, 1.0),
        ):  # fmt: skip
            self._add(number, action, base + column, times)

    def price(
        self, found: Rates, live: np.ndarray, totals: np.ndarray, ports: PortTimes, home: HomeTimes, moved: np.ndarray
    ) -> np.ndarray:
        """float64 [units, layers, actions] of a run.

        live [layers, U]: the layer has begun;  totals [kinds, FOUND, U], ports, home: per timestep;  moved [inputs, U]:
        bits that enter the chip.
        """
        weight = found.weight * found.samples
        while_live = live * weight
        layer = np.array([kind.layer for kind in self.chip.blocks.kinds], np.int64)
        mine = while_live[layer]
        kinds = np.zeros((self.kinds, KIND))
        kinds[:, : kernel.FOUND] = (totals * mine[:, None, :]).sum(axis=2)
        kinds[:, VECTORS] = mine.sum(axis=1) * self.positions[layer]
        kinds[:, BITS] = (ports.bits * mine).sum(axis=1)
        kinds[:, LATCHED] = (ports.latched * mine).sum(axis=1)
        layers = np.zeros((self.layers, LAYER))
        added = np.maximum(self._partial @ totals[:, kernel.ACTIVE] - home.reached, 0)
        fired = found.value[self.chip.own] * np.array([p.population.size for p in self.chip.layers])[:, None]
        for column, amount in (
            (ADDED, added), (UPDATED, home.updated), (SITES, home.sites), (DIGITAL_BITS, home.digital_bits),
            (DIGITAL_EVENTS, home.digital_events), (MADE, home.fired_bits), (FIRED, fired),
        ):  # fmt: skip
            layers[:, column] = (amount * while_live).sum(axis=1)
        counts = self.tally.counts(np.concatenate([kinds.ravel(), layers.ravel()]), found.samples)
        if not self.lumped:
            where = {layer.layer: row for layer, row in zip(self.chip.layers, self.rows, strict=True)}
            column = self.tally.cell(0, 0, "link:spike")
            for population, bits in zip(self.chip.entering, moved @ weight, strict=True):
                counts[self.unit, where[self.chip.plan.consumers[population.name][0][0]], column] += bits
        return counts

    def work(self, counts: np.ndarray, active: np.ndarray) -> None:
        """Adds the cycles in which each layer was at work [layers] to the counters of a run (in, out)."""
        counts[self.unit, self.rows, self.tally.cell(0, 0, "active:cycle")] += active
