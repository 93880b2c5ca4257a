"""Speed of a whole run: spikes, cycles and joules of ResNet-18, beside the bare neuron kernels of the same process.

    python -m benchmarks.replay [--json]

CPU time, warm kernels.  Bars: bare kernels >= 3 G synaptic operations/s; neurons + timing + energy <= 2.5 x the bare
kernels; event loop <= 10 % of a run; replay of recorded spikes no slower than the run; marginal CPU per spike at 10^7
spikes <= 1.1 x that at 10^6; process start to first kernel <= 1.5 s; `--help` <= 0.3 s; kernels of the demo compile in
<= 15 s.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks.command import Result

CHIP = "event_core_28nm"
THRESHOLD_SCALE = 1.5
"""Thresholds of the built-in random ResNet-18 times this: about 0.9 M spikes in 8 timesteps."""
INPUT_RATE = 0.2
REPEATS = 5


def cpu_seconds(work: Callable[[], Any], repeats: int = REPEATS) -> float:
    """Least CPU time of several calls, after one that warms the kernels."""
    work()
    best = float("inf")
    for _ in range(repeats):
        start = time.process_time()
        work()
        best = min(best, time.process_time() - start)
    return best


def workload(steps: int = 8, size: int = 32) -> tuple[Any, Any]:
    """ResNet-18 with random weights, and random input spikes for it."""
    from simulator.network.zoo import resnet18
    from simulator.trace import StepSpikesBuilder, Trace

    net = resnet18((3, size, size), seed=1)
    populations = tuple(
        p
        if p.is_input
        else replace(p, neuron=replace(p.neuron, threshold=(p.neuron.threshold * THRESHOLD_SCALE).astype(np.int64)))
        for p in net.populations
    )
    net = replace(net, populations=populations)
    generator = np.random.Generator(np.random.PCG64(7))
    builder = StepSpikesBuilder()
    builder.begin_sample()
    for _ in range(steps):
        builder.add_step(np.flatnonzero(generator.random(3 * size * size) < INPUT_RATE).astype(np.uint32))
    trace = Trace("noise", net.topology(), "step", np.array([steps]), {"input": builder.build()}, "PCG64, seed 7")
    return net, trace


def measure_run(result: Result) -> None:
    """Bare kernels, run, replay, and the event loop's share."""
    from simulator import load_hardware, simulate
    from simulator.functional import complete_trace

    chip = load_hardware(CHIP)
    net, inputs = workload()
    full, counts, _ = complete_trace(net, inputs)
    operations = sum(counts.synaptic_operations.values())
    spikes = sum(s.count for s in full.populations.values())
    full.sha256, inputs.sha256, net.sha256  # noqa: B018 - identities of the inputs are no part of a run's time

    def run() -> None:
        simulate(chip, net, inputs).summary()

    def again() -> None:
        simulate(chip, net, full).summary()

    times = {"bare": [], "run": [], "replay": []}
    for _ in range(REPEATS):  # side by side: every kind sees the same machine
        times["bare"].append(cpu_seconds(lambda: complete_trace(net, inputs), 1))
        times["run"].append(cpu_seconds(run, 1))
        times["replay"].append(cpu_seconds(again, 1))
    bare, whole, replay = (min(times[k]) for k in ("bare", "run", "replay"))
    loop = event_loop_seconds(chip, net, full)
    rate, ratio, share = operations / bare / 1e9, whole / bare, loop / whole
    result.lines += [
        f"ResNet-18, T = 8 on {CHIP}: {spikes:,} spikes, {operations:,} synaptic operations",
        f"bare neuron kernels     {bare:.3f} s CPU, {rate:.2f} G synaptic operations/s (bar 3)",
        f"neurons, timing, energy {whole:.3f} s CPU, {ratio:.2f} x the bare kernels (bar 2.5)",
        f"replay                  {replay:.3f} s CPU, {replay / whole:.2f} x the run (bar 1)",
        f"event loop              {loop:.3f} s CPU, {100 * share:.1f} % of the run (bar 10)",
    ]
    result.figures |= {
        "spikes": spikes,
        "synaptic_operations": operations,
        "bare_cpu_s": bare,
        "bare_gsops": rate,
        "run_cpu_s": whole,
        "run_over_bare": ratio,
        "replay_cpu_s": replay,
        "event_loop_share": share,
    }
    result.check(rate >= 3, f"bare kernels reach {rate:.2f} G synaptic operations/s, wanted 3")
    result.check(ratio <= 2.5, f"a run takes {ratio:.2f} x the bare kernels, wanted 2.5")
    result.check(replay <= whole, f"replay takes {replay / whole:.2f} x the run, wanted 1")
    result.check(share <= 0.1, f"the event loop takes {100 * share:.1f} % of a run, wanted 10 %")


def event_loop_seconds(chip: Any, net: Any, trace: Any) -> float:
    """CPU time of the run's events if each did nothing: their number times the cost of an empty one, measured here."""
    from simulator import simulate
    from simulator.engine.environment import Environment

    class Counting(Environment):
        events = 0

        def schedule(self, event: Any, priority: int = 1, delay: int = 0) -> None:
            self.events += 1
            super().schedule(event, priority, delay)

    env = Counting()
    simulate(chip, net, trace, environment=env)

    def empty() -> None:
        loop = Environment()

        def sleeper() -> Any:
            for _ in range(20_000):
                yield loop.timeout(1)

        loop.process(sleeper())
        loop.run()

    return env.events * cpu_seconds(empty, 3) / 20_000


def measure_marginal(result: Result) -> None:
    """CPU per further spike up to 10^6 and up to 10^7 spikes of one long recording: the slope over the upper half."""
    from simulator import load_hardware, simulate
    from simulator.network import Network, Neuron, Population, Projection
    from simulator.trace import MemorySpikes, Trace

    chip = load_hardware(CHIP)
    net = Network(
        "layer",
        (Population("input", (32, 16, 16), Neuron(model="input")), Population("conv", (64, 16, 16), Neuron())),
        (Projection("conv", "input", "conv", "conv", kernel=(3, 3), padding=(1, 1)),),
    )
    generator = np.random.Generator(np.random.PCG64(3))
    per_step = 1024
    cost = {}
    for spikes in (500_000, 1_000_000, 5_000_000, 10_000_000):
        steps = spikes // per_step
        index = np.sort(generator.integers(0, 8192, (steps, per_step), dtype=np.uint32), axis=1).ravel()
        start = np.arange(steps + 1, dtype=np.int64)[None] * per_step
        silent = MemorySpikes(np.zeros((1, steps + 1), np.int64), np.empty(0, np.uint32))
        trace = Trace("long", net, "step", np.array([steps]), {"input": MemorySpikes(start, index), "conv": silent})
        trace.sha256  # noqa: B018
        cost[spikes] = cpu_seconds(lambda trace=trace: simulate(chip, net, trace), 8 if spikes < 2_000_000 else 3)
    small = (cost[1_000_000] - cost[500_000]) / 500_000
    large = (cost[10_000_000] - cost[5_000_000]) / 5_000_000
    average = cost[10_000_000] / 10_000_000 / (cost[1_000_000] / 1_000_000)
    result.lines.append(
        f"CPU per further spike: {small * 1e9:.0f} ns at 10^6, {large * 1e9:.0f} ns at 10^7 "
        f"({large / small:.2f} x, bar 1.1); on average {average:.2f} x"
    )
    result.figures |= {"marginal_ns_1e6": small * 1e9, "marginal_ns_1e7": large * 1e9, "marginal_ratio": large / small}
    result.check(large / small <= 1.1, f"CPU per further spike grows {large / small:.2f} x, wanted 1.1")


def measure_start(result: Result) -> None:
    """Start of a process: help, first kernel with a warm cache, and compilation with a cold one."""
    first = "from simulator.kernels.scatter import begin_step; import numpy as np; begin_step(0, np.zeros(7, np.int64))"
    help_s = child_cpu([sys.executable, "-m", "simulator", "--help"])
    warm = child_cpu([sys.executable, "-c", first])
    with tempfile.TemporaryDirectory() as folder:
        demo = [sys.executable, "-m", "simulator", "demo"]
        cold = {"NEUROCYCLE_CACHE": f"{folder}/cache"}
        compiled = child_cpu(demo, cold, folder, 1)
        compile_s = compiled - child_cpu(demo, cold, folder, 1)
    result.lines += [
        f"--help {help_s:.2f} s CPU (bar 0.3); process start to first kernel {warm:.2f} s (bar 1.5)",
        f"demo compiles {compile_s:.1f} CPU s of kernels the first time (bar 15)",
    ]
    result.figures |= {"help_cpu_s": help_s, "first_kernel_cpu_s": warm, "demo_compile_cpu_s": compile_s}
    result.check(help_s <= 0.3, f"--help takes {help_s:.2f} s CPU, wanted 0.3")
    result.check(warm <= 1.5, f"the first kernel runs after {warm:.2f} s CPU, wanted 1.5")
    result.check(compile_s <= 15, f"the demo compiles for {compile_s:.1f} CPU s, wanted 15")


def child_cpu(
    command: Sequence[str], variables: dict[str, str] | None = None, folder: str | None = None, repeats: int = 3
) -> float:
    """Least CPU time of a command over some runs (one more before them warms caches, where there are several)."""
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    environment = {**os.environ, **(variables or {})}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, (here, environment.get("PYTHONPATH"))))
    best = float("inf")
    for _ in range(repeats if repeats == 1 else repeats + 1):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, check=True, env=environment, cwd=folder, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        best = min(best, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return best


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point of `python -m benchmarks.replay`."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.replay", description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")
    options = parser.parse_args(argv)
    result = Result()
    measure_run(result)
    measure_marginal(result)
    measure_start(result)
    result.bar = (
        f"{result.figures['bare_gsops']:.2f} G synaptic operations/s bare, a run at "
        f"{result.figures['run_over_bare']:.2f} x (bars 3 and 2.5)"
    )
    passed = not result.misses
    if options.json:
        document = {"schema": "neurocycle.benchmark.replay/1", "passed": passed, "misses": result.misses}
        print(json.dumps(document | {"bar": result.bar, **result.figures}, indent=1))
    else:
        for line in (*result.lines, *(f"missed: {m}" for m in result.misses)):
            print(line)
        print(f"{result.bar}: {'passed' if passed else 'MISSED'}")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
