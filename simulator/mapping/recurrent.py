"""Which populations of a network a recurrent core (ReckOn class) takes as inputs, recurrent layer and outputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulator.errors import InputError
from simulator.hardware.specs.reckon_core import OUTPUT_ROOM, ROOM

if TYPE_CHECKING:
    from simulator.network import Network


@dataclass(frozen=True)
class Layers:
    """The populations of a network that a core holds; `output` is None where nothing follows the recurrent layer."""

    source: str
    recurrent: str
    output: str | None


def layers_of(network: Network) -> Layers:
    """The roles of a network's populations.

    A core holds one input population, one layer that it and the layer itself (delay 1) project to, and at most one
    output layer; all projections are linear.  Raises InputError for any other network, and for one that is too large.
    """
    inputs, layers = list(network.inputs), list(network.layers)
    if len(inputs) != 1 or not 1 <= len(layers) <= 2:
        raise InputError(
            "the core holds one input population, one recurrent layer and at most one output layer",
            key=f"network {network.name}",
            found=f"inputs {inputs}, layers {layers}",
        )
    recurrent = next((p.target for p in network.projections if p.source == inputs[0]), layers[0])
    output = next((name for name in layers if name != recurrent), None)
    found = Layers(inputs[0], recurrent, output)
    delays = {(found.source, recurrent): 0, (recurrent, recurrent): 1, (recurrent, output): 0}
    for projection in network.projections:
        key = f"network {network.name}: projection {projection.name}"
        pair = (projection.source, projection.target)
        if pair not in delays:
            raise InputError("the core has no such connection", key=key, found=" -> ".join(pair),
                             allowed=[f"{a} -> {b}" for a, b in delays if b])  # fmt: skip
        if projection.kind != "linear" or projection.pool is not None:
            raise InputError("the core connects all neurons to all", key=f"{key}.kind", found=projection.kind,
                             allowed=["linear"])  # fmt: skip
        if projection.delay != delays[pair]:
            raise InputError("the core has no such delay", key=f"{key}.delay", found=projection.delay,
                             allowed=[delays[pair]])  # fmt: skip
    for name, room in ((found.source, ROOM), (recurrent, ROOM), (output, OUTPUT_ROOM)):
        if name is not None and network.population(name).size > room:
            raise InputError("the population is larger than the core", key=f"network {network.name}: population {name}",
                             found=network.population(name).size, allowed=f"at most {room} neurons")  # fmt: skip
    return found
