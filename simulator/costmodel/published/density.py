"""i_rate of STEMS: the share of a layer's inputs that are not zero, one number for a whole run.

Source: sjoks93/STEMS, commit 323e004, where it is the non-zero fraction of a recorded input tensor.
"""

from __future__ import annotations

import numpy as np

from simulator.costmodel.activity import Activity
from simulator.network import Projection


def rates(activity: Activity) -> np.ndarray:
    """float64 [P]: share of the neurons x timesteps of each population that send."""
    weight = activity.weight
    found: np.ndarray = activity.active @ weight / max(float(weight.sum()), 1e-30)
    return np.minimum(found, 1)


def arriving(p: Projection, rate: float) -> float:
    """i_rate of the inputs that a projection sees: pooled ones are zero where all that they pool are."""
    return rate if p.pool is None else 1 - (1 - rate) ** (p.pool.size[0] * p.pool.size[1])
