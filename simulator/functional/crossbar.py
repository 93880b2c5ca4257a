"""Networks on crossbars, function only: spikes as the tile's arrays, devices and converters make them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from simulator.errors import InputError
from simulator.functional.complete import complete_trace
from simulator.functional.counts import Counts
from simulator.functional.crossbar_adc import (
    WIDE_BINS,
    Converter,
    Tally,
    converter,
    lossless,
    seen_full_scale,
)
from simulator.functional.crossbar_layer import ArrayLayer
from simulator.functional.plan import Layer, Plan, plan_network
from simulator.functional.run import check_inputs
from simulator.functional.stepper import SILENT, Stepper
from simulator.functional.synapses import UNIT, SpikeList
from simulator.hardware.cim.device import Device
from simulator.mapping.crossbar import CrossbarPlan
from simulator.network import Network
from simulator.network.geometry import fan_out
from simulator.trace import Block, Events, MemorySpikes, StepSpikesBuilder, Trace

Facts = dict[str, dict[str, int | list[int]]]


@dataclass(frozen=True)
class CrossbarRun:
    """trace of all populations; totals; membranes of the last sample; per layer what its converters saw."""

    trace: Trace
    counts: Counts
    membranes: dict[str, np.ndarray]
    facts: Facts


class Crossbars:
    """The arrays of all layers, programmed once, with their converters and tallies."""

    def __init__(self, network: Network, spec: Any, plan: CrossbarPlan, seed: int) -> None:
        if network.arithmetic != "int":
            raise InputError("crossbars hold integer weights", key=f"network {network.name}: arithmetic", found="float")
        if not isinstance(seed, int) or seed < 0:
            raise InputError("a seed is a whole number >= 0", key="seed", found=seed)
        self.network = network
        self.device: Device = spec.device or Device()
        self.psum_bits = int(spec.digital.psum_bits)
        self.fan_outs: dict[str, np.ndarray] = {}
        self.layers: dict[str, ArrayLayer] = {}
        for number, (name, layer) in enumerate(plan.layers.items()):
            population = network.population(name)
            if layer.omitted or layer.positions * layer.outputs != population.size:
                raise InputError(
                    "a quirk leaves out this layer or some of its positions, so its spikes cannot be computed",
                    key=f"layer {name}",
                    found=list(spec.quirks),
                    allowed="replay of recorded spikes without a device, or no quirks",
                )
            self.layers[name] = ArrayLayer(number, layer, spec, self.device, seed)
            for p in network.incoming(name):
                reached = fan_out(p, network.population(p.source), population)
                self.fan_outs[p.name] = reached.transpose(1, 2, 0).reshape(-1)
        granular, bits = self.device.adc_range == "granular", int(spec.adc.bits)
        self._bits = bits
        self.use({name: converter(bits, a.full_scale, a.signed, granular) for name, a in self.layers.items()})

    def use(self, converters: dict[str, Converter], most_bins: int | None = None) -> None:
        """Exchanges the converters; counting begins anew."""
        bins = {} if most_bins is None else {"most_bins": most_bins}
        self.tallies = {name: Tally(found, **bins) for name, found in converters.items()}

    def measure(self) -> None:
        """Lossless converters, to see which sums occur."""
        self.use({name: lossless(a.full_scale, a.signed) for name, a in self.layers.items()}, WIDE_BINS)

    def calibrate(self) -> None:
        """Converters whose full scale is the device's percentile of the sums seen since `measure`."""
        share = self.device.adc_percentile
        self.use(
            {
                name: converter(self._bits, seen_full_scale(self.tallies[name], share), layer.signed)
                for name, layer in self.layers.items()
            }
        )

    def deliver(self, layer: Layer, arriving: list[SpikeList], key: tuple[int, int], acc: np.ndarray) -> list[int]:
        """Adds one timestep's sums to `acc` int64 [N]; returns the synaptic operations per projection.

        `key` is (sample, timestep).  Before its first step a layer reads nothing; what arrives is lost, but counted.
        """
        arrays, tally = self.layers[layer.name], self.tallies[layer.name]
        started = key[1] >= layer.soma.population.neuron.first_step
        operations = []
        for number, (synapses, (index, value)) in enumerate(zip(layer.incoming, arriving, strict=True)):
            reached = self.fan_outs[synapses.projection.name][index]
            operations.append(int((reached * np.abs(value.astype(np.int64)) if value.size else reached).sum()))
            if index.size == 0 or not started:
                continue
            if arrays.layer.parts[number].digital:
                own = np.zeros_like(acc) if synapses.area > 1 else acc
                synapses.scatter((index, value), own)
            else:
                own = arrays.sums(number, arrays.values(number, index, value), tally, self.psum_bits, key)
            if synapses.area > 1:
                own = own >> (synapses.area.bit_length() - 1)
            if own is not acc:
                acc += own
        return operations

    def run(self, inputs: Trace) -> CrossbarRun:
        """Runs the neurons from the input populations' spikes; see `run_on_crossbars`."""

        def complete(trace: Trace) -> tuple[Trace, Counts, dict[str, np.ndarray]]:
            return complete_trace(self.network, trace, stepper_of=lambda p, sample: CrossbarStepper(p, self, sample))

        self._calibrated(inputs, complete)
        trace, counts, membranes = complete(inputs)
        return CrossbarRun(trace, counts, membranes, self._facts())

    def convert(self, trace: Trace) -> Facts:
        """Drives every layer with the spikes recorded of its sources; see `convert_recorded`."""
        plan = plan_network(self.network)
        check_inputs(plan, trace)
        self._calibrated(trace, lambda part: _replay(plan, part, self))
        _replay(plan, trace, self)
        return self._facts()

    def _calibrated(self, trace: Trace, run: Callable[[Trace], object]) -> None:
        """Fresh tallies; where the device asks for it, converters ranged by what `run` makes of the first samples."""
        if self.device.adc_range != "calibrated":
            self.use({name: tally.converter for name, tally in self.tallies.items()})
            return
        self.measure()
        run(first_samples(trace, self.device.calibration_samples))
        self.calibrate()

    def _facts(self) -> Facts:
        """What the converters of each layer saw."""
        return {name: tally.facts() for name, tally in self.tallies.items()}


class CrossbarStepper(Stepper):
    """One sample, timestep by timestep, with the sums of crossbars."""

    def __init__(self, plan: Plan, crossbars: Crossbars, sample: int) -> None:
        super().__init__(plan)
        self.crossbars, self.sample = crossbars, sample

    def deliver(self, layer: Layer, arriving: list[SpikeList], t: int) -> np.ndarray:
        """The layer's sums of timestep t, as the converters give them."""
        self._accumulator(layer, arriving, self.states[layer.name])  # refuses what int64 may not hold
        acc = self.states[layer.name].wide()
        found = self.crossbars.deliver(layer, arriving, (self.sample, t), acc)
        for synapses, operations in zip(layer.incoming, found, strict=True):
            self.counts.synaptic_operations[synapses.projection.name] += operations
        return acc


def run_on_crossbars(network: Network, inputs: Trace, spec: Any, plan: CrossbarPlan, seed: int = 0) -> CrossbarRun:
    """Runs a network's neurons from its input spikes on the arrays that `plan` says, with the devices of `spec`.

    `spec` is a `cim_tile`; without `device:` its cells are ideal.  With ideal cells and a converter that loses nothing
    the spikes are those of `run_network`.  The same seed gives the same cells, reads and spikes, whatever runs beside.
    Raises InputError where the network is not of integers, has no weights, or a value or weight does not fit.
    """
    return Crossbars(network, spec, plan, seed).run(inputs)


def convert_recorded(network: Network, trace: Trace, spec: Any, plan: CrossbarPlan, seed: int = 0) -> Facts:
    """What the converters see of recorded spikes, layer by layer; the trace holds every population."""
    return Crossbars(network, spec, plan, seed).convert(trace)


def _replay(plan: Plan, trace: Trace, crossbars: Crossbars) -> None:
    """Drives every layer with the spikes recorded of its sources."""
    for sample in range(trace.samples):
        steps = int(trace.steps[sample])
        blocks = {p.name: trace.spikes(p.name).block(sample, 0, steps) for p in plan.network.populations}
        for layer in plan.layers:
            acc = np.zeros(layer.soma.population.size, np.int64)
            for t in range(steps):
                sent = [_sent(blocks[s.projection.source], t - s.projection.delay) for s in layer.incoming]
                arriving = [s.pooled(spikes) for s, spikes in zip(layer.incoming, sent, strict=True)]
                crossbars.deliver(layer, arriving, (sample, t), acc)
                acc[:] = 0


def _sent(block: Block, t: int) -> SpikeList:
    """Spikes of timestep t; none before the start."""
    if t < 0:
        return SILENT
    index, value = block.step(t)
    return index, UNIT if value is None else value


def first_samples(trace: Trace, count: int) -> Trace:
    """The first `count` samples of a trace (all, where it has fewer)."""
    steps = trace.steps[:count]
    populations: dict[str, MemorySpikes | Events] = {}
    for name in trace.populations:
        builder = StepSpikesBuilder()
        for sample, length in enumerate(steps.tolist()):
            builder.begin_sample()
            builder.add_block(trace.spikes(name).block(sample, 0, length))
        populations[name] = builder.build()
    labels = None if trace.labels is None else trace.labels[:count]
    return replace(trace, steps=steps, populations=populations, labels=labels)
