"""Networks from plain numpy arrays: a chain of layers, or an `.npz` file with the same keys.

Each layer is a mapping.  Allowed keys:

    kind        input | conv | linear                                                          (required)
    name        default: `input`, then `layer1`, `layer2` ..
    shape       input: [C, H, W] or [N]                                                        (input: required)
    weights     conv [C_out, C_in / groups, ky, kx], linear [N_out, N_in] in C, H, W order     (others: required)
    threshold   one value, or one per channel                                                  (others: required)
    bias, initial, floor        one value, or one per channel; floor absent means none
    stride, padding, dilation   one value, or (y, x);  groups
    pool        sum | average | or, with pool_size and pool_stride (one value, or (y, x)): of the layer before
    model       if | lif | cuba_lif;   reset zero | subtract;   compare ge | gt;   output binary | multi | signed
    decay_v, decay_u            integers: numerator of 2^decay_bits (decay_rounding floor | zero); floats: the factor
    weight_shift, dead_steps, first_step, membrane_bits, delay, weight_bits

`model`, `reset`, `compare` and `output` are required of every layer with neurons, directly or through `common`.
In an `.npz` file the same keys stand as "<position>.<key>", such as "0.shape" and "1.weights"; "common.<key>" holds
for all layers with neurons, "name" names the network.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from simulator.errors import InputError, unknown
from simulator.network.choices import check_keys
from simulator.network.geometry import conv_output
from simulator.network.hdf5 import naming
from simulator.network.network import Network
from simulator.network.neuron import Decay, Neuron
from simulator.network.npz import read_npz
from simulator.network.population import Population
from simulator.network.projection import Pool, Projection

Shape = tuple[int, int, int]
_KINDS = ("input", "conv", "linear")
_WORDS = {
    "model": ("if", "lif", "cuba_lif"),
    "reset": ("zero", "subtract"),
    "compare": ("ge", "gt"),
    "output": ("binary", "multi", "signed"),
}
_NUMBERS = ("weight_shift", "dead_steps", "first_step", "membrane_bits")
_NEURON_KEYS = (
    "threshold",
    "bias",
    "initial",
    "floor",
    *_WORDS,
    *_NUMBERS,
    "decay_v",
    "decay_u",
    "decay_bits",
    "decay_rounding",
)
_SYNAPSE_KEYS = ("weights", "pool", "pool_size", "pool_stride", "delay", "weight_bits")
_CONV_KEYS = ("stride", "padding", "dilation", "groups")


def network_from_arrays(
    layers: Sequence[Mapping[str, Any]],
    *,
    name: str = "arrays",
    common: Mapping[str, Any] | None = None,
    source: str = "arrays given by the user",
) -> Network:
    """Network of a chain of layers (keys: see the module); integer weights make an integer network, floats a float one.

    Raises InputError that names the layer and the key for anything missing, unknown or of a wrong shape.
    """
    shared = dict(common or {})
    for key in shared:
        if key not in _NEURON_KEYS and key != "delay":
            raise unknown("key", key, (*_NEURON_KEYS, "delay"), file=name, key="common")
    with naming(name):
        return _network(layers, shared, name, source)


def _network(layers: Sequence[Mapping[str, Any]], shared: dict[str, Any], name: str, source: str) -> Network:
    whole = _arithmetic(layers, name)
    populations: list[Population] = []
    projections: list[Projection] = []
    for i, given in enumerate(layers):
        layer = _Layer(dict(given), shared, f"layer {i}", name, whole)
        if layer.kind == "input":
            if populations:
                raise layer.wrong("only the first layer can be an input", "kind")
            populations.append(Population(layer.text("name", "input"), layer.input_shape(), Neuron("input")))
            continue
        if not populations:
            raise layer.wrong("the first layer must be an input", "kind", found=layer.kind)
        before = populations[-1]
        own = layer.text("name", f"layer{i}")
        projection, shape = layer.projection(own, before)
        populations.append(Population(own, shape, layer.neuron(shape[0])))
        projections.append(projection)
    return Network(name, tuple(populations), tuple(projections), "int" if whole else "float", source)


def read_network_npz(path: str | Path, choices: Mapping[str, Any] | None = None) -> Network:
    """Network of an `.npz` file (keys: see the module); nothing is left open, so it takes no choices."""
    path = Path(path)
    check_keys({k: v for k, v in (choices or {}).items() if not k.startswith("dt_")}, (), file=path)
    layers: dict[int, dict[str, Any]] = {}
    common: dict[str, Any] = {}
    name = path.stem
    for key, value in read_npz(path).items():
        plain = value.item() if value.ndim == 0 else value
        place, dot, rest = key.partition(".")
        if key == "name":
            name = str(plain)
        elif dot and place == "common":
            common[rest] = plain
        elif dot and place.isdecimal() and len(place) < 6:
            layers.setdefault(int(place), {})[rest] = plain
        else:
            raise InputError(
                "unknown key", file=path, found=key, allowed='"<position>.<key>", "common.<key>" or "name"'
            )
    if sorted(layers) != list(range(len(layers))) or not layers:
        raise InputError("layers must be numbered from 0", file=path, found=sorted(layers)[:8])
    with naming(path):
        return network_from_arrays(
            [layers[i] for i in range(len(layers))], name=name, common=common, source=f"arrays of {path.name}"
        )


def _arithmetic(layers: Sequence[Mapping[str, Any]], name: str) -> bool:
    """True for integer weights throughout; a mixture is refused."""
    kinds = {np.asarray(layer["weights"]).dtype.kind for layer in layers if layer.get("weights") is not None}
    whole = kinds <= set("iu")
    if not whole and kinds != {"f"}:
        raise InputError("weights must be integers in all layers, or floats in all", file=name, found=sorted(kinds))
    return whole


class _Layer:
    """One layer's keys, taken one by one; what is wrong is named by layer and key."""

    def __init__(self, given: dict[str, Any], common: dict[str, Any], place: str, file: str, whole: bool) -> None:
        self.given, self.place, self.file, self.whole = given, place, file, whole
        if given.get("kind") not in _KINDS:
            raise unknown("kind of layer", given.get("kind"), _KINDS, file=file, key=place)
        self.kind: str = given["kind"]
        keys: tuple[str, ...] = ("kind", "name")
        keys += ("shape",) if self.kind == "input" else (*_NEURON_KEYS, *_SYNAPSE_KEYS)
        keys += _CONV_KEYS if self.kind == "conv" else ()
        for key in given:
            if key not in keys:
                raise unknown("key", key, keys, file=file, key=place)
        self.values = given if self.kind == "input" else {**common, **given}

    def wrong(self, message: str, key: str, **details: Any) -> InputError:
        return InputError(message, file=self.file, key=f"{self.place}.{key}", **details)

    def text(self, key: str, default: str) -> str:
        return str(self.values.get(key, default))

    def word(self, key: str) -> Any:
        if key not in self.values:
            raise self.wrong("missing", key, allowed=_WORDS[key])
        if self.values[key] not in _WORDS[key]:
            raise unknown(key, self.values[key], _WORDS[key], file=self.file, key=self.place)
        return self.values[key]

    def whole_number(self, key: str, default: int) -> int:
        return self.numbers(key, (default,), 1)[0]

    def numbers(self, key: str, default: tuple[int, ...], count: int = 2) -> tuple[int, ...]:
        """Whole numbers, one for all axes or one each."""
        values = np.atleast_1d(np.asarray(self.values.get(key, default)))
        if (
            values.dtype.kind not in "iu"
            or values.ndim != 1
            or values.size not in (1, count)
            or (abs(values) > 2**31).any()
        ):
            raise self.wrong(f"must be {count} whole number(s)", key, found=values.tolist()[:8])
        return tuple(int(v) for v in np.broadcast_to(values, (count,)))

    def input_shape(self) -> Shape:
        if "shape" not in self.values:
            raise self.wrong("missing", "shape", allowed="[C, H, W] or [N]")
        values = np.atleast_1d(np.asarray(self.values["shape"]))
        if values.dtype.kind not in "iu" or values.shape not in ((1,), (3,)):
            raise self.wrong("must be [C, H, W] or [N]", "shape", found=values.tolist()[:8])
        c, h, w = (*values.tolist(), 1, 1)[:3]
        return c, h, w

    def projection(self, own: str, before: Population) -> tuple[Projection, Shape]:
        """The layer's projection and the shape of its population."""
        weights = self._weights()
        pool, seen = self._pool(before.shape)
        delay = self.whole_number("delay", 0)
        bits = self.whole_number("weight_bits", weights.dtype.itemsize * 8)
        if self.kind == "linear":
            return Projection(
                own, before.name, own, "linear", delay=delay, weight_bits=bits, pool=pool, weights=weights
            ), (weights.shape[0], 1, 1)
        stride, padding, dilation = (self.numbers(k, (d,)) for k, d in (("stride", 1), ("padding", 0), ("dilation", 1)))
        kernel = (weights.shape[2], weights.shape[3])
        if min(*stride, *dilation) < 1 or min(padding) < 0:
            raise self.wrong(
                "stride and dilation must be >= 1, padding >= 0", "stride", found=(stride, padding, dilation)
            )
        height, width = (conv_output(n, kernel[i], stride[i], padding[i], dilation[i]) for i, n in enumerate(seen[1:]))
        groups = self.whole_number("groups", 1)
        return Projection(
            own,
            before.name,
            own,
            "conv",
            kernel,
            (stride[0], stride[1]),
            (padding[0], padding[1]),
            (dilation[0], dilation[1]),
            groups,
            delay,
            bits,
            pool,
            weights,
        ), (weights.shape[0], height, width)

    def neuron(self, channels: int) -> Neuron:
        if "threshold" not in self.values:
            raise self.wrong("missing", "threshold", allowed="one value, or one per channel")
        arrays: dict[str, Any] = {
            key: self._real(key, channels) for key in ("threshold", "bias", "initial", "floor") if key in self.values
        }
        real = np.int64 if self.whole else np.float64
        arrays = {"bias": np.zeros(1, real), "initial": np.zeros(1, real), **arrays}
        words: dict[str, Any] = {key: self.word(key) for key in _WORDS}
        numbers: dict[str, Any] = {key: self.whole_number(key, 0) for key in _NUMBERS if key in self.values}
        decays: dict[str, Any] = {key: self._decay(key) for key in ("decay_v", "decay_u") if key in self.values}
        needed = {"if": (), "lif": ("decay_v",), "cuba_lif": ("decay_v", "decay_u")}[words["model"]]
        if set(decays) != set(needed):
            raise self.wrong(
                f"a neuron of model {words['model']} has other decays",
                "model",
                found=sorted(decays),
                allowed=needed or ["none"],
            )
        return Neuron(**words, **arrays, **numbers, **decays)

    def _weights(self) -> np.ndarray:
        if self.values.get("weights") is None:
            raise self.wrong("missing", "weights")
        weights = np.asarray(self.values["weights"])
        if weights.ndim != (4 if self.kind == "conv" else 2) or weights.size == 0:
            raise self.wrong("wrong number of dimensions", "weights", found=weights.shape)
        if not self.whole:
            return weights if weights.dtype in (np.float32, np.float64) else weights.astype(np.float64)
        low, high = int(weights.min()), int(weights.max())
        for dtype in (np.int8, np.int16):
            if np.iinfo(dtype).min <= low and high <= np.iinfo(dtype).max:
                # A wider type that the user chose is kept: it is what the chip would store.
                return weights if weights.dtype == np.int16 else weights.astype(dtype)
        raise self.wrong("integer weights have at most 16 bits", "weights", found=(low, high))

    def _real(self, key: str, channels: int) -> np.ndarray:
        values = np.atleast_1d(np.asarray(self.values[key]))
        kinds = "iu" if self.whole else "iuf"
        if values.dtype.kind not in kinds or values.shape not in ((1,), (channels,)):
            raise self.wrong(
                f"must be {'whole numbers' if self.whole else 'numbers'}, one or {channels}",
                key,
                found=f"{values.dtype} {values.shape}",
            )
        return values.astype(np.int64 if self.whole else np.float64)

    def _decay(self, key: str) -> Decay:
        value = np.asarray(self.values[key])
        if value.ndim or value.dtype.kind not in ("iu" if self.whole else "iuf"):
            raise self.wrong("must be one number", key, found=value.tolist())
        if not self.whole:
            return Decay("factor", factor=float(value))
        if "decay_bits" not in self.values or self.values.get("decay_rounding") not in ("floor", "zero"):
            raise self.wrong(
                "an integer decay needs decay_bits and decay_rounding", key, allowed="decay_rounding floor | zero"
            )
        return Decay(
            "multiply",
            numerator=int(value),
            bits=self.whole_number("decay_bits", 0),
            rounding=self.values["decay_rounding"],
        )

    def _pool(self, shape: Shape) -> tuple[Pool | None, Shape]:
        given = [key for key in ("pool", "pool_size", "pool_stride") if key in self.values]
        if not given:
            return None, shape
        if len(given) < 3 or self.values["pool"] not in ("sum", "average", "or"):
            raise self.wrong("pool (sum | average | or), pool_size and pool_stride go together", "pool", found=given)
        size, stride = self.numbers("pool_size", ()), self.numbers("pool_stride", ())
        if min(*size, *stride) < 1:
            raise self.wrong("must be >= 1", "pool_size", found=(size, stride))
        pool = Pool(self.values["pool"], (size[0], size[1]), (stride[0], stride[1]))
        return pool, (shape[0], (shape[1] - size[0]) // stride[0] + 1, (shape[2] - size[1]) // stride[1] + 1)
