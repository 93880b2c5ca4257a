"""What a DRAM channel is asked for: clients offer the bursts of their transfers, one burst a cycle is accepted."""

from numba import njit

from simulator.kernels.dram_state import (
    BANKS,
    C_OFFSET,
    C_OUTSTANDING,
    C_TRANSFER,
    CHANNEL,
    CHANNEL_FIELD,
    E_BANK,
    E_BANK_FIELD,
    E_GROUP_FIELD,
    E_RANK_FIELD,
    E_RECORD,
    E_REFRESHED,
    E_SEQUENCE,
    E_TAG,
    E_WRITE,
    FIELDS,
    FREE_ENTRY,
    FREE_TICKET,
    FRONT,
    GROUPS,
    HELD,
    LAST_CLIENT,
    N_FORWARDED,
    N_JOINED,
    N_MERGED,
    NEVER,
    OUTSTANDING_LIMIT,
    POSTED_HEAD,
    POSTED_LATENCY,
    POSTED_SIZE,
    R_READS,
    R_WRITE,
    READS_HELD,
    SEQUENCE,
    T_ACCEPTED,
    T_ARRIVAL,
    T_BLOCK,
    T_BURSTS,
    T_FIRST_OFFSET,
    T_NEXT,
    T_TAG,
    T_WRITE,
    WRITES_HELD,
)
from simulator.kernels.dram_track import add_read, find, open_record


@njit(cache=True, _nrt=False, inline="always")
def channel_of(block, fields):
    """Channel of burst number `block`; fields int64 [n, 4]: see `dram_state`."""
    channel = 0
    for i in range(fields.shape[0]):
        if fields[i, 0] == CHANNEL_FIELD:
            channel |= ((block >> fields[i, 1]) & fields[i, 2]) << fields[i, 3]
    return channel


@njit(cache=True, _nrt=False, inline="always")
def next_offset(block, offset, bursts, fields, channel):
    """First of the bursts block + offset .. block + bursts - 1 that lies in `channel`, as an offset; `bursts`: none."""
    while offset < bursts and channel_of(block + offset, fields) != channel:
        offset += 1
    return offset


@njit(cache=True, _nrt=False)
def bursts_in(block, bursts, fields, channel):
    """How many of the `bursts` from number `block` on lie in `channel`."""
    count = 0
    for i in range(bursts):
        if channel_of(block + i, fields) == channel:
            count += 1
    return count


@njit(cache=True, _nrt=False, inline="always")
def accept(cycle, waiting, entry, record, bucket, ticket, posted, client, transfer, count, scalar, fields, shape):
    """Accepts at most one burst in `cycle`; returns (True if one was, first later cycle of an arrival that was not).

    Clients are asked in turn, beginning after the one served last; each offers its bursts strictly in order, when the
    transfer has arrived, fewer than OUTSTANDING_LIMIT of its bursts are not done (0: no limit), and the queue of held
    reads or writes has room.

    waiting int64 [2, n], entry int64 [n, 12], record int64 [n, 6], bucket int64 [b], ticket int64 [n, 2], posted int64
    [n, 3], client int64 [n, 3], transfer int64 [n, 11], count int64 [tags, 12], scalar int64 [21], shape int64 [19]:
    see `dram_state`
    """
    arrival = NEVER
    c = scalar[LAST_CLIENT]
    for _ in range(client.shape[0]):
        c += 1
        if c >= client.shape[0]:
            c = 0
        t = client[c, C_TRANSFER]
        if t < 0:
            continue
        if transfer[t, T_ARRIVAL] > cycle:
            arrival = min(arrival, transfer[t, T_ARRIVAL])
            continue
        if 0 < shape[OUTSTANDING_LIMIT] <= client[c, C_OUTSTANDING]:
            continue
        write = transfer[t, T_WRITE]
        if scalar[HELD + write] >= shape[READS_HELD if write == 0 else WRITES_HELD] or scalar[FREE_TICKET] < 0:
            continue
        block = transfer[t, T_BLOCK] + client[c, C_OFFSET]
        take(block, t, cycle, waiting, entry, record, bucket, ticket, posted, transfer, count, scalar, fields, shape)
        scalar[LAST_CLIENT] = c
        client[c, C_OUTSTANDING] += 1
        if transfer[t, T_ACCEPTED] < 0:
            transfer[t, T_ACCEPTED] = cycle
        bursts = transfer[t, T_BURSTS]
        offset = next_offset(transfer[t, T_BLOCK], client[c, C_OFFSET] + 1, bursts, fields, shape[CHANNEL])
        if offset == bursts:
            t = transfer[t, T_NEXT]
            client[c, C_TRANSFER] = t
            offset = transfer[t, T_FIRST_OFFSET] if t >= 0 else 0
        client[c, C_OFFSET] = offset
        return True, arrival
    return False, arrival


@njit(cache=True, _nrt=False, inline="always")
def take(block, t, cycle, waiting, entry, record, bucket, ticket, posted, transfer, count, scalar, fields, shape):
    """The burst number `block` of transfer `t` is accepted: held, joined to one that is, or served by one."""
    write = transfer[t, T_WRITE]
    tag = transfer[t, T_TAG]
    which = find(block, record, bucket)
    if which < 0:
        which = open_record(block, record, bucket, scalar)
    held = True
    if write == 0:
        add_read(which, t, record, ticket, scalar)
        if record[which, R_WRITE] > 0:
            held = False
            count[tag, N_FORWARDED] += 1
        else:
            if record[which, R_READS] > 0:
                held = False
                count[tag, N_JOINED] += 1
            record[which, R_READS] += 1
    elif record[which, R_WRITE] > 0:
        held = False
        count[tag, N_MERGED] += 1
    else:
        record[which, R_WRITE] = 1
    if write == 1 or record[which, R_WRITE] > 0:
        at = scalar[POSTED_HEAD] + scalar[POSTED_SIZE]
        if at >= posted.shape[0]:
            at -= posted.shape[0]
        posted[at, 0] = cycle + shape[POSTED_LATENCY]
        posted[at, 1] = -1 if write == 1 else which
        posted[at, 2] = t
        scalar[POSTED_SIZE] += 1
    if not held:
        return
    e = scalar[FREE_ENTRY]
    scalar[FREE_ENTRY] = entry[e, 0]
    for i in range(FIELDS):
        entry[e, i] = 0
    for i in range(fields.shape[0]):
        entry[e, fields[i, 0]] |= ((block >> fields[i, 1]) & fields[i, 2]) << fields[i, 3]
    group = entry[e, E_RANK_FIELD] * shape[GROUPS] + entry[e, E_GROUP_FIELD]
    entry[e, E_BANK] = group * shape[BANKS] + entry[e, E_BANK_FIELD]
    entry[e, E_RECORD] = which
    entry[e, E_WRITE] = write
    entry[e, E_TAG] = tag
    entry[e, E_REFRESHED] = 0
    entry[e, E_SEQUENCE] = scalar[SEQUENCE]
    scalar[SEQUENCE] += 1
    hold(write, e, waiting, scalar)


@njit(cache=True, _nrt=False, inline="always")
def hold(write, e, waiting, scalar):
    """Entry `e` goes to the end of the held reads (write: 0) or writes (1); at the end of the room all move to its
    begin."""
    front = scalar[FRONT + write]
    size = scalar[HELD + write]
    if front + size == waiting.shape[1]:
        for i in range(size):
            waiting[write, i] = waiting[write, front + i]
        front = 0
        scalar[FRONT + write] = 0
    waiting[write, front + size] = e
    scalar[HELD + write] = size + 1
