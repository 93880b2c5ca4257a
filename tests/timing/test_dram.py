"""Latency and bandwidth of a DRAM channel against closed forms of its timings, for every device that ships."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.components.dram.tables import channel_tables
from simulator.components.dram.trace import BurstTrace, ChannelRun, run_traces
from simulator.hardware.dram_geometry import DramController
from simulator.hardware.dram_presets import DramPreset, dram_preset, dram_presets
from simulator.hardware.dram_timing import COMMANDS
from simulator.kernels import dram_state as ks

CONTROLLER = 2
"""Cycles from acceptance to the first command: into the bank queue, out of it."""


def block(device: DramPreset, row: int, column: int = 0, bank: int = 0) -> int:
    """Number of a burst in rank 0, bank group 0."""
    low = device.geometry.columns * device.geometry.bank_groups
    return column + bank * low + row * low * device.geometry.banks_per_group * device.geometry.ranks


def run(device: DramPreset, blocks: list[int], arrival: list[int], write: bool = False, **policy: object) -> ChannelRun:
    controller = DramController(**{"refresh": "none", **policy})  # type: ignore[arg-type]
    trace = BurstTrace(np.array(blocks), np.full(len(blocks), write), np.array(arrival))
    return run_traces(channel_tables(device.timing, device.geometry, controller, logging=True), [trace])


@pytest.mark.parametrize("name", dram_presets())
def test_latency_of_a_closed_bank_a_row_hit_and_a_conflict(name: str) -> None:
    device = dram_preset(name)
    t = device.timing
    later = 10 * t.tras_cycles
    found = run(device, [block(device, 0), block(device, 0, 1), block(device, 1)], [0, later, 2 * later])
    hit = CONTROLLER + t.tcl_cycles + t.burst_cycles
    closed = hit + t.trcd_cycles
    assert (found.done - found.accepted).tolist() == [closed, hit, closed + t.trp_cycles]
    assert found.counts[[ks.N_HIT, ks.N_CLOSED, ks.N_CONFLICT]].tolist() == [1, 1, 1]


@pytest.mark.parametrize("name", dram_presets())
def test_a_row_cycle_separates_rows_of_one_bank(name: str) -> None:
    """One at a time and at once: the next row of the bank is activated tRAS + tRP after the last, or as soon as the
    read before it has left, whichever is later."""
    device = dram_preset(name)
    t = device.timing
    found = run(device, [block(device, row) for row in range(20)], [0] * 20, outstanding_limit=1)
    one_after_another = CONTROLLER + t.trp_cycles + t.trcd_cycles + t.tcl_cycles + t.burst_cycles
    period = max(t.tras_cycles + t.trp_cycles, one_after_another)
    assert np.diff(found.done).tolist() == [period] * 19


@pytest.mark.parametrize("name", dram_presets())
def test_a_posted_write_is_done_at_once_and_a_read_of_it_is_served(name: str) -> None:
    device = dram_preset(name)
    controller = DramController(refresh="none")
    here = block(device, 3)
    trace = BurstTrace(np.array([here, here, here]), np.array([True, True, False]), np.array([0, 5, 9]))
    found = run_traces(channel_tables(device.timing, device.geometry, controller), [trace])
    assert found.done.tolist() == [2, 7, 11]
    assert found.counts[[ks.N_MERGED, ks.N_FORWARDED, ks.N_READ, ks.N_WRITE]].tolist() == [1, 1, 0, 0]


@pytest.mark.parametrize("name", dram_presets())
def test_streams_reach_the_bound_of_the_column_distance(name: str) -> None:
    """Reads of one row per bank: burst or tCCD_L apart, less what refresh takes."""
    device = dram_preset(name)
    t = device.timing
    size = 20_000
    found = run(device, list(range(size)), [0] * size, refresh="rank")
    groups = device.geometry.bank_groups
    fastest = max(t.burst_cycles, t.tccd_s_cycles)
    slowest = max(t.burst_cycles, t.tccd_s_cycles if groups == 1 else t.tccd_l_cycles)
    refreshed = 1 - t.trfc_cycles / t.trefi_cycles
    assert size * fastest <= found.cycles <= size * slowest / refreshed * 1.05


def test_refresh_of_a_bank_leaves_the_others_working() -> None:
    """LPDDR4: with refresh of single banks a stream over all banks is faster than with refresh of the whole rank."""
    device = dram_preset("lpddr4-3200")
    size = 30_000
    cycles = {}
    for kind in ("rank", "bank", "none"):
        found = run(device, list(range(size)), [0] * size, refresh=kind)
        cycles[kind] = found.cycles
        commands = {COMMANDS[c] for c in found.commands[:, 1].tolist()}
        assert ("REF" in commands, "REFB" in commands) == (kind == "rank", kind == "bank")
    assert cycles["none"] < cycles["bank"] < cycles["rank"]


@pytest.mark.parametrize("name", dram_presets())
def test_refreshes_come_at_their_interval(name: str) -> None:
    """An idle channel refreshes each rank once per tREFI; the first is due one interval after the start."""
    device = dram_preset(name)
    every = device.timing.trefi_cycles // device.geometry.ranks
    found = run(device, [0], [every * 7 + 5], refresh="rank")
    refreshes = found.commands[found.commands[:, 1] == COMMANDS.index("REF")]
    assert refreshes[:, 0].tolist() == [every * n for n in range(1, 8)]
    assert refreshes[:, 2].tolist() == [(n - 1) % device.geometry.ranks for n in range(1, 8)]
