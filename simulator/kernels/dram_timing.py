"""One engine for every timing constraint of a DRAM: minimum distances and windows come as data.

Plain definition: a command is legal in cycle c when for every earlier command f and every row (f, command, scope,
cycles) whose scope binds the bank, c >= cycle of f + cycles; and when, for every window (command, count, cycles) of its
rank, c >= cycle of the count-th last such command + cycles.

The kernels of a DRAM channel hand each other views of one array.  Counting references to them (`_nrt`) would cost four
times what the rest does, and none of them makes an array; handing them over costs half as much as the rest, so most
are inlined.
"""

from numba import njit

from simulator.kernels.dram_state import (
    GROUPS,
    IN_BANK,
    IN_GROUP,
    IN_GROUP_ROW,
    IN_OTHER_GROUP,
    IN_OTHER_RANK,
    IN_RANK,
    IN_RANK_ROW,
    LIMITS,
    OF_RANK,
    RANKS,
)


@njit(cache=True, _nrt=False, inline="always")
def earliest(command, q, bank, legal, window, limits, shape):
    """First cycle in which `command` to bank `q` breaks no constraint.

    q: bank number in the channel, in the order rank, bank group, bank
    bank int64 [Q, 10 + BANK_HELD], legal int64 [Q + G + R, 8], shape int64 [19]: see `dram_state`
    window int64 [R * windows, 1 + n]: place of the oldest, then the last issue cycles of the window's command
    limits int64 [windows, 3]: command, count, cycles of each window
    """
    first = max(legal[q, command], legal[bank[q, IN_GROUP_ROW], command], legal[bank[q, IN_RANK_ROW], command])
    for w in range(shape[LIMITS]):
        if limits[w, 0] == command:
            row = bank[q, OF_RANK] * shape[LIMITS] + w
            first = max(first, window[row, 1 + window[row, 0]] + limits[w, 2])
    return first


@njit(cache=True, _nrt=False, inline="always")
def book(command, q, cycle, bank, legal, window, limits, gaps, shape):
    """`command` to bank `q` is issued in `cycle`: every later command it binds is pushed back.

    gaps int64 [8, 5, 17]: for a command and a scope, where the list of what it binds ends, then that list: a later
        command and its cycles, and so on; others as for `earliest`
    """
    own_group = bank[q, IN_GROUP_ROW]
    own_rank = bank[q, OF_RANK]
    first_group = bank.shape[0] + own_rank * shape[GROUPS]
    first_rank = bank[q, IN_RANK_ROW] - own_rank
    push_back(legal, q, gaps, command, IN_BANK, cycle)
    for row in range(first_group, first_group + shape[GROUPS]):
        push_back(legal, row, gaps, command, IN_GROUP if row == own_group else IN_OTHER_GROUP, cycle)
    for row in range(first_rank, first_rank + shape[RANKS]):
        push_back(legal, row, gaps, command, IN_RANK if row == first_rank + own_rank else IN_OTHER_RANK, cycle)
    for w in range(shape[LIMITS]):
        if limits[w, 0] == command:
            row = own_rank * shape[LIMITS] + w
            at = window[row, 0]
            window[row, 1 + at] = cycle
            window[row, 0] = at + 1 if at + 1 < limits[w, 1] else 0


@njit(cache=True, _nrt=False, inline="always")
def push_back(legal, row, gaps, command, scope, cycle):
    """Raises the cycles legal[row] to what `command` in `cycle` allows in `scope`."""
    for i in range(1, gaps[command, scope, 0], 2):
        then = gaps[command, scope, i]
        legal[row, then] = max(legal[row, then], cycle + gaps[command, scope, i + 1])
