"""Kernel of a DRAM channel against its plain definition, which goes cycle by cycle (tests/oracles/dram.py)."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.components.dram.tables import channel_tables
from simulator.components.dram.trace import BurstTrace, run_traces
from simulator.hardware.dram_geometry import DramController, DramGeometry
from simulator.hardware.dram_timing import COMMANDS, DramTiming
from tests.oracles.dram import oracle_run

COUNTED = ("read", "write", "activate", "precharge", "hit", "closed", "conflict", "refreshed", "turn", "forwarded",
           "joined", "merged")  # fmt: skip
ORDERS = (
    ("row", "rank", "bank", "bank_group", "column"),
    ("row", "column", "bank", "rank", "bank_group"),
    ("rank", "row", "column:1", "bank_group", "bank", "column"),
)


def device(rng: np.random.Generator) -> tuple[DramTiming, DramGeometry, DramController]:
    """A small memory with short timings, so that queues fill, refreshes are frequent and every constraint binds."""

    def draw(low: int, high: int) -> int:
        return int(rng.integers(low, high + 1))

    def of(*choices: str) -> str:
        return choices[draw(0, len(choices) - 1)]

    timing = DramTiming(
        tal_cycles=draw(0, 2), tcl_cycles=draw(3, 9), tcwl_cycles=draw(2, 8), burst_cycles=draw(1, 4),
        trcd_cycles=draw(2, 9), trp_cycles=draw(2, 9), tras_cycles=draw(4, 20),
        trrd_s_cycles=draw(1, 4), trrd_l_cycles=draw(2, 7), tfaw_cycles=draw(0, 30),
        tccd_s_cycles=draw(1, 4), tccd_l_cycles=draw(2, 7), twr_cycles=draw(2, 9), trtp_cycles=draw(2, 6),
        twtr_s_cycles=draw(1, 4), twtr_l_cycles=draw(2, 8), trtrs_cycles=draw(0, 2), tppd_cycles=draw(0, 4),
        trfc_cycles=draw(5, 40), trefi_cycles=draw(120, 400), trfc_bank_cycles=draw(4, 20),
        trefi_bank_cycles=draw(40, 100),
    )  # fmt: skip
    geometry = DramGeometry(
        ranks=2 ** draw(0, 1), bank_groups=2 ** draw(0, 2), banks_per_group=2 ** draw(0, 2), rows=8,
        columns=2 ** draw(1, 3), burst_bytes=64, address_order=ORDERS[draw(0, 2)],
    )  # fmt: skip
    controller = DramController(
        scheduler=of("frfcfs", "frfcfs", "fcfs"), page=of("open", "open", "close"), refresh=of("rank", "bank", "none"),
        read_queue=draw(1, 12), write_queue=draw(1, 12), bank_queue=draw(1, 6), row_hit_cap=draw(1, 4),
        drain_above=draw(0, 5), outstanding_limit=int(of("0", "1", "5")), posted_cycles=draw(1, 3),
    )  # fmt: skip
    return timing, geometry, controller


def traffic(rng: np.random.Generator, geometry: DramGeometry) -> list[list[tuple[int, bool, int]]]:
    """A few clients; addresses repeat, so that bursts meet others of their address; some lie beyond the memory, so that
    two addresses share a place."""
    span = geometry.banks * geometry.columns * int(rng.integers(1, 9))
    writes = rng.choice((0.0, 0.3, 0.9))
    traces = []
    for _ in range(int(rng.integers(1, 4))):
        size = int(rng.integers(1, 60))
        block = rng.integers(0, span, size)
        if rng.integers(0, 2):
            block = (block[0] + np.arange(size)) % span
        again = rng.random(size) < 0.2
        block[again] = block[0]
        block[rng.random(size) < 0.1] += geometry.capacity_bytes // geometry.burst_bytes
        arrival = np.cumsum(rng.integers(0, int(rng.choice((1, 4, 60))) + 1, size))
        write = rng.random(size) < writes
        traces.append(list(zip(block.tolist(), write.tolist(), arrival.tolist(), strict=True)))
    return traces


@pytest.mark.parametrize("seed", range(60))
def test_kernel_is_the_plain_definition(seed: int) -> None:
    rng = np.random.Generator(np.random.PCG64([4, seed]))
    timing, geometry, controller = device(rng)
    traces = traffic(rng, geometry)
    tables = channel_tables(timing, geometry, controller, logging=True)
    run = run_traces(tables, [BurstTrace(*(np.array(c) for c in zip(*trace, strict=True))) for trace in traces])
    channel, transfers, cycles = oracle_run(timing, geometry, controller, traces)
    assert run.accepted.tolist() == [t.accepted for mine in transfers for t in mine]
    assert run.done.tolist() == [t.done for mine in transfers for t in mine]
    found = [(c[0], COMMANDS[c[1]], *c[2:]) for c in run.commands.tolist()]
    assert found == [c for c in channel.commands if c[0] <= cycles]
    assert dict(zip(COUNTED, run.counts.tolist(), strict=True)) == {n: channel.counts[0][n] for n in COUNTED}
    assert (run.cycles, run.active) == (cycles, channel.active)


def test_the_cases_reach_every_command_and_every_special_path() -> None:
    """What no case reaches, no case checks."""
    seen: set[str] = set()
    for seed in range(60):
        rng = np.random.Generator(np.random.PCG64([4, seed]))
        timing, geometry, controller = device(rng)
        traces = traffic(rng, geometry)
        tables = channel_tables(timing, geometry, controller, logging=True)
        run = run_traces(tables, [BurstTrace(*(np.array(c) for c in zip(*trace, strict=True))) for trace in traces])
        seen |= {COMMANDS[c] for c in run.commands[:, 1].tolist()}
        seen |= {name for name, count in zip(COUNTED, run.counts.tolist(), strict=True) if count}
    assert seen == {*COMMANDS, *COUNTED}


def test_a_write_that_waits_for_a_read_of_its_address_does_not_stop_the_channel() -> None:
    """Writes are full, nothing is queued, and the write whose turn it is waits for a read that is not queued either."""
    rng = np.random.Generator(np.random.PCG64(9))
    timing, geometry, _ = device(rng)
    controller = DramController(read_queue=4, write_queue=2, drain_above=0, bank_queue=1, refresh="none")
    trace = [(3, True, 0), (0, False, 0), (0, True, 0), (1, True, 0), (2, True, 0), (1, False, 0)]
    run = run_traces(
        channel_tables(timing, geometry, controller), [BurstTrace(*(np.array(c) for c in zip(*trace, strict=True)))]
    )
    _, transfers, _ = oracle_run(timing, geometry, controller, [trace])
    assert run.done.tolist() == [t.done for t in transfers[0]]
