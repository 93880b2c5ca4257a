"""Which bits went from which memory level to which: a reading of what each level read and wrote.

A record knows what every level read and wrote, not where it came from.  For each operand the levels that hold it form a
chain: main memory, then on-chip levels from the one read least to the one read most, then the cores.  What a level
wrote is taken to come from the next level out as far as that one read so much, and from the cores beyond that.  What it
read is taken to go out as far as the next level out wrote more than was brought to it, and to the cores beyond that;
a level that holds nothing but copies of what came in sends nothing out.  Where an operand has one level on the chip,
written by the cores, this is exact.
"""

from __future__ import annotations

from dataclasses import dataclass

from simulator.record import Record
from simulator.record_summary import OPERANDS, level_of, movement_bits

CORES = "cores"
"""Everything that computes."""


@dataclass(frozen=True)
class Flow:
    """`bits` of one operand that went from one level to another; `inwards`: towards the cores."""

    source: str
    target: str
    operand: str
    bits: int
    inwards: bool


def main_memories(record: Record) -> list[str]:
    """Levels outside the chip."""
    return list(dict.fromkeys(level_of(u) for u in record.units if "dram" in record.hardware.units[u].type))


def chain_of(record: Record, operand: str) -> list[str]:
    """Levels that read or wrote an operand, from main memory to the cores; the cores are left out."""
    moved = {level: parts[operand] for level, parts in movement_bits(record).items() if operand in parts}
    outside = [level for level in main_memories(record) if level in moved]
    inside = [level for level in moved if level not in outside]
    return [*outside, *sorted(inside, key=lambda level: moved[level]["read"])]


def flows(record: Record) -> list[Flow]:
    """All flows, operand by operand, from the outside in; nothing that is zero."""
    found: list[Flow] = []
    movement = movement_bits(record)
    for operand in OPERANDS:
        chain = chain_of(record, operand)
        parts = [movement[level][operand] for level in chain]
        left = [part["read"] for part in parts]
        missing = [part["write"] for part in parts]
        for i in range(1, len(chain)):
            down = min(left[i - 1], missing[i])
            left[i - 1] -= down
            missing[i] -= down
            found.append(Flow(chain[i - 1], chain[i], operand, down, True))
        made_inside = [bits > 0 for bits in missing]
        for i in range(1, len(chain)):
            up = min(left[i], missing[i - 1]) if made_inside[i] else 0
            left[i] -= up
            missing[i - 1] -= up
            found.append(Flow(chain[i], chain[i - 1], operand, up, False))
        for i, level in enumerate(chain):
            found.append(Flow(level, CORES, operand, left[i], True))
            found.append(Flow(CORES, level, operand, missing[i], False))
    return [flow for flow in found if flow.bits]
