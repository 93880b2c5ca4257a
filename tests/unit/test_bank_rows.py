"""Rows and held writes of a banked memory: places by hand, and commands against the simulator's controller."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.components.dram.tables import channel_tables
from simulator.costmodel.bank_rows import HeldWrites, OpenRows, Pages
from simulator.costmodel.channel import channel_of
from simulator.hardware import load_hardware

SPEC = load_hardware("stems_meta1m_lpddr4").units["dram"]
A, B = (1, "state"), (2, "state")


@pytest.mark.parametrize("chip", ["stems_meta1m_lpddr4", "event_core_28nm_ddr4"])
def test_pages_follow_the_order_of_address_bits(chip: str) -> None:
    """Against the fields by which the controller finds the place of a burst."""
    spec = load_hardware(chip).units["dram"]
    geometry = spec.geometry  # type: ignore[attr-defined]
    fields = channel_tables(spec.timing, geometry, spec.controller).fields  # type: ignore[attr-defined]
    pages = Pages(spec)
    assert pages.bursts == geometry.columns
    seen = {}
    for burst in range(9 * geometry.columns):
        place = [0] * 6
        for field, low, mask, at in fields.tolist():
            place[field] |= (burst >> low & mask) << at
        seen.setdefault(tuple(place[1:]), None)
    bank, row = pages.of(0, 9 * geometry.columns)
    assert len(set(zip(bank.tolist(), row.tolist(), strict=True))) == bank.size == len(seen) == 9
    assert len(set(bank.tolist())) == len({place[:3] for place in seen})


def test_rows_stay_open_until_another_is_needed() -> None:
    """64 bursts of a row, then the next of 8 banks: 600 bursts open 10 rows, the last two in banks used before."""
    rows = OpenRows(Pages(SPEC))
    assert rows.access(*A, 64) == (1, False, True)
    assert rows.access(*A, 65) == (1, True, False)  # the first row is open, the second is new
    assert rows.access(*A, 600) == (8, True, False)  # rows 3 to 8, and 2 more in the first two banks
    assert rows.access(*A, 1) == (1, False, False)  # its bank has row 9 open
    assert rows.access(*B, 1) == (1, False, False)  # a region of its own, in the same bank
    assert rows.access(*B, 1) == (0, True, False)
    rows.close()
    assert rows.access(*B, 1) == (1, False, True)


def test_writes_are_held_until_there_are_enough() -> None:
    """More than 8 held writes begin a drain of those; what came meanwhile follows if it is more than 8 again."""
    held = HeldWrites(8)
    assert held.store(A, 8) == {}
    assert (held.load(A, 8), held.load(A, 3), held.load(B, 8)) == (8, 3, 0)
    assert held.store(A, 8) == {}  # merged into those that wait
    assert held.store(B, 1) == {A: 8, B: 1}
    assert held.load(A, 8) == 0
    assert held.store(A, 15) == {A: 9}
    assert held.store(B, 4) == {A: 6, B: 3}
    assert held.load(B, 4) == 1  # the fourth came after the drain began
    assert held.store(A, 20) == {B: 1, A: 20}
    assert held.store(A, 1000) == {A: 1000}


def test_channel_of_a_data_sheet() -> None:
    """LPDDR4-3200 at 1.6 GHz: 8 cycles a burst, tRCD 29, tRP 29, tCL 28, tRFC 448, tREFI 6246 (JESD209-4)."""
    found = channel_of(SPEC, 625.0)
    assert (found.burst_bits, found.pace) == (256, 8 * 625)
    assert (found.latency, found.closed, found.conflict) == ((28 + 2) * 625, 29 * 625, 58 * 625)
    assert found.refresh == (29 + 448 + 29) * 625
    assert found.interval == 6246 * 625
    assert found.share == pytest.approx(506 / (6246 - 506))
    assert found.turn == ((28 + 8 - 14 + 1) + (14 + 8 + 16) - 16) * 625
    flat = channel_of(load_hardware("stems_meta1m").units["dram"], 1000.0)
    assert (flat.burst_bits, flat.pace, flat.latency, flat.share, flat.conflict) == (64, 1000, 1000, 0, 0)


def test_neighbours_in_a_bank_group_follow_at_the_longer_distance() -> None:
    """DDR4-2400: a row is filled before the bank group changes, so that bursts are tCCD_L = 6 apart, not 4."""
    spec = load_hardware("event_core_28nm_ddr4").units["dram"]
    assert channel_of(spec, 1.0).pace == 6
    order = ("row", "rank", "bank", "column", "bank_group", "channel")
    geometry = spec.geometry.model_copy(update={"address_order": order})  # type: ignore[attr-defined]
    mixed = spec.model_copy(update={"geometry": geometry})
    assert channel_of(mixed, 1.0).pace == 4
    assert np.unique(Pages(mixed).of(0, 8)[0]).size == 4
