"""Dense activity: the pretence that every neuron fires once in every timestep.  No spike is stored."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.network import Network
from simulator.trace.spikes import Block
from simulator.trace.trace import Trace


@dataclass(frozen=True)
class DenseSpikes:
    """`Spikes` of a population of `size` neurons that all fire in each of the `timesteps` (sum over the samples)."""

    size: int
    timesteps: int

    @property
    def count(self) -> int:
        """Number of entries over all samples."""
        return self.size * self.timesteps

    def block(self, sample: int, t0: int, t1: int) -> Block:
        """All neurons in each of the timesteps t0 .. t1 (exclusive); made when asked for."""
        steps = t1 - t0
        index = np.tile(np.arange(self.size, dtype=np.uint32), steps)
        return Block(np.arange(steps + 1, dtype=np.int64) * self.size, index, None)


def dense_trace(network: Network, steps: np.ndarray | int, name: str | None = None) -> Trace:
    """Complete trace of dense activity: `steps` int64 [B] timesteps per sample (an int means one sample)."""
    per_sample = np.atleast_1d(np.asarray(steps, np.int64))
    total = int(per_sample.sum())
    return Trace(
        name=name or f"dense-{network.name}",
        network=network.topology(),
        time_base="step",
        steps=per_sample,
        populations={p.name: DenseSpikes(p.size, total) for p in network.populations},
        source="dense: every neuron fires once in every timestep",
    )
