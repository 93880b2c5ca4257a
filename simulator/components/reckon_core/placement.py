"""Networks and traces as a ReckOn core meets them: its sizes, and the lines of a sample."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from simulator.components.reckon_core.drive import Stimulus, stimulus_of_steps
from simulator.components.reckon_core.image import LINES, Image, check_stimulus
from simulator.errors import InputError
from simulator.mapping.recurrent import layers_of

if TYPE_CHECKING:
    from simulator.network import Network

VALUE_BITS = 8
"""A line in a trace of cycles is one number: its letter's place in `LINES`, then 8 bits of value."""


def image_of(network: Network) -> Image:
    """The core's sizes for a network whose spikes are known; its weights and thresholds decide nothing then."""
    layers = layers_of(network)
    outputs = 1 if layers.output is None else network.population(layers.output).size
    return Image(network.population(layers.source).size, network.population(layers.recurrent).size, outputs)


def stimulus_of_network(
    network: Network, spikes: Callable[[str, int], tuple[np.ndarray, np.ndarray | None]], steps: int
) -> Stimulus:
    """One sample of a network of which every spike is known: `spikes(population, t)` gives (index, value or None).

    Inputs of timestep t go in before tick t, and the recurrent layer's spikes of timestep t are those of the STEP of
    tick t + 1: a delay of 0 from the input and of 1 around the loop, as in the network.  Where there is an output
    layer, a last tick passes the last spikes on to it.
    """
    layers = layers_of(network)
    inputs, given = (
        [_fired(spikes(name, t), name, t) for t in range(steps)] for name in (layers.source, layers.recurrent)
    )
    stimulus = stimulus_of_steps(inputs, given, drain=layers.output is not None)
    size, last = network.population(layers.recurrent).size, given[-1].size if given else 0
    looped = any(p.source == p.target for p in network.projections)
    passed = sum(index.size for index in given[:-1])
    if layers.output is None:
        return replace(stimulus, beyond=passed * (1 + (0 if looped else size)))
    return replace(stimulus, beyond=size * (last + (0 if looped else passed)))


def _fired(pair: tuple[np.ndarray, np.ndarray | None], name: str, t: int) -> np.ndarray:
    """Neurons of a population that spike in timestep t; the core takes one bit of each."""
    index, value = pair
    if value is not None and (value != 1).any():
        raise InputError("the core takes one spike per neuron and timestep", key=f"population {name}, timestep {t}",
                         found=int(value[value != 1][0]), allowed=[1])  # fmt: skip
    return index


def stimulus_of_cycles(time: np.ndarray, index: np.ndarray, name: object) -> Stimulus:
    """One sample of a trace of cycles: line i is due in cycle time[i], index[i] is its letter and value.

    `name` says whose trace it is where a line cannot run.
    """
    kind, value = index >> VALUE_BITS, (index & (1 << VALUE_BITS) - 1).astype(np.int64)
    wrong = np.flatnonzero(kind >= len(LINES))
    if wrong.size:
        raise InputError("no such line", file=name, line=int(wrong[0]) + 1, key="index", found=int(index[wrong[0]]),
                         allowed=f"0 .. {(len(LINES) << VALUE_BITS) - 1}: letter of {LINES} x 256 + value")  # fmt: skip
    check_stimulus(kind, value, name)
    return Stimulus(kind.astype(np.uint8), value, time.astype(np.int64), beyond=None)
