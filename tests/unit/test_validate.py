"""validate: each model is asked what it is said to be asked; cases are chosen widely; nothing is dropped silently."""

from __future__ import annotations

import numpy as np
import pytest

from simulator import estimate, load_hardware, simulate
from simulator.costmodel.lesson import Lesson
from simulator.costmodel.observe import Observation, observe
from simulator.costmodel.published import MODELS
from simulator.costmodel.suite import Suite, load_suite
from simulator.costmodel.validate import BLIND, CALIBRATED, CLOSED, compare, knows_spikes, some, validate
from simulator.costmodel.validation import Answers, Validation
from simulator.errors import InputError

CHIP = "cim_spikesim64"


@pytest.fixture(scope="module")
def suite() -> Suite:
    """Four clustered points of four architectures, and one entry that does not fit."""
    full = load_suite("generated", CHIP)
    first = {c.architecture: c for c in full.cases if c.kind == "clustered" and c.architecture.startswith("crossbars")}
    return Suite("few", CHIP, tuple(list(first.values())[:4]), (("one more", "too large"),))


@pytest.fixture(scope="module")
def seen(suite: Suite) -> list[Observation]:
    """They, simulated."""
    return [observe(case) for case in suite.cases]


@pytest.fixture(scope="module")
def made(suite: Suite, seen: list[Observation]) -> Validation:
    """Compared with models that were fitted without the architecture asked about."""
    return compare(suite, seen, CHIP, command="c")


def model(made: Validation, name: str) -> Answers:
    """The model of that name."""
    return next(each for each in made.models if each.name == name)


def test_every_model_is_asked_its_own_question(suite: Suite, seen: list[Observation], made: Validation) -> None:
    for i, case in enumerate(suite.cases):
        ready = case.prepare()
        record = simulate(ready.hardware, ready.network, ready.trace, ready.mapping)
        assert made.simulated.total["latency"][i] == record.end_ps
        assert made.simulated.total["energy"][i] == pytest.approx(record.energy.total, rel=1e-12)
        for name, activity in ((CLOSED, ready.activity), (CLOSED + BLIND, ready.activity.independent())):
            expected = estimate(ready.schedule, ready.hardware, activity, mapping=ready.mapping)
            found = model(made, name)
            assert found.total["latency"][i] == expected.end_ps
            assert found.total["energy"][i] == pytest.approx(expected.energy.total, rel=1e-12)
        for each in MODELS:
            for quantity, ask in (("latency", each.latency_ps), ("energy", each.energy_pj)):
                answer = ask(ready.schedule, ready.hardware, ready.activity, ready.mapping)
                found_total = model(made, each.name).total[quantity][i]
                assert np.isnan(found_total) if answer is None else found_total == answer
    blind, closed = (model(made, name).total["energy"] for name in (CLOSED + BLIND, CLOSED))
    assert (blind > closed).all()  # who knows no clusters sees fewer empty windows
    assert [each.name for each in made.models[4:]] == [each.name for each in MODELS]


def test_terms_add_up_for_every_model_that_has_them(made: Validation) -> None:
    for each in (made.simulated, *made.models):
        for quantity, terms in each.terms.items():
            assert sum(terms.values()) == pytest.approx(each.total[quantity], rel=1e-9)


def test_a_point_is_predicted_by_a_model_of_the_other_architectures(
    suite: Suite, seen: list[Observation], made: Validation
) -> None:
    lesson, everything = Lesson.of(seen, made.level), []
    for i, case in enumerate(suite.cases):
        ready = case.prepare()
        for known, found in ((lesson.model(case.architecture), True), (lesson.model(), False)):
            expected = estimate(ready.schedule, ready.hardware, ready.activity, known, mapping=ready.mapping)
            same = model(made, CALIBRATED).total["latency"][i] == expected.end_ps
            assert same or not found
            everything += [] if found else [same]
    assert not all(everything)  # a model of all four architectures says something else


def test_given_models_state_intervals_and_warn(suite: Suite, seen: list[Observation]) -> None:
    given = Lesson.of(seen[1:]).model()
    found = compare(suite, seen, CHIP, model=given)
    answers = model(found, CALIBRATED)
    for i, case in enumerate(suite.cases):
        ready = case.prepare()
        expected = estimate(ready.schedule, ready.hardware, ready.activity, given, mapping=ready.mapping)
        assert answers.total["latency"][i] == expected.end_ps
        assert answers.interval["latency"][i] == pytest.approx(expected.end_ps * np.array(expected.interval["latency"]))
        assert answers.warned is not None and answers.warned[i] == bool(expected.warnings)
    outside = int(answers.warned.sum())
    assert any(note.startswith(f"{outside} of 4 points lie outside") for note in found.notes) == bool(outside)
    with pytest.raises(InputError, match="fitted for other hardware"):
        validate(suite, "sia_pynqz2", model=given)


def test_what_is_left_out_is_said(suite: Suite, made: Validation) -> None:
    assert made.left_out == [{"case": "one more", "reason": "too large"}]
    assert "1 entries of the suite do not fit this chip and are left out" in made.notes
    assert made.sha256 == load_hardware(CHIP).sha256
    with pytest.raises(InputError, match="no case of this suite fits"):
        validate(Suite("none", CHIP, (), suite.left_out), CHIP)


def test_few_points_differ_much() -> None:
    cases = load_suite("generated", CHIP).cases
    few = some(cases, 30)
    assert len(few) == 30 and few == [case for case in cases if case in set(few)]
    assert len({case.architecture for case in few}) == min(30, len({case.architecture for case in cases}))
    assert len({case.mapping for case in few}) == len({case.mapping for case in cases})
    assert {case.kind for case in few} == {"drawn", "clustered"}
    assert some(cases, None) == list(cases)
    with pytest.raises(InputError, match="at least one point"):
        some(cases, 0)


@pytest.mark.parametrize(("chip", "knows"), [(CHIP, True), ("stems_meta1m_lpddr4", False)])
def test_an_array_without_gating_knows_no_spikes(chip: str, knows: bool) -> None:
    """On such a chip rows without knowledge of clusters would say the same twice: they are left out, with a note."""
    case = min(load_suite("generated", chip).cases, key=lambda each: len(each.network))
    point = observe(case)
    assert knows_spikes([point]) is knows
    found = compare(Suite("one", chip, (case,), ()), [point], chip)
    assert any(each.name.endswith(BLIND) for each in found.models) is knows
    assert any(note.startswith("spikes change nothing") for note in found.notes) is not knows
