"""PilotNet, nine recorded populations: every spike and every recorded membrane, layer by layer and as a whole."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.command import Result, read_arrays, unpack
from simulator.errors import InputError
from simulator.functional import Stepper, plan_network
from simulator.network import Network, Neuron, Population, Projection
from simulator.network.lava import read_lava_net
from simulator.trace import Block
from simulator.trace.tables import channel_last, to_block

PROBE_AT_SPIKE = 128
RESTART = 17
"""The recorded run restarts: layer k begins anew before its steps k and k + 17."""


def driven_input(shape: tuple[int, int, int], like: Neuron) -> Network:
    """The input population: neurons without synapses whose current is the pixel, 64 times its value, in every step."""
    neuron = replace(like, bias=np.zeros(1, np.int64), reset_steps=(0, RESTART))
    populations = (Population("image", shape, Neuron("input")), Population("input", shape, neuron))
    ones = np.ones(shape[0], np.int8)
    return Network("input", populations, (Projection("pixel", "image", "input", "one_to_one", weights=ones),), "int")


def layer_network(network: Network, name: str, place: int) -> Network:
    """One layer behind its recorded source, with the restarts of its place in the chain."""
    (projection,) = network.incoming(name)
    source, target = network.population(projection.source), network.population(name)
    neuron = replace(target.neuron, reset_steps=(place, place + RESTART))
    populations = (replace(source, neuron=Neuron("input")), replace(target, neuron=neuron))
    return Network(name, populations, (projection,), "int")


def run(network: Network, block: Block, dense_steps: int) -> tuple[np.ndarray, np.ndarray]:
    """(spikes, membranes), both [steps, N], of the only layer."""
    stepper = Stepper(plan_network(network))
    (name,), (source,) = network.layers, network.inputs
    size = network.population(name).size
    spikes, membranes = np.zeros((dense_steps, size), np.uint8), np.empty((dense_steps, size), np.int32)
    for t in range(dense_steps):
        a, b = int(block.start[t]), int(block.start[t + 1])
        value = None if block.value is None else block.value[a:b]
        made = stepper.advance({source: Block(np.array([0, b - a]), block.index[a:b], value)}, 1)
        spikes[t, made[name].index] = 1
        membranes[t] = stepper.states[name].v
    return spikes, membranes


def pilotnet(result: Result, data: Path) -> str:
    """Case 7: the recorded input of each layer gives the recorded spikes of the layer."""
    path = data / "layer_traces" / "pilotnet_lif_spikes.npz"
    z = read_arrays(path, "image")
    network = read_lava_net(data / "nets" / "pilotnet_lif.net", {"delay": 1})
    chain = [name for group in network.groups for name in group if name in z]
    recorded = {name: channel_last(unpack(z, name, path)) for name in chain}
    figures, values = {}, 0
    for place, name in enumerate(chain):
        population = network.population(name)
        if recorded[name].shape[1] != population.size:
            raise InputError("the recorded layer has another size than the network's", file=path, key=name,
                             found=recorded[name].shape[1], allowed=[population.size])  # fmt: skip
        steps = recorded[name].shape[0]
        if population.is_input:
            pixels = z["image"].transpose(1, 0, 2).reshape(-1).astype(np.int32)
            (first, *_) = network.layers
            alone = driven_input(population.shape, network.population(first).neuron)
            index = np.flatnonzero(pixels).astype(np.uint32)
            start = np.arange(steps + 1, dtype=np.int64) * index.size
            block = Block(start, np.tile(index, steps), np.tile(pixels[index], steps))
        else:
            alone = layer_network(network, name, place)
            block = to_block(recorded[alone.inputs[0]])
        spikes, membranes = run(alone, block, steps)
        wrong = int((spikes != recorded[name]).sum())
        result.check(wrong == 0, f"PilotNet {name}: {wrong} spikes differ")
        figures[name] = {"spikes": int(recorded[name].sum()), "differences": wrong}
        if f"{name}_v" in z:
            shown = np.where(spikes > 0, PROBE_AT_SPIKE, membranes)
            apart = int((shown != channel_last(z[f"{name}_v"])).sum())
            result.check(apart == 0, f"PilotNet {name}: {apart} membranes differ")
            values += shown.size
    result.figures["pilotnet"] = {"layers": figures, "membranes": values}
    equal = sum(f["differences"] == 0 for f in figures.values())
    total = sum(f["spikes"] for f in figures.values())
    return f"PilotNet: {equal} of {len(chain)} populations equal, {total:,} spikes; {values:,} membrane values"
