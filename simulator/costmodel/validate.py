"""validate(...): the simulator beside every model on the points of a suite."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.costmodel.calibrate import spread
from simulator.costmodel.estimate import compiled, estimate
from simulator.costmodel.figures import Figures
from simulator.costmodel.held_out import held_out
from simulator.costmodel.observe import Observation, observe
from simulator.costmodel.published import MODELS
from simulator.costmodel.suite import Suite, load_suite
from simulator.costmodel.validation import QUANTITIES, Answers, Validation
from simulator.errors import InputError
from simulator.hardware.load import load_hardware

if TYPE_CHECKING:
    from simulator.costmodel.activity import Activity
    from simulator.costmodel.case import Case
    from simulator.costmodel.chip import Chip
    from simulator.costmodel.estimate import Correction
    from simulator.costmodel.lesson import Lesson

Progress = Callable[[int, int, "Case"], None]
CLOSED, CALIBRATED = "closed form", "calibrated"
BLIND = ", no clusters"
LEVEL = 0.9


@dataclass(frozen=True)
class Said:
    """One answer of one of our own models; intervals are factors of its figures."""

    figures: Figures
    interval: Mapping[str, tuple[float, float]]
    warned: bool = False


def validate(
    suite: str | Suite,
    hardware: str,
    *,
    model: Correction | None = None,
    directory: str | None = None,
    seed: int = 0,
    level: float = LEVEL,
    points: int | None = None,
    progress: Progress | None = None,
) -> Validation:
    """Simulates the cases of a suite on a chip, and asks every model about them.

    suite      name of a suite, or one that is loaded; `directory`: where the recordings of suite "recorded" lie
    model      a calibrated model; without one, each architecture is predicted by a model fitted on all others
    level      probability that intervals of held-out predictions are made for
    points     at most so many cases, see `some`
    progress   is told how many cases of how many are done before each one, and which comes next

    Beside ours stand the closed form uncorrected, both of them without knowledge of clusters, and published models.
    InputError for an unknown suite, and where no case of it fits the chip.
    """
    chosen = load_suite(suite, hardware, directory, seed=seed) if isinstance(suite, str) else suite
    if model is not None:
        model.check(load_hardware(hardware))
    cases = some(chosen.cases, points, seed)
    if not cases:
        raise InputError("no case of this suite fits the chip", key=f"suite {chosen.name}", found=hardware,
                         allowed=[f"{what}: {why}" for what, why in chosen.left_out] or None)  # fmt: skip
    observations = []
    for done, case in enumerate(cases):
        if progress is not None:
            progress(done, len(cases), case)
        observations.append(observe(case))
    name = suite if isinstance(suite, str) else suite.name
    words = ["neurocycle", "validate", name, *([directory] if directory else []), "--hw", hardware]
    words += ["--seed", str(seed)] if seed else []
    words += ["--points", str(points)] if points else []
    words += ["--model", "MODEL"] if model is not None else []
    command = " ".join(word if word == "MODEL" else shlex.quote(word) for word in words)
    return compare(chosen, observations, hardware, model=model, seed=seed, level=level, command=command)


def compare(
    suite: Suite,
    observations: Sequence[Observation],
    hardware: str,
    *,
    model: Correction | None = None,
    blind_model: Correction | None = None,
    lessons: tuple[Lesson | None, Lesson | None] = (None, None),
    seed: int = 0,
    level: float = LEVEL,
    command: str = "",
) -> Validation:
    """The validation of points that were observed already; arguments as in `validate`.

    blind_model   what to ask, with activities without clusters, beside a given `model`; left out, `model` itself
    lessons       what the observations teach, and without clusters, where that is known already
    """
    notes = []
    blind = [without_clusters(each) for each in observations] if knows_spikes(observations) else []
    models = [_ours(CLOSED, "this project's closed form, uncalibrated", _uncorrected(observations))]
    if blind:
        about = "the same, taking every neuron to fire independently"
        models.append(_ours(CLOSED + BLIND, about, _uncorrected(blind)))
    else:
        notes.append("spikes change nothing on this chip, so nothing is gained from knowing their clusters")
    try:
        seen = _calibrated(observations, model, level, lessons[0])
        unseen = _calibrated(blind, blind_model or model, level, lessons[1]) if blind else []
    except InputError as error:
        notes.append(f"no calibrated predictions: {error}")
    else:
        how = "a given model" if model is not None else "models that never saw the point's architecture"
        models.insert(1, _ours(CALIBRATED, f"the closed form corrected by {how}", seen))
        if blind:
            models.append(_ours(CALIBRATED + BLIND, "the same, fitted and asked without knowledge of clusters", unseen))
        outside = sum(said.warned for said in seen)
        if outside:
            notes.append(f"{outside} of {len(seen)} points lie outside what the model has seen")
    models += [_published(each, observations) for each in MODELS]
    if suite.left_out:
        notes.append(f"{len(suite.left_out)} entries of the suite do not fit this chip and are left out")
    chip = load_hardware(hardware)
    return Validation(
        suite=suite.name,
        hardware=chip.name,
        sha256=chip.sha256,
        seed=seed,
        command=command,
        points=[_plain(each) for each in observations],
        left_out=[{"case": what, "reason": why} for what, why in suite.left_out],
        simulated=_answers("simulator", "cycle by cycle", [each.simulated for each in observations]),
        models=models,
        level=level,
        notes=notes,
    )


def some(cases: Sequence[Case], points: int | None, seed: int = 0) -> list[Case]:
    """At most `points` cases, in their order; the fewer, the more they differ in architecture, mapping and density."""
    if points is not None and points < 1:
        raise InputError("at least one point", key="points", found=points)
    taken = set(spread(cases, seed)[:points])
    return [case for case in cases if case in taken]


def _uncorrected(observations: Iterable[Observation]) -> list[Said]:
    return [Said(each.estimated, {}) for each in observations]


def _calibrated(
    observations: Sequence[Observation], model: Correction | None, level: float, lesson: Lesson | None
) -> list[Said]:
    """Each point by a given model, or by one that never saw its architecture."""
    if model is None:
        return [
            Said(each.figures, {"latency": each.latency, "energy": each.energy})
            for each in held_out(observations, level=level, lesson=lesson)
        ]
    found = []
    for each in observations:
        ready = each.case.prepare()
        made = estimate(ready.schedule, ready.hardware, each.activity, model, mapping=ready.mapping)
        found.append(Said(Figures.of(made), made.interval, bool(made.warnings)))
    return found


def knows_spikes(observations: Iterable[Observation]) -> bool:
    """False where no point's closed form asks for the rate of any population."""
    return any(_compiled(each).streams for each in observations)


def without_clusters(observation: Observation) -> Observation:
    """The same point, estimated as if every neuron fired independently at its population's rate."""
    ready = observation.case.prepare()
    activity: Activity = observation.activity.independent()
    made = estimate(ready.schedule, ready.hardware, activity, mapping=ready.mapping)
    return replace(observation, activity=activity, estimated=Figures.of(made))


def _compiled(observation: Observation) -> Chip:
    ready = observation.case.prepare()
    return compiled(ready.schedule, ready.hardware, ready.network, ready.mapping)[0]


def _ours(name: str, about: str, said: Sequence[Said]) -> Answers:
    made = _answers(name, about, [each.figures for each in said])
    interval = {
        quantity: np.array([each.interval[quantity] for each in said]) * made.total[quantity][:, None]
        for quantity in QUANTITIES
        if all(quantity in each.interval for each in said)
    }
    return replace(made, interval=interval, warned=np.array([each.warned for each in said]))


def _answers(name: str, about: str, figures: Sequence[Figures]) -> Answers:
    total = {"latency": [f.end_ps for f in figures], "energy": [f.energy_pj for f in figures]}
    parts: dict[str, list[Mapping[str, float]]] = {
        "latency": [f.latency for f in figures],
        "energy": [f.energy for f in figures],
    }
    terms = {
        quantity: {
            term: np.array([float(each.get(term, 0)) for each in rows])
            for term in dict.fromkeys(t for each in rows for t in each)
        }
        for quantity, rows in parts.items()
    }
    return Answers(name, about, {q: np.array(values, np.float64) for q, values in total.items()}, terms)


def _published(model: Any, observations: Sequence[Observation]) -> Answers:
    """Totals of a published model, NaN where its source says nothing."""
    total: dict[str, list[float]] = {quantity: [] for quantity in QUANTITIES}
    for each in observations:
        ready = each.case.prepare()
        for quantity, ask in (("latency", model.latency_ps), ("energy", model.energy_pj)):
            found = ask(ready.schedule, ready.hardware, each.activity, ready.mapping)
            total[quantity].append(np.nan if found is None else float(found))
    return Answers(model.name, model.source, {q: np.array(values) for q, values in total.items()})


def _plain(observation: Observation) -> dict[str, Any]:
    """What a point is, for tables and JSON."""
    case = observation.case
    return {
        "architecture": case.architecture,
        "kind": case.kind,
        "mapping": case.mapping,
        "density": case.density,
        "steps": case.steps,
        "samples": case.samples,
        "seed": case.seed,
        "overrides": list(case.overrides),
        "measured_density": _density(observation.activity),
    }


def _density(activity: Activity) -> float:
    """Events per neuron and timestep over all populations."""
    sizes = np.array([p.size for p in activity.network.populations], np.float64)
    steps = float(activity.weight.sum())
    return float(sizes @ (activity.mean @ activity.weight)) / (float(sizes.sum()) * steps) if steps else 0.0
