"""Recorded runs of a DRAM simulator come out again, request by request and command by command (3-dram)."""

from __future__ import annotations

import csv
import gzip
import json
import shutil
from pathlib import Path

import pytest

from benchmarks import dram
from simulator.hardware.dram_presets import dram_preset

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


DEVICES = {"ddr4-2400": "DDR4_2400_8Gb_x8", "ddr4-3200": "DDR4_3200_8Gb_x8", "lpddr4-3200": "LPDDR4_3200_8Gb_x16",
           "lpddr4-4266": "LPDDR4_4266_8Gb_x16", "lpddr5-6400": "LPDDR5_6400_x16"}  # fmt: skip
OTHER_NAMES = {"tccd": "tCCD", "trrd": "tRRD", "twtr": "tWTR", "trfc": "tRFCab", "trfc_bank": "tRFCpb",
               "trefi_bank": "tREFIpb", "tal": "AL", "tcl": "CL", "tcwl": "CWL"}  # fmt: skip


@pytest.mark.parametrize("name", DEVICES)
def test_bundled_devices_are_those_of_the_tables(name: str, runs: Path) -> None:
    """Every timing and current that the table states in cycles, V or mA has the table's value."""
    with open(runs / "timing_currents.csv", newline="") as file:
        table = {row["parameter"]: row for row in csv.DictReader(file) if row["device"] == DEVICES[name]}
    compared = 0
    for key, row in dram_preset(name).rows.items():
        group, _, field = key.rpartition(".")
        stem, _, unit = field.rpartition("_")
        if group not in ("timing", "currents"):
            continue
        plain = "t" + stem.removeprefix("t").upper() if group == "timing" else stem.upper()
        shared = OTHER_NAMES.get(stem.removesuffix("_s").removesuffix("_l"), "")
        for parameter in (plain, OTHER_NAMES.get(stem, ""), shared, plain + "_folded_1V1"):
            if parameter in table and table[parameter]["unit"] == {"cycles": "cycles", "v": "V", "ma": "mA"}[unit]:
                assert float(table[parameter]["value"]) == row.value, key
                compared += 1
                break
    assert compared >= (22 if name.startswith("ddr4") else 12)
