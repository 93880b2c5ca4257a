"""Held-out predictions: every point answered by a model that never saw its architecture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulator.costmodel.estimate import estimate
from simulator.costmodel.figures import Figures
from simulator.costmodel.lesson import LEAST_ARCHITECTURES, Lesson
from simulator.errors import InputError

if TYPE_CHECKING:
    from simulator.costmodel.model import CostModel
    from simulator.costmodel.observe import Observation


@dataclass(frozen=True)
class HeldOut:
    """What a model says of a point; latency, energy: (low, high), factors of the estimate for the interval's ends."""

    figures: Figures
    latency: tuple[float, float]
    energy: tuple[float, float]


def held_out(observations: Sequence[Observation], *, level: float = 0.9, lesson: Lesson | None = None) -> list[HeldOut]:
    """Predictions of all points, in their order.  `lesson`: what these observations teach, where it is known already.

    The model that answers for an architecture was fitted without it, and the errors behind its intervals are of fits
    that saw neither it nor the point they were made on.  InputError where there are fewer than three architectures.
    """
    names = sorted({seen.case.architecture for seen in observations})
    if len(names) < LEAST_ARCHITECTURES:
        raise InputError(
            "predictions of architectures that were not seen need more of them",
            key="architectures",
            found=names,
            allowed=f"at least {LEAST_ARCHITECTURES}",
        )
    lesson = lesson or Lesson.of(observations, level)
    models: dict[str, CostModel] = {name: lesson.model(name) for name in names}
    made = []
    for seen in observations:
        ready = seen.case.prepare()
        model = models[seen.case.architecture]
        found = estimate(ready.schedule, ready.hardware, seen.activity, model, mapping=ready.mapping)
        made.append(HeldOut(Figures.of(found), found.interval["latency"], found.interval["energy"]))
    return made
