"""A projection: the synapses from one population to another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

Kind = Literal["conv", "depthwise", "linear", "sparse", "one_to_one"]


@dataclass(frozen=True)
class Pool:
    """Pooling of the source's spikes, done before the synapses see them.

    "sum":     a pooled value is the sum of the spikes in its window
    "average": the projection's weighted sum is divided by the window's area: exact in float networks; integer
               networks shift right (towards minus infinity), so the area must be a power of two
    "or":      a pooled value is 1 if any spike in its window is non-zero
    """

    kind: Literal["sum", "average", "or"]
    size: tuple[int, int]
    stride: tuple[int, int]


@dataclass(frozen=True)
class Projection:
    """Synapses from `source` to `target`; pairs are (y, x).

    weights by kind (None in a topology, which is enough for replay):
        conv        [C_out, C_in / groups, ky, kx]
        depthwise   [C, ky, kx]                      one kernel per channel, C_out = C_in
        linear      [N_out, N_in]                    N_in, N_out in C, H, W order (C order of [C, H, W])
        sparse      CSR by source neuron: `indptr` [N_in + 1], `indices` [nnz], weights [nnz]; flat channel-last indices
        one_to_one  [C]                              one weight per channel, each neuron to its twin
    Weights are int8 or int16 in integer networks, float32 or float64 in float networks.  weight_bits is what a memory
    stores per weight; 0 (one_to_one only) is a wire: an addition or a pooling that stores nothing.

    A spike sent in timestep t is applied in timestep t + `delay` of the target.
    """

    name: str
    source: str
    target: str
    kind: Kind
    kernel: tuple[int, int] = (1, 1)
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)
    dilation: tuple[int, int] = (1, 1)
    groups: int = 1
    delay: int = 0
    weight_bits: int = 8
    pool: Pool | None = None
    weights: np.ndarray | None = None
    indptr: np.ndarray | None = None
    indices: np.ndarray | None = None
