"""Speed of the cost model: an estimate of a whole network, beside simulating the same thing, and tilings of a layer.

    python -m benchmarks.costmodel_speed [--networks NAME ...] [--chips NAME ...] [--json]

Per network and chip, one sample of T timesteps of independent spikes, default mapping, in CPU time of one process:

first    the first estimate of a schedule, its closed form included
by step  one more (time and energy), from statistics of other spikes, timestep by timestep
alike    one more, from the rate that they were drawn with: all timesteps are alike, as a mapper or a search asks
ratios   simulating such spikes (time and energy) over either of them

Kernels are warm and each figure is the best of several.

Tilings of a convolution of ResNet-18 on the array of `stems_meta1m` are priced with short loop nests and with ones cut
into prime factors, both together filled up to the longest.

Bars: 2 ms for an estimate, by step too; a ratio of 100 for the question with one rate; one million tilings per second.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import cycle
from typing import Any

import numpy as np

from benchmarks.command import Result, run_options
from simulator import Activity, Hardware, Network, load_hardware, load_network, lower, place, simulate
from simulator.costmodel.estimate import estimate
from simulator.costmodel.loopnest_types import LOOPS, OPERANDS, LoopLayer, PinnedLoops
from simulator.costmodel.published.stems_array import Array, array_of
from simulator.costmodel.published.stems_node import mappings
from simulator.costmodel.tilings import Tilings, price_tilings
from simulator.trace.synthetic import bernoulli_trace

NETWORKS = ("vgg9", "resnet18")
CHIPS = ("sia_pynqz2", "event_core_28nm", "cim_spikesim64", "cim_isaac32", "stems_meta1m_lpddr4")
STEPS, DENSITY = 8, 0.1
ROUNDS, RUNS, TILINGS = 30, 4, 60_000
MILLISECONDS, RATIO, PER_SECOND = 2.0, 100.0, 1e6


def main(argv: Sequence[str] | None = None) -> int:
    """Measures everything; 0 the bars hold, 1 one is missed, 2 the input is wrong."""
    return run_options("costmodel_speed", __doc__.splitlines()[0], compute, _declare, argv)


def _declare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--networks", nargs="+", default=list(NETWORKS), help="names or files of networks")
    parser.add_argument("--chips", nargs="+", default=list(CHIPS), help="names or files of chips")


def compute(options: argparse.Namespace) -> Result:
    """Estimates of every network on every chip, then tilings."""
    head = "network   chip                 lower s  first ms  by step ms  alike ms  simulated s      ratios"
    result = Result(lines=[head])
    rows = []
    for name in options.networks:
        network = load_network(name)
        for chip in options.chips:
            row = {"network": name, "chip": chip, **measured(network, load_hardware(chip))}
            rows.append(row)
            result.lines.append(
                f"{name:9s} {chip:20s} {row['lower_s']:7.2f} {row['first_ms']:9.1f} {row['by_step_ms']:11.2f} "
                f"{row['alike_ms']:9.2f} {row['simulated_s']:12.3f} {row['ratio_by_step']:7.0f} {row['ratio']:6.0f}"
            )
            slowest = max(row["by_step_ms"], row["alike_ms"])
            result.check(slowest <= MILLISECONDS, f"{name} on {chip}: {slowest:.2f} ms per estimate")
            result.check(row["ratio"] >= RATIO, f"{name} on {chip}: {row['ratio']:.0f} times faster than simulation")
    speeds = tilings_per_second()
    for kind, speed in speeds.items():
        result.lines.append(f"{speed / 1e6:.2f} M tilings/s, {kind}")
        result.check(speed >= PER_SECOND, f"{speed / 1e6:.2f} M tilings/s, {kind}")
    result.figures = {"timesteps": STEPS, "density": DENSITY, "estimates": rows, "tilings_per_s": speeds}
    worst = max((max(row["by_step_ms"], row["alike_ms"]) for row in rows), default=0.0)
    least = min((row["ratio"] for row in rows), default=float("inf"))
    result.bar = (
        f"estimate {worst:.2f} ms at most (bar {MILLISECONDS:g}), {least:.0f} times faster than simulation at least "
        f"(bar {RATIO:g}), {min(speeds.values()) / 1e6:.2f} M tilings/s at least (bar 1)"
    )
    return result


def measured(network: Network, hardware: Hardware) -> dict[str, float]:
    """CPU seconds and milliseconds of one network on one chip."""
    begin = time.process_time()
    mapping = place(network, hardware, timesteps_hint=STEPS)
    schedule = lower(mapping, network, hardware)
    lowering = time.process_time() - begin
    traces = [bernoulli_trace(network, STEPS, DENSITY, seed=seed) for seed in range(2)]
    activities = [Activity.of(trace) for trace in traces]
    alike = [Activity.bernoulli(network, rate, STEPS) for rate in (DENSITY, DENSITY / 2)]

    def once(activity: Activity) -> None:
        found = estimate(schedule, hardware, activity, mapping=mapping)
        assert found.end_ps > 0 and found.total_pj > 0

    # Kernels are loaded by the closed form of another schedule, so that `first` is what a second mapping pays.
    estimate(lower(mapping, network, hardware), hardware, activities[0], mapping=mapping)
    begin = time.process_time()
    once(activities[0])
    first = time.process_time() - begin
    turns = [cycle(case) for case in (activities, alike)]
    by_step, flat = (fastest(lambda turn=turn: once(next(turn)), ROUNDS) for turn in turns)  # type: ignore[misc]
    simulated = fastest(lambda: simulate(hardware, network, traces[0], mapping).energy.total, RUNS)
    return {"lower_s": lowering, "first_ms": first * 1e3, "by_step_ms": by_step * 1e3, "alike_ms": flat * 1e3,
            "simulated_s": simulated, "ratio_by_step": simulated / by_step, "ratio": simulated / flat}  # fmt: skip


def fastest(work: Callable[[], Any], rounds: int) -> float:
    """CPU seconds of the best of several rounds after one that warms up."""
    found = []
    for _ in range(rounds + 1):
        begin = time.process_time()
        work()
        found.append(time.process_time() - begin)
    return min(found[1:])


def tilings_per_second() -> dict[str, float]:
    """Tilings per CPU second by kind of loop nest."""
    hardware = load_hardware("stems_meta1m")
    array = array_of(hardware.unit("array"), hardware)
    assert array is not None
    layer = LoopLayer("conv2_x", {"B": 4, "K": 64, "C": 64, "OY": 56, "OX": 56, "FY": 3, "FX": 3},
                      {"W": 4, "I": 1, "O_partial": 16, "O_final": 1})  # fmt: skip
    short = list(mappings(layer, array))
    long = [in_factors(mapping, array, seed) for seed in range(8) for mapping in short]
    found = {}
    for kind, chosen in (("loops whole", short), ("loops in prime factors", long), ("both together", short + long)):
        many = Tilings.of(chosen * (TILINGS // len(chosen) + 1))
        title = f"{kind}, {many.loop.shape[1]} loops"
        found[title] = len(many.loop) / fastest(partial(price_tilings, layer, array.machine, many), RUNS * 3)
    return found


def in_factors(mapping: PinnedLoops, array: Array, seed: int) -> PinnedLoops:
    """The loops of a mapping cut into prime factors, in a drawn order, at drawn levels."""
    rng = np.random.Generator(np.random.PCG64(seed))
    factors = [(loop, prime) for loop, steps in mapping.temporal for prime in primes(steps)]
    order = tuple(factors[i] for i in rng.permutation(len(factors)))
    placed = {}
    for operand in OPERANDS:
        cuts = np.sort(rng.integers(0, len(order) + 1, len(array.machine.levels[operand]) - 1))
        placed[operand] = tuple(np.diff(cuts, prepend=0, append=len(order)).tolist())
    assert {loop for loop, _ in order} <= set(LOOPS)
    return PinnedLoops(order, placed, mapping.spatial, mapping.spatial_latency)


def primes(number: int) -> list[int]:
    """Prime factors in rising order."""
    found, divisor = [], 2
    while number > 1:
        while number % divisor == 0:
            found.append(divisor)
            number //= divisor
        divisor += 1
    return found


if __name__ == "__main__":
    sys.exit(main())
