"""Main memory with channels, banks, rows and refresh behind the bursts that machines ask for.

A transfer arrives at an edge of the memory's clock and its bursts are offered from that cycle on.  SimPy sees arrivals
and completions of transfers.  The kernel engine keeps each channel as an island; the plain definition steps every
channel cycle by cycle.  Where data lie: each (layer, operand) has a region of its own, in it the bursts of a tensor's
layout where the requester knows it, else chunk after chunk.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import numpy as np
from simpy.events import Event

from simulator.components.dram.island import ChannelIsland
from simulator.components.dram.stepped import SteppedChannel
from simulator.components.dram.tables import channel_tables
from simulator.engine.banked import Access
from simulator.engine.context import Context
from simulator.engine.levels import GRANT_DRAM
from simulator.engine.statelog import StateLog
from simulator.errors import InputError, InvariantError
from simulator.kernels import dram_state as ks

REGIONS = 256
CLIENTS = 8
TAGS = 64
BITS_PER_BYTE = 8
COMMIT_ROWS = 1 << 14
PER_BURST = {
    "activate": ks.N_ACTIVATE, "read_burst": ks.N_READ, "write_burst": ks.N_WRITE, "row_hit": ks.N_HIT,
    "row_closed": ks.N_CLOSED, "row_conflict": ks.N_CONFLICT, "refresh_wait": ks.N_REFRESHED, "turnaround": ks.N_TURN,
}  # fmt: skip
"""Verbs of the unit's actions -> columns of the kernel's counts, booked by layer and operand."""
SERVED_ELSEWHERE = {"forwarded": ks.N_FORWARDED, "joined": ks.N_JOINED, "merged": ks.N_MERGED}
"""Bursts that needed no command of their own: read out of a held write; joined to a pending read; merged into a held
write."""


class Channel(Protocol):
    """What both engines' channels can do."""

    def grow(self, clients: int, tags: int) -> None:
        """See `ChannelIsland.grow`."""
        ...

    def settle(self, cycle: int) -> None:
        """See `ChannelIsland.settle`."""
        ...

    def ask(self, client: int, block: int, bursts: int, write: bool, tag: int) -> bool:
        """See `ChannelIsland.ask`."""
        ...

    def run_ahead(self) -> int | None:
        """See `ChannelIsland.run_ahead`."""
        ...

    def finished(self, client: int) -> tuple[int, int] | None:
        """See `ChannelIsland.finished`."""
        ...

    def counts(self) -> tuple[np.ndarray, int, int]:
        """See `ChannelIsland.counts`."""
        ...

    def schedule(self) -> list[np.ndarray]:
        """See `ChannelIsland.schedule`."""
        ...


@dataclass
class _Transfer:
    """An access under way: channels that are not done with it, and when it was asked for, accepted, done (cycles)."""

    burst: Access
    event: Event
    asked: int
    channels: set[int]
    accepted: int
    done: int


class SettlingLog(StateLog):
    """A state log whose owner books what has passed before every commit: background goes on without any event."""

    def __init__(self, log: StateLog, settle: Any) -> None:
        self.__dict__.update(log.__dict__)
        self._settle = settle

    def commit(self, ref: int, until: int | None = None) -> int:
        """See `StateLog.commit`."""
        self._settle()
        return super().commit(ref, until)


class BankedDram:
    """The memory unit: admits transfers, wakes at completions, books commands, refreshes and background."""

    def __init__(self, ctx: Context, spec: Any) -> None:
        self.ctx, self.spec = ctx, spec
        self.memory = self
        self.burst_bits = spec.geometry.burst_bytes * BITS_PER_BYTE
        tables = [channel_tables(spec.timing, spec.geometry, spec.controller, channel, spec.keep_schedule)
                  for channel in range(spec.geometry.channels)]  # fmt: skip
        self.channels: list[Channel] = [
            SteppedChannel(spec, channel, CLIENTS)
            if ctx.reference
            else ChannelIsland(tables[channel], CLIENTS, TAGS, spec.keep_schedule)
            for channel in range(len(tables))
        ]
        self._clients: dict[int, int] = {}
        self._tags: dict[tuple[int, str], int] = {}
        self._chunks: dict[tuple[int, str], int] = {}
        self._under_way: dict[int, _Transfer] = {}
        self._arrivals: list[tuple[Access, Event]] = []
        self._room = (CLIENTS, TAGS)
        self._armed = False
        self._due: list[int] = [-1] * len(tables)  # cycle of the completion that each channel has announced
        self._booked = np.zeros((0, ks.COUNT_COLUMNS), np.int64)
        self._booked_rank = np.zeros(3, np.int64)
        ctx.log = SettlingLog(ctx.log, self.settle)

    def connect(self, units: dict[str, Any]) -> None:
        """A DRAM asks nothing of other units; its clock must be that of its device."""
        if self.spec.preset is None:
            return
        from simulator.hardware.dram_presets import dram_preset

        cycle_ns = dram_preset(self.spec.preset).cycle_ns
        if abs(self.ctx.clock.frequency_hz * cycle_ns / 1e9 - 1) > 0.01:
            raise InputError(
                f"the clock of this memory is not that of {self.spec.preset}", key=f"units.{self.ctx.name}.clock",
                found=f"{self.ctx.clock.frequency_hz} Hz", allowed=f"{1e9 / cycle_ns:.0f} Hz, to one per cent",
            )  # fmt: skip

    def start(self) -> None:
        """A DRAM has no process of its own: it acts when asked."""

    def words(self, bits: int) -> int:
        """Bursts that hold `bits`, at least one."""
        return max(1, -(-bits // self.burst_bits))

    def access(self, burst: Access) -> Event:
        """Asks for `burst.words` bursts at the memory's next edge; the event fires when all are done, with the times in
        ps at which the first was accepted and the last was done."""
        env, clock = self.ctx.env, self.ctx.clock
        done = env.event()
        edge = clock.ps(clock.at_or_after(env.now))
        if edge == env.now:
            self._collect(burst, done)
        else:
            env.call_at(edge, lambda: self._collect(burst, done))
        return done

    def served_elsewhere(self) -> dict[str, int]:
        """Bursts up to now that needed no command of their own, by the names of `SERVED_ELSEWHERE`."""
        counts = self._totals()[0].sum(axis=0)
        return {name: int(counts[column]) for name, column in SERVED_ELSEWHERE.items()}

    def commands(self) -> np.ndarray:
        """Command schedule up to now, where the unit keeps it: int64 [n, 8], channel after channel: channel, cycle,
        command (a place in `COMMANDS`), rank, bank group, bank, row, column; -1 where a command has none."""
        self.settle()
        parts = [np.empty((0, 1 + ks.LOG_COLUMNS), np.int64)]
        for number, channel in enumerate(self.channels):
            parts += [np.column_stack((np.full(len(rows), number), rows)) for rows in channel.schedule()]
        return np.concatenate(parts)

    def _collect(self, burst: Access, done: Event) -> None:
        self._arrivals.append((burst, done))
        self._arm()

    def _arm(self) -> None:
        if not self._armed:
            self._armed = True
            self.ctx.env.call_at(self.ctx.env.now, self._admit, GRANT_DRAM)

    def _admit(self) -> None:
        """Everything that arrived in this instant is taken in, by requester; then the channels run ahead again."""
        self._armed = False
        cycle = self.ctx.cycle()
        arrivals, self._arrivals = sorted(self._arrivals, key=lambda a: a[0].requester), []
        for channel in self.channels:
            channel.settle(cycle)
        for burst, event in arrivals:
            client = self._number(self._clients, burst.requester)
            if client in self._under_way:
                raise InvariantError(
                    f"unit {self.ctx.name}: requester {burst.requester} has 2 accesses under way, 1 may be"
                )
            tag = self._number(self._tags, (burst.layer, burst.operand), 1)
            block = self._block(burst)
            asked = {number for number, channel in enumerate(self.channels)
                     if channel.ask(client, block, burst.words, burst.write, tag)}  # fmt: skip
            self._under_way[client] = _Transfer(burst, event, cycle, asked, ks.NEVER, cycle)
            verb = "write" if burst.write else "read"
            self.ctx.count(burst.layer, f"{verb}:{burst.operand}", burst.bits)
            self.ctx.count(burst.layer, f"overfetch:{burst.operand}", burst.words * self.burst_bits - burst.bits)
        for number, channel in enumerate(self.channels):
            due = channel.run_ahead()
            self._due[number] = -1 if due is None else due
            if due is not None:
                self.ctx.env.call_at(self.ctx.clock.ps(due), partial(self._complete, number, due))

    def _number(self, numbers: dict[Any, int], key: Any, first: int = 0) -> int:
        if key not in numbers:
            numbers[key] = len(numbers) + first
            if len(self._clients) > self._room[0] or len(self._tags) >= self._room[1]:
                self._room = (2 * self._room[0], 2 * self._room[1])
                for channel in self.channels:
                    channel.grow(*self._room)
        return numbers[key]

    def _block(self, burst: Access) -> int:
        """Number of the first burst: regions follow each other in the order in which they are first asked for; a chunk
        of unknown place lies behind those before it, which are as long as the longest one seen."""
        key = (burst.layer, burst.operand)
        region = self._tags[key] - 1
        self._chunks[key] = max(self._chunks.get(key, 0), burst.words)
        total = self.spec.capacity_bytes // self.spec.geometry.burst_bytes
        place = burst.block if burst.block >= 0 else burst.bank * self._chunks[key]
        return (region % REGIONS * (total // REGIONS) + place) % total

    def _complete(self, number: int, due: int) -> None:
        if self._due[number] != due or self.ctx.cycle() != due:
            return
        self._due[number] = -1
        channel = self.channels[number]
        channel.settle(due)
        for client in [c for c, t in self._under_way.items() if number in t.channels]:
            times = channel.finished(client)
            if times is None:
                continue
            transfer = self._under_way[client]
            transfer.channels.discard(number)
            transfer.accepted, transfer.done = min(transfer.accepted, times[0]), max(transfer.done, times[1])
            if not transfer.channels:
                del self._under_way[client]
                self._deliver(transfer)
        self._arm()

    def _deliver(self, transfer: _Transfer) -> None:
        log, clock = self.ctx.log, self.ctx.clock
        log.add_wait("bank", transfer.accepted - transfer.asked)
        log.add_busy(transfer.accepted, transfer.done)
        if log.pending > COMMIT_ROWS:
            log.commit(0, min([t.asked for t in self._under_way.values()], default=transfer.done))
        transfer.event.succeed((clock.ps(transfer.accepted), clock.ps(transfer.done)))

    def settle(self) -> None:
        """Books commands, refreshes and background up to now."""
        cycle = self.ctx.cycle()
        for number, channel in enumerate(self.channels):
            if self._due[number] < 0 or cycle <= self._due[number]:
                channel.settle(cycle)
        total, refreshes, active = self._totals()
        new = total.copy()
        new[: len(self._booked)] -= self._booked
        for (layer, operand), tag in self._tags.items():
            for verb, column in PER_BURST.items():
                self.ctx.count(layer, f"{verb}:{operand}", int(new[tag, column]))
        passed = cycle * self.spec.geometry.ranks * len(self.channels)
        ranks = np.array((refreshes, active, passed - active), np.int64)
        for verb, amount in zip(("refresh", "active", "idle"), (ranks - self._booked_rank).tolist(), strict=True):
            self.ctx.count(0, f"{verb}:rank", amount)
        self._booked, self._booked_rank = total, ranks

    def _totals(self) -> tuple[np.ndarray, int, int]:
        """Counts, refreshes and active cycles of all channels together; a row for every tag."""
        total = np.zeros((len(self._tags) + 1, ks.COUNT_COLUMNS), np.int64)
        refreshes = active = 0
        for channel in self.channels:
            counts, refreshed, opened = channel.counts()
            rows = min(len(counts), len(total))
            total[:rows] += counts[:rows]
            refreshes, active = refreshes + refreshed, active + opened
        return total, refreshes, active
