"""Dense tensors: every layout gives the same spikes; numpy files."""

from itertools import permutations

import numpy as np
import pytest

from simulator import load_trace
from simulator.errors import InputError
from simulator.network import Network, Neuron, Population
from simulator.trace.arrays import trace_from_arrays

RNG = np.random.Generator(np.random.PCG64(3))
DENSE = RNG.integers(0, 3, (2, 5, 3, 4, 2)) * RNG.integers(0, 2, (2, 5, 3, 4, 2))  # B, T, C, H, W


def spikes(trace, name="x"):
    """{(sample, step, flat index): value}."""
    found = {}
    for sample in range(trace.samples):
        block = trace.spikes(name).block(sample, 0, int(trace.steps[sample]))
        for t in range(int(trace.steps[sample])):
            index, value = block.step(t)
            found |= {(sample, t, int(i)): 1 if value is None else int(value[k]) for k, i in enumerate(index)}
    return found


EXPECTED = {
    (b, t, (y * 2 + x) * 3 + c): int(DENSE[b, t, c, y, x]) for b, t, c, y, x in zip(*np.nonzero(DENSE), strict=True)
}


@pytest.mark.parametrize("order", list(permutations(range(5)))[::7])
def test_every_order_of_axes_gives_the_same_spikes(order):
    layout = "".join("BTCHW"[i] for i in order)
    trace = trace_from_arrays({"x": DENSE.transpose(order)}, layout)
    assert spikes(trace) == EXPECTED and trace.network.population("x").shape == (3, 4, 2)


def test_flat_neurons_count_in_c_order():
    network = Network("n", (Population("x", (3, 4, 2), Neuron("input")),), ())
    for layout, array in (("BTN", DENSE.reshape(2, 5, 24)), ("TNB", DENSE.reshape(2, 5, 24).transpose(1, 2, 0))):
        assert spikes(trace_from_arrays({"x": array}, layout, network=network)) == EXPECTED
    assert trace_from_arrays({"x": DENSE[0].reshape(5, 24)}, "tn").network.population("x").shape == (24, 1, 1)
    assert spikes(trace_from_arrays({"x": DENSE}, "btpyx")) == EXPECTED


def test_types_and_values():
    flags = DENSE > 0
    trace = trace_from_arrays({"x": flags}, "BTCHW", labels=np.array([4, 5]))
    assert trace.spikes("x").value is None and trace.labels.tolist() == [4, 5] and set(spikes(trace)) == set(EXPECTED)
    assert spikes(trace_from_arrays({"x": -DENSE.astype(np.float32)}, "BTCHW")) == {k: -v for k, v in EXPECTED.items()}


@pytest.mark.parametrize(
    ("arrays", "layout", "message"),
    [
        ({}, "TN", "no arrays"),
        ({"x": np.zeros((2, 3))}, "TNB", "one letter for each of the 2 axes"),
        ({"x": np.zeros((2, 3))}, "NC", "unknown layout"),
        ({"x": np.zeros((2, 3))}, "TT", "unknown layout"),
        ({"x": np.zeros((2, 3))}, "TQ", "unknown layout"),
        ({"x": np.zeros((2, 3, 3))}, "TNC", "unknown layout"),
        ({"x": np.zeros((2, 3)), "y": np.zeros((3, 3))}, "TN", "differ in samples or timesteps"),
        ({"x": np.full((2, 3), 0.5)}, "TN", "whole numbers"),
        ({"x": np.full((2, 3), np.nan)}, "TN", "whole numbers"),
        ({"x": np.full((2, 3), np.inf)}, "TN", "whole numbers"),
        ({"x": np.full((2, 3), 2**40)}, "TN", "too large"),
        ({"x": np.array([["a"]])}, "TN", "must be numbers"),
    ],
)
def test_refusals(arrays, layout, message):
    with pytest.raises(InputError, match=message):
        trace_from_arrays(arrays, layout)


def test_numpy_files(tmp_path):
    network = Network(
        "n", (Population("x", (3, 4, 2), Neuron("input")), Population("y", (6, 1, 1), Neuron("input"))), ()
    )
    other = RNG.integers(0, 2, (2, 5, 6)).astype(np.uint8)
    path = tmp_path / "d.npz"
    np.savez(path, x=DENSE, y=np.packbits(other), y__shape=np.array(other.shape), labels=np.array([1, 0]))
    trace = load_trace(path, network, {"layout": "BTCHW|BTN"})
    assert spikes(trace) == EXPECTED and trace.labels.tolist() == [1, 0]
    assert trace.spikes("y").count == int(other.sum())
    assert list(load_trace(path, network, {"layout": "BTN", "population": "y"}).populations) == ["y"]
    np.save(tmp_path / "x.npy", DENSE)
    assert spikes(load_trace(tmp_path / "x.npy", network, {"layout": "BTCHW", "population": "x"})) == EXPECTED
    assert spikes(load_trace(tmp_path / "x.npy", None, {"layout": "BTCHW"}), "input") == EXPECTED
    for call, message in (
        (lambda: load_trace(path, network, {}), "does not say layout"),
        (
            lambda: load_trace(path, network, {"layout": "BTCHW|BTN", "rounding": "floor"}),
            "unknown import choice for this file",
        ),
        (lambda: load_trace(path, network, {"layout": "BTN", "population": "z"}), "unknown array"),
        (lambda: load_trace(tmp_path / "x.npy", network, {"layout": "BTCHW"}), "several inputs"),
        (
            lambda: load_trace(path, Network("m", network.populations[:1], ()), {"layout": "BTCHW|BTN"}),
            "unknown population; found 'y'",
        ),
    ):
        with pytest.raises(InputError, match=message):
            call()
    np.savez(path, y=np.packbits(other), y__shape=np.array([2, 5, 600]))
    with pytest.raises(InputError, match="do not fit their shape"):
        load_trace(path, network, {"layout": "BTN"})


@pytest.mark.parametrize("names", [("t", "x", "y", "p"), ("x", "y", "p", "t"), ("timestamp", "y", "x", "on")])
def test_structured_events_by_field_name(tmp_path, names):
    values = {"t": 7, "x": 2, "y": 3, "p": 1, "timestamp": 7, "on": 1}
    np.save(
        tmp_path / "e.npy",
        np.array([tuple(values[n] for n in names)], [(n, "<i8" if values[n] == 7 else "<u2") for n in names]),
    )
    choices = {"time_base": "us", "origin": "zero", "polarity": "off_on", "width": 5, "height": 6}
    events = load_trace(tmp_path / "e.npy", None, choices).events("input")
    assert events.time.tolist() == [7] and events.index.tolist() == [(3 * 5 + 2) * 2 + 1]


@pytest.mark.parametrize(
    ("dtype", "row", "message"),
    [
        ([("t", "i8"), ("x", "i2"), ("y", "i2")], (1, 2, 3), "no field for polarity"),
        ([("t", "f8"), ("x", "i2"), ("y", "i2"), ("p", "i1")], (1, 2, 3, 1), "whole number"),
        ([("t", "i8"), ("x", "i2"), ("y", "i2"), ("p", "i1")], (1, -2, 3, 1), "x out of range"),
        ([("t", "i8"), ("x", "i2"), ("y", "i2"), ("p", "i1")], (1, 2, 3, 2), "polarity out of range"),
    ],
)
def test_structured_events_refusals(tmp_path, dtype, row, message):
    np.save(tmp_path / "e.npy", np.array([row], dtype))
    with pytest.raises(InputError, match=message):
        load_trace(
            tmp_path / "e.npy",
            None,
            {"time_base": "us", "origin": "zero", "polarity": "off_on", "width": 5, "height": 6},
        )
