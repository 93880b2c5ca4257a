"""What the NIR reader refuses, the choices it asks for, int8 weights, and networks that are cut."""

from itertools import pairwise

import numpy as np
import pytest

from simulator.errors import InputError
from simulator.network.nir import read_nir
from tests.unit.nir_writer import IF_CHOICES, LIF_CHOICES, conv, ones, write_nir


def chain(*middle, shape=(2,), out=2):
    """Input, nodes in a row, IF."""
    nodes = {
        "i": ("Input", {"shape": list(shape)}),
        **{f"m{k}": node for k, node in enumerate(middle)},
        "o": ("IF", ones(out)),
    }
    names = list(nodes)
    return nodes, list(pairwise(names))


POOL = ("SumPool2d", {"kernel_size": [2, 2], "stride": [2, 2], "padding": [0, 0]})
LINEAR = ("Linear", {"weight": np.eye(2, dtype=np.float32)})
FLAT = ("Flatten", {"start_dim": 0, "end_dim": -1})


@pytest.mark.parametrize(
    ("graph", "message"),
    [
        (chain(("LI", {"tau": 1.0})), "LI is not supported: it sends no spikes"),
        (chain(("Conv3d", {})), "unknown NIR node type; found 'Conv3d'.*did you mean 'Conv2d'"),
        (chain(("Linear", {"weight": np.full((2, 2), np.nan)})), "not finite"),
        (chain(("Linear", {"weight": np.eye(2), "wieght": 1.0})), "did you mean 'weight'"),
        (chain(("Linear", {})), "lacks a parameter; found 'weight'"),
        (chain(("Linear", {"weight": np.zeros((2, 3))})), "does not fit the weight"),
        (
            chain(("Conv2d", conv(np.ones((2, 2, 3, 3)), padding=1)), POOL, FLAT, shape=(2, 2, 2)),
            "pooling must directly follow",
        ),
        (chain(POOL, POOL, FLAT, shape=(2, 4, 4)), "pooling must directly follow"),
        (
            chain(("SumPool2d", {"kernel_size": [2, 2], "stride": [2, 2], "padding": [1, 1]}), FLAT, shape=(2, 2, 2)),
            "padding of a pooling",
        ),
        (
            chain(("SumPool2d", {"kernel_size": [9, 9], "stride": [2, 2], "padding": [0, 0]}), FLAT, shape=(2, 2, 2)),
            "larger than its input",
        ),
        (chain(("Flatten", {"start_dim": 1, "end_dim": 2}), shape=(2, 2, 2)), "only flattening to one dimension"),
        (chain(("Conv2d", conv(np.ones((2, 2, 3, 3)))), FLAT, shape=(2, 3, 3)), "flattening between weights"),
        (chain(("Conv2d", conv(np.ones((2, 3, 3, 3)))), shape=(2, 3, 3)), "do not fit the input"),
        (chain(("Conv2d", conv(np.ones((2, 2, 3, 3)), padding="full")), shape=(2, 3, 3)), "padding must be numbers"),
        (chain(LINEAR, out=3), "does not fit the neurons"),
        (chain(("Scale", {"scale": [1.0, 2.0, 3.0]})), "scale does not fit"),
        (
            ({"i": ("Input", {"shape": [2]}), "w": LINEAR, "o": ("Output", {"shape": [2]})}, [("i", "w"), ("w", "o")]),
            "no neurons after",
        ),
        (({"i": ("Input", {"shape": [2]}), "w": LINEAR}, [("i", "w")]), "leads nowhere"),
        (({"i": ("Input", {"shape": [2]}), "o": ("IF", ones(2))}, []), "has no input"),
        (({"o": ("IF", ones(2)), "w": LINEAR}, [("o", "w"), ("w", "o")]), "has no Input"),
        (
            (
                {"i": ("Input", {"shape": [2]}), "o": ("IF", ones(2)), "a": LINEAR, "b": LINEAR},
                [("i", "a"), ("a", "b"), ("b", "a"), ("b", "o")],
            ),
            "a cycle without neurons",
        ),
        (({"i": ("Input", {"shape": [2]}), "o": ("IF", ones(2))}, [("i", "x")]), "unknown node in an edge"),
        (
            (
                {"i": ("Input", {"shape": [2]}), "o": ("IF", {"r": [1.0, 1.0], "v_threshold": [1.0, -1.0]})},
                [("i", "o")],
            ),
            "must be positive",
        ),
        (
            ({"i": ("Input", {"shape": [2]}), "o": ("IF", {**ones(2), "v_reset": [0.5, 0.5]})}, [("i", "o")]),
            "v_reset other than 0",
        ),
        (
            (
                {
                    "i": ("Input", {"shape": [1, 1, 2]}),
                    "o": ("IF", {"r": np.ones((1, 1, 2)), "v_threshold": [[[1.0, 2.0]]]}),
                },
                [("i", "o")],
            ),
            "differs within a channel",
        ),
    ],
)
def test_graphs_without_counterpart_are_refused_by_name(tmp_path, graph, message):
    path = write_nir(tmp_path / "n.nir", *graph)
    with pytest.raises(InputError, match=message) as caught:
        read_nir(path, IF_CHOICES)
    assert str(path) in str(caught.value)


def test_missing_and_unknown_choices_list_the_options(tmp_path):
    path = write_nir(tmp_path / "n.nir", *chain(LINEAR))
    with pytest.raises(InputError, match=r"does not say reset, floor, output, compare and delay.*zero \| subtract"):
        read_nir(path, {})
    with pytest.raises(InputError, match="did you mean 'reset'"):
        read_nir(path, {**IF_CHOICES, "rest": "zero"})
    with pytest.raises(InputError, match=r"found 'soft'.*subtract"):
        read_nir(path, {**IF_CHOICES, "reset": "soft"})
    with pytest.raises(InputError, match="unknown import choice for this file; found 'decay'"):
        read_nir(path, {**IF_CHOICES, "decay": "euler"})
    assert read_nir(path, {**IF_CHOICES, "dt_ms": 1}).choices["dt_s"] == 0.001
    assert read_nir(path, {**IF_CHOICES, "floor": "minus_threshold"}).population("o").neuron.floor.tolist() == [-1.0]
    assert read_nir(path, {**IF_CHOICES, "floor": "-0.5"}).population("o").neuron.floor.tolist() == [-0.5]


def test_lif_needs_timestep_and_decay(tmp_path):
    nodes, edges = chain(LINEAR)
    nodes["o"] = ("LIF", {"tau": [0.01] * 2, "r": [1.0] * 2, "v_leak": [0.0] * 2, "v_threshold": [1.0] * 2})
    path = write_nir(tmp_path / "n.nir", nodes, edges)
    with pytest.raises(InputError, match="does not say decay and dt_us"):
        read_nir(path, IF_CHOICES)
    with pytest.raises(InputError, match="given twice"):
        read_nir(path, {**LIF_CHOICES, "dt_us": 3})
    with pytest.raises(InputError, match="neurons without decay"):
        read_nir(path, {**LIF_CHOICES, "quantise": "int8"})
    nodes["o"] = ("LIF", {"tau": [0.01, 0.02], "r": [1.0] * 2, "v_leak": [0.0] * 2, "v_threshold": [1.0] * 2})
    with pytest.raises(InputError, match="time constants differ"):
        read_nir(write_nir(tmp_path / "m.nir", nodes, edges), LIF_CHOICES)


def test_int8_quantisation_follows_the_rule(tmp_path):
    w = np.array([[-0.5, 0.25], [0.1, 0.3]], np.float32)
    path = write_nir(tmp_path / "n.nir", *chain(("Affine", {"weight": w, "bias": np.array([0.0, 0.01], np.float32)})))
    network = read_nir(path, {**IF_CHOICES, "floor": "minus_threshold", "quantise": "int8"})
    scale = 128 / 0.5  # |min| > max * 128 / 127
    assert network.arithmetic == "int"
    assert network.projections[0].weights.tolist() == np.rint(scale * w).tolist()
    neuron = network.population("o").neuron
    assert neuron.threshold.tolist() == [256] and neuron.floor.tolist() == [-256] and neuron.bias.tolist() == [0, 3]
    path = write_nir(tmp_path / "p.nir", *chain(("Linear", {"weight": -w})))
    positive = read_nir(path, {**IF_CHOICES, "quantise": "int8"}).projections[0].weights
    assert positive.max() == 127 and positive.dtype == np.int8


def test_cut_keeps_what_leads_to_a_population(tmp_path):
    path = write_nir(
        tmp_path / "n.nir",
        {"i": ("Input", {"shape": [2]}), "a": ("IF", ones(2)), "w": LINEAR, "b": ("IF", ones(2))},
        [("i", "a"), ("a", "w"), ("w", "b")],
    )
    assert [p.name for p in read_nir(path, {**IF_CHOICES, "until": "a"}).populations] == ["i", "a"]
    with pytest.raises(InputError, match="until"):
        read_nir(path, {**IF_CHOICES, "until": "c"})
