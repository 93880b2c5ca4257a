"""Figures: what a simulated run and an estimate are compared by: time and energy, part by part."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from simulator.energy import STATIC, energy_of
from simulator.units import edge_at_or_after

if TYPE_CHECKING:
    from simulator.costmodel.estimated import Estimate
    from simulator.record import Record

LATENCY = ("compute", "stall")
"""Parts of the time, see `Figures`."""
ENERGY = ("compute", "sram", "dram", "interconnect", "state", "leakage")
"""Parts of the energy, see `part_of`."""
ACTIVE = "active:cycle"
BACKGROUND = ("active:rank", "idle:rank")
"""Cycles of a main memory's ranks: power times time, as leakage is."""


@dataclass(frozen=True)
class Figures:
    """Time and energy of one run, simulated or estimated; keys of `counts` and `pj` are (unit type, "verb:operand").

    cycles     end of the run in cycles of the main clock;  end_ps: the same in ps
    energy_pj  all energy, pJ: the sum of `energy`
    latency    ps by part, adding up to `end_ps`: "compute", in which the busiest compute unit works, and "stall", the
               rest of the run, in which it waits for memory, links, others or the host
    energy     pJ by part, see `part_of`
    counts     counts of the ledger, summed over units of a type and layers
    pj         energy of these counts, pJ; static power under (unit type, "static:...")

    A unit works in the cycles that it counts as active; in a bank of crossbar tiles, whose layers work side by side,
    those are the cycles of the layer that works longest.  Where no unit counts active cycles, it is the time in which
    its layers ran.
    """

    cycles: int
    end_ps: int
    energy_pj: float
    latency: Mapping[str, int]
    energy: Mapping[str, float]
    counts: Mapping[tuple[str, str], float]
    pj: Mapping[tuple[str, str], float]

    @classmethod
    def of(cls, found: Record | Estimate) -> Figures:
        """The figures of a run or of its estimate."""
        units = found.hardware.units
        types = [units[name].type for name in found.units]
        counts: dict[tuple[str, str], float] = {}
        per_unit = found.counts.sum(axis=1)
        for u, a in np.argwhere(per_unit).tolist():
            key = types[u], found.actions[a]
            counts[key] = counts.get(key, 0.0) + float(per_unit[u, a])
        pj: dict[tuple[str, str], list[float]] = {}
        energy: dict[str, list[float]] = {part: [] for part in ENERGY}
        for term in energy_of(cast("Record", found)).terms:
            spec = units[term.unit]
            pj.setdefault((spec.type, term.action), []).append(term.pj)
            energy[part_of(spec, term.action, term.category)].append(term.pj)
        parts = {part: math.fsum(terms) for part, terms in energy.items()}
        compute = min(_compute_ps(found), found.end_ps)
        return cls(
            cycles=found.cycles if isinstance(found.cycles, int) else _cycles(found),
            end_ps=found.end_ps,
            energy_pj=math.fsum(parts.values()),
            latency={"compute": compute, "stall": found.end_ps - compute},
            energy=parts,
            counts=counts,
            pj={key: math.fsum(terms) for key, terms in pj.items()},
        )


def part_of(spec: Any, action: str, category: str) -> str:
    """The part of the energy that an action of a unit belongs to.

    leakage       static power of every unit, and the background power of a main memory's ranks
    dram          everything else in a main memory, whatever the operand
    state         reads and writes of membranes in a memory on chip
    sram          other accesses of memories on chip: weights, spikes, partial sums
    interconnect  movers of tensors, links, buses
    compute       operations, neuron updates and the control of a unit
    """
    operand = action.partition(":")[2]
    if category == STATIC or (spec.MEMORY == "main" and action in BACKGROUND):
        return "leakage"
    if spec.MEMORY == "main":
        return "dram"
    if category == "memory":
        return "state" if operand == "state" else "sram"
    return "interconnect" if category == "interconnect" else "compute"


def _cycles(found: Record | Estimate) -> int:
    """End of a run in cycles of the main clock."""
    return edge_at_or_after(found.end_ps, found.hardware.clocks[found.hardware.main_clock])


def _compute_ps(found: Record | Estimate) -> int:
    """Time in which the busiest compute unit works, ps."""
    if ACTIVE not in found.actions:
        return int(found.layer_busy_ps[1:].sum())
    column = found.actions.index(ACTIVE)
    busiest = 0
    for u, name in enumerate(found.units):
        spec: Any = found.hardware.units[name]
        by_layer = found.counts[u, :, column]
        cycles = int(by_layer.max() if spec.type == "cim_tile" else by_layer.sum())
        busiest = max(busiest, cycles * 10**12 // int(found.hardware.clocks[spec.clock]))
    return busiest
