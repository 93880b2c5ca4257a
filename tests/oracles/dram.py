"""Drives the plain definition of a DRAM channel (simulator/components/dram/plain.py) with traces, cycle by cycle."""

from __future__ import annotations

from simulator.components.dram.plain import PlainChannel, PlainTransfer
from simulator.hardware.dram_geometry import DramController, DramGeometry
from simulator.hardware.dram_timing import DramTiming

Burst = tuple[int, bool, int]
"""Number of the burst in memory, True for a write, earliest cycle of acceptance."""


def oracle_run(
    timing: DramTiming, geometry: DramGeometry, controller: DramController, traces: list[list[Burst]]
) -> tuple[PlainChannel, list[list[PlainTransfer]], int]:
    """The channel after every burst is done, the transfers (one per burst) by trace, and the last cycle."""
    channel = PlainChannel(timing, geometry, controller, len(traces))
    transfers = [
        [PlainTransfer(arrival, block, 1, write, number, 1) for block, write, arrival in trace]
        for number, trace in enumerate(traces)
    ]
    for mine in transfers:
        for transfer in mine:
            channel.ask(transfer)
    cycle = 0
    channel.accept(cycle)
    while channel.finished < sum(len(mine) for mine in transfers):
        cycle += 1
        channel.step(cycle)
        channel.accept(cycle)
    return channel, transfers, cycle
