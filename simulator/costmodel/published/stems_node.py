"""One computation node as STEMS counts it: words per memory and operand, energy and cycles of its loop nest.

Sources: counting rules of ZigZag 3.9.1 (ceil per refresh; `costmodel/loopnest*.py`); states as a fourth operand V and
density scaling of STEMS (sjoks93/STEMS, commit 323e004).  Of a few common orders of loops the one with the least
energy is taken, as the source's search takes the least of many.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

from simulator.costmodel.loopnest import price_loops
from simulator.costmodel.loopnest_links import loops
from simulator.costmodel.loopnest_tiles import elements
from simulator.costmodel.loopnest_types import LOOPS, OPERANDS, READS, LoopLayer, PinnedLoops
from simulator.costmodel.published.stems_array import Array
from simulator.units import ceil_div

ORDERS = (
    ("FX", "FY", "C", "B", "OX", "OY", "K"),
    ("FX", "FY", "C", "OX", "OY", "K", "B"),
    ("FX", "FY", "C", "K", "OX", "OY", "B"),
    ("FX", "FY", "C", "K", "B", "OX", "OY"),
    ("OX", "OY", "B", "FX", "FY", "C", "K"),
    ("OX", "OY", "FX", "FY", "C", "K", "B"),
)
"""Loops, innermost first: outputs stay, or weights stay; timesteps (B) inside or outside."""


class Counted(NamedTuple):
    """A loop nest at full density.  Two sides: 0 what an operation of the array touches or what W and I move, which
    goes with the inputs where the chip skips; 1 outputs on their way outwards and back.

    words    per side (memory, operand, "read" or "write") -> least accesses; registers under "register <operand>"
    access_pj   per side, energy of these
    mac_pj   energy of the operations
    cycles   with stalls and the first loading, without the last unloading
    busy     per side, cycles of the busiest port
    """

    words: tuple[dict[tuple[str, str, str], int], dict[tuple[str, str, str], int]]
    access_pj: tuple[float, float]
    mac_pj: float
    cycles: int
    busy: tuple[int, int]


def count(layer: LoopLayer, array: Array) -> Counted:
    """The cheapest of the known orders; one that overfills a memory only if all do."""
    found = [(bool(full), sum(made.access_pj), made.cycles, n, made)
             for n, (full, made) in enumerate(_counted(layer, array, m) for m in mappings(layer, array))]  # fmt: skip
    return min(found)[-1]


def mappings(layer: LoopLayer, array: Array) -> Iterator[PinnedLoops]:
    """The loops of a layer in every known order, each level filled from inside with as many as fit."""
    rounds = {loop: ceil_div(size, array.lanes.get(loop, 1)) for loop, size in layer.sizes.items()}
    spatial = {loop: Fraction(size, rounds[loop]) for loop, size in layer.sizes.items() if size > rounds[loop]}
    whole = {loop: int(steps) for loop, steps in spatial.items()}
    for order in ORDERS:
        temporal = tuple((loop, rounds[loop]) for loop in order if rounds[loop] > 1)
        yield PinnedLoops(temporal, {o: _placed(layer, array, o, temporal, spatial) for o in OPERANDS}, spatial, whole)


def _placed(
    layer: LoopLayer, array: Array, operand: str, temporal: tuple[tuple[str, int], ...], spatial: dict[str, Fraction]
) -> tuple[int, ...]:
    """Loops at each level of an operand; the outermost takes the rest."""
    levels = array.machine.levels[operand]
    bits = layer.bits["O_partial" if operand == "O" else operand]
    ends: list[int] = []
    for memory in levels[:-1]:
        end = ends[-1] if ends else 0
        while not memory.per_pe and end < len(temporal):
            steps: dict[str, int | Fraction] = dict.fromkeys(LOOPS, 1)
            steps.update(spatial)
            for loop, rounds in temporal[: end + 1]:
                steps[loop] *= rounds
            if elements(layer, operand, steps) * bits > memory.capacity_bits:
                break
            end += 1
        ends.append(end)
    ends.append(len(temporal))
    return tuple(end - start for start, end in zip([0, *ends], ends, strict=False))


def _counted(layer: LoopLayer, array: Array, mapping: PinnedLoops) -> tuple[list[str], Counted]:
    """(memories that are too small, what the mapping costs)."""
    priced = price_loops(layer, array.machine, mapping)
    words: tuple[dict[tuple[str, str, str], int], ...] = ({}, {})
    energy = [0.0, 0.0]
    busy: dict[tuple[str, int], list[int]] = {}
    for t in loops(layer, array.machine, mapping, mapping.spatial).transfers:
        memory = array.machine.levels[t.operand][t.level]
        flat = array.memories[memory.name]
        accesses = ceil_div(t.amount * t.bits, flat.bits) * t.periods * t.instances
        way = "read" if t.direction in READS else "write"
        side = int(t.operand == "O" and t.receiver > 0)
        key = memory.name, t.operand, way
        words[side][key] = words[side].get(key, 0) + accesses
        energy[side] += accesses * flat.bits * (flat.read_pj if way == "read" else flat.write_pj)
        if memory.per_pe:
            continue
        number = next(n for n, port in enumerate(memory.ports) if (t.operand, t.direction) in port.links)
        busy.setdefault((memory.name, number), [0, 0])[side] += t.accesses * t.periods
    first, second = (max((port[side] for port in busy.values()), default=0) for side in (0, 1))
    return priced.overfull, Counted((words[0], words[1]), (energy[0], energy[1]), layer.macs * array.mac_pj,
                                    priced.ladder.total1, (first, second))  # fmt: skip
