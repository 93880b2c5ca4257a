"""Each law of a run, broken one by one: the message names the unit and both numbers."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from simulator.energy import Energy
from simulator.errors import InvariantError
from simulator.invariants import check_record
from simulator.record import Record, UnitTime
from tests.unit.small_record import UNITS, small_record


def test_the_hand_made_record_obeys_all_laws() -> None:
    check_record(small_record())


def with_time(**change: Any) -> Callable[[Record], Record]:
    """The record with another time of the core."""

    def broken(record: Record) -> Record:
        core = dataclasses.replace(record.cycles["core"], **change)
        return dataclasses.replace(record, cycles={**record.cycles, "core": core})

    return broken


def with_work(**change: Any) -> Callable[[Record], Record]:
    """The record with other totals."""
    return lambda record: dataclasses.replace(record, work={**record.work, **change})


def negative_count(record: Record) -> Record:
    counts = record.counts.copy()
    counts[UNITS.index("dram"), 1, record.actions.index("read:weight")] = -3
    return dataclasses.replace(record, counts=counts)


def lost_bin(record: Record) -> Record:
    busy = record.busy.copy()
    busy[UNITS.index("core"), 0] -= 1
    return dataclasses.replace(record, busy=busy)


def overworked(record: Record) -> Record:
    dma = UnitTime("core", 101, 101, 0)
    return dataclasses.replace(record, cycles={**record.cycles, "dma": dma})


@pytest.mark.parametrize(
    ("breaks", "message"),
    [
        (negative_count, r"unit dram: read:weight of layer conv was counted -3 times, the least possible is 0"),
        (with_time(idle=6), r"unit core: busy \+ stall \+ idle is 101 cycles, the run is 100"),
        (with_time(stall={"weight_load": 15, "dependency": 9}), r"unit core: .* is 99 cycles, the run is 100"),
        (with_time(idle=-5, stall={"weight_load": 35}), r"unit core: idle cycles are -5, the least possible is 0"),
        (with_time(waits={"bank": -1}), r"unit core: bank cycles are -1"),
        (with_time(cycles=99, idle=4), r"unit core: its time adds up to 99 cycles, the run of 200000 ps lasts 100"),
        (overworked, r"unit dma: it worked for 101 cycles, the run ends after 100 cycles of clock core"),
        (lost_bin, r"unit core: busy bins add up to 69 cycles, busy is 70"),
        (with_work(delivered_spikes=24), r"network net: 25 spikes were delivered or dropped, .* are 26"),
        (with_work(dropped_spikes=2), r"network net: 27 spikes were delivered or dropped, .* are 26"),
        (
            with_work(link_bits={"dma": {"weight": {"sent": 10, "broadcast": 2, "received": 11, "overfetch": 0}}}),
            r"link dma: 12 weight bits were sent or copied, 11 were received or over-fetched",
        ),
        (lambda r: dataclasses.replace(r, counts=r.counts.astype(np.int32)), r"counts are int32 .* expected int64"),
        (lambda r: dataclasses.replace(r, cycles={"core": r.cycles["core"]}), r"unit names differ in \['dma', 'dram'"),
    ],
)
def test_a_broken_law_is_named(breaks: Callable[[Record], Record], message: str) -> None:
    with pytest.raises(InvariantError, match=message):
        check_record(breaks(small_record()))


def test_energy_parts_that_miss_the_total_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    record = small_record()
    whole = record.energy.by_layer
    monkeypatch.setattr(Energy, "by_layer", {**whole, "conv": whole["conv"] + 1.0})
    with pytest.raises(InvariantError, match=r"energy by_layer adds up to 30069\.\d+ pJ, the total is 30068\.\d+ pJ"):
        check_record(small_record())
