"""Speed of a DRAM channel: requests per second of CPU time, sequential and random, one client or several.

    python -m benchmarks.dram_speed [--requests N] [--json]

DDR4-2400, 8 Gb x8, two ranks, refresh on, its queues always full.  The bar: at least a million requests per second of
CPU time over all patterns together.  Each pattern counts its best of three runs.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence

import numpy as np

from benchmarks.command import Result, show_result
from simulator.components.dram.tables import channel_tables
from simulator.components.dram.trace import BurstTrace, run_traces
from simulator.hardware.dram_geometry import DramController, DramGeometry
from simulator.hardware.dram_timing import DramTiming

BAR = 1e6
SPAN = 1 << 24
"""Bursts of the memory that are used: 1 GiB."""
TIMING = DramTiming(
    tcl_cycles=17, tcwl_cycles=12, burst_cycles=4, trcd_cycles=17, trp_cycles=17, tras_cycles=39, trrd_s_cycles=4,
    trrd_l_cycles=6, tfaw_cycles=26, tccd_s_cycles=4, tccd_l_cycles=6, twr_cycles=18, trtp_cycles=9, twtr_s_cycles=3,
    twtr_l_cycles=9, trtrs_cycles=1, trfc_cycles=420, trefi_cycles=9360,
)  # fmt: skip
GEOMETRY = DramGeometry(ranks=2, bank_groups=4, banks_per_group=4, rows=65536, columns=128, burst_bytes=64)


def patterns(requests: int) -> dict[str, list[BurstTrace]]:
    """Traces by name; bursts split evenly over the clients."""
    rng = np.random.Generator(np.random.PCG64(1))
    part = requests // 4
    walks = [BurstTrace(client * (SPAN // 4) + np.arange(part), np.zeros(part, bool), np.zeros(part, np.int64))
             for client in range(4)]  # fmt: skip
    now = np.zeros(requests, np.int64)
    anywhere = rng.integers(0, SPAN, requests)
    return {
        "sequential reads": [BurstTrace(np.arange(requests), now > 0, now)],
        "sequential writes": [BurstTrace(np.arange(requests), now == 0, now)],
        "four clients, sequential reads": walks,
        "random reads": [BurstTrace(anywhere, now > 0, now)],
        "random, a third writes": [BurstTrace(anywhere, rng.random(requests) < 1 / 3, now)],
    }


def measure(requests: int) -> Result:
    """Runs each pattern three times."""
    tables = channel_tables(TIMING, GEOMETRY, DramController())
    result = Result()
    run_traces(tables, patterns(64)["random reads"])
    total = 0.0
    cases = patterns(requests)
    for name, traces in cases.items():
        best = float("inf")
        for _ in range(3):
            begin = time.process_time()
            run = run_traces(tables, traces)
            best = min(best, time.process_time() - begin)
        total += best
        size = run.done.size
        result.lines.append(f"{name:32s} {size / best / 1e6:6.2f} M requests/s  {run.cycles / size:6.2f} cycles each")
        result.figures[name] = size / best
    rate = len(cases) * requests / total
    result.figures["requests_per_second"] = rate
    result.bar = f"{rate / 1e6:.2f} M requests per second of CPU time (at least {BAR / 1e6:.0f})"
    result.check(rate >= BAR, "too slow")
    return result


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; 0 when the bar is reached, else 1."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.dram_speed", description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=200_000, help="requests per pattern")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")
    options = parser.parse_args(argv)
    return show_result("dram_speed", measure(max(64, options.requests)), options.json)


if __name__ == "__main__":
    sys.exit(main())
