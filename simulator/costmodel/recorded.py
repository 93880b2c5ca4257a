"""Recordings as cases: spikes that were recorded elsewhere, found in a directory by their layout.

The directory holds `layer_traces/`, `nets/`, `nmnist/` and `silicon/` in the layout that the benchmarks of recordings
read.  Names are "recorded/KIND/NAME":

    prosperity/FILE/LAYER   one layer behind its recorded input, see `simulator.costmodel.recorded_layers`
    prosperity/FILE/chain   the layers of that file whose spikes are all recorded, as one network
    pilotnet/all            nine recorded populations of a driving network
    nmnist/NET/ID           a recorded network run on a camera recording of the test table
    loihi/250_25_1          a network of Loihi run on its recorded input
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from simulator.errors import InputError, unknown
from simulator.network import Network
from simulator.trace.spikes import StepSpikesBuilder
from simulator.trace.trace import Trace

PREFIX = "recorded/"


@dataclass(frozen=True, eq=False)
class Recording:
    """A topology and the spikes of all its populations."""

    network: Network
    spikes: Trace

    def trace(self, first: int, steps: int) -> Trace:
        """Timesteps `first` and following of the first sample, at most `steps`, counted from its first spike on."""
        first += self._silent()
        last = min(int(self.spikes.steps[0]), first + steps)
        if first >= last:
            raise InputError("the recording has fewer timesteps", key=f"trace {self.spikes.name}", found=first)
        populations = {}
        for name in self.spikes.populations:
            builder = StepSpikesBuilder()
            builder.begin_sample()
            builder.add_block(self.spikes.spikes(name).block(0, first, last))
            populations[name] = builder.build()
        return replace(self.spikes, steps=np.array([last - first], np.int64), populations=populations, labels=None)

    @property
    def length(self) -> int:
        """Timesteps from the first spike on."""
        return int(self.spikes.steps[0]) - self._silent()

    def _silent(self) -> int:
        """Timesteps before the first in which anybody sends; 0 where nobody ever does."""
        length = int(self.spikes.steps[0])
        starts = [self.spikes.spikes(name).block(0, 0, length).start for name in self.spikes.populations]
        busy = np.flatnonzero(sum(np.diff(start) for start in starts))
        return int(busy[0]) if busy.size else 0


Kind = tuple[Callable[[Path], Iterator[tuple[str, str]]], Callable[[Path, str], Recording]]


def _kinds() -> dict[str, Kind]:
    """Kind -> (names and architectures that a directory holds, reader of one)."""
    from simulator.costmodel import recorded_layers, recorded_networks

    return {
        "prosperity": (recorded_layers.prosperity_names, recorded_layers.prosperity),
        "pilotnet": (recorded_layers.pilotnet_names, recorded_layers.pilotnet),
        "nmnist": (recorded_networks.nmnist_names, recorded_networks.nmnist),
        "loihi": (recorded_networks.loihi_names, recorded_networks.loihi),
    }


def recordings(
    kinds: Sequence[str], directory: str | None, left_out: list[tuple[str, str]]
) -> Iterator[tuple[str, str]]:
    """(name, architecture) of every recording of these kinds in a directory; a kind that it lacks is left out."""
    folder = _folder(directory)
    known = _kinds()
    for kind in kinds:
        if kind not in known:
            raise unknown("kind of recording", kind, known)
        try:
            found = list(known[kind][0](folder))
        except InputError as error:
            left_out.append((f"recordings {kind}", str(error)))
            continue
        for name, architecture in found:
            yield f"{PREFIX}{kind}/{name}", architecture


@lru_cache(maxsize=64)
def recording(name: str, directory: str | None) -> Recording:
    """The recording called "recorded/KIND/NAME"; InputError where there is none."""
    kind, _, rest = name.removeprefix(PREFIX).partition("/")
    known = _kinds()
    if kind not in known:
        raise unknown("kind of recording", kind, known)
    return known[kind][1](_folder(directory), rest)


def _folder(directory: str | None) -> Path:
    """The directory, which must be there."""
    if directory is None:
        raise InputError("the suite needs the directory of the recordings", key="directory")
    if not Path(directory).is_dir():
        raise InputError("no such directory", file=directory)
    return Path(directory)
