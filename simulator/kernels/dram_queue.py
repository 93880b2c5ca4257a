"""Bank queues of a DRAM channel: which command a queue may issue, and what moves into the queues.

Plain definition of a queue's choice, from the oldest entry to the youngest the first for which a command is legal: bank
closed, ACT; the entry's row open, RD or WR, but a WR not before an older RD of the same row and column; another row
open, PRE for the oldest entry only, and only if no entry wants the open row or `HIT_CAP` column commands have used it.
"""

from numba import njit

from simulator.kernels.dram_state import (
    ACT,
    BANK_COLUMNS,
    BANK_HELD,
    BANKS,
    CLOSE_PAGE,
    DRAIN_ABOVE,
    E_BANK,
    E_COLUMN,
    E_RECORD,
    E_ROW,
    E_SEQUENCE,
    E_WRITE,
    FRONT,
    FRONT_WRITES,
    GROUPS,
    HELD,
    HELD_WRITES,
    HIT_CAP,
    HITS,
    IN_ORDER,
    LENGTH,
    MAY_CLOSE,
    NEVER,
    OPEN_ROW,
    PRE,
    QUEUED,
    QUOTA,
    R_READS,
    RANKS,
    RD,
    RDA,
    READ_AT,
    WR,
    WRA,
    WRITE_AT,
    WRITES_HELD,
)
from simulator.kernels.dram_timing import earliest


@njit(cache=True, _nrt=False, inline="always")
def plan(q, ready, bank, entry, shape):
    """Finds what bank queue `q` wants after it or its row changed; it is looked at in the next search.

    ready int64 [Q], bank int64 [Q, 10 + BANK_HELD], entry int64 [n, 12], shape int64 [19]: see `dram_state`
    """
    length = bank[q, LENGTH]
    ready[q] = 0 if length > 0 else NEVER
    open_row = bank[q, OPEN_ROW]
    if length == 0 or open_row < 0:
        return
    read_at = write_at = -1
    wanted = False
    for i in range(1 if shape[IN_ORDER] else length):
        e = bank[q, BANK_COLUMNS + i]
        if entry[e, E_ROW] != open_row:
            continue
        wanted = True
        if entry[e, E_WRITE] == 0:
            if read_at < 0:
                read_at = i
        elif write_at < 0:
            write_at = i
            for j in range(i):
                older = bank[q, BANK_COLUMNS + j]
                if entry[older, E_WRITE] == 0 and entry[older, E_ROW] == open_row \
                        and entry[older, E_COLUMN] == entry[e, E_COLUMN]:  # fmt: skip
                    write_at = -1
    bank[q, READ_AT] = read_at
    bank[q, WRITE_AT] = write_at
    conflict = entry[bank[q, BANK_COLUMNS], E_ROW] != open_row
    bank[q, MAY_CLOSE] = 1 if conflict and (not wanted or bank[q, HITS] >= shape[HIT_CAP]) else 0


@njit(cache=True, _nrt=False, inline="always")
def choose(q, cycle, ready, bank, legal, window, limits, shape):
    """(command, place in the queue) that queue `q` issues in `cycle`, (-1, -1) for none; sets its ready[q].

    legal, window, limits: see `dram_timing`
    """
    if bank[q, OPEN_ROW] < 0:
        soon = earliest(ACT, q, bank, legal, window, limits, shape)
        ready[q] = soon
        return (ACT, 0) if soon <= cycle else (-1, -1)
    soon = NEVER
    command = place = -1
    if bank[q, MAY_CLOSE]:
        soon = earliest(PRE, q, bank, legal, window, limits, shape)
        if soon <= cycle:
            return PRE, 0
    read_at = bank[q, READ_AT]
    if read_at >= 0:
        column = RDA if shape[CLOSE_PAGE] else RD
        first = earliest(column, q, bank, legal, window, limits, shape)
        soon = min(soon, first)
        if first <= cycle:
            command, place = column, read_at
    write_at = bank[q, WRITE_AT]
    if write_at >= 0 and (place < 0 or write_at < place):
        column = WRA if shape[CLOSE_PAGE] else WR
        first = earliest(column, q, bank, legal, window, limits, shape)
        soon = min(soon, first)
        if first <= cycle:
            command, place = column, write_at
    ready[q] = soon
    return command, place


@njit(cache=True, _nrt=False, inline="always")
def search(start, cycle, closed_from, closed_to, ready, bank, entry, legal, window, limits, shape):
    """(queue, command, place) of the first queue with a legal command, cyclically after `start`; (-1, -1, -1): none.

    closed_from, closed_to: queues that a pending refresh keeps closed, the last exclusive
    """
    begin = start + 1
    end = ready.size
    if shape[IN_ORDER]:
        begin = max(0, eldest(bank, entry))
        end = begin + 1
    for _ in range(2):
        for q in range(begin, end):
            if ready[q] <= cycle and not closed_from <= q < closed_to:
                command, place = choose(q, cycle, ready, bank, legal, window, limits, shape)
                if command >= 0:
                    return q, command, place
        if shape[IN_ORDER]:
            break
        begin = 0
        end = start + 1
    return -1, -1, -1


@njit(cache=True, _nrt=False)
def eldest(bank, entry):
    """Queue that holds the entry accepted first, or -1 (first come first served)."""
    found = -1
    for q in range(bank.shape[0]):
        if bank[q, LENGTH] > 0 and (
            found < 0 or entry[bank[q, BANK_COLUMNS], E_SEQUENCE] < entry[bank[found, BANK_COLUMNS], E_SEQUENCE]
        ):  # fmt: skip
            found = q
    return found


@njit(cache=True, _nrt=False, inline="always")
def soonest(closed_from, closed_to, ready, bank, entry, shape):
    """First cycle in which a queue that is not closed may have a legal command (a lower bound).

    ready int64 [Q]: the same per queue, `NEVER` where it is empty
    """
    if shape[IN_ORDER]:
        q = eldest(bank, entry)
        return NEVER if q < 0 or closed_from <= q < closed_to else ready[q]
    first = NEVER
    for q in range(closed_from):
        first = min(first, ready[q])
    for q in range(closed_to, ready.size):
        first = min(first, ready[q])
    return first


@njit(cache=True, _nrt=False, inline="always")
def move(waiting, ready, bank, entry, record, scalar, shape):
    """Moves at most one held burst to its bank queue; True if one moved.

    waiting int64 [2, n], record int64 [n, 6], scalar int64 [21]: see `dram_state`.  Writes move only while draining; a
    write whose address has a read pending ends it.  A channel in which that would be so for ever (nothing queued, and
    enough writes held to start draining again) moves a read.
    """
    if shape[IN_ORDER]:
        if scalar[HELD] + scalar[HELD_WRITES] == 0:
            return False
        write = 0 if scalar[HELD] > 0 else 1
        if scalar[HELD] > 0 and scalar[HELD_WRITES] > 0:
            read, wrote = waiting[0, scalar[FRONT]], waiting[1, scalar[FRONT_WRITES]]
            write = 1 if entry[wrote, E_SEQUENCE] < entry[read, E_SEQUENCE] else 0
        place = scalar[FRONT + write]
        if bank[entry[waiting[write, place], E_BANK], LENGTH] >= shape[BANK_HELD]:
            return False
        push(write, place, waiting, ready, bank, entry, scalar, shape)
        return True
    held = scalar[HELD_WRITES]
    full = held >= shape[WRITES_HELD]
    idle = scalar[QUEUED] == 0 and (full or held > shape[DRAIN_ABOVE])
    if scalar[QUOTA] == 0 and (full or idle):
        scalar[QUOTA] = held
    if scalar[QUOTA] > 0:
        i = with_room(1, waiting, bank, entry, scalar, shape)
        if i < 0:
            return False
        if record[entry[waiting[1, i], E_RECORD], R_READS] == 0:
            scalar[QUOTA] -= 1
            push(1, i, waiting, ready, bank, entry, scalar, shape)
            return True
        scalar[QUOTA] = 0
        if not idle:
            return False
    i = with_room(0, waiting, bank, entry, scalar, shape)
    if i >= 0:
        push(0, i, waiting, ready, bank, entry, scalar, shape)
    return i >= 0


@njit(cache=True, _nrt=False, inline="always")
def with_room(write, waiting, bank, entry, scalar, shape):
    """Place of the oldest held read (write: 0) or write (1) whose bank queue has room, or -1."""
    front = scalar[FRONT + write]
    for i in range(front, front + scalar[HELD + write]):
        if bank[entry[waiting[write, i], E_BANK], LENGTH] < shape[BANK_HELD]:
            return i
    return -1


@njit(cache=True, _nrt=False, inline="always")
def push(write, place, waiting, ready, bank, entry, scalar, shape):
    """Takes the held burst at `place` to the end of its bank queue."""
    e = waiting[write, place]
    for i in range(place, scalar[FRONT + write], -1):
        waiting[write, i] = waiting[write, i - 1]
    scalar[FRONT + write] += 1
    scalar[HELD + write] -= 1
    q = entry[e, E_BANK]
    bank[q, BANK_COLUMNS + bank[q, LENGTH]] = e
    bank[q, LENGTH] += 1
    plan(q, ready, bank, entry, shape)
    scalar[QUEUED] += 1


@njit(cache=True, _nrt=False)
def refresh(cycle, number, bank, legal, window, limits, shape, command, per_rank):
    """(command, bank, first cycle) of the refresh `number` in the order ranks, or ranks and their banks; the command
    is -1 where none is legal in `cycle`, and then the third says from when on one may be.

    command: REF or REFB; per_rank: True for REF, a refresh of all banks of a rank
    """
    banks = shape[GROUPS] * shape[BANKS]
    if per_rank:
        begin = (number % shape[RANKS]) * banks
        end = begin + banks
    else:
        begin = (number % shape[RANKS]) * banks + (number // shape[RANKS]) % banks
        end = begin + 1
    soon = NEVER
    closed = True
    late = 0
    for q in range(begin, end):
        if bank[q, OPEN_ROW] >= 0:
            closed = False
            first = earliest(PRE, q, bank, legal, window, limits, shape)
            if first <= cycle:
                return PRE, q, first
            soon = min(soon, first)
        elif closed:
            late = max(late, earliest(command, q, bank, legal, window, limits, shape))
    if not closed:
        return -1, begin, soon
    return (command, begin, late) if late <= cycle else (-1, begin, late)
