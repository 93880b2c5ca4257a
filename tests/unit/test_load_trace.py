"""load_trace and load_network: what goes to which reader, what fits which network."""

import struct

import h5py
import numpy as np
import pytest

from simulator import load_network, load_trace
from simulator.errors import InputError
from simulator.network import Network, Neuron, Population, Projection, write_network
from simulator.trace import Events, write_trace
from simulator.trace.events import CameraEvents, UnitEvents
from simulator.trace.nmnist import write_nmnist
from simulator.trace.sonata import read_sonata, write_sonata
from simulator.trace.synthetic import bernoulli_trace
from tests.unit.nir_writer import ones, write_nir

STEPS = {
    "time_base": "step",
    "dt_us": 1000,
    "rounding": "floor",
    "multiple": "sum",
    "polarity": "off_on",
    "origin": "zero",
    "steps": 5,
}
TIMES = {"time_base": "us", "polarity": "off_on", "origin": "first"}


def network(shape=(2, 34, 34), name="n"):
    size = shape[0] * shape[1] * shape[2]
    return Network(
        name,
        (Population("in", shape, Neuron("input")), Population("out", (3, 1, 1), Neuron())),
        (Projection("fc", "in", "out", "linear", weights=np.ones((3, size), np.int8)),),
    )


def recording(path, times=(100, 900, 950, 3000)):
    n = len(times)
    events = CameraEvents(
        path,
        np.array(times),
        np.arange(n, dtype=np.uint16) // 2,
        np.full(n, 7, np.uint16),
        np.arange(n).astype(np.uint8) % 2,
    )
    write_nmnist(events, path)
    return path


def test_a_recording_by_timesteps_and_by_times(tmp_path):
    path = recording(tmp_path / "a.bin", (100, 900, 950, 3000, 9000))
    trace = load_trace(path, network(), STEPS)
    block = trace.spikes("in").block(0, 0, 5)
    assert np.diff(block.start).tolist() == [3, 0, 0, 1, 0] and trace.time_base == "step"
    assert block.index.tolist() == [2 * 7 * 34, 2 * 7 * 34 + 1, 2 * (7 * 34 + 1), 2 * (7 * 34 + 1) + 1]
    assert "1 events outside" in trace.source
    times = load_trace(path, network(), TIMES)
    assert times.events("in").time.tolist() == [0, 800, 850, 2900, 8900] and times.steps.tolist() == [8901]
    alone = load_trace(path, None, STEPS)
    assert alone.network.population("input").shape == (2, 34, 34)
    merged = load_trace(path, None, {**STEPS, "polarity": "merged"})
    assert merged.spikes("input").block(0, 0, 1).value.tolist() == [2, 1]


def test_a_folder_is_a_set_of_samples(tmp_path):
    folder = tmp_path / "set"
    folder.mkdir()
    recording(folder / "2.bin", (100,))
    recording(folder / "1.bin", (100, 4000))
    (tmp_path / "labels_set.csv").write_text("file,label\n2.bin,5\n1.bin,6\n")
    trace = load_trace(folder, None, {**STEPS, "steps": "all"})
    assert trace.labels.tolist() == [5, 6] and trace.steps.tolist() == [1, 5] and trace.spikes("input").count == 3
    events = load_trace(folder, None, TIMES).events("input")
    assert events.sample_start.tolist() == [0, 1, 3] and isinstance(events, Events)


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({}, "does not say time_base, origin, polarity, dt_us, rounding, multiple and steps"),
        ({**STEPS, "steps": 0}, "whole number"),
        ({k: v for k, v in STEPS.items() if k != "multiple"}, r"does not say multiple.*or \| sum"),
        ({**STEPS, "rounding": "nearest"}, "rounding.*round"),
        ({**TIMES, "rounding": "floor"}, "unknown import choice for this file; found 'rounding'"),
        ({**TIMES, "polarty": "off_on"}, "did you mean 'polarity'"),
        ({**TIMES, "width": 3}, "network says the size"),
        ({**TIMES, "population": "out"}, "unknown input population"),
    ],
)
def test_choices_are_needed_and_checked(tmp_path, choices, message):
    path = recording(tmp_path / "a.bin")
    with pytest.raises(InputError, match=message) as caught:
        load_trace(path, network(), choices)
    assert str(path) in str(caught.value)


def test_sensor_and_network_must_agree(tmp_path):
    path = recording(tmp_path / "a.bin")
    with pytest.raises(InputError, match="sensor's size"):
        load_trace(path, network((2, 32, 34)), TIMES)
    with pytest.raises(InputError, match=r"given.*says this itself|says this itself"):
        load_trace(path, None, {**TIMES, "width": 34})
    raw = tmp_path / "a.raw"
    raw.write_bytes(b"% evt 2.0\n" + struct.pack("<2I", 8 << 28, 1 << 28 | 5 << 11 | 4))
    with pytest.raises(InputError, match="does not say width and height"):
        load_trace(raw, None, TIMES)
    sized = load_trace(raw, None, {**TIMES, "width": 640, "height": 480})
    assert sized.network.population("input").shape == (2, 480, 640)
    assert load_trace(raw, network(), TIMES).events("in").index.tolist() == [(4 * 34 + 5) * 2 + 1]


def test_the_sidecar_is_read_where_no_choices_are_given(tmp_path):
    path = recording(tmp_path / "a.bin")
    sidecar = tmp_path / "a.bin.import.yaml"
    sidecar.write_text("time_base: us\npolarity: off_on\norigin: first\nreset: zero\n")
    assert load_trace(path, network()).time_base == "us"
    with pytest.raises(InputError, match="does not say time_base"):
        load_trace(path, network(), {})
    sidecar.write_text("time_bas: us\n")
    with pytest.raises(InputError, match="did you mean 'time_base'"):
        load_trace(path, network())


def test_decreasing_times_need_timesteps(tmp_path):
    path = recording(tmp_path / "a.bin", (500, 100))
    with pytest.raises(InputError, match="only time_base = step"):
        load_trace(path, None, TIMES)
    assert load_trace(path, None, {**STEPS, "origin": "first"}).spikes("input").count == 2


def test_native_files_and_names(tmp_path):
    net = network((2, 3, 3))
    write_network(net, tmp_path / "n.h5")
    write_trace(bernoulli_trace(net, 4, 0.5), tmp_path / "t.h5")
    assert load_network(tmp_path / "n.h5").sha256 == net.sha256
    assert load_trace(tmp_path / "t.h5", net).complete
    assert load_trace(tmp_path / "t.h5", net, {"dt_us": 5, "reset": "zero"}).complete
    for call, message in (
        (lambda: load_network(tmp_path / "t.h5"), "this file is no network"),
        (lambda: load_trace(tmp_path / "n.h5"), "no trace that is known"),
        (lambda: load_trace(tmp_path / "t.h5", None, {"rounding": "floor"}), "leaves nothing open"),
        (lambda: load_network(tmp_path / "n.h5", {"reset": "zero"}), "leaves nothing open"),
        (lambda: load_network(tmp_path / "absent.h5"), "no such file"),
        (lambda: load_trace(tmp_path / "absent.h5"), "no such file"),
        (lambda: load_network("vgg12"), "did you mean 'vgg11'"),
        (lambda: load_network(tmp_path), "a folder is no network"),
        (lambda: load_trace("nothing-like-this"), "unknown trace"),
    ):
        with pytest.raises(InputError, match=message):
            call()
    (tmp_path / "x.txt").write_text("x")
    with pytest.raises(InputError, match="not a network file"):
        load_network(tmp_path / "x.txt")
    with pytest.raises(InputError, match="not a trace file"):
        load_trace(tmp_path / "x.txt")


def test_traces_that_do_not_fit_are_refused_by_population(tmp_path):
    write_trace(bernoulli_trace(network((2, 3, 3)), 4, 0.5), tmp_path / "t.h5")
    with pytest.raises(InputError, match=r"population in.*\(2, 3, 3\).*\(2, 4, 3\)"):
        load_trace(tmp_path / "t.h5", network((2, 4, 3)))
    other = Network("o", (Population("in", (2, 3, 3), Neuron("input")),), ())
    with pytest.raises(InputError, match="does not belong to this network; found 'out'"):
        load_trace(tmp_path / "t.h5", other)


def test_built_in_networks_take_choices():
    assert load_network("vgg11", {"classes": "100"}).population("fc").shape == (100, 1, 1)
    assert load_network("resnet18").sha256 == load_network("resnet18", {"seed": "none", "dt_us": 3}).sha256
    assert load_network("vgg11", {"seed": "7"}).has_weights
    with pytest.raises(InputError, match="unknown import choice for this file"):
        load_network("vgg11", {"reset": "zero"})


def test_nir_goes_to_its_reader(tmp_path):
    path = write_nir(tmp_path / "n.h5", {"i": ("Input", {"shape": [2]}), "o": ("IF", ones(2))}, [("i", "o")])
    choices = {"reset": "zero", "floor": "none", "output": "binary", "compare": "ge", "delay": 0, **STEPS}
    assert load_network(path, choices).population("o").neuron.reset == "zero"
    with h5py.File(tmp_path / "x.h5", "w") as f:
        f["something"] = 1
    with pytest.raises(InputError, match="no network that is known"):
        load_network(tmp_path / "x.h5")


UNITS = {"time_base": "us", "origin": "zero"}


def sonata(path, group, ids, times=(1.5, 0.25, 0.25), units=None, sorting="by_time"):
    with h5py.File(path, "w") as f:
        g = f.create_group(group)
        g.attrs["sorting"] = sorting
        g["timestamps"] = np.array(times)
        g[ids] = np.array([3, 2, 0], np.uint64)[: len(times)]
        if units:
            g["timestamps"].attrs["units"] = units
    return path


@pytest.mark.parametrize(
    ("group", "ids", "units", "scale"),
    [("spikes/v1", "node_ids", None, 1000), ("spikes", "gids", "ms", 1000), ("spikes/v1", "node_ids", b"s", 10**6)],
)
def test_sonata_layouts(tmp_path, group, ids, units, scale):
    sorting = np.array(2, h5py.enum_dtype({"none": 0, "by_id": 1, "by_time": 2}, "u1")) if units is None else "by_gid"
    path = sonata(tmp_path / "s.h5", group, ids, units=units, sorting=sorting)
    events = load_trace(path, None, {**UNITS, "neurons": 4}).events("input")
    assert events.time.tolist() == [scale // 4, scale // 4, scale * 3 // 2] and events.index.tolist() == [0, 2, 3]
    assert load_trace(path, network((4, 1, 1)), UNITS).events("in").count == 3


def test_sonata_refusals_and_round_trip(tmp_path):
    path = sonata(tmp_path / "s.h5", "spikes/v1", "node_ids", times=(0.0001, 0.2, 0.3))
    with pytest.raises(InputError, match="no whole microseconds"):
        load_trace(path, None, {**UNITS, "neurons": 4})
    rounded = load_trace(path, None, {**UNITS, "neurons": 4, "sub_us": "round"}).events("input")
    assert rounded.time.tolist() == [0, 200, 300]
    for change, message in (
        ({"times": (np.nan, 1, 2)}, "finite"),
        ({"times": (-1.0, 1, 2)}, "not negative"),
        ({"units": "years"}, "unknown unit"),
    ):
        with pytest.raises(InputError, match=message):
            load_trace(sonata(tmp_path / "b.h5", "spikes/v1", "node_ids", **change), None, {**UNITS, "neurons": 4})
    with pytest.raises(InputError, match="outside the population"):
        load_trace(sonata(tmp_path / "c.h5", "spikes/v1", "node_ids"), None, {**UNITS, "neurons": 3})
    with pytest.raises(InputError, match="does not say neurons"):
        load_trace(tmp_path / "c.h5", None, UNITS)
    with h5py.File(tmp_path / "c.h5", "a") as f:
        f.copy("spikes/v1", "spikes/v2")
    with pytest.raises(InputError, match="several populations"):
        load_trace(tmp_path / "c.h5", None, {**UNITS, "neurons": 4})
    assert load_trace(tmp_path / "c.h5", None, {**UNITS, "neurons": 4, "population": "v2"}).events("v2").count == 3
    units = UnitEvents(tmp_path, np.array([5, 1]), np.array([0, 7]))
    write_sonata(units, tmp_path / "w.h5", "mine")
    back = read_sonata(tmp_path / "w.h5")
    assert back.time.tolist() == [1, 5] and back.unit.tolist() == [7, 0]
