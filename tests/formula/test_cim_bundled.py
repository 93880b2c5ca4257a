"""2-spikes on the bundled chips: what silence costs, and the closed form of a vector when everything fires."""

from __future__ import annotations

import numpy as np
import pytest

from simulator import load_hardware, simulate
from simulator.components.cim_tile.vectors import LayerVectors
from simulator.mapping import place
from simulator.mapping.crossbar import crossbar_plan
from simulator.network import Network, load_network
from simulator.network.neuron import Neuron
from simulator.network.population import Population
from simulator.network.projection import Projection
from simulator.trace.synthetic import bernoulli_trace

CONTROL = {"check:vector", "active:cycle"}


@pytest.mark.parametrize("chip", ["cim_spikesim64", "cim_rram65"])
@pytest.mark.parametrize("name", ["resnet18", "vgg9"])
def test_silence_costs_control_and_leakage_only(chip: str, name: str) -> None:
    net = load_network(name)
    record = simulate(load_hardware(chip), net, bernoulli_trace(net, 2, 0.0))
    actions = {action for action in record.energy.by_action if not action.startswith(("static:", "launch:"))}
    unit = record.units.index("cim")
    counted = {action for a, action in enumerate(record.actions) if record.counts[unit, :, a].any()}
    assert actions <= CONTROL and counted <= CONTROL and "check:vector" in counted


def test_a_window_that_fires_takes_the_clocks_of_the_estimator_and_its_zero_test() -> None:
    """26 clocks (1 + 8 x 3 + 1) and one for the zero test: all 576 rows of the joined bit lines are on at once."""
    net = Network(
        "one_layer",
        (Population("input", (64, 8, 8), Neuron(model="input")), Population("out", (64, 8, 8), Neuron())),
        (Projection("out", "input", "out", "conv", kernel=(3, 3), padding=(1, 1), weight_bits=4),),
        "int",
        "test",
    )
    trace = bernoulli_trace(net, 1, {"input": 1.0, "out": 0.0})
    hardware = load_hardware("cim_spikesim64")
    spec = hardware.units["cim"]
    plan = crossbar_plan(net, spec, place(net, hardware).layers)

    class Work:
        def spikes(self, population: str, sample: int, t: int) -> tuple[np.ndarray, None]:
            return np.arange(64 * 64, dtype=np.uint32), None

    vectors = LayerVectors(spec, hardware.clock_hz("cim"), plan.layers["out"], net).of(Work(), 0, 0, 1)
    assert set(vectors.lat.ravel().tolist()) == {27} == set(vectors.occ.ravel().tolist())
    record = simulate(hardware, net, trace)
    fires = 64 * 27  # one processing element, position after position
    assert fires <= record.cycles["cim"].busy <= fires + 64
