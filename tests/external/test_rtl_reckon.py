"""ReckOn: recordings of the RTL come out exactly, and a wrong core is seen."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import rtl_reckon

pytestmark = pytest.mark.external

CASES = ("r01_small16", "r02_64_200steps")


@pytest.fixture(params=CASES)
def case(data_dir: Path, request: pytest.FixtureRequest) -> Path:
    """A recorded case, skipped where it is not there."""
    path = data_dir / "rtl" / "reckon" / request.param
    if not path.is_dir():
        pytest.skip(f"no case at {path}")
    return path


def test_case_is_exact(case: Path) -> None:
    assert rtl_reckon.is_reckon(case)
    assert rtl_reckon.compare_case(case) == []


@pytest.mark.parametrize("wrong", [{"kappa": 122}, {"shifts": (3, 3, 4)}, {"recurrent": 18}, {"reset_to_zero": True}])
def test_another_core_is_not_exact(case: Path, wrong: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> None:
    read = rtl_reckon.read_image
    monkeypatch.setattr(rtl_reckon, "read_image", lambda path: replace(read(path), **wrong))
    found = rtl_reckon.compare_case(case)
    assert any(line.startswith(("out.csv", "ticks.csv")) and "recorded" in line for line in found)


def test_speed_is_above_fifty_times_the_stored_rate(case: Path) -> None:
    """4-speed: simulated cycles per second of CPU time beside the rate stored with the recording."""
    stored = json.loads((case / "summary.json").read_text(encoding="utf-8"))["rtl_cycles_per_s"]
    ours, _, events = rtl_reckon.reckon_speed()
    assert events >= 10**4
    assert ours >= 50 * stored
