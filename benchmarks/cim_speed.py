"""Speed of a chip of RRAM tiles: VGG9, T = 5, function, timing and energy of one image, in CPU seconds.

    python -m benchmarks.cim_speed [--json]

Bar: 1 s when the kernels are compiled.  Beside it, the same spikes replayed (no neurons to compute).  Energy-only
profilers of the same network were measured at 2.5 to 5 s, a circuit-level one at 3 s per single timestep (CPU time on
two cores, SpikingJelly @afb1322 and NeuroSim V1.4 @ac828e6).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import replace

from benchmarks.command import Result, run_alone
from simulator import load_hardware, simulate
from simulator.hardware import Hardware
from simulator.network import Network
from simulator.network.zoo import vgg9
from simulator.trace import Trace
from simulator.trace.synthetic import bernoulli_trace

BAR_S = 1.0
CHIPS = ("cim_spikesim64", "cim_isaac32", "cim_neurosim65", "cim_rram65")
STEPS, DENSITY, ROUNDS = 5, 0.1, 3


def main(argv: Sequence[str] | None = None) -> int:
    """Measures every chip; 0 the bar holds, 1 it does not, 2 the input is wrong."""
    return run_alone("cim_speed", __doc__.splitlines()[0], compute, argv)


def compute() -> Result:
    """CPU seconds of a run and of a replay on each chip."""
    result = Result(lines=["chip              run s  replay s  spikes of the layers: run, replay"])
    net = vgg9(seed=0)
    drawn = bernoulli_trace(net, STEPS, DENSITY)
    image = replace(drawn, populations={name: drawn.populations[name] for name in net.inputs})
    worst, figures = 0.0, []
    for chip in CHIPS:
        hardware = load_hardware(chip)
        run, made = seconds(hardware, net, image)
        replayed, given = seconds(hardware, net, drawn)
        worst = max(worst, run)
        result.check(run <= BAR_S, f"{chip}: {run:.2f} s of CPU time")
        result.lines.append(f"{chip:16s}  {run:5.2f}  {replayed:8.2f}  {made:,}, {given:,}")
        figures.append({"chip": chip, "run_s": run, "replay_s": replayed, "spikes": made})
    result.figures = {"timesteps": STEPS, "density": DENSITY, "chips": figures}
    result.bar = (
        f"VGG9, T = {STEPS}: function, timing and energy in {worst:.2f} s of CPU time at most (bar {BAR_S:g} s)"
    )
    return result


def seconds(hardware: Hardware, net: Network, trace: Trace) -> tuple[float, int]:
    """(CPU seconds of the best of several warm runs with their summary, spikes of the layers)."""
    best, spikes = float("inf"), 0
    for _ in range(ROUNDS + 1):  # the first round compiles
        begin = time.process_time()
        summary = simulate(hardware, net, trace).summary()
        best = min(best, time.process_time() - begin)
        spikes = sum(summary["work"]["spikes"].values())
    return best, spikes


if __name__ == "__main__":
    sys.exit(main())
