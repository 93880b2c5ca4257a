"""Networks from plain arrays and from `.npz` files."""

import numpy as np
import pytest

from simulator.errors import InputError
from simulator.network import Pool
from simulator.network.arrays import network_from_arrays, read_network_npz

COMMON = {"model": "if", "reset": "subtract", "compare": "ge", "output": "binary"}


def layers():
    return [
        {"kind": "input", "shape": [2, 8, 8]},
        {
            "kind": "conv",
            "name": "c",
            "weights": np.ones((3, 2, 3, 3), np.int64),
            "padding": 1,
            "threshold": [4, 5, 6],
            "floor": -4,
        },
        {
            "kind": "linear",
            "weights": np.full((5, 48), -200),
            "threshold": 7,
            "pool": "sum",
            "pool_size": 2,
            "pool_stride": (2, 2),
            "delay": 1,
        },
    ]


def test_a_chain_of_layers():
    network = network_from_arrays(layers(), common=COMMON)
    assert [(p.name, p.shape) for p in network.populations] == [
        ("input", (2, 8, 8)),
        ("c", (3, 8, 8)),
        ("layer2", (5, 1, 1)),
    ]
    conv, linear = network.projections
    assert network.arithmetic == "int" and conv.weights.dtype == np.int8 and linear.weights.dtype == np.int16
    assert linear.pool == Pool("sum", (2, 2), (2, 2)) and linear.delay == 1 and linear.weight_bits == 16
    neuron = network.population("c").neuron
    assert neuron.threshold.tolist() == [4, 5, 6] and neuron.floor.tolist() == [-4] and neuron.reset == "subtract"


def test_models_with_decay():
    whole = network_from_arrays(
        [
            {"kind": "input", "shape": 4},
            {
                "kind": "linear",
                "weights": np.eye(4, dtype=np.int8),
                "threshold": 9,
                "decay_v": 3968,
                "decay_u": 3072,
                "decay_bits": 12,
                "decay_rounding": "zero",
            },
        ],
        common={**COMMON, "model": "cuba_lif"},
    )
    decay = whole.population("layer1").neuron.decay_v
    assert (decay.kind, decay.numerator, decay.bits, decay.rounding) == ("multiply", 3968, 12, "zero")
    real = network_from_arrays(
        [{"kind": "input", "shape": 4}, {"kind": "linear", "weights": np.eye(4), "threshold": 0.5, "decay_v": 0.9}],
        common={**COMMON, "model": "lif"},
    )
    assert real.arithmetic == "float" and real.population("layer1").neuron.decay_v.factor == 0.9


@pytest.mark.parametrize(
    ("layer", "key", "value", "message"),
    [
        (0, "kind", "inptu", "did you mean 'input'"),
        (0, "shape", [1, 2], r"\[C, H, W\] or \[N\]"),
        (0, "weights", 3, "unknown key"),
        (1, "wieghts", 3, "did you mean 'weights'"),
        (1, "weights", None, "missing"),
        (1, "weights", np.ones((3, 2, 3)), "integers in all layers"),
        (1, "weights", np.ones((3, 2, 3), int), "wrong number of dimensions"),
        (1, "weights", np.full((3, 2, 3, 3), 2**20), "at most 16 bits"),
        (1, "stride", 0, ">= 1"),
        (1, "stride", 1.5, "whole number"),
        (1, "threshold", [1, 2], "one or 3"),
        (1, "threshold", 0.5, "whole numbers"),
        (1, "reset", "soft", "unknown reset"),
        (1, "decay_v", 3, "other decays|decay_bits"),
        (2, "pool", "max", "sum"),
        (2, "pool_size", 0, ">= 1"),
        (2, "weights", np.zeros((5, 40), int), "wrong shape"),
    ],
)
def test_refusals_name_layer_and_key(layer, key, value, message):
    given = layers()
    given[layer][key] = value
    with pytest.raises(InputError, match=message) as caught:
        network_from_arrays(given, common=COMMON, name="net")
    assert "net" in str(caught.value)


def test_missing_words_are_not_assumed():
    for word in COMMON:
        with pytest.raises(InputError, match=f"layer 1.{word}: missing"):
            network_from_arrays(layers(), common={k: v for k, v in COMMON.items() if k != word})
    with pytest.raises(InputError, match="first layer must be an input"):
        network_from_arrays(layers()[1:], common=COMMON)
    with pytest.raises(InputError, match="only the first"):
        network_from_arrays([*layers(), {"kind": "input", "shape": 3}], common=COMMON)
    with pytest.raises(InputError, match="common"):
        network_from_arrays(layers(), common={**COMMON, "shape": 3})


def test_npz_has_the_same_keys(tmp_path):
    arrays = {f"{i}.{k}": np.asarray(v) for i, layer in enumerate(layers()) for k, v in layer.items()}
    arrays |= {f"common.{k}": np.array(v) for k, v in COMMON.items()}
    np.savez(tmp_path / "mine.npz", name=np.array("mine"), **arrays)
    network = read_network_npz(tmp_path / "mine.npz")
    same = network_from_arrays(layers(), common=COMMON, name="mine", source=network.source)
    assert network.sha256 == same.sha256
    with pytest.raises(InputError, match="unknown import choice"):
        read_network_npz(tmp_path / "mine.npz", {"reset": "zero"})
    for bad in ({"3.kind": "x", "0.kind": "input"}, {"weights": 3}, {"0.weights": np.array([None])}, {}):
        np.savez(tmp_path / "bad.npz", **bad)
        with pytest.raises(InputError):
            read_network_npz(tmp_path / "bad.npz")
