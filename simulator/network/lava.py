"""Networks from lava-dl files (`.net`, HDF5): integer networks of Loihi's current-based neuron.

    u[t] = decay(u, 4096 - iDecay) + 2^(6 + wgtExp) sum(w s)        v[t] = decay(v, 4096 - vDecay) + u[t] + 64 bias
    spike if v[t] > 64 vThMant; then v := 0, u stays; decays are shifts by 12 of the magnitude, towards zero

All of that is in the format's definition.  Not in the file, so given by the user: `delay`, the timesteps that a spike
takes from one population to the next.  A run that was restarted can be followed with `reset_steps`: v and u return to
0 before these timesteps of the input, and in each further layer `delay` timesteps later.

The input layer is a population of neurons without synapses that is driven by an image; here it is an input population
that receives recorded spikes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from simulator.errors import InputError, unknown
from simulator.network.choices import check_keys, number, require, whole_numbers
from simulator.network.cut import cut_network
from simulator.network.geometry import conv_output
from simulator.network.hdf5 import HdfFile, naming
from simulator.network.network import Network
from simulator.network.neuron import Decay, Neuron
from simulator.network.population import Population
from simulator.network.projection import Projection

Shape = tuple[int, int, int]
BITS = 12
STATE_BITS = 6
"""Weights, bias and threshold are in units of 2^6 of the state."""
_LAYERS = ("input", "conv", "dense", "flatten")
_NEURON = ("type", "iDecay", "vDecay", "vThMant", "refDelay", "wgtExp", "theta", "tauRho", "scaleRho")


def read_lava_net(path: str | Path, choices: Mapping[str, Any]) -> Network:
    """Network of a lava-dl file; populations are called `input`, `conv0`, `conv1` .., `fc0`, `fc1` ..

    Raises InputError for layer and neuron types without counterpart, weights that are no 8- or 16-bit integers, and
    shapes that do not fit.
    """
    path = Path(path)
    check_keys(choices, ("delay", "reset_steps", "until", "dt_us", "dt_ms", "dt_s"), file=path)
    require(choices, ["delay"], file=path)
    delay = number(choices, "delay", file=path, high=2**16)
    with naming(path), HdfFile(path) as file:
        names = file.names("/layer")
        if sorted(names) != sorted(str(i) for i in range(len(names))):
            raise InputError("layers must be numbered from 0", file=path, key="/layer", found=names[:8])
        reader = _Reader(file, delay)
        for i in range(len(names)):
            reader.layer(f"/layer/{i}")
        if not reader.populations:
            raise InputError("the file has no layers", file=path)
        used: dict[str, Any] = {"delay": delay}
        populations = reader.populations
        if "reset_steps" in choices:
            used["reset_steps"] = [int(t) for t in whole_numbers(choices, "reset_steps", file=path)]
            populations = [_restarted(p, i * delay, used["reset_steps"]) for i, p in enumerate(populations)]
        network = Network(
            path.stem, tuple(populations), tuple(reader.projections), "int", f"lava-dl file {path.name}", used
        )
        return cut_network(network, str(choices["until"])) if "until" in choices else network


def _restarted(population: Population, shift: int, steps: list[int]) -> Population:
    """A restart travels through the net with the spikes: each layer sees it `shift` timesteps later than the input."""
    if population.is_input:
        return population
    return replace(population, neuron=replace(population.neuron, reset_steps=tuple(t + shift for t in steps)))


class _Reader:
    def __init__(self, file: HdfFile, delay: int) -> None:
        self.file, self.delay = file, delay
        self.populations: list[Population] = []
        self.projections: list[Projection] = []
        self.counts = {"conv": 0, "dense": 0}

    def layer(self, at: str) -> None:
        kind = self.file.text(f"{at}/type")
        if kind not in _LAYERS:
            raise unknown("layer type", kind, _LAYERS, file=self.file.path, key=at)
        if kind == "flatten":
            # C order of [C, H, W], which is the order of a linear projection's inputs: nothing to do.
            return
        shape = self._shape(at)
        if kind == "input":
            if self.populations:
                raise self._wrong(at, "only the first layer can be an input")
            self.populations.append(Population("input", shape, Neuron("input")))
            return
        if not self.populations:
            raise self._wrong(at, "the first layer must be an input", found=kind)
        name = f"{'conv' if kind == 'conv' else 'fc'}{self.counts[kind]}"
        self.counts[kind] += 1
        source = self.populations[-1]
        weights = self._integers(f"{at}/weight", (4,) if kind == "conv" else (1, 2), np.iinfo(np.int16).max)
        weights = weights.astype(np.int8 if np.abs(weights).max(initial=0) < 128 else np.int16)
        bits = weights.dtype.itemsize * 8
        if kind == "conv":
            projection = self._conv(at, name, source, shape, weights, bits)
        else:
            if weights.ndim == 1:
                weights = weights.reshape(1, -1)  # one output neuron is stored without its axis
            if weights.shape != (shape[0] * shape[1] * shape[2], source.size):
                raise self._wrong(at, "weight does not fit", found=weights.shape)
            projection = Projection(
                name, source.name, name, "linear", delay=self.delay, weight_bits=bits, weights=weights
            )
        self.populations.append(Population(name, shape, self._neuron(at, shape)))
        self.projections.append(projection)

    def _conv(self, at: str, name: str, source: Population, shape: Shape, weights: np.ndarray, bits: int) -> Projection:
        stride, padding, dilation = (self._pair(f"{at}/{k}") for k in ("stride", "padding", "dilation"))
        groups = int(self._integers(f"{at}/groups", (0,), 2**16)[()])
        kernel = (weights.shape[2], weights.shape[3])
        positions = tuple(
            conv_output(n, kernel[i], stride[i], padding[i], dilation[i]) if stride[i] > 0 else 0
            for i, n in enumerate(source.shape[1:])
        )
        if shape != (weights.shape[0], *positions) or groups < 1 or weights.shape[1] * groups != source.shape[0]:
            raise self._wrong(
                at,
                "weight, stride, padding and dilation do not make the layer's shape",
                found=f"{(weights.shape[0], *positions)}, groups {groups}",
                allowed=[str(shape)],
            )
        return Projection(
            name,
            source.name,
            name,
            "conv",
            kernel,
            stride,
            padding,
            dilation,
            groups,
            self.delay,
            bits,
            weights=weights,
        )

    def _neuron(self, at: str, shape: Shape) -> Neuron:
        here = f"{at}/neuron"
        kind = self.file.text(f"{here}/type")
        if kind != "LOIHI":
            raise self._wrong(here, "only neurons of type LOIHI are supported", found=kind)
        for name in self.file.names(here):
            if name not in _NEURON:
                raise unknown("neuron parameter", name, _NEURON, file=self.file.path, key=here)
        value = {
            k: int(self._integers(f"{here}/{k}", (0,), 2**20)[()])
            for k in ("iDecay", "vDecay", "vThMant", "refDelay", "wgtExp")
        }
        for name, low, high in (
            ("iDecay", 0, 4096),
            ("vDecay", 0, 4096),
            ("vThMant", 1, 2**17 - 1),
            ("refDelay", 1, 64),
            ("wgtExp", -6, 7),
        ):
            if not low <= value[name] <= high:
                raise self._wrong(here, f"{name} out of range", found=value[name], allowed=f"{low} .. {high}")
        bias = np.zeros(1, np.int64)
        if self.file.has(f"{at}/bias"):
            bias = self._integers(f"{at}/bias", (0, 1), 2**20).astype(np.int64).reshape(-1) << STATE_BITS
            if bias.size not in (1, shape[0]):
                raise self._wrong(at, "bias must have one value per channel", found=bias.size, allowed=[1, shape[0]])
        return Neuron(
            model="lif" if value["iDecay"] == 4096 else "cuba_lif",
            threshold=np.array([value["vThMant"] << STATE_BITS]),
            bias=bias,
            reset="zero",
            compare="gt",
            decay_v=_decay(value["vDecay"]),
            decay_u=Decay() if value["iDecay"] == 4096 else _decay(value["iDecay"]),
            weight_shift=STATE_BITS + value["wgtExp"],
            dead_steps=value["refDelay"] - 1,
        )

    def _shape(self, at: str) -> Shape:
        shape = self._integers(f"{at}/shape", (1,), 2**20)
        if shape.size != 3 or (shape < 1).any():
            raise self._wrong(at, "shape must be [C, H, W]", found=shape.tolist()[:8])
        return int(shape[0]), int(shape[1]), int(shape[2])

    def _pair(self, path: str) -> tuple[int, int]:
        values = self._integers(path, (1,), 2**16)
        if values.size != 2 or (values < 0).any():
            raise self._wrong(path, "must be two numbers (y, x)", found=values.tolist()[:8])
        return int(values[0]), int(values[1])

    def _integers(self, path: str, ndim: tuple[int, ...], limit: int) -> np.ndarray:
        """An array of whole numbers (the format stores them as floats) of magnitude up to `limit`."""
        array = self.file.array(path, "iuf", ndim)
        if array.dtype.kind == "f" and (not np.isfinite(array).all() or (array != np.floor(array)).any()):
            raise self._wrong(path, "must be whole numbers")
        if array.size and float(np.abs(array.astype(np.float64)).max()) > limit:
            raise self._wrong(path, "out of range", allowed=f"at most {limit}")
        return array.astype(np.int64)

    def _wrong(self, key: str, message: str, **details: Any) -> InputError:
        return InputError(message, file=self.file.path, key=key, **details)


def _decay(amount: int) -> Decay:
    """X * (4096 - amount) / 4096, towards zero."""
    return Decay("multiply", numerator=(1 << BITS) - amount, bits=BITS, rounding="zero")
