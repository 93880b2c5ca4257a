"""Overlapping intervals cycle by cycle: what `simulator.kernels.sweep` computes in one pass over the edges."""

from __future__ import annotations


def painted(intervals: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """(start, end, kind) segments of the lowest kind in each cycle; intervals are (start, end, kind), end exclusive."""
    cycles: dict[int, int] = {}
    for start, end, kind in intervals:
        for cycle in range(start, end):
            cycles[cycle] = min(kind, cycles.get(cycle, kind))
    segments: list[tuple[int, int, int]] = []
    for cycle in sorted(cycles):
        kind = cycles[cycle]
        if segments and segments[-1][1] == cycle and segments[-1][2] == kind:
            segments[-1] = (segments[-1][0], cycle + 1, kind)
        else:
            segments.append((cycle, cycle + 1, kind))
    return segments
