"""A small network on a neurosynaptic core: addresses, memory image, stimulus, and its spikes by population."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simulator.components.neurosynaptic_core.core import Image, Stimulus
from simulator.components.neurosynaptic_core.registers import ODIN, SOURCES, WORD_BITS
from simulator.errors import InputError, unknown
from simulator.network import Network
from simulator.network.population import Population

WEIGHTS = {"tinyodin": (-8, 7), "odin": (-7, 7)}
MEMBRANES = {"tinyodin": (-2048, 2047), "odin": (0, 255)}
MAPPED = 8


@dataclass(frozen=True)
class Program:
    """What a network becomes on a core.

    first: address of the first neuron of each population, inputs before layers; neurons follow in flat order.
    bias: address of a source that is sent once a timestep and brings every bias, -1 where there is none.
    """

    dialect: str
    image: Image
    first: dict[str, int]
    size: dict[str, int]
    bias: int

    def words(self, addresses: np.ndarray) -> np.ndarray:
        """Input words of neuron events from these source addresses."""
        return addresses << 8 | 7 if self.dialect == ODIN else addresses

    def stimulus(self, steps: Sequence[Sequence[tuple[str, np.ndarray]]], step_cycles: int = 0) -> Stimulus:
        """One neuron event per input spike, timestep after timestep, and one for the biases at the end of each.

        steps: per timestep the pairs (population, rising flat indices).  A timestep is due `step_cycles` after the one
        before; with 0 the core takes the events as fast as it can.
        """
        due: list[np.ndarray] = []
        words: list[np.ndarray] = []
        for t, spikes in enumerate(steps):
            found = [self.first[name] + index.astype(np.int64) for name, index in spikes]
            if self.bias >= 0:
                found.append(np.array([self.bias], np.int64))
            addresses = np.concatenate(found) if found else np.empty(0, np.int64)
            words.append(self.words(addresses))
            due.append(np.full(addresses.size, t * step_cycles, np.int64))
        none = np.empty(0, np.int64)
        return Stimulus(np.concatenate([none, *due]), np.concatenate([none, *words]))

    def spikes(self, table: np.ndarray, population: str) -> tuple[np.ndarray, np.ndarray]:
        """(cycles, flat indices) of a population's spikes in a core's spike table."""
        low = self.first[population]
        mine = (table[:, 1] >= low) & (table[:, 1] < low + self.size[population])
        return table[mine, 0], (table[mine, 1] - low).astype(np.uint32)


def program(network: Network, layers: Sequence[str], dialect: str, *, nearest: bool = False) -> Program:
    """The core that computes `layers` of `network`, whose other sources become inputs.

    What a core cannot do is refused: more than 256 addresses, projections other than linear ones without pooling, a
    leak that is not "none", mixed signs of a source on `odin`.  Weights beyond 4 bits, a reset by subtraction and
    biases are refused too unless `nearest`: then each layer is scaled so that its largest weight is 7, weights,
    thresholds and initial membranes are rounded half to even, biases come as one event a timestep (clipped to a
    weight), and the reset is to zero.  A neuron with threshold `gt` gets one more.

    An input population of 2 ** (bits of a word) neurons holds input words and takes no addresses (see `raw_stimulus`).
    Layers without their weights become silent neurons: cycles and energy of the stimulus alone.
    """
    names = {p.name for p in network.populations}
    for layer in layers:
        if layer not in names:
            raise unknown("layer", layer, network.layers, key="layers")
    raw = {p.name for p in network.populations if p.is_input and p.size == 1 << WORD_BITS[dialect]}
    into = [p for p in network.projections if p.target in layers and p.source not in raw]
    sources = [p for p in network.populations if p.name not in layers and p.name in {x.source for x in into}]
    placed = [*sources, *(network.population(name) for name in layers)]
    silent = any(p.weights is None for p in into)
    biased = not silent and any(np.any(network.population(name).neuron.bias) for name in layers)
    total = sum(p.size for p in placed) + biased
    if total > SOURCES:
        raise InputError("the network has more neurons and inputs than the core has addresses", found=total,
                         allowed=f"at most {SOURCES}")  # fmt: skip
    first = dict(zip([p.name for p in placed], np.cumsum([0, *(p.size for p in placed)]).tolist(), strict=False))
    bias = total - 1 if biased else -1
    weights = np.zeros((SOURCES, SOURCES), np.int64)
    neurons = np.zeros((14, SOURCES), np.int16)
    neurons[1], neurons[3] = (255 if dialect == ODIN else 4095), 1
    for layer in () if silent else layers:
        population = network.population(layer)
        scale = _scale(network, layer, nearest)
        low, high = first[layer], first[layer] + population.size
        for p in into:
            if p.target == layer:
                source = network.population(p.source)
                if p.kind != "linear" or p.pool is not None or p.weights is None:
                    raise InputError("a core holds linear projections with weights, without pooling",
                                     key=f"projection {p.name}", found=p.kind)  # fmt: skip
                matrix = _rounded(p.weights[_flat(population)][:, _flat(source)].astype(np.float64).T * scale)
                weights[first[p.source] : first[p.source] + source.size, low:high] += matrix
        _neurons(neurons, population, low, scale, dialect, nearest)
        if bias >= 0:
            drive = _rounded(_spread(population.neuron.bias, population) * scale)
            weights[bias, low:high] = np.clip(drive, *WEIGHTS[dialect])
    return Program(dialect, _image(weights, neurons, dialect), first, {p.name: p.size for p in placed}, bias)


def _flat(population: Population) -> np.ndarray:
    """Place in C, H, W order of each neuron in flat (channel last) order."""
    return np.arange(population.size).reshape(population.shape).transpose(1, 2, 0).ravel()


def _spread(values: np.ndarray, population: Population) -> np.ndarray:
    """A value per channel, or one for all, as one per neuron in flat order."""
    c, h, w = population.shape
    return np.tile(np.broadcast_to(values, (c,)), h * w).astype(np.float64)


def _rounded(values: np.ndarray) -> np.ndarray:
    return np.rint(values).astype(np.int64)


def _scale(network: Network, layer: str, nearest: bool) -> float:
    """What a layer's weights, thresholds and membranes are multiplied with; 1 unless `nearest`."""
    weights = [p.weights for p in network.incoming(layer) if p.weights is not None and p.weights.size]
    top = max((int(np.abs(w.astype(np.int64)).max()) for w in weights), default=0)  # int8 has no 128
    return 7 / top if nearest and top else 1.0


def _neurons(fields: np.ndarray, population: Population, low: int, scale: float, dialect: str, nearest: bool) -> None:
    """Fills in a layer's neurons; InputError for what the core's neuron is not."""
    n, key = population.neuron, f"population {population.name}"
    if n.decay_v.kind != "none" or n.decay_u.kind != "none" or n.model == "cuba_lif":
        raise InputError("the core's neurons leak by subtraction at time references only", key=key, found=n.model,
                         allowed="a neuron without leak")  # fmt: skip
    if not nearest and (n.reset != "zero" or np.any(n.bias)):
        raise InputError("the core's neurons reset to zero and have no bias; nearest=True takes what is near", key=key,
                         found=f"reset {n.reset}, bias {'some' if np.any(n.bias) else 'none'}")  # fmt: skip
    floor, ceiling = MEMBRANES[dialect]
    threshold = _rounded(_spread(n.threshold, population) * scale) + (n.compare == "gt")
    initial = _rounded(_spread(n.initial, population) * scale)
    for name, values, least in (("threshold", threshold, 1), ("initial", initial, floor)):
        if values.min() < least or values.max() > ceiling:
            raise InputError(f"the {name} does not fit the core's membrane", key=key,
                             found=[int(values.min()), int(values.max())], allowed=f"{least} .. {ceiling}")  # fmt: skip
    high = low + population.size
    fields[0, low:high], fields[1, low:high], fields[3, low:high] = initial, threshold, 0


def _image(weights: np.ndarray, neurons: np.ndarray, dialect: str) -> Image:
    """Nibbles of signed weights [source, target]; on `odin` a sign per source."""
    low, high = WEIGHTS[dialect]
    if weights.min() < low or weights.max() > high:
        raise InputError("weights do not fit the core's synapses; nearest=True rounds them",
                         found=[int(weights.min()), int(weights.max())], allowed=f"{low} .. {high}")  # fmt: skip
    if dialect != ODIN:
        return Image(neurons, (weights & 15).astype(np.uint8))
    mixed = np.flatnonzero((weights > 0).any(axis=1) & (weights < 0).any(axis=1))
    if mixed.size:
        raise InputError("all synapses of a source have one sign on this core", key=f"source {int(mixed[0])}")
    inhibits = frozenset(np.flatnonzero((weights < 0).any(axis=1)).tolist())
    return Image(neurons, np.where(weights != 0, np.abs(weights) | MAPPED, 0).astype(np.uint8), inhibits)


def raw_stimulus(dialect: str, time: np.ndarray, index: np.ndarray, size: int) -> Stimulus:
    """Events of a population with a time base of cycles as input words.

    A population of 2 ** (bits of a word) neurons holds the words themselves, one of up to 256 neurons holds sources.
    """
    if size == 1 << WORD_BITS[dialect]:
        return Stimulus(time.astype(np.int64), index.astype(np.int64))
    if size > SOURCES:
        raise InputError("a stimulus holds input words or sources", key="population", found=size,
                         allowed=f"{1 << WORD_BITS[dialect]} words, or at most {SOURCES} sources")  # fmt: skip
    words = index.astype(np.int64)
    return Stimulus(time.astype(np.int64), words << 8 | 7 if dialect == ODIN else words)
