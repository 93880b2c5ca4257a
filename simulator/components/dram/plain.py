"""The plain definition of a DRAM channel: its controller and its devices, one memory cycle after another.

`kernels/dram.py` is the same thing, made fast.  A cycle is `step`, then `accept`.  Rules: those of DRAMsim3
(umd-memsys/DRAMsim3 2981759), in words in the docstrings of the methods.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from dataclasses import dataclass, field

from simulator.components.dram.tables import refresh_interval
from simulator.hardware.dram_geometry import DramController, DramGeometry
from simulator.hardware.dram_timing import Command, DramTiming, Scope, constraint_rows, windows


@dataclass
class PlainTransfer:
    """`bursts` bursts from number `block` on; `left` of those in the channel are not done; `tag`: its row of counts."""

    arrival: int
    block: int
    bursts: int
    write: bool
    client: int
    left: int
    tag: int = 0
    accepted: int | None = None
    done: int | None = None


@dataclass
class _Burst:
    """A burst on its way to a command."""

    block: int
    place: dict[str, int]
    bank: int
    write: bool
    tag: int
    number: int
    refreshed: bool = False


@dataclass
class _Bank:
    """What is known of a bank, and its queue."""

    rank: int
    group: int
    row: int | None = None
    hits: int = 0
    for_conflict: bool = False
    queue: list[_Burst] = field(default_factory=list)


class PlainChannel:
    """One channel; `clients[c]` holds what client c is going to ask for, as (transfer, offsets of its bursts left)."""

    def __init__(
        self, timing: DramTiming, geometry: DramGeometry, controller: DramController, clients: int, channel: int = 0
    ) -> None:
        self.timing, self.geometry, self.controller, self.channel = timing, geometry, controller, channel
        self.rows = constraint_rows(timing, geometry.bank_groups)
        self.windows = windows(timing)
        self.fields = geometry.address_fields()
        self.interval = refresh_interval(timing, geometry, controller)
        self.issued: dict[tuple[Command, int], int] = {}  # last cycle of a command to a bank
        self.of_rank: dict[tuple[Command, int], deque[int]] = defaultdict(lambda: deque(maxlen=8))
        per_rank = geometry.bank_groups * geometry.banks_per_group
        self.banks = [_Bank(q // per_rank, q // geometry.banks_per_group) for q in range(geometry.banks)]
        self.held: tuple[list[_Burst], list[_Burst]] = ([], [])  # reads, writes
        self.clients: list[deque[tuple[PlainTransfer, deque[int]]]] = [deque() for _ in range(clients)]
        self.outstanding = [0] * clients
        self.last_client, self.last_queue, self.quota, self.refreshed, self.bursts = 0, 0, 0, 0, 0
        self.pending_reads: Counter[int] = Counter()  # reads of an address whose RD is still to come
        self.pending_writes: set[int] = set()
        self.waiting: dict[int, deque[PlainTransfer]] = defaultdict(deque)  # reads not done, oldest first
        self.completions: list[tuple[int, int, int, PlainTransfer | None]] = []  # cycle, address, reads, write
        self.direction: bool | None = None
        self.counts: dict[int, Counter[str]] = defaultdict(Counter)
        self.active = 0
        self.finished = 0
        self.commands: list[tuple[int, Command, int, int, int, int, int]] = []

    def add_clients(self, clients: int) -> None:
        """Makes room for so many clients in all."""
        while len(self.clients) < clients:
            self.clients.append(deque())
            self.outstanding.append(0)

    def ask(self, transfer: PlainTransfer) -> bool:
        """A client has one more transfer to offer, behind its others; False if none of its bursts lies here."""
        offsets = deque(i for i in range(transfer.bursts) if self._place(transfer.block + i)["channel"] == self.channel)
        transfer.left = len(offsets)
        if offsets:
            self.clients[transfer.client].append((transfer, offsets))
        return bool(offsets)

    def open_ranks(self) -> int:
        """Ranks with a bank open."""
        return len({bank.rank for bank in self.banks if bank.row is not None})

    def step(self, cycle: int) -> None:
        """Completions, refresh or one other command, one burst into its bank queue."""
        self._complete(cycle)
        closed: list[int] = []
        if not self._refresh(cycle, closed):
            self._issue(cycle, closed)
        self._move()
        self.active += self.open_ranks()

    def accept(self, cycle: int) -> None:
        """At most one burst is accepted: of the first client, in turn, whose next burst may be."""
        for turn in range(len(self.clients)):
            number = (self.last_client + 1 + turn) % len(self.clients)
            if not self.clients[number]:
                continue
            transfer, offsets = self.clients[number][0]
            limit = self.controller.outstanding_limit
            room = self.controller.write_queue if transfer.write else self.controller.read_queue
            if transfer.arrival > cycle or (limit and self.outstanding[number] >= limit):
                continue
            if len(self.held[transfer.write]) >= room:
                continue
            self._take(transfer, transfer.block + offsets.popleft(), cycle)
            self.outstanding[number] += 1
            self.last_client = number
            if transfer.accepted is None:
                transfer.accepted = cycle
            if not offsets:
                self.clients[number].popleft()
            return

    def _take(self, transfer: PlainTransfer, block: int, cycle: int) -> None:
        """A read of an address with a pending write is served by it, one with a pending read joins that; a write of an
        address with a pending write merges into it.  Writes, and reads that a write serves, are soon done."""
        counts = self.counts[transfer.tag]
        soon = cycle + self.controller.posted_cycles
        if transfer.write:
            self.completions.append((soon, block, 0, transfer))
            if block in self.pending_writes:
                counts["merged"] += 1
                return
            self.pending_writes.add(block)
        else:
            self.waiting[block].append(transfer)
            if block in self.pending_writes:
                counts["forwarded"] += 1
                self.completions.append((soon, block, 1, None))
                return
            self.pending_reads[block] += 1
            if self.pending_reads[block] > 1:
                counts["joined"] += 1
                return
        place = self._place(block)
        g = self.geometry
        bank = (place["rank"] * g.bank_groups + place["bank_group"]) * g.banks_per_group + place["bank"]
        self.held[transfer.write].append(_Burst(block, place, bank, transfer.write, transfer.tag, self.bursts))
        self.bursts += 1

    def _place(self, block: int) -> dict[str, int]:
        place = dict.fromkeys(("column", "bank_group", "bank", "rank", "row", "channel"), 0)
        have = dict.fromkeys(place, 0)
        for name, bits in self.fields:
            place[name] |= block % 2**bits << have[name]
            have[name] += bits
            block >>= bits
        return place

    def _complete(self, cycle: int) -> None:
        """A completion carries an address: it is booked to the oldest unfinished read of that address."""
        now = [c for c in self.completions if c[0] == cycle]
        self.completions = [c for c in self.completions if c[0] > cycle]
        for _, block, reads, write in now:
            for transfer in [write] if write else [self.waiting[block].popleft() for _ in range(reads)]:
                self.outstanding[transfer.client] -= 1
                transfer.left -= 1
                if transfer.left == 0:
                    transfer.done = cycle
                    self.finished += 1

    def _refresh(self, cycle: int, closed: list[int]) -> bool:
        """The oldest due refresh closes its bank queues, precharges open banks in order, then is issued."""
        if not self.interval or cycle // self.interval <= self.refreshed:
            return False
        g, number = self.geometry, self.refreshed
        per_rank = g.bank_groups * g.banks_per_group
        first = number % g.ranks * per_rank
        command: Command = "REF"
        closed += range(first, first + per_rank)
        if self.controller.refresh == "bank":
            command = "REFB"
            closed[:] = [first + number // g.ranks % per_rank]
        still_open = [q for q in closed if self.banks[q].row is not None]
        for q in still_open:
            if self._legal("PRE", q, cycle):
                self._do("PRE", q, None, cycle)
                return True
        if still_open or not all(self._legal(command, q, cycle) for q in closed):
            return False
        self.refreshed += 1
        for q in closed:
            for burst in self.banks[q].queue:
                burst.refreshed = True
        self._do(command, closed[0], None, cycle)
        return True

    def _issue(self, cycle: int, closed: list[int]) -> None:
        """The first bank queue with a legal command, cyclically after the one that issued last; first come first
        served: the queue of the oldest burst only."""
        order = [(self.last_queue + 1 + i) % len(self.banks) for i in range(len(self.banks))]
        if self.controller.scheduler == "fcfs":
            order = sorted((q for q in order if self.banks[q].queue), key=lambda q: self.banks[q].queue[0].number)[:1]
        for q in order:
            if q in closed:
                continue
            choice = self._choice(q, cycle)
            if choice is not None:
                self._do(choice[0], q, choice[1], cycle)
                self.last_queue = q
                return

    def _choice(self, q: int, cycle: int) -> tuple[Command, _Burst] | None:
        """From the oldest burst to the youngest the first with a legal command."""
        bank = self.banks[q]
        queue = bank.queue[:1] if self.controller.scheduler == "fcfs" else bank.queue
        wanted = any(burst.place["row"] == bank.row for burst in queue)
        automatic = self.controller.page == "close"
        for age, burst in enumerate(queue):
            command: Command
            if bank.row is None:
                command = "ACT"
            elif burst.place["row"] == bank.row:
                same = (burst.place["row"], burst.place["column"])
                if burst.write and any(
                    not older.write and (older.place["row"], older.place["column"]) == same for older in queue[:age]
                ):
                    continue
                command = ("WRA" if automatic else "WR") if burst.write else ("RDA" if automatic else "RD")
            elif age == 0 and (not wanted or bank.hits >= self.controller.row_hit_cap):
                command = "PRE"
            else:
                continue
            if self._legal(command, q, cycle):
                return command, burst
        return None

    def _legal(self, command: Command, q: int, cycle: int) -> bool:
        for row in self.rows:
            if row.then != command:
                continue
            for other in range(len(self.banks)):
                last = self.issued.get((row.first, other))
                if last is not None and self._binds(row.scope, other, q) and cycle < last + row.cycles:
                    return False
        for window in self.windows:
            last_ones = self.of_rank[command, self.banks[q].rank]
            if window.command == command and len(last_ones) >= window.number:
                if cycle < last_ones[-window.number] + window.cycles:
                    return False
        return True

    def _binds(self, scope: Scope, first: int, then: int) -> bool:
        a, b = self.banks[first], self.banks[then]
        return {
            "bank": first == then,
            "group": a.group == b.group,
            "other_group": a.rank == b.rank and a.group != b.group,
            "rank": a.rank == b.rank,
            "other_rank": a.rank != b.rank,
        }[scope]

    def _do(self, command: Command, q: int, burst: _Burst | None, cycle: int) -> None:
        bank = self.banks[q]
        counts = self.counts[burst.tag if burst else 0]
        self.issued[command, q] = cycle
        self.of_rank[command, bank.rank].append(cycle)
        row, column = -1, -1
        if command == "ACT":
            assert burst is not None
            bank.row = row = burst.place["row"]
            bank.hits = 0
            counts["activate"] += 1
        elif command == "PRE":
            bank.row, bank.for_conflict = None, burst is not None
            counts["precharge"] += 1
        elif burst is not None:
            row, column = burst.place["row"], burst.place["column"]
            self._column(bank, burst, cycle)
            if command in ("RDA", "WRA"):
                bank.row, bank.for_conflict = None, False
        whole = command == "REF"
        g = self.geometry
        self.commands.append((cycle, command, bank.rank, -1 if whole else bank.group % g.bank_groups,
                              -1 if whole else q % g.banks_per_group, row, column))  # fmt: skip

    def _column(self, bank: _Bank, burst: _Burst, cycle: int) -> None:
        counts = self.counts[burst.tag]
        counts["write" if burst.write else "read"] += 1
        counts["hit" if bank.hits else "conflict" if bank.for_conflict else "closed"] += 1
        counts["refreshed"] += burst.refreshed
        counts["turn"] += self.direction is not None and self.direction != burst.write
        self.direction = burst.write
        bank.hits += 1
        bank.queue.remove(burst)
        if burst.write:
            self.pending_writes.discard(burst.block)
        else:
            t = self.timing
            ready = cycle + t.tal_cycles + t.tcl_cycles + t.burst_cycles
            self.completions.append((ready, burst.block, self.pending_reads.pop(burst.block), None))

    def _move(self) -> None:
        """One held burst moves to its bank queue: the oldest read with room there, or while draining the oldest such
        write.  Draining starts when the writes are full, or more than a few and nothing is queued; a write whose
        address has a pending read ends it.  Where that would be so for ever, a read moves."""
        reads, writes = self.held
        if self.controller.scheduler == "fcfs":
            oldest = min((held[0] for held in self.held if held), key=lambda burst: burst.number, default=None)
            if oldest is not None and self._room(oldest):
                self._push(oldest)
            return
        full = len(writes) >= self.controller.write_queue
        idle = (full or len(writes) > self.controller.drain_above) and not any(bank.queue for bank in self.banks)
        if self.quota == 0 and (full or idle):
            self.quota = len(writes)
        if self.quota:
            write = next((burst for burst in writes if self._room(burst)), None)
            if write is None:
                return
            if not self.pending_reads[write.block]:
                self.quota -= 1
                self._push(write)
                return
            self.quota = 0
            if not idle:
                return
        read = next((burst for burst in reads if self._room(burst)), None)
        if read is not None:
            self._push(read)

    def _room(self, burst: _Burst) -> bool:
        return len(self.banks[burst.bank].queue) < self.controller.bank_queue

    def _push(self, burst: _Burst) -> None:
        self.held[burst.write].remove(burst)
        self.banks[burst.bank].queue.append(burst)
