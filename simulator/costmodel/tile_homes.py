"""Closed form of what follows the arrays: sums that arrive for a position, neurons that are updated, spikes that leave.

From P(no vector of a position is driven) for all layers of a bank at once.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from simulator.costmodel.runs import Runs
from simulator.costmodel.tile_inputs import Inputs, Seen, Source
from simulator.costmodel.tile_rows import Place
from simulator.mapping.crossbar import CrossbarLayer
from simulator.units import ceil_div


class HomeTimes(NamedTuple):
    """Per layer and timestep, float64 [layers, U]; cycles are means per position.

    reached: outputs that any row block reaches, over all positions;  updated: neurons;  sites: positions with a vector
    that is driven;  digital_bits, digital_events: of one-to-one projections;  fired_bits: bits of all spikes
    fetch, work, write, send: cycles of a home, send where spikes leave the tile
    some: [slots, U], P(any vector of a projection is driven), for each kind of position and projection on arrays
    """

    reached: np.ndarray
    updated: np.ndarray
    sites: np.ndarray
    digital_bits: np.ndarray
    digital_events: np.ndarray
    fired_bits: np.ndarray
    fetch: np.ndarray
    work: np.ndarray
    write: np.ndarray
    send: np.ndarray
    some: np.ndarray


class Homes:
    """Homes of a bank: `add` layer by layer, `close`, then `price`."""

    def __init__(self, spec: Any, inputs: Inputs) -> None:
        self.spec, self.inputs = spec, inputs
        self.layers = 0
        self.places: list[int] = []
        self._skips = spec.zero_skip != "none" or "patch_events" in spec.quirks
        self._always: list[int] = []
        self._factor: list[tuple[int, int, int]] = []
        self._row: list[tuple[int, int, float]] = []
        self._some: list[int] = []
        self._count: list[int] = []
        self._digital: list[tuple[int, ...]] = []
        self._table: list[tuple[float, ...]] = []
        self._own: list[tuple[int, int]] = []

    def add(self, layer: CrossbarLayer, sources: list[Source], own: Source, places: list[Place]) -> None:
        """A layer; `sources` of its projections, `own` its neurons."""
        spec, number, outputs = self.spec, self.layers, layer.outputs
        for place in places:
            self._joint(number, 0, place.many, layer, range(len(layer.row_blocks)), sources, place)
            for part in layer.parts:
                if not part.digital:
                    mine = range(part.first_block, part.end_block)
                    self._some.append(self._joint(number, 0, 0, layer, mine, sources, place))
            self._count.append(place.many)
            for blocks, reached in _pieces(layer):
                weight = float(reached * place.many)
                self._joint(number, 1, weight, layer, blocks, sources, place)
                row = self._joint(number, 2, weight, layer, blocks, sources, place)
                for part, source in zip(layer.parts, sources, strict=True):
                    if part.digital:
                        self._factor.append((row, self.inputs.set_of(source, 1), source.some))
        for part, source in zip(layer.parts, sources, strict=True):
            if part.digital:
                self._digital.append((number, self.inputs.set_of(source, outputs), source.some, outputs,
                                      len(part.planes), layer.positions))  # fmt: skip
        neuron = layer.population.neuron
        every = spec.digital.lif_mode == "all" or bool(np.any(neuron.bias))
        adding = layer.added_words(int(spec.digital.accumulate_lanes)) * int(spec.timing.accumulate_cycles)
        words = ceil_div(outputs, int(spec.digital.lif_lanes))
        self._table.append((layer.positions, outputs, neuron.stored_bits, every, adding, words))
        self._own.append((self.inputs.set_of(own, outputs), own.some))
        self.places.append(len(places))
        self.layers += 1

    def _joint(
        self, number: int, what: int, weight: float, layer: CrossbarLayer, blocks: Any, sources: list[Source],
        place: Place,
    ) -> int:
        """A row: P(any of some row blocks is driven at a place), `weight` times in a sum of the layer."""
        row = len(self._row)
        self._row.append((number, what, weight))
        if not self._skips and blocks:
            self._always.append(row)
        runs: list[list[Any]] = [[] for _ in layer.parts]
        for i in blocks:
            block = layer.row_blocks[i]
            inside = place.inside[block.part]
            runs[block.part] += [s for segments in block.arrays for s in segments if inside[s.tap]]
        for source, found in zip(sources, runs, strict=True):
            if found:
                inputs, taps = sum(s.rows for s in found), len({s.tap for s in found})
                self._factor.append((row, self.inputs.set_of(source, inputs, taps), source.some))
        return row

    def close(self) -> None:
        """All layers are added."""
        factor = np.array(self._factor, np.int64).reshape(-1, 3)
        at, self._set, self._plane = factor[np.argsort(factor[:, 0], kind="stable")].T
        self._at = Runs(at, len(self._row))
        self._sum = np.zeros((3 * self.layers, len(self._row)))
        for row, (number, what, weight) in enumerate(self._row):
            self._sum[3 * number + what, row] = weight
        self._any = np.array(self._some, np.int64)
        self.count = np.array(self._count, np.float64)
        self._parts = np.array(self._digital, np.int64).reshape(-1, 6).T
        self._columns = np.array(self._table, np.float64).reshape(-1, 6).T[:, :, None]
        self._own_set, self._own_plane = np.array(self._own, np.int64).reshape(-1, 2).T

    def price(self, seen: Seen) -> HomeTimes:
        """Means at these inputs; see `HomeTimes`."""
        spec, shape = self.spec, (self.layers, seen.size.shape[1])
        driven = -np.expm1(self._at.sums(seen.quiet(self._set, self._plane)))
        driven[self._always] = 1
        sites, reached, touched = (self._sum @ driven).reshape(self.layers, 3, -1).transpose(1, 0, 2)
        positions, outputs, stored, every, adding, words = self._columns
        updated = np.where(every > 0, positions * outputs, touched)
        bits, events, fetch = self._one_to_one(seen, shape)
        # Outputs of a position are updated all together, where a vector drives them, or one by one.
        lanes = float(spec.digital.lif_lanes)
        whole = np.where(every > 0, 1.0, sites / positions)
        alone = np.maximum(updated - whole * positions * outputs, 0) / positions
        lif = whole * words + np.minimum(alone, 1 - whole) + np.maximum(alone - 1, 0) / lanes
        fired_bits, write, send = position_bits(
            spec, outputs, stored, seen.share[self._own_plane], seen.quiet(self._own_set, self._own_plane)
        )
        work = adding + lif * int(spec.timing.lif_cycles)
        return HomeTimes(reached, updated, sites, bits, events, fired_bits * positions, fetch, work, write, send,
                         driven[self._any])  # fmt: skip

    def _one_to_one(self, seen: Seen, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(bits, events, cycles per position) of one-to-one projections, which the home fetches: an add per event."""
        bits, events, cycles = np.zeros(shape), np.zeros(shape), np.zeros(shape)
        number, sets, plane, outputs, planes, positions = self._parts
        if not number.size:
            return bits, events, cycles
        on = seen.share[plane] * outputs[:, None]
        each, time = fetched(self.spec, outputs[:, None], planes[:, None], on, seen.quiet(sets, plane))
        np.add.at(bits, number, each * positions[:, None])
        np.add.at(events, number, on * positions[:, None])
        np.add.at(cycles, number, time)
        return bits, events, cycles


def fetched(
    spec: Any, rows: np.ndarray, planes: np.ndarray, events: np.ndarray, quiet: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(bits, cycles on the buffer port) of fetches of so many rows, means; `events` of them are on, `quiet` is the
    logarithm of the probability that none is.

    A list of events takes one cycle where it is empty, a bit map with flags likewise: E[max(n, 1)] = E[n] + P(n = 0).
    """
    buffer = spec.buffer
    if buffer.input_mode == "event":
        return events * buffer.address_bits, events + np.exp(quiet)
    bits = rows * planes
    filled = -np.expm1(quiet) if buffer.zero_flags else np.ones_like(quiet)
    return filled * bits, filled * np.ceil(bits / buffer.port_bits) + (1 - filled)


def position_bits(
    spec: Any, outputs: np.ndarray, stored_bits: np.ndarray, p: np.ndarray, quiet: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(bits, cycles on a buffer port, cycles on a link) of the spikes of a position whose neurons fire with `p`.

    quiet: logarithm of the probability that none does.  A message of nothing takes a cycle.
    """
    if spec.buffer.input_mode == "event":
        bits = p * outputs * spec.buffer.address_bits
        return bits, p * outputs + np.exp(quiet), bits / spec.network.link_bits + np.exp(quiet)
    full = outputs * stored_bits
    filled = -np.expm1(quiet) if spec.buffer.zero_flags else np.ones_like(quiet)
    port, link = (1 + filled * (np.ceil(full / width) - 1) for width in (spec.buffer.port_bits, spec.network.link_bits))
    return filled * full, port, link


def _pieces(layer: CrossbarLayer) -> list[tuple[list[int], int]]:
    """(row blocks, outputs that exactly these reach)."""
    reaches = np.zeros((len(layer.row_blocks), layer.outputs), np.uint8)
    for number, block in enumerate(layer.row_blocks):
        for low, high in block.columns:
            reaches[number, low:high] = 1
    found: dict[bytes, int] = {}
    for column in np.ascontiguousarray(reaches.T):
        found[column.tobytes()] = found.get(column.tobytes(), 0) + 1
    return [(np.flatnonzero(np.frombuffer(key, np.uint8)).tolist(), n) for key, n in found.items()]
