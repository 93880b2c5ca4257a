"""The frame of the benchmark commands: exit codes, one JSON object, input errors; and the densities by hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks import synapses
from benchmarks.command import Result, read_arrays, read_table, run_command, unpack, whole
from benchmarks.recorded_prosperity import matrix, remaining, remaining_in_tile
from simulator.errors import InputError


def bits(*rows: str) -> np.ndarray:
    return np.array([[c == "1" for c in row] for row in rows])


def test_exit_codes_and_last_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def compute(data: Path) -> Result:
        result = Result(bar="figure 3 (at least 2)", lines=["a line"], figures={"figure": 3})
        result.check(data.name == "good", "the folder is not good")
        return result

    for name, code, verdict in (("good", 0, "passed"), ("bad", 1, "MISSED")):
        (tmp_path / name).mkdir()
        assert run_command("x", "", compute, [str(tmp_path / name)]) == code
        assert capsys.readouterr().out.splitlines()[-1] == f"figure 3 (at least 2): {verdict}"
        assert run_command("x", "", compute, [str(tmp_path / name), "--json"]) == code
        document = json.loads(capsys.readouterr().out)
        assert document["figure"] == 3 and document["passed"] is (code == 0)
    assert run_command("x", "", compute, [str(tmp_path / "none")]) == 2
    assert "no such directory" in capsys.readouterr().err


def test_damaged_files_are_input_errors(tmp_path: Path) -> None:
    broken = tmp_path / "broken.npz"
    broken.write_bytes(b"PK\x03\x04 not an archive")
    with pytest.raises(InputError, match=r"not a sound \.npz file"):
        read_arrays(broken)
    np.savez(tmp_path / "some.npz", a=np.zeros(1), k=np.zeros(1, np.uint8), k__shape=np.array([4, 4]))
    with pytest.raises(InputError, match="array is missing"):
        read_arrays(tmp_path / "some.npz", "b")
    with pytest.raises(InputError, match="shorter than its shape"):
        unpack(read_arrays(tmp_path / "some.npz"), "k", tmp_path)
    table = tmp_path / "t.csv"
    table.write_text("id,file\n1,x\n")
    with pytest.raises(InputError, match="lacks a column"):
        read_table(table, "label")
    with pytest.raises(InputError, match="not a whole number"):
        whole(read_table(table, "file")[0], "file", table)


def test_an_object_array_is_never_unpickled(tmp_path: Path) -> None:
    path = tmp_path / "objects.npz"
    np.savez(path, a=np.array([{"x": 1}], dtype=object))
    with pytest.raises(InputError):
        read_arrays(path, "a")


@pytest.mark.parametrize(
    ("tile", "left"),
    [
        (bits("1100", "1110"), 3),  # the second row reuses the first
        (bits("1110", "1100"), 3),  # whichever comes first
        (bits("1100", "1100"), 2),  # of equal rows the later one reuses
        (bits("1000", "1000"), 2),  # one single one is not worth it
        (bits("0000", "1010"), 2),  # an empty row gives nothing
        (bits("1000", "1100", "1111", "0011"), 1 + 1 + 2 + 2),  # the largest subset counts
    ],
)
def test_product_density_by_hand(tile: np.ndarray, left: int) -> None:
    assert remaining_in_tile(tile) == left


def test_tiles_do_not_share_rows_or_columns() -> None:
    m = np.zeros((257, 17), bool)
    m[[0, 256], :2] = True
    m[:2, 15:17] = True
    assert remaining(m) == 2 + 2 + 2 + 1 + 1 - 1  # row 0 holds columns 0, 1 and 15, and row 1's 15 is its subset


def test_rows_of_the_matrix_are_positions_then_steps() -> None:
    spikes = np.zeros((2, 1, 2, 2), np.uint8)
    spikes[1, 0, 0, 0] = 1
    m = matrix(spikes)
    assert m.shape == (8, 9)
    assert [(int(r), int(c)) for r, c in np.argwhere(m)] == [(1, 4), (3, 3), (5, 1), (7, 0)]


def test_speed_refuses_a_rate_of_zero(capsys: pytest.CaptureFixture[str]) -> None:
    assert synapses.main(["--rate", "0"]) == 2
    assert "--rate: out of range" in capsys.readouterr().err


@pytest.mark.slow
def test_speed_reaches_its_bar(capsys: pytest.CaptureFixture[str]) -> None:
    assert synapses.main(["--json"]) == 0
    assert json.loads(capsys.readouterr().out)["gsops"] >= 3
