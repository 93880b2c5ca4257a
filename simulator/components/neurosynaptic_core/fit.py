"""What a neurosynaptic core can hold of a network, layer by layer: its shapes, then its weights."""

from __future__ import annotations

from typing import Any

import numpy as np

from simulator.components.neurosynaptic_core.program import WEIGHTS
from simulator.components.neurosynaptic_core.registers import ODIN
from simulator.errors import InputError
from simulator.mapping.neurosynaptic import check_shapes
from simulator.network import Network
from simulator.network.projection import Projection


def check_fit(unit: str, spec: Any, network: Network) -> None:
    """Raises InputError, naming the layer, for the first thing that the core of this description cannot hold."""
    check_shapes(unit, spec, network)
    for projection in network.projections:
        _check_weights(projection, unit, spec)


def _check_weights(p: Projection, unit: str, spec: Any) -> None:
    """Range of weights and their signs."""
    key = f"layer {p.target}: projection {p.name}"
    if p.weights is None:
        raise InputError(
            "the core decides what fires, so it needs weights; a trace holds none",
            key=key,
            allowed="`neurocycle run NETWORK INPUT`, or `replay TRACE --network NETWORK`",
        )
    low, high = WEIGHTS[spec.dialect]
    if spec.fit == "exact" and p.weights.size and (p.weights.min() < low or p.weights.max() > high):
        raise InputError("weights do not fit the core's synapses", key=key,
                         found=f"{int(p.weights.min())} .. {int(p.weights.max())}",
                         allowed=f"{low} .. {high}, or scaled and rounded with --set {unit}.fit=nearest")  # fmt: skip
    if spec.dialect == ODIN:
        mixed = np.flatnonzero((p.weights > 0).any(axis=0) & (p.weights < 0).any(axis=0))
        if mixed.size:
            raise InputError(
                "all synapses of a source have one sign on this core",
                key=f"{key}, source neuron {int(mixed[0])} of {p.source}", found="both signs",
                allowed="one sign per source; tinyodin has a sign per synapse",
            )  # fmt: skip
