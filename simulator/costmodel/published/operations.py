"""Synaptic operations x a constant: the energy figure of most papers on spiking networks.

Source: 0.9 pJ per 32-bit floating-point addition at 45 nm, M. Horowitz, "Computing's energy problem", ISSCC 2014; the
product with the number of accumulations as in N. Rathi and K. Roy, "DIET-SNN", 2020.  No memory, no state, no time.
"""

from __future__ import annotations

from simulator.costmodel.activity import Activity
from simulator.costmodel.published.model import PublishedModel
from simulator.hardware import Hardware
from simulator.mapping.mapping import Mapping
from simulator.mapping.schedule import Schedule
from simulator.network.geometry import fan_out

ADD_PJ = 0.9


def synaptic_operations(activity: Activity) -> dict[str, float]:
    """Expected synaptic operations per layer over a run: events of each source x mean fan-out of its neurons."""
    network = activity.network
    index = {p.name: i for i, p in enumerate(network.populations)}
    found = dict.fromkeys(network.layers, 0.0)
    for p in network.projections:
        source, target = network.population(p.source), network.population(p.target)
        late = activity.mean.shape[1] - p.delay
        mean = activity.mean[index[p.source], : max(0, late)]
        weight = activity.weight[p.delay :]
        if p.pool is None:
            arriving = mean
        elif p.pool.kind == "or":
            arriving = 1 - (1 - mean.clip(max=1)) ** (p.pool.size[0] * p.pool.size[1])
        else:
            arriving = mean * (p.pool.size[0] * p.pool.size[1])
        events = float(arriving @ weight) * activity.samples
        found[p.target] += events * float(fan_out(p, source, target).sum())
    return found


def energy_pj(activity: Activity, add_pj: float = ADD_PJ) -> dict[str, float]:
    """Energy per layer, pJ: synaptic operations x `add_pj`."""
    return {layer: count * add_pj for layer, count in synaptic_operations(activity).items()}


def _total_pj(schedule: Schedule, hardware: Hardware, activity: Activity, mapping: Mapping | None = None) -> float:
    return sum(energy_pj(activity).values())


MODEL = PublishedModel(
    "operations", "synaptic operations x 0.9 pJ (Horowitz, ISSCC 2014, as in DIET-SNN, 2020)", energy_pj=_total_pj
)
