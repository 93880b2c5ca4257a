"""Float networks to 8-bit integers, layer by layer, as the vendor's tool for event-driven convolution chips does it.

All weights that enter one population share a scale, because their products meet in one membrane:

    s = 128 / |min w|   if |min w| > max w * 128 / 127, else   127 / max w
    w' = rne(s w)       theta' = rne(s theta)       bias' = rne(s bias)       floor' = rne(s floor)

rne rounds half to even.  Only neurons without decay: an integer decay needs a rounding that the rule does not give.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from simulator.errors import InputError
from simulator.network.network import Network
from simulator.network.neuron import Neuron
from simulator.network.population import Population


def quantise_int8(network: Network) -> Network:
    """The integer network; raises InputError for decaying neurons and for thresholds that would become 0."""
    scales = {p.name: _scale(network, p) for p in network.populations if not p.is_input}
    populations = []
    for population in network.populations:
        if population.is_input:
            populations.append(replace(population, neuron=Neuron("input")))
            continue
        neuron, scale = population.neuron, scales[population.name]
        if neuron.decay_v.kind != "none" or neuron.decay_u.kind != "none":
            raise InputError(
                "quantise = int8 is defined for neurons without decay",
                key=f"population {population.name}",
                found=neuron.model,
            )
        threshold = _rne(neuron.threshold * scale)
        if (threshold < 1).any():
            raise InputError("the threshold is 0 after quantisation", key=f"population {population.name}")
        floor = None if neuron.floor is None else _rne(neuron.floor * scale)
        integers = replace(
            neuron,
            threshold=threshold,
            bias=_rne(neuron.bias * scale),
            initial=_rne(neuron.initial * scale),
            floor=floor,
        )
        populations.append(replace(population, neuron=integers))
    projections = tuple(
        replace(p, weights=_rne(np.asarray(p.weights, np.float64) * scales[p.target]).astype(np.int8), weight_bits=8)
        for p in network.projections
    )
    return replace(network, populations=tuple(populations), projections=projections, arithmetic="int")


def _scale(network: Network, population: Population) -> float:
    weights = [p.weights for p in network.incoming(population.name)]
    if not weights or any(w is None for w in weights):
        raise InputError("quantise needs weights", key=f"population {population.name}")
    low = min(float(np.min(w)) for w in weights if w is not None)
    high = max(float(np.max(w)) for w in weights if w is not None)
    if low >= 0 >= high:
        raise InputError("all weights are 0: there is no scale", key=f"population {population.name}")
    return 128 / -low if -low > high * 128 / 127 else 127 / high


def _rne(values: np.ndarray) -> np.ndarray:
    return np.rint(values).astype(np.int64)
