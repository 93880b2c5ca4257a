"""Speed of the functional kernels on the layers of a residual network: synaptic operations per second of CPU time.

    python -m benchmarks.synapses [--rate 0.1] [--network resnet18] [--json]

Every layer gets random input spikes of the given rate; one timestep is all its projections, the neuron update and the
list of what fired.  The best of several rounds counts, because a machine with neighbours only ever adds time.

Bar: 3 G synaptic operations per second over all layers together.  Beside it stands the time of a plain calibration
loop in the same process, so that figures of different machines can be compared.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from simulator.errors import InputError, NeurocycleError
from simulator.functional import Layer, Stepper, plan_network
from simulator.functional.synapses import UNIT, SpikeList
from simulator.network.load import load_network

BAR = 3e9
ROUNDS = 7
ROUND_SECONDS = 0.01


def best_seconds(work: Callable[[], object]) -> float:
    """CPU seconds of one call: the best of `ROUNDS` rounds of about `ROUND_SECONDS` each."""
    begin = time.process_time()
    work()
    calls = max(1, int(ROUND_SECONDS / max(time.process_time() - begin, 1e-6)))
    best = float("inf")
    for _ in range(ROUNDS):
        begin = time.process_time()
        for _ in range(calls):
            work()
        best = min(best, (time.process_time() - begin) / calls)
    return best


def measure_layer(stepper: Stepper, layer: Layer, rate: float, rng: np.random.Generator) -> dict[str, Any]:
    """One timestep of one layer, again and again: operations and seconds."""
    network, state = stepper.plan.network, stepper.states[layer.name]
    arriving: list[SpikeList] = []
    for synapses in layer.incoming:
        size = network.population(synapses.projection.source).size
        arriving.append((np.flatnonzero(rng.random(size) < rate).astype(np.uint32), UNIT))

    def scatter() -> int:
        return sum(
            int(s.scatter(s.pooled(spikes), state.acc)) for s, spikes in zip(layer.incoming, arriving, strict=True)
        )

    def step() -> None:
        scatter()
        layer.soma.step(state, state.acc)

    step()  # compiles
    operations = scatter()
    state.acc[:] = 0
    seconds = best_seconds(step)
    return {"layer": layer.name, "neurons": state.v.size, "operations": operations, "seconds": seconds,
            "gsops": operations / seconds / 1e9}  # fmt: skip


def calibration_seconds() -> float:
    """CPU seconds of a plain Python loop."""
    return best_seconds(lambda: sum(i * i for i in range(100_000)))


def measure(name: str, rate: float) -> dict[str, Any]:
    """All layers of a built-in network with random weights."""
    if not 0 < rate <= 1:
        raise InputError("out of range", key="--rate", found=rate, allowed="above 0, at most 1")
    stepper = Stepper(plan_network(load_network(name, {"seed": 1})))
    rng = np.random.Generator(np.random.PCG64(1))
    layers = [measure_layer(stepper, layer, rate, rng) for layer in stepper.plan.layers]
    total = sum(row["operations"] for row in layers) / sum(row["seconds"] for row in layers)
    return {"network": name, "rate": rate, "layers": layers, "gsops": total / 1e9,
            "calibration_seconds": calibration_seconds(), "passed": total >= BAR}  # fmt: skip


def main(argv: Sequence[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.synapses", description="Speed of functional kernels.")
    parser.add_argument("--rate", type=float, default=0.1, help="share of the inputs that fire in a timestep")
    parser.add_argument("--network", default="resnet18", help="built-in network")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")
    options = parser.parse_args(argv)
    try:
        found = measure(options.network, options.rate)
    except NeurocycleError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    if options.json:
        print(json.dumps({"schema": "neurocycle.benchmark.synapses/1", **found}, indent=1))
        return 0 if found["passed"] else 1
    for row in found["layers"]:
        print(f"{row['layer']:20s} {row['neurons']:8,d} neurons {row['operations']:12,d} operations "
              f"{row['seconds'] * 1e6:8.0f} us {row['gsops']:6.2f} G/s")  # fmt: skip
    print(f"calibration loop {found['calibration_seconds'] * 1e3:.2f} ms")
    print(f"{found['gsops']:.2f} G synaptic operations/s with neuron updates, at least {BAR / 1e9:.0f}: "
          f"{'passed' if found['passed'] else 'MISSED'}")  # fmt: skip
    return 0 if found["passed"] else 1


if __name__ == "__main__":
    sys.exit(main())
