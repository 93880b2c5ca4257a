"""A trace: recorded spikes per population, and the network they belong to."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from simulator.errors import InputError, unknown
from simulator.network import Network
from simulator.trace.spikes import Events, MemorySpikes, Spikes

TimeBase = Literal["step", "us", "cycle"]


@dataclass(frozen=True)
class Trace:
    """Spikes of some or all populations of a network, for B samples.

    `network` is the topology (weights are not needed, and are dropped when a trace is written).
    `steps` int64 [B]: timesteps of each sample (time bases "us" and "cycle": the span in that unit).
    `populations` maps a population's name to its spikes: `Spikes` for "step", `Events` otherwise.
    `labels` int64 [B] or None.  `source` says where the spikes came from.
    """

    name: str
    network: Network
    time_base: TimeBase
    steps: np.ndarray
    populations: Mapping[str, Spikes | Events]
    source: str = ""
    labels: np.ndarray | None = None

    def __post_init__(self) -> None:
        for name in self.populations:
            if name not in {p.name for p in self.network.populations}:
                raise unknown("population", name, [p.name for p in self.network.populations], key=f"trace {self.name}")

    @property
    def samples(self) -> int:
        """Number of samples B."""
        return int(self.steps.size)

    @property
    def complete(self) -> bool:
        """True when every population of the network is recorded: the trace can be replayed without weights."""
        return all(p.name in self.populations for p in self.network.populations)

    def spikes(self, population: str) -> Spikes:
        """Spikes of one population by timestep; refuses populations that are not recorded and other time bases."""
        found = self.populations.get(population)
        if found is None:
            raise InputError(
                "the trace does not hold this population",
                key=f"trace {self.name}",
                found=population,
                allowed=list(self.populations),
            )
        if isinstance(found, Events):
            raise InputError(
                f"the trace has time base {self.time_base!r}, timesteps are needed",
                key=f"trace {self.name}",
                allowed="bin it with --import dt_us=..., rounding=..., multiple=...",
            )
        return found

    def events(self, population: str) -> Events:
        """Spikes of one population with their times; only for time bases "us" and "cycle"."""
        found = self.populations.get(population)
        if not isinstance(found, Events):
            raise InputError(
                "the trace holds no events for this population", key=f"trace {self.name}", found=population
            )
        return found

    @cached_property
    def sha256(self) -> str:
        """Hash of the content: topology, samples, steps and every spike; read in blocks, so memory stays bounded."""
        digest = hashlib.sha256(f"{self.network.topology().sha256}{self.time_base}{self.steps.tolist()}".encode())
        for name in sorted(self.populations):
            digest.update(name.encode())
            spikes = self.populations[name]
            if isinstance(spikes, Events):
                for array in (spikes.sample_start, spikes.time, spikes.index, spikes.value):
                    if array is not None:
                        digest.update(np.ascontiguousarray(array).tobytes())
                continue
            for sample in range(self.samples):
                for t0 in range(0, int(self.steps[sample]), 64):
                    block = spikes.block(sample, t0, min(t0 + 64, int(self.steps[sample])))
                    for array in (np.diff(block.start), block.index, block.value):
                        if array is not None:
                            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()


def check_trace(trace: Trace, chunk: int = 256) -> None:
    """Reads every spike once and raises InputError, naming the population, where one lies outside or out of order."""
    for name, spikes in trace.populations.items():
        size = trace.network.population(name).size
        if isinstance(spikes, Events):
            if spikes.index.size and int(spikes.index.max()) >= size:
                _outside(trace, name, int(spikes.index.max()), size)
            for sample in range(trace.samples):
                time, _, _ = spikes.sample(sample)
                if time.size and ((np.diff(time) < 0).any() or time[0] < 0):
                    raise InputError(
                        "times must not decrease nor be negative", key=f"trace {trace.name}: population {name}"
                    )
            continue
        if isinstance(spikes, MemorySpikes) and spikes.step_start.shape[0] != trace.samples:
            raise InputError(
                "the number of samples differs from the trace's",
                key=f"trace {trace.name}: population {name}",
                found=spikes.step_start.shape[0],
                allowed=[trace.samples],
            )
        for sample in range(trace.samples):
            total = int(trace.steps[sample])
            for t0 in range(0, total, chunk):
                block = spikes.block(sample, t0, min(t0 + chunk, total))
                if (np.diff(block.start) < 0).any():
                    raise InputError("step offsets must not decrease", key=f"trace {trace.name}: population {name}")
                if block.index.size and int(block.index.max()) >= size:
                    _outside(trace, name, int(block.index.max()), size)


def _outside(trace: Trace, name: str, found: int, size: int) -> None:
    raise InputError(
        "a spike's neuron index lies outside the population",
        key=f"trace {trace.name}: population {name}",
        found=found,
        allowed=f"0 .. {size - 1}",
    )
