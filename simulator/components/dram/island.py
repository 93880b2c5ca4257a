"""One DRAM channel as an island: it runs ahead to the next completion and goes back when something arrives earlier."""

from __future__ import annotations

import numpy as np

from simulator.components.dram.tables import ChannelTables
from simulator.kernels import dram_state as ks
from simulator.kernels.dram import advance
from simulator.kernels.dram_front import bursts_in, next_offset

LOG_ROWS = 1 << 12


class ChannelIsland:
    """Holds two states: `base`, which nothing can change any more, and `ahead`, which has run on from it as far as the
    next completion.  A state stands in a cycle before that cycle accepts anything, so what arrives in it is in time.

    A client has at most one transfer at a time; its row of transfers has the client's number.
    """

    def __init__(self, tables: ChannelTables, clients: int, tags: int, logging: bool = False) -> None:
        self.tables, self.logging = tables, logging
        self.quiet = tables.shape.copy()
        self.quiet[ks.LOGGING] = False
        self._make(clients, tags)
        self.next: int | None = None  # cycle of `ahead`, in which a transfer is finished
        self.commands: list[np.ndarray] = []
        self._log = np.empty((LOG_ROWS, ks.LOG_COLUMNS), np.int64)
        self._no_log = np.empty((0, ks.LOG_COLUMNS), np.int64)

    def _make(self, clients: int, tags: int) -> None:
        shape = self.tables.shape
        banks = int(shape[ks.RANKS] * shape[ks.GROUPS] * shape[ks.BANKS])
        bursts = int(shape[ks.READS_HELD] + shape[ks.WRITES_HELD] + banks * shape[ks.BANK_HELD])
        tickets = 2 * (bursts + int(shape[ks.READ_LATENCY])) + 64
        self.base, self.offsets = ks.make_state(shape, self.tables.limits, clients, clients, tags, tickets)
        self.ahead = self.base.copy()

    def grow(self, clients: int, tags: int) -> None:
        """Makes room for more clients and tags."""
        old, offsets, next_cycle = (self.base, self.ahead), self.offsets, self.next
        self._make(clients, tags)
        for source, target in zip(old, (self.base, self.ahead), strict=True):
            for which in range(ks.TABLES):
                begin, end = offsets[which], offsets[which + 1]
                target[self.offsets[which] : self.offsets[which] + end - begin] = source[begin:end]
        self.next = next_cycle

    @property
    def cycle(self) -> int:
        """Cycle that can no longer change."""
        return int(self.base[ks.CYCLE])

    def settle(self, cycle: int) -> None:
        """Nothing arrives before `cycle`, which is at most the next completion: `base` goes there."""
        if self.next is not None and cycle == self.next and not self.logging:
            self.base[:] = self.ahead
        while self.cycle < cycle:
            if self.logging:
                self._advance(self.base, self.tables.shape, self._log, cycle, ks.NEVER)
                self.commands.append(self._log[: self.base[ks.LOGGED]].copy())
                self.base[ks.LOGGED] = 0
            else:
                self._advance(self.base, self.quiet, self._no_log, cycle, ks.NEVER)

    def ask(self, client: int, block: int, bursts: int, write: bool, tag: int) -> bool:
        """A transfer arrives in the cycle of `base`; False if none of its bursts lies in this channel."""
        fields, channel = self.tables.fields, int(self.tables.shape[ks.CHANNEL])
        mine = int(bursts_in(block, bursts, fields, channel))
        if mine == 0:
            return False
        first = int(next_offset(block, 0, bursts, fields, channel))
        row = ks.table(self.base, self.offsets, ks.TRANSFER, ks.TRANSFER_COLUMNS)[client]
        row[:] = (self.cycle, block, bursts, write, tag, client, -1, first, mine, -1, -1)
        who = ks.table(self.base, self.offsets, ks.CLIENT, ks.CLIENT_COLUMNS)[client]
        who[ks.C_TRANSFER], who[ks.C_OFFSET] = client, first
        return True

    def run_ahead(self) -> int | None:
        """From `base` to the next completion: its cycle, or None when nothing is asked for."""
        left = ks.table(self.base, self.offsets, ks.TRANSFER, ks.TRANSFER_COLUMNS)[:, ks.T_LEFT]
        self.next = None
        if left.any():
            self.ahead[:] = self.base
            target = int(self.base[ks.FINISHED]) + 1
            self.next = self._advance(self.ahead, self.quiet, self._no_log, ks.NEVER - 1, target)
        return self.next

    def finished(self, client: int) -> tuple[int, int] | None:
        """First acceptance and completion of the client's transfer, None while it is under way."""
        row = ks.table(self.base, self.offsets, ks.TRANSFER, ks.TRANSFER_COLUMNS)[client]
        return (int(row[ks.T_ACCEPTED]), int(row[ks.T_DONE])) if row[ks.T_DONE] >= 0 else None

    def counts(self) -> tuple[np.ndarray, int, int]:
        """Up to the cycle of `base`: int64 [tags, 12] counts, refreshes, cycles with a row open summed over ranks."""
        rank = ks.table(self.base, self.offsets, ks.RANK, ks.RANK_COLUMNS)
        still = rank[:, ks.OPEN_BANKS] > 0
        active = int(rank[:, ks.ACTIVE].sum() + (self.cycle - rank[still, ks.SINCE]).sum())
        counts = ks.table(self.base, self.offsets, ks.COUNT, ks.COUNT_COLUMNS)
        return counts, int(self.base[ks.REFRESHED]), active

    def schedule(self) -> list[np.ndarray]:
        """Commands up to the cycle of `base`, int64 [n, 7] in order, as `ChannelRun.commands`; empty if not kept."""
        return self.commands

    def _advance(self, state: np.ndarray, shape: np.ndarray, log: np.ndarray, until: int, target: int) -> int:
        t = self.tables
        return int(advance(state, self.offsets, shape, t.gaps, t.limits, t.fields, log, until, target))
