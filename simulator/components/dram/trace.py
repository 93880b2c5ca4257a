"""A DRAM channel driven by traces of bursts: one client per trace, one transfer per burst."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simulator.components.dram.tables import ChannelTables
from simulator.kernels import dram_state as ks
from simulator.kernels.dram import advance


@dataclass(frozen=True)
class BurstTrace:
    """Bursts that a client offers in this order: int64 [n] number of the burst in memory (address / burst bytes),
    bool [n] True for a write, int64 [n] earliest cycle of acceptance."""

    block: np.ndarray
    write: np.ndarray
    arrival: np.ndarray


@dataclass(frozen=True)
class ChannelRun:
    """What a run left: int64 [n] accepted and done per burst, traces one after another; `cycles`, the last done.

    counts int64 [12]: columns N_READ .. N_MERGED of `kernels.dram_state`; refreshes.
    active, idle: cycles with at least one, and with no open bank, summed over the ranks and cycles 0 .. `cycles`.
    commands int64 [n, 7]: cycle, command, rank, bank group, bank, row, column (empty unless logged).
    """

    accepted: np.ndarray
    done: np.ndarray
    cycles: int
    counts: np.ndarray
    refreshes: int
    active: int
    idle: int
    commands: np.ndarray


def run_traces(tables: ChannelTables, traces: Sequence[BurstTrace]) -> ChannelRun:
    """Runs every burst of the traces to its completion."""
    size = sum(len(trace.block) for trace in traces)
    state, offsets = ks.make_state(tables.shape, tables.limits, len(traces), max(1, size), 1, max(1, size))
    rows = ks.table(state, offsets, ks.TRANSFER, ks.TRANSFER_COLUMNS)
    begin = 0
    for number, trace in enumerate(traces):
        end = begin + len(trace.block)
        rows[begin:end, ks.T_ARRIVAL] = trace.arrival
        rows[begin:end, ks.T_BLOCK] = trace.block
        rows[begin:end, ks.T_BURSTS] = 1
        rows[begin:end, ks.T_WRITE] = trace.write
        rows[begin:end, ks.T_CLIENT] = number
        rows[begin : end - 1, ks.T_NEXT] = np.arange(begin + 1, end)
        rows[begin:end, ks.T_LEFT] = 1
        if end > begin:
            ks.table(state, offsets, ks.CLIENT, ks.CLIENT_COLUMNS)[number, ks.C_TRANSFER] = begin
        begin = end
    scalar = state[: ks.SCALARS]
    log = np.empty((1 << 16 if tables.shape[ks.LOGGING] else 0, ks.LOG_COLUMNS), np.int64)
    parts = []
    while scalar[ks.FINISHED] < size:
        advance(state, offsets, tables.shape, tables.gaps, tables.limits, tables.fields, log, ks.NEVER - 1, size)
        parts.append(log[: scalar[ks.LOGGED]].copy())
        scalar[ks.LOGGED] = 0
    cycles = int(scalar[ks.CYCLE])
    active = active_cycles(state, offsets, cycles)
    return ChannelRun(
        accepted=rows[:, ks.T_ACCEPTED].copy(),
        done=rows[:, ks.T_DONE].copy(),
        cycles=cycles,
        counts=ks.table(state, offsets, ks.COUNT, ks.COUNT_COLUMNS).sum(axis=0),
        refreshes=int(scalar[ks.REFRESHED]),
        active=active,
        idle=(cycles + 1) * int(tables.shape[ks.RANKS]) - active,
        commands=np.concatenate([np.empty((0, ks.LOG_COLUMNS), np.int64), *parts]),
    )


def active_cycles(state: np.ndarray, offsets: np.ndarray, cycle: int) -> int:
    """Cycles 0 .. `cycle` with a bank open, summed over the ranks; `cycle` is the one the state has reached."""
    rank = ks.table(state, offsets, ks.RANK, ks.RANK_COLUMNS)
    still = rank[:, ks.OPEN_BANKS] > 0
    return int(rank[:, ks.ACTIVE].sum() + (cycle + 1 - rank[still, ks.SINCE]).sum())
