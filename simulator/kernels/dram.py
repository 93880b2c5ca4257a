"""One DRAM channel, cycle by cycle where something happens: refresh, command scheduling, write drain, acceptance.

Plain definition, for each memory cycle in this order (`components/dram/plain.py` is the same thing, to be read):

complete   bursts whose completion falls into this cycle are done: a read one read latency after its command; a write,
           and a read that a held write serves, a posted latency after acceptance.
refresh    every REFRESH_INTERVAL cycles one is due, ranks (or ranks and banks) in turn.  The oldest one keeps the bank
           queues it concerns closed; their open banks are precharged, then the refresh is issued.
issue      otherwise the first bank queue, cyclically after the one that issued last, with a legal command.
move       at most one held burst to its bank queue: reads, or writes while draining.
accept     at most one burst of the clients.
"""

from numba import njit

from simulator.kernels.dram_front import accept
from simulator.kernels.dram_queue import choose, move, plan, refresh, search, soonest
from simulator.kernels.dram_state import (
    ACT,
    ACTIVE,
    BANK,
    BANK_COLUMNS,
    BANK_HELD,
    BANKS,
    BUCKET,
    CLIENT,
    CLIENT_COLUMNS,
    COMMANDS,
    COUNT,
    COUNT_COLUMNS,
    CYCLE,
    DATA,
    DATA_HEAD,
    DATA_SIZE,
    DIRECTION,
    E_COLUMN,
    E_RECORD,
    E_REFRESHED,
    E_ROW,
    E_TAG,
    E_WRITE,
    ENTRY,
    ENTRY_COLUMNS,
    FINISHED,
    FOR_CONFLICT,
    FREE_ENTRY,
    GROUPS,
    HITS,
    IN_GROUP_ROW,
    LEGAL,
    LENGTH,
    LIMITS,
    LOGGED,
    LOGGING,
    N_ACTIVATE,
    N_CLOSED,
    N_CONFLICT,
    N_HIT,
    N_PRECHARGE,
    N_READ,
    N_REFRESHED,
    N_TURN,
    N_WRITE,
    NEVER,
    NO_REFRESH,
    OF_RANK,
    OPEN_BANKS,
    OPEN_ROW,
    POINTER,
    POSTED,
    POSTED_HEAD,
    POSTED_SIZE,
    PRE,
    QUEUED,
    QUOTA,
    R_READS,
    R_WRITE,
    RANK,
    RANK_COLUMNS,
    RANK_REFRESH,
    RANKS,
    RDA,
    READ_LATENCY,
    READY,
    RECORD,
    RECORD_COLUMNS,
    REF,
    REFB,
    REFRESH,
    REFRESH_INTERVAL,
    REFRESHED,
    RING_COLUMNS,
    SCALARS,
    SINCE,
    TICKET,
    TICKET_COLUMNS,
    TRANSFER,
    TRANSFER_COLUMNS,
    WAITING,
    WINDOW,
    WRA,
)
from simulator.kernels.dram_timing import book
from simulator.kernels.dram_track import close_if_idle, complete


@njit(cache=True, _nrt=False)
def advance(state, offsets, shape, gaps, limits, fields, log, until, target):
    """Runs the channel up to cycle `until`, its acceptance not included, or to the cycle in which `target` transfers
    are finished; returns the cycle reached, whose acceptance comes first in the next call.

    state int64 [n], offsets int64 [17], shape int64 [19], fields int64 [n, 4]: see `dram_state`
    gaps int64 [8, 5, 17], limits int64 [windows, 3]: timing constraints, see `dram_timing`
    log int64 [n, 7]: commands issued, in order; the run stops where it is full; written only if shape[LOGGING]
    """
    scalar = state[:SCALARS]
    bank = state[offsets[BANK] : offsets[BANK + 1]].reshape(-1, BANK_COLUMNS + shape[BANK_HELD])
    ready = state[offsets[READY] : offsets[READY + 1]]
    legal = state[offsets[LEGAL] : offsets[LEGAL + 1]].reshape(-1, COMMANDS)
    window = state[offsets[WINDOW] : offsets[WINDOW + 1]].reshape(shape[RANKS] * max(1, shape[LIMITS]), -1)
    rank = state[offsets[RANK] : offsets[RANK + 1]].reshape(-1, RANK_COLUMNS)
    entry = state[offsets[ENTRY] : offsets[ENTRY + 1]].reshape(-1, ENTRY_COLUMNS)
    waiting = state[offsets[WAITING] : offsets[WAITING + 1]].reshape(2, -1)
    record = state[offsets[RECORD] : offsets[RECORD + 1]].reshape(-1, RECORD_COLUMNS)
    bucket = state[offsets[BUCKET] : offsets[BUCKET + 1]]
    ticket = state[offsets[TICKET] : offsets[TICKET + 1]].reshape(-1, TICKET_COLUMNS)
    data = state[offsets[DATA] : offsets[DATA + 1]].reshape(-1, RING_COLUMNS)
    posted = state[offsets[POSTED] : offsets[POSTED + 1]].reshape(-1, RING_COLUMNS)
    client = state[offsets[CLIENT] : offsets[CLIENT + 1]].reshape(-1, CLIENT_COLUMNS)
    transfer = state[offsets[TRANSFER] : offsets[TRANSFER + 1]].reshape(-1, TRANSFER_COLUMNS)
    count = state[offsets[COUNT] : offsets[COUNT + 1]].reshape(-1, COUNT_COLUMNS)
    cycle = scalar[CYCLE]
    awake = True
    per_rank = shape[REFRESH] == RANK_REFRESH
    refresh_command = REF if per_rank else REFB
    banks = shape[GROUPS] * shape[BANKS]
    while cycle < until and scalar[FINISHED] < target and not (shape[LOGGING] and scalar[LOGGED] == log.shape[0]):
        accepted, following = accept(
            cycle, waiting, entry, record, bucket, ticket, posted, client, transfer, count, scalar, fields, shape
        )
        # The next cycle in which anything can change.
        pending = False
        closed_from = closed_to = 0
        refresh_at = NEVER
        if shape[REFRESH] != NO_REFRESH:
            refresh_at = (scalar[REFRESHED] + 1) * shape[REFRESH_INTERVAL]
            if refresh_at <= cycle:
                pending = True
                n = scalar[REFRESHED]
                closed_from = (n % shape[RANKS]) * banks + (0 if per_rank else n // shape[RANKS] % banks)
                closed_to = closed_from + (banks if per_rank else 1)
                _, _, refresh_at = refresh(cycle + 1, n, bank, legal, window, limits, shape, refresh_command, per_rank)
        if accepted or awake:
            following = cycle + 1
        else:
            following = min(following, refresh_at, soonest(closed_from, closed_to, ready, bank, entry, shape))
            if scalar[DATA_SIZE] > 0:
                following = min(following, data[scalar[DATA_HEAD], 0])
            if scalar[POSTED_SIZE] > 0:
                following = min(following, posted[scalar[POSTED_HEAD], 0])
            following = max(following, cycle + 1)
        if following > until:
            cycle = until
            break
        cycle = following

        complete(cycle, data, posted, record, bucket, ticket, transfer, client, scalar)
        command = q = place = -1
        if shape[REFRESH] != NO_REFRESH:
            n = scalar[REFRESHED]
            pending = (n + 1) * shape[REFRESH_INTERVAL] <= cycle
            if pending:
                closed_from = (n % shape[RANKS]) * banks + (0 if per_rank else n // shape[RANKS] % banks)
                closed_to = closed_from + (banks if per_rank else 1)
                command, q, _ = refresh(cycle, n, bank, legal, window, limits, shape, refresh_command, per_rank)
        if command < 0:
            q, command, place = search(
                scalar[POINTER], cycle, closed_from, closed_to, ready, bank, entry, legal, window, limits, shape
            )
            if command >= 0:
                scalar[POINTER] = q
        if command >= 0:
            issue(command, q, place, cycle, bank, rank, entry, record, bucket, data, count, scalar, log, shape)
            book(command, q, cycle, bank, legal, window, limits, gaps, shape)
            plan(q, ready, bank, entry, shape)
            if bank[q, LENGTH] > 0:
                choose(q, cycle, ready, bank, legal, window, limits, shape)
        # Whatever moved, or a drain that ended, may let something move in the very next cycle.
        quota = scalar[QUOTA]
        moved = move(waiting, ready, bank, entry, record, scalar, shape)
        awake = moved or quota != scalar[QUOTA]
    scalar[CYCLE] = cycle
    return cycle


@njit(cache=True, _nrt=False, inline="always")
def issue(command, q, place, cycle, bank, rank, entry, record, bucket, data, count, scalar, log, shape):
    """Changes rows, queues and counts as `command` to bank `q` does; place: of its entry in the queue, -1 for refresh.

    bank int64 [Q, 10 + BANK_HELD], rank int64 [R, 3], entry int64 [n, 12], record int64 [n, 6], bucket int64 [b], data
    int64 [n, 3], count int64 [tags, 12], scalar int64 [21]: see `dram_state`
    """
    r = bank[q, OF_RANK]
    row = bank[q, OPEN_ROW]
    column = -1
    tag = 0
    if place >= 0:
        tag = entry[bank[q, BANK_COLUMNS + place], E_TAG]
    if command == ACT:
        row = entry[bank[q, BANK_COLUMNS + place], E_ROW]
        bank[q, OPEN_ROW] = row
        bank[q, HITS] = 0
        count[tag, N_ACTIVATE] += 1
        if rank[r, OPEN_BANKS] == 0:
            rank[r, SINCE] = cycle
        rank[r, OPEN_BANKS] += 1
    elif command == PRE:
        bank[q, FOR_CONFLICT] = 1 if place >= 0 else 0
        count[tag, N_PRECHARGE] += 1
        shut(q, r, cycle, bank, rank)
    elif command == REF or command == REFB:
        scalar[REFRESHED] += 1
        for other in range(q, q + (shape[GROUPS] * shape[BANKS] if command == REF else 1)):
            for i in range(bank[other, LENGTH]):
                entry[bank[other, BANK_COLUMNS + i], E_REFRESHED] = 1
    else:
        e = bank[q, BANK_COLUMNS + place]
        write = entry[e, E_WRITE]
        column = entry[e, E_COLUMN]
        which = entry[e, E_RECORD]
        count[tag, N_WRITE if write else N_READ] += 1
        if bank[q, HITS] > 0:
            count[tag, N_HIT] += 1
        else:
            count[tag, N_CONFLICT if bank[q, FOR_CONFLICT] else N_CLOSED] += 1
        count[tag, N_REFRESHED] += entry[e, E_REFRESHED]
        if scalar[DIRECTION] == 1 - write:
            count[tag, N_TURN] += 1
        scalar[DIRECTION] = write
        bank[q, HITS] += 1
        if write:
            record[which, R_WRITE] = 0
            close_if_idle(which, record, bucket, scalar)
        else:
            at = scalar[DATA_HEAD] + scalar[DATA_SIZE]
            if at >= data.shape[0]:
                at -= data.shape[0]
            data[at, 0] = cycle + shape[READ_LATENCY]
            data[at, 1] = which
            data[at, 2] = record[which, R_READS]
            scalar[DATA_SIZE] += 1
            record[which, R_READS] = 0
        bank[q, LENGTH] -= 1
        scalar[QUEUED] -= 1
        for i in range(place, bank[q, LENGTH]):
            bank[q, BANK_COLUMNS + i] = bank[q, BANK_COLUMNS + i + 1]
        entry[e, 0] = scalar[FREE_ENTRY]
        scalar[FREE_ENTRY] = e
        if command == RDA or command == WRA:
            bank[q, FOR_CONFLICT] = 0
            shut(q, r, cycle, bank, rank)
    if shape[LOGGING]:
        n = scalar[LOGGED]
        group = bank[q, IN_GROUP_ROW] - bank.shape[0]
        log[n, 0] = cycle
        log[n, 1] = command
        log[n, 2] = r
        log[n, 3] = -1 if command == REF else group - r * shape[GROUPS]
        log[n, 4] = -1 if command == REF else q - group * shape[BANKS]
        log[n, 5] = -1 if command == PRE or command == REF or command == REFB else row
        log[n, 6] = column
        scalar[LOGGED] = n + 1


@njit(cache=True, _nrt=False, inline="always")
def shut(q, r, cycle, bank, rank):
    """Bank `q` of rank `r` has no open row from `cycle` on."""
    bank[q, OPEN_ROW] = -1
    rank[r, OPEN_BANKS] -= 1
    if rank[r, OPEN_BANKS] == 0:
        rank[r, ACTIVE] += cycle - rank[r, SINCE]
