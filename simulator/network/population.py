"""A population: neurons on a C x H x W grid that share a model."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.network.neuron import Neuron


@dataclass(frozen=True)
class Population:
    """`shape` is (C, H, W).  A neuron's flat index is channel last: (y * W + x) * C + c.

    Channel last is the order of every spike index in a trace, of membranes in memory, and of the update scan.
    """

    name: str
    shape: tuple[int, int, int]
    neuron: Neuron

    @property
    def size(self) -> int:
        """Number of neurons."""
        c, h, w = self.shape
        return c * h * w

    @property
    def is_input(self) -> bool:
        """True when the population only receives recorded spikes."""
        return self.neuron.model == "input"
