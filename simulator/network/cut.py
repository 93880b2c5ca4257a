"""The part of a network that leads to one population: enough to study its first layers alone."""

from __future__ import annotations

from dataclasses import replace

from simulator.errors import unknown
from simulator.network.network import Network


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
