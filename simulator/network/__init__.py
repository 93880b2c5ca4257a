"""Networks: populations of neurons, projections between them, and the files they come from."""

from simulator.network.file import read_network, write_network
from simulator.network.network import Network, describe, from_description
from simulator.network.neuron import Decay, Neuron
from simulator.network.population import Population
from simulator.network.projection import Pool, Projection
from simulator.network.zoo import resnet18, vgg11

__all__ = [
    "Decay",
    "Network",
    "Neuron",
    "Pool",
    "Population",
    "Projection",
    "describe",
    "from_description",
    "read_network",
    "resnet18",
    "vgg11",
    "write_network",
]
