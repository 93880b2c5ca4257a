"""Runs one sample timestep by timestep, a chunk of timesteps per call, with state carried from chunk to chunk."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from itertools import pairwise

import numpy as np

from simulator.errors import InputError
from simulator.functional.counts import Counts
from simulator.functional.plan import Layer, Plan
from simulator.functional.soma import State
from simulator.functional.synapses import UNIT, SpikeList
from simulator.trace.spikes import Block

SILENT: SpikeList = (np.empty(0, np.uint32), UNIT)


class Stepper:
    """State of one sample between chunks: membranes, spikes under way in delays, the timestep, and counts."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.step = 0
        self.counts = Counts.zero(plan.network)
        self.states: dict[str, State] = {layer.name: layer.soma.new_state() for layer in plan.layers}
        self._past: dict[str, deque[SpikeList]] = {
            name: deque([SILENT] * depth, maxlen=depth) for name, depth in plan.history.items() if depth
        }

    def advance(self, inputs: Mapping[str, Block], steps: int) -> dict[str, Block]:
        """Runs the next `steps` timesteps; `inputs` holds their spikes for every input population.

        Returns the spikes of all populations in the same timesteps.  A group without recurrence runs layer by layer
        over all of them, a recurrent one timestep by timestep; memory is that of one chunk.
        """
        made: dict[str, list[SpikeList]] = {}
        for name in self.plan.network.inputs:
            made[name] = _input_steps(self.plan, name, inputs, steps)
        for group in self.plan.groups:
            for layer in group:
                made[layer.name] = []
            if len(group) == 1:
                for i in range(steps):
                    self._layer_step(group[0], i, made)
            else:
                for i in range(steps):
                    for layer in group:
                        self._layer_step(layer, i, made)
        for name, past in self._past.items():
            past.extend(made[name])
        self.step += steps
        return {
            name: inputs[name] if name in self.plan.network.inputs else _block(made[name])
            for name in (p.name for p in self.plan.network.populations)
        }

    def _layer_step(self, layer: Layer, i: int, made: dict[str, list[SpikeList]]) -> None:
        """Timestep `i` of the chunk of one layer: deliver what arrives, update, append what is sent."""
        t = self.step + i
        neuron = layer.soma.population.neuron
        state = self.states[layer.name]
        if t in neuron.reset_steps:
            layer.soma.reset(state)
        arriving = [s.pooled(self._sent(s.projection.source, i - s.projection.delay, made)) for s in layer.incoming]
        acc = self.deliver(layer, arriving, t)
        if t < neuron.first_step:
            acc[:] = 0
            made[layer.name].append(SILENT)
            return
        sent, clamped = layer.soma.step(state, acc)
        made[layer.name].append(sent)
        self.counts.neuron_updates[layer.name] += layer.soma.population.size
        self.counts.saturations[layer.name] += int(clamped)

    def deliver(self, layer: Layer, arriving: list[SpikeList], t: int) -> np.ndarray:
        """The layer's accumulator [N] with the sums of the (pooled) spikes that arrive in timestep t."""
        acc = self._accumulator(layer, arriving, self.states[layer.name])
        for synapses, spikes in zip(layer.incoming, arriving, strict=True):
            if spikes[0].size == 0:
                continue
            if synapses.area == 1:
                operations = synapses.scatter(spikes, acc)
            else:
                own = np.zeros_like(acc)
                operations = synapses.scatter(spikes, own)
                acc += own >> (synapses.area.bit_length() - 1) if layer.soma.integer else own / synapses.area
            self.counts.synaptic_operations[synapses.projection.name] += int(operations)
        return acc

    def _sent(self, source: str, i: int, made: dict[str, list[SpikeList]]) -> SpikeList:
        """Spikes of `source` in timestep `i` relative to the chunk; before the chunk they are in its past."""
        return made[source][i] if i >= 0 else self._past[source][i]

    def _accumulator(self, layer: Layer, arriving: list[SpikeList], state: State) -> np.ndarray:
        """int32 where no sum of this timestep can overflow it, int64 otherwise; float networks have one only."""
        if not layer.soma.integer:
            return state.acc
        bound = sum(s.bound(spikes) for s, spikes in zip(layer.incoming, arriving, strict=True))
        if bound < 2**31:
            return state.acc
        if bound << layer.soma.population.neuron.weight_shift >= 2**60:
            raise InputError(
                f"the sums of timestep {self.step} may exceed exact 64-bit arithmetic",
                key=f"population {layer.name}",
                found=bound,
                allowed="weights times values below 2**60",
            )
        return state.wide()


def _input_steps(plan: Plan, name: str, inputs: Mapping[str, Block], steps: int) -> list[SpikeList]:
    """The input's spikes by timestep, checked: kernels rely on every index being inside."""
    if name not in inputs:
        raise InputError(
            "the input spikes do not hold this input population", key=f"population {name}", found=list(inputs)
        )
    block = inputs[name]
    size = plan.network.population(name).size
    if block.start.size != steps + 1:
        raise InputError(f"the block holds {block.start.size - 1} timesteps, not {steps}", key=f"population {name}")
    if block.index.size and int(block.index.max()) >= size:
        raise InputError(
            "a spike's neuron index lies outside the population",
            key=f"population {name}",
            found=int(block.index.max()),
            allowed=f"0 .. {size - 1}",
        )
    index = np.ascontiguousarray(block.index, np.uint32)
    value = UNIT if block.value is None else np.ascontiguousarray(block.value, np.int32)
    ends = block.start.tolist()
    return [(index[a:b], value[a:b] if value.size else UNIT) for a, b in pairwise(ends)]


def _block(made: list[SpikeList]) -> Block:
    start = np.zeros(len(made) + 1, np.int64)
    np.cumsum([index.size for index, _ in made], out=start[1:])
    index = np.concatenate([index for index, _ in made]) if made else SILENT[0]
    graded = any(value.size for _, value in made)
    value = np.concatenate([value for _, value in made]) if graded else None
    return Block(start, index, value)
