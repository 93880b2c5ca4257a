"""Calibrate: simulates as many cases as it takes, fits the closed form to them, and says how wrong it still is."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.costmodel.intervals import check_level
from simulator.costmodel.lesson import LEAST_ARCHITECTURES, Lesson
from simulator.costmodel.observe import observe
from simulator.errors import InputError

if TYPE_CHECKING:
    from simulator.costmodel.case import Case
    from simulator.costmodel.model import CostModel
    from simulator.costmodel.observe import Observation

BEYOND = 0.1
"""Held-out error beyond which more cases like the point are simulated."""
FIRST = 0.5
"""Share of the cases that is simulated before anything is known."""
MORE = 0.15
"""Share of the cases that a round may add."""


def calibrate(
    suite: str | Sequence[Case],
    hardware: str,
    *,
    directory: str | None = None,
    seed: int = 0,
    level: float = 0.9,
    budget: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> CostModel:
    """A model of `hardware` (name or path) from the cases of a suite, or from given ones.

    It simulates a part of the cases, every architecture among them, then more of those that resemble points whose
    held-out error exceeds BEYOND, until there are none or `budget` cases (all) are used.  seed: of the suite and of the
    choice.  level: share of the points that intervals are to cover.  progress(done, at most) is told after every case.
    InputError for bad arguments, a suite that does not fit, and fewer than three architectures.
    """
    check_level(level)
    cases = _cases(suite, hardware, directory, seed)
    most = len(cases) if budget is None else min(budget, len(cases))
    if most < LEAST_ARCHITECTURES:
        raise InputError("not enough cases", key="budget", found=most, allowed=f"at least {LEAST_ARCHITECTURES}")
    names = sorted({case.architecture for case in cases})
    if len(names) < LEAST_ARCHITECTURES:
        raise InputError(
            "errors are measured on architectures that were held out; there are too few of them",
            key="architectures", found=names, allowed=f"at least {LEAST_ARCHITECTURES}",
        )  # fmt: skip
    waiting = spread(cases, seed)
    chosen, seen, rounds = waiting[: max(LEAST_ARCHITECTURES, int(np.ceil(FIRST * most)))], [], []
    chosen = chosen[:most]
    while True:
        for case in chosen:
            seen.append(observe(case))
            if progress is not None:
                progress(len(seen), most)
        taken = set(chosen)
        waiting = [case for case in waiting if case not in taken]
        lesson = Lesson.of(seen, level)
        bad = [each.case for each, error in zip(seen, lesson.worst.tolist(), strict=True) if error > BEYOND]
        chosen = alike(bad, waiting)[: min(most - len(seen), max(1, int(MORE * len(cases))))]
        rounds.append({"cases": len(seen), "beyond_10_percent": len(bad), "added": len(chosen)})
        if not chosen:
            break
    return lesson.model(fitted_on=_provenance(seen, len(cases), seed, rounds))


def spread(cases: Sequence[Case], seed: int) -> list[Case]:
    """All cases in an order that meets every architecture, and every mapping, kind and density, early.

    Within an architecture the order is drawn; then the architectures take turns, each offering a case whose mapping,
    kind and density were met least so far.
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    groups: dict[str, list[Case]] = {}
    for case in cases:
        groups.setdefault(case.architecture, []).append(case)
    for name in groups:
        groups[name] = [groups[name][i] for i in rng.permutation(len(groups[name]))]
    met: dict[tuple[Any, ...], int] = {}
    found: list[Case] = []
    while groups:
        for name in list(groups):
            left = groups[name]
            case = min(left, key=lambda each: sum(met.get(trait, 0) for trait in _traits(each)))
            left.remove(case)
            for trait in _traits(case):
                met[trait] = met.get(trait, 0) + 1
            found.append(case)
            if not left:
                del groups[name]
    return found


def alike(bad: Sequence[Case], waiting: Sequence[Case]) -> list[Case]:
    """The waiting cases that share an architecture or two traits with a bad one, most alike first."""
    score: dict[tuple[Any, ...], int] = {}
    for case in bad:
        for trait in (("architecture", case.architecture), *_traits(case)):
            score[trait] = score.get(trait, 0) + 1
    ranked = []
    for n, case in enumerate(waiting):
        shared = [score.get(trait, 0) for trait in _traits(case)]
        own = score.get(("architecture", case.architecture), 0)
        if own or sum(count > 0 for count in shared) >= 2:
            ranked.append((-own - sum(shared), n, case))
    return [case for _, _, case in sorted(ranked, key=lambda each: each[:2])]


def _traits(case: Case) -> tuple[tuple[str, Any], ...]:
    return ("mapping", case.mapping), ("density", case.density), ("kind", case.kind)


def _cases(suite: str | Sequence[Case], hardware: str, directory: str | None, seed: int) -> list[Case]:
    if isinstance(suite, str):
        from simulator.costmodel.suite import load_suite

        return list(load_suite(suite, hardware, directory, seed=seed).cases)
    for case in suite:
        if case.hardware != hardware:
            raise InputError("a case of other hardware", key="cases", found=case.hardware, allowed=[hardware])
    return list(dict.fromkeys(suite))


def _provenance(seen: Sequence[Observation], offered: int, seed: int, rounds: list[dict[str, int]]) -> dict[str, Any]:
    """What a model was fitted on: plain values.  Where recordings lie is no part of what they are."""
    plain = [{k: v for k, v in asdict(each.case).items() if k != "directory"} for each in seen]
    text = json.dumps(sorted(plain, key=json.dumps), sort_keys=True)
    return {
        "cases": len(seen),
        "offered": offered,
        "sha256": hashlib.sha256(text.encode("ascii")).hexdigest(),
        "suites": sorted({each.case.suite for each in seen}),
        "architectures": sorted({each.case.architecture for each in seen}),
        "seed": seed,
        "rounds": rounds,
    }
