"""Expected groups of a row block, by looking at every pattern of inputs that are on or off."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product


@dataclass
class Group:
    """Wordlines of one group: its domain, the arrays that it reads, its inputs."""

    domain: int
    arrays: int
    inputs: int


@dataclass
class Vector:
    """What one pattern costs."""

    active: int = 0
    groups: int = 0
    idle: int = 0
    rows: int = 0
    inputs: int = 0
    adds: int = 0
    slots: int = 0
    convert: int = 0
    turns: int = 0


def conversion(at: list[int], more: list[int], rows: int) -> int:
    """Cycles of a conversion with so many rows on."""
    return sum(extra for first, extra in zip(at, more, strict=True) if rows >= first)


def read(groups: list[Group], limit: int, policy: str, skip: str, side: bool, at: list[int], more: list[int],
         pattern: list[int]) -> Vector:  # fmt: skip
    """One vector; `pattern` has the rows that are on per group, as the contract of the tile says."""
    found = Vector(inputs=sum(pattern))
    if skip != "none" and not sum(pattern):
        return found
    found.active = 1
    in_turn = []
    for domain in sorted({g.domain for g in groups}):
        mine = [(g, n) for g, n in zip(groups, pattern, strict=True) if g.domain == domain]
        here = 0
        if skip == "array" and not sum(n for _, n in mine):
            continue
        for group, n in mine:
            made = {"static": 1, "static_skip": int(n > 0), "pack": -(-n // limit)}[policy]
            here += made
            found.groups += made if n else 0
            found.idle += made if not n else 0
            found.rows += n if made else 0
            found.slots += made * group.arrays
            found.convert += made * conversion(at, more, n) if policy != "pack" else 0
        in_turn.append(here)
    found.turns = (max if side else sum)(in_turn or [0])
    found.adds = max(sum(in_turn) - 1, 0)
    return found


def expected(groups: list[Group], limit: int, policy: str, skip: str, side: bool, at: list[int], more: list[int],
             p: float) -> dict[str, float]:  # fmt: skip
    """Means over all patterns, each input on with probability `p`."""
    found = dict.fromkeys(Vector.__dataclass_fields__, 0.0)
    for bits in product((0, 1), repeat=sum(g.inputs for g in groups)):
        chance, rest, pattern = 1.0, list(bits), []
        for bit in bits:
            chance *= p if bit else 1 - p
        for group in groups:
            pattern.append(sum(rest[: group.inputs]))
            del rest[: group.inputs]
        for name, value in vars(read(groups, limit, policy, skip, side, at, more, pattern)).items():
            found[name] += chance * value
    return found
