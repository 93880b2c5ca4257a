"""Features: what a model looks at to say whether a question resembles what it was fitted on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from simulator.costmodel.activity import GROUPS

if TYPE_CHECKING:
    from simulator.costmodel.activity import Activity

MEANING = {
    "density": "events per neuron and timestep, mean over all neurons",
    "clustering": "variance of how many of 32 neighbours fire, over that of independent ones",
    "neurons": "neurons of the network",
    "layers": "layers of the network",
    "timesteps": "timesteps of the longest sample",
    "tasks": "commands of the host per layer and sample: how finely the mapping cuts the work",
    "events": "events of a sample in all populations",
}
"""Feature -> what it is, in the order of a model's file."""
SLACK = 1.25
"""A feature up to this factor outside the range seen is still taken as inside."""
COMMAND = "launch:task"
"""Action by which the host hands out a task."""
_GROUP = GROUPS.index(32)


def features(layers: int, tasks: float, activity: Activity) -> dict[str, float]:
    """Features of a question, float each: layers, commands of the host per sample, and what is known of spikes."""
    network = activity.network
    sizes = np.array([p.size for p in network.populations], np.float64)
    weight = activity.weight
    steps = float(weight.sum())
    events = float(sizes @ (activity.mean @ weight))
    width = np.minimum(GROUPS[_GROUP], sizes)[:, None]
    p = np.minimum(activity.active, 1)
    share = (sizes[:, None] / width) * weight  # groups of each population and timestep
    alone = float((share * width * p * (1 - p)).sum())
    found = float((share * activity.variance[:, :, _GROUP]).sum())
    return {
        "density": events / max(1.0, float(sizes.sum()) * steps),
        "clustering": found / alone if alone > 0 else 1.0,
        "neurons": float(sizes.sum()),
        "layers": float(layers),
        "timesteps": float(activity.mean.shape[1]),
        "tasks": tasks / max(1, layers),
        "events": events,
    }


def outside(found: Mapping[str, float], seen: Mapping[str, tuple[float, float]]) -> tuple[str, ...]:
    """One sentence for each feature that lies further than SLACK outside its range [lowest, highest]."""
    wrong = []
    for name, (low, high) in seen.items():
        value = found[name]
        if not low / SLACK <= value <= high * SLACK:
            wrong.append(f"{name} {value:.4g} lies outside what the model has seen, {low:.4g} .. {high:.4g} "
                         f"({MEANING[name]})")  # fmt: skip
    return tuple(wrong)
