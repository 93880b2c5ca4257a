"""Assembly of a segment: the layers of some jobs, their vectors and their spikes, as the flow wants them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from simulator.components.cim_tile import traffic
from simulator.components.cim_tile.segment import Home, InputFlow, Lane, LayerFlow, Segment, Stream, Window
from simulator.mapping.crossbar import CrossbarLayer, CrossbarPlan
from simulator.mapping.crossbar.windows import needed
from simulator.network import Population
from simulator.units import ceil_div


@dataclass(frozen=True)
class Member:
    """A layer of a segment with its vectors (`vectors.Vectors`)."""

    layer: CrossbarLayer
    vectors: Any


@dataclass(frozen=True)
class Moved:
    """Bits that a population's spikes moved: into the buffer of its tile, over links; and the spikes themselves."""

    written: int
    linked: int
    spikes: int


class Assembly:
    """One segment in the making; `inputs` are the populations that enter the chip for it, t0 .. t1 its timesteps."""

    def __init__(
        self,
        spec: Any,
        plan: CrossbarPlan,
        work: Any,
        members: list[Member],
        inputs: list[Population],
        sample: int,
        t0: int,
        t1: int,
    ) -> None:
        self.spec, self.plan, self.work, self.members, self.inputs = spec, plan, work, members, inputs
        self.sample, self.t0, self.t1 = sample, t0, t1
        names = [*(p.name for p in inputs), *(m.layer.layer for m in members)]
        self.stream = {name: i for i, name in enumerate(names)}
        self.moved: dict[str, Moved] = {}

    def segment(self) -> Segment:
        """The segment; `moved` holds afterwards what each population moved."""
        spec, steps = self.spec, self.t1 - self.t0
        streams = [Stream(p.shape[1] * p.shape[2], 0) for p in self.inputs]
        for m in self.members:
            first = min(max(m.layer.population.neuron.first_step - self.t0, 0), steps)
            streams.append(Stream(m.layer.positions, first))
        inputs = tuple(self._input(p) for p in self.inputs)
        layers = tuple(self._layer(m) for m in self.members)
        lanes: list[Lane] = []
        homes: list[Home] = []
        for number, m in enumerate(self.members):
            self._actors(number, m.layer, lanes, homes)
        tiles = self.plan.tiles
        return Segment(
            steps=steps,
            depth=int(spec.buffer.psum_depth),
            hop=int(spec.network.hop_cycles),
            buffered=int(spec.buffer.steps),
            tiles=tiles,
            egresses=1 if spec.network.kind == "bus" else tiles,
            streams=tuple(streams),
            inputs=inputs,
            layers=layers,
            lanes=tuple(lanes),
            homes=tuple(homes),
            readers=tuple(self._readers(name) for name in self.stream),
        )

    def _readers(self, name: str) -> tuple[tuple[int, int], ...]:
        found = []
        for layer, part in self.plan.consumers[name]:
            if layer in self.stream:
                found.append((self.stream[layer], self.plan.layers[layer].parts[part].projection.delay))
        return tuple(found)

    def _input(self, population: Population) -> InputFlow:
        spec = self.spec
        grid = population.shape[1], population.shape[2]
        sent, spikes = traffic.events(self.work, population, grid, self.sample, self.t0, self.t1)
        moved = traffic.bits(spec, population, population.shape[0], sent)
        self.moved[population.name] = Moved(0, int(moved.sum()), spikes)
        return InputFlow(self.stream[population.name], traffic.link_cycles(moved, int(spec.network.input_port_bits)))

    def _layer(self, member: Member) -> LayerFlow:
        layer, v, spec = member.layer, member.vectors, self.spec
        serial = layer.outputs if "latency_serial_cout" in spec.quirks else 1
        vectors = np.stack((v.lat * serial, v.occ * serial, v.fetch, v.active), axis=-1).astype(np.int64)
        sent, spikes = traffic.events(self.work, layer.population, layer.grid, self.sample, self.t0, self.t1)
        moved = traffic.bits(spec, layer.population, layer.outputs, sent)
        far = np.array(self.plan.leaves(layer.layer))
        outside = far[np.arange(layer.positions) % layer.copies]
        lif = -(-v.updated.astype(np.int64) // int(spec.digital.lif_lanes)) * int(spec.timing.lif_cycles)
        homes = np.zeros((*sent.shape, 4), np.int64)
        homes[..., 0] = v.own_fetch
        homes[..., 1] = layer.added_words(int(spec.digital.accumulate_lanes)) * int(spec.timing.accumulate_cycles) + lif
        homes[..., 2] = traffic.port_cycles(spec, sent, moved)
        homes[..., 3] = np.where(outside, traffic.link_cycles(moved, int(spec.network.link_bits)), 0)
        first = max(layer.population.neuron.first_step - self.t0, 0)
        made = moved[first:]
        self.moved[layer.layer] = Moved(int(made.sum()), int(made[:, outside].sum()), spikes)
        return LayerFlow(self.stream[layer.layer], layer.copies, vectors, homes)

    def _actors(self, number: int, layer: CrossbarLayer, lanes: list[Lane], homes: list[Home]) -> None:
        windows = [self._window(layer, part) for part in range(len(layer.parts))]
        own = tuple(w for w, part in zip(windows, layer.parts, strict=True) if part.digital and w is not None)
        for copy in range(layer.copies):
            home, tile = len(homes), layer.home_tile(copy)
            homes.append(Home(number, copy, tile, own))
            for lane in layer.lane_tiles(copy):
                sums = lane.outputs * int(self.spec.digital.psum_bits)
                send = 0 if lane.tile == tile else ceil_div(sums, int(self.spec.network.link_bits))
                window = windows[layer.row_blocks[lane.row_block].part]
                lanes.append(Lane(number, copy, lane.row_block, lane.tile, home, send, window))

    def _window(self, layer: CrossbarLayer, number: int) -> Window | None:
        """The window of one part, or None where its source was there before the segment."""
        part = layer.parts[number]
        p = part.projection
        if p.source not in self.stream:
            return None
        source = self.work.network.population(p.source)
        made = self.plan.layers.get(p.source)
        grid = (source.shape[1], source.shape[2]) if made is None else made.grid
        return Window(self.stream[p.source], p.delay, needed(part, layer.grid, source, grid))
