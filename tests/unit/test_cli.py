"""The command line: exit codes, one message per mistake, one JSON object per result."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from simulator import cli
from simulator.cli import run_command
from tests.unit.source_tree import ROOT

Capture = pytest.CaptureFixture[str]


def refused(capsys: Capture, *argv: str, code: int = 2) -> str:
    """The one message with which a command line is refused; nothing else may be written."""
    assert run_command(argv) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("neurocycle: ")
    assert err.count("\n") == 1, err
    assert "Traceback" not in err
    return err


@pytest.mark.parametrize(
    ("argv", "parts"),
    [
        (["lst"], ["No such command 'lst'", "'list'", "neurocycle --help"]),
        (["replay"], ["Missing argument 'TRACE'", "neurocycle replay --help"]),
        (["replay", "digits"], ["Missing option '--hw'"]),
        (["replay", "digits", "--hv", "x"], ["No such option '--hv'", "'--hw'"]),
        (["replay", "digits", "--hw", "x", "--engine", "fast"], ["'fast'", "'kernel', 'reference'"]),
        (["replay", "digits", "--hw", "x", "--activity", "all"], ["'all'", "'dense', 'spikes'"]),
        (["replay", "digits", "--hw", "x", "--seed", "soon"], ["'soon' is not a valid integer"]),
        (["run", "net"], ["Missing argument 'INPUT'"]),
        (["schema", "hardwear"], ["unknown kind of YAML file", "did you mean 'hardware'"]),
        (["plot", "nowhere", "--what", "timelin"], ["--what", "did you mean 'timeline'"]),
    ],
)
def test_wrong_command_line(capsys: Capture, argv: list[str], parts: list[str]) -> None:
    message = refused(capsys, *argv)
    for part in parts:
        assert part in message


def test_no_command_shows_help(capsys: Capture) -> None:
    assert run_command([]) == 2
    assert "replay" in capsys.readouterr().err


@pytest.mark.parametrize(
    "command", ["demo", "replay", "run", "info", "plot", "list", "schema", "validate", "calibrate"]
)
def test_every_command_has_help(capsys: Capture, command: str) -> None:
    assert run_command([command, "--help"]) == 0
    assert f"Usage: neurocycle {command}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("argv", "parts"),
    [
        (["replay", "digits", "--hw", "event_core_28mn"], ["'event_core_28mn'", "did you mean 'event_core_28nm'"]),
        (["replay", "digitz", "--hw", "sia_pynqz2"], ["'digitz'", "did you mean 'digits'"]),
        (["replay", "nowhere/x.h5", "--hw", "sia_pynqz2"], ["nowhere/x.h5"]),
        (["replay", "digits", "--hw", "nowhere/x.yaml"], ["nowhere/x.yaml"]),
        (["replay", "digits", "--hw", "sia_pynqz2", "--mapping", "nowhere/m.yaml"], ["nowhere/m.yaml"]),
        (["replay", "digits", "--hw", "sia_pynqz2", "--network", "nowhere/n.h5"], ["nowhere/n.h5"]),
        (["run", "nowhere/n.nir", "digits", "--hw", "sia_pynqz2"], ["nowhere/n.nir"]),
        (["info", "nowhere"], ["nowhere"]),
        (["plot", "nowhere"], ["nowhere"]),
        (["replay", "digits", "--hw", "sia_pynqz2", "--set", "lanes"], ["'lanes'"]),
        (["replay", "digits", "--hw", "event_core_28nm", "--set", "core.scatter.lane=8"], ["lane", "did you mean"]),
        (["replay", "digits", "--hw", "event_core_28nm", "--set", "core.scatter.lanes=many"], ["lanes", "'many'"]),
        (["replay", "digits", "--hw", "event_core_28nm", "--set", "core.scatter.lanes=-1"], ["lanes", "-1"]),
        (["replay", "digits", "--hw", "sia_pynqz2", "--import", "reset"], ["'reset'"]),
    ],
)
def test_wrong_input(capsys: Capture, argv: list[str], parts: list[str]) -> None:
    message = refused(capsys, *argv)
    for part in parts:
        assert part in message


def test_wrong_key_names_file_line_and_nearest(capsys: Capture, tmp_path: Path) -> None:
    source = (ROOT / "hwconfigs" / "event_core_28nm.yaml").read_text(encoding="utf-8").splitlines()
    line = next(n for n, text in enumerate(source, 1) if text.strip().startswith("lanes:"))
    source[line - 1] = source[line - 1].replace("lanes:", "lnes:")
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("\n".join(source), encoding="utf-8")
    message = refused(capsys, "replay", "digits", "--hw", str(wrong))
    assert f"{wrong}:{line}: " in message
    assert "scatter.lnes" in message
    assert "did you mean 'lanes'?" in message


@pytest.mark.parametrize("content", [b"", b"\x89HDF\r\n\x1a\n", b"\x89HDF\r\n\x1a\n" + bytes(4096), b"text"])
def test_files_that_are_no_traces(capsys: Capture, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.h5"
    path.write_bytes(content)
    for argv in (["replay", str(path), "--hw", "sia_pynqz2"], ["info", str(path)], ["plot", str(path)]):
        assert str(path) in refused(capsys, *argv)


def test_output_is_checked_before_the_work(capsys: Capture, tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.write_text("mine", encoding="utf-8")
    for folder in (taken, taken / "below"):
        message = refused(capsys, "replay", "no such trace", "--hw", "no such chip", "-o", str(folder))
        assert "--output" in message and "not a folder" in message
    assert taken.read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize(
    ("error", "code", "part"),
    [
        (ValueError("odd"), 1, "defect in neurocycle: ValueError: odd; NEUROCYCLE_DEBUG=1"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (MemoryError(), 1, "out of memory"),
        (OSError(28, "No space left on device", "out/record.h5"), 1, "out/record.h5: No space left on device"),
    ],
)
def test_failures_are_one_message(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int, part: str
) -> None:
    def fails() -> None:
        raise error

    monkeypatch.delenv("NEUROCYCLE_DEBUG", raising=False)
    monkeypatch.setitem(cli.cli.commands, "fails", click.Command("fails", callback=fails))
    assert run_command(["fails"]) == code
    assert part in capsys.readouterr().err


def test_debug_shows_the_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails() -> None:
        raise ValueError("odd")

    monkeypatch.setenv("NEUROCYCLE_DEBUG", "1")
    monkeypatch.setitem(cli.cli.commands, "fails", click.Command("fails", callback=fails))
    with pytest.raises(ValueError, match="odd"):
        run_command(["fails"])


def test_info_of_a_recording_needs_no_choices(capsys: Capture, tmp_path: Path) -> None:
    """Three N-MNIST events of five bytes: x, y, polarity in the top bit and 23 bits of microseconds."""
    path = tmp_path / "three.bs2"
    words = [(3, 4, 1, 100), (33, 0, 0, 1100), (7, 21, 1, 2100)]
    path.write_bytes(b"".join(bytes([x, y]) + (on << 23 | time).to_bytes(3, "big") for x, y, on, time in words))
    assert run_command(["info", str(path), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["kind"], found["events"], found["on_events"]) == ("recording", 3, 2)
    assert found["duration"] == "2.00 ms"
    assert found["pixels_seen"] == "x up to 33, y up to 21"


def test_list_names_what_ships(capsys: Capture) -> None:
    assert run_command(["list", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["schema"] == "neurocycle.list/1"
    assert {"event_core_28nm", "sia_pynqz2"} <= set(found["hardware"])
    assert "digits" in found["traces"] and "digits" in found["networks"]
    assert run_command(["list"]) == 0
    assert "sia_pynqz2" in capsys.readouterr().out


def test_schema_is_one_json_object(capsys: Capture) -> None:
    assert run_command(["schema"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["schema"] == "neurocycle.schema/1"
    assert set(found) >= {"hardware", "mapping", "suite"}
    assert run_command(["schema", "mapping"]) == 0
    assert json.loads(capsys.readouterr().out) == found["mapping"]


def test_process_exit_code_and_streams() -> None:
    """What the functions above return is what a shell sees."""
    environment = {k: v for k, v in os.environ.items() if k != "NEUROCYCLE_DEBUG"}
    done = subprocess.run([sys.executable, "-m", "simulator", "replay", "digits", "--hw", "nothing"], cwd=ROOT,
                          env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("neurocycle: ") and done.stderr.count("\n") == 1
