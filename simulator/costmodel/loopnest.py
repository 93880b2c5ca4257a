"""Pinned loop nests: words per operand, level and direction, energy, and the latency ladder, in closed form.

The counting rules are those of ZigZag (release 3.9.1; `loopnest_links.py` for words, `loopnest_latency.py` for
cycles), so that one mapping can be compared with a published tool term by term.  Energy = words x price of an access
(a partly used word costs a full one) + exact multiply-accumulates x their price.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import fsum

from simulator.costmodel.loopnest_latency import (
    PortLoad,
    double_buffered,
    overfull,
    port_loads,
    waiting_cycles,
)
from simulator.costmodel.loopnest_links import Loops, Sharing, loops
from simulator.costmodel.loopnest_types import (
    DIRECTIONS,
    OPERANDS,
    READS,
    LoopLayer,
    LoopMachine,
    PinnedLoops,
    check_loops,
)


@dataclass(frozen=True)
class LevelCost:
    """One operand at one memory level: accesses of the port width per direction, and their energy."""

    operand: str
    memory: str
    words: dict[str, int]
    energy_pj: float


@dataclass(frozen=True)
class Ladder:
    """Cycles with one more cause each.

    ideal: multiply-accumulates over elements.  ideal_temporal: product of the temporal loops.  total0: with stalls.
    total1: with the first loading.  total2: with the last unloading.
    """

    ideal: int
    ideal_temporal: int
    total0: int
    total1: int
    total2: int


@dataclass(frozen=True)
class LoopCost:
    """What a pinned loop nest costs.  overfull: memories too small for it (empty: it fits)."""

    levels: list[LevelCost]
    mac_pj: float
    ladder: Ladder
    ports: list[PortLoad]
    overfull: list[str]

    @property
    def memory_pj(self) -> float:
        """Energy of all memory accesses."""
        return fsum(level.energy_pj for level in self.levels)

    @property
    def total_pj(self) -> float:
        """Energy of memory accesses and multiply-accumulates."""
        return fsum((self.memory_pj, self.mac_pj))


def price_loops(
    layer: LoopLayer, machine: LoopMachine, mapping: PinnedLoops, sharing: Sharing = "per_element"
) -> LoopCost:
    """Prices one mapping; InputError where loops, levels and memories do not go together.

    sharing: `per_element` as published, `distinct` where neighbouring elements share their halo.
    """
    check_loops(layer, machine, mapping)
    counted = loops(layer, machine, mapping, mapping.spatial, sharing)
    whole = {loop: Fraction(steps) for loop, steps in mapping.spatial_latency.items()}
    timed = loops(layer, machine, mapping, whole, sharing)
    twice = double_buffered(layer, machine, counted)
    ports = port_loads(machine, timed, twice)
    computing = mapping.cycles + max(0, *(load.stall for load in ports))
    onload, offload = waiting_cycles(layer, machine, timed, ports, computing)
    ladder = Ladder(-(-layer.macs // machine.elements), mapping.cycles, computing, computing + onload,
                    computing + onload + offload)  # fmt: skip
    return LoopCost(_level_costs(machine, counted), layer.macs * machine.mac_pj, ladder, ports,
                    overfull(layer, machine, counted))  # fmt: skip


def _level_costs(machine: LoopMachine, counted: Loops) -> list[LevelCost]:
    costs = []
    for operand in OPERANDS:
        for level, memory in enumerate(machine.levels[operand]):
            words = dict.fromkeys(DIRECTIONS, 0)
            for transfer in counted.transfers:
                if (transfer.operand, transfer.level) == (operand, level):
                    words[transfer.direction] = transfer.words
            energy = fsum(
                n * (memory.read_pj if direction in READS else memory.write_pj) for direction, n in words.items()
            )
            costs.append(LevelCost(operand, memory.name, words, energy))
    return costs
