"""The lava-dl reader, on files written here."""

import h5py
import numpy as np
import pytest

from simulator.errors import InputError
from simulator.network.lava import read_lava_net

NEURON = {
    "type": "LOIHI",
    "iDecay": 1024,
    "vDecay": 128,
    "vThMant": 80,
    "refDelay": 1,
    "wgtExp": 0,
    "theta": 5120,
    "tauRho": 0.5,
    "scaleRho": 1.0,
}


def write(path, change=lambda f: None):
    with h5py.File(path, "w") as f:

        def layer(i, kind, shape, neuron=None, **values):
            group = f.create_group(f"layer/{i}")
            group["type"] = np.array([kind], "S10")
            group["shape"] = np.array(shape)
            for key, value in values.items():
                group[key] = value
            for key, value in ({} if neuron is None else {**NEURON, **neuron}).items():
                group[f"neuron/{key}"] = value

        layer(0, "input", [2, 6, 8], {}, weight=np.float32(40), bias=np.float32(36))
        layer(
            1,
            "conv",
            [3, 3, 6],
            {"iDecay": 4096, "refDelay": 3, "wgtExp": 1},
            weight=np.arange(54, dtype=np.float32).reshape(3, 2, 3, 3) - 20,
            bias=np.array([1, 0, -2], np.float32),
            stride=[2, 1],
            padding=[1, 0],
            dilation=[1, 1],
            groups=1,
            inChannels=2,
            outChannels=3,
            kernelSize=[3, 3],
        )
        layer(2, "flatten", [1, 1, 54])
        layer(3, "dense", [5, 1, 1], {}, weight=np.full((5, 54), 300, np.float32), inFeatures=54, outFeatures=5)
        layer(4, "dense", [1, 1, 1], {}, weight=np.arange(5, dtype=np.float32))
        f["simulation/Ts"] = 1
        change(f)
    return path


def test_layers_become_populations_and_projections(tmp_path):
    network = read_lava_net(write(tmp_path / "n.net"), {"delay": "1"})
    assert [(p.name, p.shape) for p in network.populations] == [
        ("input", (2, 6, 8)),
        ("conv0", (3, 3, 6)),
        ("fc0", (5, 1, 1)),
        ("fc1", (1, 1, 1)),
    ]
    conv, dense, last = network.projections
    assert (conv.stride, conv.padding, conv.delay, conv.weight_bits) == ((2, 1), (1, 0), 1, 8)
    assert np.array_equal(conv.weights, (np.arange(54) - 20).reshape(3, 2, 3, 3)) and conv.weights.dtype == np.int8
    assert dense.weights.dtype == np.int16 and last.weights.shape == (1, 5)
    first, second = network.population("conv0").neuron, network.population("fc0").neuron
    assert (first.model, first.dead_steps, first.weight_shift, first.bias.tolist()) == ("lif", 2, 7, [64, 0, -128])
    assert (second.model, second.reset, second.compare, second.threshold.tolist()) == ("cuba_lif", "zero", "gt", [5120])
    assert (second.decay_u.numerator, second.decay_v.numerator, second.decay_v.bits, second.decay_v.rounding) == (
        3072,
        3968,
        12,
        "zero",
    )
    assert network.arithmetic == "int" and network.choices == {"delay": 1}


def test_restarts_travel_and_the_net_can_be_cut(tmp_path):
    network = read_lava_net(write(tmp_path / "n.net"), {"delay": 1, "reset_steps": "0,17", "until": "fc0"})
    assert [p.neuron.reset_steps for p in network.populations] == [(), (1, 18), (2, 19)]


def put(f, name, value):
    if name in f:
        del f[name]
    f[name] = value


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: put(f, "layer/1/type", np.array(["pool"], "S10")), "unknown layer type"),
        (lambda f: put(f, "layer/3/neuron/type", "ALIF"), "only neurons of type LOIHI"),
        (lambda f: put(f, "layer/3/neuron/delay", 4), "unknown neuron parameter"),
        (lambda f: put(f, "layer/3/neuron/vDecay", 5000), "vDecay out of range"),
        (lambda f: put(f, "layer/3/neuron/vThMant", 0.5), "whole numbers"),
        (lambda f: put(f, "layer/3/weight", np.full((5, 54), 0.5)), "whole numbers"),
        (lambda f: put(f, "layer/3/weight", np.full((5, 54), np.nan)), "whole numbers"),
        (lambda f: put(f, "layer/3/weight", np.full((5, 54), 40_000.0)), "out of range"),
        (lambda f: put(f, "layer/3/weight", np.zeros((5, 53))), "does not fit"),
        (lambda f: put(f, "layer/1/stride", [0, 1]), "do not make the layer's shape"),
        (lambda f: put(f, "layer/1/stride", [1, 1]), "do not make the layer's shape"),
        (lambda f: put(f, "layer/1/bias", np.zeros(2)), "one value per channel"),
        (lambda f: put(f, "layer/1/shape", [3, 3]), r"must be \[C, H, W\]"),
        (lambda f: f.move("layer/4", "layer/9"), "numbered from 0"),
        (lambda f: f.move("layer/0", "layer/x"), "numbered from 0"),
        (lambda f: put(f, "layer/0/type", np.array(["dense"], "S10")), "must be an input"),
        (lambda f: f.__delitem__("layer/1/weight"), "missing"),
    ],
)
def test_refusals(tmp_path, change, message):
    path = write(tmp_path / "n.net", change)
    with pytest.raises(InputError, match=message) as caught:
        read_lava_net(path, {"delay": 0})
    assert str(path) in str(caught.value)


def test_delay_must_be_chosen(tmp_path):
    path = write(tmp_path / "n.net")
    with pytest.raises(InputError, match="does not say delay"):
        read_lava_net(path, {})
    with pytest.raises(InputError, match="unknown import choice"):
        read_lava_net(path, {"delay": 0, "reset": "zero"})
