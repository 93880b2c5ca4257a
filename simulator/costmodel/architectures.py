"""Architectures drawn from a seed: small networks of convolutions, poolings, residual blocks and linear layers.

They stand for networks that nobody had in mind when a model was fitted: a model is held against those that it never
saw.  Topologies only; spikes are drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import TypeVar

import numpy as np

from simulator.errors import unknown
from simulator.network import Network, Neuron, Pool, Population, Projection

Shape = tuple[int, int, int]
Choice = TypeVar("Choice")
CHANNELS = (4, 8, 12, 16, 24, 32, 48, 64, 96, 128)
SIDES = (6, 8, 12, 16, 20, 24, 32)
LARGEST_LINEAR = 2**21
"""Weights of the largest linear layer that is drawn."""
WORK = (20_000, 50_000_000)
"""Synaptic operations of a timestep if every neuron fired: fewer or more, and another network is drawn."""


@dataclass(frozen=True)
class Family:
    """What networks of a family are drawn from.

    number       part of the seed
    weight_bits  bits of a weight, the same throughout a network
    poolings     kinds of pooling;  models: neurons;  membrane_bits: of all neurons of a network
    blocks       kinds of blocks and how likely they are
    wired        additions and poolings are layers of their own, which store no weights and no membranes
    inputs       channels of the input
    widths       channels of the first block
    length       least and most blocks;  first: kind of the first block, "": drawn as the others
    """

    number: int
    weight_bits: tuple[int, ...]
    poolings: tuple[str, ...]
    models: tuple[str, ...]
    membrane_bits: tuple[int, ...]
    blocks: tuple[tuple[str, float], ...]
    wired: bool = False
    inputs: tuple[int, ...] = (1, 2, 3, 4)
    widths: tuple[int, ...] = CHANNELS[:6]
    length: tuple[int, int] = (2, 7)
    first: str = "conv"


SINGLE = (("conv", 0.5), ("wide", 0.1), ("point", 0.2), ("dense", 0.2))
DEEP = (2, 16, 64, 128, 256), (16, 64, 128, 256), (1, 1), ""
FAMILIES = {
    "cores": Family(
        1, (4, 8, 8), ("average", "sum", "or"), ("if", "lif", "cuba_lif"), (16, 16, 24),
        (("conv", 0.45), ("residual", 0.2), ("separable", 0.15), ("point", 0.1), ("wide", 0.1)),
    ),
    "crossbars": Family(
        2, (2, 4, 4, 8), ("or", "or", "average"), ("if", "lif"), (8, 16),
        (("conv", 0.55), ("residual", 0.2), ("point", 0.15), ("wide", 0.1)),
    ),
    "core_layers": Family(4, (8,), ("or",), ("if", "lif", "cuba_lif"), (16, 24), SINGLE, False, *DEEP),
    "crossbar_layers": Family(5, (4, 8), ("or",), ("if", "lif"), (8, 16), SINGLE, False, *DEEP),
    "fused": Family(
        3, (4, 4, 8), ("or",), ("if", "lif"), (8, 12),
        (("conv", 0.45), ("residual", 0.3), ("separable", 0.1), ("point", 0.1), ("wide", 0.05)), True,
    ),
}  # fmt: skip
"""For event-driven cores, for crossbar tiles, single layers of any depth for both, and for an array behind a buffer."""


def generate(seed: int, count: int, family: str) -> list[Network]:
    """The first `count` architectures of a family; number i does not depend on `count`."""
    return [architecture(seed, index, family) for index in range(count)]


def architecture(seed: int, index: int, family: str) -> Network:
    """Architecture number `index` of a family: the first drawn network whose work lies within `WORK`."""
    if family not in FAMILIES:
        raise unknown("family of architectures", family, FAMILIES)
    chosen = FAMILIES[family]
    generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, chosen.number, index])))
    while True:
        net = _Draft(generator, chosen).network(f"{family}{index:02d}", f"drawn: family {family}, seed {seed}, {index}")
        if WORK[0] <= _work(net) <= WORK[1]:
            return net


def _work(net: Network) -> int:
    """Synaptic operations of a timestep if every neuron fired, padding counted in."""
    total = 0
    for p in net.projections:
        source, target = net.population(p.source).shape, net.population(p.target)
        inputs = {"conv": source[0] * prod(p.kernel), "depthwise": prod(p.kernel), "one_to_one": 1}
        total += target.size * inputs.get(p.kind, prod(source))
    return total


class _Draft:
    """One network in the making: populations and projections, and where the next block attaches."""

    def __init__(self, generator: np.random.Generator, family: Family) -> None:
        self.draw, self.family = generator, family
        self.bits = self._one(family.weight_bits)
        self.membrane = self._one(family.membrane_bits)
        self.model = self._one(family.models)
        side = self._one(SIDES)
        self.shapes: dict[str, Shape] = {"input": (self._one(family.inputs), side, side)}
        self.neurons: dict[str, Neuron] = {"input": Neuron(model="input")}
        self.projections: list[Projection] = []
        self.last = "input"
        self.pool: Pool | None = None  # read through by whatever comes next

    def network(self, name: str, source: str) -> Network:
        """Blocks, poolings between some of them, then one or two linear layers where they are not too large."""
        kinds, odds = zip(*self.family.blocks, strict=True)
        width = self._one(self.family.widths)
        length = int(self.draw.integers(*self.family.length, endpoint=True))
        for block in range(length):
            drawn = block or not self.family.first
            kind = kinds[int(self.draw.choice(len(kinds), p=odds))] if drawn else self.family.first
            getattr(self, f"_{kind}")(width)
            if length == 1:
                break
            if self.shapes[self.last][1] >= 6 and self.draw.random() < 0.4:
                self._pooling()
            if self.draw.random() < 0.5:
                width = self._one([c for c in CHANNELS if c >= width])
        for units in self._classifier() if length > 1 else []:
            if prod(self._seen()) * units <= LARGEST_LINEAR:
                self._add("fc", "linear", (units, 1, 1), {})
        populations = tuple(Population(n, shape, self.neurons[n]) for n, shape in self.shapes.items())
        return Network(name, populations, tuple(self.projections), "int", source)

    def _one(self, choices: Sequence[Choice]) -> Choice:
        return choices[int(self.draw.integers(len(choices)))]

    def _seen(self) -> Shape:
        """Shape of the last population behind its pooling."""
        c, h, w = self.shapes[self.last]
        if self.pool is None:
            return c, h, w
        (a, b), (y, x) = self.pool.size, self.pool.stride
        return c, (h - a) // y + 1, (w - b) // x + 1

    def _classifier(self) -> list[int]:
        """Outputs of the linear layers at the end: none, one, or a hidden one before it."""
        layers = int(self.draw.choice(3, p=(0.15, 0.5, 0.35)))
        return [] if not layers else [10] if layers == 1 else [self._one((32, 64, 128)), 10]

    def _stride(self) -> int:
        return 2 if self._seen()[1] >= 8 and self.draw.random() < 0.2 else 1

    def _conv(self, width: int) -> None:
        self._window("conv", width, 3, self._stride())

    def _wide(self, width: int) -> None:
        self._window("conv", width, 5, self._stride())

    def _point(self, width: int) -> None:
        self._window("conv", width, 1, 1)

    def _dense(self, width: int) -> None:
        """A linear layer."""
        self._add("fc", "linear", (8 * width, 1, 1), {})

    def _separable(self, width: int) -> None:
        """A depthwise convolution, then a pointwise one."""
        self._window("depthwise", self._seen()[0], 3, self._stride())
        self._window("conv", width, 1, 1)

    def _residual(self, width: int) -> None:
        """Two convolutions; their sum with what came in, through a 1x1 convolution where shapes differ."""
        stride = self._stride()
        before, shape, pool = self.last, self._seen(), self.pool
        self._window("conv", width, 3, stride)
        self._window("conv", width, 3, 1)
        own = self.last
        same = stride == 1 and shape[0] == width
        if not self.family.wired:
            kind, bits = ("one_to_one", 8) if same else ("conv", self.bits)
            self._join(own, before, kind, stride, pool, bits)
        elif same and pool is None:
            self._wire("add", self.shapes[own], [own, before], None)

    def _pooling(self) -> None:
        kind = self._one(self.family.poolings)
        pool = Pool(kind, (2, 2), (2, 2))  # type: ignore[arg-type]
        if self.family.wired and self.draw.random() < 0.5:
            c, h, w = self.shapes[self.last]
            self._wire("pool", (c, h // 2, w // 2), [self.last], pool)
        else:
            self.pool = pool

    def _window(self, kind: str, channels: int, side: int, stride: int) -> None:
        """A padded convolution of the last population."""
        _, h, w = self._seen()
        window = {"kernel": (side, side), "stride": (stride, stride), "padding": (side // 2, side // 2)}
        self._add(kind, kind, (channels, (h - 1) // stride + 1, (w - 1) // stride + 1), window)

    def _add(self, name: str, kind: str, shape: Shape, window: dict[str, tuple[int, int]]) -> None:
        own = f"{name}{len(self.shapes)}"
        stateful = not self.family.wired or self.draw.random() < 0.7
        self.shapes[own] = shape
        self.neurons[own] = Neuron(model=self.model, membrane_bits=self.membrane, stateful=stateful)  # type: ignore[arg-type]
        self.projections.append(
            Projection(own, self.last, own, kind, pool=self.pool, weight_bits=self.bits, **window)  # type: ignore[arg-type]
        )
        self.last, self.pool = own, None

    def _join(self, target: str, source: str, kind: str, stride: int, pool: Pool | None, bits: int) -> None:
        """A shortcut into a population that others feed already."""
        self.projections.append(
            Projection(f"{target}.short", source, target, kind, stride=(stride, stride), pool=pool, weight_bits=bits)  # type: ignore[arg-type]
        )

    def _wire(self, name: str, shape: Shape, sources: list[str], pool: Pool | None) -> None:
        """A layer that adds or pools spikes and stores nothing."""
        own = f"{name}{len(self.shapes)}"
        self.shapes[own] = shape
        self.neurons[own] = Neuron(model="if", stateful=False, membrane_bits=self.membrane)
        for source in sources:
            self.projections.append(Projection(f"{own}.{source}", source, own, "one_to_one", pool=pool, weight_bits=0))
        self.last, self.pool = own, None
