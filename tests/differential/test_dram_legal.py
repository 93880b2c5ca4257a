"""No timing constraint is ever violated: a checker of its own replays the schedules of random traffic (3-legal)."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.components.dram.tables import channel_tables
from simulator.components.dram.trace import BurstTrace, run_traces
from simulator.hardware.dram_geometry import DramController, DramGeometry
from simulator.hardware.dram_timing import COMMANDS, DramTiming
from tests.oracles.dram_checker import Command, violations

# Published timings, keyed from DRAMsim3 2981759 DDR4_8Gb_x8_2400.ini and DRAMSys 2107966 JEDEC_8Gb_LPDDR4-3200_16bit;
# refresh ten times as often, so that it meets everything.
DDR4 = {
    "AL": 0, "CL": 17, "CWL": 12, "B": 4, "RCD": 17, "RP": 17, "RAS": 39, "RRD_S": 4, "RRD_L": 6, "FAW": 26, "CCD_S": 4,
    "CCD_L": 6, "WR": 18, "RTP": 9, "WTR_S": 3, "WTR_L": 9, "RTRS": 1, "PPD": 0, "RFC": 420, "REFI": 1872,
}  # fmt: skip
LPDDR4 = {
    "AL": 0, "CL": 28, "CWL": 14, "B": 8, "RCD": 29, "RP": 29, "RAS": 68, "RRD_S": 16, "RRD_L": 16, "FAW": 64,
    "CCD_S": 8, "CCD_L": 8, "WR": 29, "RTP": 12, "WTR_S": 16, "WTR_L": 16, "RTRS": 1, "PPD": 4, "RFC": 448,
    "REFI": 1249,
}  # fmt: skip
# Distances that bind rarely in a real device bind often in this one.
TIGHT = {
    "AL": 1, "CL": 9, "CWL": 7, "B": 2, "RCD": 5, "RP": 6, "RAS": 13, "RRD_S": 3, "RRD_L": 4, "FAW": 26, "CCD_S": 3,
    "CCD_L": 5, "WR": 8, "RTP": 7, "WTR_S": 3, "WTR_L": 6, "RTRS": 2, "PPD": 3, "RFC": 30, "REFI": 300,
}  # fmt: skip
DEVICES = {"DDR4": (DDR4, 2, 4, 4), "LPDDR4": (LPDDR4, 1, 1, 8), "tight": (TIGHT, 2, 4, 2)}
FIELDS = {"AL": "tal", "CL": "tcl", "CWL": "tcwl", "B": "burst"}


def schedule(name: str, page: str, scheduler: str, bursts: int, seed: int) -> list[Command]:
    """Commands of three clients: one walks, one jumps, one stays in few rows; reads and writes mixed."""
    t, ranks, groups, banks = DEVICES[name]
    timing = DramTiming(**{f"{FIELDS.get(k, 't' + k.lower())}_cycles": v for k, v in t.items()})
    geometry = DramGeometry(
        ranks=ranks, bank_groups=groups, banks_per_group=banks, rows=1024, columns=16, burst_bytes=64
    )
    rng = np.random.Generator(np.random.PCG64(seed))
    size = bursts // 3
    blocks = (
        np.arange(size),
        rng.integers(0, 1 << 18, size),
        rng.integers(0, 64, size) * 640 + rng.integers(0, 16, size),
    )
    traces = [
        BurstTrace(block, rng.random(size) < 0.4, np.cumsum(rng.integers(0, (3, 8, 40)[i] * 2, size)))
        for i, block in enumerate(blocks)
    ]
    controller = DramController(page=page, scheduler=scheduler, outstanding_limit=24)  # type: ignore[arg-type]
    run = run_traces(channel_tables(timing, geometry, controller, logging=True), traces)
    return [(c[0], COMMANDS[c[1]], c[2], c[3], c[4], c[5], c[6]) for c in run.commands.tolist()]


def breaches(commands: list[Command], name: str, **longer: int) -> list[str]:
    t, ranks, groups, banks = DEVICES[name]
    return violations(commands, {**t, **longer}, ranks, groups, banks)


@pytest.mark.parametrize("scheduler", ["frfcfs", "fcfs"])
@pytest.mark.parametrize("page", ["open", "close"])
@pytest.mark.parametrize("name", DEVICES)
def test_no_constraint_is_violated(name: str, page: str, scheduler: str) -> None:
    commands = schedule(name, page, scheduler, 1200, 1)
    assert {c[1] for c in commands} >= {"ACT", "REF"} and len(commands) > 1500
    assert breaches(commands, name) == []


@pytest.mark.parametrize("parameter", ["RCD", "RP", "RAS", "RRD_S", "RRD_L", "FAW", "CCD_S", "CCD_L", "WR", "RTP",
                                       "WTR_S", "WTR_L", "RTRS", "PPD", "RFC"])  # fmt: skip
def test_the_checker_sees_every_constraint(parameter: str) -> None:
    """A device that needs one cycle more than the schedule gave it: every constraint was used to the cycle."""
    pages = ("open", "close") if parameter in ("RP", "RTP", "WR") else ("open",)
    for page in pages:
        commands = schedule("tight", page, "frfcfs", 6000, 2)
        assert breaches(commands, "tight", **{parameter: TIGHT[parameter] + 1}) != []


@pytest.mark.slow
@pytest.mark.parametrize("name", DEVICES)
def test_no_constraint_is_violated_in_a_million_commands(name: str) -> None:
    commands: list[Command] = []
    seen, seed = 0, 10
    while seen < 1_000_000:
        commands = schedule(name, ("open", "close")[seed % 2], "frfcfs", 60_000, seed)
        assert breaches(commands, name) == []
        seen, seed = seen + len(commands), seed + 1
