"""Counting rules of published estimators on crossbar tiles: SpikeSim per vector, SpikingJelly per spike."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest

from simulator import load_hardware, simulate
from simulator.network import Network, Neuron, Population, Projection
from simulator.record import Record
from simulator.trace import Trace
from simulator.trace.synthetic import bernoulli_trace
from simulator.units import ceil_div

CHIP = "cim_spikesim64_ela"
SHAPES = ((3, 64, 12, 1), (64, 64, 12, 2), (70, 130, 6, 1), (128, 64, 6, 2))
"""Input channels, output channels, input width and stride of each convolution."""
X, STEPS = 64, 5
LUMPS = {"lump_tile_buffer:vector": 397.0, "lump_htree:vector": 157.12, "lump_fetch:vector": 4.64}
NEURON, ARRAY, CONVERT, MUX, SUB, TEMP = 5.096, 1.76423, 2.03084, 0.094245, 1.15e-6, 0.2
"""Constants of ela_spikesim.py at commit c2627bc, pJ."""


def convolutions(shapes=SHAPES) -> Network:
    """Padded 3 x 3 convolutions side by side, each with an input of its own."""
    populations, projections = [], []
    for i, (inputs, outputs, width, stride) in enumerate(shapes):
        made = (width - 1) // stride + 1
        populations.append(Population(f"in{i}", (inputs, width, width), Neuron("input")))
        populations.append(Population(f"conv{i}", (outputs, made, made), Neuron()))
        projections.append(
            Projection(f"conv{i}", f"in{i}", f"conv{i}", "conv", (3, 3), (stride, stride), (1, 1), weight_bits=4)
        )
    return Network("convolutions", tuple(populations), tuple(projections))


def run(network: Network, trace: Trace, *changes: str, **options) -> Record:
    """A run on the estimator's chip."""
    return simulate(load_hardware(CHIP, list(changes)), network, trace, **options)


def count(record: Record, layer: str, action: str) -> int:
    """Count of an action of one layer."""
    return int(record.counts[record.units.index("cim"), record.layers.index(layer), record.actions.index(action)])


@pytest.mark.parametrize("size", [32, 64, 128])
def test_actions_per_vector_are_those_of_spikesim(size: int) -> None:
    """Per processing element and vector: lumps 1, array k^2 X/8, conversions and mux (X/8)^2, sub 16 X/8, temp X/8."""
    shapes = ((64, 64, 12, 1), (64, 128, 12, 2), (128, 128, 6, 1))
    network = convolutions(shapes)
    changes = [f"cim.crossbar.{name}={size}" for name in ("rows", "columns", "rows_parallel")]
    records = [
        run(network, bernoulli_trace(network, STEPS, 0.1), *changes),
        run(network, bernoulli_trace(network, STEPS, 0.0), *changes, activity="dense"),
    ]
    eighth = size // 8
    each = dict.fromkeys([*LUMPS, "lump_neuron:vector"], 1) | {
        "lump_crossbar_step:array": 9 * eighth, "convert:column": eighth**2, "read:column": eighth**2,
        "lump_sub:column": 16 * eighth, "lump_temp:column": eighth,
    }  # fmt: skip
    for record, (i, (inputs, outputs, width, stride)) in product(records, enumerate(shapes)):
        vectors = ceil_div(inputs, size) * ceil_div(outputs, size) * ceil_div(width, stride) ** 2 * STEPS
        found = {name: count(record, f"conv{i}", name) for name in record.actions}
        del found["active:cycle"]  # busy cycles, which cost nothing there
        assert {name: n for name, n in found.items() if n} == {name: vectors * n for name, n in each.items()}


def spikingjelly_energy(network: Network, trace: Trace, shapes) -> float:
    """Energy of a trace as SpikingJelly's spikesim profiler counts it (op_counter/spikesim @afb1322), pJ.

    ceil(Cout/X) [sum_i A_i E_patch + sum_i R_i (E_xb / 8) (X / c_i)] + ceil(Cin/X) ceil(Cout/X) Z E_neuron with
    A_i (position, row block) pairs whose window holds a spike, R_i active rows, Z positions with any spike.
    """
    patch = sum(LUMPS.values()) + (X // 8) * ((X // 8) * (CONVERT + MUX) + 16 * SUB + TEMP)
    terms = []
    for i, (inputs, outputs, width, stride) in enumerate(shapes):
        columns = ceil_div(outputs, X)
        for t in range(STEPS):
            index, _ = trace.spikes(f"in{i}").block(0, t, t + 1).step(0)
            spikes = np.zeros((width + 2, width + 2, inputs), np.int64)
            spikes[1:-1, 1:-1].reshape(width, width, inputs)[...] = np.isin(
                np.arange(width * width * inputs), index
            ).reshape(width, width, inputs)
            anywhere = np.zeros(0)
            for low in range(0, inputs, X):
                part = spikes[:, :, low : low + X].sum(axis=2)
                n = sum(part[y : y + width : stride, x : x + width : stride] for y, x in product(range(3), repeat=2))
                terms.append(columns * int((n > 0).sum()) * patch)
                terms.append(columns * int(n.sum()) * ARRAY / 8 * X / min(X, inputs - low))
                anywhere = n if anywhere.size == 0 else anywhere + n
            terms.append(ceil_div(inputs, X) * columns * int((anywhere > 0).sum()) * NEURON)
    return math.fsum(terms)


@pytest.mark.parametrize("density", [0.0, 0.003, 0.02, 0.1, 1.0])
def test_spikingjelly_counts_of_a_trace(density: float) -> None:
    network = convolutions()
    trace = bernoulli_trace(network, STEPS, density)
    found = run(network, trace, "cim.quirks=spikingjelly").energy.total
    assert found == pytest.approx(spikingjelly_energy(network, trace, SHAPES), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("density", [0.02, 0.2])
def test_spikingjelly_expectation_of_independent_spikes(density: float) -> None:
    """P(window holds a spike) = 1 - (1 - d)^(inputs inside the map); within 0.5 % of a long trace."""
    shapes, steps = ((64, 64, 12, 1), (128, 64, 6, 1)), 100
    network = convolutions(shapes)
    record = run(network, bernoulli_trace(network, steps, density), "cim.quirks=spikingjelly")
    patch = sum(LUMPS.values()) + 8 * (8 * (CONVERT + MUX) + 16 * SUB + TEMP)
    expected = 0.0
    for inputs, _, width, _ in shapes:
        inside = [2 if at in (0, width - 1) else 3 for at in range(width)]
        blocks = inputs // X
        for rows, cols in product(inside, repeat=2):
            taps = rows * cols
            expected += blocks * (1 - (1 - density) ** (taps * X)) * patch
            expected += blocks * taps * X * density * ARRAY / 8
            expected += blocks * (1 - (1 - density) ** (taps * inputs)) * NEURON
    assert record.energy.total == pytest.approx(steps * expected, rel=0.005)
