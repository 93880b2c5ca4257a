"""Closed form of a layer's input vectors on crossbars: expected groups, cycles and counts per timestep.

From P(empty) = (1 - p)^rows of a vector and of each group of wordlines: a vector with no active row is skipped, fixed
groups are converted whether or not they hold one (`static`), only if they do (`static_skip`), or ceil(n / limit) groups
of n active rows are made (`pack`).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from simulator.costmodel.tile_rows import groups_of, places, plane_shares
from simulator.mapping.crossbar import CrossbarLayer
from simulator.units import ceil_div

"""Bits of one neuron in a bit map, as the tile buffer keeps them."""


class Step(NamedTuple):
    """Expected numbers of a timestep, float64 [U] unless stated.

    counts: action -> events;  active: blocks -> share of vectors that are not skipped;  period: cycles per position of
    a copy;  late: cycles from a window's availability to the sums;  port: cycles on buffer ports per position.
    updated: neurons.
    """

    counts: dict[str, Any]
    active: list[np.ndarray]
    period: np.ndarray
    late: np.ndarray
    port: np.ndarray
    updated: np.ndarray


class LayerForm:
    """One layer: its tables are made once; `step` prices a timestep.  clock_hz: of the bank."""

    def __init__(self, spec: Any, clock_hz: int, layer: CrossbarLayer) -> None:
        self.spec, self.layer = spec, layer
        crossbar, timing = spec.crossbar, spec.timing
        ps = (timing.wordline_ps, timing.read_ps, timing.hold_ps, timing.mux_ps, spec.convert_ps())
        line, self.read, self.hold, self.mux, self.convert = (spec.cycles(value, clock_hz) for value in ps)
        self.line = line + (crossbar.select_cycles if crossbar.row_policy == "pack" else 0)
        self.places = [places(part, layer.grid) for part in layer.parts]
        self.readers, self.remote = layer.reading()
        self.groups = []
        for block in layer.row_blocks:
            part = layer.parts[block.part]
            limit = part.group_limit(spec.crossbar.rows_parallel)
            found = list(groups_of(block, crossbar.kernel_merge == "analog", crossbar.row_policy == "pack", limit))
            inside = [[sum(n for tap, n in taken if seen[tap]) for _, _, taken in found]
                      for seen, _ in self.places[block.part]]  # fmt: skip
            self.groups.append(
                (
                    limit,
                    np.array([domain for domain, _, _ in found]),
                    np.array([arrays for _, arrays, _ in found]),
                    np.array(inside, np.float64),
                    np.array([count for _, count in self.places[block.part]], np.float64),
                )
            )
        self.columns = [[layer.columns_of(n, c) for c in range(len(b.columns))] for n, b in enumerate(layer.row_blocks)]
        alike: dict[tuple[object, ...], list[int]] = {}
        for number, block in enumerate(layer.row_blocks):
            _, domain, arrays, inside_of, _ = self.groups[number]
            tables = (domain.tobytes(), arrays.tobytes(), inside_of.tobytes())
            alike.setdefault((block.part, block.outputs, *self.columns[number], *tables), []).append(number)
        self.alike = list(alike.values())
        self.lanes = [(lane.row_block, lane.tile) for lane in layer.lane_tiles(0)]
        neuron = layer.population.neuron
        self.signature = (
            tuple((p.shape, p.kernel, p.stride, p.padding, p.dilation, p.planes, p.projection.kind, p.projection.pool,
                   p.slices, p.rows_per_input) for p in layer.parts),
            layer.grid, layer.outputs, layer.copies, neuron.model, bool(np.any(neuron.bias)),
            tuple((key, *found) for key, found in alike.items()),
            tuple((block, tile - layer.home_tile(0)) for block, tile in self.lanes),
            self.readers.tobytes(), self.remote.tobytes(),
        )  # fmt: skip
        """What `step` depends on besides the unit: layers with equal ones cost the same at equal rates."""
        self.adding = self._adding()
        joint: dict[bytes, int] = {}
        reaches = np.zeros((len(layer.row_blocks), layer.outputs), np.uint8)
        for number, block in enumerate(layer.row_blocks):
            for low, high in block.columns:
                reaches[number, low:high] = 1
        for column in np.ascontiguousarray(reaches.T):
            joint[column.tobytes()] = joint.get(column.tobytes(), 0) + 1
        self.pieces = [(np.flatnonzero(np.frombuffer(key, np.uint8)).tolist(), n) for key, n in joint.items()]

    def step(self, rates: list[np.ndarray]) -> Step:
        """A timestep; `rates` float64 [U] per projection, events per neuron of its source."""
        layer, spec = self.layer, self.spec
        shape = rates[0].shape if rates else (1,)
        counts: dict[str, Any] = {}
        active = [np.zeros(shape)] * len(layer.row_blocks)
        fetched = list(active)
        period, late = np.zeros(shape), np.zeros(shape)
        port: dict[int, Any] = {}
        shares = [plane_shares(part, p) for part, p in zip(layer.parts, rates, strict=True)]
        for members in self.alike:
            on, occ, lat, fetch = self._block(members, *shares[layer.row_blocks[members[0]].part], counts)
            for number in members:
                active[number], fetched[number] = on, fetch
            period = np.maximum(period, np.maximum(occ, fetch))
            late = np.maximum(late, lat + fetch)
        for number, tile in self.lanes:
            port[tile] = port.get(tile, 0.0) + fetched[number]
        own = np.zeros(shape)
        covered = 1 - np.ones(shape)
        for part, (some, _) in zip(layer.parts, shares, strict=True):
            if part.digital:
                self._digital(part, some, counts, own)
                covered = 1 - (1 - covered) * (1 - some)
        updated = self._home(active, covered, counts)
        lif = np.ceil(updated / max(1, layer.positions) / int(spec.digital.lif_lanes)) * int(spec.timing.lif_cycles)
        work = own + self.adding + lif
        busiest = np.maximum.reduce(list(port.values())) if port else np.zeros(shape)
        period = np.maximum(np.maximum(period, work), busiest)
        return Step(counts, active, period, late + work, busiest, updated)

    def _block(
        self, members: list[int], some: np.ndarray, shares: list[np.ndarray], counts: dict[str, Any]
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """(share of vectors not skipped, cycles of a PE, until the result, on the port) of equal row blocks."""
        spec, crossbar = self.spec, self.spec.crossbar
        number = members[0]
        block = self.layer.row_blocks[number]
        limit, domain, arrays, inside, weight = self.groups[number]
        rows = inside.sum(axis=1)[:, None]
        nothing = (1 - some) ** rows
        on = np.ones_like(nothing) if spec.zero_skip == "none" else 1 - nothing
        made, idle, read, slots, turn, total = (np.zeros_like(on) for _ in range(6))
        for p in shares:
            full = 1 - (1 - p[None, None, :]) ** inside[:, :, None]
            mean = p[None, None, :] * inside[:, :, None]
            if crossbar.row_policy == "pack":
                spread = (limit - 1) / (2 * limit)
                converted = np.where(mean < 0.5 * limit, full, np.maximum(full, mean / limit + spread * full))
                empty = np.zeros_like(full)
            elif crossbar.row_policy == "static_skip":
                converted, empty = full, np.zeros_like(full)
            else:
                alive = on[:, None, :]
                if spec.zero_skip == "array":
                    sizes = np.stack([inside[:, domain == d].sum(axis=1) for d in domain], axis=1)
                    alive = 1 - (1 - some[None, None, :]) ** sizes[:, :, None]
                converted, empty = full, np.maximum(alive - full, 0)
            both = converted + empty
            made, idle = made + converted.sum(axis=1), idle + empty.sum(axis=1)
            read, slots = read + mean.sum(axis=1), slots + (both * arrays[None, :, None]).sum(axis=1)
            total = total + both.sum(axis=1)
            by_domain = np.stack([both[:, domain == d].sum(axis=1) for d in np.unique(domain)])
            turn = turn + (by_domain.max(axis=0) if crossbar.kernel_merge == "private" else by_domain.sum(axis=0))
        per = weight[:, None]
        totals = [(per * table).sum(axis=0) for table in (on, made, idle, read, slots, total)]
        self._book(members, totals, float(weight.sum()), counts)
        mux = max(crossbar.mux_steps(c) for c in self.columns[number])
        tree = (len(block.arrays) - 1).bit_length() * spec.timing.accumulate_cycles
        tree = tree if crossbar.kernel_merge == "private" else 0
        spent = on * (spec.timing.shift_add_cycles + tree) + spec.check_cycles
        if crossbar.sample_hold:
            r, v = self.line + self.read + self.hold, mux * (self.mux + self.convert)
            occ = np.maximum(turn * max(r, v), spec.check_cycles)
            lat = spent + on * (r + v) + np.maximum(turn - on, 0) * max(r, v)
        else:
            occ = lat = spent + turn * (self.line + mux * (self.mux + self.read + self.convert))
        share = per / weight.sum()
        fetch = self._fetch(members, some, counts)
        return (share * on).sum(axis=0), (share * occ).sum(axis=0), (share * lat).sum(axis=0), fetch

    def _book(
        self, members: list[int], totals: list[np.ndarray], vectors: float, counts: dict[str, Any]
    ) -> None:
        """Adds the actions of row blocks that are alike per timestep, as the tile books them."""
        layer, spec, crossbar = self.layer, self.spec, self.spec.crossbar
        number, times = members[0], len(members)
        block = layer.row_blocks[number]
        part = layer.parts[block.part]
        on, made, idle, read, slots, total = totals
        columns = self.columns[number]
        steps = [crossbar.mux_steps(c) for c in columns]
        pes, used, muxed = len(columns), sum(columns), sum(steps)
        lines = read * part.rows_per_input
        wide = crossbar.conduct == "all" and not crossbar.sample_hold
        crossing = sum(c * m for c, m in zip(columns, steps, strict=True)) if wide else used
        groups = made + idle

        def add(action: str, amount: np.ndarray | float) -> None:
            counts[action] = counts.get(action, 0.0) + amount * times

        add("read:cell", lines * crossing)
        add("conduct:column", lines * used * spec.cell.mean_milli_us)
        add("slot:row", slots * crossbar.rows * (pes if crossbar.sample_hold else muxed))
        add("drive:row", lines * (muxed if crossbar.redrive_per_mux_step else pes))
        if crossbar.row_policy == "pack":
            add("select:row", groups * pes)
        add("read:column", groups * used)
        if crossbar.sample_hold:
            add("hold:column", groups * used)
        add("convert:column", made * used)
        add("convert_idle:column", idle * used)
        add("shift_add:partial_sum", groups * block.outputs * (part.slices - 1))
        if crossbar.signed != "differential_rows":
            add("subtract:partial_sum", groups * block.outputs)
        add("accumulate:partial_sum", np.maximum(total - on, 0) * block.outputs)
        if spec.zero_skip != "none":
            add("check:vector", vectors * pes + 0 * on)
        if layer.copies:
            sent = float(self.remote[:, members].mean())
            add("link:partial_sum", on * sent * spec.digital.psum_bits)

    def _fetch(self, members: list[int], some: np.ndarray, counts: dict[str, Any]) -> np.ndarray:
        """Mean cycles on the buffer port per vector; books the bits and the rows latched."""
        layer, buffer = self.layer, self.spec.buffer
        number = members[0]
        block = layer.row_blocks[number]
        part = layer.parts[block.part]
        _, _, _, inside, weight = self.groups[number]
        kept = self._kept(number)
        events = kept * inside.sum(axis=1)[:, None] * some
        filled = 1 - (1 - some) ** (kept * inside.sum(axis=1)[:, None])
        window = kept * block.rows
        if buffer.input_mode == "event":
            cycles, bits, rows = np.maximum(events, 1), events * buffer.address_bits, events
        else:
            size = window * len(part.planes)
            whole = np.ceil(size / buffer.port_bits)
            flags = filled if buffer.zero_flags else np.ones_like(filled)
            cycles, bits, rows = flags * whole + (1 - flags), flags * size, flags * window
        totals = [(weight[:, None] * table).sum(axis=0) for table in (cycles, bits, rows)]
        readers = float(self.readers[:, members].mean()) * len(members)
        counts["read:spike"] = counts.get("read:spike", 0.0) + totals[1] * readers
        latched = totals[2] * len(block.columns) * part.rows_per_input * len(members)
        counts["latch:row"] = counts.get("latch:row", 0.0) + latched
        found: np.ndarray = totals[0] / weight.sum()
        return found

    def _kept(self, number: int) -> float:
        """Share of a window that is fetched: with a line buffer, all of it at the start of a row, then what is new."""
        layer = self.layer
        part = layer.parts[layer.row_blocks[number].part]
        moved, width = part.stride[1] * layer.copies, part.kernel[1]
        if not self.spec.buffer.line_buffer or moved % part.dilation[1]:
            return 1.0
        fresh = min(1.0, moved // part.dilation[1] / width)
        first = min(1.0, layer.copies / max(1, layer.grid[1]))
        return first + (1 - first) * fresh

    def _digital(self, part: Any, some: np.ndarray, counts: dict[str, Any], own: np.ndarray) -> None:
        """One-to-one projections: fetched by the home, an add per event."""
        layer, buffer = self.layer, self.spec.buffer
        inputs = layer.outputs
        events = some * inputs
        if buffer.input_mode == "event":
            cycles, bits = np.maximum(events, 1), events * buffer.address_bits
        else:
            size = inputs * len(part.planes)
            filled = 1 - (1 - some) ** inputs if buffer.zero_flags else np.ones_like(some)
            cycles = filled * ceil_div(size, int(buffer.port_bits)) + (1 - filled)
            bits = filled * size
        own += cycles
        zero = np.zeros_like(some)
        counts["read:spike"] = counts.get("read:spike", zero) + bits * layer.positions
        counts["accumulate:partial_sum"] = counts.get("accumulate:partial_sum", zero) + events * layer.positions

    def _home(self, active: list[np.ndarray], covered: np.ndarray, counts: dict[str, Any]) -> np.ndarray:
        """Sums of row blocks and neuron updates; returns the neurons updated per timestep."""
        layer, spec = self.layer, self.spec
        zero = np.zeros_like(covered)
        partials = reached = touched = zero
        for block, on in zip(layer.row_blocks, active, strict=True):
            partials = partials + on * block.outputs
        for blocks, outputs in self.pieces:
            quiet = np.ones_like(zero)
            for number in blocks:
                quiet = quiet * (1 - active[number])
            reached = reached + outputs * (1 - quiet)
            touched = touched + outputs * (1 - quiet * (1 - covered))
        every = spec.digital.lif_mode == "all" or bool(np.any(layer.population.neuron.bias))
        updated: np.ndarray = layer.positions * (np.full_like(zero, layer.outputs) if every else touched)
        counts["accumulate:partial_sum"] = counts.get("accumulate:partial_sum", zero) + layer.positions * np.maximum(
            partials - reached, 0
        )
        copies = 2 if layer.population.neuron.model == "cuba_lif" else 1
        counts["update:state"] = updated
        for verb in ("read", "write"):
            counts[f"{verb}:state"] = updated * copies * spec.digital.membrane_bits
        return updated

    def _adding(self) -> int:
        """Cycles in which a home adds up the sums of a position: (N - 1) ceil(outputs / lanes) accumulate cycles."""
        lanes = int(self.spec.digital.accumulate_lanes)
        words = sum(ceil_div(block.outputs, lanes) for block in self.layer.row_blocks)
        every = ceil_div(self.layer.outputs, lanes)
        digital = sum(part.digital for part in self.layer.parts) * every
        return max(0, words + digital - every) * int(self.spec.timing.accumulate_cycles)

    def sent(self, p: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(bits of a position's spikes, cycles to write them, cycles on a link) for neurons that fire with `p`."""
        return position_bits(self.spec, self.layer.outputs, self.layer.population.neuron.stored_bits, p)


def position_bits(
    spec: Any, outputs: int, stored_bits: int, p: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(bits, cycles on a buffer port, cycles on a link between tiles) of the spikes of a position, means."""
    p = np.minimum(p, 1)
    if spec.buffer.input_mode == "event":
        bits = p * outputs * spec.buffer.address_bits
        return bits, np.maximum(p * outputs, 1), np.maximum(bits / spec.network.link_bits, 1)
    full = float(outputs * stored_bits)
    filled = 1 - (1 - p) ** outputs if spec.buffer.zero_flags else np.ones_like(p)
    cycles = [1 + filled * (np.ceil(full / width) - 1) for width in (spec.buffer.port_bits, spec.network.link_bits)]
    return filled * full, cycles[0], cycles[1]
