"""Recordings of events as a trace: one recording is one sample of an input population."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from simulator.errors import InputError, unknown
from simulator.network import Network, Neuron, Population
from simulator.network.choices import check_keys, number, one_of, require, timestep_us
from simulator.trace.binning import MULTIPLES, ORIGINS, ROUNDINGS, bin_events
from simulator.trace.events import POLARITIES, CameraEvents, UnitEvents
from simulator.trace.spikes import Events, StepSpikesBuilder
from simulator.trace.trace import Trace

Recording = CameraEvents | UnitEvents
_SIZE = {"camera": ("width", "height"), "units": ("neurons",)}


def events_trace(
    recordings: Sequence[Callable[[], Recording]],
    choices: Mapping[str, Any],
    *,
    file: Path,
    network: Network | None = None,
    labels: np.ndarray | None = None,
) -> Trace:
    """Trace of event recordings, read one after another.

    `choices`: `time_base` (step | us), `origin`, for cameras `polarity`; for timesteps also `dt_us`, `rounding`,
    `multiple`, `steps`; `population` where the network has several inputs; `width` and `height` (cameras) or
    `neurons` where neither the file nor a network says it.  A missing one is an InputError that lists the options.
    """
    if not recordings:
        raise InputError("no recordings", file=file)
    first = recordings[0]()
    kind = "camera" if isinstance(first, CameraEvents) else "units"
    polarity = _check_choices(choices, kind, file)
    whole, population = _population(first, kind, choices, polarity, file, network)
    plan = _plan(choices, file)
    builder, arrays, dropped = StepSpikesBuilder(), [], 0
    for i, read in enumerate(recordings):
        events = first if i == 0 else read()
        index = events.index_in(population.shape, polarity)
        if plan is None:
            arrays.append(_keep(events, index, choices["origin"], file))
            continue
        block, outside = bin_events(events.time, index, **plan)
        dropped += outside
        builder.begin_sample()
        builder.add_block(block)
    source = f"{file.name}, {len(recordings)} recording(s); " + ", ".join(
        f"{k} = {v}" for k, v in sorted(choices.items())
    )
    if plan is None:
        start = np.cumsum([0, *(time.size for time, _ in arrays)])
        time, index = (np.concatenate(columns) for columns in zip(*arrays, strict=True))
        spans = np.array([int(t[-1]) + 1 if t.size else 0 for t, _ in arrays], np.int64)
        return Trace(file.stem, whole, "us", spans, {population.name: Events(start, time, index)}, source, labels)
    source += f"; {dropped} events outside the timesteps dropped"
    return Trace(file.stem, whole, "step", builder.lengths(), {population.name: builder.build()}, source, labels)


def input_population(network: Network, choices: Mapping[str, Any], file: Path) -> Population:
    """The input population that a file's spikes belong to: the only one, or the one of the choice `population`."""
    names = network.inputs
    if "population" in choices:
        if choices["population"] not in names:
            raise unknown("input population", choices["population"], names, file=file)
        return network.population(str(choices["population"]))
    if len(names) != 1:
        raise InputError(
            "the network has several inputs: give the import choice population", file=file, allowed=names or ["none"]
        )
    return network.population(names[0])


def _check_choices(choices: Mapping[str, Any], kind: str, file: Path) -> str:
    """All needed choices are there and none else; returns the polarity ("" for numbered neurons)."""
    steps = "time_base" in choices and one_of(choices, "time_base", ("step", "us"), file=file) == "step"
    needed = ["time_base", "origin"] + (["polarity"] if kind == "camera" else [])
    timestep = [key for key in ("dt_us", "dt_ms", "dt_s") if key in choices]
    if steps or "time_base" not in choices:
        needed += [*(timestep or ["dt_us"]), "rounding", "multiple", "steps"]
    # A network with decaying neurons needs the timestep too, so it may stand beside time_base = us.
    sidelong = ["dt_us", "dt_ms", "dt_s", "population", *_SIZE[kind]]
    check_keys(choices, dict.fromkeys([*needed, *sidelong]), file=file)
    require(choices, needed, file=file)
    one_of(choices, "origin", ORIGINS, file=file)
    return one_of(choices, "polarity", POLARITIES, file=file) if kind == "camera" else ""


def _plan(choices: Mapping[str, Any], file: Path) -> dict[str, Any] | None:
    """Arguments of `bin_events`, None where times are kept."""
    if one_of(choices, "time_base", ("step", "us"), file=file) == "us":
        return None
    everything = str(choices["steps"]).strip().lower() == "all"
    return {
        "dt_us": timestep_us(choices, file=file),
        "rounding": one_of(choices, "rounding", ROUNDINGS, file=file),
        "multiple": one_of(choices, "multiple", MULTIPLES, file=file),
        "origin": one_of(choices, "origin", ORIGINS, file=file),
        "steps": None if everything else number(choices, "steps", file=file, low=1, high=2**26),
    }


def _population(
    first: Recording, kind: str, choices: Mapping[str, Any], polarity: str, file: Path, network: Network | None
) -> tuple[Network, Population]:
    """The network of the trace (its own one, of a single input population, where none is given) and the population."""
    said = {key: number(choices, key, file=file, low=1, high=2**20) for key in _SIZE[kind] if key in choices}
    if network is not None:
        if said:
            raise InputError("the network says the size of its input", file=file, found=list(said))
        return network.topology(), input_population(network, choices, file)
    known = {key: getattr(first, key, None) for key in _SIZE[kind]}
    twice = [key for key in said if known[key] is not None]
    if twice:
        raise InputError("the file says this itself", file=file, found=twice)
    require({**{k: v for k, v in known.items() if v is not None}, **said}, _SIZE[kind], file=file)
    size = {**{k: v for k, v in known.items() if v is not None}, **said}
    if kind == "camera":
        shape: tuple[int, int, int] = (1 if polarity == "merged" else 2, size["height"], size["width"])
    else:
        shape = (size["neurons"], 1, 1)
    if prod(shape) > 2**31:
        raise InputError("too many neurons", file=file, found=shape)
    population = Population(str(choices.get("population", "input")), shape, Neuron("input"))
    return Network(file.stem, (population,), (), source=f"events of {file.name}"), population


def _keep(events: Recording, index: np.ndarray, origin: str, file: Path) -> tuple[np.ndarray, np.ndarray]:
    time = events.time
    if (np.diff(time) < 0).any():
        raise InputError("times decrease: only time_base = step can take this file", file=events.path)
    if origin == "first" and time.size:
        time = time - time[0]
    return time, index
