"""3-stems-run: simulated runs of the published points, dense (reference: a run of the authors' code)."""

from __future__ import annotations

import pytest

from benchmarks.stems import MAC_PJ, POINTS, Point, main, parse_buffer, run
from simulator.errors import InputError


def check(title: str) -> dict[str, dict[str, float]]:
    """Runs a published point against its bars."""
    steps, depth, reference = POINTS[title]
    found = run(Point("7PLIF", steps, depth))
    for name in ("state", "weight", "input", "output"):
        assert found["pj"][name] == reference[name], name
    assert found["pj"]["MAC"] == pytest.approx(1_830_664_765, abs=1) and round(MAC_PJ) == 1_830_664_765
    assert found["pj"]["total"] == pytest.approx(reference["total"], rel=0.05)
    assert sum(v for k, v in found["cycles"].items() if k != "total") == found["cycles"]["total"]
    assert found["cycles"]["convolutions at the fixed unrolling"] == 26_148_864
    return found


def test_batched_and_fused() -> None:
    found = check("time batched, fused by columns")
    assert found["cycles"]["total"] == pytest.approx(29_336_460, rel=0.07)


@pytest.mark.slow
def test_step_by_step_layer_by_layer() -> None:
    found = check("step by step, layer by layer")
    assert found["cycles"]["total"] == pytest.approx(37_882_268, rel=0.05)
    assert found["main memory link busy"] == 1_561_733_120 // 64


def test_buffer_sizes() -> None:
    assert parse_buffer("256KB", False) == ("global.capacity_bytes=262144", "global.width_bits=256")
    assert parse_buffer("256KB", True)[0] == f"global.capacity_bytes={275_251 // 32 * 32}"
    assert parse_buffer("384KB", True)[0] == f"global.capacity_bytes={406_323 // 48 * 48}"
    assert parse_buffer("64MB", False) == ("global.capacity_bytes=67108864", "global.width_bits=1024")
    with pytest.raises(InputError, match="256KB"):
        parse_buffer("250KB", False)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--schedule", "8PLIF", "1", "1"],
        ["--schedule", "7PLIF", "11", "1111111"],
        ["--buffer", "x", "--schedule", "7PLIF", "1111111", "1111111"],
        ["--eviction", "best"],
    ],
)
def test_wrong_arguments_end_in_one_message(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert capsys.readouterr().err.count("\n") == 1
