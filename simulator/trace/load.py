"""Any trace by path or bundled name: the file's content and suffix say which reader takes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from simulator.errors import InputError, unknown
from simulator.network import Network
from simulator.network.choices import choices_of, for_scope, load_choices
from simulator.network.hdf5 import HdfFile, is_hdf5
from simulator.resources import find_resource, list_resources
from simulator.trace.dat import read_dat
from simulator.trace.event_stream import read_event_stream
from simulator.trace.events import CameraEvents
from simulator.trace.evt2 import read_evt2
from simulator.trace.file import read_trace
from simulator.trace.nmnist import read_nmnist
from simulator.trace.nmnist_set import list_recordings, readers
from simulator.trace.recordings import events_trace
from simulator.trace.trace import Trace
from simulator.trace.writer import SCHEMA

__all__ = ["fit_network", "load_choices", "load_trace", "trace_names"]

BUNDLED_SUFFIX = ".trace"
CAMERAS: dict[str, Callable[[Path], CameraEvents]] = {
    ".bin": read_nmnist,
    ".bs2": read_nmnist,
    ".dat": read_dat,
    ".es": read_event_stream,
    ".raw": read_evt2,
}
FORMATS = (
    "native HDF5, N-MNIST (.bin, .bs2 or a folder of them), EVT 2.0 (.raw), DAT (.dat), Event Stream (.es), "
    "SONATA (.h5), numpy (.npy, .npz)"
)


def load_trace(
    name_or_path: str | Path, network: Network | None = None, choices: Mapping[str, Any] | None = None
) -> Trace:
    """Trace of a file or a bundled trace (`digits`); a path that exists goes before a name.

    `network`: the trace must fit it; formats that hold no network need it, or make one of a single input population.
    `choices`: import choices (keys and options: `simulator.network.choices`); those of networks are left alone.
    None takes them from the sidecar `<file>.import.yaml`, where there is one.
    Raises InputError for unknown names, formats and choices, damaged files, and spikes that do not fit.
    """
    path = Path(name_or_path)
    given = for_scope(choices_of(path, choices), "trace", file=path)
    if not path.exists():
        path = _bundled(str(name_or_path), path)
    if path.is_dir():
        paths, labels = list_recordings(path)
        return events_trace(readers(paths), given, file=path, network=network, labels=labels)
    if path.suffix in CAMERAS:
        return events_trace([partial(CAMERAS[path.suffix], path)], given, file=path, network=network)
    if path.suffix in (".npy", ".npz"):
        from simulator.trace.array_file import load_array_file

        return load_array_file(path, given, network)
    if is_hdf5(path):
        return _from_hdf5(path, given, network)
    raise InputError("not a trace file", file=path, found=path.suffix or "no suffix", allowed=FORMATS)


def trace_names() -> list[str]:
    """Names of the bundled traces."""
    return [n.removesuffix(BUNDLED_SUFFIX) for n in list_resources("traces") if n.endswith(BUNDLED_SUFFIX)]


def fit_network(trace: Trace, network: Network, file: Path) -> None:
    """Raises InputError, naming the population, unless `network` has each population of the trace, of equal shape."""
    for population in trace.network.populations:
        if population.name not in {p.name for p in network.populations}:
            raise unknown(
                "population: the trace does not belong to this network",
                population.name,
                [p.name for p in network.populations],
                file=file,
            )
        wanted = network.population(population.name)
        if wanted.shape != population.shape or wanted.is_input != population.is_input:
            raise InputError(
                f"the trace does not fit the network {network.name}",
                file=file,
                key=f"population {population.name}",
                found=population.shape,
                allowed=[str(wanted.shape)],
            )
    for name in trace.populations:
        network.population(name)


def _bundled(name: str, path: Path) -> Path:
    names = trace_names()
    if name in names:
        return find_resource("traces", name + BUNDLED_SUFFIX)
    if path.suffix or len(path.parts) > 1:
        raise InputError(
            "no such file", file=path, allowed=f"a path, or a name: {', '.join(names) or 'none is bundled'}"
        )
    raise unknown("trace", name, names)


def _from_hdf5(path: Path, given: dict[str, Any], network: Network | None) -> Trace:
    with HdfFile(path) as file:
        schema = file.attribute("schema")
        sonata = file.is_group("/spikes")
    if schema == SCHEMA:
        rest = [k for k in given if not k.startswith("dt_")]
        if rest:
            raise InputError("this file leaves nothing open: it takes no import choices", file=path, found=rest)
        trace = read_trace(path)
        if network is not None:
            fit_network(trace, network, path)
        return trace
    if schema is None and sonata:
        from simulator.trace.sonata import load_sonata

        return load_sonata(path, given, network)
    raise InputError("an HDF5 file, but no trace that is known here", file=path, found=schema, allowed=FORMATS)
