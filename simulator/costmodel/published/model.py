"""The one question that every published model is asked, and the answers it may give."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from simulator.costmodel.activity import Activity
from simulator.hardware import Hardware
from simulator.mapping.mapping import Mapping
from simulator.mapping.schedule import Schedule


class Answer(Protocol):
    """A figure of a whole run, or None where the source says nothing about such a chip."""

    def __call__(
        self, schedule: Schedule, hardware: Hardware, activity: Activity, mapping: Mapping | None = None
    ) -> float | None:
        """The figure, in the unit that the model's field names."""
        ...


def silent(schedule: Schedule, hardware: Hardware, activity: Activity, mapping: Mapping | None = None) -> None:
    """The answer of a source that does not deal with the quantity at all."""


@dataclass(frozen=True)
class PublishedModel:
    """A cost model as its source states it: neither corrected nor calibrated.

    name         short, as in tables
    source       whose model it is
    latency_ps   time of the whole run, all samples, ps; None where the source says nothing
    energy_pj    energy of the whole run, all samples, pJ; None where the source says nothing

    Both take (schedule, hardware, activity, mapping), as `estimate` does; without a mapping the default one counts.
    """

    name: str
    source: str
    latency_ps: Answer = silent
    energy_pj: Answer = silent
