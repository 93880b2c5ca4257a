"""Stalls of a pinned loop nest, first loading and last unloading: ZigZag's latency ladder in our words.

Rules (ZigZag release 3.9.1).  Transfers are timed under the whole-numbered unrolling.

- Window of a transfer: its whole period if the level below can hold two tiles (what it must keep, its contents less the
  outermost loops that touch the operand wholly, fills at most half of the memory, all operands in it together; or fits
  into what is left), else the period over the level's outermost loops that do not touch the operand.
- Stall of a transfer = (cycles - window) x (periods - 1).  Stall of a port with one transfer: that; with several: the
  positive ones + max(0, negative ones + windows - union of the windows).  The layer stalls for its worst port.
- First loading: the operands follow their levels inwards; a link takes the longer of its two sides.  W and I load at
  the same time except where both sides of a link belong to ports that serve both.  A transfer that happens only once
  is spread over the computation as far as its port has cycles to spare, down to one element's tile.  (Spare cycles are
  whole here, fractions there: less than a cycle of difference, and only where a port is nearly saturated.)
- Last unloading: the links of the output one after another.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from simulator.costmodel.loopnest_links import Loops, Transfer
from simulator.costmodel.loopnest_types import OPERANDS, LoopLayer, LoopMachine, LoopMemory, Port


@dataclass(frozen=True)
class TimedTransfer:
    """A transfer with its cycles, the window they may take, and its stall (negative: slack)."""

    transfer: Transfer
    window: int

    @property
    def stall(self) -> int:
        """Cycles by which all transfers but the first miss their windows."""
        return (self.transfer.accesses - self.window) * (self.transfer.periods - 1)


@dataclass(frozen=True)
class PortLoad:
    """One physical port, its transfers and its stall."""

    memory: LoopMemory
    port: Port
    transfers: tuple[TimedTransfer, ...]
    stall: int


def contents_bits(layer: LoopLayer, found: Loops, operand: str, level: int) -> int:
    """Bits that an operand keeps in one instance of a memory level."""
    held = found.levels[operand][level + 1]
    if operand == "O":
        return held.tile * layer.bits["O_partial" if held.open_above else "O_final"]
    return held.tile * layer.bits[operand]


def overfull(layer: LoopLayer, machine: LoopMachine, found: Loops) -> list[str]:
    """Names of the memories that cannot hold what the mapping places in them."""
    return [m.name for m in machine.memories if sum(
        contents_bits(layer, found, operand, machine.levels[operand].index(m)) for operand in m.operands
    ) > m.capacity_bits]  # fmt: skip


def double_buffered(layer: LoopLayer, machine: LoopMachine, found: Loops) -> dict[str, list[bool]]:
    """Per operand and level (index 0: the array itself) whether a tile can be replaced while it is used."""
    needed = {
        (operand, level): contents_bits(layer, found, operand, level) // found.levels[operand][level + 1].top_live
        for operand in OPERANDS
        for level in range(len(machine.levels[operand]))
    }
    used = {
        memory.name: sum(needed[operand, machine.levels[operand].index(memory)] for operand in memory.operands)
        for memory in machine.memories
    }
    flags: dict[str, list[bool]] = {}
    for operand in OPERANDS:
        flags[operand] = [False]
        for level, memory in enumerate(machine.levels[operand]):
            twice = 2 * used[memory.name] <= memory.capacity_bits
            if not twice and needed[operand, level] <= memory.capacity_bits - used[memory.name]:
                twice = True
                if len(memory.operands) > 1:
                    used[memory.name] += needed[operand, level]
            flags[operand].append(twice)
    return flags


def port_loads(machine: LoopMachine, found: Loops, twice: dict[str, list[bool]]) -> list[PortLoad]:
    """Every physical port that moves anything."""
    timed = {}
    for transfer in found.transfers:
        below = found.levels[transfer.operand][transfer.receiver]
        whole = twice[transfer.operand][transfer.receiver]
        window = transfer.period if whole else transfer.period // below.top_idle
        memory = machine.levels[transfer.operand][transfer.level]
        timed[memory.name, transfer.operand, transfer.direction] = TimedTransfer(transfer, window)
    loads = []
    for memory in machine.memories:
        for port in memory.ports:
            own = tuple(timed[memory.name, *link] for link in port.links if (memory.name, *link) in timed)
            if own:
                loads.append(PortLoad(memory, port, own, port_stall(own)))
    return loads


def port_stall(timed: tuple[TimedTransfer, ...]) -> int:
    """Stall of a port that carries these transfers."""
    stalls = [each.stall for each in timed]
    if len(stalls) == 1:
        return stalls[0]
    windows = sum(each.window * (each.transfer.periods - 1) for each in timed)
    slack = sum(stall for stall in stalls if stall <= 0)
    return sum(stall for stall in stalls if stall > 0) + max(0, slack + windows - union_of_windows(timed))


def union_of_windows(timed: tuple[TimedTransfer, ...]) -> int:
    """Cycles of the layer in which any of the windows is open; each opens at the start of its period."""
    cycles = timed[0].transfer.period * timed[0].transfer.periods
    if any(each.window == each.transfer.period for each in timed):
        return cycles
    longest = max(each.transfer.period for each in timed)
    opened = {(start, start + each.window) for each in timed for start in range(0, longest, each.transfer.period)}
    covered = end = 0
    for start, stop in sorted(opened):
        covered += max(0, stop - max(start, end))
        end = max(end, stop)
    return covered * (cycles // longest)


def waiting_cycles(
    layer: LoopLayer, machine: LoopMachine, found: Loops, loads: list[PortLoad], cycles: int
) -> tuple[int, int]:
    """(first loading, last unloading) of a computation of `cycles` cycles, stalls included."""
    waits: dict[tuple[str, str, str], tuple[int, bool]] = {}
    for load in loads:
        both = {"W", "I"} <= {operand for operand, _ in load.port.links}
        counted = [each.transfer for each in load.transfers if _loads_or_unloads(each.transfer)]
        # Elements per cycle beside bits per cycle, as published.
        busy = sum(t.amount // t.period for t in counted if t.periods > 1)
        spare = max(0, (load.port.bits - busy) * cycles // load.port.bits)
        for t in sorted(counted, key=lambda t: -t.accesses):
            wait = t.accesses
            if t.periods == 1:
                least = ceil(contents_bits(layer, found, t.operand, 0) / load.port.bits)
                moved = min(max(0, wait - least), spare)
                wait, spare = wait - moved, spare - moved
            waits[load.memory.name, t.operand, t.direction] = (wait, both)
    links = {operand: _link_waits(machine, operand, waits) for operand in OPERANDS}
    alone, half, shared = {}, {}, {}
    for operand in ("W", "I"):
        alone[operand] = sum(wait for wait, ports in links[operand] if ports == 0)
        half[operand] = ([0] + [wait for wait, ports in links[operand] if ports == 1])[-1]
        shared[operand] = sum(wait for wait, ports in links[operand] if ports == 2)
    onload = min(
        shared[first] + max(shared[then] + half[then] + alone[then], half[first] + alone[first])
        for first, then in (("W", "I"), ("I", "W"))
    )
    return onload, sum(wait for wait, _ in links["O"])


def _loads_or_unloads(transfer: Transfer) -> bool:
    return transfer.operand != "O" or transfer.direction in ("write_from_below", "read_to_above")


def _link_waits(
    machine: LoopMachine, operand: str, waits: dict[tuple[str, str, str], tuple[int, bool]]
) -> list[tuple[int, int]]:
    """Per link between two memories: its wait, and how many of its two ports serve both inputs."""
    upper, lower = ("write_from_below", "read_to_above") if operand == "O" else ("read_to_below", "write_from_above")
    found = []
    for below, above in zip(machine.levels[operand], machine.levels[operand][1:], strict=False):
        first, second = waits[below.name, operand, lower], waits[above.name, operand, upper]
        found.append((max(first[0], second[0]), first[1] + second[1]))
    return found
