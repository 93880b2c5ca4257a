"""What a pinned loop nest is priced from: a convolution, memories around an array, loops in order and their levels."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from math import prod

from simulator.errors import InputError, unknown

LOOPS = ("B", "K", "C", "OY", "OX", "FY", "FX")
OPERANDS = ("O", "W", "I")
DIRECTIONS = ("read_to_below", "write_from_above", "write_from_below", "read_to_above")
READS = ("read_to_below", "read_to_above")
RELEVANT = {"O": ("B", "K", "OY", "OX"), "W": ("K", "C", "FY", "FX"), "I": ("B", "C")}
# Loops that move the input window: two of them together span its rows, two its columns.
WINDOW = (("OY", "FY"), ("OX", "FX"))
PARTLY_RELEVANT: dict[str, tuple[str, ...]] = {"O": (), "W": (), "I": ("OY", "FY", "OX", "FX")}


def touches(operand: str, loop: str) -> bool:
    """Whether a step of `loop` changes which elements of `operand` are used."""
    return loop in RELEVANT[operand] or loop in PARTLY_RELEVANT[operand]


@dataclass(frozen=True)
class LoopLayer:
    """O[b][k][oy][ox] += W[k][c][fy][fx] * I[b][c][sy*oy+fy][sx*ox+fx].

    sizes: steps of each loop of `LOOPS`.  stride: (y, x).  bits: width of an element of W, I, O_partial (a sum that is
    still open) and O_final.
    """

    name: str
    sizes: dict[str, int]
    bits: dict[str, int]
    stride: tuple[int, int] = (1, 1)

    @property
    def macs(self) -> int:
        """Multiply-accumulates of the layer."""
        return prod(self.sizes.values())


@dataclass(frozen=True)
class Port:
    """One physical port of a memory: its width in bits, and the (operand, direction) pairs that go through it."""

    name: str
    bits: int
    links: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class LoopMemory:
    """One memory level.  Energies are per access of a port's full width; `per_pe`: one instance in each element."""

    name: str
    operands: tuple[str, ...]
    capacity_bits: int
    per_pe: bool
    read_pj: float
    write_pj: float
    ports: tuple[Port, ...]

    def port(self, operand: str, direction: str) -> Port | None:
        """The port that serves an operand in one direction; None where nothing may move that way."""
        return next((port for port in self.ports if (operand, direction) in port.links), None)


@dataclass(frozen=True)
class LoopMachine:
    """An array of processing elements, and memories ordered from the array outwards."""

    elements: int
    mac_pj: float
    memories: tuple[LoopMemory, ...]
    levels: dict[str, tuple[LoopMemory, ...]] = field(init=False)

    def __post_init__(self) -> None:
        found = {}
        for operand in OPERANDS:
            levels = tuple(m for m in self.memories if operand in m.operands)
            inside = [m.per_pe for m in levels]
            if not levels or inside != sorted(inside, reverse=True) or inside[-1]:
                raise InputError(
                    "memories inside the elements come first, a shared one last",
                    key=operand,
                    found=[m.name for m in levels],
                )
            found[operand] = levels
        object.__setattr__(self, "levels", found)


@dataclass(frozen=True)
class PinnedLoops:
    """One mapping, complete.

    temporal: (loop, steps), innermost first.  placed: per operand, how many of these loops lie at each of its levels
    (they are placed in order, so the numbers add up to all of them).  spatial: steps unrolled over the array, possibly
    fractional; spatial_latency: the whole-numbered unrolling by which transfers are timed.
    """

    temporal: tuple[tuple[str, int], ...]
    placed: dict[str, tuple[int, ...]]
    spatial: dict[str, Fraction]
    spatial_latency: dict[str, int]

    @property
    def cycles(self) -> int:
        """Steps of all temporal loops: cycles of the array if it never waits."""
        return prod(steps for _, steps in self.temporal)

    @property
    def active(self) -> int:
        """Processing elements at work: the product of the unrolled loops, rounded."""
        return round(prod(self.spatial.values(), start=Fraction(1)))


def check_loops(layer: LoopLayer, machine: LoopMachine, mapping: PinnedLoops) -> None:
    """InputError unless the loops cover the layer and every operand has as many placements as levels."""
    for loop in {**mapping.spatial, **mapping.spatial_latency, **dict(mapping.temporal)}:
        if loop not in LOOPS:
            raise unknown("loop", loop, LOOPS)
    for output, kernel in WINDOW:
        if min(mapping.spatial.get(output, 1), mapping.spatial.get(kernel, 1)) > 1:
            raise InputError("the counting rules do not cover an array unrolled over an output and its kernel loop",
                             key="spatial", found=[output, kernel])  # fmt: skip
    for loop, size in layer.sizes.items():
        steps = prod(n for name, n in mapping.temporal if name == loop) * mapping.spatial.get(loop, Fraction(1))
        if abs(steps - size) > Fraction(size, 1000):
            raise InputError("the loops do not cover the layer", key=loop, found=float(steps), allowed=str(size))
    for operand in OPERANDS:
        placed = mapping.placed[operand]
        if len(placed) != len(machine.levels[operand]) or sum(placed) != len(mapping.temporal) or min(placed) < 0:
            levels = len(machine.levels[operand])
            raise InputError("the placement does not fit the memories of the operand", key=operand, found=list(placed),
                             allowed=f"{levels} levels that share {len(mapping.temporal)} loops")  # fmt: skip
