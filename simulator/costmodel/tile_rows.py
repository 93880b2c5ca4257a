"""Row blocks of a layer on crossbars as a closed form sees them: groups of wordlines, by kind of output position."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from simulator.mapping.crossbar import CrossbarPart, RowBlock


def places(part: CrossbarPart, grid: tuple[int, int]) -> list[tuple[np.ndarray, int]]:
    """(bool [taps]: kernel positions inside the map; positions of the layer that are like that)."""
    axes = []
    for axis in (0, 1):
        at = (
            np.arange(grid[axis])[:, None] * part.stride[axis]
            - part.padding[axis]
            + np.arange(part.kernel[axis]) * part.dilation[axis]
        )
        kinds, count = np.unique((at >= 0) & (at < part.shape[1 + axis]), axis=0, return_counts=True)
        axes.append(list(zip(kinds, count.tolist(), strict=True)))
    return [((rows[:, None] & cols[None, :]).ravel(), n * m) for rows, n in axes[0] for cols, m in axes[1]]


def groups_of(
    block: RowBlock, merged: bool, packed: bool, limit: int
) -> Iterator[tuple[int, int, list[tuple[int, int]]]]:
    """(domain, arrays read, [(tap, inputs)]) of each group of a block: fixed runs of `limit` inputs in wordline order,
    or (`packed`) all inputs of a domain.  Arrays whose bit lines are joined (`merged`) are one domain, others one each.
    """
    arrays = [[(number, s.tap, s.rows) for s in segments] for number, segments in enumerate(block.arrays)]
    domains = [[run for array in arrays for run in array]] if merged else arrays
    for number, domain in enumerate(domains):
        taken: list[tuple[int, int]] = []
        read: set[int] = set()
        room = limit
        for array, tap, inputs in domain:
            left = inputs
            while left:
                if room == 0 and not packed:
                    yield number, len(read), taken
                    taken, read, room = [], set(), limit
                now = left if packed else min(room, left)
                taken.append((tap, now))
                read.add(array)
                room, left = room - now, left - now
        yield number, len(read), taken


def plane_shares(part: CrossbarPart, p: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    """(share of pooled inputs that are on, share of them with each plane's bit set) for neurons that send with `p`.

    A pooled value is the number of spikes in its window, binomial; OR pooling leaves one bit.  Where a source sends
    both signs, each has half of the spikes.
    """
    pool = part.projection.pool
    area = 1 if pool is None else pool.size[0] * pool.size[1]
    p = np.minimum(p, 1)
    some = 1 - (1 - p) ** area
    if pool is None or pool.kind == "or":
        signs = len({sign for sign, _ in part.planes})
        return some, [some / signs if bit == 0 else np.zeros_like(p) for _, bit in part.planes]
    below, density = 1.0, []
    for k in range(area + 1):
        density.append(below * p**k * (1 - p) ** (area - k))
        below = below * (area - k) / (k + 1)
    shares = [np.add.reduce([density[k] for k in range(area + 1) if k >> bit & 1] or [np.zeros_like(p)])
              for _, bit in part.planes]  # fmt: skip
    return some, shares
