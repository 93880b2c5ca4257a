"""The readers against recordings and networks from outside: counts that were established independently."""

from __future__ import annotations

import csv
from pathlib import Path

import h5py
import numpy as np
import pytest

from simulator import load_network, load_trace
from simulator.trace import Trace, check_trace, read_trace, write_trace
from simulator.trace.dat import read_dat
from simulator.trace.event_stream import read_event_stream
from simulator.trace.evt2 import read_evt2
from simulator.trace.nmnist import read_nmnist, write_nmnist
from simulator.trace.sonata import read_sonata

pytestmark = pytest.mark.external

ROUND_OR = {
    "time_base": "step",
    "dt_ms": 1,
    "rounding": "round",
    "multiple": "or",
    "polarity": "off_on",
    "origin": "zero",
    "steps": 300,
}
FLOOR_SUM = {
    "time_base": "step",
    "dt_ms": 1,
    "rounding": "floor",
    "multiple": "sum",
    "polarity": "off_on",
    "origin": "first",
    "steps": 320,
}
SINABS = {"reset": "subtract", "floor": "minus_threshold", "output": "multi", "compare": "ge", "delay": 0}


def value_sum(trace: Trace, name: str = "input") -> int:
    spikes = trace.spikes(name)
    return spikes.count if spikes.value is None else int(spikes.value.sum())


@pytest.mark.parametrize(
    ("part", "samples", "binned", "events"), [("test", 60, 220_733, 222_764), ("train", 200, 810_071, 813_393)]
)
def test_nmnist_in_both_conventions(data_dir: Path, part: str, samples: int, binned: int, events: int) -> None:
    folder = data_dir / "nmnist" / part
    trace = load_trace(folder, None, ROUND_OR)
    check_trace(trace)
    assert trace.samples == samples and trace.spikes("input").count == binned
    assert value_sum(load_trace(folder, None, FLOOR_SUM)) == events
    with open(data_dir / "nmnist" / f"labels_{part}.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert trace.labels.tolist() == [int(r["label"]) for r in rows]
    times = load_trace(folder, None, {"time_base": "us", "polarity": "off_on", "origin": "zero"}).events("input")
    first, last = times.time[times.sample_start[:-1]], times.time[times.sample_start[1:] - 1]
    assert np.diff(times.sample_start).tolist() == [int(r["n_events"]) for r in rows]
    assert first.tolist() == [int(r["t_first_us"]) for r in rows] and last.tolist() == [
        int(r["t_last_us"]) for r in rows
    ]
    on = np.add.reduceat((times.index & 1).astype(np.int64), times.sample_start[:-1])
    assert on.tolist() == [int(r["n_on"]) for r in rows]


def test_nmnist_is_written_back_byte_for_byte(data_dir: Path, tmp_path: Path) -> None:
    source = data_dir / "nmnist" / "test" / "60001.bs2"
    write_nmnist(read_nmnist(source), tmp_path / "a.bin")
    assert (tmp_path / "a.bin").read_bytes() == source.read_bytes()


@pytest.mark.parametrize(
    ("name", "read", "count", "on", "first", "last", "distinct", "most", "size"),
    [
        ("dvs.es", read_event_stream, 473_225, 270_001, 0, 999_000, 1_000, 76_785, (320, 240)),
        ("evt2.raw", read_evt2, 521_252, 185_861, 913_716_224, 913_812_095, 79_493, 30, (640, 480)),
        ("sample_nmnist.bin", read_nmnist, 4_325, 2_145, 654, 311_175, 4_255, 2, (34, 34)),
        ("sample_ncars.dat", read_dat, 2_009, 1_350, 0, 99_952, 1_830, 4, (78, 42)),
    ],
)
def test_camera_files(data_dir, name, read, count, on, first, last, distinct, most, size) -> None:
    events = read(data_dir / "events" / name)
    times, per_time = np.unique(events.time, return_counts=True)
    assert (events.time.size, int(events.polarity.sum()), times[0], times[-1]) == (count, on, first, last)
    assert (times.size, per_time.max()) == (distinct, most)
    assert (int(events.x.max()) + 1, int(events.y.max()) + 1) == size


@pytest.mark.parametrize(
    ("name", "count", "distinct", "largest", "first_us", "last_us"),
    [
        ("v1_output_spikes.h5", 4_322, 273, 299, 566_942, 2_989_119),
        ("lgn_spikes_old_layout.h5", 2_738, 90, 89, 1_176, 2_998_693),
    ],
)
def test_sonata_files(data_dir, name, count, distinct, largest, first_us, last_us) -> None:
    events = read_sonata(data_dir / "sonata" / name)
    assert (events.time.size, np.unique(events.unit).size, int(events.unit.max())) == (count, distinct, largest)
    assert (int(events.time[0]), int(events.time[-1])) == (first_us, last_us)


def test_scnn_by_shape_and_by_integer_form(data_dir: Path) -> None:
    network = load_network(data_dir / "nets" / "cnn_sinabs.nir", SINABS)
    assert [(p.name, p.size) for p in network.populations] == [
        ("input", 2312),
        ("1", 4096),
        ("3", 4096),
        ("6", 512),
        ("10", 256),
        ("12", 10),
    ]
    pooled = {p.name: p.pool.kind for p in network.projections if p.pool is not None}
    assert pooled == {"5": "sum", "9": "sum"}
    first = load_network(data_dir / "nets" / "cnn_sinabs.nir", {**SINABS, "quantise": "int8", "until": "1"})
    weights, neuron = first.projections[0].weights, first.population("1").neuron
    assert (int(weights.min()), int(weights.max()), neuron.threshold.tolist(), neuron.floor.tolist()) == (
        -128,
        37,
        [72],
        [-72],
    )
    with h5py.File(data_dir / "nets" / "cnn_sinabs.nir") as file:
        stored = file["node/nodes/0/weight"][()].astype(np.float64)
    assert 128 / -stored.min() == pytest.approx(71.5369, abs=5e-5)
    assert np.array_equal(weights, np.rint(stored * (128 / -stored.min())))


def test_recurrent_and_single_neuron_nets(data_dir: Path) -> None:
    choices = {
        "reset": "subtract",
        "floor": "none",
        "output": "binary",
        "compare": "gt",
        "delay": 0,
        "dt_ms": "0.1",
        "decay": "euler",
    }
    braille = load_network(data_dir / "nets" / "braille_noDelay_noBias_subtract.nir", choices)
    assert [p.size for p in braille.populations] == [12, 40, 7]
    assert {(p.source, p.target): p.delay for p in braille.projections} == {
        ("input", "lif1.lif"): 0,
        ("lif1.lif", "lif1.lif"): 1,
        ("lif1.lif", "lif2"): 0,
    }
    single = load_network(data_dir / "nets" / "lif_norse.nir", {**choices, "reset": "zero"})
    assert single.projections[0].weights.item() == pytest.approx(0.04)
    assert single.population("1").neuron.decay_v.factor == pytest.approx(0.96)


PILOTNET = {
    "input": 843_085,
    "conv0": 166_897,
    "conv1": 63_672,
    "conv2": 23_247,
    "conv3": 14_567,
    "conv4": 6_770,
    "fc0": 226,
    "fc1": 49,
    "fc2": 8,
}


def test_pilotnet_spikes_fit_its_network(data_dir: Path, tmp_path: Path) -> None:
    network = load_network(data_dir / "nets" / "pilotnet_lif.net", {"delay": 1, "reset_steps": "0,17", "until": "fc2"})
    assert {p.name: p.shape for p in network.populations if p.name.startswith("conv")} == {
        "conv0": (24, 32, 99),
        "conv1": (36, 15, 49),
        "conv2": (48, 7, 24),
        "conv3": (64, 4, 22),
        "conv4": (64, 2, 20),
    }
    choices = {"layout": "WHCT|NT", "population": ",".join(PILOTNET)}
    trace = load_trace(data_dir / "layer_traces" / "pilotnet_lif_spikes.npz", network, choices)
    assert trace.complete and {name: spikes.count for name, spikes in trace.populations.items()} == PILOTNET
    write_trace(trace, tmp_path / "p.h5")
    assert read_trace(tmp_path / "p.h5").sha256 == trace.sha256


def test_prosperity_densities(data_dir: Path) -> None:
    with open(data_dir / "layer_traces" / "prosperity_layers.csv", newline="") as file:
        rows = [r for r in csv.DictReader(file) if r["is_spike_tensor"] == "1"]
    for name in sorted({r["file"] for r in rows}):
        wanted = {r["layer"]: int(r["nonzero"]) for r in rows if r["file"] == name}
        choices = {"layout": "TCHW|TN", "population": ",".join(wanted)}
        trace = load_trace(data_dir / "layer_traces" / name, None, choices)
        assert {layer: spikes.count for layer, spikes in trace.populations.items()} == wanted
