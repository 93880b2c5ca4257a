"""Spikes of a unit that decides itself what fires, beside those of the network's own timesteps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from simulator.network import Network
from simulator.trace import Trace


def beside_network(network: Network, inputs: Trace, unit: Trace) -> dict[str, dict[str, int]]:
    """Per layer the spikes that both make ("same"), that only the unit and that only the network makes, for
    `Record.work`.

    Counted per neuron and timestep.  The network adds up a timestep's inputs and fires once; a core that takes one
    event after another fires in between, so the two agree where no membrane passes its threshold on the way.  Empty
    for inputs without timesteps.
    """
    from simulator.functional import run_network

    if inputs.time_base != "step":
        return {}
    own = run_network(network, replace(inputs, populations={n: inputs.populations[n] for n in network.inputs}))
    found = {}
    for name in network.layers:
        size = network.population(name).size
        counts = {"same": 0, "unit_only": 0, "network_only": 0}
        for sample, steps in enumerate(inputs.steps.tolist()):
            blocks = [trace.spikes(name).block(sample, 0, steps) for trace in (unit, own)]
            for t in range(steps):
                ours, theirs = (_per_neuron(block.step(t), size) for block in blocks)
                counts["same"] += int(np.minimum(ours, theirs).sum())
                counts["unit_only"] += int(np.maximum(ours - theirs, 0).sum())
                counts["network_only"] += int(np.maximum(theirs - ours, 0).sum())
        found[name] = counts
    return found


def _per_neuron(pair: tuple[np.ndarray, np.ndarray | None], size: int) -> np.ndarray:
    """int64 [size]: what each neuron sends in a timestep."""
    index, value = pair
    return np.bincount(index, value, size).astype(np.int64)
