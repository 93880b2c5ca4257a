"""Row blocks of a layer on crossbars as a closed form sees them: kinds of output position, groups of wordlines."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from simulator.mapping.crossbar import CrossbarLayer, CrossbarPart, RowBlock
from simulator.mapping.crossbar.groups import cut_groups, domains_of


class Place(NamedTuple):
    """Output positions that are alike: how `many`, and per projection which kernel positions lie inside the map, bool
    [taps]."""

    many: int
    inside: tuple[np.ndarray, ...]


def places(layer: CrossbarLayer, everything: bool) -> list[Place]:
    """Kinds of output positions of a layer.  everything: all kernel positions count, padding too."""
    if everything:
        return [Place(layer.positions, tuple(np.ones(part.taps, bool) for part in layer.parts))]
    axes = []
    for axis in (0, 1):
        seen = [_inside(part, axis, layer.grid[axis]) for part in layer.parts]
        cuts = np.cumsum([table.shape[1] for table in seen])[:-1]
        kinds, count = np.unique(np.concatenate(seen, axis=1), axis=0, return_counts=True)
        axes.append([(np.split(kind, cuts), int(n)) for kind, n in zip(kinds, count, strict=True)])
    return [
        Place(n * m, tuple((a[:, None] & b[None, :]).ravel() for a, b in zip(rows, columns, strict=True)))
        for rows, n in axes[0]
        for columns, m in axes[1]
    ]


def _inside(part: CrossbarPart, axis: int, outputs: int) -> np.ndarray:
    """Whether each kernel position lies inside the map, bool [outputs, taps of the axis]."""
    if part.digital:
        return np.ones((outputs, 1), bool)
    at = np.arange(outputs)[:, None] * part.stride[axis] - part.padding[axis]
    at = at + np.arange(part.kernel[axis]) * part.dilation[axis]
    found: np.ndarray = (at >= 0) & (at < part.shape[1 + axis])
    return found


class Groups(NamedTuple):
    """Groups of wordlines of a row block: the domain of each; arrays that it reads; runs (tap, inputs) of it."""

    domain: list[int]
    arrays: list[int]
    runs: list[list[tuple[int, int]]]


def groups_of(spec: Any, part: CrossbarPart, block: RowBlock) -> Groups:
    """Groups of a block as the tile reads them; with packed rows a domain is one."""
    limit = part.group_limit(spec.crossbar.rows_parallel)
    found = Groups([], [], [])
    for number, domain in enumerate(domains_of(block, spec.crossbar.kernel_merge == "analog")):
        for group in [domain] if spec.crossbar.row_policy == "pack" else cut_groups(domain, limit):
            found.domain.append(number)
            found.arrays.append(len({array for array, _ in group}))
            found.runs.append([(tap, high - low) for _, (tap, low, high) in group])
    return found


def alike(spec: Any, layer: CrossbarLayer) -> list[list[int]]:
    """Row blocks that cost the same, as lists of their numbers: equal projections, outputs, columns and groups."""
    kinds: dict[tuple[Any, ...], list[int]] = {}
    for number, block in enumerate(layer.row_blocks):
        columns = tuple(layer.columns_of(number, column) for column in range(len(block.columns)))
        rows = tuple(tuple((s.tap, s.rows) for s in segments) for segments in block.arrays)
        kinds.setdefault((block.part, block.outputs, columns, rows), []).append(number)
    return list(kinds.values())


def kept(spec: Any, layer: CrossbarLayer, part: CrossbarPart) -> float:
    """Share of a window that is fetched: with a line buffer, all of it at the start of a row, then what is new."""
    moved, width = part.stride[1] * layer.copies, part.kernel[1]
    if not spec.buffer.line_buffer or moved % part.dilation[1]:
        return 1.0
    fresh = min(1.0, moved // part.dilation[1] / width)
    first = min(1.0, layer.copies / max(1, layer.grid[1]))
    return first + (1 - first) * fresh
