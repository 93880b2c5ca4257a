"""Run directories: complete or not there at all."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from simulator.errors import InputError
from simulator.hardware import load_hardware
from simulator.record_file import load_record
from simulator.record_summary import summary_json
from simulator.report import write, write_run_directory
from tests.unit.small_record import small_record

PLOTS = ("energy",)


def test_it_holds_what_the_design_says(tmp_path: Path) -> None:
    record = small_record()
    paths = write_run_directory(record, tmp_path / "deep" / "out", PLOTS)
    out = tmp_path / "deep" / "out"
    assert sorted(p.name for p in out.iterdir()) == sorted(p.name for p in paths)
    assert {p.name for p in paths} == {
        "summary.json", "record.h5", "layers.csv", "config.resolved.yaml", "energy.png", "energy.svg"
    }
    assert json.loads((out / "summary.json").read_text()) == record.summary()
    assert summary_json(load_record(out / "record.h5")) == (out / "summary.json").read_text()
    assert load_hardware(out / "config.resolved.yaml") == record.hardware
    assert [p.name for p in out.parent.iterdir()] == ["out"], "no temporary folder is left"


def test_text_files_are_the_same_bytes_each_time(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_run_directory(small_record(), tmp_path / name, ())
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes(), path.name


def test_an_earlier_run_is_replaced_and_other_files_stay(tmp_path: Path) -> None:
    write_run_directory(small_record(), tmp_path, PLOTS)
    (tmp_path / "notes.txt").write_text("mine")
    changed = dataclasses.replace(small_record(), seed=7)
    write_run_directory(changed, tmp_path, ())
    assert json.loads((tmp_path / "summary.json").read_text())["seed"] == 7
    assert (tmp_path / "notes.txt").read_text() == "mine"
    assert not (tmp_path / "energy.png").exists(), "a picture of the earlier run would contradict the summary"


def test_a_failure_leaves_the_earlier_run_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out"
    write_run_directory(small_record(), out, ())
    before = {p.name: p.read_bytes() for p in out.iterdir()}

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(write, "write_plots", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_run_directory(dataclasses.replace(small_record(), seed=7), out, ())
    assert {p.name: p.read_bytes() for p in out.iterdir()} == before
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_a_place_that_cannot_be_written_is_an_input_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot"):
        write_run_directory(small_record(), tmp_path / "file" / "out", ())
    with pytest.raises(InputError, match="cannot"):
        write_run_directory(small_record(), tmp_path / "file", ())
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_pictures_that_cannot_be_drawn_are_left_out(tmp_path: Path) -> None:
    record = dataclasses.replace(small_record(), outputs={})
    names = {p.name for p in write_run_directory(record, tmp_path / "out", ("raster",))}
    assert "raster.png" not in names and "summary.json" in names
