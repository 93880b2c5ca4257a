"""The order in which ready nodes run, and the barriers between ways of fusing."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence

import numpy as np

from simulator.mapping.fusion.entry import FusedMapping
from simulator.mapping.fusion.nodes import Nodes


def barriers_of(entries: Sequence[FusedMapping]) -> dict[int, int]:
    """Barrier number of every block, in order of blocks.

    A block fused in batches of time after one fused step by step, or the reverse, begins a new number; a block that is
    not fused clears what was seen.  A block is fused where one of its layers is cut into columns.
    """
    fused: dict[int, bool] = {}
    batched: dict[int, bool] = {}
    for entry in entries:
        fused[entry.block] = fused.get(entry.block, False) or entry.columns > 1
        batched[entry.block] = entry.node_timesteps == "all"
    found: dict[int, int] = {}
    number, seen_batched, seen_stepped = 0, False, False
    for block in sorted(fused):
        if not fused[block]:
            seen_batched = seen_stepped = False
        elif batched[block]:
            number += seen_stepped
            seen_stepped, seen_batched = False, True
        else:
            number += seen_batched
            seen_batched, seen_stepped = False, True
        found[block] = number
    return found


class Ready:
    """Yields every node of a layer once all nodes that it reads were yielded."""

    def __init__(self, nodes: Nodes, barrier: Sequence[int], depth_first: bool) -> None:
        self.nodes, self.barrier, self.depth_first = nodes, barrier, depth_first
        self.open: list[int] = nodes.open_inputs().tolist()
        self._heap: list[tuple[int, ...]] = []
        for population in range(nodes.inputs, len(nodes.names)):
            base, end = int(nodes.base[population]), int(nodes.base[population + 1])
            for node in (base + np.flatnonzero(np.array(self.open[base:end]) == 0)).tolist():
                self._push(population, node)

    def __iter__(self) -> Iterator[tuple[int, int, int, int]]:
        """(node, population, column part, timestep part)."""
        nodes = self.nodes
        while self._heap:
            *_, population, node = heapq.heappop(self._heap)
            t, c = divmod(node - int(nodes.base[population]), nodes.parts[population])
            yield node, population, c, t
            for edge in nodes.edges_from[population]:
                for reader in nodes.readers(edge, c, t):
                    self.open[reader] -= 1
                    if self.open[reader] == 0:
                        self._push(edge.layer, reader)

    def _push(self, population: int, node: int) -> None:
        t, c = divmod(node - int(self.nodes.base[population]), self.nodes.parts[population])
        key = (t, c, -population) if self.depth_first else (-population, t, c)
        heapq.heappush(self._heap, (self.barrier[population], *key, population, node))
