"""What each memory level of an operand holds and how long: level bounds, periods, tiles.

Rules of ZigZag (KULeuven-MICAS, cost model of release 3.9.1) in our words.  A level is refreshed when a loop above it
that touches the operand steps, so loops at the bottom of a level that do not touch the operand belong to the level
below ("stationary" loops move down).  Steps of loops that do not touch the operand still lengthen the period.  A loop
of one step is no loop.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import prod

from simulator.costmodel.loopnest_types import PARTLY_RELEVANT, RELEVANT, WINDOW, LoopLayer, PinnedLoops, touches


@dataclass(frozen=True)
class Level:
    """One operand at one memory level under one unrolling.

    period, periods: cycles between refreshes and how many there are.  tile: elements in one instance.  shared_tile: the
    distinct elements of all instances together.  top_idle: product of the level's outermost loops that do not touch the
    operand.  top_live: product of its outermost loops that touch it wholly.  open_above: a loop further out still adds
    to the same sums.
    """

    period: int
    periods: int
    tile: int
    shared_tile: int
    top_idle: int
    top_live: int
    open_above: bool


def elements(layer: LoopLayer, operand: str, steps: Mapping[str, int | Fraction]) -> int:
    """Distinct elements of an operand that `steps` of its loops span; input rows are (OY - 1) * stride + FY."""
    size = prod((steps.get(loop, 1) for loop in RELEVANT[operand]), start=Fraction(1))
    if PARTLY_RELEVANT[operand]:
        for (output, kernel), stride in zip(WINDOW, layer.stride, strict=True):
            size *= (steps.get(output, 1) - 1) * stride + steps.get(kernel, 1)
    return round(size)


def bounds(mapping: PinnedLoops, operand: str) -> list[int]:
    """Per level the number of loops at it or below, after stationary loops have moved down."""
    ends, below = [], 0
    for placed in mapping.placed[operand]:
        below += placed
        end = below
        while end < len(mapping.temporal) and not _refreshes(operand, *mapping.temporal[end]):
            end += 1
        ends.append(end)
    return ends


def stationary_cycles(mapping: PinnedLoops, operand: str) -> int:
    """Cycles for which the array uses the same element: the innermost loops up to the first that touches the operand.

    Outputs are read and written in every cycle.
    """
    cycles = 1
    for loop, steps in mapping.temporal:
        if operand == "O" or _refreshes(operand, loop, steps):
            break
        cycles *= steps
    return cycles


def levels(
    layer: LoopLayer, mapping: PinnedLoops, operand: str, inside: list[bool], spatial: Mapping[str, int | Fraction]
) -> list[Level]:
    """The operand in the array itself (one element per processing element), then all its levels outwards.

    inside: per memory whether it exists once per processing element; a shared one also holds what `spatial` spans.
    """
    still = stationary_cycles(mapping, operand)
    reduced = any(not touches("O", loop) and steps > 1 for loop, steps in mapping.temporal)
    found = [Level(still, mapping.cycles // still, 1, elements(layer, operand, spatial), 1, 1, reduced)]
    start = 0
    for end, per_pe in zip(bounds(mapping, operand), inside, strict=True):
        temporal = {loop: 1 for loop in layer.sizes}
        for loop, steps in mapping.temporal[:end]:
            temporal[loop] *= steps
        unrolled = {loop: steps * spatial.get(loop, 1) for loop, steps in temporal.items()}
        everywhere = elements(layer, operand, unrolled)
        period = prod(temporal.values())
        own = mapping.temporal[start:end]
        found.append(Level(
            period=period,
            periods=mapping.cycles // period,
            tile=elements(layer, operand, temporal) if per_pe else everywhere,
            shared_tile=everywhere,
            top_idle=_top(own, [loop for loop in layer.sizes if not touches(operand, loop)]),
            top_live=_top(own, RELEVANT[operand]),
            open_above=any(not touches("O", loop) and steps > 1 for loop, steps in mapping.temporal[end:]),
        ))  # fmt: skip
        start = end
    return found


def _top(loops: tuple[tuple[str, int], ...], wanted: tuple[str, ...] | list[str]) -> int:
    product = 1
    for loop, steps in reversed(loops):
        if steps > 1 and loop not in wanted:
            break
        product *= steps
    return product


def _refreshes(operand: str, loop: str, steps: int) -> bool:
    return steps > 1 and touches(operand, loop)
