"""The benchmarks against recordings: they reach their bars, and they miss them when the data is not what it was."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks import nmnist, recorded, speck

pytestmark = pytest.mark.external


def copy_of(data: Path, target: Path) -> Path:
    """The data folder as links, so that single files can be replaced."""
    for folder in ("nets", "silicon", "nmnist", "layer_traces"):
        (target / folder).mkdir()
        for file in (data / folder).iterdir():
            (target / folder / file.name).symlink_to(file)
    return target


def test_speck(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert speck.main([str(data_dir)]) == 0
    assert "6 of 6 equal" in capsys.readouterr().out.splitlines()[-1]


def test_nmnist(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert nmnist.main([str(data_dir), "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["test"]["right"] == figures["test"]["recordings"] == 60
    assert figures["test"]["fc1"] == 63352 and figures["test"]["fc2"] == 9155
    assert figures["train"]["right"] == 200


def test_recorded(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert recorded.main([str(data_dir)]) == 0
    assert "5 of 5" in capsys.readouterr().out.splitlines()[-1]


def test_speck_misses_other_counts(data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Counts of another digit are found out, whatever the file is called."""
    data = copy_of(data_dir, tmp_path)
    path = data / "silicon" / "speck_layer1_counts.npz"
    arrays = dict(np.load(path))
    path.unlink()
    np.savez(path, **{**arrays, "counts": np.roll(arrays["counts"], 1, axis=0)})
    assert speck.main([str(data)]) == 1
    assert capsys.readouterr().out.splitlines()[-1].endswith("MISSED")


def test_speck_takes_other_cases_without_a_reference(data_dir: Path, tmp_path: Path) -> None:
    data = copy_of(data_dir, tmp_path)
    path = data / "silicon" / "speck_layer1_counts.npz"
    arrays = {key: array[1:3] for key, array in np.load(path).items()}
    path.unlink()
    np.savez(path, **arrays)
    (data / "silicon" / "speck_layer1_reference.csv").unlink()
    assert speck.main([str(data)]) == 0


def test_nmnist_misses_changed_weights(data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = copy_of(data_dir, tmp_path)
    path = data / "nets" / "slayer_nmnist_loihi.npz"
    arrays = dict(np.load(path))
    path.unlink()
    fc2 = arrays["fc2"].copy()
    fc2[0] += 2
    np.savez(path, **{**arrays, "fc2": fc2})
    rows = (data / "nmnist" / "labels_test.csv").read_text().splitlines()[:4]
    for split in ("test", "train"):
        (data / "nmnist" / f"labels_{split}.csv").unlink()
    (data / "nmnist" / "labels_test.csv").write_text("\n".join(rows) + "\n")
    assert nmnist.main([str(data)]) == 1
    assert "the reference has" in capsys.readouterr().out


@pytest.mark.parametrize("command", [speck, nmnist, recorded])
@pytest.mark.parametrize("missing", ["nets", "nmnist/labels_test.csv"])
def test_missing_files_are_input_errors(
    command, missing: str, data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = copy_of(data_dir, tmp_path)
    target = data / missing
    for file in target.iterdir() if target.is_dir() else [target]:
        file.unlink()
    assert command.main([str(data)]) == 2
    assert "Traceback" not in capsys.readouterr().err
