"""Closed form of a bank of crossbar tiles: compiled once per Schedule, priced for any activity."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from simulator.costmodel.chip import Priced, Term
from simulator.costmodel.rates import Rates, Stream
from simulator.costmodel.tally import REPETITION, Tally
from simulator.costmodel.tile_flow import follow, run_flow
from simulator.costmodel.tile_vectors import LayerForm, Step, position_bits
from simulator.errors import InputError
from simulator.mapping.crossbar.check import check_crossbars
from simulator.mapping.place import place
from simulator.units import PS_PER_SECOND


class TileChip:
    """All layers of a network on one `cim_tile` unit; see `chip.Chip`.

    InputError where the unit follows quirks of published estimators, whose own closed forms these are, where its
    converter integrates, stops early, or programming is counted.
    """

    terms: tuple[Term, ...] = ()

    def __init__(
        self, schedule: Any, hardware: Any, network: Any, mapping: Any, actions: tuple[str, ...]
    ) -> None:
        chosen = place(network, hardware) if mapping is None else mapping
        self.plan = check_crossbars(chosen, network, hardware)
        self.schedule, self.hardware, self.network = schedule, hardware, network
        self.spec: Any = hardware.units[self.plan.unit]
        self._check()
        self.unit = schedule.units.index(self.plan.unit)
        self.hertz = int(hardware.clocks[self.spec.clock])
        self.built: Mapping[str, Mapping[str, int]] = {self.plan.unit: self.plan.built}
        self.layers = list(self.plan.layers.values())
        self.forms = [LayerForm(self.spec, self.hertz, layer) for layer in self.layers]
        signatures = [form.signature for form in self.forms]
        self.kinds = [signatures.index(signature) for signature in signatures]
        self.inputs = [p for p in network.populations if p.is_input and self.plan.consumers[p.name]]
        index = {p.name: i for i, p in enumerate(network.populations)}
        self.streams: list[Stream] = []
        self.arriving = [[self._stream(index[part.projection.source], part.projection.delay, layer)
                          for part in layer.parts] for layer in self.layers]  # fmt: skip
        self.own = [self._stream(index[layer.layer], 0, layer) for layer in self.layers]
        self.entering = [self._stream(index[p.name], 0, None) for p in self.inputs]
        self.live = [self._stream(-1, 0, layer) for layer in self.layers]
        self.tally = Tally(schedule.units, schedule.layers, actions)
        host = next(i for i, name in enumerate(schedule.units) if hardware.units[name].type == "host")
        self.tally.add(host, 0, "launch:task", REPETITION, schedule.rows)
        self.tally.close()
        launch = hardware.units[schedule.units[host]]
        self.launch = schedule.rows * launch.launch_cycles * PS_PER_SECOND / hardware.clocks[launch.clock]
        self._wire()

    def _check(self) -> None:
        spec = self.spec
        for key, found, allowed in (
            ("quirks", list(spec.quirks), []),
            ("adc.kind", spec.adc.kind, [] if spec.adc.kind != "integrate_steps" else ["a converter of fixed time"]),
            ("adc.early_stop", spec.adc.early_stop, [False]),
            ("write.count", spec.write.count, [False]),
        ):
            if (found and allowed != []) or (key == "quirks" and found):
                raise InputError(
                    "this setting has no closed form", key=f"units.{self.plan.unit}.{key}", found=found, allowed=allowed
                )

    def _stream(self, population: int, delay: int, layer: Any) -> int:
        first = 0 if layer is None else int(layer.population.neuron.first_step)
        key = Stream(population, delay, first)
        if key not in self.streams:
            self.streams.append(key)
        return self.streams.index(key)

    def _wire(self) -> None:
        """Who follows whom; which layers' spikes leave their tile."""
        names = [*(p.name for p in self.inputs), *(layer.layer for layer in self.layers)]
        number = {name: i for i, name in enumerate(names)}
        self.follows: list[list[Any]] = [[] for _ in self.inputs]
        self.readers: list[list[tuple[int, int]]] = [[] for _ in names]
        for layer in self.layers:
            mine = []
            for part in layer.parts:
                source = self.network.population(part.projection.source)
                raw = (source.shape[1], source.shape[2])
                made = self.plan.layers[source.name].grid if source.name in self.plan.layers else raw
                mine.append(follow(part, layer.grid, number[source.name], raw, made))
                self.readers[number[source.name]].append((number[layer.layer], part.projection.delay))
            self.follows.append(mine)
        self.outside = []
        for layer in self.layers:
            tiles = self._reading_tiles(layer.layer)
            far = [bool(tiles - {layer.home_tile(copy)}) for copy in range(layer.copies)]
            self.outside.append(sum(far) / max(1, len(far)))

    def _reading_tiles(self, name: str) -> set[int]:
        """Tiles in which somebody reads the spikes of a population."""
        found: set[int] = set()
        for reader, number in self.plan.consumers[name]:
            layer = self.plan.layers[reader]
            if layer.parts[number].digital:
                found.update(layer.home_tile(copy) for copy in range(layer.copies))
            found.update(lane.tile for lane in layer.lanes() if layer.row_blocks[lane.row_block].part == number)
        return found

    def price(self, found: Rates, weights: np.ndarray) -> Priced:
        """A run at these rates, see `chip.Chip`."""
        samples, weight = found.samples, found.weight
        counts = self.tally.counts(found.total, samples)
        where = {name: i for i, name in enumerate(self.schedule.layers)}
        mine = counts[self.unit]
        paces, late = self._entry(found, mine, where)
        active = []
        priced: dict[tuple[Any, ...], Step] = {}  # blocks that repeat are priced once
        for number, (form, layer) in enumerate(zip(self.forms, self.layers, strict=True)):
            row = mine[where[layer.layer]]
            live = found.value[self.live[number]]
            arriving = [found.value[s] for s in self.arriving[number]]
            key = self.kinds[number], *(p.tobytes() for p in arriving)
            if key not in priced:
                priced[key] = form.step(arriving)
            step = priced[key]
            for action, amount in step.counts.items():
                row[self._column(action)] += float((amount * live) @ weight) * samples
            fires = found.value[self.own[number]]
            bits, port, link = form.sent(fires)
            once = live @ weight * samples
            made = float((bits * live) @ weight) * samples * layer.positions
            row[self._column("write:spike")] += made
            row[self._column("link:spike")] += made * self.outside[number]
            row[self._column("fire:state")] += float(fires @ weight) * samples * layer.population.size
            period = np.maximum(np.maximum(step.period, step.port + port), link * self.outside[number])
            share = layer.positions / layer.copies
            paces.append(period * share * live)
            late.append(step.late + port + (link + self.spec.network.hop_cycles) * (self.outside[number] > 0))
            active.append(float(period @ (live * weight)) * share * samples if once else 0.0)
        for number, layer in enumerate(self.layers):
            mine[where[layer.layer], self._column("active:cycle")] += active[number]
        cycles, spans = self._times(np.array(paces), np.array(late), weight)
        tick = PS_PER_SECOND / self.hertz
        one = cycles * tick + self.launch
        busy = np.zeros(len(self.schedule.layers))
        span = np.full((busy.size, 2), -1.0)
        for layer, (first, last) in zip(self.layers, spans[len(self.inputs) :].tolist(), strict=True):
            n = where[layer.layer]
            busy[n] = (last - first) * tick * samples
            span[n] = self.launch + first * tick, (samples - 1) * one + self.launch + last * tick
        return Priced(counts, one * samples, busy, span)

    def _entry(
        self, found: Rates, mine: np.ndarray, where: dict[str, int]
    ) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Paces and delays of the input populations; books the bits that enter the chip at their first reader."""
        paces, late = [], []
        for population, stream in zip(self.inputs, self.entering, strict=True):
            p = found.value[stream]
            positions = population.shape[1] * population.shape[2]
            bits, _, _ = position_bits(self.spec, population.shape[0], population.neuron.stored_bits, p)
            reader = self.plan.consumers[population.name][0][0]
            moved = float(bits @ found.weight) * found.samples * positions
            mine[where[reader], self._column("link:spike")] += moved
            paces.append(np.maximum(np.ceil(bits / self.spec.network.input_port_bits), 1) * positions)
            late.append(np.full(p.shape, float(self.spec.network.hop_cycles)))
        return paces, late

    def _times(self, paces: np.ndarray, late: np.ndarray, weight: np.ndarray) -> tuple[float, np.ndarray]:
        """(cycles of a sample, span of each stream): all layers side by side, or one after another."""
        if self.spec.pipeline == "stream":
            return run_flow(paces, late, self.follows, self.readers, int(self.spec.buffer.steps), weight)
        each = paces @ weight + late[:, 0]
        each[: len(self.inputs)] = 0
        last = np.cumsum(each)
        return float(last[-1]), np.stack([last - each, last], axis=1)

    def _column(self, action: str) -> int:
        return self.tally.cell(0, 0, action)
