"""A network made ready to run: every projection and population prepared once, in running order."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.functional.soma import Soma, prepare_soma
from simulator.functional.synapses import Synapses, prepare_synapses
from simulator.network import Network


@dataclass(frozen=True)
class Layer:
    """One computing population and the projections into it, in file order."""

    name: str
    soma: Soma
    incoming: tuple[Synapses, ...]


@dataclass(frozen=True)
class Plan:
    """`groups` holds the computing populations in running order; the members of one group advance together."""

    network: Network
    groups: tuple[tuple[Layer, ...], ...]
    history: dict[str, int]
    """Per population the longest delay of a projection that leaves it, in timesteps."""

    @property
    def layers(self) -> tuple[Layer, ...]:
        """All computing populations in running order."""
        return tuple(layer for group in self.groups for layer in group)


def plan_network(network: Network) -> Plan:
    """Prepares a network; raises InputError naming the population or projection that cannot be run."""
    integer = network.arithmetic == "int"

    def layer(name: str) -> Layer:
        population = network.population(name)
        incoming = tuple(prepare_synapses(p, network.population(p.source), population) for p in network.incoming(name))
        return Layer(name, prepare_soma(population, integer), incoming)

    groups = tuple(
        tuple(layer(name) for name in group if not network.population(name).is_input) for group in network.groups
    )
    history = {p.name: max((q.delay for q in network.outgoing(p.name)), default=0) for p in network.populations}
    return Plan(network, tuple(group for group in groups if group), history)
