"""SpikingJelly's spike-driven reading of the SpikeSim prices, on drawn spikes, against its expectation in closed form.

Source of the rules: fangwei123456/spikingjelly, activation_based/op_counter/spikesim at commit afb1322.  Converters,
buffer and H-tree fire for a (position, row block) if any spike is in its patch; the array costs per active row; the
neuron unit fires for a position with any spike.  For independent spikes of density d a patch of n inputs is active with
probability 1 - (1 - d)^n, where n counts positions inside the map only.

The network is the estimator's: seven 3x3 convolutions whose pooled layers are convolutions of stride 2, each with an
input population of its own, so that every layer sees the same density.
"""

from __future__ import annotations

from simulator import load_hardware, simulate
from simulator.network import Network
from simulator.network.neuron import Neuron
from simulator.network.population import Population
from simulator.network.projection import Projection
from simulator.trace.synthetic import bernoulli_trace

CHIP = "cim_spikesim64_ela"
SHAPES = (
    (3, 64, 32, 1),
    (64, 64, 32, 2),
    (64, 128, 16, 1),
    (128, 128, 16, 2),
    (128, 256, 8, 1),
    (256, 256, 8, 1),
    (256, 256, 8, 2),
)
"""Input channels, output channels, input width and stride of each convolution."""
KERNEL, SIZE, STEPS, SEED = 3, 64, 5, 0
SAMPLES = 16
"""Draws of which the mean is compared: one draw of 1 % density alone lies 0.8 % off its own expectation."""
DENSITIES = (0.01, 0.05, 0.1, 0.2, 0.5, 1.0)
SPIKES_TOLERANCE = 0.005
CROSSBAR, NEURON = 1.76423, 5.096
PATCH = 397.0 + 157.12 + 4.64 + 8 * (8 * (2.03084 + 0.094245) + 16 * 1.15e-6 + 0.2)
"""pJ of a patch of one column block beside array and neuron: 696.3655872 (SpikeSim's constants, X = 64)."""


def network() -> Network:
    """Seven padded convolutions side by side; topology only."""
    populations, projections = [], []
    for i, (inputs, outputs, width, stride) in enumerate(SHAPES, start=1):
        populations.append(Population(f"input{i}", (inputs, width, width), Neuron(model="input")))
        out = width // stride
        populations.append(Population(f"conv{i}", (outputs, out, out), Neuron(membrane_bits=22)))
        conv = Projection(
            f"conv{i}", f"input{i}", f"conv{i}", "conv", kernel=(KERNEL, KERNEL), stride=(stride, stride),
            padding=(1, 1), weight_bits=4,
        )  # fmt: skip
        projections.append(conv)
    return Network("spikingjelly_vgg9", tuple(populations), tuple(projections), "int", "SpikingJelly conditions")


def spikes_error(density: float, samples: int = SAMPLES) -> tuple[float, float]:
    """(mean energy of the simulated samples, expectation), pJ, for independent spikes of a density."""
    net = network()
    rates = {p.name: density if p.is_input else 0.0 for p in net.populations}
    hardware = load_hardware(CHIP, ["cim.quirks=spikingjelly"])
    record = simulate(hardware, net, bernoulli_trace(net, STEPS, rates, samples, SEED))
    return record.energy.total / samples, expectation(density)


def expectation(density: float) -> float:
    """The expected energy of all layers and timesteps, pJ."""
    return STEPS * sum(_layer(*shape, density) for shape in SHAPES)


def _layer(inputs: int, outputs: int, width: int, stride: int, density: float) -> float:
    """Expected pJ of one layer and timestep."""
    columns = -(-outputs // SIZE)
    blocks = [min(SIZE, inputs - c) for c in range(0, inputs, SIZE)]
    inside = [
        sum(0 <= o * stride + k - 1 < width for k in range(KERNEL)) for o in range(width // stride)
    ]  # taps inside the map at each output coordinate of one axis
    total = 0.0
    for rows in inside:
        for cols in inside:
            taps = rows * cols
            for channels in blocks:
                total += columns * (1 - (1 - density) ** (taps * channels)) * PATCH
                total += columns * taps * channels * density * CROSSBAR / 8 * (-(-channels // SIZE) * SIZE / channels)
            total += len(blocks) * columns * (1 - (1 - density) ** (taps * inputs)) * NEURON
    return total
