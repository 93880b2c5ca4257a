"""Fully connected networks for Loihi as SLAYER trains them: integer weights, a current-based neuron."""

from __future__ import annotations

import json
from collections.abc import Sequence
from math import isqrt
from pathlib import Path
from typing import Any

import numpy as np

from simulator.errors import InputError
from simulator.network.network import Network
from simulator.network.neuron import Decay, Neuron
from simulator.network.npz import read_npz
from simulator.network.population import Population
from simulator.network.projection import Projection

POLARITIES = 2
STATE_BITS = 6
DECAY_BITS = 12
PARAMETERS = ("vThMant", "vDecay", "iDecay", "refDelay", "wgtExp", "Ts_ms", "tSample")


def loihi_neuron(meta: dict[str, Any]) -> Neuron:
    """Loihi's current-based neuron as SLAYER models it; timestep 0 is skipped."""

    def decay(amount: int) -> Decay:
        return Decay("multiply", numerator=(1 << DECAY_BITS) - amount, bits=DECAY_BITS, rounding="zero")

    return Neuron(
        model="cuba_lif",
        threshold=np.array([int(meta["vThMant"]) << STATE_BITS]),
        reset="zero",
        compare="gt",
        decay_v=decay(int(meta["vDecay"])),
        decay_u=decay(int(meta["iDecay"])),
        weight_shift=STATE_BITS + int(meta["wgtExp"]),
        dead_steps=int(meta["refDelay"]) - 1,
        first_step=1,
    )


def loihi_chain(name: str, shape: tuple[int, int, int], weights: Sequence[np.ndarray], neuron: Neuron) -> Network:
    """Fully connected layers `fc1`, `fc2`, ...; a spike takes one timestep from one layer to the next."""
    populations = [Population("input", shape, Neuron("input"))]
    projections = []
    for i, matrix in enumerate(weights):
        source, own = populations[-1].name, f"fc{i + 1}"
        populations.append(Population(own, (matrix.shape[0], 1, 1), neuron))
        projections.append(Projection(own, source, own, "linear", delay=min(i, 1), weights=matrix))
    return Network(name, tuple(populations), tuple(projections), "int")


def read_slayer(path: Path) -> tuple[Network, dict[str, Any]]:
    """The network of an .npz file of SLAYER, and its `meta`.

    `fc1`, `fc2`, ... are weights [out, in], `meta` is JSON with the neuron's parameters; inputs are two polarities of
    square images.  InputError where something is missing or does not go together.
    """
    arrays = read_npz(path) if path.is_file() else None
    if arrays is None:
        raise InputError("no such file", file=path)
    for key in ("fc1", "fc2", "meta"):
        if key not in arrays:
            raise InputError("the array is missing", file=path, key=key, allowed=list(arrays))
    try:
        meta = json.loads(str(arrays["meta"]))
    except json.JSONDecodeError as error:
        raise InputError(f"meta is not JSON ({error})", file=path) from None
    for key in PARAMETERS:
        if not isinstance(meta, dict) or not isinstance(meta.get(key), (int, float)):
            raise InputError("meta lacks a number", file=path, key=key)
    weights: list[np.ndarray] = []
    while f"fc{len(weights) + 1}" in arrays:
        weights.append(arrays[f"fc{len(weights) + 1}"])
    inputs = weights[0].shape[-1]
    side = isqrt(inputs // POLARITIES)
    if POLARITIES * side * side != inputs:
        raise InputError("the inputs are not two square images", file=path, key="fc1", found=inputs)
    return loihi_chain(path.stem, (POLARITIES, side, side), weights, loihi_neuron(meta)), meta
