"""Closed form of a unit that holds a network whole: one task per sample, whose time is a sum over events and timesteps.

Each unit type says what an event, a spike and a timestep cost in cycles, part by part (`Charge`), and which counters
they move; nothing overlaps, so that the cycles of a run are the sum.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from simulator.costmodel.chip import Priced, Term
from simulator.costmodel.rates import Rates, Stream
from simulator.costmodel.tally import REPETITION, Tally
from simulator.errors import InputError
from simulator.units import PS_PER_SECOND

LIVE = -1
"""Population of the stream that counts timesteps."""
LAUNCH = Term("host.launch", 1.0, "the host hands a sample to the unit")


class Charge(NamedTuple):
    """So many cycles of a term per event of a stream, and the row of the ledger that they work for.

    stream: index, or `tally.REPETITION` for once per sample.  layer: row of the ledger; 0 for no row's own.
    active: whether the unit works in these cycles.
    """

    term: str
    stream: int
    cycles: float
    layer: int = 0
    active: bool = False


class WholeChip(ABC):
    """A host and one unit with a network; see `chip.Chip`.  Subclasses fill in streams, charges and counters.

    InputError where the schedule has no layers: a stimulus of cycles has no closed form.
    """

    parts: tuple[Term, ...] = ()
    """Terms of the unit type, after `LAUNCH`."""
    active: str = ""
    """Action that counts cycles: of work, or all (`idle` true)."""

    def __init__(self, schedule: Any, hardware: Any, network: Any, unit: str, actions: tuple[str, ...]) -> None:
        if not network.layers:
            raise InputError("a stimulus without layers has no closed form, only a run", key=f"network {network.name}",
                             found="no layer", allowed="a network of layers, spikes by timestep")  # fmt: skip
        self.schedule, self.hardware, self.network = schedule, hardware, network
        self.name = unit
        self.spec: Any = hardware.units[unit]
        self.unit = schedule.units.index(unit)
        self.layer = int(schedule.layer[-1])
        self.built: Mapping[str, Mapping[str, int]] = {}
        self.terms: tuple[Term, ...] = (LAUNCH, *self.parts)
        self.streams: list[Stream] = []
        self.charges: list[Charge] = []
        self.tally = Tally(schedule.units, schedule.layers, actions)
        index = {p.name: i for i, p in enumerate(network.populations)}
        self._index = index
        host = next(i for i, name in enumerate(schedule.units) if hardware.units[name].type == "host")
        spec = hardware.units[schedule.units[host]]
        self.tally.add(host, 0, "launch:task", REPETITION, schedule.rows)
        self._launch = schedule.rows * spec.launch_cycles * PS_PER_SECOND / hardware.clocks[spec.clock]
        self._clock = PS_PER_SECOND / hardware.clocks[self.spec.clock]
        self.launch_cycles = self._launch / self._clock
        self.fill()
        self._close()

    @abstractmethod
    def fill(self) -> None:
        """Adds the unit's charges and counters."""

    def stream(self, population: str | None, delay: int = 0) -> int:
        """Place of a population's stream of events; None: of timesteps."""
        key = Stream(LIVE if population is None else self._index[population], delay, 0)
        if key not in self.streams:
            self.streams.append(key)
        return self.streams.index(key)

    def count(self, layer: int, action: str, stream: int, times: float) -> None:
        """The unit's counter in a row of the ledger grows by `times` per event of a stream."""
        self.tally.add(self.unit, layer, action, stream, times)

    def charge(self, part: str, stream: int, cycles: float, layer: int = 0, active: bool = False) -> None:
        """Adds cycles, see `Charge`."""
        if cycles:
            self.charges.append(Charge(f"{self.spec.type}.{part}", stream, float(cycles), layer, active))

    def _close(self) -> None:
        self.tally.close()
        names = [term.name for term in self.terms]
        self._term = np.array([names.index(c.term) for c in self.charges], np.int64)
        self._stream = np.array([c.stream for c in self.charges], np.int64)
        self._cycles = np.array([c.cycles for c in self.charges])
        self._rows = np.array([c.layer for c in self.charges], np.int64)
        self._works = np.array([c.active for c in self.charges])

    def totals(self, found: Rates) -> np.ndarray:
        """float64 [streams]: events of the run."""
        return found.total

    def price(self, found: Rates, weights: np.ndarray) -> Priced:
        """A run at these rates, see `chip.Chip`."""
        totals = self.totals(found)
        every = np.append(totals, [found.samples, 1.0])
        cycles = self._cycles * every[self._stream] * weights[self._term]
        counts = self.tally.counts(totals, found.samples)
        worked = float(cycles[self._works].sum())
        counts.ravel()[self.tally.cell(self.unit, self.layer, self.active)] += worked
        end = float(cycles.sum()) * self._clock + self._launch * weights[0] * found.samples
        rows = len(self.schedule.layers)
        busy, span = np.zeros(rows), np.full((rows, 2), -1.0)
        np.add.at(busy, self._rows, cycles * self._clock)
        busy[0] = 0.0
        for row in self.whole_rows():
            busy[row] = float(cycles.sum()) * self._clock
        for row in np.flatnonzero(busy).tolist():
            span[row] = self._launch * weights[0], end
        return Priced(counts, end, busy, span)

    def whole_rows(self) -> tuple[int, ...]:
        """Rows of the ledger that are at work for the whole sample."""
        return (self.layer,)


def refuse_image(unit: str, spec: Any) -> None:
    """InputError where the unit (name and spec) holds an image of its memories."""
    if spec.image is not None:
        raise InputError("an image goes with a stimulus, which has no closed form", key=f"units.{unit}.image",
                         found=spec.image, allowed="a network")  # fmt: skip
