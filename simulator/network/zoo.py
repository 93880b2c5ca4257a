"""VGG-9, VGG-11 and ResNet-18 for 32 x 32 images: shapes as in the usual CIFAR variants, spikes pooled without a max.

VGG-9 is the network of the SpikeSim estimator (seven convolutions, `ela_spikesim.py` of
Intelligent-Computing-Lab-Yale/SpikeSim at commit c2627bc) with a linear classifier behind it; it pools by OR, so that
every wordline of a crossbar carries one bit.  The others pool by averaging.

Layer names follow the tables of the reconstruction they serve: `conv1` .. `conv8`, `s1.b1.conv1` .. `s4.b2.conv2`.
A residual block's shortcut (`s2.b1.short`) or identity (`s1.b1.identity`) is an extra projection into the population
of the block's second convolution; a pooling belongs to the projection that reads through it.
"""

from __future__ import annotations

from dataclasses import replace
from math import floor, prod, sqrt

import numpy as np

from simulator.errors import InputError
from simulator.network.network import Network
from simulator.network.neuron import Neuron
from simulator.network.population import Population
from simulator.network.projection import Kind, Pool, Projection

Shape = tuple[int, int, int]
MEMBRANE_BITS = 16
ASSUMED_RATE = 0.1


def vgg9(
    input_shape: Shape = (3, 32, 32),
    classes: int = 10,
    seed: int | None = None,
    *,
    kernel: int = 3,
    weight_bits: int = 4,
) -> Network:
    """VGG-9: 64-64-M-128-128-M-256-256-256-M (`conv1` .. `conv7`) and one linear classifier `fc`.

    `kernel` (odd) is the side of all convolutions.  `seed` None gives a topology (enough for replay); a number gives
    random weights of `weight_bits` bits and thresholds.
    """
    if kernel < 1 or kernel % 2 == 0:
        raise InputError("the kernel must have an odd side", key="vgg9", found=kernel, allowed="1, 3, 5, ...")
    if not 2 <= weight_bits <= 8:
        raise InputError("weight_bits out of range", key="vgg9", found=weight_bits, allowed="2 .. 8")
    net = _Builder("vgg9", input_shape, kernel, weight_bits)
    plan = ((64, False), (64, True), (128, False), (128, True), (256, False), (256, False), (256, True))
    last, pool = "input", None
    for i, (channels, pooled) in enumerate(plan):
        last = net.conv(f"conv{i + 1}", last, channels, pool=pool)
        pool = Pool("or", (2, 2), (2, 2)) if pooled else None
    net.linear("fc", last, classes, pool)
    return net.build(seed)


def vgg11(input_shape: Shape = (3, 32, 32), classes: int = 10, seed: int | None = None) -> Network:
    """VGG-11: 64-M-128-M-256-256-M-512-512-M-512-512-M and one linear classifier `fc`.

    `seed` None gives a topology (enough for replay); a number gives random int8 weights and thresholds.
    """
    net = _Builder("vgg11", input_shape)
    plan = ((64, True), (128, True), (256, False), (256, True), (512, False), (512, True), (512, False), (512, True))
    last, pool = "input", None
    for i, (channels, pooled) in enumerate(plan):
        last = net.conv(f"conv{i + 1}", last, channels, pool=pool)
        pool = Pool("average", (2, 2), (2, 2)) if pooled else None
    net.linear("fc", last, classes, pool)
    return net.build(seed)


def resnet18(input_shape: Shape = (3, 32, 32), classes: int = 10, seed: int | None = None) -> Network:
    """ResNet-18: a 3x3 stem, basic blocks 2-2-2-2 of widths 64, 128, 256, 512, global average pooling, `fc`.

    `seed` None gives a topology (enough for replay); a number gives random int8 weights and thresholds.
    """
    net = _Builder("resnet18", input_shape)
    last = net.conv("conv1", "input", 64)
    for stage, channels in enumerate((64, 128, 256, 512), start=1):
        for block in (1, 2):
            name = f"s{stage}.b{block}"
            stride = 2 if stage > 1 and block == 1 else 1
            first = net.conv(f"{name}.conv1", last, channels, stride=stride)
            second = net.conv(f"{name}.conv2", first, channels)
            if stride == 2:
                net.join(f"{name}.short", last, second, "conv", stride)
            else:
                net.join(f"{name}.identity", last, second, "one_to_one", 1)
            last = second
    _, height, width = net.shapes[last]
    net.linear("fc", last, classes, Pool("average", (height, width), (height, width)))
    return net.build(seed)


class _Builder:
    """Collects populations and projections; shapes follow from the operations."""

    def __init__(self, name: str, input_shape: Shape, kernel: int = 3, weight_bits: int = 8) -> None:
        if len(input_shape) != 3 or any(int(n) != n or n < 1 for n in input_shape):
            raise InputError("input_shape must be three positive integers (C, H, W)", key=name, found=input_shape)
        self.name, self.kernel, self.weight_bits = name, kernel, weight_bits
        self.shapes: dict[str, Shape] = {"input": input_shape}
        self.projections: list[Projection] = []

    def conv(self, name: str, source: str, channels: int, stride: int = 1, pool: Pool | None = None) -> str:
        _, height, width = self._pooled(source, pool)
        self.shapes[name] = (channels, (height - 1) // stride + 1, (width - 1) // stride + 1)
        side, margin = (self.kernel, self.kernel), (self.kernel // 2, self.kernel // 2)
        window = {"kernel": side, "stride": (stride, stride), "padding": margin, "weight_bits": self.weight_bits}
        self.projections.append(Projection(name, source, name, "conv", pool=pool, **window))  # type: ignore[arg-type]
        return name

    def join(self, name: str, source: str, target: str, kind: Kind, stride: int) -> None:
        self.projections.append(Projection(name, source, target, kind, stride=(stride, stride)))

    def linear(self, name: str, source: str, classes: int, pool: Pool | None) -> None:
        self._pooled(source, pool)
        self.shapes[name] = (classes, 1, 1)
        self.projections.append(Projection(name, source, name, "linear", pool=pool, weight_bits=self.weight_bits))

    def build(self, seed: int | None) -> Network:
        neuron = Neuron(membrane_bits=MEMBRANE_BITS)
        populations = {
            name: Population(name, shape, Neuron(model="input") if name == "input" else neuron)
            for name, shape in self.shapes.items()
        }
        projections = self.projections
        if seed is not None:
            generator = np.random.Generator(np.random.PCG64(seed))
            projections = [replace(p, weights=self._weights(p, generator)) for p in projections]
            for name in [n for n in populations if n != "input"]:
                populations[name] = replace(
                    populations[name], neuron=replace(neuron, threshold=self._threshold(name, generator))
                )
        source = "built in; shapes of the usual CIFAR variant"
        return Network(
            self.name,
            tuple(populations.values()),
            tuple(projections),
            "int",
            source if seed is None else f"{source}; random int{self.weight_bits} weights, seed {seed}",
        )

    def _weights(self, p: Projection, generator: np.random.Generator) -> np.ndarray:
        source, target = self._pooled(p.source, p.pool), self.shapes[p.target]
        shape: tuple[int, ...] = (target[0], source[0], *p.kernel)
        if p.kind == "linear":
            shape = (target[0], prod(source))
        elif p.kind == "one_to_one":
            # The identity carries one fixed weight, as in a network that was not trained to scale it.
            return np.full(source[0], 127, np.int8)
        top = self._largest_weight
        return generator.integers(-top, top + 1, shape, dtype=np.int8)

    def _threshold(self, name: str, generator: np.random.Generator) -> np.ndarray:
        """int64 [C]: about the spread of the current that arrives if ASSUMED_RATE of the inputs fire, +- 25 %.

        Weights are uniform on -m .. m, whose standard deviation is sqrt(m (m + 1) / 3), rounded down; so neurons fire
        now and then, not always.
        """
        main = next(p for p in self.projections if p.target == name)
        source = self._pooled(main.source, main.pool)
        fan_in = prod(source) if main.kind == "linear" else source[0] * prod(main.kernel)
        deviation = floor(sqrt(self._largest_weight * (self._largest_weight + 1) / 3))
        spread = deviation * sqrt(ASSUMED_RATE * fan_in)
        return np.maximum(1, np.rint(spread * generator.uniform(0.75, 1.25, self.shapes[name][0]))).astype(np.int64)

    @property
    def _largest_weight(self) -> int:
        """Largest weight of a symmetric range: 127 for 8 bits, 7 for 4."""
        return int(2 ** (self.weight_bits - 1)) - 1

    def _pooled(self, source: str, pool: Pool | None) -> Shape:
        c, h, w = self.shapes[source]
        if pool is not None:
            h, w = (h - pool.size[0]) // pool.stride[0] + 1, (w - pool.size[1]) // pool.stride[1] + 1
        if h < 1 or w < 1:
            raise InputError("the image is too small for this network", key=self.name, found=self.shapes["input"])
        return c, h, w
