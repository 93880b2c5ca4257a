"""Calibration: which cases it simulates, what it writes down, and that held-out means held out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from simulator import estimate
from simulator.costmodel import calibrate as module
from simulator.costmodel.calibrate import BEYOND, alike, calibrate, spread
from simulator.costmodel.case import Case
from simulator.costmodel.held_out import held_out
from simulator.costmodel.observe import Observation, observe
from simulator.costmodel.suite import load_suite
from simulator.errors import InputError

CHIP = "event_core_28nm"


def small() -> list[Case]:
    """Sixteen cheap cases of four small generated architectures."""
    cases = load_suite("generated", CHIP).cases
    names = list(dict.fromkeys(c.architecture for c in cases if c.network.startswith("generated")))[:4]
    return [c for name in names for c in [d for d in cases if d.architecture == name][:4]]


@pytest.fixture(scope="module")
def seen() -> list[Observation]:
    return [observe(case) for case in small()]


def case(architecture: str, mapping: str = "default", density: float = 0.1, seed: int = 0) -> Case:
    return Case("made", architecture, "drawn", CHIP, mapping=mapping, density=density, seed=seed)


def test_every_architecture_and_trait_comes_early_and_nothing_is_lost() -> None:
    cases = [case(f"net{n}", m, d) for n in range(4) for m in ("a", "b") for d in (0.1, 0.2)]
    order = spread(cases, 3)
    assert sorted(order, key=repr) == sorted(cases, key=repr) and order == spread(cases, 3) != spread(cases, 4)
    assert {c.architecture for c in order[:4]} == {"net0", "net1", "net2", "net3"}
    assert {(c.mapping, c.density) for c in order[:4]} == {("a", 0.1), ("b", 0.2), ("a", 0.2), ("b", 0.1)} or (
        {c.mapping for c in order[:4]} == {"a", "b"} and {c.density for c in order[:4]} == {0.1, 0.2}
    )


def test_more_of_what_was_bad_and_the_most_alike_first() -> None:
    bad = [case("net0", "b", 0.2)]
    waiting = [case("net1", "a", 0.1), case("net1", "b", 0.1), case("net0", "b", 0.2, 1), case("net1", "b", 0.2)]
    assert alike(bad, waiting) == [waiting[2], waiting[3], waiting[1]]
    assert alike([], waiting) == []


def test_a_model_of_real_runs(tmp_path: Path, seen: list[Observation]) -> None:
    """Two calibrations of the same cases write the same bytes; what they say of themselves is what was done."""
    cases = small()
    told: list[tuple[int, int]] = []
    model = calibrate(cases, CHIP, seed=1, progress=lambda done, most: told.append((done, most)))
    again = calibrate(cases, CHIP, seed=1)
    assert model.save(tmp_path / "a").read_bytes() == again.save(tmp_path / "b").read_bytes()
    rounds = model.fitted_on["rounds"]
    assert told == [(n + 1, len(cases)) for n in range(model.fitted_on["cases"])]
    assert rounds[-1]["added"] == 0 and rounds[-1]["cases"] == model.fitted_on["cases"] <= len(cases)
    assert set(model.held_out) == {"all", *(c.architecture for c in cases)}
    assert model.held_out["all"].latency_mape < 0.05
    ready, activity = seen[0].case.prepare(), seen[0].activity
    made = estimate(ready.schedule, ready.hardware, activity, model, mapping=ready.mapping)
    low, high = made.interval["latency"]
    assert 0 < low <= high < 2 and made.warnings == ()


def test_cases_are_added_until_the_budget_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BEYOND", 0.0)
    made = calibrate(small(), CHIP, budget=12).fitted_on
    assert made["cases"] == 12 and made["offered"] == 16 and len(made["rounds"]) > 2 and BEYOND == 0.1
    assert sum(r["added"] for r in made["rounds"]) + made["rounds"][0]["cases"] == 12


def test_predictions_of_an_architecture_do_not_depend_on_its_runs(seen: list[Observation]) -> None:
    """Runs of the first architecture that take three times as long change all predictions but its own."""
    first = seen[0].case.architecture
    longer = [
        replace(each, simulated=replace(each.simulated, end_ps=each.simulated.end_ps * 3))
        if each.case.architecture == first
        else each
        for each in seen
    ]
    for each, before, after in zip(seen, held_out(seen), held_out(longer), strict=True):
        same = before.figures.end_ps == after.figures.end_ps and before.latency == after.latency
        assert same == (each.case.architecture == first)


def test_held_out_predictions_are_near_and_inside_their_intervals(seen: list[Observation]) -> None:
    for each, said in zip(seen, held_out(seen), strict=True):
        assert said.figures.end_ps == pytest.approx(each.simulated.end_ps, rel=0.1)
        assert said.figures.energy_pj == pytest.approx(each.simulated.energy_pj, rel=0.1)
        assert said.latency[0] <= said.latency[1] and said.energy[0] <= said.energy[1]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"budget": 2}, "budget"),
        ({"level": 1.5}, "level"),
        ({"suite": "nosuch"}, "nosuch"),
        ({"hardware": "nosuch"}, "nosuch"),
        ({"suite": [case("a"), case("b")]}, "architectures|cases"),
        ({"hardware": "sia_pynqz2"}, "other hardware"),
    ],
)
def test_bad_questions(change: dict[str, Any], told: str) -> None:
    arguments: dict[str, Any] = {"suite": small()[:8], "hardware": CHIP} | change
    with pytest.raises(InputError, match=told):
        calibrate(arguments.pop("suite"), arguments.pop("hardware"), **arguments)
