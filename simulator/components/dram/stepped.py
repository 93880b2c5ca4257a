"""The plain definition of a channel behind the interface of an island: every cycle is stepped, none is ever undone."""

from __future__ import annotations

from typing import Any

import numpy as np

from simulator.components.dram.plain import PlainChannel, PlainTransfer
from simulator.hardware.dram_timing import COMMANDS
from simulator.kernels import dram_state as ks

NAMES = {
    "read": ks.N_READ, "write": ks.N_WRITE, "activate": ks.N_ACTIVATE, "precharge": ks.N_PRECHARGE, "hit": ks.N_HIT,
    "closed": ks.N_CLOSED, "conflict": ks.N_CONFLICT, "refreshed": ks.N_REFRESHED, "turn": ks.N_TURN,
    "forwarded": ks.N_FORWARDED, "joined": ks.N_JOINED, "merged": ks.N_MERGED,
}  # fmt: skip


class SteppedChannel:
    """Stands in `cycle`, which has been stepped and has accepted nothing yet.  It never runs ahead: while anything is
    asked for it wants to be called again in the next cycle."""

    def __init__(self, spec: Any, channel: int, clients: int) -> None:
        self.plain = PlainChannel(spec.timing, spec.geometry, spec.controller, clients, channel)
        self.transfers: dict[int, PlainTransfer] = {}
        self.cycle = 0
        self.tags = 1
        self.keep = spec.keep_schedule

    def grow(self, clients: int, tags: int) -> None:
        """Makes room for more clients."""
        self.plain.add_clients(clients)

    def settle(self, cycle: int) -> None:
        """Accepts and steps up to `cycle`."""
        while self.cycle < cycle:
            self.plain.accept(self.cycle)
            self.cycle += 1
            self.plain.step(self.cycle)

    def ask(self, client: int, block: int, bursts: int, write: bool, tag: int) -> bool:
        """A transfer arrives in `cycle`; False if none of its bursts lies in this channel."""
        transfer = PlainTransfer(self.cycle, block, bursts, write, client, 0, tag)
        self.tags = max(self.tags, tag + 1)
        if not self.plain.ask(transfer):
            return False
        self.transfers[client] = transfer
        return True

    def run_ahead(self) -> int | None:
        """The next cycle, while anything is asked for."""
        return self.cycle + 1 if any(t.done is None for t in self.transfers.values()) else None

    def finished(self, client: int) -> tuple[int, int] | None:
        """First acceptance and completion of the client's transfer, None while it is under way."""
        transfer = self.transfers[client]
        if transfer.done is None or transfer.accepted is None:
            return None
        return transfer.accepted, transfer.done

    def counts(self) -> tuple[np.ndarray, int, int]:
        """As `ChannelIsland.counts`."""
        counts = np.zeros((self.tags, ks.COUNT_COLUMNS), np.int64)
        for tag, found in self.plain.counts.items():
            for name, number in found.items():
                counts[tag, NAMES[name]] = number
        return counts, self.plain.refreshed, self.plain.active - self.plain.open_ranks()

    def schedule(self) -> list[np.ndarray]:
        """As `ChannelIsland.schedule`."""
        if not self.keep:
            return []
        rows = [(cycle, COMMANDS.index(name), *place) for cycle, name, *place in self.plain.commands]
        return [np.array(rows, np.int64).reshape(-1, ks.LOG_COLUMNS)]
