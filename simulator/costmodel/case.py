"""Case: one point at which the closed form is held against the simulator."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Literal

from simulator.costmodel.activity import Activity
from simulator.costmodel.wishes import DEFAULT, placed
from simulator.hardware.load import load_hardware
from simulator.mapping import lower

if TYPE_CHECKING:
    from simulator.hardware import Hardware
    from simulator.mapping import Mapping, Schedule
    from simulator.network import Network
    from simulator.trace import Trace

Kind = Literal["drawn", "clustered", "recorded", "trained"]
KEPT = 512
"""Networks on a chip with their mapping and schedule that are kept at once."""


@dataclass(frozen=True)
class Case:
    """A network with its spikes and a mapping on a chip; deterministic, and nothing of it is built before `prepare`.

    suite, architecture   where it belongs; the cases of an architecture are held out together
    kind        "drawn": independent spikes; "clustered": drawn with clusters in space and time; "recorded": spikes of a
                network that was run elsewhere; "trained": spikes of a trained network of this project
    hardware, overrides   name or path of the chip, "unit.field=value" settings
    mapping     a line of wishes, see `simulator.costmodel.wishes`
    density     mean events per neuron and timestep that spikes are drawn with; 1: every neuron fires; None: not drawn
    seed        of the drawn spikes
    steps, samples   timesteps and samples; of recordings at most so many
    network     what to build, see `simulator.costmodel.sources`
    directory   where recordings lie
    """

    suite: str
    architecture: str
    kind: Kind
    hardware: str
    overrides: tuple[str, ...] = ()
    mapping: str = DEFAULT
    density: float | None = None
    seed: int = 0
    steps: int = 4
    samples: int = 1
    network: str = ""
    directory: str | None = None

    @property
    def name(self) -> str:
        """One line that tells the case from all others of its suite."""
        parts = [self.hardware, self.network, self.mapping, self.kind]
        parts += [] if self.density is None else [f"density={self.density:g}"]
        parts += [f"steps={self.steps}", f"samples={self.samples}", f"seed={self.seed}", *self.overrides]
        return "; ".join(parts)

    def prepare(self) -> Prepared:
        """What a run and an estimate of this case need; InputError where it does not fit."""
        key = (self.hardware, self.overrides, self.network, self.mapping, self.steps, self.directory)
        hardware, network, mapping, schedule = _machine(*key)
        return Prepared(hardware, network, mapping, schedule, self)


@dataclass(frozen=True, eq=False)
class Prepared:
    """A case that is ready to run.  Cases that differ in their spikes only share everything but `trace` and `activity`;
    these two are made when they are asked for."""

    hardware: Hardware
    network: Network
    mapping: Mapping
    schedule: Schedule
    case: Case

    @cached_property
    def trace(self) -> Trace:
        """Spikes of every population."""
        from simulator.costmodel.sources import trace_of

        return trace_of(self.case, self.network)

    @cached_property
    def activity(self) -> Activity:
        """Statistics of the trace: all that the closed form may know of it."""
        return Activity.of(self.trace)


@lru_cache(maxsize=KEPT)
def _machine(
    hardware: str, overrides: tuple[str, ...], network: str, mapping: str, steps: int, directory: str | None
) -> tuple[Hardware, Network, Mapping, Schedule]:
    """A network, placed and lowered on a chip; the same objects for the same arguments."""
    chip, net = _chip(hardware, overrides), _network(network, directory)
    made = placed(net, chip, mapping, steps)
    return chip, net, made, lower(made, net, chip)


@lru_cache(maxsize=32)
def _chip(hardware: str, overrides: tuple[str, ...]) -> Hardware:
    """A chip, read once."""
    return load_hardware(hardware, list(overrides))


@lru_cache(maxsize=KEPT)
def _network(name: str, directory: str | None) -> Network:
    """A network, built once."""
    from simulator.costmodel.sources import network_of

    return network_of(name, directory)
