"""`info`: what is in any file, told from its content."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from simulator.errors import InputError
from simulator.hardware import load_hardware
from simulator.mapping.file import dump_mapping
from simulator.mapping.mapping import LayerMapping, Mapping
from simulator.network import Network, Neuron, Population, Projection
from simulator.network.file import write_network
from simulator.record_file import write_record
from simulator.report import write_run_directory
from simulator.report.info import describe, describe_file
from simulator.trace import MemorySpikes, Trace
from simulator.trace.file import write_trace
from tests.unit.small_record import hardware, small_record


def network() -> Network:
    return Network(
        "net",
        (Population("in", (1, 2, 3), Neuron("input")), Population("out", (4, 1, 1), Neuron())),
        (Projection("p", "in", "out", "linear", weights=np.eye(4, 6, dtype=np.int8)),),
    )


def trace() -> Trace:
    """Two samples of three timesteps: 4 input spikes, 2 output spikes."""
    spikes = {
        "in": MemorySpikes(np.array([[0, 2, 2, 3], [3, 4, 4, 4]], np.int64), np.array([0, 5, 1, 2], np.uint32)),
        "out": MemorySpikes(np.array([[0, 0, 1, 1], [1, 1, 2, 2]], np.int64), np.array([3, 0], np.uint32)),
    }
    return Trace("recording", network(), "step", np.array([3, 3], np.int64), spikes, labels=np.array([1, 1], np.int64))


def test_hardware(tmp_path: Path) -> None:
    (tmp_path / "chip.yaml").write_text(hardware().resolved_yaml())
    found = describe_file(str(tmp_path / "chip.yaml"))
    size = (tmp_path / "chip.yaml").stat().st_size
    assert (found["kind"], found["name"], found["bytes"]) == ("hardware", "small", size)
    assert found["clocks"] == {"core": "500 MHz (main)", "memory": "400 MHz"}
    assert found["units"]["core"] == "cmos_core" and found["memories"]["dram"] == "1 MiB"
    assert sum(found["constants_by_grade"].values()) == len(hardware().grades())


def test_network(tmp_path: Path) -> None:
    write_network(network(), tmp_path / "net.h5")
    found = describe_file(str(tmp_path / "net.h5"))
    assert (found["kind"], found["neurons"], found["weights"]) == ("network", 4, 24)
    assert found["connection_sparsity"] == round(20 / 24, 3)
    assert found["populations"] == {"in": "input, shape 1 x 2 x 3", "out": "if, shape 4 x 1 x 1"}
    assert found["projections"] == {"p": "linear in -> out, 8-bit weights"}


def test_trace(tmp_path: Path) -> None:
    write_trace(trace(), tmp_path / "trace.h5")
    found = describe_file(str(tmp_path / "trace.h5"))
    assert (found["kind"], found["samples"], found["spikes"], found["labels"]) == ("trace", 2, 6, 1)
    assert found["timesteps"] == {"longest": 3, "total": 6}
    assert found["populations"]["in"] == f"4 spikes, {100 * 4 / (6 * 6):.2f} % of neurons per step"
    assert found["complete"] is True


def test_trace_with_times() -> None:
    from simulator.trace import Events

    events = Events(np.array([0, 2], np.int64), np.array([5, 900], np.int64), np.array([0, 1], np.uint32))
    found = describe(replace(trace(), time_base="us", steps=np.array([1000], np.int64), populations={"in": events}))
    assert found["duration_us"] == {"longest": 1000, "total": 1000} and found["complete"] is False
    assert found["populations"] == {"in": "2 spikes, 6 neurons"}


def test_mapping(tmp_path: Path) -> None:
    mapping = Mapping("small", "net", "all", (LayerMapping("out", ("core",), 4, 1),), {"in": "chip"})
    dump_mapping(mapping, tmp_path / "m.yaml")
    found = describe_file(str(tmp_path / "m.yaml"))
    assert (found["kind"], found["network"], found["timesteps"]) == ("mapping", "net", "all")
    assert found["layers"]["out"].startswith("cores core; tiles of 4 channels x 1 rows; weights resident")


def test_record_and_run_directory(tmp_path: Path) -> None:
    write_record(small_record(), tmp_path / "r.h5")
    write_run_directory(small_record(), tmp_path / "out", ())
    found = describe_file(str(tmp_path / "r.h5"))
    assert (found["kind"], found["cycles"], found["energy"], found["intervals"]) == ("record", 100, "30.1 nJ", 8)
    assert found["units"]["core"] == "70.0 % busy"
    folder = describe_file(str(tmp_path / "out"))
    assert {k: v for k, v in folder.items() if k not in ("file", "bytes")} == {
        k: v for k, v in found.items() if k not in ("file", "bytes")
    }


def test_bundled_names_and_wrong_ones(tmp_path: Path) -> None:
    found = describe_file("event_core_28nm")
    assert found["hardware"]["sha256"] == load_hardware("event_core_28nm").sha256
    digits = describe_file("digits")
    assert set(digits) == {"bundled", "network", "trace"} and digits["trace"]["network"] == digits["network"]["name"]
    assert json.loads(json.dumps(digits)) == digits, "plain values only"
    with pytest.raises(InputError, match="did you mean 'event_core_28nm'"):
        describe_file("event_core_28")
    with pytest.raises(InputError, match="no such file"):
        describe_file(str(tmp_path / "none.h5"))
    (tmp_path / "x.h5").write_bytes(b"nothing")
    with pytest.raises(InputError):
        describe_file(str(tmp_path / "x.h5"))
