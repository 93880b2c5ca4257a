"""The part of a network that leads to one population, or follows it: enough to study some layers alone."""

from __future__ import annotations

from dataclasses import replace

from simulator.errors import InputError, unknown
from simulator.network.network import Network
from simulator.network.neuron import Neuron


def cut_network(network: Network, last: str) -> Network:
    """The network without every population that does not lead to `last`; an unknown name is an InputError."""
    names = [p.name for p in network.populations]
    if last not in names:
        raise unknown("population", last, names, key="until")
    kept, waiting = {last}, [last]
    while waiting:
        for projection in network.incoming(waiting.pop()):
            if projection.source not in kept:
                kept.add(projection.source)
                waiting.append(projection.source)
    return replace(
        network,
        populations=tuple(p for p in network.populations if p.name in kept),
        projections=tuple(p for p in network.projections if p.source in kept and p.target in kept),
        choices={**network.choices, "until": last},
    )


def tail_network(network: Network, first: str) -> Network:
    """The network behind population `first`, which becomes an input, as does any other source of what is kept.

    A trace that recorded those populations drives it alone.  InputError for an unknown name, or if nothing follows.
    """
    names = [p.name for p in network.populations]
    if first not in names:
        raise unknown("population", first, names, key="first")
    layers: set[str] = set()
    waiting = [first]
    while waiting:
        for projection in network.outgoing(waiting.pop()):
            if projection.target not in layers | {first}:
                layers.add(projection.target)
                waiting.append(projection.target)
    if not layers:
        raise InputError("no layer follows this population", key="first", found=first)
    projections = tuple(p for p in network.projections if p.target in layers)
    kept = layers | {p.source for p in projections}
    return replace(
        network,
        populations=tuple(
            p if p.name in layers else replace(p, neuron=Neuron("input")) for p in network.populations if p.name in kept
        ),
        projections=projections,
        choices={**network.choices, "first": first},
    )
