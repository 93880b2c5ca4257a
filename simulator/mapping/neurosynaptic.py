"""What a neurosynaptic core (ODIN class) can hold of a network's shapes, and the addresses that it gives them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from simulator.errors import InputError
from simulator.hardware.specs.neurosynaptic_core import SOURCES
from simulator.network import Network
from simulator.network.population import Population
from simulator.network.projection import Projection

PLAIN = {"output": "binary", "dead_steps": 0, "first_step": 0, "reset_steps": (), "stateful": True, "weight_shift": 0}
"""Fields of a neuron that the core does not have, with the only value that it can keep."""


class Place(NamedTuple):
    """Addresses of a population: its neurons in flat order from `first` on, `size` of them.

    charged: place, among the network's layers, of the one that its events are charged to: the first that it feeds, or
    its own.
    """

    first: int
    size: int
    charged: int


def addresses(network: Network) -> dict[str, Place]:
    """Inputs before layers, each population after the one before; a source of biases, where there is one, comes last.

    An input that feeds no layer has no address.
    """
    feeding = {p.source for p in network.projections}
    order = [*(p for p in network.populations if p.is_input and p.name in feeding),
             *(network.population(name) for name in network.layers)]  # fmt: skip
    found, first = {}, 0
    for population in order:
        fed = [p.target for p in network.outgoing(population.name)] or [population.name]
        found[population.name] = Place(first, population.size, min(network.layers.index(name) for name in fed))
        first += population.size
    return found


def biased(network: Network) -> bool:
    """Whether any neuron has a bias, which the core knows only as an event in every timestep."""
    return any(bool(np.any(network.population(name).neuron.bias)) for name in network.layers)


def check_shapes(unit: str, spec: Any, network: Network) -> None:
    """Raises InputError, naming the layer, for the first thing that the core of this description cannot hold, whatever
    the weights.

    Left to the program that is made next: what a neuron's own fields must be (leak, reset, bias, threshold).
    """
    if network.arithmetic != "int":
        raise InputError("the core computes with integers", key=f"network {network.name}.arithmetic",
                         found=network.arithmetic, allowed=["int"])  # fmt: skip
    extra = biased(network)
    total = sum(p.size for p in network.populations) + extra
    if total > SOURCES:
        largest = max(network.populations, key=lambda p: p.size)
        raise InputError(
            "the network has more neurons and inputs than the core has addresses",
            key=f"network {network.name}: population {largest.name} of {largest.size}",
            found=f"{total} with inputs" + (" and a source of biases" if extra else ""),
            allowed=f"at most {SOURCES}: cut the network, so that the layers before become its input",
        )
    computing = sum(p.size for p in network.populations) - 1
    if computing > spec.last_neuron:
        raise InputError("the sweep ends before the network's last neuron", key=f"units.{unit}.last_neuron",
                         found=spec.last_neuron, allowed=f"{computing} .. {SOURCES - 1}")  # fmt: skip
    for name in network.layers:
        _check_neuron(network.population(name))
    for projection in network.projections:
        _check_projection(projection)
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


def _check_projection(p: Projection) -> None:
    """Kind and delay."""
    key = f"layer {p.target}: projection {p.name}"
    if p.kind != "linear" or p.pool is not None:
        raise InputError("a core holds linear projections without pooling", key=key,
                         found=f"{p.kind}{', pooled' if p.pool else ''}", allowed=["linear"])  # fmt: skip
    if p.delay:
        raise InputError("a spike reaches the core's neurons at once", key=f"{key}.delay", found=p.delay, allowed=[0])
