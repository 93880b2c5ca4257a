"""A plain integer reference for the digits network: dense numpy, one timestep at a time.

It shares nothing with `simulator.functional`: projections are written out as matrix products over shifted images, so
that agreement with `run_network` says something about both.
"""

from __future__ import annotations

import numpy as np

from simulator.network import Network, Population, Projection


def reference_spikes(network: Network, inputs: np.ndarray) -> dict[str, np.ndarray]:
    """Spikes of every population: uint8 [B, T, C, H, W] by name, for input spikes uint8 [B, T, C, H, W].

    Only what the digits network uses is defined: integer IF neurons that fire at v >= threshold and reset by
    subtraction; conv with stride 1 and linear projections, sum pooling, no delay.
    """
    samples, steps = inputs.shape[:2]
    spikes = {network.inputs[0]: inputs}
    membrane = {}
    for name in network.layers:
        population = network.population(name)
        _check_defined(population)
        spikes[name] = np.zeros((samples, steps, *population.shape), np.uint8)
        start = population.neuron.initial.reshape(-1, 1, 1)
        membrane[name] = np.broadcast_to(start, (samples, *population.shape)).astype(np.int64)
    for t in range(steps):
        for name in network.layers:
            neuron = network.population(name).neuron
            threshold = neuron.threshold.reshape(-1, 1, 1)
            v = membrane[name] + neuron.bias.reshape(-1, 1, 1)
            for projection in network.incoming(name):
                v = v + _current(projection, spikes[projection.source][:, t], v.shape)
            fired = v >= threshold
            v = v - fired * threshold
            limit = 1 << (neuron.membrane_bits - 1)
            membrane[name] = np.clip(v, -limit, limit - 1)
            spikes[name][:, t] = fired
    return spikes


def _current(projection: Projection, spikes: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Weighted sums int64 [B, C, H, W] of one timestep's spikes uint8 [B, C, H, W]."""
    if projection.delay or projection.stride != (1, 1) or projection.groups != 1:
        raise ValueError(f"projection {projection.name}: outside what this reference defines")
    if projection.pool is not None:
        if projection.pool.kind != "sum" or projection.pool.size != (2, 2) or projection.pool.stride != (2, 2):
            raise ValueError(f"projection {projection.name}: only 2 x 2 sum pooling is defined here")
        b, c, h, w = spikes.shape
        spikes = spikes.reshape(b, c, h // 2, 2, w // 2, 2).sum(axis=(3, 5))
    assert projection.weights is not None
    # float64 sums of small integers are exact (far below 2^53) and much faster in numpy than int64 ones
    weights = projection.weights.astype(np.float64)
    spikes = spikes.astype(np.float64)
    if projection.kind == "linear":
        return (spikes.reshape(len(spikes), -1) @ weights.T).reshape(shape).astype(np.int64)
    _, _, height, width = shape
    (ky, kx), (py, px) = projection.kernel, projection.padding
    padded = np.pad(spikes, ((0, 0), (0, 0), (py, py), (px, px)))
    total = np.zeros(shape)
    for y in range(ky):
        for x in range(kx):
            window = padded[:, :, y : y + height, x : x + width]
            total += np.einsum("oc,bcyx->boyx", weights[:, :, y, x], window, optimize=True)
    return total.astype(np.int64)


def _check_defined(population: Population) -> None:
    n = population.neuron
    plain = n.model == "if" and n.reset == "subtract" and n.compare == "ge" and n.output == "binary" and n.stateful
    if not plain or n.floor is not None or n.weight_shift or n.dead_steps or n.first_step or n.reset_steps:
        raise ValueError(f"population {population.name}: outside what this reference defines")
