"""4-exact: tinyODIN and ODIN against recordings of their RTL, and what the comparison says where they differ."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from benchmarks import rtl, rtl_odin, rtl_speed
from benchmarks.rtl_case import find_cases, read_case

pytestmark = pytest.mark.external


@pytest.mark.parametrize("core", ["tinyodin", "odin"])
def test_every_case_is_exact(data_dir: Path, core: str, capsys: pytest.CaptureFixture[str]) -> None:
    cases = find_cases([data_dir / "rtl" / core])
    assert rtl.main([str(data_dir / "rtl" / core)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == f"{len(cases)} of {len(cases)} cases exact"


@pytest.mark.parametrize(
    ("file", "old", "new", "difference"),
    [
        ("events_in.csv", "1195,1196", "1195,1197", "events_in.csv row 8 t_ack: ours 1196, recorded 1197"),
        ("ops.csv", "39,0,0,3", "39,0,1,3", "ops.csv row 6 spikes: ours 0, recorded 1"),
        ("spikes.csv", "39,1,2", "39,0,2", "spikes.csv row 1 pushed: ours 1, recorded 0"),
        ("aerout.csv", "430,433", "430,434", "aerout.csv row 1 t_ack_low: ours 433, recorded 434"),
        ("membrane_final.csv", "0,10\n", "0,11\n", "membrane_final.csv neuron 0: ours 10, recorded 11"),
        ("neurons_final.hex", "0903a00a", "0903a00b", "neurons_final.hex neuron 0: ours 0903a00a, recorded 0903a00b"),
        ("summary.json", '_read_cycles":6857', '_read_cycles":6858',
         "summary.json neuron_mem_read_cycles: ours 6857, recorded 6858"),
    ],
)  # fmt: skip
def test_a_changed_recording_differs_in_that_field(
    data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], file: str, old: str, new: str, difference: str
) -> None:
    case = tmp_path / "case"
    shutil.copytree(data_dir / "rtl" / "tinyodin" / "t05_mix200_closed64", case, copy_function=shutil.copyfile)
    case.chmod(0o755)
    text = (case / file).read_text()
    assert old in text
    (case / file).write_text(text.replace(old, new, 1))
    assert rtl_odin.compare_case(case) == [difference]
    assert rtl.main([str(case), "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["bar"] == "0 of 1 cases exact" and document["cases"][0]["first"] == difference


def test_a_case_that_cannot_be_run_is_named(data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    case = tmp_path / "case"
    shutil.copytree(data_dir / "rtl" / "odin" / "o01_single_spike", case, copy_function=shutil.copyfile)
    case.chmod(0o755)
    words = (case / "neurons_init.hex").read_text().split()
    words[7] = f"{int(words[7], 16) & ~1:032x}"
    (case / "neurons_init.hex").write_text("\n".join(words))
    assert rtl.main([str(case), str(data_dir / "rtl" / "odin" / "o02_burst32")]) == 2
    out = capsys.readouterr().out.splitlines()
    assert "Izhikevich neurons are not modelled" in out[0] and "neuron 7" in out[0]
    assert out[-1] == "1 of 2 cases exact"


def test_longer_runs_repeat_the_stimulus(data_dir: Path) -> None:
    case = read_case(data_dir / "rtl" / "tinyodin" / "t02_burst32")
    due, words = rtl_speed.lengthen(case, 100)
    assert words.size == due.size == 128
    assert words[:32].tolist() == words[96:].tolist() == case.words.tolist()
    assert (due[32:64] - due[:32] == case.due.max() + 1).all()
