"""What a network holds and computes per timestep: bits of membranes, bits of weights, synaptic positions."""

from __future__ import annotations

from simulator.network.geometry import dense_operations, weight_count
from simulator.network.network import Network


def state_bits(network: Network, layer: str) -> int:
    """Bits of a layer's membranes (and currents of current-based neurons); 0 where nothing lives between timesteps."""
    population = network.population(layer)
    neuron = population.neuron
    if population.is_input or not neuron.stateful:
        return 0
    return population.size * neuron.membrane_bits * (2 if neuron.model == "cuba_lif" else 1)


def weight_bits(network: Network, layer: str) -> int:
    """Bits of all stored weights of the projections into a layer."""
    target = network.population(layer)
    return sum(weight_count(p, network.population(p.source), target) * p.weight_bits for p in network.incoming(layer))


def synaptic_positions(network: Network, layer: str) -> int:
    """Synaptic positions into a layer per timestep, padded ones included (the usual MAC count); wires are none."""
    target = network.population(layer)
    return sum(
        dense_operations(p, network.population(p.source), target) for p in network.incoming(layer) if p.weight_bits
    )
