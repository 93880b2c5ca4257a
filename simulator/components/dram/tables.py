"""What a DRAM channel is, as the arrays that its kernel reads."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.errors import InputError
from simulator.hardware.dram_geometry import FIELDS, DramController, DramGeometry
from simulator.hardware.dram_timing import COMMANDS, SCOPES, DramTiming, constraint_rows, windows
from simulator.kernels import dram_state as ks

REFRESH_CODES = {"none": ks.NO_REFRESH, "rank": ks.RANK_REFRESH, "bank": ks.BANK_REFRESH}


@dataclass(frozen=True)
class ChannelTables:
    """Arguments of `kernels.dram.advance` that do not change in a run.

    shape int64 [SHAPE], gaps int64 [8, 5, 17], limits int64 [w, 3], fields int64 [n, 4]: see `kernels.dram_state`.
    """

    shape: np.ndarray
    gaps: np.ndarray
    limits: np.ndarray
    fields: np.ndarray


def refresh_interval(timing: DramTiming, geometry: DramGeometry, controller: DramController) -> int:
    """Cycles between two refreshes of a channel, its ranks (or its ranks and their banks) in turn; 0: no refresh.

    Raises InputError where bank refresh is asked for and the timing has none.
    """
    if controller.refresh == "none" or (controller.refresh == "rank" and timing.trefi_cycles == 0):
        return 0
    if controller.refresh == "rank":
        return max(1, timing.trefi_cycles // geometry.ranks)
    if timing.trefi_bank_cycles is None or timing.trfc_bank_cycles is None:
        raise InputError(
            "this timing has no refresh of single banks", key="controller.refresh", found="bank",
            allowed="rank or none, or trefi_bank_cycles and trfc_bank_cycles among the timings",
        )  # fmt: skip
    return max(1, timing.trefi_bank_cycles // geometry.ranks)


def channel_tables(
    timing: DramTiming, geometry: DramGeometry, controller: DramController, channel: int = 0, logging: bool = False
) -> ChannelTables:
    """The arrays of one channel; `logging`: its commands are written down."""
    interval = refresh_interval(timing, geometry, controller)
    limits = windows(timing)
    shape = np.zeros(ks.SHAPE, np.int64)
    shape[ks.RANKS] = geometry.ranks
    shape[ks.GROUPS] = geometry.bank_groups
    shape[ks.BANKS] = geometry.banks_per_group
    shape[ks.READS_HELD] = controller.read_queue
    shape[ks.WRITES_HELD] = controller.write_queue
    shape[ks.BANK_HELD] = controller.bank_queue
    shape[ks.CLOSE_PAGE] = controller.page == "close"
    shape[ks.IN_ORDER] = controller.scheduler == "fcfs"
    shape[ks.HIT_CAP] = controller.row_hit_cap
    shape[ks.DRAIN_ABOVE] = controller.drain_above
    shape[ks.REFRESH] = REFRESH_CODES[controller.refresh] if interval else ks.NO_REFRESH
    shape[ks.REFRESH_INTERVAL] = interval
    shape[ks.READ_LATENCY] = timing.tal_cycles + timing.tcl_cycles + timing.burst_cycles
    shape[ks.POSTED_LATENCY] = controller.posted_cycles
    shape[ks.OUTSTANDING_LIMIT] = controller.outstanding_limit
    shape[ks.CHANNEL] = channel
    shape[ks.OFFSET_BITS] = geometry.burst_bytes.bit_length() - 1
    shape[ks.LIMITS] = len(limits)
    shape[ks.LOGGING] = logging
    table = [(COMMANDS.index(w.command), w.number, w.cycles) for w in limits]
    return ChannelTables(shape, _gaps(timing, geometry), np.array(table, np.int64).reshape(-1, 3), _fields(geometry))


def _fields(geometry: DramGeometry) -> np.ndarray:
    rows = []
    low, have = 0, dict.fromkeys(FIELDS, 0)
    for name, bits in geometry.address_fields():
        rows.append((FIELDS.index(name), low, (1 << bits) - 1, have[name]))
        low, have[name] = low + bits, have[name] + bits
    return np.array(rows, np.int64).reshape(-1, 4)


def _gaps(timing: DramTiming, geometry: DramGeometry) -> np.ndarray:
    """Per command and scope the end of a list, then the list: later command, cycles, later command, cycles ..."""
    gaps = np.zeros((len(COMMANDS), len(SCOPES), 1 + 2 * len(COMMANDS)), np.int64)
    gaps[:, :, 0] = 1
    for row in constraint_rows(timing, geometry.bank_groups):
        entries = gaps[COMMANDS.index(row.first), SCOPES.index(row.scope)]
        end = int(entries[0])
        entries[end : end + 2] = COMMANDS.index(row.then), row.cycles
        entries[0] = end + 2
    return gaps
