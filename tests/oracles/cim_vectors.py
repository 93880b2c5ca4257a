"""Vectors of crossbar layers from sets of active rows: one wordline, one group, one mux step at a time.

The same definition as `simulator/kernels/cim_vectors.py` and `simulator/mapping/crossbar/booking.py`, with
nothing summed up beforehand.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import product


@dataclass
class OracleVectors:
    """Per (timestep, position, row block): lat, occ, fetch, active; per (timestep, position): updated, own_fetch."""

    lat: dict = field(default_factory=dict)
    occ: dict = field(default_factory=dict)
    fetch: dict = field(default_factory=dict)
    active: dict = field(default_factory=dict)
    updated: dict = field(default_factory=dict)
    own_fetch: dict = field(default_factory=dict)
    counts: Counter = field(default_factory=Counter)
    synaptic: int = 0
    most_rows: int = 0
    clip_possible: int = 0


@dataclass(frozen=True)
class Wire:
    """One input of a row block: its array, its tap and its channel."""

    array: int
    tap: tuple[int, int]
    channel: int


def pooled_inputs(part, source, spikes) -> tuple[dict, dict]:
    """(value, magnitude) by (y, x, channel) of the pooled source for spikes [(flat index, value)]."""
    channels, _, width = source.shape
    _, rows, cols = part.shape
    pool = part.projection.pool
    size, stride = (pool.size, pool.stride) if pool else ((1, 1), (1, 1))
    value, magnitude = defaultdict(int), defaultdict(int)
    for index, v in spikes:
        if v == 0:
            continue
        y, x, c = index // channels // width, index // channels % width, index % channels
        for py, px in product(range(rows), range(cols)):
            if 0 <= y - py * stride[0] < size[0] and 0 <= x - px * stride[1] < size[1]:
                if pool and pool.kind == "or":
                    value[py, px, c] = magnitude[py, px, c] = 1
                else:
                    value[py, px, c] += v
                    magnitude[py, px, c] += abs(v)
    return value, magnitude


def wires_of(block, part) -> list[Wire]:
    """All inputs of a block in wordline order."""
    return [
        Wire(array, divmod(s.tap, part.kernel[1]), c)
        for array, segments in enumerate(block.arrays)
        for s in segments
        for c in range(s.c0, s.c1)
    ]


def place_of(part, tap, y, x) -> tuple[int, int]:
    """Where a tap of the window of output (y, x) lies in the pooled map, or outside of it."""
    return tuple(at * part.stride[i] + tap[i] * part.dilation[i] - part.padding[i] for i, at in enumerate((y, x)))


def phases_of(spec, bits: int) -> tuple[int, int, int]:
    """Integration steps, conversion steps and phases of a NeuRRAM converter for inputs of `bits` magnitude bits."""
    phases = [bits]
    if bits > 3 and spec.adc.phases == "two_phase":
        phases = [bits - bits // 2, bits // 2]
    integrate = convert = done = 0
    for p in phases:
        integrate += 2**p - 1
        convert += max(spec.adc.bits - done, 0)
        done += p
    return integrate, convert, len(phases)


class Oracle:
    """Vectors of one layer; `run` takes them all."""

    def __init__(self, spec, clock_hz, layer, network, spikes) -> None:
        self.spec, self.clock_hz, self.layer, self.network, self.spikes = spec, clock_hz, layer, network, spikes
        self.found = OracleVectors()
        pe = layer.first_pe
        self.pes = defaultdict(list)  # (copy, block) -> [(tile, first output, end output, columns)]
        for copy in range(layer.copies):
            for number, block in enumerate(layer.row_blocks):
                for column, (o0, o1) in enumerate(block.columns):
                    self.pes[copy, number].append((pe // layer.pes_per_tile, o0, o1, layer.columns_of(number, column)))
                    pe += 1

    def cycles(self, ps: int) -> int:
        return -(-ps * self.clock_hz // 10**12)

    def run(self, t0: int, t1: int) -> OracleVectors:
        found, layer, spec = self.found, self.layer, self.spec
        for t in range(max(t0, layer.population.neuron.first_step), t1):
            parts = []
            for part in layer.parts:
                source = self.network.population(part.projection.source)
                parts.append(
                    pooled_inputs(part, source, self.spikes(part.projection.source, t - part.projection.delay))
                )
            for p in range(layer.positions):
                arrived = set()
                y, x = divmod(p, layer.grid[1])
                for number, block in enumerate(layer.row_blocks):
                    if self.vector(t, p, y, x, number, block, *parts[block.part]):
                        for copy_tile, o0, o1, _ in self.pes[p % layer.copies, number]:
                            for o in range(o0, o1):
                                found.counts["accumulate:partial_sum"] += o in arrived
                            arrived.update(range(o0, o1))
                            if copy_tile != layer.home_tile(p % layer.copies):
                                found.counts["link:partial_sum"] += (o1 - o0) * spec.digital.psum_bits
                found.own_fetch[t, p] = 0
                for part, (value, _) in zip(layer.parts, parts, strict=True):
                    if part.digital:
                        arrived |= self.digital(t, p, y, x, part, value)
                every = spec.digital.lif_mode == "all" or any(b != 0 for b in layer.population.neuron.bias)
                updated = layer.outputs if every else len(arrived)
                found.updated[t, p] = updated
                found.counts["update:state"] += updated
                words = 2 if layer.population.neuron.model == "cuba_lif" else 1
                for verb in ("read:state", "write:state"):
                    found.counts[verb] += updated * words * spec.digital.membrane_bits
            for part, (_, magnitude) in zip(layer.parts, parts, strict=True):
                self.operations(part, magnitude)
        return found

    def digital(self, t, p, y, x, part, value) -> set:
        """Rows of a one-to-one projection that a home fetches and adds."""
        c, _, w = part.shape
        if self.layer.grid == (1, 1):
            on = {(r * w + s) * c + k for (r, s, k), v in value.items() if v}
            rows = part.shape[0] * part.shape[1] * w
        else:
            on = {k for (r, s, k), v in value.items() if v and (r, s) == (y, x)}
            rows = c
        buffer = self.spec.buffer
        bits = len(on) * buffer.address_bits if buffer.input_mode == "event" else rows * len(part.planes)
        cycles = max(1, len(on)) if buffer.input_mode == "event" else -(-bits // buffer.port_bits)
        if buffer.input_mode == "bitmap" and buffer.zero_flags and not on:
            bits, cycles = 0, 1
        self.found.own_fetch[t, p] += cycles
        self.found.counts["read:spike"] += bits
        self.found.counts["accumulate:partial_sum"] += len(on)
        return on

    def operations(self, part, magnitude) -> None:
        """Synaptic operations: every synapse of every event."""
        p, target = part.projection, self.layer.population
        for (y, x, c), n in magnitude.items():
            if p.kind == "linear":
                reach = target.size
            elif p.kind == "sparse":
                flat = (y * part.shape[2] + x) * part.shape[0] + c
                reach = int(p.indptr[flat + 1] - p.indptr[flat])
            elif p.kind == "one_to_one":
                reach = 1
            else:
                reach = sum(
                    place_of(part, tap, oy, ox) == (y, x)
                    for tap in product(range(part.kernel[0]), range(part.kernel[1]))
                    for oy, ox in product(range(target.shape[1]), range(target.shape[2]))
                )
                reach *= 1 if p.kind == "depthwise" else target.shape[0] // p.groups
            self.found.synaptic += n * reach

    def vector(self, t, p, y, x, number, block, value, magnitude) -> bool:
        """One vector: fetch, zero test, groups; True where it is not skipped."""
        spec, layer, found, counts = self.spec, self.layer, self.found, self.found.counts
        part = layer.parts[block.part]
        pes = self.pes[p % layer.copies, number]
        wires = wires_of(block, part)
        values = [value.get((*place_of(part, w.tap, y, x), w.channel), 0) for w in wires]
        key = t, p, number
        self.fetch(key, y, x, part, wires, values, pes)
        if spec.zero_skip != "none":
            counts["check:vector"] += len(pes)
        if spec.zero_skip != "none" and not any(values):
            found.lat[key] = found.occ[key] = spec.check_cycles
            found.active[key] = 0
            return False
        found.active[key] = 1
        merged = spec.crossbar.kernel_merge == "analog"
        domains = [list(range(len(wires)))] if merged else [
            [i for i, w in enumerate(wires) if w.array == a] for a in range(len(block.arrays))
        ]  # fmt: skip
        if spec.zero_skip == "array":
            domains = [d for d in domains if any(values[i] for i in d)]
        if spec.adc.kind == "integrate_steps":
            passes = [[v != 0 for v in values]]
        else:
            passes = [[v * sign > 0 and abs(v) >> bit & 1 for v in values] for sign, bit in part.planes]
        total, durations = 0, []
        for on in passes:
            by_domain = [self.groups(d, on, wires, part) for d in domains]
            for groups in by_domain:
                for rows, arrays in groups:
                    self.convert(part, rows, arrays, pes)
                total += len(groups)
            timed = [[self.group_cycles(part, rows, pes) for rows, _ in groups] for groups in by_domain]
            if spec.crossbar.kernel_merge == "private":
                durations += max(timed, key=sum, default=[])
            else:
                durations += [d for groups in timed for d in groups]
        counts["accumulate:partial_sum"] += max(total - 1, 0) * sum(o1 - o0 for _, o0, o1, _ in pes)
        self.time(key, durations, block, pes)
        return True

    def fetch(self, key, y, x, part, wires, values, pes) -> None:
        """Rows that come from the tile's buffer, once per tile, into the latches of every processing element."""
        spec, layer = self.spec, self.layer
        before = set()
        if spec.buffer.line_buffer and x >= layer.copies:
            taps = product(range(part.kernel[0]), range(part.kernel[1]))
            before = {place_of(part, tap, y, x - layer.copies) for tap in taps}
        fetched = [v for w, v in zip(wires, values, strict=True) if place_of(part, w.tap, y, x) not in before]
        if spec.buffer.input_mode == "event":
            rows = sum(v != 0 for v in fetched)
            bits, cycles = rows * spec.buffer.address_bits, max(1, rows)
        else:
            rows = len(fetched)
            bits = rows * len(part.planes)
            cycles = -(-bits // spec.buffer.port_bits)
            if spec.buffer.zero_flags and not any(v != 0 for v in fetched):
                rows, bits, cycles = 0, 0, 1
        self.found.fetch[key] = cycles
        self.found.counts["read:spike"] += bits * len({tile for tile, *_ in pes})
        self.found.counts["latch:row"] += rows * part.rows_per_input * len(pes)

    def groups(self, domain, on, wires, part) -> list[tuple[int, int]]:
        """(active inputs, arrays read) of each group of a domain that is converted."""
        spec = self.spec
        limit = max(1, spec.crossbar.rows_parallel // part.rows_per_input)
        arrays = len({wires[i].array for i in domain})
        if spec.crossbar.row_policy == "pack":
            active = [i for i in domain if on[i]]
            return [(len(active[k : k + limit]), arrays) for k in range(0, len(active), limit)]
        found = []
        for k in range(0, len(domain), limit):
            group = domain[k : k + limit]
            rows = sum(bool(on[i]) for i in group)
            if rows or spec.crossbar.row_policy == "static":
                found.append((rows, len({wires[i].array for i in group})))
        return found

    def convert(self, part, rows, arrays, pes) -> None:
        """Everything that one group counts, processing element by processing element, mux step by mux step."""
        spec, counts = self.spec, self.found.counts
        crossbar, lines = spec.crossbar, part.rows_per_input
        adcs = -(-crossbar.columns // crossbar.mux_ratio)
        bits = len({bit for _, bit in part.planes})
        integrating = spec.adc.kind == "integrate_steps"
        self.found.most_rows = max(self.found.most_rows, rows)
        for _, o0, o1, columns in pes:
            signs = 1 if crossbar.signed == "differential_rows" else 0
            if rows * (2**crossbar.cell_bits - 1) > 2 ** (spec.adc.bits - signs) - 1:
                self.found.clip_possible += columns
            if crossbar.row_policy == "pack":
                counts["select:row"] += 1
            counts["shift_add:partial_sum"] += (o1 - o0) * (part.slices - 1)
            if crossbar.signed != "differential_rows":
                counts["subtract:partial_sum"] += o1 - o0
            if crossbar.sample_hold:
                counts["hold:column"] += columns
            if integrating:
                integrate, steps, _ = phases_of(spec, bits)
                counts["slot:row"] += arrays * crossbar.rows * bits
                counts["drive:row"] += rows * lines * bits
                counts["read:column"] += columns
                counts["convert:column" if rows else "convert_idle:column"] += columns
                counts["integrate:column"] += columns * integrate
                counts["sample:column"] += columns * bits
                counts["step:column"] += columns * steps
                counts["shift_add:partial_sum"] += columns * steps
                continue
            for step, first in enumerate(range(0, columns, adcs)):
                selected = min(adcs, columns - first)
                if not crossbar.sample_hold or step == 0:
                    counts["slot:row"] += arrays * crossbar.rows
                if crossbar.redrive_per_mux_step or step == 0:
                    counts["drive:row"] += rows * lines
                wide = crossbar.conduct == "all" and not crossbar.sample_hold
                counts["read:cell"] += rows * lines * (columns if wide else selected)
                counts["conduct:column"] += rows * lines * selected * spec.cell.mean_milli_us
                counts["read:column"] += selected
                counts["convert:column" if rows else "convert_idle:column"] += selected

    def group_cycles(self, part, rows, pes) -> int:
        """Cycles of a group without sample and hold; the widest processing element sets the pace of all."""
        spec = self.spec
        timing, crossbar = spec.timing, spec.crossbar
        wordline = self.cycles(timing.wordline_ps)
        select = crossbar.select_cycles if crossbar.row_policy == "pack" else 0
        if spec.adc.kind == "integrate_steps":
            integrate, steps, phases = phases_of(spec, len({bit for _, bit in part.planes}))
            times = spec.adc.steps
            return select + self.cycles(integrate * times.integrate_ps + steps * times.adc_ps + phases * times.phase_ps)
        adcs = -(-crossbar.columns // crossbar.mux_ratio)
        steps = max(-(-columns // adcs) for *_, columns in pes)
        bits = spec.adc.bits
        if spec.adc.early_stop:
            bits = min(bits, next(b for b in range(64) if 2**b >= rows * (2**crossbar.cell_bits - 1) + 1))
        step = self.cycles(timing.mux_ps) + self.cycles(timing.read_ps) + self.cycles(spec.convert_ps(bits))
        return select + wordline + steps * step

    def time(self, key, durations, block, pes) -> None:
        """Cycles of a vector: groups one after another, or reading while the columns held before are converted."""
        spec, timing = self.spec, self.spec.timing
        tree = 0
        if spec.crossbar.kernel_merge == "private":
            while 2**tree < len(block.arrays):
                tree += 1
            tree *= timing.accumulate_cycles
        start = spec.check_cycles
        lat = occ = start + sum(durations) + timing.shift_add_cycles + (tree if durations else 0)
        if spec.crossbar.sample_hold and spec.adc.kind != "integrate_steps" and durations:
            adcs = -(-spec.crossbar.columns // spec.crossbar.mux_ratio)
            steps = max(-(-columns // adcs) for *_, columns in pes)
            select = spec.crossbar.select_cycles if spec.crossbar.row_policy == "pack" else 0
            read = select + sum(self.cycles(ps) for ps in (timing.wordline_ps, timing.read_ps, timing.hold_ps))
            convert = steps * (self.cycles(timing.mux_ps) + self.cycles(spec.convert_ps(spec.adc.bits)))
            reading = converting = start
            for _ in durations:  # a read begins when the converters took over the columns held before
                reading += read
                converting = max(reading, converting) + convert
                reading = converting - convert
            lat = converting + timing.shift_add_cycles + tree
            occ = max(len(durations) * max(read, convert), start)
        self.found.lat[key], self.found.occ[key] = lat, occ
