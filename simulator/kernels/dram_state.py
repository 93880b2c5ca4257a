"""State of one DRAM channel: one flat int64 array, so that a copy of it is a point to which a channel can go back.

`offsets` cuts the array into tables; a constant below is a table's place in `offsets`, a column of a table, a place in
`shape` (what the channel is), or the number of a command or scope.
"""

import numpy as np

NEVER = 1 << 62
COMMANDS = 8
ACT, PRE, RD, WR, RDA, WRA, REF, REFB = range(8)
IN_BANK, IN_GROUP, IN_OTHER_GROUP, IN_RANK, IN_OTHER_RANK = range(5)

# shape int64 [SHAPE]: what the channel is
SHAPE = 19
(
    RANKS, GROUPS, BANKS, READS_HELD, WRITES_HELD, BANK_HELD, CLOSE_PAGE, IN_ORDER, HIT_CAP, DRAIN_ABOVE, REFRESH,
    REFRESH_INTERVAL, READ_LATENCY, POSTED_LATENCY, OUTSTANDING_LIMIT, CHANNEL, OFFSET_BITS, LIMITS, LOGGING,
) = range(19)  # fmt: skip
NO_REFRESH, RANK_REFRESH, BANK_REFRESH = range(3)

# fields int64 [n, 4]: parts of a burst's number: field, lowest bit in the number, mask, lowest bit in the field
FIELDS = 6
COLUMN, GROUP_FIELD, BANK_FIELD, RANK_FIELD, ROW, CHANNEL_FIELD = range(6)

# tables, in this order
TABLES = 16
(
    SCALAR, READY, BANK, LEGAL, WINDOW, RANK, ENTRY, WAITING, RECORD, BUCKET, TICKET, DATA, POSTED, CLIENT, TRANSFER,
    COUNT,
) = range(16)  # fmt: skip

# SCALAR: cycle (its steps before acceptance are done), last queue that issued, writes left to drain, held reads and
# writes, first held read and write in their lists, refreshes done, heads and sizes of the rings of data and of posted
# completions, first free entry, record and ticket, last client served, transfers finished, direction of the last column
# command, bursts in bank queues, next sequence number, rows of the log
SCALARS = 21
(
    CYCLE, POINTER, QUOTA, HELD, HELD_WRITES, FRONT, FRONT_WRITES, REFRESHED, DATA_HEAD, DATA_SIZE, POSTED_HEAD,
    POSTED_SIZE, FREE_ENTRY, FREE_RECORD, FREE_TICKET, LAST_CLIENT, FINISHED, DIRECTION, QUEUED, SEQUENCE, LOGGED,
) = range(21)  # fmt: skip

# READY int64 [Q]: first cycle in which a bank queue may have a legal command, NEVER where it is empty
# LEGAL int64 [Q + G + R, 8]: first cycle in which a command is legal, as far as earlier ones bind this bank (rows
# 0 .. Q - 1, in the order rank, bank group, bank), every bank of a group (then G rows), every bank of a rank (R rows)
# BANK: open row or -1, column commands since its activate, 1 if closed for another row, bursts in its queue, rows of
# its group and of its rank in LEGAL, its rank; places in its queue of the read and of the write that may use the open
# row, -1 for none, 1 if it may be precharged; then its queue: entries in age order
BANK_COLUMNS = 10
OPEN_ROW, HITS, FOR_CONFLICT, LENGTH, IN_GROUP_ROW, IN_RANK_ROW, OF_RANK, READ_AT, WRITE_AT, MAY_CLOSE = range(10)
# WAITING int64 [2, n]: entries of held reads and of held writes in age order, from FRONT on
WAITING_FACTOR = 4
# RANK: banks open, cycles with a bank open (up to `SINCE`), cycle since which one is open
RANK_COLUMNS = 3
OPEN_BANKS, ACTIVE, SINCE = range(3)
# ENTRY: a burst on its way to a command; its first columns are the fields of its address, in their order.  Of a free
# entry, record or ticket the first column is the next free one, -1 for none.
ENTRY_COLUMNS = 12
(
    E_COLUMN, E_GROUP_FIELD, E_BANK_FIELD, E_RANK_FIELD, E_ROW, E_CHANNEL, E_RECORD, E_BANK, E_WRITE, E_TAG,
    E_REFRESHED, E_SEQUENCE,
) = range(12)  # fmt: skip
# RECORD: an address with reads that are not done or a write not yet issued: next record of its bucket, burst number,
# reads that the next RD serves, 1 if a write is pending, first and last ticket.  TICKET: next ticket, transfer.
RECORD_COLUMNS = 6
R_NEXT, R_BLOCK, R_READS, R_WRITE, R_FIRST, R_LAST = range(6)
TICKET_COLUMNS = 2
NEXT_TICKET, OF_TRANSFER = range(2)
# DATA, POSTED: rings of completions: cycle, record (-1: a write), reads of one RD or the transfer of a posted one
RING_COLUMNS = 3
# CLIENT: transfer to offer from or -1, offset of its next burst, bursts accepted and not done
CLIENT_COLUMNS = 3
C_TRANSFER, C_OFFSET, C_OUTSTANDING = range(3)
# TRANSFER: earliest cycle, number of the first burst in memory, bursts it spans, 1 for a write, row of COUNT, client,
# next transfer of the client or -1, offset of the first burst in this channel, bursts not done; then its results:
# cycle of the first acceptance, cycle in which the last burst was done
TRANSFER_COLUMNS = 11
(
    T_ARRIVAL, T_BLOCK, T_BURSTS, T_WRITE, T_TAG, T_CLIENT, T_NEXT, T_FIRST_OFFSET, T_LEFT, T_ACCEPTED, T_DONE,
) = range(11)  # fmt: skip
# COUNT: commands and what became of bursts, by the transfers' tag; tag 0 holds what belongs to nobody
COUNT_COLUMNS = 12
(
    N_READ, N_WRITE, N_ACTIVATE, N_PRECHARGE, N_HIT, N_CLOSED, N_CONFLICT, N_REFRESHED, N_TURN, N_FORWARDED, N_JOINED,
    N_MERGED,
) = range(12)  # fmt: skip
# log int64 [n, 7]: cycle, command, rank, bank group, bank, row, column; -1 where a command has none
LOG_COLUMNS = 7


def table(state: np.ndarray, offsets: np.ndarray, which: int, columns: int) -> np.ndarray:
    """View [rows, columns] of one table of `state`: the one that begins at offsets[which]."""
    return state[offsets[which] : offsets[which + 1]].reshape(-1, columns)


def make_state(
    shape: np.ndarray, limits: np.ndarray, clients: int, transfers: int, tags: int, tickets: int
) -> tuple[np.ndarray, np.ndarray]:
    """A channel at rest before cycle 0: (state int64 [n], offsets int64 [TABLES + 1]).

    shape int64 [SHAPE]; limits int64 [w, 3]: (command, count, cycles) of each window
    clients: streams that offer bursts; transfers: rows for their bursts; tags: rows of counts
    tickets: reads that may be accepted and not done at any time
    """
    banks = int(shape[RANKS] * shape[GROUPS] * shape[BANKS])
    entries = int(shape[READS_HELD] + shape[WRITES_HELD] + banks * shape[BANK_HELD])
    records = entries + int(shape[READ_LATENCY]) + 8
    window = 1 + (int(limits[:, 1].max()) if len(limits) else 1)
    held = int(max(shape[READS_HELD], shape[WRITES_HELD]))
    groups, ranks = int(shape[RANKS] * shape[GROUPS]), int(shape[RANKS])
    sizes = [
        SCALARS,
        banks,
        banks * (BANK_COLUMNS + int(shape[BANK_HELD])),
        (banks + groups + ranks) * COMMANDS,
        ranks * max(1, len(limits)) * window,
        ranks * RANK_COLUMNS,
        entries * ENTRY_COLUMNS,
        2 * WAITING_FACTOR * held,
        records * RECORD_COLUMNS,
        1 << (2 * records - 1).bit_length(),
        tickets * TICKET_COLUMNS,
        (int(shape[READ_LATENCY]) + 2) * RING_COLUMNS,
        (int(shape[POSTED_LATENCY]) + 2) * RING_COLUMNS,
        clients * CLIENT_COLUMNS,
        transfers * TRANSFER_COLUMNS,
        tags * COUNT_COLUMNS,
    ]
    offsets = np.concatenate(([0], np.cumsum(sizes))).astype(np.int64)
    state = np.zeros(int(offsets[-1]), np.int64)
    state[DIRECTION] = -1
    for which, columns in ((ENTRY, ENTRY_COLUMNS), (RECORD, RECORD_COLUMNS), (TICKET, TICKET_COLUMNS)):
        rows = table(state, offsets, which, columns)
        rows[:, 0] = np.arange(1, len(rows) + 1)
        rows[-1, 0] = -1
    state[offsets[READY] : offsets[READY + 1]] = NEVER
    bank = table(state, offsets, BANK, BANK_COLUMNS + int(shape[BANK_HELD]))
    group = np.arange(banks) // shape[BANKS]
    bank[:, OPEN_ROW] = bank[:, READ_AT] = bank[:, WRITE_AT] = -1
    bank[:, OF_RANK] = group // shape[GROUPS]
    bank[:, IN_GROUP_ROW] = banks + group
    bank[:, IN_RANK_ROW] = banks + groups + bank[:, OF_RANK]
    state[offsets[BUCKET] : offsets[BUCKET + 1]] = -1
    state[offsets[WINDOW] : offsets[WINDOW + 1]] = -NEVER
    table(state, offsets, WINDOW, window)[:, 0] = 0
    table(state, offsets, CLIENT, CLIENT_COLUMNS)[:, C_TRANSFER] = -1
    row = table(state, offsets, TRANSFER, TRANSFER_COLUMNS)
    row[:, (T_NEXT, T_ACCEPTED, T_DONE)] = -1
    return state, offsets
