"""Main memory as a transfer sees it: pace of its bursts, latency, rows to open, refresh; of either kind of DRAM.

Timings by the names of data sheets (JESD79-4, JESD209-4); the commands that they separate: `hardware/dram_timing.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from simulator.costmodel.bank_rows import Pages

ACCEPTANCE = 2
"""Cycles from the acceptance of a burst over its move to a bank queue to the first command for it."""
@dataclass(frozen=True)
class Channel:
    """Times in ps.

    burst_bits, pace   bits of a burst, and time between two bursts of a long transfer
    latency            from a request to its first data, its row open
    closed, conflict   what an access to a bank without, and with another, open row takes more
    posted             bursts that a write may leave behind in queues when it is complete; 0: none
    drained            bursts that are written at least once writing has begun; reads of the same place end it then
    accept             time between two bursts that are taken into queues
    served             from a request to its first data, where a write in a queue holds them
    refresh            time in which a refresh keeps a rank from work
    interval           between two refreshes of a rank (or of a bank, where banks are refreshed); 0: none
    refreshes          refreshes of a channel in that time, one after another
    turn               extra time of a change to writing and back to reading
    """

    burst_bits: int
    pace: float
    latency: float
    closed: float = 0.0
    conflict: float = 0.0
    posted: int = 0
    drained: int = 0
    accept: float = 0.0
    served: float = 0.0
    refresh: float = 0.0
    interval: float = 0.0
    refreshes: int = 0
    turn: float = 0.0

    @property
    def share(self) -> float:
        """Refresh time per time of transfer: of all time, refresh / interval is lost."""
        return self.refresh / (self.interval - self.refresh) if self.interval > self.refresh else 0.0


def channel_of(spec: Any, ps: float) -> Channel:
    """The channel of a `dram` or `banked_dram` spec whose clock cycle takes `ps`."""
    if spec.type == "dram":
        return Channel(spec.burst_bits, spec.burst_cycles * ps, spec.latency_cycles * ps)
    t, g, c = spec.timing, spec.geometry, spec.controller
    rl, wl = t.tal_cycles + t.tcl_cycles, t.tal_cycles + t.tcwl_cycles
    pages = Pages(spec)
    apart = pages.bursts_of_group() > 1 and g.bank_groups > 1  # neighbours lie in one group
    between = max(t.burst_cycles, t.tccd_l_cycles if apart else t.tccd_s_cycles)
    row_cycle = t.trc_cycles or t.tras_cycles + t.trp_cycles
    if c.page == "close":
        between = max(between, row_cycle if pages.bursts > 1 else 0)
    held = c.read_queue + c.bank_queue
    late = 0 if c.scheduler == "frfcfs" else t.trp_cycles + t.trcd_cycles
    late = max(late, t.trp_cycles + t.trcd_cycles - held * between)  # of every row, where queues are too short for it
    interval, refresh, refreshes = t.trefi_cycles, t.trp_cycles + t.trfc_cycles + t.trcd_cycles, g.ranks
    if c.refresh == "bank":
        interval, refresh = (t.trefi_bank_cycles or 0) * (g.banks // g.ranks), t.trfc_bank_cycles or 0
        refreshes = g.banks
    return Channel(
        burst_bits=g.burst_bytes * 8,
        pace=(between + late / pages.bursts) * ps / g.channels,
        latency=(ACCEPTANCE + rl) * ps,
        closed=t.trcd_cycles * ps,
        conflict=(t.trcd_cycles + t.trp_cycles) * ps,
        posted=c.write_queue,
        drained=c.drain_above + 1,
        accept=ps / g.channels,
        served=c.posted_cycles * ps,
        refresh=refresh * ps,
        interval=0 if c.refresh == "none" else interval * ps,
        refreshes=refreshes,
        turn=(rl + t.burst_cycles - wl + t.trtrs_cycles + wl + t.burst_cycles + t.twtr_l_cycles - 2 * between) * ps,
    )
