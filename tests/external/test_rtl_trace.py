"""RTL recordings as ordinary replays: cycles and memory accesses of a whole machine against the recorded totals."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import rtl_trace
from benchmarks.rtl_case import find_cases
from simulator.cli import run_command

pytestmark = pytest.mark.external


def replayed(case: Path, folder: Path, capsys: pytest.CaptureFixture[str], *more: str) -> dict:
    """Summary of the command that `benchmarks.rtl_trace` prints."""
    assert rtl_trace.main([str(case), "-o", str(folder / "trace.h5"), "--json"]) == 0
    command = json.loads(capsys.readouterr().out)["command"]
    assert command[:2] == ["neurocycle", "replay"]
    assert run_command([*command[1:], "--json", *more]) == 0
    return dict(json.loads(capsys.readouterr().out))


@pytest.mark.parametrize(("core", "word_bits"), [("tinyodin", 32), ("odin", 128)])
def test_cycles_and_accesses_of_neurosynaptic_cores(
    data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], core: str, word_bits: int
) -> None:
    for case in find_cases([data_dir / "rtl" / core]):
        recorded = json.loads((case / "summary.json").read_text())
        found = replayed(case, tmp_path, capsys)
        assert found["latency"]["cycles"] == recorded["last_active_cycle"] + 1, case.name
        moved = found["movement_bits"]["core"]
        for operand, memory, bits in (("state", "neuron", word_bits), ("weight", "synapse", 32)):
            for way in ("read", "write"):
                assert moved.get(operand, {way: 0})[way] == bits * recorded[f"{memory}_mem_{way}_cycles"], (
                    case.name,
                    memory,
                    way,
                )
        operations = 8.43 * recorded["neuron_updates"]  # every neuron update costs the same on these chips
        clock = 1.78 * found["latency"]["cycles"]
        assert found["energy_pj"]["dynamic"] == pytest.approx(operations + clock, rel=1e-9), case.name


def test_cycles_and_accesses_of_recurrent_cores(
    data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for case in find_cases([data_dir / "rtl" / "reckon"]):
        recorded = json.loads((case / "summary.json").read_text())
        found = replayed(case, tmp_path, capsys)
        assert found["latency"]["cycles"] == recorded["cycles_total"], case.name
        moved = found["movement_bits"]["core"]
        assert moved["state"]["read"] == 128 * recorded["neuron_mem_reads"]
        assert moved["state"]["write"] == 128 * recorded["neuron_mem_writes"]
        weights = sum(recorded[f"{name}_reads"] for name in ("winp", "wrec", "wout"))
        assert moved["weight"]["read"] == 128 * weights


def test_the_reference_engine_replays_a_recording(
    data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("odin/o04_tref_syn_bist150", "tinyodin/t05_mix200_closed64", "reckon/r01_small16"):
        runs = [replayed(data_dir / "rtl" / name, tmp_path, capsys, "--engine", e) for e in ("kernel", "reference")]
        assert {runs[0].pop("engine"), runs[1].pop("engine")} == {"kernel", "reference"}
        assert runs[0] == runs[1]


def test_a_damaged_case_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert rtl_trace.main([str(tmp_path), "-o", str(tmp_path / "trace.h5")]) == 2
    assert "no such file" in capsys.readouterr().err and not (tmp_path / "trace.h5").exists()
