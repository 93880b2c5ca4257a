"""Input vectors of a layer on crossbars: how long each takes, what it fetches, and everything they count.

A vector is what one row block is driven with for one output position in one timestep.  `kernels/cim_vectors.py` holds
the definition of its cycles; `mapping/crossbar/booking.py` the closed form of every counter.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from simulator.components.cim_tile.vectors_maps import part_inputs
from simulator.components.cim_tile.vectors_rows import row_tables, whole_windows, window_rows
from simulator.components.cim_tile.vectors_rules import vector_rules
from simulator.kernels import cim_vectors as kernel
from simulator.mapping.crossbar import CrossbarLayer
from simulator.mapping.crossbar.booking import Block, Counts, Totals, add, book_block, book_lumps
from simulator.network import Network


@dataclass(frozen=True, eq=False)
class Vectors:
    """Vectors of a layer in timesteps t0 .. t1 of a sample.  T timesteps, P positions, B row blocks.

    lat, occ    int32 [T, P, B]: cycles from start to result, and until the processing element is free again
    fetch       int32 [T, P, B]: cycles on the tile's buffer port
    active      uint8 [T, P, B]: 0 where a vector is skipped
    updated     int32 [T, P]: neurons that are updated
    own_fetch   int32 [T, P]: cycles in which the home fetches rows of one-to-one projections
    counts      events by action; of the layer, all copies
    synaptic    synaptic operations
    most_rows   most wordlines that were on at the same time on one bit line
    clip_possible   groups whose rows may sum up to more than the converter's range: n (2^cell_bits - 1) > 2^bits - 1
    Entries before the timestep in which the layer's neurons begin are 0.
    """

    lat: np.ndarray
    occ: np.ndarray
    fetch: np.ndarray
    active: np.ndarray
    updated: np.ndarray
    own_fetch: np.ndarray
    counts: Counts
    synaptic: int
    most_rows: int
    clip_possible: int


def vectors(spec: Any, clock_hz: int, layer: CrossbarLayer, work: Any, sample: int, t0: int, t1: int) -> Vectors:
    """Vectors of one layer in timesteps t0 .. t1; see `LayerVectors`."""
    return LayerVectors(spec, clock_hz, layer, work.network).of(work, sample, t0, t1)


class LayerVectors:
    """Tables of one layer, made once, and its vectors for any sample and timesteps.

    spec: a `cim_tile` unit;  clock_hz: its clock;  network: for the populations that feed the layer.
    """

    def __init__(self, spec: Any, clock_hz: int, layer: CrossbarLayer, network: Network) -> None:
        self.spec, self.layer = spec, layer
        self.inputs = part_inputs(layer, network, spec.adc.kind == "integrate_steps")
        self.rules = [vector_rules(spec, clock_hz, part) for part in layer.parts]
        self.rows = [row_tables(spec, layer, number) for number in range(len(layer.parts))]
        self.whole = whole_windows(spec, layer)
        self.blocks = [Block(spec, layer, number) for number in range(len(layer.row_blocks))]
        window = [window_rows(rows, self.whole) for rows in self.rows]
        self.window = np.concatenate(window, axis=1) if window else np.zeros((layer.positions, 0), np.int64)
        most = max((int(np.diff(rows.block_start).max(initial=0)) for rows in self.rows), default=0)
        self.scratch = np.zeros(max(1, most), np.int64)
        self.reaches = np.zeros((len(self.blocks), layer.outputs), bool)
        for number, block in enumerate(layer.row_blocks):
            for low, high in block.columns:
                self.reaches[number, low:high] = True
        self.readers, self.remote = layer.reading()
        # Of sparse synapses cells without one count for nothing, and quirks may drop positions: the closed form holds.
        regular = not layer.omitted and layer.grid in (layer.population.shape[1:], (1, 1))
        regular = regular and "no_activity" not in spec.quirks
        kinds = [part.projection.kind for part in layer.parts]
        self.counted = [regular and kind not in ("sparse", "one_to_one") for kind in kinds]

    def of(self, work: Any, sample: int, t0: int, t1: int) -> Vectors:
        """Vectors of timesteps t0 .. t1 of a sample; `work.spikes(population, sample, t)` gives the spikes."""
        layer = self.layer
        shape = (t1 - t0, layer.positions, len(self.blocks))
        self.lat, self.occ, self.events = (np.zeros(shape, np.int32) for _ in range(3))
        self.active = np.zeros(shape, np.uint8)
        self.updated = np.zeros(shape[:2], np.int32)
        self.own_fetch = np.zeros(shape[:2], np.int32)
        self.counters = np.zeros((len(self.blocks), kernel.COUNTERS), np.int64)
        self.counts: Counts = {}
        self.synaptic = 0
        first = max(t0, layer.population.neuron.first_step)
        for t in range(first, t1):
            self._step(work, sample, t, t - t0)
        if "fixed_pe_cycle" in self.spec.quirks:
            self.lat[self.active != 0] = self.spec.timing.pe_cycle_clocks
            self.occ[self.active != 0] = self.spec.timing.pe_cycle_clocks
        fetch = self._fetch(first - t0)
        self._count(first - t0)
        if self.counters.size:
            most, clipped = int(self.counters[:, kernel.MOST].max()), int(self._clipped())
        else:
            most = clipped = 0
        return Vectors(
            self.lat, self.occ, fetch, self.active, self.updated, self.own_fetch,
            self.counts, self.synaptic, most, clipped,
        )  # fmt: skip

    def _step(self, work: Any, sample: int, t: int, at: int) -> None:
        """One timestep of all projections."""
        layer = self.layer
        covered = np.zeros((layer.positions, layer.outputs), bool)
        for number, (part, inputs) in enumerate(zip(layer.parts, self.inputs, strict=True)):
            p = part.projection
            inputs.fill(*work.spikes(p.source, sample, t - p.delay))
            if not self.counted[number]:
                self.synaptic += inputs.synaptic()
            if layer.omitted:
                continue
            if part.digital:
                covered |= self._digital(number, at)
                continue
            span = slice(part.first_block, part.end_block)
            lat, occ, events = (np.zeros((layer.positions, part.end_block - part.first_block), np.int32)
                                for _ in range(3))  # fmt: skip
            active = np.zeros(lat.shape, np.uint8)
            kernel.count_vectors(
                self.rows[number], inputs.map, self.rules[number], self.whole, self.scratch,
                lat, occ, active, events, self.counters[span],
            )  # fmt: skip
            self.lat[at, :, span], self.occ[at, :, span] = lat, occ
            self.active[at, :, span], self.events[at, :, span] = active, events
        if layer.omitted:
            return
        driven = bool(np.any(layer.population.neuron.bias))  # a bias moves every membrane in every timestep
        if self.spec.digital.lif_mode == "all" or driven:
            self.updated[at] = layer.outputs
        else:
            covered |= (self.active[at].astype(np.float32) @ self.reaches.astype(np.float32)) > 0
            self.updated[at] = covered.sum(axis=1)

    def _digital(self, number: int, at: int) -> np.ndarray:
        """Rows of a one-to-one projection: fetched by the home, added in the accumulation unit, an add per event."""
        on = self.inputs[number].at_positions(self.layer.grid)
        events = on.sum(axis=1)
        cycles, bits = self._buffer(np.full(events.shape, on.shape[1]), events, len(self.layer.parts[number].planes))
        self.own_fetch[at] += cycles.astype(np.int32)
        add(self.counts, "read:spike", bits.sum())
        add(self.counts, "accumulate:partial_sum", events.sum())
        return on

    def _buffer(self, rows: np.ndarray, events: np.ndarray, planes: np.ndarray | int) -> tuple[np.ndarray, np.ndarray]:
        """(cycles on the port, bits) of fetches of so many rows, of which `events` are on.

        Where flags tell that nothing is on, a bit map stays in the buffer and the flags take a cycle.
        """
        buffer = self.spec.buffer
        if buffer.input_mode == "event":
            return np.maximum(events, 1), events * buffer.address_bits
        bits = rows * planes
        cycles = -(-bits // buffer.port_bits)
        if buffer.zero_flags:
            return np.where(events > 0, cycles, 1), np.where(events > 0, bits, 0)
        return cycles, bits

    def _fetch(self, first: int) -> np.ndarray:
        """Cycles of all fetches; counts their bits in every tile that reads the block, and the rows latched."""
        planes = np.array([len(block.part.planes) for block in self.blocks], np.int64)
        events = self.events[first:]
        cycles, bits = self._buffer(self.window, events.astype(np.int64), planes)
        fetch = np.zeros_like(self.lat)
        fetch[first:] = cycles
        bits = np.broadcast_to(bits, events.shape)
        rows = events if self.spec.buffer.input_mode == "event" else np.broadcast_to(self.window, events.shape)
        if self.spec.buffer.zero_flags:
            rows = np.where(events > 0, rows, 0)
        pes = np.array([block.pes for block in self.blocks], np.int64)
        lines = np.array([block.part.rows_per_input for block in self.blocks], np.int64)
        add(self.counts, "latch:row", (rows.sum(axis=(0, 1)) * pes * lines).sum())
        active = self.active[first:] != 0
        sent = 0
        for copy in range(self.layer.copies):
            mine = slice(copy, None, self.layer.copies)
            add(self.counts, "read:spike", (bits[:, mine].sum(axis=(0, 1)) * self.readers[copy]).sum())
            sent += int((active[:, mine].sum(axis=(0, 1)) * self.remote[copy]).sum())
        add(self.counts, "link:partial_sum", sent * self.spec.digital.psum_bits)
        return fetch

    def _count(self, first: int) -> None:
        """Everything that follows from the kernel's counters, and the neurons."""
        for block, counters in zip(self.blocks, self.counters, strict=True):
            if self.counted[self.layer.parts.index(block.part)]:
                self.synaptic += int(counters[kernel.SYNAPTIC]) * block.fan_out
            book_block(self.spec, block, _totals(counters), self.counts)
        self._count_home(first)
        if "lumps_per_pe_cycle" in self.spec.quirks:
            sites = int(self.active.any(axis=2).sum())
            book_lumps(self.spec, self.blocks, [_totals(c) for c in self.counters], sites, self.counts)

    def _count_home(self, first: int) -> None:
        """Accumulation over row blocks, sum of active outputs - outputs that any of them reaches; neuron updates."""
        active = self.active[first:]
        outputs = np.array([block.outputs for block in self.blocks], np.int64)
        partials = int((active.sum(axis=(0, 1), dtype=np.int64) * outputs).sum())
        add(self.counts, "accumulate:partial_sum", partials - self._reached(active))
        updated = int(self.updated.sum(dtype=np.int64))
        copies = 2 if self.layer.population.neuron.model == "cuba_lif" else 1
        add(self.counts, "update:state", updated)
        for verb in ("read", "write"):
            add(self.counts, f"{verb}:state", updated * copies * self.spec.digital.membrane_bits)

    def _reached(self, active: np.ndarray) -> int:
        """Outputs that got a partial sum from at least one row block, summed over positions and timesteps."""
        total = 0
        for low, high in _pieces(self.reaches):
            through = self.reaches[:, low]
            if through.any():
                total += (high - low) * int(active[:, :, through].any(axis=2).sum())
        return total

    def _clipped(self) -> int:
        """Conversions of groups that may exceed the converter's range."""
        return sum(int(c[kernel.CLIPPED]) * block.columns for c, block in zip(self.counters, self.blocks, strict=True))


def _totals(counters: np.ndarray) -> Totals:
    """What the kernel counted of a row block, int64 [COUNTERS]."""
    kinds = (kernel.VECTORS, kernel.ACTIVE, kernel.GROUPS, kernel.IDLE, kernel.ROWS, kernel.INPUTS, kernel.ADDS,
             kernel.SLOTS)  # fmt: skip
    return Totals(*(int(counters[kind]) for kind in kinds))


def _pieces(reaches: np.ndarray) -> list[tuple[int, int]]:
    """Ranges of outputs that the same row blocks reach; reaches bool [blocks, outputs]."""
    if reaches.shape[0] == 0 or reaches.shape[1] == 0:
        return []
    cuts = np.flatnonzero((reaches[:, 1:] != reaches[:, :-1]).any(axis=0)) + 1
    bounds = [0, *cuts.tolist(), reaches.shape[1]]
    return list(pairwise(bounds))
