"""Time of computation nodes on a `pe_array` that has its global buffer for itself.

Groups of tiles follow each other.  In a group the fill of the next window runs beside the tiles, where both windows
fit; then the global buffer serves, one access at a time: what the first tile asks for at once, the fill, and the rest.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from simulator.mapping.fusion.nest import Group, Node
from simulator.units import PS_PER_SECOND, ceil_div

COMPUTE, FILL, STATE, OUTPUT = range(4)
PARTS = 4
FIRST, HELD, GAP, REST, WINDOW, AHEAD, AHEAD_HELD = range(7)
"""Of a group: until its first access, if that comes at once, is complete, and how long that holds the buffer; from
there to the next access; from there to the end; the fill of its own window; the fill of the next window, and how long
that holds the buffer."""


class Nodes:
    """Nodes by number; equal groups of tiles are priced once."""

    def __init__(self, clocks: dict[str, int], array: Any, buffer: Any, weight: Any, inputs: Any) -> None:
        self._clocks = clocks
        self._array, self._buffer = array, buffer
        self._own = {"weight": weight, "spike": inputs}
        self._groups: dict[tuple[int, Group, int], int] = {}
        self._parts: list[list[list[float]]] = []
        self._asked: list[Counter[int]] = []
        self._ahead: list[bool] = []
        self._of: list[tuple[int, int]] = []
        self._known: dict[tuple[int, ...], int] = {}
        self.count = 0

    def add(self, node: Node) -> int:
        """Number of a node; one made of the same groups has the same."""
        found: dict[int, int] = {}
        for i, group in enumerate(node.groups):
            window = group.inputs if i == 0 or not node.ahead else 0
            ahead = node.groups[i + 1].inputs if node.ahead and i + 1 < len(node.groups) else 0
            key = window, group if group.inputs == 0 else Group(0, group.tiles), ahead
            if key not in self._groups:
                self._groups[key] = len(self._parts)
                self._parts.append(self._group(*key))
                self._asked.append(Counter(self._accesses(*key)))
                self._ahead.append(ahead > 0)
            found[self._groups[key]] = found.get(self._groups[key], 0) + 1
        content = tuple(x for pair in sorted(found.items()) for x in pair)
        if content not in self._known:
            self._known[content] = self.count
            self._of += [(self.count, *pair) for pair in found.items()]  # type: ignore[misc]
            self.count += 1
        return self._known[content]

    def close(self) -> None:
        """All nodes are added."""
        table = np.array(self._parts).reshape(-1, AHEAD_HELD + 1, PARTS)
        self._table = np.ascontiguousarray(table.transpose(1, 0, 2))
        self._node, self._kind, self._times = np.array(self._of, np.int64).reshape(-1, 3).T
        held = [(kind, self._words(bits), often) for kind, n in enumerate(self._asked) for bits, often in n.items()]
        self._held = np.array(held, np.float64).reshape(-1, 3).T
        exposed = np.array([n.total() for n in self._asked]) - self._ahead
        self.accesses = np.bincount(self._node, self._times * exposed[self._kind], self.count)
        """Accesses to the global buffer that a node waits for, float64 [nodes]."""

    def holds(self, slack: float) -> tuple[np.ndarray, np.ndarray]:
        """Sums over a node's accesses to the global buffer, float64 [nodes]: by how much each holds it longer than
        `slack`, ps; and half the square of how long it does, the wait of who comes at any time times that time."""
        return self._sum(np.maximum(0.0, self._held[1] - slack)), self._sum(self._held[1] ** 2 / 2)

    def _sum(self, each: np.ndarray) -> np.ndarray:
        """float64 [nodes]: sum over accesses of a value per entry of `_held`."""
        by_group = np.bincount(self._held[0].astype(np.int64), each * self._held[2], len(self._parts))
        return np.bincount(self._node, self._times * by_group[self._kind], self.count)

    def spans(self, weights: np.ndarray) -> np.ndarray:
        """float64 [nodes]: ps, with weights float64 [4] of computation, fills, states and outputs."""
        first, held, gap, rest, window, ahead, ahead_held = self._table @ weights
        # The fill of the next window is served behind a first access that came at once, and before the one after.
        through = np.maximum(first + gap, held + ahead_held) + rest
        whole = window + np.maximum(through, held + ahead)
        return np.bincount(self._node, self._times * whole[self._kind], self.count)

    def _ps(self, spec: Any) -> float:
        return PS_PER_SECOND / self._clocks[spec.clock]

    def _words(self, bits: int) -> float:
        """Time that an access of so many bits holds the global buffer."""
        memory = self._buffer
        return max(1, ceil_div(bits, memory.width_bits)) * memory.cycle_cycles * self._ps(memory)

    def _read(self, bits: int) -> float:
        return self._words(bits) + self._buffer.latency_cycles * self._ps(self._buffer)

    def _filled(self, operand: str, bits: int) -> float:
        """Time to fill bits into a memory of the array's own, at the pace of the slower one."""
        own = self._own[operand]
        inside = own.latency_cycles + ceil_div(bits, own.width_bits * own.banks)
        return max(self._read(bits), inside * self._ps(self._array))

    def _accesses(self, window: int, group: Group, ahead: int) -> list[int]:
        """Bits of every access to the global buffer."""
        found = [window, ahead]
        for tile in group.tiles:
            found += [tile.weights, tile.state, tile.state, tile.made]
        return [bits for bits in found if bits]

    def _group(self, window: int, group: Group, ahead: int) -> list[list[float]]:
        parts = np.zeros((AHEAD_HELD + 1, PARTS))
        if window:
            parts[WINDOW, FILL] = self._filled("spike", window)
        if ahead:
            parts[AHEAD, FILL] = self._filled("spike", ahead)
            parts[AHEAD_HELD, FILL] = self._words(ahead)
        steps: list[tuple[int, float, float]] = []  # part, time, time that the global buffer is held
        for tile in group.tiles:
            if tile.weights:
                steps.append((FILL, self._filled("weight", tile.weights), self._words(tile.weights)))
            if tile.state:
                steps.append((STATE, self._read(tile.state), self._words(tile.state)))
            steps.append((COMPUTE, tile.cycles * self._ps(self._array), 0.0))
            if tile.state:
                steps.append((STATE, self._words(tile.state), self._words(tile.state)))
            steps.append((OUTPUT, self._words(tile.made), self._words(tile.made)))
        at_once = steps[0][2] > 0
        if at_once:
            parts[FIRST, steps[0][0]] = steps[0][1]
            parts[HELD, steps[0][0]] = steps[0][2]
            steps = steps[1:]
        while steps and not steps[0][2]:
            parts[GAP, steps[0][0]] += steps[0][1]
            steps = steps[1:]
        for part, time, _ in steps:
            parts[REST, part] += time
        found: list[list[float]] = parts.tolist()
        return found
