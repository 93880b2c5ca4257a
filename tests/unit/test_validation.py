"""Figures, tables, files and pictures of a validation whose points are so simple that each figure is known."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from simulator.costmodel.validation import QUANTITIES
from simulator.errors import InputError
from simulator.report.scatter import draw_scatter
from simulator.report.validation import (
    error_grid,
    grids,
    markdown,
    term_grid,
    text_lines,
    validation_markdown,
    worst_grid,
)
from simulator.report.validation_files import points_csv, write_validation
from tests.unit.small_validation import small_validation

MADE = small_validation()
OWN, OTHER = MADE.models
EVERY = MADE.groups["all"]


def test_totals_hide_what_terms_show() -> None:
    """Latencies 100, 200, 1000 against 100, 240, 1200: errors 0, 20 %, 20 %; but term by term point 0 errs by 10 % and
    -10 %."""
    found = MADE.metrics(OWN, "latency", EVERY)
    assert (found.points, found.mape, found.near) == (3, pytest.approx(0.4 / 3), pytest.approx(1 / 3))
    terms = MADE.term_metrics(OWN, "latency", EVERY)
    assert terms["compute"].error == pytest.approx(0.1 / 3)  # 10 of 100, 0, 0
    assert terms["stall"].error == pytest.approx((0.1 + 0.2 + 0.2) / 3)
    assert terms["stall"].bias == pytest.approx((-0.1 + 0.2 + 0.2) / 3)
    assert terms["compute"].share == pytest.approx((0.6 + 0.5 + 0.9) / 3)
    assert terms["stall"].own == pytest.approx(0.5 / (0.4 + 0.5 + 0.1))
    assert sum(t.share for t in terms.values()) == pytest.approx(1)
    assert MADE.term_metrics(OTHER, "latency", EVERY) == {}


def test_intervals_count_and_width() -> None:
    """100 in 90 .. 110, 200 in 180 .. 300, 1000 not in 1100 .. 1300; half-widths 10/100, 60/240, 100/1200."""
    held = MADE.interval_metrics(OWN, "latency", EVERY)
    assert held is not None
    assert (held.points, held.coverage) == (3, pytest.approx(2 / 3))
    assert held.half_width == pytest.approx((10 / 100 + 60 / 240 + 100 / 1200) / 3)
    assert MADE.interval_metrics(OWN, "energy", EVERY) is None
    assert MADE.interval_metrics(OWN, "latency", np.zeros(3, bool)) is None


def test_groups_and_worst_points() -> None:
    assert {name: use.tolist() for name, use in MADE.groups.items()} == {
        "all": [True] * 3, "drawn": [True, True, False], "recorded": [False, False, True],
    }  # fmt: skip
    worst = MADE.worst(OWN, "latency")
    assert [w["point"] for w in worst] == [1, 2, 0]  # equal errors stay in order
    assert worst[0]["terms"] == {"compute": 0.0, "stall": pytest.approx(0.2)}
    assert [w["point"] for w in MADE.worst(OTHER, "energy")] == [0, 2]  # one without an answer is not listed


def test_object_is_plain_and_the_same_each_time() -> None:
    text = json.dumps(MADE.to_dict(), allow_nan=False)
    assert text == json.dumps(small_validation().to_dict(), allow_nan=False)
    found = json.loads(text)
    assert found["schema"] == "neurocycle.validate/1"
    own = found["groups"]["all"]["models"]["own"]["latency"]
    assert own["mape"] == pytest.approx(0.4 / 3) and own["interval"]["coverage"] == pytest.approx(2 / 3)
    assert found["points"][1]["energy_pJ"] == {"simulator": 20.0, "own": 21.0, "other": None}
    assert found["left_out"] == [{"case": "big", "reason": "does not fit"}]


def test_tables_say_the_figures() -> None:
    errors = error_grid(MADE, "energy", EVERY, "t")
    assert [row[:3] for row in errors.rows] == [["own", "3", "1.67 %"], ["other", "2", "100.00 %"]]
    terms = term_grid(MADE, "latency", EVERY, "t")
    assert list(terms.columns) == ["error, % of total", "compute", "stall", "sum of sizes", "total"]
    assert terms.rows[1] == ["own", "3.33 %", "16.67 %", "20.00 %", "13.33 %"]
    worst = worst_grid(MADE, "latency")
    assert worst.rows[0] == ["+20.00 %", "net 1", "drawn", "0.2", "default", "stall +20.00 %"]
    lines = markdown(errors).splitlines()
    assert lines[1].startswith("| --- | ---: |") and len({line.count("|") for line in lines}) == 1
    text = validation_markdown(MADE)
    assert "neurocycle validate made_up --hw chip" in text and "- a note" in text
    assert all(f"### {grid.title}" in text for grid in grids(MADE))


def test_files_and_csv(tmp_path: Path) -> None:
    written = write_validation(MADE, tmp_path / "out")
    pictures = [f"{q}.{suffix}" for q in QUANTITIES for suffix in ("png", "svg")]
    assert {p.name for p in written} == {"validation.json", "validation.md", "points.csv", *pictures}
    assert all(p.stat().st_size for p in written)
    before = {p.name: p.read_bytes() for p in written}
    assert {p.name: p.read_bytes() for p in write_validation(small_validation(), tmp_path / "out")} == before
    rows = points_csv(MADE).splitlines()
    assert rows[0] == ("architecture,kind,density,mapping,latency_ps simulator,latency_ps own,latency_ps other,"
                       "energy_pJ simulator,energy_pJ own,energy_pJ other")  # fmt: skip
    assert rows[2] == "net 1,drawn,0.2,default,200.0,240.0,,20.0,21.0,"


def test_scatter_has_a_column_per_model_with_an_answer() -> None:
    latency, energy = (draw_scatter(MADE, quantity) for quantity in QUANTITIES)
    assert (len(latency.axes), len(energy.axes)) == (2, 4)
    upper, lower = latency.axes
    assert upper.get_xlim() == upper.get_ylim() and upper.get_xscale() == "log"
    assert "(s)" in lower.get_xlabel() and "(s)" in upper.get_ylabel()
    clouds = [c.get_offsets() for c in upper.collections if c.get_label() in ("drawn", "recorded")]
    shown = np.concatenate(clouds)
    assert shown[:, 0].tolist() == pytest.approx([1e-10, 2e-10, 1e-9])
    assert shown[:, 1].tolist() == pytest.approx([1e-10, 2.4e-10, 1.2e-9])
    labels = [text.get_text() for text in latency.legends[0].get_texts()]
    assert labels == ["within 10% of equal", "equal", "drawn", "recorded"]
    with pytest.raises(InputError, match="unknown quantity"):
        draw_scatter(MADE, "latencies")


def test_lines_are_aligned() -> None:
    lines = text_lines(worst_grid(MADE, "latency"))
    assert lines[0] == "latency: worst points of own, terms in % of the total"
    assert lines[1].index("architecture") == lines[2].index("net 1") == lines[3].index("net 2")
    assert lines[2].startswith("+20.00 %") and len({len(line) for line in lines[1:]}) == 1
