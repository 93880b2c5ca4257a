"""Small chips and networks for the tests of mappings; sizes are chosen so that bits are easy to count by hand."""

from __future__ import annotations

from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np

from simulator.network import Network, Neuron, Population, Projection


def chip(
    cores: int = 1,
    *,
    weight: int = 2**20,
    state: int = 2**20,
    spike: int = 2**20,
    lanes: int = 4,
    dmas: int = 2,
    private_spikes: bool = False,
) -> Any:
    """A chip with memories of so many bytes, as the mapper sees one: only the fields that it reads."""
    units: dict[str, Any] = {"host": SimpleNamespace(type="host"), "dram": SimpleNamespace(type="dram")}
    for i in range(dmas):
        units[f"dma[{i}]"] = SimpleNamespace(type="dma", far="dram")
    if not private_spikes:
        units["spikes"] = SimpleNamespace(type="sram", capacity_bytes=spike)
    for i in range(cores):
        units[f"weight[{i}]"] = SimpleNamespace(type="sram", capacity_bytes=weight)
        units[f"state[{i}]"] = SimpleNamespace(type="sram", capacity_bytes=state)
        if private_spikes:
            units[f"spikes[{i}]"] = SimpleNamespace(type="sram", capacity_bytes=spike)
        units[f"core[{i}]"] = SimpleNamespace(
            type="cmos_core",
            dataflow="scatter",
            scatter=SimpleNamespace(lanes=lanes),
            weight_memory=f"weight[{i}]",
            state_memory=f"state[{i}]",
            spike_memory=f"spikes[{i}]" if private_spikes else "spikes",
        )
    return SimpleNamespace(name="bench", units=units)


def population(name: str, shape: tuple[int, int, int], model: str = "if", **neuron: Any) -> Population:
    """A population of 16-bit membranes, unless told otherwise."""
    return Population(name, shape, Neuron(model=model, **{"membrane_bits": 16, **neuron}))  # type: ignore[arg-type]


def chain(channels: int = 8, size: int = 6, depth: int = 3, **neuron: Any) -> Network:
    """An input of 2 channels and `depth` 3x3 convolutions of `channels` channels on size x size positions."""
    populations = [population("in", (2, size, size), "input")]
    projections = []
    for i in range(depth):
        populations.append(population(f"c{i}", (channels, size, size), **neuron))
        projections.append(Projection(f"p{i}", populations[-2].name, f"c{i}", "conv", kernel=(3, 3), padding=(1, 1)))
    return Network("chain", tuple(populations), tuple(projections))


def residual() -> Network:
    """in -> a -> b -> c with an identity from a to c, then a linear classifier behind a pooling."""
    from simulator.network import Pool

    conv = {"kind": "conv", "kernel": (3, 3), "padding": (1, 1)}
    return Network(
        "residual",
        (
            population("in", (2, 4, 4), "input"),
            population("a", (8, 4, 4)),
            population("b", (8, 4, 4)),
            population("c", (8, 4, 4)),
            population("out", (10, 1, 1), "cuba_lif"),
        ),
        (
            Projection("in_a", "in", "a", **conv),
            Projection("a_b", "a", "b", **conv),
            Projection("b_c", "b", "c", **conv),
            Projection("a_c", "a", "c", "one_to_one"),
            Projection("c_out", "c", "out", "linear", pool=Pool("average", (4, 4), (4, 4))),
        ),
    )


def delayed() -> Network:
    """in -> a -> b -> c; spikes take two timesteps from a to b."""
    names = ("in", "a", "b", "c")
    populations = tuple(population(n, (4, 1, 1), "input" if n == "in" else "if") for n in names)
    chained = tuple(Projection(f"{s}_{t}", s, t, "linear") for s, t in pairwise(names) if t != "b")
    return Network("delayed", populations, (*chained, Projection("a_b", "a", "b", "linear", delay=2)))


def recurrent() -> Network:
    """in -> h <-> h (delay 1) -> out; the recurrent projection is sparse."""
    rng = np.random.Generator(np.random.PCG64(5))
    counts = rng.integers(0, 6, 12)
    indptr = np.concatenate([[0], counts.cumsum()]).astype(np.int64)
    indices = np.concatenate([np.sort(rng.choice(12, n, replace=False)) for n in counts]).astype(np.int64)
    return Network(
        "recurrent",
        (
            population("in", (6, 1, 1), "input"),
            population("h", (12, 1, 1), "lif"),
            population("out", (3, 1, 1)),
        ),
        (
            Projection("in_h", "in", "h", "linear", weight_bits=4),
            Projection("h_h", "h", "h", "sparse", delay=1, indptr=indptr, indices=indices),
            Projection("h_out", "h", "out", "linear"),
        ),
    )
