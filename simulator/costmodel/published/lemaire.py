"""Operations and memory accesses, after Lemaire et al.: each synaptic operation reads a weight, reads and writes a
membrane; each spike is read and written once.

Source: E. Lemaire, L. Cordone, A. Castagnetti, P.-E. Novac, J. Courtois, B. Miramond, "An analytical estimation of
spiking neural networks energy efficiency", ICONIP 2022, arXiv 2210.13107; constants as SpikingJelly 2.x states them:
addition 0.1 pJ, 10 / 20 / 100 pJ per 4 bytes from memories of 8 KiB / 32 KiB / 1 MiB, in between by straight lines.
"""

from __future__ import annotations

import numpy as np

from simulator.costmodel.activity import Activity
from simulator.costmodel.published.model import PublishedModel
from simulator.costmodel.published.operations import synaptic_operations
from simulator.hardware import Hardware
from simulator.mapping.mapping import Mapping
from simulator.mapping.schedule import Schedule
from simulator.network.geometry import weight_count

ADD_PJ = 0.1
SIZES = (8 * 1024, 32 * 1024, 1024 * 1024)
ACCESS_PJ = (10.0, 20.0, 100.0)
WORD_BYTES = 4


def access_pj(size: int) -> float:
    """Energy of an access of 4 bytes to a memory of `size` bytes, pJ; the nearest line is prolonged above 1 MiB."""
    if size > SIZES[-1]:
        slope = (ACCESS_PJ[-1] - ACCESS_PJ[-2]) / (SIZES[-1] - SIZES[-2])
        return ACCESS_PJ[-1] + slope * (size - SIZES[-1])
    return float(np.interp(size, SIZES, ACCESS_PJ))


def energy_pj(activity: Activity) -> dict[str, dict[str, float]]:
    """Energy per layer, pJ, by part: operations, weights, membranes, spikes.

    Each memory is as large as the layer's tensor in 4-byte words.  Every neuron adds its leak or bias once a timestep.
    """
    network = activity.network
    operations = synaptic_operations(activity)
    index = {p.name: i for i, p in enumerate(network.populations)}
    steps = float(activity.steps.sum())
    found: dict[str, dict[str, float]] = {}
    for name in network.layers:
        target = network.population(name)
        sources = [(p, network.population(p.source)) for p in network.incoming(name)]
        weights = sum(weight_count(p, source, target) for p, source in sources) * WORD_BYTES
        inputs = sum(source.size for _, source in sources) * WORD_BYTES
        size = target.size * WORD_BYTES
        fired = [float(activity.mean[index[n]] @ activity.weight) * activity.samples * network.population(n).size
                 for n in dict.fromkeys([p.source for p, _ in sources])]  # fmt: skip
        made = float(activity.mean[index[name]] @ activity.weight) * activity.samples * target.size
        found[name] = {
            "operations": (operations[name] + target.size * steps) * ADD_PJ,
            "weights": operations[name] * access_pj(weights),
            "membranes": 2 * (operations[name] + target.size * steps) * access_pj(size),
            "spikes": sum(fired) * access_pj(inputs) + made * access_pj(size),
        }
    return found


def _total_pj(schedule: Schedule, hardware: Hardware, activity: Activity, mapping: Mapping | None = None) -> float:
    return sum(sum(parts.values()) for parts in energy_pj(activity).values())


MODEL = PublishedModel(
    "lemaire", "operations and memory accesses (Lemaire et al., ICONIP 2022, arXiv 2210.13107)", energy_pj=_total_pj
)
