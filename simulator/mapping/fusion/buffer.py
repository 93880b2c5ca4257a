"""The global buffer while nodes are scheduled: what it holds, what leaves it, and whose space a newcomer takes over.

Space is handed on in the order in which it became free: each bit of a tensor that comes in was given back by a row of
the schedule (a store, or the last computation that read it), and the newcomer waits for those rows.  So a buffer can
never be over-full, however far loads run ahead of computations.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

from simulator.errors import InputError

NEVER = -1


class GlobalBuffer:
    """Tensors by number; `bits`, `uses` (left) and `layer` describe them, all of equal length.

    ready  rows after which a tensor in the buffer can be read     used  last row that touched it there
    home   whether main memory holds it                            home_row  row that wrote it there, -1: from the start
    """

    def __init__(
        self, capacity: int, bits: list[int], uses: list[int], layer: list[int], home: list[bool], by_size: bool
    ) -> None:
        self.capacity, self.room = capacity, capacity
        self.bits, self.uses, self.layer, self.home, self.by_size = bits, uses, layer, home, by_size
        self.inside: dict[int, None] = {}
        self.ready: list[tuple[int, ...]] = [()] * len(bits)
        self.used = [NEVER] * len(bits)
        self.home_row = [NEVER] * len(bits)
        self._free: deque[tuple[int, int]] = deque([(capacity, NEVER)])

    def take(self, bits: int) -> list[int]:
        """Reserves space; rows that gave it back.  There must be room."""
        rows = []
        self.room -= bits
        while bits:
            amount, row = self._free.popleft()
            if amount > bits:
                self._free.appendleft((amount - bits, row))
                amount = bits
            bits -= amount
            if row != NEVER:
                rows.append(row)
        return rows

    def give(self, bits: int, row: int) -> None:
        """Space is free once `row` is complete."""
        if bits:
            self.room += bits
            self._free.append((bits, row))

    def enter(self, tensor: int) -> list[int]:
        """Reserves space for a tensor, which is inside from now on; rows to wait for."""
        self.inside[tensor] = None
        return self.take(self.bits[tensor])

    def leave(self, tensor: int, row: int) -> None:
        """A tensor is gone once `row` is complete."""
        del self.inside[tensor]
        self.give(self.bits[tensor], row)

    def make_room(self, bits: int, kept: Iterable[int], evict: Callable[[int], None], what: str) -> None:
        """Evicts the least important tensors that are not `kept` until `bits` are free; InputError where it is futile.

        The shortest prefix of the order goes, as in the source: importance, then bits, then number.
        """
        if self.room >= bits:
            return
        staying = set(kept)
        leaving = sorted((self._importance(t), self.bits[t], t) for t in self.inside if t not in staying)
        for _, _, tensor in leaving:
            if self.room >= bits:
                return
            evict(tensor)
        if self.room < bits:
            raise InputError(
                f"the global buffer overflows: {what} need {bits} bits beside what must stay",
                key="fusion",
                found=self.capacity - self.room + bits,
                allowed=f"at most {self.capacity} bits",
            )

    def clear(self, kept: Iterable[int], evict: Callable[[int], None]) -> None:
        """Evicts everything but `kept`."""
        staying = set(kept)
        for tensor in [t for t in self.inside if t not in staying]:
            evict(tensor)

    def _importance(self, tensor: int) -> int:
        uses = self.uses[tensor]
        return uses * self.bits[tensor] if self.by_size else 100 * uses - self.layer[tensor]
