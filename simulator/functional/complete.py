"""Completes a trace: runs the neurons on the recorded inputs and keeps every population's spikes."""

from __future__ import annotations

import numpy as np

from simulator.functional.counts import Counts
from simulator.functional.plan import plan_network
from simulator.functional.run import CHUNK_STEPS, check_inputs
from simulator.functional.stepper import Stepper
from simulator.network import Network
from simulator.trace import StepSpikesBuilder, Trace


def complete_trace(network: Network, inputs: Trace) -> tuple[Trace, Counts, dict[str, np.ndarray]]:
    """(trace of all populations, totals of the run, final membranes of the last sample, channel last)."""
    plan = plan_network(network)
    check_inputs(plan, inputs)
    names = [p.name for p in network.populations]
    builders = {name: StepSpikesBuilder() for name in names}
    totals = Counts.zero(network)
    membranes: dict[str, np.ndarray] = {}
    spikes = {name: inputs.spikes(name) for name in network.inputs}
    for sample in range(inputs.samples):
        for builder in builders.values():
            builder.begin_sample()
        stepper = Stepper(plan)
        steps = int(inputs.steps[sample])
        for t0 in range(0, steps, CHUNK_STEPS):
            t1 = min(t0 + CHUNK_STEPS, steps)
            made = stepper.advance({name: s.block(sample, t0, t1) for name, s in spikes.items()}, t1 - t0)
            for name in names:
                builders[name].add_block(made[name])
        totals.add(stepper.counts)
        membranes = {name: state.v for name, state in stepper.states.items()}
    longest = int(inputs.steps.max(initial=0))
    trace = Trace(
        inputs.name,
        network,
        "step",
        inputs.steps,
        {name: b.build(longest) for name, b in builders.items()},
        f"run of network {network.name} on {inputs.source or inputs.name}",
        inputs.labels,
    )
    return trace, totals, membranes
