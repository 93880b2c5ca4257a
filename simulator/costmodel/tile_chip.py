"""Closed form of a bank of crossbar tiles: compiled once per Schedule, priced for any activity."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

import numpy as np

from simulator.costmodel.chip import Priced, Term
from simulator.costmodel.rates import Rates, Stream
from simulator.costmodel.tile_blocks import Blocks
from simulator.costmodel.tile_counts import TileCounts
from simulator.costmodel.tile_flow import Flow, Played
from simulator.costmodel.tile_homes import Homes, position_bits
from simulator.costmodel.tile_inputs import Inputs, Source
from simulator.costmodel.tile_ports import Ports
from simulator.costmodel.tile_rows import places
from simulator.costmodel.tile_times import DIGITAL, LAUNCH, PROGRAM, TERMS, Times
from simulator.kernels import tile_blocks as kernel
from simulator.kernels.tile_flow import PERIOD
from simulator.mapping.crossbar.check import check_crossbars
from simulator.mapping.crossbar.quirk import overlapped
from simulator.mapping.place import place
from simulator.units import PS_PER_SECOND


class TileChip:
    """All layers of a network on one `cim_tile` unit; see `chip.Chip`."""

    terms: tuple[Term, ...] = TERMS

    def __init__(
        self, schedule: Any, hardware: Any, network: Any, mapping: Any, actions: tuple[str, ...]
    ) -> None:
        chosen = place(network, hardware) if mapping is None else mapping
        self.plan = check_crossbars(chosen, network, hardware)
        self.schedule, self.hardware, self.network = schedule, hardware, network
        self.spec: Any = hardware.units[self.plan.unit]
        self.hertz = int(hardware.clocks[self.spec.clock])
        self.built: Mapping[str, Mapping[str, int]] = {self.plan.unit: self.plan.built}
        self.layers = [layer for layer in self.plan.layers.values() if not layer.omitted]
        self.streams: list[Stream] = []
        self._compile()
        row = {name: i for i, name in enumerate(schedule.layers)}
        self.rows = np.array([row[layer.layer] for layer in self.layers], np.int64)
        self.counts = TileCounts(self, schedule, actions, self.rows)
        host = next(i for i, name in enumerate(schedule.units) if hardware.units[name].type == "host")
        launch = hardware.units[schedule.units[host]]
        self.flowing = "overlap_75" not in self.spec.quirks
        self.tick = PS_PER_SECOND / self.hertz
        per_launch = launch.launch_cycles * PS_PER_SECOND / hardware.clocks[launch.clock] / self.tick
        self.launch = per_launch * (schedule.rows - schedule.prologue)
        self.prologue = per_launch * schedule.prologue

    def _compile(self) -> None:
        """Tables of all layers."""
        spec, network = self.spec, self.network
        everything = "no_activity" in spec.quirks
        index = {p.name: i for i, p in enumerate(network.populations)}
        projection = {p.name: i for i, p in enumerate(network.projections)}
        self.inputs = Inputs(everything)
        self.blocks, self.homes = Blocks(spec, self.hertz, self.inputs), Homes(spec, self.inputs)
        self.own, self.live = [], []
        for number, layer in enumerate(self.layers):
            first = int(layer.population.neuron.first_step)
            folded, found = self.blocks.integrates, places(layer, everything)
            sources: list[Source] = []
            for part in layer.parts:
                p = part.projection
                joined = p.pool is not None and p.pool.kind == "or"
                window = p.pool.size[0] * p.pool.size[1] if joined and p.pool is not None else 1
                stream = self._stream(index[p.source], p.delay, first, window)
                size = prod(part.shape) if joined else network.population(p.source).size
                source = self.inputs.source(stream, size, part, folded)
                if p.kind in ("conv", "depthwise") and not everything:
                    seen = self._stream(index[p.source], p.delay, first, seen=projection[p.name])
                    taps = [(int(at.inside[len(sources)].sum()), at.many) for at in found]
                    source = self.inputs.windowed(source, seen, part.shape[0], [pair for pair in taps if pair[0]])
                sources.append(source)
            own = self._stream(index[layer.layer], 0, first)
            self.own.append(own)
            self.live.append(self._stream(-1, 0, first))
            self.blocks.add(number, layer, sources, found)
            self.homes.add(layer, sources, self.inputs.source(own, layer.population.size, None), found)
        self.entering = [p for p in network.populations if p.is_input and self.plan.consumers[p.name]]
        self._enters = []
        for p in self.entering:
            source = self.inputs.source(self._stream(index[p.name], 0, 0), p.size, None)
            self._enters.append((self.inputs.set_of(source, p.shape[0]), source.some, p.shape[0],
                                 p.neuron.stored_bits, p.shape[1] * p.shape[2]))  # fmt: skip
        self.blocks.close()
        self.homes.close()
        self.inputs.close()
        far = [self.plan.leaves(layer.layer) for layer in self.layers]
        self.outside = np.array([sum(copies) / max(1, len(copies)) for copies in far])
        self.ports = Ports(spec, self.plan.tiles, self.layers, self.blocks, far, self.homes.places)
        self.times = Times(spec, self.layers, self.blocks, self.homes)
        self._flows()

    def _stream(self, population: int, delay: int, first: int, window: int = 1, seen: int = -1) -> int:
        key = Stream(population, delay, first, window, seen=seen)
        if key not in self.streams:
            self.streams.append(key)
        return self.streams.index(key)

    def _flows(self) -> None:
        """Streams that run side by side: all, or layer by layer with the inputs that enter for it."""
        depth, buffered = int(self.spec.buffer.psum_depth), int(self.spec.buffer.steps)
        groups = [(self.entering, self.layers)]
        if self.spec.pipeline == "after":
            there: set[str] = set()
            groups = []
            for layer in self.layers:
                names = {part.projection.source for part in layer.parts} - there
                there |= names
                groups.append(([p for p in self.entering if p.name in names], [layer]))
        number = {p.name: i for i, p in enumerate(self.entering)}
        number.update({layer.layer: len(number) + i for i, layer in enumerate(self.layers)})
        self.flows = [
            (
                np.array([*(number[p.name] for p in inputs), *(number[layer.layer] for layer in layers)], np.int64),
                Flow(self.network, self.plan, inputs, layers, depth, buffered),
            )
            for inputs, layers in groups
        ]

    def price(self, found: Rates, weights: np.ndarray) -> Priced:
        """A run at these rates, see `chip.Chip`."""
        seen = self.inputs.at(found)
        live = found.value[self.live] if self.layers else np.zeros((0, found.weight.size))
        totals, vectors = self.blocks.price(seen)
        home = self.homes.price(seen)
        positions = np.array([layer.positions for layer in self.layers], np.float64)
        on = totals[:, kernel.ACTIVE] / positions[[k.layer for k in self.blocks.kinds]][:, None]
        ports = self.ports.price(seen, on, vectors.on, home)
        enter, moved = self._entry(seen)
        counts = self.counts.price(found, live, totals, ports, home, moved)
        times = self.times.of(weights, vectors, home, ports, self.outside, enter)
        steps = round(float(found.weight.sum()))
        alive = np.concatenate([np.ones((len(self.entering), live.shape[1])), live]).T > 0
        start = self.counts.program_cycles * weights[PROGRAM] + self.prologue * weights[LAUNCH]
        one = self.launch * weights[LAUNCH]
        spans = np.full((len(self.entering) + len(self.layers), 2), -1.0)
        active = np.zeros(spans.shape[0])
        for of, flow in self.flows:
            mine = times[:, of]
            played = flow.run(mine, alive[:, of], steps) if self.flowing else self._overlapped(weights, mine, steps)
            spans[of] = np.where(played.span >= 0, played.span + one, -1)
            active[of] = played.active
            one += played.end
        tick, samples, number = self.tick, found.samples, len(self.entering)
        busy = np.zeros(len(self.schedule.layers))
        span = np.full((busy.size, 2), -1.0)
        mine = spans[number:]
        busy[self.rows] = np.maximum(mine[:, 1] - mine[:, 0], 0) * tick * samples
        there = mine[:, 1] >= 0
        last = start + (samples - 1) * one
        span[self.rows[there]] = np.stack([start + mine[there, 0], last + mine[there, 1]], axis=1) * tick
        self.counts.work(counts, active[number:] * samples)
        return Priced(counts, (start + one * samples) * tick, busy, span)

    def _overlapped(self, weights: np.ndarray, times: np.ndarray, steps: int) -> Played:
        """A sample under the quirk overlap_75; times as in `Flow.run`.

        Vectors of a fixed length are counted; without it a layer is one vector that takes all of its time.
        """
        work: list[tuple[float, float]] = []
        for number, layer in enumerate(self.layers):
            if "fixed_pe_cycle" in self.spec.quirks:
                outputs = layer.outputs if "latency_serial_cout" in self.spec.quirks else 1
                cycles = weights[DIGITAL] * int(self.spec.timing.pe_cycle_clocks) * steps
                work.append((layer.positions * outputs, cycles))
            else:
                each = times[np.arange(steps) % len(times), len(self.entering) + number, PERIOD]
                work.append((float(each.sum()) * layer.positions, 1.0))
        span = np.array([(0.0, 0.0)] * len(self.entering) + overlapped(work))
        return Played(float(span.max(initial=0)), span, span[:, 1] - span[:, 0])

    def _entry(self, seen: Any) -> tuple[np.ndarray, np.ndarray]:
        """(cycles per position on the chip's input port, bits per timestep) of the input populations, [inputs, U]."""
        sets, planes, channels, stored, positions = np.array(self._enters, np.int64).reshape(-1, 5).T
        quiet = seen.quiet(sets, planes)
        bits, _, _ = position_bits(self.spec, channels[:, None], stored[:, None], seen.share[planes], quiet)
        width = int(self.spec.network.input_port_bits)
        if self.spec.buffer.input_mode == "event":
            cycles = bits / width + np.exp(quiet)
        else:
            filled = -np.expm1(quiet) if self.spec.buffer.zero_flags else np.ones_like(quiet)
            cycles = 1 + filled * (np.ceil((channels * stored)[:, None] / width) - 1)
        moved = bits * positions[:, None]
        # Inputs share the port: a position of each waits for what the others bring meanwhile.
        total = (cycles * positions[:, None]).sum(axis=0)
        return np.maximum(cycles, total / positions[:, None]), moved
