"""Pinned loop nests against the reference runs of an analytical tool: words, energy, ports, latency ladder."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from benchmarks import pinned

pytestmark = pytest.mark.external


def test_every_entry_rung_and_port_is_exact(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert pinned.main([str(data_dir / "memory"), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["entries"] == document["exact_entries"] == 30
    for case in document["mappings"]:
        assert case["exact_energies"] == case["entries"] and case["total_energy_exact"]
        assert case["first_difference"] is None  # ports included
        assert set(case["ladder_errors"].values()) == {0.0} and case["overfull"] == []


def altered(data_dir: Path, folder: Path, file: str, old: str, new: str) -> None:
    """The reference files in `folder`, the first `old` in one of them replaced by `new`."""
    for name in ("zz_golden.json", "zz_hardware.yaml", "zz_layer.yaml"):
        shutil.copyfile(data_dir / "memory" / name, folder / name)
    text = (folder / file).read_text()
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1))


@pytest.mark.parametrize(
    ("file", "old", "new", "miss"),
    [
        ("zz_golden.json", '"read_to_below": 136192', '"read_to_below": 129024', "W sram_64KB read_to_below: 136192"),
        ("zz_golden.json", '"total0": 3612474', '"total0": 3512474', "total0 3612474"),
        ("zz_hardware.yaml", "bits: 384", "bits: 128", "O sram_1M"),
        ("zz_layer.yaml", "O_partial: 16", "O_partial: 32", "O rf_16B"),
    ],
)
def test_a_difference_is_a_miss(
    file: str, old: str, new: str, miss: str, data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    altered(data_dir, tmp_path, file, old, new)
    assert pinned.main([str(tmp_path / "zz_golden.json")]) == 1
    output = capsys.readouterr().out
    assert miss in output and output.rstrip().endswith("MISSED")


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("zz_golden.json", '["OX", 56]]', '["OX", 55]]', "do not hold the temporal loops in their order"),
        ("zz_golden.json", '"zz_layer.yaml"', '"none.yaml"', "no such file beside"),
        ("zz_hardware.yaml", "O.write_from_below", "O.write_from_bellow", "unknown link"),
        ("zz_hardware.yaml", "O.read_to_below, ", "", "no port serves"),
        ("zz_layer.yaml", "K: 64", "K: 60", "not the product of the loop sizes"),
    ],
)
def test_wrong_input_is_one_message(
    file: str, old: str, new: str, message: str, data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    altered(data_dir, tmp_path, file, old, new)
    assert pinned.main([str(tmp_path)]) == 2
    assert message in capsys.readouterr().err
