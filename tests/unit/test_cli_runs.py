"""Runs from the command line: what is printed, what is written, and that both say the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from simulator import load_hardware, load_record, load_trace, simulate
from simulator.cli import run_command
from simulator.trace.file import write_trace
from tests.unit.small_digits import small_trace, write_small_trace

Capture = pytest.CaptureFixture[str]
RUN_FILES = {"summary.json", "record.h5", "layers.csv", "config.resolved.yaml", "timeline.png", "timeline.svg"}


@pytest.fixture(scope="module")
def trace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with one sample of the bundled trace."""
    return write_small_trace(tmp_path_factory.mktemp("trace") / "one.h5")


def result(capsys: Capture, *argv: str) -> dict[str, Any]:
    """The one JSON object a command prints."""
    assert run_command([*argv, "--json"]) == 0
    out, err = capsys.readouterr()
    assert err == "", "progress is for terminals"
    assert out.count("\n") == 1
    found = json.loads(out)
    assert isinstance(found, dict)
    return found


def test_replay_prints_writes_and_returns_the_same(capsys: Capture, trace: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    printed = result(capsys, "replay", str(trace), "--hw", "event_core_28nm", "--timeline", "-o", str(out))
    assert printed["schema"] == "neurocycle.summary/1"
    assert RUN_FILES <= {p.name for p in out.iterdir()}
    assert json.loads((out / "summary.json").read_text(encoding="utf-8")) == printed
    spikes = load_trace(trace)
    called = simulate(load_hardware("event_core_28nm"), spikes.network, spikes, timeline=True)
    assert json.loads(json.dumps(called.summary())) == printed
    assert json.loads(json.dumps(load_record(out / "record.h5").summary())) == printed
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_resolved_config_runs_again(capsys: Capture, trace: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    options = ("--hw", "event_core_28nm", "--set", "core.scatter.lanes=16", "-o", str(out))
    first = result(capsys, "replay", str(trace), *options)
    assert first == result(capsys, "replay", str(trace), "--hw", str(out / "config.resolved.yaml"))
    plain = result(capsys, "replay", str(trace), "--hw", "event_core_28nm")
    assert first["latency"] != plain["latency"]
    assert first["hardware"] != plain["hardware"]


def test_activity_and_engine(capsys: Capture, trace: Path) -> None:
    spikes = result(capsys, "replay", str(trace), "--hw", "sia_pynqz2")
    dense = result(capsys, "replay", str(trace), "--hw", "sia_pynqz2", "--activity", "dense")
    assert dense["work"]["input_spikes"] == 64 * 8, "every input fires in every timestep"
    assert dense["work"]["synaptic_operations"] > spikes["work"]["synaptic_operations"]
    assert dense["latency"]["cycles"] > spikes["latency"]["cycles"]
    plain = result(capsys, "replay", str(trace), "--hw", "sia_pynqz2", "--engine", "reference")
    assert plain.pop("engine") == "reference" and spikes.pop("engine") == "kernel"
    assert plain == spikes


def test_run_makes_the_spikes_that_replay_reads(capsys: Capture, trace: Path, tmp_path: Path) -> None:
    replayed = result(capsys, "replay", str(trace), "--network", "digits", "--hw", "event_core_28nm")
    inputs = write_small_trace(tmp_path / "inputs.h5", names=["input"])
    for given in (inputs, trace):
        ran = result(capsys, "run", "digits", str(given), "--hw", "event_core_28nm")
        for part in ("latency", "work", "energy_pj", "movement_bits", "utilization"):
            assert ran[part] == replayed[part]
    assert run_command(["replay", str(inputs), "--hw", "event_core_28nm"]) == 2
    message = capsys.readouterr().err
    assert "cannot be replayed" in message and "conv1" in message and "neurocycle run" in message


def test_run_refuses_recorded_spikes_that_differ(capsys: Capture, tmp_path: Path) -> None:
    changed = small_trace()
    index = changed.populations["fc1"].index
    index[0] = min(set(range(64)) - set(index.tolist()))
    path = tmp_path / "changed.h5"
    write_trace(changed, path)
    assert run_command(["run", "digits", str(path), "--hw", "event_core_28nm"]) == 2
    message = capsys.readouterr().err
    assert "population fc1, sample 0" in message


def test_tables_name_layers_and_units(capsys: Capture, trace: Path) -> None:
    assert run_command(["replay", str(trace), "--hw", "event_core_28nm"]) == 0
    out = capsys.readouterr().out
    for name in ("conv1", "fc1", "dram", "core", "unattributed"):
        assert name in out
    assert max(len(line) for line in out.splitlines()) <= 120


def test_plot_and_info_of_a_run(capsys: Capture, trace: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result(capsys, "replay", str(trace), "--hw", "sia_pynqz2", "-o", str(out))
    drawn = result(capsys, "plot", str(out), "--what", "energy", "-o", str(tmp_path / "pictures"))
    assert drawn["schema"] == "neurocycle.plot/1"
    assert [Path(name).name for name in drawn["files"]] == ["energy.png", "energy.svg"]
    assert all(Path(name).stat().st_size > 1000 for name in drawn["files"])
    for name, kind in ((out, "record"), (out / "record.h5", "record"), (trace, "trace"),
                       (out / "config.resolved.yaml", "hardware")):
        described = result(capsys, "info", str(name))
        assert described["schema"] == "neurocycle.info/1"
        assert described["kind"] == kind
    assert set(result(capsys, "info", "digits")) >= {"trace", "network"}
    assert result(capsys, "info", "sia_pynqz2")["hardware"]["labels"] == ["reconstruction"]
    assert run_command(["info", "digits"]) == 0
    assert "conv1" in capsys.readouterr().out
