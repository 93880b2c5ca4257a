"""Layer traces: recorded inputs of single layers (VGG-9, ResNet-19) and all populations of PilotNet.

The files of VGG-9 and ResNet-19 hold the input of every layer, behind the pooling before it, and nothing else.  What a
layer itself sends is therefore known only where the next layer reads it as it is; these spikes are taken.  Where a
pooling lies between, or no layer follows, its spikes are drawn independently, with the density of the next layer's
input (behind an OR of 2 x 2 neurons: p = 1 - (1 - q)^(1/4), q the density behind it) or, at the end, of its own input.
They decide only what the layer writes; what it reads and computes follows from the recorded input.

Kernels are not stored: convolutions are 3 x 3, shortcuts 1 x 1, stride 2 where a map halves without pooling.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

import numpy as np

from simulator.costmodel.recorded import Recording
from simulator.errors import InputError, unknown
from simulator.network import Network, Neuron, Population, Projection
from simulator.network.lava import read_lava_net
from simulator.trace.spikes import StepSpikesBuilder
from simulator.trace.tables import channel_last, read_arrays, to_block, unpack
from simulator.trace.trace import Trace

FOLDER = "layer_traces"
PILOTNET, PILOTNET_NETWORK = "pilotnet_lif_spikes.npz", "pilotnet_lif.net"
MEMBRANE_BITS = 16
CHAIN = "chain"
BLOCKS = tuple(
    tuple(f"conv2d_{n}" if n else "" for n in block.split("-"))
    for block in ("01-02-03", "04-05-", "06-07-", "08-09-10", "11-12-", "13-14-", "15-16-17", "18-19-")
)
"""Residual blocks of ResNet-19: first and second convolution, and the shortcut where a stage begins."""


class Layer(NamedTuple):
    """One layer of a file: output channels, stride and kernel (0: linear), and who reads what it sends.

    follows   the layer whose recorded input are its spikes; "": none
    pooled    they are recorded behind a 2 x 2 pooling only
    """

    channels: int
    follows: str = ""
    pooled: bool = False
    kernel: int = 3
    stride: int = 1


def _vgg9() -> dict[str, Layer]:
    """VGG-9 for CIFAR-10: 64-64-M-128-128-M-256-256-M-1024."""
    return {
        "conv2d_1": Layer(64, "conv2d_2", True),
        "conv2d_2": Layer(128, "conv2d_3"),
        "conv2d_3": Layer(128, "conv2d_4", True),
        "conv2d_4": Layer(256, "conv2d_5"),
        "conv2d_5": Layer(256, "fc_0", True),
        "fc_0": Layer(1024, "fc_1", kernel=0),
        "fc_1": Layer(1024, kernel=0),
    }


def _resnet19() -> dict[str, Layer]:
    """ResNet-19 for CIFAR-10, block by block; a shortcut and the convolution beside it end in the same sum."""
    found = {}
    for number, (first, second, short) in enumerate(BLOCKS):
        channels, stride = (128, 256, 512)[sum(bool(b[2]) for b in BLOCKS[: number + 1]) - 1], 2 if short else 1
        after = BLOCKS[number + 1][0] if number + 1 < len(BLOCKS) else ""
        found[first] = Layer(channels, second, stride=stride)
        found[second] = Layer(channels, after)
        if short:
            found[short] = Layer(channels, after, kernel=1, stride=stride)
    return {**found, "linear_0": Layer(256, "linear_1", kernel=0), "linear_1": Layer(10, kernel=0)}


FILES = {"prosperity_vgg9_cifar10": _vgg9, "prosperity_resnet19_cifar10": _resnet19}


def prosperity_names(folder: Path) -> Iterator[tuple[str, str]]:
    """Layers of the files that are there; those of a network are one architecture."""
    found = False
    for file, layers in FILES.items():
        path = folder / FOLDER / f"{file}.npz"
        if not path.is_file():
            continue
        found = True
        held = read_arrays(path)
        for layer in layers():
            if layer in held:
                yield f"{file}/{layer}", file
        if file == "prosperity_resnet19_cifar10":
            yield f"{file}/{CHAIN}", file
    if not found:
        raise InputError("no such files", file=folder / FOLDER, allowed=[f"{file}.npz" for file in FILES])


def prosperity(folder: Path, name: str) -> Recording:
    """One layer "FILE/LAYER", or "FILE/chain"."""
    file, _, layer = name.partition("/")
    if file not in FILES:
        raise unknown("file of layer inputs", file, FILES)
    path = folder / FOLDER / f"{file}.npz"
    arrays, layers = read_arrays(path), FILES[file]()
    if layer == CHAIN:
        return _chain(arrays, path, layers)
    if layer not in layers:
        raise unknown("layer", layer, layers, file=path)
    return _single(arrays, path, layer, layers[layer])


def _single(arrays: dict[str, np.ndarray], path: Path, name: str, layer: Layer) -> Recording:
    """A layer behind its recorded input."""
    given = unpack(arrays, name, path)
    source, steps = _shape(given), given.shape[0]
    target = _target(source, layer)
    own, how = None, "recorded"
    if layer.follows in arrays:
        after = unpack(arrays, layer.follows, path)
        if _shape(after) == target:
            own = _flat(after)
        else:
            how = f"drawn with the density of {layer.follows}"
        density = float(after.mean())
    else:
        density, how = float(given.mean()), "drawn with the density of its input"
    if own is None:
        rate = 1 - (1 - density) ** 0.25 if layer.pooled else density
        generator = np.random.Generator(np.random.PCG64(crc32(f"{path.stem}/{name}".encode())))
        own = generator.random((steps, int(np.prod(target)))) < rate
    network = Network(
        f"{path.stem}-{name}",
        (Population("input", source, Neuron("input")), _population(name, target)),
        (_projection(name, "input", name, layer),),
        source=path.name,
    )
    return _recording(network, {"input": _flat(given), name: own}, f"{path.name}, input recorded, output {how}")


def _chain(arrays: dict[str, np.ndarray], path: Path, layers: dict[str, Layer]) -> Recording:
    """The residual network from its first block to the last convolution whose own spikes are recorded."""
    spikes = {"input": unpack(arrays, BLOCKS[0][0], path)}
    projections: list[Projection] = []
    last = "input"
    for first, second, short in BLOCKS:
        for source, name in ((last, first), (first, second)):
            after = layers[name].follows
            if after:
                spikes[name] = unpack(arrays, after, path)
                projections.append(_projection(name, source, name, layers[name]))
        if second in spikes:
            way = layers[short] if short else Layer(layers[second].channels, kernel=-1)
            projections.append(_projection(f"{second}.short", last, second, way))
        last = second
    populations = [_population(name, _shape(found)) for name, found in spikes.items()]
    network = Network(f"{path.stem}-{CHAIN}", tuple(populations), tuple(projections), source=path.name)
    return _recording(network, {n: _flat(s) for n, s in spikes.items()}, f"{path.name}, all spikes recorded")


def _population(name: str, shape: tuple[int, int, int]) -> Population:
    return Population(name, shape, Neuron("input") if name == "input" else Neuron("lif", membrane_bits=MEMBRANE_BITS))


def _projection(name: str, source: str, target: str, layer: Layer) -> Projection:
    """A convolution, a linear layer (kernel 0) or an identity (kernel -1)."""
    if layer.kernel < 1:
        return Projection(name, source, target, "linear" if layer.kernel == 0 else "one_to_one")
    return Projection(
        name, source, target, "conv", kernel=(layer.kernel,) * 2, stride=(layer.stride,) * 2,
        padding=(layer.kernel // 2,) * 2,
    )  # fmt: skip


def _shape(spikes: np.ndarray) -> tuple[int, int, int]:
    """(C, H, W) of spikes [T, C, H, W] or [T, N]."""
    c, h, w = spikes.shape[1:] if spikes.ndim == 4 else (spikes.shape[1], 1, 1)
    return int(c), int(h), int(w)


def _target(source: tuple[int, int, int], layer: Layer) -> tuple[int, int, int]:
    """(C, H, W) of what a layer makes of its source."""
    if layer.kernel == 0:
        return layer.channels, 1, 1
    return layer.channels, (source[1] - 1) // layer.stride + 1, (source[2] - 1) // layer.stride + 1


def _flat(spikes: np.ndarray) -> np.ndarray:
    """[T, neurons], channel last, of spikes [T, C, H, W] or [T, N]."""
    if spikes.ndim == 4:
        spikes = spikes.transpose(0, 2, 3, 1)
    return spikes.reshape(spikes.shape[0], -1)


def _recording(network: Network, spikes: dict[str, np.ndarray], source: str) -> Recording:
    """Spikes [T, neurons] of every population as a recording of one sample."""
    steps = min(len(found) for found in spikes.values())
    populations = {}
    for name, found in spikes.items():
        if found.shape[1] != network.population(name).size:
            raise InputError(
                "the recorded layer has another size than the network's", key=f"{network.name}: {name}",
                found=found.shape[1], allowed=[network.population(name).size],
            )  # fmt: skip
        builder = StepSpikesBuilder()
        builder.begin_sample()
        builder.add_block(to_block(found[:steps]))
        populations[name] = builder.build()
    return Recording(network, Trace(network.name, network, "step", np.array([steps], np.int64), populations, source))


def pilotnet_names(folder: Path) -> Iterator[tuple[str, str]]:
    """The recording, where both of its files are there."""
    for path in (folder / FOLDER / PILOTNET, folder / "nets" / PILOTNET_NETWORK):
        if not path.is_file():
            raise InputError("no such file", file=path)
    yield "all", "pilotnet"


def pilotnet(folder: Path, name: str) -> Recording:
    """All recorded populations, the network cut behind the last of them; a spike takes a timestep per layer."""
    if name != "all":
        raise unknown("recording of PilotNet", name, ("all",))
    path = folder / FOLDER / PILOTNET
    arrays = read_arrays(path)
    network = read_lava_net(folder / "nets" / PILOTNET_NETWORK, {"delay": 1}).topology()
    kept = [p for p in network.populations if p.name in arrays]
    names = {p.name for p in kept}
    ways = tuple(p for p in network.projections if {p.source, p.target} <= names)
    cut = Network("pilotnet", tuple(kept), ways, network.arithmetic, network.source)
    spikes = {p.name: channel_last(unpack(arrays, p.name, path)) for p in kept}
    return _recording(cut, spikes, f"{PILOTNET}, all spikes recorded")
