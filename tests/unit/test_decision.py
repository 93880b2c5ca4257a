"""The decision benchmark: choices, and what is counted of them, by hand."""

from __future__ import annotations

import pytest

from benchmarks import decision
from benchmarks.decision import Decision

ENDS = {
    "simulator": [130.0, 106.0, 103.0, 100.0],
    "closed form": [129.0, 104.0, 101.0, 100.0],
    "calibrated": [131.0, 105.5, 102.0, 100.0],
    "flat": [100.0, 100.0, 100.0, 100.0],
}


def test_the_smallest_buffer_within_five_percent_is_chosen() -> None:
    found = Decision("net", "fused", ENDS)
    assert [found.choice(who) for who in ENDS] == [4, 2, 4, 1]
    assert [found.right(who) for who in ENDS] == [True, False, True, False]
    assert found.slower("closed form") == pytest.approx(0.06)


@pytest.mark.parametrize(("calibrated", "code"), [("calibrated", 0), ("closed form", 1)])
def test_the_claim_is_checked(
    calibrated: str, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two mappings, one of which nobody gets wrong; a model that is no better than the closed form misses the bars."""
    ends = {**ENDS, "calibrated": ENDS[calibrated]}
    easy = {who: [100.0] * 4 for who in ends}
    found = [Decision("a", "fused", ends), Decision("a", "layer by layer", easy)]
    monkeypatch.setattr(decision, "decide", lambda networks: found)
    assert decision.main([]) == code
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1].endswith("passed" if code == 0 else "MISSED")
    if code == 0:
        assert lines[0].startswith("a, fused") and "6.0 % slower in the simulator" in "".join(lines)
        assert "mended by calibration: 1; spoilt by it: 0" in lines


def test_mappings_are_ordered_by_buffer() -> None:
    """By hand: 130, 106, 103, 100 against 105 four times; the flat model has 100 against 105 throughout."""
    found = [Decision("a", "fused", ENDS), Decision("a", "layer by layer", {who: [105.0] * 4 for who in ENDS})]
    assert [decision.ordered_as(found, who) for who in ("closed form", "calibrated", "flat")] == [3, 4, 2]
