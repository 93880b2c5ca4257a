"""Which reads of a DRAM channel wait for which address, and what their completion finishes.

Plain definition: a completion carries an address only; it is booked to the oldest accepted, unfinished read of that
address.  So a record per address holds its reads in the order of their acceptance, whatever serves them.
"""

from numba import njit

from simulator.kernels.dram_state import (
    C_OUTSTANDING,
    DATA_HEAD,
    DATA_SIZE,
    FINISHED,
    FREE_RECORD,
    FREE_TICKET,
    NEXT_TICKET,
    OF_TRANSFER,
    POSTED_HEAD,
    POSTED_SIZE,
    R_BLOCK,
    R_FIRST,
    R_LAST,
    R_NEXT,
    R_READS,
    R_WRITE,
    T_CLIENT,
    T_DONE,
    T_LEFT,
)


@njit(cache=True, _nrt=False)
def bucket_of(block, buckets):
    """Place of a burst number `block` among `buckets` (a power of two)."""
    return (block ^ (block >> 7) ^ (block >> 15)) & (buckets - 1)


@njit(cache=True, _nrt=False, inline="always")
def find(block, record, bucket):
    """Record of the burst `block`, or -1.

    record int64 [n, 6]: see `dram_state`; bucket int64 [b]: first record of a chain, or -1
    """
    at = bucket[bucket_of(block, bucket.size)]
    while at >= 0 and record[at, R_BLOCK] != block:
        at = record[at, R_NEXT]
    return at


@njit(cache=True, _nrt=False, inline="always")
def open_record(block, record, bucket, scalar):
    """A new record of the burst `block`; scalar int64 [21]: see `dram_state`."""
    at = scalar[FREE_RECORD]
    scalar[FREE_RECORD] = record[at, R_NEXT]
    place = bucket_of(block, bucket.size)
    record[at, R_BLOCK] = block
    record[at, R_NEXT] = bucket[place]
    record[at, R_READS] = 0
    record[at, R_WRITE] = 0
    record[at, R_FIRST] = -1
    bucket[place] = at
    return at


@njit(cache=True, _nrt=False, inline="always")
def close_if_idle(which, record, bucket, scalar):
    """Frees the record `which` when no read waits for it and no write is pending."""
    if record[which, R_FIRST] >= 0 or record[which, R_WRITE] > 0:
        return
    place = bucket_of(record[which, R_BLOCK], bucket.size)
    at = bucket[place]
    if at == which:
        bucket[place] = record[which, R_NEXT]
    else:
        while record[at, R_NEXT] != which:
            at = record[at, R_NEXT]
        record[at, R_NEXT] = record[which, R_NEXT]
    record[which, R_NEXT] = scalar[FREE_RECORD]
    scalar[FREE_RECORD] = which


@njit(cache=True, _nrt=False, inline="always")
def add_read(which, transfer_row, record, ticket, scalar):
    """A read of transfer `transfer_row` waits for the record `which` from now on.

    ticket int64 [n, 2]: next ticket of the same record, transfer
    """
    at = scalar[FREE_TICKET]
    scalar[FREE_TICKET] = ticket[at, NEXT_TICKET]
    ticket[at, OF_TRANSFER] = transfer_row
    ticket[at, NEXT_TICKET] = -1
    if record[which, R_FIRST] < 0:
        record[which, R_FIRST] = at
    else:
        ticket[record[which, R_LAST], NEXT_TICKET] = at
    record[which, R_LAST] = at


@njit(cache=True, _nrt=False, inline="always")
def finish(transfer_row, cycle, transfer, client, scalar):
    """One burst of a transfer is done in `cycle`; transfer int64 [n, 11], client int64 [n, 3]: see `dram_state`."""
    client[transfer[transfer_row, T_CLIENT], C_OUTSTANDING] -= 1
    transfer[transfer_row, T_LEFT] -= 1
    if transfer[transfer_row, T_LEFT] == 0:
        transfer[transfer_row, T_DONE] = cycle
        scalar[FINISHED] += 1


@njit(cache=True, _nrt=False, inline="always")
def complete(
    cycle, data, posted, record, bucket, ticket, transfer, client, scalar
):  # fmt: skip
    """Books everything that completes in `cycle`.

    data int64 [n, 3]: ring of (cycle, record, reads) of bursts on the data bus
    posted int64 [n, 3]: ring of (cycle, record or -1, transfer) of forwarded reads and of writes
    """
    while scalar[DATA_SIZE] > 0 and data[scalar[DATA_HEAD], 0] <= cycle:
        head = scalar[DATA_HEAD]
        for _ in range(data[head, 2]):
            take_read(data[head, 1], cycle, record, ticket, transfer, client, scalar)
        close_if_idle(data[head, 1], record, bucket, scalar)
        scalar[DATA_HEAD] = head + 1 if head + 1 < data.shape[0] else 0
        scalar[DATA_SIZE] -= 1
    while scalar[POSTED_SIZE] > 0 and posted[scalar[POSTED_HEAD], 0] <= cycle:
        head = scalar[POSTED_HEAD]
        which = posted[head, 1]
        if which < 0:
            finish(posted[head, 2], cycle, transfer, client, scalar)
        else:
            take_read(which, cycle, record, ticket, transfer, client, scalar)
            close_if_idle(which, record, bucket, scalar)
        scalar[POSTED_HEAD] = head + 1 if head + 1 < posted.shape[0] else 0
        scalar[POSTED_SIZE] -= 1


@njit(cache=True, _nrt=False, inline="always")
def take_read(which, cycle, record, ticket, transfer, client, scalar):
    """The oldest read that waits for the record `which` is done."""
    at = record[which, R_FIRST]
    record[which, R_FIRST] = ticket[at, NEXT_TICKET]
    ticket[at, NEXT_TICKET] = scalar[FREE_TICKET]
    scalar[FREE_TICKET] = at
    finish(ticket[at, OF_TRANSFER], cycle, transfer, client, scalar)
