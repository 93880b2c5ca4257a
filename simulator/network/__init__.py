"""Networks: populations of neurons, projections between them, and the files they come from."""

from simulator.network.network import Network, describe, from_description
from simulator.network.neuron import Decay, Neuron
from simulator.network.population import Population
from simulator.network.projection import Pool, Projection

__all__ = ["Decay", "Network", "Neuron", "Pool", "Population", "Projection", "describe", "from_description"]
