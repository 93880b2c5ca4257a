"""Cost models: files that come back equal, refusals, warnings, and estimates that stay monotone."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simulator import Activity, estimate, load_hardware, load_network, lower, place
from simulator.costmodel.chip import Term
from simulator.costmodel.estimate import compiled
from simulator.costmodel.estimated import Estimate
from simulator.costmodel.features import features
from simulator.costmodel.intervals import Interval
from simulator.costmodel.lesson import Lesson
from simulator.costmodel.model import CostModel, Weighed
from simulator.costmodel.model_file import load_model
from simulator.costmodel.scope import Scope
from simulator.costmodel.surface import Surface
from simulator.errors import InputError
from tests.unit.toy_chip import HARDWARE, POINTS, TERMS, toy_features, toy_points

TRUE = (1.25, 0.8, 1.5, 0.4)
STEPS = 3


def taught(noise: float = 0.02) -> CostModel:
    """The model that points of the toy chip teach."""
    points = toy_points(TRUE, 1.1, noise=noise)
    return Lesson(Surface(points), toy_features(points), Scope.of([HARDWARE])).model(fitted_on={"cases": POINTS})


def corrected(weight: float = 1.3, factor: float = 1.2) -> CostModel:
    """A model of `event_core_28nm` that multiplies every term and one count, and saw digits at rates of 5 to 20 %."""
    network, hardware = load_network("digits"), HARDWARE
    chip, _ = compiled(lower(place(network, hardware), network, hardware), hardware, network)
    told = [features(len(network.layers), 1.0, Activity.bernoulli(network, r, STEPS)) for r in (0.05, 0.2)]
    ends = {name: sorted((told[0][name], told[1][name])) for name in told[0]} | {"tasks": [0.0, 1000.0]}
    return CostModel(
        scope=Scope.of([hardware, load_hardware("event_core_28nm", ["dram.burst_cycles=24"])]),
        terms=tuple(Weighed(t.name, weight * t.weight, t.weight, t.meaning) for t in chip.terms),
        counts={("cmos_core", "accumulate:partial_sum"): factor},
        intervals={"latency": Interval(-1.0, 2.0, {"always": 0.02}), "energy": Interval(-1.5, 1.0, {"always": 0.01})},
        level=0.9,
        seen={name: (low, high) for name, (low, high) in ends.items()},
    )


def asked(model: CostModel | None, rate: float, *overrides: str) -> Estimate:
    """The estimate of digits with the mapping of the chip as it is bundled."""
    network = load_network("digits")
    schedule = lower(place(network, HARDWARE), network, HARDWARE)
    hardware = load_hardware("event_core_28nm", list(overrides)) if overrides else HARDWARE
    return estimate(schedule, hardware, Activity.bernoulli(network, rate, STEPS), model)


def test_estimates_are_multiplied_and_say_how_sure_they_are() -> None:
    plain, made = asked(None, 0.1), asked(corrected(), 0.1)
    assert made.end_ps == pytest.approx(1.3 * plain.end_ps, rel=1e-3)
    action = plain.actions.index("accumulate:partial_sum")
    assert made.counts[:, :, action].sum() == pytest.approx(1.2 * plain.counts[:, :, action].sum(), rel=1e-3)
    assert made.interval == {"latency": pytest.approx((0.98, 1.04)), "energy": pytest.approx((0.985, 1.01))}
    assert made.warnings == () and made.summary()["interval"]["latency"] == pytest.approx([0.98, 1.04])


def test_fewer_spikes_and_more_bandwidth_never_cost_more_with_a_model() -> None:
    made = [asked(corrected(), rate) for rate in (0.0, 0.01, 0.1, 0.3, 0.6, 1.0)]
    assert all(a.end_ps <= b.end_ps and a.total_pj <= b.total_pj for a, b in pairwise(made))
    slow = asked(corrected(), 0.1, "dram.burst_cycles=24").end_ps
    assert asked(corrected(), 0.1, "dram.burst_cycles=12").end_ps <= slow


def test_other_hardware_is_refused() -> None:
    with pytest.raises(InputError, match="burst_cycles"):
        asked(corrected(), 0.1, "dram.burst_cycles=48")
    with pytest.raises(InputError, match="fitted for other hardware"):
        asked(corrected(), 0.1, "weight.banks=1")
    with pytest.raises(InputError, match="event_core_28nm"):
        corrected().check(load_hardware("sia_pynqz2"))


@pytest.mark.parametrize(("rate", "feature"), [(0.02, "density"), (0.9, "density"), (0.01, "events")])
def test_a_question_outside_of_what_was_seen_is_warned_of(rate: float, feature: str) -> None:
    assert any(warning.startswith(feature) for warning in asked(corrected(), rate).warnings)


def test_a_closed_form_that_has_changed_is_refused() -> None:
    model = taught()
    assert model.weights(TERMS) == pytest.approx(TRUE, rel=0.1)
    order = (TERMS[3], *TERMS[:3])
    assert model.weights(order) == pytest.approx([TRUE[3], *TRUE[:3]], rel=0.1)
    for terms in (TERMS[:3], (*TERMS, Term("more")), (*TERMS[:3], replace_weight(TERMS[3]))):
        with pytest.raises(InputError, match="calibrate again"):
            model.weights(terms)


def replace_weight(term: Term) -> Term:
    """The term with another weight before calibration."""
    return term._replace(weight=0.5)


@pytest.mark.parametrize("chip", ["sia_pynqz2", "event_core_28nm", "cim_spikesim64", "stems_meta1m_lpddr4"])
def test_every_term_says_what_it_means(chip: str) -> None:
    network, hardware = load_network("digits"), load_hardware(chip)
    mapping = place(network, hardware)
    made, _ = compiled(lower(mapping, network, hardware), hardware, network, mapping)
    names = [term.name for term in made.terms]
    assert all(term.meaning for term in made.terms) and len(set(names)) == len(names)
    assert all(name.partition(".")[0] and name.partition(".")[2] for name in names)
    assert {term.weight for term in made.terms} <= {0, 1}


def test_weights_below_zero_are_refused() -> None:
    model = corrected()
    with pytest.raises(InputError, match=r"terms\."):
        replace(model, terms=(replace(model.terms[0], weight=-0.1), *model.terms[1:]))
    with pytest.raises(InputError, match=r"counts\."):
        replace(model, counts={("sram", "read:weight"): -1e-9})


def test_files_come_back_equal_and_equal_inputs_make_equal_bytes(tmp_path: Path) -> None:
    model = taught()
    first, second = model.save(tmp_path / "a.json"), taught().save(tmp_path / "b.json")
    assert first.read_bytes() == second.read_bytes()
    assert load_model(first) == model
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.json", "b.json"]
    text = json.loads(first.read_text())
    assert text["terms"][3]["meaning"] == TERMS[3].meaning and set(text["held_out"]) == {"all", *(
        f"net{n}" for n in range(6))}  # fmt: skip


def test_held_out_errors_are_those_of_the_noise() -> None:
    """What was drawn onto the runs is all that four weights cannot explain, and little of it can they follow."""
    points = toy_points(TRUE, 1.1, noise=0.02)
    drawn = np.abs([point.price(np.array(TRUE))[0] / point.end - 1 for point in points])
    held = taught().held_out["all"]
    assert held.points == POINTS
    assert held.latency_mape == pytest.approx(drawn.mean(), rel=0.15)
    assert held.latency_p95 == pytest.approx(np.quantile(drawn, 0.95), rel=0.25)


BROKEN: list[tuple[tuple[Any, ...], Any, str]] = [
    (("schema",), "neurocycle.costmodel/0", "schema"),
    (("surplus",), 1, "surplus"),
    (("terms", 0, "weight"), -1, r"terms\[0\].weight"),
    (("terms", 0, "weight"), True, r"terms\[0\].weight"),
    (("terms", 0, "weight"), "1", r"terms\[0\].weight"),
    (("terms", 0, "default"), 2, "closed_form.sha256"),
    (("terms",), {}, "terms"),
    (("closed_form", "sha256"), "0" * 64, "closed_form.sha256"),
    (("hardware", "fixed_sha256"), "xyz", "hardware.fixed_sha256"),
    (("hardware", "varied"), {"units.a": []}, "hardware.varied.units.a"),
    (("counts",), [{"unit_type": "a", "action": "b"}], r"counts\[0\].weight"),
    (("interval", "latency", "scale"), {"coarse": 1}, "interval.latency.scale.always"),
    (("interval", "latency", "scale"), {"always": 1, "course": 1}, "coarse"),
    (("interval", "latency", "high"), -1e8, "interval.latency.high"),
    (("seen", "density"), [2, 1], "seen.density"),
    (("seen", "density"), [1], "seen.density"),
    (("level",), 2, "level"),
    (("held_out", "all", "points"), 1.5, "held_out.all.points"),
    (("fitted_on",), [], "fitted_on"),
]


@pytest.mark.parametrize(("path", "value", "told"), BROKEN)
def test_broken_files_end_in_one_message(tmp_path: Path, path: tuple[Any, ...], value: Any, told: str) -> None:
    data = json.loads(taught().save(tmp_path / "m.json").read_text())
    place: Any = data
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    (tmp_path / "m.json").write_text(json.dumps(data))
    with pytest.raises(InputError, match=told) as caught:
        load_model(tmp_path / "m.json")
    assert "m.json" in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "[", "[]", "null", '{"schema": NaN}', "\x00", "[" * 100000, '"' + "é" * 10])
def test_files_that_are_no_models(tmp_path: Path, text: str) -> None:
    (tmp_path / "m.json").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"m\.json"):
        load_model(tmp_path / "m.json")
    with pytest.raises(InputError, match="none"):
        load_model(tmp_path / "none.json")


def test_missing_keys_are_named(tmp_path: Path) -> None:
    data = json.loads(taught().save(tmp_path / "m.json").read_text())
    for key in data:
        (tmp_path / "m.json").write_text(json.dumps({k: v for k, v in data.items() if k != key}))
        with pytest.raises(InputError, match=key):
            load_model(tmp_path / "m.json")


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot write"):
        taught().save(tmp_path / "nowhere" / "m.json")


def test_features_of_drawn_spikes() -> None:
    """Independent spikes have no clusters; the rest are counts."""
    network = load_network("digits")
    found = features(5, 40.0, Activity.bernoulli(network, 0.25, STEPS))
    size = sum(p.size for p in network.populations)
    assert found["density"] == pytest.approx(0.25) and found["clustering"] == pytest.approx(1.0)
    assert found["events"] == pytest.approx(0.25 * size * STEPS) and found["neurons"] == size
    assert found["tasks"] == 8 and found["timesteps"] == STEPS
    silent = features(5, 40.0, Activity.bernoulli(network, 0.0, STEPS))
    assert silent["clustering"] == 1 and np.isfinite(list(silent.values())).all()
