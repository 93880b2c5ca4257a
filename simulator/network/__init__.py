"""Networks: populations of neurons, projections between them, and the files they come from."""

from simulator.network.arrays import network_from_arrays
from simulator.network.choices import load_choices
from simulator.network.cut import cut_network
from simulator.network.file import read_network, write_network
from simulator.network.lava import read_lava_net
from simulator.network.load import load_network
from simulator.network.network import Network, describe, from_description
from simulator.network.neuron import Decay, Neuron
from simulator.network.nir import read_nir
from simulator.network.population import Population
from simulator.network.projection import Pool, Projection
from simulator.network.quantise import quantise_int8
from simulator.network.zoo import resnet18, vgg9, vgg11

__all__ = [
    "Decay",
    "Network",
    "Neuron",
    "Pool",
    "Population",
    "Projection",
    "cut_network",
    "describe",
    "from_description",
    "load_choices",
    "load_network",
    "network_from_arrays",
    "quantise_int8",
    "read_lava_net",
    "read_network",
    "read_nir",
    "resnet18",
    "vgg9",
    "vgg11",
    "write_network",
]
