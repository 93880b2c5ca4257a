"""Transfers between neighbouring levels of an operand, and the words they cost at both sides.

Rules of ZigZag (release 3.9.1), which its own results confirm word by word:

- A transfer moves the tile of the level below and takes ceil(bits / port) accesses, each transfer by itself.
- A memory outside the array feeds the elements tile by tile: it moves the tile of one element times the number of
  elements that need different data (the product of the unrolled loops that touch the operand, rounded).  The halo
  between neighbouring rows is thus moved once per row.
- The element's own memory is accessed in every element at work.  An input stays on its output while the array uses the
  same element; an output is read and written in every cycle.
- Sums move both ways, in the width of an open sum, as long as a reduction loop above the transfer is open; otherwise
  upwards only, in the final width.  The first read of a sum is counted although it is zero.
- What fills the outermost memory from outside is free.

`sharing="distinct"` is this project's convention: the outer side moves each distinct element of all elements together
once (shared halo, one rounding).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import prod
from typing import Literal

from simulator.costmodel.loopnest_tiles import Level, levels
from simulator.costmodel.loopnest_types import OPERANDS, LoopLayer, LoopMachine, PinnedLoops, touches
from simulator.errors import InputError

Sharing = Literal["per_element", "distinct"]


@dataclass(frozen=True)
class Transfer:
    """One side of one link: what an operand moves through one port in one direction.

    level: memory level whose port it is.  receiver: index, in `Loops.levels`, of the level below the link, which sets
    how long a transfer may take.  amount: elements per transfer in one instance.  bits: width of an element.
    instances: memories that do it at the same time.
    """

    operand: str
    level: int
    direction: str
    receiver: int
    amount: int
    bits: int
    port_bits: int
    period: int
    periods: int
    instances: int

    @property
    def accesses(self) -> int:
        """Port words per transfer in one instance; also its cycles."""
        return -(-self.amount * self.bits // self.port_bits)

    @property
    def words(self) -> int:
        """Port words of the layer, summed over instances."""
        return self.accesses * self.periods * self.instances


@dataclass(frozen=True)
class Loops:
    """Levels (index 0: the array itself) and transfers of every operand under one unrolling."""

    levels: dict[str, list[Level]]
    transfers: list[Transfer]


def loops(
    layer: LoopLayer,
    machine: LoopMachine,
    mapping: PinnedLoops,
    spatial: Mapping[str, int | Fraction],
    sharing: Sharing = "per_element",
) -> Loops:
    """All transfers of a mapping under the unrolling `spatial`."""
    found: dict[str, list[Level]] = {}
    transfers: list[Transfer] = []
    reduced = any(not touches("O", loop) and steps > 1 for loop, steps in spatial.items())
    for operand in OPERANDS:
        memories = machine.levels[operand]
        inside = [memory.per_pe for memory in memories]
        found[operand] = levels(layer, mapping, operand, inside, spatial)
        unrolled = (Fraction(steps) for loop, steps in spatial.items() if touches(operand, loop))
        different = round(prod(unrolled, start=Fraction(1)))
        for above, memory in enumerate(memories):
            below = found[operand][above]
            gathered = below.tile
            if ([True, *inside])[above] and not memory.per_pe:
                gathered = below.shared_tile if sharing == "distinct" else below.tile * different
            partial = below.open_above or (reduced and memory.per_pe)
            bits = layer.bits[operand if operand != "O" else "O_partial" if partial else "O_final"]
            for level, direction, amount in _sides(operand, above, partial, gathered, below.tile):
                port = memories[level].port(operand, direction)
                if port is None:
                    raise InputError("no port serves a transfer of the mapping", key=memories[level].name,
                                     found=f"{operand}.{direction}")  # fmt: skip
                instances = mapping.active if memories[level].per_pe else 1
                transfers.append(Transfer(operand, level, direction, above, amount, bits, port.bits, below.period,
                                          below.periods, instances))  # fmt: skip
    return Loops(found, transfers)


def _sides(operand: str, above: int, partial: bool, outer: int, inner: int) -> Iterator[tuple[int, str, int]]:
    """(level, direction, elements) of both sides of the link below level `above`, for each way that data moves."""
    for down in [True] if operand != "O" else [True, False] if partial else [False]:
        yield above, "read_to_below" if down else "write_from_below", outer
        if above:
            yield above - 1, "write_from_above" if down else "read_to_above", inner
