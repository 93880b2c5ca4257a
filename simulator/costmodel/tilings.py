"""Many tilings of one layer on one machine, priced at once: the compiled form of `loopnest.py`, equal to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import prod
from typing import Any

import numpy as np

from simulator.costmodel.loopnest_links import Sharing
from simulator.costmodel.loopnest_tiles import elements
from simulator.costmodel.loopnest_types import (
    DIRECTIONS,
    LOOPS,
    OPERANDS,
    LoopLayer,
    LoopMachine,
    PinnedLoops,
    check_loops,
    touches,
)
from simulator.errors import InputError

CHUNK = 4096  # what is counted is priced while it is still in the cache
BITS = ("O_partial", "O_final", "W", "I")


@dataclass(frozen=True)
class Tilings:
    """N tilings under one unrolling of the array.

    loop, steps: int64 [N, L], index into `LOOPS` and steps, innermost first; a loop of one step is none.  end: int64
    [N, E], loops at or below each (operand, level), operands in the order of `OPERANDS`, levels from the array
    outwards; L for the outermost.  spatial, spatial_latency: as in `PinnedLoops`.
    """

    loop: np.ndarray
    steps: np.ndarray
    end: np.ndarray
    spatial: dict[str, Fraction]
    spatial_latency: dict[str, int]

    @classmethod
    def of(cls, mappings: Sequence[PinnedLoops]) -> Tilings:
        """Mappings that share their unrolling, shorter ones filled up with loops of one step."""
        size = max(len(mapping.temporal) for mapping in mappings)
        loop, steps, end = [], [], []
        for mapping in mappings:
            if (mapping.spatial, mapping.spatial_latency) != (mappings[0].spatial, mappings[0].spatial_latency):
                raise InputError("mappings that are priced together share their unrolling", key="spatial")
            spare = size - len(mapping.temporal)
            loop.append([LOOPS.index(name) for name, _ in mapping.temporal] + [0] * spare)
            steps.append([n for _, n in mapping.temporal] + [1] * spare)
            ends = [np.cumsum(mapping.placed[operand]) for operand in OPERANDS]
            for levels in ends:
                levels[-1] = size
            end.append(np.concatenate(ends))
        tables = [np.array(table, np.int64).reshape(len(mappings), -1) for table in (loop, steps, end)]
        return cls(tables[0], tables[1], tables[2], mappings[0].spatial, mappings[0].spatial_latency)

    def mapping(self, index: int, machine: LoopMachine) -> PinnedLoops:
        """One of them as a mapping of its own."""
        temporal = tuple((LOOPS[d], int(n)) for d, n in zip(self.loop[index], self.steps[index], strict=True))
        placed, first = {}, 0
        for operand in OPERANDS:
            last = first + len(machine.levels[operand])
            placed[operand] = tuple(int(n) for n in np.diff(self.end[index, first:last], prepend=0))
            first = last
        return PinnedLoops(temporal, placed, self.spatial, self.spatial_latency)


@dataclass(frozen=True)
class TilingCosts:
    """Costs of N tilings.

    accesses: int64 [N, memories, 2], reads and writes of the port width.  cycles: int64 [N, 4], rungs `ideal_temporal`,
    `total0`, `total1`, `total2`.  overfull: int64 [N], memories too small (0: the tiling fits).  words: int64
    [N, entries, 4] per (operand, level) and direction, empty unless asked for.  energy_pj: float64 [N], with the
    multiply-accumulates.
    """

    accesses: np.ndarray
    cycles: np.ndarray
    overfull: np.ndarray
    words: np.ndarray
    energy_pj: np.ndarray


def price_tilings(
    layer: LoopLayer, machine: LoopMachine, tilings: Tilings, sharing: Sharing = "per_element", words: bool = False
) -> TilingCosts:
    """Prices all tilings; InputError where they do not cover the layer or a port is missing.

    sharing: as in `price_loops`.  words: also the accesses per operand, level and direction.
    """
    from simulator.kernels import tilings as kernel

    _check(layer, machine, tilings)
    tables = machine_tables(layer, machine, tilings, sharing)
    size = tilings.loop.shape[0]
    accesses = np.empty((size, len(machine.memories), 2), np.int64)
    cycles = np.empty((size, 4), np.int64)
    overfull = np.empty(size, np.int64)
    energy = np.empty(size, np.float64)
    entries = len(tables["memory"])
    detail = np.zeros((size if words else 0, entries, len(DIRECTIONS)), np.int64)
    prices = np.array([[memory.read_pj, memory.write_pj] for memory in machine.memories]).reshape(-1)
    for start in range(0, size, CHUNK):
        part = slice(start, start + CHUNK)
        kernel.price_tilings(
            tilings.loop[part], tilings.steps[part], tilings.end[part], **tables,
            accesses=accesses[part], cycles=cycles[part], overfull=overfull[part], words=detail[part],
        )  # fmt: skip
        energy[part] = accesses[part].reshape(-1, prices.size) @ prices + layer.macs * machine.mac_pj
    return TilingCosts(accesses, cycles, overfull, detail, energy)


def machine_tables(
    layer: LoopLayer, machine: LoopMachine, tilings: Tilings, sharing: Sharing = "per_element"
) -> dict[str, Any]:
    """Arrays of the kernel that are the same for all tilings, by argument name."""
    entries = [(operand, memory) for operand in OPERANDS for memory in machine.levels[operand]]
    all_ports = [(memory.name, port) for memory in machine.memories for port in memory.ports]
    served: dict[tuple[str, str, str], tuple[int, int]] = {}
    for number, (name, port) in enumerate(all_ports):
        for place, (operand, direction) in enumerate(port.links):
            served.setdefault((name, operand, direction), (number, place))
    ports = [[served.get((memory.name, operand, way), (-1, 0)) for way in DIRECTIONS] for operand, memory in entries]
    unrollings = (tilings.spatial, {loop: Fraction(steps) for loop, steps in tilings.spatial_latency.items()})
    steps = [[unrolled.get(loop, Fraction(1)) for loop in LOOPS] for unrolled in (*unrollings, {})]
    names = [memory.name for memory in machine.memories]

    def whole(values: Any) -> np.ndarray:
        return np.array(values, np.int64)

    return {
        "first": whole(np.cumsum([0] + [len(machine.levels[operand]) for operand in OPERANDS])),
        "memory": whole([names.index(memory.name) for _, memory in entries]),
        "inside": whole([memory.per_pe for _, memory in entries]),
        "port": whole([[number for number, _ in row] for row in ports]),
        "rank": whole([[place for _, place in row] for row in ports]),
        "width": whole([port.bits for _, port in all_ports]),
        "both": whole([{"W", "I"} <= {operand for operand, _ in port.links} for _, port in all_ports]),
        "capacity": whole([memory.capacity_bits for memory in machine.memories]),
        "users": whole([len(memory.operands) for memory in machine.memories]),
        "bits": whole([layer.bits[name] for name in BITS]),
        "stride": whole(layer.stride),
        "top": whole([[n.numerator for n in row] for row in steps]),
        "bottom": whole([[n.denominator for n in row] for row in steps]),
        "different": whole([[
            round(prod((n for loop, n in unrolled.items() if touches(operand, loop)), start=Fraction(1)))
            for operand in OPERANDS] for unrolled in unrollings]),
        "gathered": whole([[elements(layer, operand, unrolled) for operand in OPERANDS] for unrolled in unrollings]),
        "reduced": int(_reduced(tilings.spatial)),
        "active": round(prod(tilings.spatial.values(), start=Fraction(1))),
        "distinct": int(sharing == "distinct"),
    }  # fmt: skip


def _check(layer: LoopLayer, machine: LoopMachine, tilings: Tilings) -> None:
    """InputError for arrays that do not go together, and for the first tiling that does not cover the layer."""
    from simulator.kernels import tilings as kernel

    size, loops = tilings.loop.shape
    entries = sum(len(machine.levels[operand]) for operand in OPERANDS)
    if tilings.steps.shape != (size, loops) or tilings.end.shape != (size, entries) or not size:
        raise InputError("the arrays of tilings do not go together", key="tilings",
                         found=[tilings.loop.shape, tilings.steps.shape, tilings.end.shape],
                         allowed=f"[N, L], [N, L], [N, {entries}]")  # fmt: skip
    for operand in OPERANDS:
        levels = machine.levels[operand]
        inner = ("read_to_below", "write_from_below")[: 2 if operand == "O" else 1]
        outer = ("write_from_above", "read_to_above")[: 2 if operand == "O" else 1]
        for level, memory in enumerate(levels):
            for way in (*inner, *(outer if level + 1 < len(levels) else ())):
                if memory.port(operand, way) is None:
                    raise InputError("no port serves a transfer of tilings", key=memory.name, found=f"{operand}.{way}")
    if _reduced(tilings.spatial) != _reduced(tilings.spatial_latency):
        raise InputError("a reduction loop is unrolled in words but not in time", key="spatial_latency")
    cover = [int(tilings.steps[0][tilings.loop[0] == number].prod()) for number in range(len(LOOPS))]
    first = np.cumsum([0] + [len(machine.levels[operand]) for operand in OPERANDS])
    wrong = kernel.first_wrong(tilings.loop, tilings.steps, tilings.end, first, np.array(cover, np.int64))
    if wrong >= 0:
        found = [each[wrong].tolist() for each in (tilings.loop, tilings.steps, tilings.end)]
        raise InputError("a tiling has an unknown loop, a loop without steps, levels out of order, or other products "
                         "of its loops than the first", key=f"tilings[{wrong}]", found=found)  # fmt: skip
    check_loops(layer, machine, tilings.mapping(0, machine))


def _reduced(spatial: Mapping[str, Fraction | int]) -> bool:
    return any(not touches("O", loop) and steps > 1 for loop, steps in spatial.items())
