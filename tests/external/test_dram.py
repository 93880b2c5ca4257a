"""Recorded runs of a DRAM simulator come out again, request by request and command by command (3-dram)."""

from __future__ import annotations

import csv
import gzip
import json
import shutil
from pathlib import Path

import pytest

from benchmarks import dram

pytestmark = pytest.mark.external


@pytest.fixture
def runs(data_dir: Path) -> Path:
    folder = data_dir / "memory" / "dram"
    if not folder.is_dir():
        pytest.skip(f"no runs at {folder}")
    return folder


def test_every_recorded_run_is_exact(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert dram.main([str(runs), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    recorded = len(list(runs.glob("requests/*/*.csv.gz")))
    assert len(document["runs"]) == recorded > 0
    assert all(run["exact"] and run["exact_share"] == 1 for run in document["runs"])
    assert sum(run["commands_compared"] for run in document["runs"]) == len(list(runs.glob("commands/*/*.csv.gz")))


@pytest.fixture
def one_run(runs: Path, tmp_path: Path) -> tuple[Path, str, str]:
    """A copy of the tables with one run in it, the first whose commands are recorded."""
    commands = min(runs.glob("commands/*/*.csv.gz"))
    config, run = commands.parent.name, commands.name.removesuffix(".csv.gz")
    for kind in ("commands", "requests"):
        (tmp_path / kind / config).mkdir(parents=True)
        shutil.copy(runs / kind / config / commands.name, tmp_path / kind / config)
    for name in ("configs.csv", "timing_currents.csv"):
        shutil.copy(runs / name, tmp_path)
    with open(runs / "results.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    write(tmp_path / "results.csv", [row for row in rows if (row["config"], row["run"]) == (config, run)])
    return tmp_path, config, run


def write(path: Path, rows: list[dict[str, str]]) -> None:
    with open(path, "w", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)


def change(path: Path, row: int, column: str, value: str) -> None:
    packed = path.suffix == ".gz"
    with gzip.open(path, "rt") if packed else open(path) as file:  # type: ignore[attr-defined]
        rows = list(csv.DictReader(file))
    rows[row][column] = value
    write(path.with_suffix(".new"), rows)
    data = path.with_suffix(".new").read_bytes()
    path.write_bytes(gzip.compress(data) if packed else data)
    path.with_suffix(".new").unlink()


@pytest.mark.parametrize(
    ("file", "column", "value", "message"),
    [
        ("requests", "done", "1", "request 7: accepted"),
        ("commands", "row", "1", "command 7: cycle"),
        ("results.csv", "act", "1", "act "),
        ("results.csv", "E_bg_pJ", "1e6", "energy bg"),
        ("results.csv", "row_hit_rate", "0.5", "row hit rate"),
    ],
)
def test_any_difference_is_named_and_ends_in_1(
    one_run: tuple[Path, str, str], file: str, column: str, value: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, config, run = one_run
    assert dram.main([str(folder)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "1 of 1 runs exact: passed"
    path = folder / file if file.endswith(".csv") else folder / file / config / f"{run}.csv.gz"
    change(path, 0 if file.endswith(".csv") else 7, column, value)
    assert dram.main([str(folder)]) == 1
    out = capsys.readouterr().out
    assert message in out and out.splitlines()[-1] == "0 of 1 runs exact: MISSED"


def test_wrong_tables_end_in_one_message(one_run: tuple[Path, str, str], capsys: pytest.CaptureFixture[str]) -> None:
    folder, config, _ = one_run
    text = (folder / "configs.csv").read_text()
    (folder / "configs.csv").write_text(text.replace("row_hit_cap,4", "row_hit_cap,four"))
    assert dram.main([str(folder)]) == 2
    assert "row_hit_cap" in capsys.readouterr().err
    (folder / "configs.csv").write_text(text.replace(config, "another"))
    assert dram.main([str(folder)]) == 2
    assert "unknown configuration" in capsys.readouterr().err
