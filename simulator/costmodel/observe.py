"""Observe: a case simulated and estimated, and what is kept of both."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from simulator.costmodel.estimate import estimate
from simulator.costmodel.figures import Figures
from simulator.run import simulate

if TYPE_CHECKING:
    from simulator.costmodel.activity import Activity
    from simulator.costmodel.case import Case


@dataclass(frozen=True)
class Observation:
    """One point of a suite.

    simulated, estimated   figures of the run, and of the closed form without any correction
    activity    statistics of the spikes: all that the closed form was given
    seconds     CPU time of the run and of the estimate; no part of the comparison of two observations
    """

    case: Case
    simulated: Figures
    estimated: Figures
    activity: Activity = field(compare=False)
    seconds: tuple[float, float] = field(default=(0.0, 0.0), compare=False)


def observe(case: Case) -> Observation:
    """Simulates and estimates a case; InputError where it does not fit its chip or the chip has no closed form."""
    ready = case.prepare()
    activity = replace(ready.activity, network=ready.network)  # which the trace's equals, and which is shared
    begin = time.process_time()
    made = Figures.of(estimate(ready.schedule, ready.hardware, activity, mapping=ready.mapping))
    middle = time.process_time()
    record = simulate(ready.hardware, ready.network, ready.trace, ready.mapping)
    end = time.process_time()
    return Observation(
        case=case,
        simulated=Figures.of(record),
        estimated=made,
        activity=activity,
        seconds=(end - middle, middle - begin),
    )


def observe_all(cases: Sequence[Case], progress: Callable[[int], None] | None = None) -> list[Observation]:
    """`observe` for every case, in their order; `progress` is told how many are done."""
    found = []
    for done, case in enumerate(cases, start=1):
        found.append(observe(case))
        if progress is not None:
            progress(done)
    return found
