"""What a neurosynaptic core can hold of a network, layer by layer."""

from __future__ import annotations

from typing import Any

import numpy as np

from simulator.components.neurosynaptic_core.program import WEIGHTS
from simulator.components.neurosynaptic_core.registers import ODIN, SOURCES
from simulator.errors import InputError
from simulator.network import Network
from simulator.network.population import Population
from simulator.network.projection import Projection

PLAIN = {"output": "binary", "dead_steps": 0, "first_step": 0, "reset_steps": (), "stateful": True, "weight_shift": 0}
"""Fields of a neuron that the core does not have, with the only value that it can keep."""


def check_fit(unit: str, spec: Any, network: Network) -> None:
    """Raises InputError, naming the layer, for the first thing that the core of this description cannot hold.

    Left to the program that is made next: what a neuron's own fields must be (leak, reset, bias, threshold).
    """
    if network.arithmetic != "int":
        raise InputError("the core computes with integers", key=f"network {network.name}.arithmetic",
                         found=network.arithmetic, allowed=["int"])  # fmt: skip
    biased = any(np.any(network.population(name).neuron.bias) for name in network.layers)
    total = sum(p.size for p in network.populations) + biased
    if total > SOURCES:
        largest = max(network.populations, key=lambda p: p.size)
        raise InputError(
            "the network has more neurons and inputs than the core has addresses",
            key=f"network {network.name}: population {largest.name} of {largest.size}",
            found=f"{total} with inputs" + (" and a source of biases" if biased else ""),
            allowed=f"at most {SOURCES}: cut the network, so that the layers before become its input",
        )
    computing = sum(p.size for p in network.populations) - 1
    if computing > spec.last_neuron:
        raise InputError("the sweep ends before the network's last neuron", key=f"units.{unit}.last_neuron",
                         found=spec.last_neuron, allowed=f"{computing} .. {SOURCES - 1}")  # fmt: skip
    for name in network.layers:
        _check_neuron(network.population(name))
    for projection in network.projections:
        _check_projection(projection, unit, spec)
        if projection.source in network.layers and spec.open_loop:
            raise InputError(
                f"layer {projection.target} takes spikes of layer {projection.source}, which an open loop never brings",
                key=f"units.{unit}.open_loop", found=True, allowed=["false: --set " + unit + ".open_loop=false"],
            )  # fmt: skip


def _check_neuron(population: Population) -> None:
    for name, wanted in PLAIN.items():
        found = getattr(population.neuron, name)
        if found != wanted:
            raise InputError("the core's neurons have no such behaviour", key=f"layer {population.name}: {name}",
                             found=found, allowed=[wanted])  # fmt: skip


def _check_projection(p: Projection, unit: str, spec: Any) -> None:
    """Kind, delay, weights and their signs."""
    key = f"layer {p.target}: projection {p.name}"
    if p.kind != "linear" or p.pool is not None:
        raise InputError("a core holds linear projections without pooling", key=key,
                         found=f"{p.kind}{', pooled' if p.pool else ''}", allowed=["linear"])  # fmt: skip
    if p.delay:
        raise InputError("a spike reaches the core's neurons at once", key=f"{key}.delay", found=p.delay, allowed=[0])
    if p.weights is None:
        raise InputError(
            "the core decides what fires, so it needs weights; a trace holds none",
            key=key,
            allowed="`neurocycle run NETWORK INPUT`, or `replay TRACE --network NETWORK`",
        )
    low, high = WEIGHTS[spec.dialect]
    if spec.fit == "exact" and p.weights.size and (p.weights.min() < low or p.weights.max() > high):
        raise InputError("weights do not fit the core's synapses", key=key,
                         found=f"{int(p.weights.min())} .. {int(p.weights.max())}",
                         allowed=f"{low} .. {high}, or scaled and rounded with --set {unit}.fit=nearest")  # fmt: skip
    if spec.dialect == ODIN:
        mixed = np.flatnonzero((p.weights > 0).any(axis=0) & (p.weights < 0).any(axis=0))
        if mixed.size:
            raise InputError(
                "all synapses of a source have one sign on this core",
                key=f"{key}, source neuron {int(mixed[0])} of {p.source}", found="both signs",
                allowed="one sign per source; tinyodin has a sign per synapse",
            )  # fmt: skip
