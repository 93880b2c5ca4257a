"""The NIR reader: its projections against the file's own arithmetic."""


import numpy as np
import pytest

from simulator.errors import InputError
from simulator.network import Pool
from simulator.network.nir import read_nir
from tests.oracles.synapse import deliver
from tests.oracles.synapse import pool as pooled
from tests.unit.nir_writer import IF_CHOICES, LIF_CHOICES, conv, ones, write_nir

RNG = np.random.Generator(np.random.PCG64(11))


def weights(*shape):
    """Values of few bits, so that sums in any order are exact."""
    return (RNG.integers(-8, 9, shape) / 8).astype(np.float32)


def arriving(network, source_values, target):
    """[C, H, W] that arrives at `target` when the neurons of each source hold these values (bias left out)."""
    population = network.population(target)
    total = [0.0] * population.size
    for projection in network.incoming(target):
        source = network.population(projection.source)
        values = source_values[projection.source].transpose(1, 2, 0).reshape(-1)
        spikes = {i: float(v) for i, v in enumerate(values) if v}
        sums = [0.0] * population.size
        deliver(projection, source, population, pooled(projection, source, spikes), sums)
        area = 1
        if projection.pool is not None and projection.pool.kind == "average":
            area = projection.pool.size[0] * projection.pool.size[1]
        total = [a + b / area for a, b in zip(total, sums, strict=True)]
    c, h, w = population.shape
    return np.array(total).reshape(h, w, c).transpose(2, 0, 1)


def convolved(x, weight, stride=1, padding=0, groups=1):
    """Plain definition of Conv2d."""
    x = np.pad(x, ((0, 0), (padding, padding), (padding, padding)))
    outs, _, ky, kx = weight.shape
    per_group = outs // groups
    h, w = (x.shape[1] - ky) // stride + 1, (x.shape[2] - kx) // stride + 1
    out = np.zeros((outs, h, w))
    for o in range(outs):
        first = (o // per_group) * weight.shape[1]
        part = x[first : first + weight.shape[1]]
        for y in range(h):
            for z in range(w):
                out[o, y, z] = (part[:, y * stride : y * stride + ky, z * stride : z * stride + kx] * weight[o]).sum()
    return out


def test_pool_flatten_linear_equals_the_files_arithmetic(tmp_path):
    w1, w2 = weights(4, 2, 3, 3), weights(5, 16)
    path = write_nir(
        tmp_path / "n.nir",
        {
            "10": ("Affine", {"weight": w2, "bias": np.zeros(5, np.float32)}),
            "9": ("Flatten", {"start_dim": 0, "end_dim": -1}),
            "out": ("IF", ones(5)),
            "2": ("SumPool2d", {"kernel_size": [2, 2], "stride": [2, 2], "padding": [0, 0]}),
            "input": ("Input", {"shape": [2, 4, 4]}),
            "1": ("IF", ones(4, 4, 4)),
            "0": ("Conv2d", conv(w1, padding=1)),
            "output": ("Output", {"shape": [5]}),
        },
        [("9", "10"), ("input", "0"), ("0", "1"), ("2", "9"), ("1", "2"), ("10", "out"), ("out", "output")],
    )
    network = read_nir(path, IF_CHOICES)
    assert [p.name for p in network.populations] == ["input", "1", "out"]
    assert network.projections[1].pool == Pool("sum", (2, 2), (2, 2))
    x, spikes = RNG.integers(0, 3, (2, 4, 4)), RNG.integers(0, 2, (4, 4, 4))
    assert np.array_equal(arriving(network, {"input": x}, "1"), convolved(x, w1, padding=1))
    summed = spikes.reshape(4, 2, 2, 2, 2).sum((2, 4))
    assert np.array_equal(arriving(network, {"1": spikes}, "out").reshape(-1), w2 @ summed.reshape(-1))


def test_average_pooling_divides(tmp_path):
    w = weights(3, 8)
    path = write_nir(
        tmp_path / "n.nir",
        {
            "a": ("Input", {"shape": [2, 4, 4]}),
            "b": ("AvgPool2d", {"kernel_size": [2, 2], "stride": [2, 2], "padding": [0, 0]}),
            "c": ("Flatten", {"start_dim": 0, "end_dim": 2}),
            "d": ("Linear", {"weight": w}),
            "e": ("IF", ones(3)),
        },
        [("a", "b"), ("b", "c"), ("c", "d"), ("d", "e")],
    )
    x = RNG.integers(0, 2, (2, 4, 4))
    expected = w @ x.reshape(2, 2, 2, 2, 2).mean((2, 4)).reshape(-1)
    assert np.array_equal(arriving(read_nir(path, IF_CHOICES), {"a": x}, "e").reshape(-1), expected)


@pytest.mark.parametrize(("stride", "padding", "groups"), [(2, 1, 1), (1, "same", 2), (1, "valid", 1)])
def test_convolutions(tmp_path, stride, padding, groups):
    w = weights(4, 4 // groups, 3, 3)
    amount = {"same": 1, "valid": 0}.get(padding, padding)
    shape = convolved(np.zeros((4, 5, 5)), w, stride, amount, groups).shape
    path = write_nir(
        tmp_path / "n.nir",
        {
            "i": ("Input", {"shape": [4, 5, 5]}),
            "w": ("Conv2d", conv(w, stride, padding, groups)),
            "o": ("IF", ones(*shape)),
        },
        [("i", "w"), ("w", "o")],
    )
    x = RNG.integers(0, 2, (4, 5, 5))
    assert np.array_equal(arriving(read_nir(path, IF_CHOICES), {"i": x}, "o"), convolved(x, w, stride, amount, groups))


def test_one_dimensional_convolution_is_one_row(tmp_path):
    w = weights(3, 2, 3)
    path = write_nir(
        tmp_path / "n.nir",
        {"i": ("Input", {"shape": [2, 7]}), "w": ("Conv1d", conv(w, stride=2, padding=1)), "o": ("IF", ones(3, 4))},
        [("i", "w"), ("w", "o")],
    )
    x = RNG.integers(0, 2, (2, 1, 7))
    wide = np.pad(x, ((0, 0), (0, 0), (1, 1)))
    expected = np.array([[(wide[:, 0, 2 * z : 2 * z + 3] * w[o]).sum() for z in range(4)] for o in range(3)])
    network = read_nir(path, IF_CHOICES)
    assert network.population("o").shape == (3, 1, 4)
    assert np.array_equal(arriving(network, {"i": x}, "o")[:, 0], expected)


def test_scales_and_stacked_linear_maps_are_multiplied_out(tmp_path):
    w1, w2, s = weights(4, 6), weights(3, 4), weights(4)
    path = write_nir(
        tmp_path / "n.nir",
        {
            "i": ("Input", {"shape": [6]}),
            "a": ("Affine", {"weight": w1, "bias": weights(4)}),
            "s": ("Scale", {"scale": s}),
            "b": ("Affine", {"weight": w2, "bias": weights(3)}),
            "o": ("IF", {"r": np.full(3, 2.0), "v_threshold": np.ones(3)}),
        },
        [("i", "a"), ("a", "s"), ("s", "b"), ("b", "o")],
    )
    import h5py

    with h5py.File(path) as f:
        b1, b2 = f["node/nodes/a/bias"][()], f["node/nodes/b/bias"][()]
    network = read_nir(path, IF_CHOICES)
    x = RNG.integers(0, 2, (6, 1, 1))
    assert np.array_equal(arriving(network, {"i": x}, "o").reshape(-1), 2 * (w2 @ (s * (w1 @ x.reshape(-1)))))
    assert np.array_equal(network.population("o").neuron.bias, 2 * (w2 @ (s * b1) + b2))


def test_direct_and_scaled_connections(tmp_path):
    """Input to neurons without weights; a scale that differs within a channel; a flattening without weights."""
    s = weights(2, 2, 3) + 2
    path = write_nir(
        tmp_path / "n.nir",
        {
            "i": ("Input", {"shape": [2, 2, 3]}),
            "plain": ("IF", ones(2, 2, 3)),
            "s": ("Scale", {"scale": s}),
            "scaled": ("IF", ones(2, 2, 3)),
            "f": ("Flatten", {"start_dim": 0, "end_dim": -1}),
            "flat": ("IF", ones(12)),
        },
        [("i", "plain"), ("i", "s"), ("s", "scaled"), ("plain", "f"), ("f", "flat")],
    )
    network = read_nir(path, IF_CHOICES)
    x = RNG.integers(0, 2, (2, 2, 3))
    assert [p.kind for p in network.projections] == ["one_to_one", "sparse", "sparse"]
    assert np.array_equal(arriving(network, {"i": x}, "plain"), x)
    assert np.array_equal(arriving(network, {"i": x}, "scaled"), x * s)
    assert np.array_equal(arriving(network, {"plain": x}, "flat").reshape(-1), x.reshape(-1))


def test_lif_and_cuba_factors(tmp_path):
    lif = {"tau": [0.002, 0.002], "r": [2.0, 3.0], "v_leak": [0.5, 0.0], "v_threshold": [0.1, 0.2]}
    cuba = {"tau_syn": [0.0005], "tau_mem": [0.001], "r": [4.0], "v_leak": [0.0], "v_threshold": [1.0], "w_in": [2.0]}
    path = write_nir(
        tmp_path / "n.nir",
        {
            "i": ("Input", {"shape": [2]}),
            "a": ("LIF", lif),
            "w": ("Linear", {"weight": np.ones((1, 2))}),
            "b": ("CubaLIF", cuba),
        },
        [("i", "a"), ("a", "w"), ("w", "b")],
    )
    network = read_nir(path, LIF_CHOICES)
    a, b = network.population("a").neuron, network.population("b").neuron
    assert a.model == "lif" and a.decay_v.factor == pytest.approx(0.95)
    assert network.projections[0].weights == pytest.approx([0.05 * 2, 0.05 * 3])
    assert a.bias == pytest.approx([0.05 * 0.5, 0.0]) and a.threshold == pytest.approx([0.1, 0.2])
    assert (b.decay_u.factor, b.decay_v.factor) == (pytest.approx(0.8), pytest.approx(0.9))
    assert network.projections[1].weights == pytest.approx(np.full((1, 2), 0.1 * 4 * 0.2 * 2))
    exact = read_nir(path, {**LIF_CHOICES, "decay": "exact"})
    assert exact.population("a").neuron.decay_v.factor == pytest.approx(np.exp(-0.05))
    with pytest.raises(InputError, match="timestep is longer"):
        read_nir(path, {**LIF_CHOICES, "dt_ms": 1})


def test_recurrent_projections_take_a_timestep(tmp_path):
    path = write_nir(
        tmp_path / "n.nir",
        {
            "i": ("Input", {"shape": [2]}),
            "w": ("Linear", {"weight": weights(3, 2)}),
            "lif.1": ("IF", ones(3)),
            "rec": ("Linear", {"weight": weights(3, 3)}),
            "back": ("Linear", {"weight": weights(3, 2)}),
            "z": ("IF", ones(2)),
            "on": ("Linear", {"weight": weights(2, 3)}),
        },
        [
            ("rec", "lif.1"),
            ("i", "w"),
            ("w", "lif.1"),
            ("lif.1", "rec"),
            ("lif.1", "on"),
            ("on", "z"),
            ("z", "back"),
            ("back", "lif.1"),
        ],
    )
    delays = {p.name: p.delay for p in read_nir(path, IF_CHOICES).projections}
    assert delays == {"w": 0, "rec": 1, "back": 1, "on": 0}
    assert {p.delay for p in read_nir(path, {**IF_CHOICES, "delay": 2}).projections} == {2}


def test_nested_graphs_are_flattened(tmp_path):
    w = weights(3, 2)
    inner = {
        "nodes": {
            "in": ("Input", {"shape": [2]}),
            "w": ("Linear", {"weight": w}),
            "n": ("IF", ones(3)),
            "out": ("Output", {"shape": [3]}),
        },
        "edges": [("in", "w"), ("w", "n"), ("n", "out")],
    }
    path = write_nir(
        tmp_path / "n.nir",
        {
            "i": ("Input", {"shape": [2]}),
            "block": ("NIRGraph", inner),
            "last": ("IF", ones(3)),
            "o": ("Output", {"shape": [3]}),
        },
        [("i", "block"), ("block", "last"), ("last", "o")],
    )
    network = read_nir(path, IF_CHOICES)
    assert [(p.source, p.target) for p in network.projections] == [("i", "block.n"), ("block.n", "last")]
    assert np.array_equal(network.projections[0].weights, w)


def test_threshold_nodes_forget(tmp_path):
    path = write_nir(
        tmp_path / "n.nir",
        {
            "i": ("Input", {"shape": [2]}),
            "w": ("Linear", {"weight": weights(3, 2)}),
            "t": ("Threshold", {"threshold": [0.5, 0.5, 0.75]}),
        },
        [("i", "w"), ("w", "t")],
    )
    network = read_nir(path, {"output": "binary", "compare": "gt", "delay": 0})
    neuron = network.population("t").neuron
    assert not neuron.stateful and neuron.threshold.tolist() == [0.5, 0.5, 0.75] and neuron.compare == "gt"
