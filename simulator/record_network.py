"""What a Record keeps of a network: sizes and sparsity as plain values, so that a report needs no weights."""

from __future__ import annotations

from typing import Any

import numpy as np

from simulator.network import Network
from simulator.network.geometry import synapses_inside, weight_count
from simulator.network.population import Population


def network_facts(network: Network) -> dict[str, Any]:
    """Plain values for `Record.network`.

    name, sha256, arithmetic
    layers                 names, in running order
    neurons                neurons of all layers (input populations are not counted)
    neurons_by_layer       {layer: neurons}
    weights                stored weights of all projections (a shared kernel counts once)
    footprint_bytes        bytes of all weights (at `weight_bits`, rounded up per projection), of all thresholds and
                           biases (at `membrane_bits`) and of all stored membranes and currents (at `membrane_bits`,
                           rounded up per population)
    zero_weights           how many of the weights are zero; None in a topology without weights
    connection_sparsity    zero weights / weights over all projections, rounded to 3 decimals as NeuroBench does; None
                           in a topology without weights
    synapses               synaptic positions per timestep, zero weights included, padding left out
    multi_spike            True when a neuron of some layer may send several spikes in a timestep
    binary_layers          layers whose inputs can only be -1, 0 or 1: each operation is an accumulate, not a multiply
    """
    populations = {p.name: p for p in network.populations}
    counts = [weight_count(p, populations[p.source], populations[p.target]) for p in network.projections]
    weight_bytes = sum(_bytes(n * p.weight_bits) for n, p in zip(counts, network.projections, strict=True))
    layers = [populations[name] for name in network.layers]
    zeros = network.derived.get("zero_weights")
    if zeros is None and network.has_weights:
        stored = [np.asarray(p.weights) for p in network.projections]
        zeros = network.derived["zero_weights"] = sum(w.size - int(np.count_nonzero(w)) for w in stored)
    total = sum(counts)
    return {
        "name": network.name,
        "sha256": network.sha256,
        "arithmetic": network.arithmetic,
        "layers": list(network.layers),
        "neurons": sum(p.size for p in layers),
        "neurons_by_layer": {p.name: p.size for p in layers},
        "weights": total,
        "footprint_bytes": weight_bytes + sum(_population_bytes(p) for p in layers),
        "synapses": sum(
            synapses_inside(p, populations[p.source], populations[p.target]) for p in network.projections
        ),
        "zero_weights": zeros,
        "connection_sparsity": None if zeros is None or not total else round(zeros / total, 3),
        "multi_spike": any(p.neuron.output == "multi" for p in layers),
        "binary_layers": [name for name in network.layers if _binary(network, populations, name)],
    }


def _bytes(bits: int) -> int:
    return -(-bits // 8)


def _population_bytes(population: Population) -> int:
    neuron = population.neuron
    parameters = neuron.threshold.size + neuron.bias.size
    variables = (2 if neuron.model == "cuba_lif" else 1) if neuron.stateful else 0
    return _bytes((parameters + variables * population.size) * neuron.membrane_bits)


def _binary(network: Network, populations: dict[str, Population], layer: str) -> bool:
    """True when no source is multi-spike and no pooling sums spikes (input populations may carry counts)."""
    for projection in network.incoming(layer):
        source = populations[projection.source]
        if source.is_input or source.neuron.output == "multi":
            return False
        if projection.pool is not None and projection.pool.kind != "or":
            return False
    return True
