"""`validate`, `calibrate` and `info` of a model: results, refusals, interruption."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import simulator.costmodel.calibrate
import simulator.costmodel.validate
from simulator.cli import run_command
from tests.unit.test_cli import Capture, refused

CHIP = "sia_pynqz2"
FEW = """
schema: neurocycle.suite/1
groups:
  - family: {cmos_core: cores}
    count: 3
    steps: [2]
    mappings:
      cmos_core: [default, timesteps=one]
    drawn: [[0.1, 0.3]]
"""
"""A suite of twelve small points, so that a model can be fitted within seconds."""


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A suite file."""
    path = tmp_path_factory.mktemp("suite") / "few.yaml"
    path.write_text(FEW, encoding="utf-8")
    return str(path)


@pytest.fixture(scope="module")
def model(few: str) -> str:
    """A model fitted on it."""
    path = Path(few).with_name("model.json")
    assert run_command(["calibrate", few, "--hw", CHIP, "-o", str(path), "--json"]) == 0
    return str(path)


@pytest.mark.parametrize("verb", ["validate", "calibrate"])
@pytest.mark.parametrize(
    ("argv", "parts"),
    [
        (["digit", "--hw", CHIP], ["unknown suite", "'digit'", "did you mean 'digits'"]),
        (["digits", "--hw", "sia_pynq2"], ["'sia_pynq2'", "did you mean 'sia_pynqz2'"]),
        (["digits"], ["Missing option '--hw'"]),
        (["digits", "--hw", CHIP, "--points", "0"], ["--points", "x>=1"]),
        (["digits", "--hw", CHIP, "--level", "1.5"], ["--level", "0.5<=x<=0.99"]),
        (["nowhere/suite.yaml", "--hw", CHIP], ["nowhere/suite.yaml"]),
        (["recorded", "--hw", CHIP], ["directory of the recordings"]),
        (["recorded", "nowhere", "--hw", CHIP], ["nowhere"]),
    ],
)
def test_wrong_input(capsys: Capture, tmp_path: Path, verb: str, argv: list[str], parts: list[str]) -> None:
    output = ["-o", str(tmp_path / "m.json")] if verb == "calibrate" else []
    message = refused(capsys, verb, *argv, *output)
    for part in parts:
        assert part in message
    assert not list(tmp_path.iterdir())


def test_outputs_are_checked_before_the_work(capsys: Capture, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("mine", encoding="utf-8")
    assert "not a folder" in refused(capsys, "validate", "x", "--hw", CHIP, "-o", str(tmp_path / "taken"))
    assert "a folder, not a file" in refused(capsys, "calibrate", "x", "--hw", CHIP, "-o", str(tmp_path))
    assert "not a folder" in refused(capsys, "calibrate", "x", "--hw", CHIP, "-o", str(tmp_path / "taken" / "m.json"))


def test_models_that_do_not_fit(capsys: Capture, few: str, model: str, tmp_path: Path) -> None:
    capsys.readouterr()
    message = refused(capsys, "validate", "digits", "--hw", "event_core_28nm", "--model", model)
    assert CHIP in message and "event_core_28nm" in message
    assert "nowhere.json" in refused(capsys, "validate", few, "--hw", CHIP, "--model", "nowhere.json")
    (tmp_path / "bad.json").write_text('{"schema": "neurocycle.summary/1"}', encoding="utf-8")
    for argv in (["validate", few, "--hw", CHIP, "--model"], ["info"]):
        message = refused(capsys, *argv, str(tmp_path / "bad.json"))
        assert "bad.json" in message and "schema" in message and "neurocycle.summary/1" in message


def test_too_few_architectures_say_so(capsys: Capture, tmp_path: Path) -> None:
    """The suite of digits is one network: nothing can be held out, so nothing is fitted."""
    assert "architectures" in refused(capsys, "calibrate", "digits", "--hw", CHIP, "-o", str(tmp_path / "m.json"))
    assert run_command(["validate", "digits", "--hw", CHIP, "--points", "2", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert "calibrated" not in found["models"] and "architectures" in found["notes"][0]


def test_validate_is_one_object_and_the_same_each_time(capsys: Capture, few: str, tmp_path: Path) -> None:
    argv = ["validate", few, "--hw", CHIP, "--json"]
    assert run_command([*argv, "-o", str(tmp_path / "out")]) == 0
    out, err = capsys.readouterr()
    assert err == "" and out.count("\n") == 1
    found = json.loads(out)
    assert found["schema"] == "neurocycle.validate/1" and found["hardware"]["name"] == CHIP
    assert len(found["points"]) == 12 and found["groups"]["all"]["points"] == 12
    assert {"closed form", "calibrated", "operations", "roofline"} <= set(found["models"])
    assert found["command"].startswith("neurocycle validate ")
    assert json.loads((tmp_path / "out" / "validation.json").read_text(encoding="utf-8")) == found
    assert run_command(argv) == 0
    assert capsys.readouterr().out == out


def test_validate_prints_tables(capsys: Capture, few: str, model: str) -> None:
    capsys.readouterr()
    assert run_command(["validate", few, "--hw", CHIP, "--model", model, "--points", "4"]) == 0
    out = capsys.readouterr().out
    for part in ("closed form", "calibrated", "MAPE", "Kendall", "by term", "intervals", "made by: "):
        assert part in out


def test_info_of_a_model(capsys: Capture, model: str) -> None:
    capsys.readouterr()
    assert run_command(["info", model, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["kind"], found["hardware"]) == ("cost model", CHIP)
    assert found["held_out"]["architectures"] == 3 and found["terms"]
    assert run_command(["info", model]) == 0
    assert "cost model" in capsys.readouterr().out


def test_calibrate_says_its_held_out_error(capsys: Capture, few: str, tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    assert run_command(["calibrate", few, "--hw", CHIP, "-o", str(path)]) == 0
    out = capsys.readouterr().out
    assert "held-out errors" in out and "terms of time" in out and str(path) in out
    first = path.read_bytes()
    assert run_command(["calibrate", few, "--hw", CHIP, "-o", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["schema"] == "neurocycle.calibrate/1"
    assert path.read_bytes() == first


@pytest.mark.parametrize("verb", ["validate", "calibrate"])
def test_interrupted_work_leaves_nothing(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, few: str, tmp_path: Path, verb: str
) -> None:
    def stop(case: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(getattr(simulator.costmodel, verb), "observe", stop)
    assert run_command([verb, few, "--hw", CHIP, "-o", str(tmp_path / "out")]) == 130
    assert "interrupted; no half-written result was left" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
