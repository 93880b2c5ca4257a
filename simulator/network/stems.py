"""The two networks of the STEMS mapping study: a seven-block SEW-ResNet and the backbone of a recurrent event detector.

Source: arXiv 2502.03287 and sjoks93/STEMS commit 323e004 (shapes, precisions, which layers keep a membrane).  Each row
of the published workload is one layer here, additions and poolings too, numbered as there: `conv0`, `add3`, `pool4`.

Where the source leaves padding out (its halo is one-sided), these networks pad as convolutions usually do; output
sizes and synaptic positions are the same.  An addition is wired (it stores no weight) and, as in the source, its sum is
one spike: it fires if any of its inputs did.  The source's first addition operand is the block's first convolution, not
the block's input as in the SEW network that it was taken from.
"""

from __future__ import annotations

from simulator.errors import InputError
from simulator.network.network import Network
from simulator.network.neuron import Neuron
from simulator.network.population import Population
from simulator.network.projection import Pool, Projection

STATE_BITS = 12
WEIGHT_BITS = 4
VALUE_BITS = 4
"""Bits of an input value and of an activation of the detector's front."""
BLOCKS = 7
SEW_CHANNELS = (64, 64, 64, 64, 128, 128, 128)
SEW_SOURCE = "sjoks93/STEMS 323e004, 7PLIF workload family; shapes of the SEW net for CIFAR10-DVS (arXiv 2502.03287)"
RED_SOURCE = "sjoks93/STEMS 323e004, RED_LIF_T workload (arXiv 2502.03287)"


def sew_plif(stateful_blocks: int = BLOCKS) -> Network:
    """SEW-ResNet with 7 blocks, input 2 x 128 x 128 at 4 bit; only the last `stateful_blocks` (0 .. 7) keep membranes.

    Topology only.  Block b is two 3x3 convolutions, their addition and a 2x2 pooling; blocks 0 and 4 begin with a 1x1
    convolution that sets the channels.  Published: T = 16, 4-bit weights, 12-bit membranes.
    """
    if not 0 <= stateful_blocks <= BLOCKS:
        raise InputError("the network has 7 blocks", key="stateful_blocks", found=stateful_blocks, allowed="0 .. 7")
    net = _Layers((2, 128, 128))
    for block, channels in enumerate(SEW_CHANNELS):
        net.stateful = block >= BLOCKS - stateful_blocks
        if block in (0, 4):
            net.conv(net.last, channels, 1)
        first = net.conv(net.last, channels, 3)
        second = net.conv(first, channels, 3)
        net.pool(net.add(second, first))
    return net.network(f"sew_{stateful_blocks}plif", SEW_SOURCE)


def red_lif() -> Network:
    """Backbone of a recurrent event detector, input 6 x 360 x 640 at 4 bit; topology only.

    Layers 0 .. 11 are a stateless front with 4-bit activations, layers 12 .. 16 are leaky neurons with membranes.
    Published: T = 12, 4-bit weights, 12-bit membranes.
    """
    net = _Layers((6, 360, 640))
    net.output = "multi"
    stem = net.conv(net.last, 32, 7, 2)
    deep = net.conv(net.conv(stem, 64, 3), 64, 3, 2)
    block = net.add(deep, net.conv(stem, 64, 3, 2))
    block = net.add(block, net.conv(net.conv(block, 64, 3), 64, 3))
    deep = net.conv(net.conv(block, 128, 3), 128, 3)
    last = net.add(deep, net.conv(block, 128, 3))
    net.output, net.stateful = "binary", True
    for _ in range(5):
        last = net.conv(last, 256, 3, 2)
    return net.network("red_lif", RED_SOURCE)


def red_blocks() -> list[list[str]]:
    """Layers of each published block of `red_lif`: what shares the bits of a schedule."""
    blocks = ["conv0 conv1 conv2 conv3 add4", "conv5 conv6 add7", "conv8 conv9 conv10 add11"]
    return [block.split() for block in (*blocks, *(f"conv{n}" for n in range(12, 17)))]


class _Layers:
    """Collects layers in the order of the published tables; `last` is the layer made last."""

    def __init__(self, image: tuple[int, int, int]) -> None:
        self.populations = [Population("input", image, Neuron(model="input", output="multi", value_bits=VALUE_BITS))]
        self.projections: list[Projection] = []
        self.last = "input"
        self.stateful = False
        self.output = "binary"

    def conv(self, source: str, channels: int, kernel: int, stride: int = 1) -> str:
        """A padded square convolution whose neurons keep a membrane while `stateful` is set."""
        _, height, width = self._shape(source)
        shape = (channels, (height - 1) // stride + 1, (width - 1) // stride + 1)
        name = self._layer("conv", shape, self.stateful)
        self.projections.append(
            Projection(
                name, source, name, "conv", kernel=(kernel, kernel), stride=(stride, stride),
                padding=(kernel // 2, kernel // 2), weight_bits=WEIGHT_BITS,
            )
        )  # fmt: skip
        return name

    def add(self, first: str, second: str) -> str:
        """The sum of two layers of one shape."""
        name = self._layer("add", self._shape(first), False)
        for source in (first, second):
            self.projections.append(Projection(f"{name}.{source}", source, name, "one_to_one", weight_bits=0))
        return name

    def pool(self, source: str) -> str:
        """A 2x2 pooling of spikes."""
        channels, height, width = self._shape(source)
        name = self._layer("pool", (channels, height // 2, width // 2), False)
        pool = Pool("or", (2, 2), (2, 2))
        self.projections.append(Projection(name, source, name, "one_to_one", weight_bits=0, pool=pool))
        return name

    def network(self, name: str, source: str) -> Network:
        """All of it."""
        return Network(name, tuple(self.populations), tuple(self.projections), "int", source)

    def _layer(self, kind: str, shape: tuple[int, int, int], stateful: bool) -> str:
        name = f"{kind}{len(self.populations) - 1}"
        model = "lif" if kind == "conv" else "if"
        bits = VALUE_BITS if self.output == "multi" else None
        neuron = Neuron(
            model=model, stateful=stateful, membrane_bits=STATE_BITS, output=self.output, value_bits=bits  # type: ignore[arg-type]
        )  # fmt: skip
        self.populations.append(Population(name, shape, neuron))
        self.last = name
        return name

    def _shape(self, name: str) -> tuple[int, int, int]:
        return next(p.shape for p in self.populations if p.name == name)
